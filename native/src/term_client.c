/* A laser terminal's client; see term_client.h. */
#include "term_client.h"

#include "hal.h"
#include "link_line.h"

#include <string.h>

static const uint64_t NS_PER_S = 1000000000;
#define BITS_PER_OCTET_ON_WIRE 10u /* start, eight, stop */
#define MAP_BYTES              (LINK_REG_VALUES_BYTES + 4u * TERM_REG_COUNT)

_Static_assert(LINK_SMALL_BYTES_MAX >= MAP_BYTES, "one answer carries the whole map");

uint64_t term_client_ring_bytes(const struct term_link_config *config)
{
    return link_ring_bytes(config->tx_fifo_frames, config->max_frame_bytes) +
           link_ring_bytes(config->rx_fifo_frames, config->max_frame_bytes) +
           link_ring_bytes(TERM_CLIENT_ORDERS, (uint32_t)sizeof(struct term_order));
}

/* A poll and its answer take at most a fifth of the line. */
static uint64_t poll_every_ns(uint32_t baud)
{
    uint64_t every_ns =
        baud == 0 ? 0 : 5 * NS_PER_S * BITS_PER_OCTET_ON_WIRE * TERM_CLIENT_POLL_WIRE_BYTES / baud;

    return every_ns > TERM_LINK_POLL_NS ? every_ns : TERM_LINK_POLL_NS;
}

void term_client_init(struct term_client *client, const struct term_link_config *config,
                      uint8_t *rings, uint32_t seed, uint64_t now_ns)
{
    memset(client, 0, sizeof *client);
    rings = link_ring_init(&client->tx, rings, config->tx_fifo_frames, config->max_frame_bytes);
    rings = link_ring_init(&client->rx, rings, config->rx_fifo_frames, config->max_frame_bytes);
    (void)link_ring_init(&client->orders, rings, TERM_CLIENT_ORDERS,
                         (uint32_t)sizeof(struct term_order));
    term_writes_init(&client->writes);
    client->poll_every_ns = poll_every_ns(config->baud);
    const struct link_session_config session = {
        .role = LINK_ROLE_NODE,
        .mode = LINK_MODE_FREE_RUN,
        .payload_bytes = link_line_payload_bytes(config->baud),
        .boot_count = config->boot_count,
        .seed = seed,
        .tx = &client->tx,
        .rx = &client->rx,
    };

    link_session_init(&client->session, &session, now_ns);
    client->known.phase = TERM_LINK_CLOSED;
    link_latest_init(&client->latest);
    for (uint32_t i = 0; i < 3; i++) {
        client->views[i] = client->known;
    }
}

/* A session ended: nothing of the terminal is known, and what had not left by light is void. */
static void forget(struct term_client *client)
{
    struct link_credit *before = &client->before;

    client->up = 0;
    client->known.regs_t_ns = 0;
    client->known.frame_bytes_max = 0;
    client->poll_open = 0;
    before->frames_by_light += client->light.frames_by_light;
    before->frames_overflowed += client->light.frames_overflowed;
    /* The session has emptied the ring: its head counts every frame ever taken. */
    before->frames_flushed = atomic_load(&client->tx.head) - before->frames_by_light;
    client->light = (struct link_credit){0};
}

static void begin(struct term_client *client, uint64_t now_ns)
{
    client->up = 1;
    client->known.counters.sessions++;
    client->known.frame_bytes_max = client->session.peer.frame_bytes_max;
    client->poll_open = 0;
    client->poll_due_ns = now_ns;
    term_writes_begin(&client->writes);
}

static void take_map(struct term_client *client, const struct link_message *message,
                     uint64_t now_ns)
{
    for (uint32_t i = 0; i < TERM_REG_COUNT; i++) {
        const uint8_t *octets = message->payload + LINK_REG_VALUES_BYTES + (size_t)4 * i;

        client->known.regs[i] = (uint32_t)octets[0] | (uint32_t)octets[1] << 8 |
                                (uint32_t)octets[2] << 16 | (uint32_t)octets[3] << 24;
    }
    client->known.regs_t_ns = now_ns;
    client->known.counters.polls++;
}

/* Reads have even ids, writes odd ones. */
static void take_values(struct term_client *client, const struct link_message *message,
                        uint64_t now_ns)
{
    struct link_reg_values values;

    link_get_reg_values(message->payload, &values);
    if ((values.id & 1u) != 0) {
        if (term_writes_answer(&client->writes, values.id >> 1, values.code) &&
            client->poll_open == 0) {
            client->poll_due_ns = now_ns; /* what it did shows in the next view */
        }
        return;
    }
    if (client->poll_open == 0 || values.id >> 1 != client->poll_id) {
        return; /* the answer to a question given up */
    }
    client->poll_open = 0;
    client->poll_due_ns = client->poll_sent_ns + client->poll_every_ns;
    if (values.code >= HAL_OK && values.first == 0 && values.count == TERM_REG_COUNT &&
        message->header.payload_bytes == MAP_BYTES) {
        take_map(client, message, now_ns);
    }
}

