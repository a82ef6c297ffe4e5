/* What a session does with each message that comes; see link_session.h. */
#include "hal.h"
#include "link_session_parts.h"

/* Whether the two may run together; the first reason against it. */
static uint32_t judge_hello(const struct link_session *session, const struct link_message *message)
{
    const struct link_session_config *own = &session->config;
    struct link_hello theirs;

    if (message->header.version != LINK_PROTOCOL_VERSION) {
        return LINK_REFUSED_PROTOCOL; /* its layout may be another one, too */
    }
    link_get_hello(message->payload, &theirs);
    if (theirs.abi_version != HAL_ABI_VERSION) {
        return LINK_REFUSED_ABI;
    }
    if (theirs.schema_crc32c != link_schema_crc32c()) {
        return LINK_REFUSED_SCHEMA;
    }
    if (theirs.role == own->role) {
        return LINK_REFUSED_ROLE;
    }
    return theirs.mode == own->mode ? 0 : LINK_REFUSED_MODE;
}

static void take_refuse(struct link_session *session, const struct link_message *message,
                        uint64_t now_ns)
{
    struct link_word reason = {LINK_REFUSED_PROTOCOL};

    if (session->state == LINK_STATE_UP && message->header.session != session->peer_session) {
        session->counters.rx_foreign++; /* from before this peer */
        return;
    }
    if (message->header.version == LINK_PROTOCOL_VERSION) {
        link_get_word(message->payload, &reason);
    }
    session->refusal = reason.value;
    link_session_input(session, LINK_INPUT_REFUSE, now_ns);
}

static void take_hello(struct link_session *session, const struct link_message *message,
                       uint64_t now_ns)
{
    uint32_t reason = judge_hello(session, message);
    int again = message->header.session == session->peer_session;
    struct link_hello theirs;

    if (message->header.session == 0) {
        session->counters.rx_ignored++;
        return;
    }
    if (reason != 0) {
        session->refusal = reason;
        link_session_input(session, LINK_INPUT_UNFIT, now_ns);
        return;
    }
    link_get_hello(message->payload, &theirs);
    session->heard_ns = again ? now_ns : session->heard_ns;
    if (message->header.type == LINK_HELLO) {
        link_session_input(session, again ? LINK_INPUT_HELLO_AGAIN : LINK_INPUT_HELLO_NEW, now_ns);
    } else if (theirs.peer_session == session->own_session) {
        link_session_input(session, again ? LINK_INPUT_REPLY : LINK_INPUT_REPLY_NEW, now_ns);
    } else {
        session->counters.rx_ignored++; /* an answer to a start before this one */
    }
}

static void take_heartbeat(struct link_session *session, const struct link_message *message,
                           uint64_t now_ns)
{
    (void)now_ns;
    link_get_heartbeat(message->payload, &session->peer_heartbeat);
    link_frames_settle(&session->in, session->peer_heartbeat.frames_sent);
}

static void take_time_request(struct link_session *session, const struct link_message *message,
                              uint64_t now_ns)
{
    uint8_t payload[LINK_TIME_REPLY_BYTES];
    struct link_word id;

    link_get_word(message->payload, &id);
    struct link_time_reply reply = {
        .id = id.value,
        .request_t_ns = message->header.t_ns,
        .received_t_ns = now_ns,
    };
    (void)link_put_time_reply(&reply, payload);
    if (!link_outbox_put(&session->outbox, LINK_TIME_REPLY, payload, sizeof payload)) {
        session->counters.tx_refused++;
    }
}

static void take_time_reply(struct link_session *session, const struct link_message *message,
                            uint64_t now_ns)
{
    struct link_time_reply reply;

    link_get_time_reply(message->payload, &reply);
    if (session->time_open == 0 || reply.id != session->time_id ||
        !link_clock_take(&session->clock, reply.request_t_ns, reply.received_t_ns,
                         message->header.t_ns, now_ns)) {
        session->counters.rx_ignored++;
        return;
    }
    session->time_open = 0;
}

static void hand_on(struct link_session *session)
{
    session->owed |= 1u << LINK_EVENT_MESSAGE;
}

static void take_sensors(struct link_session *session, const struct link_message *message,
                         uint64_t now_ns)
{
    uint64_t period_ns = (uint64_t)session->config.period_us * 1000;
    struct link_sensors sensors;

    if (session->config.mode == LINK_MODE_FREE_RUN && session->sensors_ns != 0 &&
        now_ns - session->sensors_ns > period_ns + period_ns / 2) {
        session->counters.late++;
    }
    link_get_sensors(message->payload, &sensors);
    session->sensors_tick = sensors.tick;
    session->sensors_ns = now_ns;
    hand_on(session);
}

/* A grant counts once, and only with its sensors here; a done one is said to be done again. */
static void take_grant(struct link_session *session, const struct link_message *message,
                       uint64_t now_ns)
{
    struct link_grant grant;

    (void)now_ns;
    link_get_grant(message->payload, &grant);
    if (grant.tick <= session->grant.tick) {
        session->waits |= session->done.tick == grant.tick ? LINK_WAITS_DONE : 0;
        return;
    }
    if (session->sensors_tick != grant.tick) {
        session->counters.grants_early++;
        return;
    }
    session->grant = grant;
    hand_on(session);
}

