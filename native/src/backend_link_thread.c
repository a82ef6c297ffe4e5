/* The thread of a "link" device: it alone touches line and session; see backend_link_state.h. */
#include "backend_link_state.h"
#include "hal.h"
#include "shared_word.h"
#include "tick.h"

#include <poll.h>
#include <string.h>

#define READS_A_TURN  4
#define REGISTER_NS   100000000u /* least time between two readings, in free-run */
#define PACE_NS       5000000u   /* the driver of a UART has enough for twice that */
#define FAREWELL_NS   20000000u
#define NS_PER_US     1000u
#define ENOUGH_OCTETS (LINK_OUT_BYTES - LINK_WIRE_BYTES_MAX)

/* Orders as they stand, into the session. In lock-step only with the end of a tick. */
static void take_orders(struct link_device *device, uint64_t tick, uint64_t now_ns)
{
    uint64_t serial = atomic_load(&device->serial); /* first: the words are at least as new */
    const struct link_orders *orders = &device->orders;
    const struct link_actuators *seen = &device->view.actuated;
    struct link_session *session = &device->session;
    uint32_t number = session->wanted.number;
    struct link_actuators wanted = {
        .payload_level = shared_word_load(&orders->payload_level),
        .laser_on = shared_word_load(&orders->laser_on),
        .target_id = shared_word_load(&orders->target_id),
        .heater_on = shared_word_load(&orders->heater_on),
        .payload_busy_permille = shared_word_load(&orders->payload_busy_permille),
        .watchdog_kicks = atomic_load(&device->kicks),
        .tick = tick,
    };
    int differs = wanted.payload_level != seen->payload_level ||
                  wanted.laser_on != seen->laser_on || wanted.target_id != seen->target_id ||
                  wanted.heater_on != seen->heater_on;

    link_session_set_actuators(session, &wanted, now_ns);
    if (number == session->wanted.number && serial != device->sent_serial && differs) {
        link_session_repeat_actuators(session, now_ns); /* asked once more for what was not taken */
    }
    device->sent_serial = serial;
    if (device->view.actuated_known != 0 && session->actuated_number == session->wanted.number) {
        device->view.actuated_serial = serial;
    }
}

static void take_register_orders(struct link_device *device, uint64_t now_ns)
{
    uint32_t inhibit = shared_word_load(&device->orders.inhibit);
    struct link_register_order order;
    uint32_t bytes = 0;
    const uint8_t *front = NULL;

    if (device->session.state != LINK_STATE_UP) {
        return;
    }
    if (inhibit != device->inhibit_sent &&
        link_registers_write(&device->registers, TERM_REG_INHIBIT, inhibit, now_ns)) {
        device->inhibit_sent = inhibit;
        device->inhibit_known = 1;
    }
    while ((front = link_ring_front(&device->writes, &bytes)) != NULL) {
        memcpy(&order, front, sizeof order);
        if (!link_registers_write(&device->registers, order.reg, order.value, now_ns)) {
            return;
        }
        link_ring_drop(&device->writes);
    }
}

/* What the owner left word of since the last turn. @return when this wants to be called next. */
static uint64_t take_word(struct link_device *device, uint64_t now_ns)
{
    struct link_session *session = &device->session;
    uint64_t done = atomic_load(&device->done_serial);
    int lock_step = session->config.mode == LINK_MODE_LOCK_STEP;
    uint64_t next_ns = UINT64_MAX;

    take_register_orders(device, now_ns);
    if (!lock_step || shared_word_load(&device->orders.inhibit) != 0) {
        take_orders(device, session->wanted.tick, now_ns);
    }
    if (done != device->done_handled) {
        device->done_handled = done;
        take_orders(device, device->view.grant.tick, now_ns);
        if (done == device->view.grant_serial) { /* else that session has ended */
            link_registers_read(&device->registers, session);
            (void)link_session_tick_done(session, device->view.grant.tick);
        }
    }
    if (session->state == LINK_STATE_UP) {
        if (!lock_step && now_ns >= device->read_ns) {
            uint64_t every_ns = (uint64_t)session->config.period_us * NS_PER_US;

            device->read_ns = now_ns + (every_ns > REGISTER_NS ? every_ns : REGISTER_NS);
            link_registers_read(&device->registers, session);
        }
        next_ns = link_registers_step(&device->registers, session, now_ns);
    }
    return next_ns;
}

static uint64_t step_session(struct link_device *device, uint64_t now_ns)
{
    struct link_event event;
    uint64_t next_ns = 0;

    do {
        next_ns = link_session_step(&device->session, now_ns, &event);
        link_device_event(device, &event, now_ns);
    } while (event.type != LINK_EVENT_NONE);
    return next_ns;
}

static void lose_line(struct link_device *device, uint64_t now_ns)
{
    link_line_close(&device->line);
    device->view.status.line_losses++;
    device->out_at = device->out_filled = 0;
    device->reopen_ns = now_ns + LINK_REOPEN_NS;
    link_session_line_lost(&device->session, now_ns);
}

