/* A session's states, its clockwork, and the owner's calls; see link_session.h. */
#include "link_session.h"

#include "hal.h"
#include "link_session_parts.h"

#include <string.h>

static const uint64_t NS_PER_MS = 1000000;
static const uint64_t NEVER = UINT64_MAX;

/* Session numbers: splitmix over the seed (Steele, Lea and Flood, OOPSLA 2014), 0 left out. */
static uint32_t draw_session(struct link_session *session)
{
    uint64_t z = session->config.seed + 0x9E3779B97F4A7C15u * (uint64_t)++session->drawn;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return ((uint32_t)(z >> 32) ^ (uint32_t)z) | 1u;
}

void link_session_init(struct link_session *session, const struct link_session_config *config,
                       uint64_t now_ns)
{
    memset(session, 0, sizeof *session);
    session->config = *config;
    link_decoder_init(&session->decoder);
    link_frames_out_init(&session->out, config->tx);
    link_frames_in_init(&session->in, config->rx);
    session->opened_ns = now_ns;
    link_session_line_lost(session, now_ns);
}

void link_session_line_lost(struct link_session *session, uint64_t now_ns)
{
    link_decoder_restart(&session->decoder);
    link_session_input(session, LINK_INPUT_LINE, now_ns);
}

void link_session_own_hello(const struct link_session *session, struct link_hello *hello)
{
    uint64_t granted = link_frames_granted(&session->in) - session->in.passed;

    *hello = (struct link_hello){
        .abi_version = HAL_ABI_VERSION,
        .schema_crc32c = link_schema_crc32c(),
        .role = session->config.role,
        .mode = session->config.mode,
        .payload_bytes_max = LINK_PAYLOAD_BYTES_MAX,
        .frame_bytes_max = session->config.rx->slot_bytes,
        .frames_credit = (uint32_t)granted,
        .period_us = session->config.period_us,
        .boot_count = session->config.boot_count,
    };
}

/* What the old peer was owed, and owed us. Frames that came whole stay. */
static void void_session(struct link_session *session)
{
    session->counters.downs++;
    session->counters.tx_dropped += link_outbox_clear(&session->outbox);
    session->waits = 0;
    link_frames_out_stop(&session->out);
    session->owed &= ~(1u << LINK_EVENT_MESSAGE);
    if ((session->owed & 1u << LINK_EVENT_UP) != 0) {
        session->owed &= ~(1u << LINK_EVENT_UP); /* the owner never heard of it */
    } else {
        session->owed |= 1u << LINK_EVENT_DOWN;
    }
}

static void renew(struct link_session *session, uint64_t now_ns)
{
    session->own_session = draw_session(session);
    session->peer_session = 0;
    session->refusal = 0;
    session->waits |= LINK_WAITS_ZEROS | LINK_WAITS_HELLO;
    session->hello_due_ns = now_ns + LINK_HELLO_RETRY_NS;
}

/* The HELLO or HELLO_REPLY that just came is of a peer not known so far. */
static void learn(struct link_session *session, uint64_t now_ns)
{
    const struct link_message *hello = &session->message;
    struct link_ring *records = session->config.records;

    link_get_hello(hello->payload, &session->peer);
    session->peer_session = hello->header.session;
    session->refusal = 0;
    for (uint32_t channel = 0; channel < LINK_CHANNELS; channel++) {
        link_sequence_restart(&session->rx[channel]);
        session->tx_seq[channel] = 0;
    }
    link_frames_out_start(&session->out, session->peer.frames_credit);
    link_frames_in_start(&session->in);
    link_clock_restart(&session->clock);
    session->counters.tx_dropped += records != NULL ? link_ring_flush(records) : 0;
    session->peer_heartbeat = (struct link_heartbeat){0};
    session->light = (struct link_credit){0};
    session->grant = (struct link_grant){0};
    session->done = (struct link_done){0};
    session->sensors_tick = 0;
    session->sensors_ns = 0;
    session->time_open = 0;
    session->heard_ns = now_ns;
}

/* Both know each other: say at once how things stand. */
static void begin(struct link_session *session, uint64_t now_ns)
{
    session->counters.ups++;
    session->owed |= 1u << LINK_EVENT_UP;
    session->waits &= ~(uint32_t)LINK_WAITS_HELLO;
    session->waits |= LINK_WAITS_CREDIT | LINK_WAITS_HEARTBEAT | LINK_WAITS_TIME;
    session->heartbeat_due_ns = now_ns + LINK_HEARTBEAT_NS;
    session->credit_due_ns = NEVER;
    session->actuated_number = session->wanted.number - 1;
    session->actuators_due_ns = NEVER;
    if (session->wanted.number != 0) {
        session->waits |= LINK_WAITS_ACTUATORS;
    }
}

void link_session_input(struct link_session *session, enum link_input input, uint64_t now_ns)
{
    struct link_transition go = link_transition_of((enum link_state)session->state, input);

    session->state = go.next;
    if ((go.actions & LINK_ACTION_DOWN) != 0) {
        void_session(session);
    }
    if ((go.actions & LINK_ACTION_RENEW) != 0) {
        renew(session, now_ns);
    }
    if ((go.actions & LINK_ACTION_LEARN) != 0) {
        learn(session, now_ns);
    }
    if ((go.actions & LINK_ACTION_ANSWER) != 0) {
        session->waits |= LINK_WAITS_REPLY;
    }
    if ((go.actions & LINK_ACTION_REFUSE) != 0) {
        session->waits |= LINK_WAITS_REFUSE;
    }
    if ((go.actions & LINK_ACTION_UP) != 0) {
        begin(session, now_ns);
    }
    if ((go.actions & LINK_ACTION_TELL) != 0) {
        session->owed |= 1u << LINK_EVENT_REFUSED;
    }
}