static void take_actuated(struct link_session *session, const struct link_message *message,
                          uint64_t now_ns)
{
    struct link_actuators actuated;

    (void)now_ns;
    link_get_actuators(message->payload, &actuated);
    if (session->wanted.number - actuated.number > INT32_MAX) {
        session->counters.rx_ignored++; /* a number that was never given */
        return;
    }
    session->actuated_number = actuated.number;
    hand_on(session);
}

static void take_done(struct link_session *session, const struct link_message *message,
                      uint64_t now_ns)
{
    struct link_done done;

    (void)now_ns;
    link_get_done(message->payload, &done);
    link_frames_settle(&session->in, done.frames_sent);
    hand_on(session);
}

static void take_chunk(struct link_session *session, const struct link_message *message,
                       uint64_t now_ns)
{
    (void)now_ns;
    if (link_frames_take_chunk(&session->in, message->payload, message->header.payload_bytes)) {
        session->owed |= 1u << LINK_EVENT_FRAME;
    }
}

static void take_credit(struct link_session *session, const struct link_message *message,
                        uint64_t now_ns)
{
    struct link_credit credit;

    (void)now_ns;
    link_get_credit(message->payload, &credit);
    link_frames_out_grant(&session->out, credit.frames_granted);
    hand_on(session);
}

static void take_echo(struct link_session *session, const struct link_message *message,
                      uint64_t now_ns)
{
    (void)now_ns;
    if (!link_outbox_put_test(&session->outbox, LINK_ECHO_REPLY, message->payload,
                              message->header.payload_bytes)) {
        session->counters.tx_dropped++;
    }
}

static void take_bit_test(struct link_session *session, const struct link_message *message,
                          uint64_t now_ns)
{
    (void)now_ns;
    session->counters.bits_tested += UINT64_C(8) * message->header.payload_bytes;
    session->counters.bit_errors +=
        link_bit_test_errors(message->payload, message->header.payload_bytes);
}

static void take_for_owner(struct link_session *session, const struct link_message *message,
                           uint64_t now_ns)
{
    (void)message;
    (void)now_ns;
    hand_on(session);
}

typedef void (*handler)(struct link_session *session, const struct link_message *message,
                        uint64_t now_ns);

static const handler HANDLERS[LINK_TYPE_MAX + 1] = {
    [LINK_HELLO] = take_hello,           [LINK_HELLO_REPLY] = take_hello,
    [LINK_HEARTBEAT] = take_heartbeat,   [LINK_TIME_REQUEST] = take_time_request,
    [LINK_TIME_REPLY] = take_time_reply, [LINK_SENSORS] = take_sensors,
    [LINK_ACTUATORS] = take_for_owner,   [LINK_ACTUATED] = take_actuated,
    [LINK_GRANT] = take_grant,           [LINK_DONE] = take_done,
    [LINK_FRAME_CHUNK] = take_chunk,     [LINK_CREDIT] = take_credit,
    [LINK_REG_READ] = take_for_owner,    [LINK_REG_WRITE] = take_for_owner,
    [LINK_REG_VALUES] = take_for_owner,  [LINK_ECHO] = take_echo,
    [LINK_ECHO_REPLY] = take_for_owner,  [LINK_BIT_TEST] = take_bit_test,
    [LINK_NODE_RESET] = take_for_owner,  [LINK_REFUSE] = take_refuse,
    [LINK_TELL] = take_for_owner,
};

static int greets(uint8_t type)
{
    return type == LINK_HELLO || type == LINK_HELLO_REPLY || type == LINK_REFUSE;
}

/* Everything but a greeting must be of the peer's session, and in its sequence. */
static int admit(struct link_session *session, const struct link_header *header, uint64_t now_ns)
{
    if (session->peer_session == 0 || header->session != session->peer_session) {
        session->counters.rx_foreign++;
        return 0;
    }
    session->heard_ns = now_ns;
    link_session_input(session, LINK_INPUT_MESSAGE, now_ns);
    if (!link_sequence_take(&session->rx[header->channel], header->seq)) {
        return 0;
    }
    session->counters.rx_messages++;
    return session->state == LINK_STATE_UP;
}

uint32_t link_session_feed(struct link_session *session, const uint8_t *octets, uint32_t bytes,
                           uint64_t now_ns, struct link_event *event)
{
    uint32_t at = 0;

    while (!link_session_hand_out(session, event) && at < bytes) {
        struct link_message *message = &session->message;
        uint32_t taken = 0;

        if (link_decode(&session->decoder, octets + at, bytes - at, &taken, message) &&
            (greets(message->header.type) || admit(session, &message->header, now_ns))) {
            HANDLERS[message->header.type](session, message, now_ns);
        }
        at += taken;
    }
    return at;
}