static void open_line(struct link_device *device, uint64_t now_ns)
{
    int32_t opened = HAL_E_NODEV;

    if (device->config->path != NULL) {
        opened = link_line_open(&device->line, device->sys, device->config);
    }
    if (opened < 0) {
        device->view.status.line_open_code = (uint64_t)-opened;
        device->reopen_ns = now_ns + LINK_REOPEN_NS;
        return;
    }
    device->view.status.line_opens++;
    link_session_line_lost(&device->session, now_ns);
}

static void receive(struct link_device *device)
{
    for (uint32_t turn = 0; turn < READS_A_TURN && device->line.fd >= 0; turn++) {
        int32_t got = link_line_read(&device->line, device->in, sizeof device->in);
        uint64_t now_ns = tick_monotonic_ns();
        struct link_event event;
        uint32_t at = 0;

        if (got < 0) {
            lose_line(device, now_ns);
        }
        if (got <= 0) {
            return;
        }
        do {
            at += link_session_feed(&device->session, device->in + at, (uint32_t)got - at, now_ns,
                                    &event);
            link_device_event(device, &event, now_ns);
        } while (event.type != LINK_EVENT_NONE && link_device_was_reset(device) == 0);
    }
}

/* Writes what waits, as far as the line takes it. @return when to try again, UINT64_MAX when it is
 * the line that will say so, or when nothing waits. */
static uint64_t send(struct link_device *device, uint64_t now_ns)
{
    while (device->line.fd >= 0) {
        if (device->out_at == device->out_filled) {
            uint32_t enough = link_line_allowance(&device->line, ENOUGH_OCTETS);

            if (enough == 0) {
                return now_ns + PACE_NS;
            }
            device->out_at = 0;
            device->out_filled = link_session_drain(&device->session, now_ns, device->out,
                                                    sizeof device->out, enough);
        }
        uint32_t waits = device->out_filled - device->out_at;
        int32_t written =
            waits == 0 ? 0 : link_line_write(&device->line, device->out + device->out_at, waits);

        if (written < 0) {
            lose_line(device, now_ns);
        }
        if (written <= 0) {
            return UINT64_MAX;
        }
        device->out_at += (uint32_t)written;
        if (device->out_at == device->out_filled) {
            return link_session_waiting(&device->session) ? now_ns : UINT64_MAX;
        }
    }
    return UINT64_MAX;
}

/* Until something comes, can be written, is asked for or is due. */
static void wait(struct link_device *device, uint64_t until_ns)
{
    uint64_t now_ns = tick_monotonic_ns();
    uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    int writes = device->out_at < device->out_filled;
    struct pollfd fds[2] = {
        {.fd = device->wake_fd, .events = POLLIN},
        {.fd = device->line.fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))},
    };
    uint64_t woken = 0;

    wait_ns = wait_ns < LINK_LOOK_NS ? wait_ns : LINK_LOOK_NS;
    if (device->sys->poll(device->sys->context, fds, 2, (int)((wait_ns + 999999u) / 1000000u)) <=
        0) {
        return;
    }
    if (fds[0].revents != 0) {
        (void)linux_read(device->sys, device->wake_fd, &woken, sizeof woken);
        atomic_store(&device->woken, 0);
    }
    if ((fds[1].revents & ~POLLOUT) != 0) {
        receive(device);
    }
}

static uint64_t sooner(uint64_t one_ns, uint64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* @return when the next turn is due. */
static uint64_t turn(struct link_device *device)
{
    uint64_t now_ns = tick_monotonic_ns();
    uint64_t next_ns = UINT64_MAX;

    if (link_device_was_reset(device) != 0) {
        return next_ns;
    }
    if (device->line.fd < 0) {
        if (now_ns >= device->reopen_ns) {
            open_line(device, now_ns);
        }
        next_ns = device->line.fd < 0 ? device->reopen_ns : now_ns;
    }
    next_ns = sooner(next_ns, take_word(device, now_ns));
    next_ns = sooner(next_ns, step_session(device, now_ns));
    return sooner(next_ns, send(device, now_ns));
}

/* The last orders still go out, if the line takes them at once. */
static void say_farewell(struct link_device *device)
{
    uint64_t end_ns = tick_monotonic_ns() + FAREWELL_NS;

    if (device->session.state == LINK_STATE_UP && link_device_was_reset(device) == 0) {
        take_orders(device, device->session.wanted.tick, tick_monotonic_ns());
    }
    while (device->line.fd >= 0 && tick_monotonic_ns() < end_ns &&
           (link_session_waiting(&device->session) || device->out_at < device->out_filled)) {
        uint64_t now_ns = tick_monotonic_ns();

        if (send(device, now_ns) != now_ns) {
            wait(device, end_ns);
        }
    }
    link_line_close(&device->line);
}

void *link_device_run(void *argument)
{
    struct link_device *device = argument;

    while (atomic_load(&device->stop) == 0) {
        uint64_t next_ns = turn(device);

        link_device_publish(device);
        wait(device, next_ns);
    }
    say_farewell(device);
    return NULL;
}