int link_session_hand_out(struct link_session *session, struct link_event *event)
{
    static const uint8_t ORDER[] = {LINK_EVENT_DOWN, LINK_EVENT_REFUSED, LINK_EVENT_UP,
                                    LINK_EVENT_FRAME, LINK_EVENT_MESSAGE};

    event->type = LINK_EVENT_NONE;
    for (uint32_t i = 0; i < sizeof ORDER; i++) {
        if ((session->owed & 1u << ORDER[i]) != 0) {
            session->owed &= ~(1u << ORDER[i]);
            event->type = ORDER[i];
            event->message = session->message;
            return 1;
        }
    }
    return 0;
}

static uint64_t silence_ns(const struct link_session *session)
{
    return session->config.mode == LINK_MODE_LOCK_STEP
               ? LINK_LOCK_STEP_SILENCE_NS
               : (uint64_t)LINK_HEARTBEAT_NS * LINK_HEARTBEATS_LOST;
}

/* A timer: when due, sets the bit and winds itself up again. */
static void tick_timer(struct link_session *session, uint64_t *due_ns, uint64_t every_ns,
                       uint32_t bit, uint64_t now_ns)
{
    if (now_ns >= *due_ns) {
        session->waits |= bit;
        *due_ns = every_ns == NEVER ? NEVER : now_ns + every_ns;
    }
}

static uint64_t sooner(uint64_t one_ns, uint64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* The room for frames grew when the owner took some, which nobody told us. */
static void watch_credit(struct link_session *session, uint64_t now_ns)
{
    uint64_t grown = link_frames_granted(&session->in) - session->in.told;

    if (grown == 0) {
        return;
    }
    if (4 * grown >= session->config.rx->capacity) {
        session->waits |= LINK_WAITS_CREDIT;
        session->credit_due_ns = NEVER;
    } else if (session->credit_due_ns == NEVER) {
        session->credit_due_ns = now_ns + LINK_CREDIT_DELAY_NS;
    }
}

static uint64_t step_up(struct link_session *session, uint64_t now_ns)
{
    uint64_t silent_ns = session->heard_ns + silence_ns(session);

    watch_credit(session, now_ns);
    tick_timer(session, &session->heartbeat_due_ns, LINK_HEARTBEAT_NS,
               LINK_WAITS_HEARTBEAT | LINK_WAITS_TIME | LINK_WAITS_CREDIT, now_ns);
    tick_timer(session, &session->credit_due_ns, NEVER, LINK_WAITS_CREDIT, now_ns);
    if (session->actuated_number != session->wanted.number) {
        tick_timer(session, &session->actuators_due_ns, NEVER, LINK_WAITS_ACTUATORS, now_ns);
    } else {
        session->actuators_due_ns = NEVER;
    }
    return sooner(sooner(silent_ns, session->heartbeat_due_ns),
                  sooner(session->credit_due_ns, session->actuators_due_ns));
}

uint64_t link_session_step(struct link_session *session, uint64_t now_ns, struct link_event *event)
{
    uint64_t next_ns = NEVER;
    int knows = session->state == LINK_STATE_UP || session->state == LINK_STATE_KNOWN;

    if (link_session_hand_out(session, event)) {
        return now_ns;
    }
    if (knows && now_ns >= session->heard_ns + silence_ns(session)) {
        link_session_input(session, LINK_INPUT_SILENT, now_ns);
    }
    if (session->state == LINK_STATE_UP) {
        next_ns = step_up(session, now_ns);
    } else {
        tick_timer(session, &session->hello_due_ns, LINK_HELLO_RETRY_NS, LINK_WAITS_HELLO, now_ns);
        next_ns = session->hello_due_ns;
        if (session->state == LINK_STATE_KNOWN) {
            next_ns = sooner(next_ns, session->heard_ns + silence_ns(session));
        }
    }
    return link_session_hand_out(session, event) ? now_ns : next_ns;
}

void link_session_read_heartbeat(const struct link_session *session, uint64_t now_ns,
                                 struct link_heartbeat *heartbeat)
{
    const struct link_session_counters *c = &session->counters;
    const struct link_decoder_counters *d = &session->decoder.counters;
    uint64_t lost = 0;
    uint64_t stale = c->rx_foreign + c->rx_ignored;

    for (uint32_t channel = 0; channel < LINK_CHANNELS; channel++) {
        lost += session->rx[channel].lost;
        stale += session->rx[channel].stale;
    }
    *heartbeat = (struct link_heartbeat){
        .uptime_ms = (now_ns - session->opened_ns) / NS_PER_MS,
        .rx_messages = (uint32_t)c->rx_messages,
        .rx_corrupt = (uint32_t)(d->corrupt + d->too_long + d->bad_layout + session->in.malformed),
        .rx_lost = (uint32_t)lost,
        .rx_stale = (uint32_t)stale,
        .tx_messages = (uint32_t)c->tx_messages,
        .tx_dropped = (uint32_t)(c->tx_dropped + session->out.flushed),
        .queue_depth = session->outbox.small_count + session->outbox.tests_count +
                       link_ring_count(session->config.tx),
        .frames_broken = (uint32_t)session->in.broken,
        .late = (uint32_t)c->late,
        .frames_sent = link_frames_sent(&session->out),
    };
}