static void take_event(struct term_client *client, const struct link_event *event, uint64_t now_ns)
{
    switch (event->type) {
    case LINK_EVENT_UP: begin(client, now_ns); break;
    case LINK_EVENT_DOWN: forget(client); break;
    case LINK_EVENT_MESSAGE:
        if (event->message.header.type == LINK_REG_VALUES) {
            take_values(client, &event->message, now_ns);
        } else if (event->message.header.type == LINK_CREDIT) {
            link_get_credit(event->message.payload, &client->light);
        }
        break;
    default: break; /* a frame lies in its ring, a refusal in the session */
    }
}

void term_client_line(struct term_client *client, int open, uint64_t now_ns)
{
    client->known.counters.line_losses += client->line_open != 0 && !open;
    client->line_open = open != 0;
    link_session_line_lost(&client->session, now_ns);
    (void)term_client_step(client, now_ns);
}

void term_client_receive(struct term_client *client, const uint8_t *octets, uint32_t bytes,
                         uint64_t now_ns)
{
    uint32_t at = 0;
    struct link_event event = {.type = LINK_EVENT_NONE};

    while (at < bytes || event.type != LINK_EVENT_NONE) {
        at += link_session_feed(&client->session, octets + at, bytes - at, now_ns, &event);
        take_event(client, &event, now_ns);
    }
}

static void send_write(struct term_client *client, uint64_t now_ns)
{
    struct term_write write;
    uint32_t id = 0;
    uint8_t payload[LINK_REG_WRITE_BYTES];

    if (!term_writes_next(&client->writes, now_ns, &write, &id)) {
        return;
    }
    const struct link_reg_write message = {
        .id = id << 1 | 1u,
        .reg = (uint16_t)write.reg,
        .value = write.value,
    };

    (void)link_session_post(&client->session, LINK_REG_WRITE, payload,
                            link_put_reg_write(&message, payload));
}

static void send_poll(struct term_client *client, uint64_t now_ns)
{
    uint8_t payload[LINK_REG_READ_BYTES];

    if (now_ns < client->poll_due_ns) {
        return;
    }
    client->known.counters.polls_lost += client->poll_open;
    client->poll_open = 1;
    client->poll_id++;
    client->poll_sent_ns = now_ns;
    client->poll_due_ns = now_ns + TERM_CLIENT_ANSWER_NS + client->poll_every_ns;
    const struct link_reg_read message = {
        .id = client->poll_id << 1,
        .first = 0,
        .count = TERM_REG_COUNT,
    };

    (void)link_session_post(&client->session, LINK_REG_READ, payload,
                            link_put_reg_read(&message, payload));
}

static uint32_t phase_of(const struct term_client *client)
{
    if (client->line_open == 0) {
        return TERM_LINK_CLOSED;
    }
    if (client->session.state == LINK_STATE_REFUSED) {
        return TERM_LINK_REFUSED;
    }
    return client->up != 0 ? TERM_LINK_UP : TERM_LINK_WAITING;
}

static void publish(struct term_client *client)
{
    const struct term_writes_counters *writes = &client->writes.counters;
    const struct link_session *session = &client->session;
    const struct link_decoder_counters *decoder = &session->decoder.counters;
    struct term_link_counters *told = &client->known.counters;

    client->known.phase = phase_of(client);
    client->known.refusal = session->refusal;
    client->known.writes_pending = client->writes.count + link_ring_count(&client->orders);
    told->writes = writes->answered;
    told->writes_refused = writes->refused;
    told->writes_repeated = writes->repeated;
    told->writes_lost = writes->overtaken + writes->lost;
    told->tx_by_light = client->before.frames_by_light + client->light.frames_by_light;
    told->tx_flushed = client->before.frames_flushed + client->light.frames_flushed;
    told->rx_overflow = client->before.frames_overflowed + client->light.frames_overflowed +
                        session->in.overflowed + session->in.broken;
    told->rx_corrupt = decoder->corrupt + decoder->too_long + decoder->bad_layout;
    told->rx_lost = 0;
    for (uint32_t channel = 0; channel < LINK_CHANNELS; channel++) {
        told->rx_lost += session->rx[channel].lost;
    }
    client->views[client->latest.writing] = client->known;
    link_latest_publish(&client->latest);
}

static uint64_t sooner(uint64_t one_ns, uint64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

uint64_t term_client_step(struct term_client *client, uint64_t now_ns)
{
    struct link_event event;
    uint64_t next_ns = link_session_step(&client->session, now_ns, &event);

    while (event.type != LINK_EVENT_NONE) {
        take_event(client, &event, now_ns);
        next_ns = link_session_step(&client->session, now_ns, &event);
    }
    term_client_take_orders(client);
    if (client->up != 0) {
        send_write(client, now_ns);
        send_poll(client, now_ns);
        next_ns = sooner(next_ns, client->poll_due_ns);
        next_ns = sooner(next_ns, term_writes_due_ns(&client->writes));
    }
    publish(client);
    return next_ns;
}

uint32_t term_client_drain(struct term_client *client, uint64_t now_ns, uint8_t *octets,
                           uint32_t room, uint32_t enough)
{
    return link_session_drain(&client->session, now_ns, octets, room, enough);
}
