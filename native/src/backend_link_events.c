/* What comes to a "link" device out of its session, and what its owner may see of it; the thread's
 * part of backend_link_state.h. */
#include "backend_link_state.h"
#include "hal.h"

#include <string.h>

static void set_phase(struct link_device *device, uint32_t phase)
{
    device->view.status.phase = phase;
    device->news_owed = 1;
}

static struct link_credit sum_of(struct link_credit one, struct link_credit other)
{
    return (struct link_credit){
        .frames_by_light = one.frames_by_light + other.frames_by_light,
        .frames_overflowed = one.frames_overflowed + other.frames_overflowed,
        .frames_flushed = one.frames_flushed + other.frames_flushed,
    };
}

static void on_sensors(struct link_device *device, const uint8_t *payload, uint64_t now_ns)
{
    struct link_view *view = &device->view;
    uint64_t stale_ns = (uint64_t)device->config->stale_ms * 1000000u;

    if (view->sensors_known == 0 || now_ns - view->sensors_ns > stale_ns) {
        device->news_owed = 1;
    }
    link_get_sensors(payload, &view->sensors);
    view->sensors_ns = now_ns;
    view->sensors_known = 1;
    view->status.sensors_seen++;
    view->status.sensors_tick = view->sensors.tick;
    (void)atomic_fetch_or(&device->throttle_latched, view->sensors.throttle_live);
}

static void on_grant(struct link_device *device, const uint8_t *payload)
{
    struct link_grant grant;

    link_get_grant(payload, &grant);
    device->view.grant = (struct hal_link_grant){
        .tick = grant.tick,
        .from_ns = device->view.sensors.sensors.t_ns,
        .until_ns = grant.until_ns,
        .utc_ns = grant.utc_ns,
    };
    device->view.grant_serial++;
    device->news_owed = 1;
}

static void on_actuated(struct link_device *device, const uint8_t *payload)
{
    link_get_actuators(payload, &device->view.actuated);
    device->view.actuated_known = 1;
    if (device->session.actuated_number == device->session.wanted.number) {
        device->view.actuated_serial = device->sent_serial;
    }
}

/* The power is gone: nothing goes in or out any more. */
static void on_reset(struct link_device *device, const uint8_t *payload)
{
    struct link_word cause;

    link_get_word(payload, &cause);
    device->view.status.reset_cause = cause.value;
    set_phase(device, HAL_LINK_RESET);
    link_line_close(&device->line);
}

static void on_message(struct link_device *device, const struct link_message *message,
                       uint64_t now_ns)
{
    struct link_credit light;

    switch (message->header.type) {
    case LINK_SENSORS: on_sensors(device, message->payload, now_ns); break;
    case LINK_GRANT: on_grant(device, message->payload); break;
    case LINK_ACTUATED: on_actuated(device, message->payload); break;
    case LINK_REG_VALUES: link_registers_take(&device->registers, message, now_ns); break;
    case LINK_NODE_RESET: on_reset(device, message->payload); break;
    case LINK_CREDIT:
        link_get_credit(message->payload, &light);
        device->view.light = sum_of(device->light_before, light);
        break;
    default: break; /* what a node has no use for */
    }
}

static void on_up(struct link_device *device, uint64_t now_ns)
{
    const struct link_hello *peer = &device->session.peer;

    set_phase(device, HAL_LINK_UP);
    device->view.status.peer_role = peer->role;
    device->view.peer_frame_bytes = peer->frame_bytes_max;
    device->light_before = device->view.light;
    device->inhibit_sent = device->inhibit_known != 0 ? LINK_INHIBIT_UNTOLD : 0;
    device->read_ns = now_ns;
}

static void on_down(struct link_device *device)
{
    set_phase(device, HAL_LINK_DOWN);
    device->view.sensors_known = 0;
    device->view.actuated_known = 0;
    link_registers_restart(&device->registers);
}

void link_device_event(struct link_device *device, const struct link_event *event, uint64_t now_ns)
{
    const uint64_t one = 1;

    switch ((enum link_event_type)event->type) {
    case LINK_EVENT_UP: on_up(device, now_ns); break;
    case LINK_EVENT_DOWN: on_down(device); break;
    case LINK_EVENT_REFUSED: set_phase(device, HAL_LINK_REFUSED); break;
    case LINK_EVENT_MESSAGE: on_message(device, &event->message, now_ns); break;
    case LINK_EVENT_FRAME: /* it lies in the ring that the owner reads */
        (void)linux_write(device->sys, device->frames_fd, &one, sizeof one);
        break;
    case LINK_EVENT_NONE: break;
    }
}

/* Counters of session and line, as the owner reads them. */
static void count(struct link_device *device)
{
    const struct link_session *session = &device->session;
    const struct link_session_counters *c = &session->counters;
    const struct link_decoder_counters *d = &session->decoder.counters;
    struct hal_link_status *status = &device->view.status;
    struct link_clock_estimate clock;

    status->refusal = session->refusal;
    status->own_session = session->own_session;
    status->peer_session = session->peer_session;
    status->line_open = device->line.fd >= 0;
    status->low_latency = device->line.low_latency;
    status->ups = c->ups;
    status->downs = c->downs;
    status->rx_octets = d->octets;
    status->rx_messages = c->rx_messages;
    status->rx_corrupt = d->corrupt;
    status->rx_too_long = d->too_long;
    status->rx_bad_layout = d->bad_layout;
    status->rx_lost = status->rx_stale = 0;
    for (uint32_t channel = 0; channel < LINK_CHANNELS; channel++) {
        status->rx_lost += session->rx[channel].lost;
        status->rx_stale += session->rx[channel].stale;
    }
    status->rx_foreign = c->rx_foreign;
    status->rx_ignored = c->rx_ignored;
    status->tx_octets = c->tx_octets;
    status->tx_messages = c->tx_messages;
    status->tx_dropped = c->tx_dropped;
    status->tx_refused = c->tx_refused;
    status->frames_received = session->in.received;
    status->frames_broken = session->in.broken;
    status->frames_malformed = session->in.malformed;
    status->frames_overflowed = session->in.overflowed;
    status->frames_flushed = session->out.flushed;
    status->late = c->late;
    status->grants_early = c->grants_early;
    status->registers_failed = device->registers.failed;
    status->bits_tested = c->bits_tested;
    status->bit_errors = c->bit_errors;
    status->peer = session->peer_heartbeat;
    link_clock_read(&session->clock, &clock);
    status->offset_ns = clock.offset_ns;
    status->delay_ns = clock.delay_ns;
    status->uncertainty_ns = clock.uncertainty_ns;
    status->skew_ppb = clock.skew_ppb;
    device->view.register_known = device->registers.known;
    device->view.register_code = device->registers.code;
    device->view.register_ns = device->registers.read_ns;
    memcpy(device->view.registers, device->registers.values, sizeof device->view.registers);
}

void link_device_publish(struct link_device *device)
{
    const uint64_t one = 1;

    count(device);
    device->views[device->latest.writing] = device->view;
    link_latest_publish(&device->latest);
    if (device->news_owed != 0) {
        device->news_owed = 0; /* only now there is something to see */
        (void)linux_write(device->sys, device->news_fd, &one, sizeof one);
    }
}
