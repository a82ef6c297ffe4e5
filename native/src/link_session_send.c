/* What a session writes, by priority; see link_session.h. */
#include "hal.h"
#include "link_session_parts.h"

static int take_bit(struct link_session *session, uint32_t bit)
{
    int set = (session->waits & bit) != 0;

    session->waits &= ~bit;
    return set;
}

static int fill(struct link_draft *draft, uint8_t type, uint32_t bytes)
{
    draft->type = type;
    draft->bytes = (uint16_t)bytes;
    return 1;
}

/* Hello, its answer and its refusal count for no sequence and go whatever the state is. */
static int take_greeting(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    struct link_word reason = {session->refusal};
    struct link_hello hello;

    (void)now_ns;
    if (take_bit(session, LINK_WAITS_REFUSE)) {
        return fill(draft, LINK_REFUSE, link_put_word(&reason, draft->payload));
    }
    link_session_own_hello(session, &hello);
    if (take_bit(session, LINK_WAITS_REPLY)) {
        hello.peer_session = session->peer_session;
        return fill(draft, LINK_HELLO_REPLY, link_put_hello(&hello, draft->payload));
    }
    return take_bit(session, LINK_WAITS_HELLO) &&
           fill(draft, LINK_HELLO, link_put_hello(&hello, draft->payload));
}

static int take_posted(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    (void)now_ns;
    return link_outbox_take(&session->outbox, draft);
}

static int take_actuators(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    if (!take_bit(session, LINK_WAITS_ACTUATORS)) {
        return 0;
    }
    session->actuators_due_ns = now_ns + LINK_ACTUATORS_RETRY_NS;
    return fill(draft, LINK_ACTUATORS, link_put_actuators(&session->wanted, draft->payload));
}

static int take_heartbeat(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    struct link_heartbeat heartbeat;

    if (!take_bit(session, LINK_WAITS_HEARTBEAT)) {
        return 0;
    }
    link_session_read_heartbeat(session, now_ns, &heartbeat);
    return fill(draft, LINK_HEARTBEAT, link_put_heartbeat(&heartbeat, draft->payload));
}

static int take_time(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    struct link_word id = {session->time_id + 1};

    (void)now_ns;
    if (!take_bit(session, LINK_WAITS_TIME)) {
        return 0;
    }
    session->time_id = id.value;
    session->time_open = 1;
    return fill(draft, LINK_TIME_REQUEST, link_put_word(&id, draft->payload));
}

static int take_sensors(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    (void)now_ns;
    return take_bit(session, LINK_WAITS_SENSORS) &&
           fill(draft, LINK_SENSORS, link_put_sensors(&session->sensors, draft->payload));
}

static int take_credit(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    struct link_credit credit = session->light;

    (void)now_ns;
    if (!take_bit(session, LINK_WAITS_CREDIT)) {
        return 0;
    }
    credit.frames_granted = link_frames_granted(&session->in);
    session->in.told = credit.frames_granted;
    session->credit_due_ns = UINT64_MAX;
    return fill(draft, LINK_CREDIT, link_put_credit(&credit, draft->payload));
}

static int take_record(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    struct link_ring *records = session->config.records;
    int32_t bytes =
        records == NULL ? 0 : link_ring_pop(records, draft->payload, sizeof draft->payload);

    (void)now_ns;
    return bytes > 0 && fill(draft, LINK_TELL, (uint32_t)bytes);
}

static int take_chunk(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    uint32_t most = session->config.payload_bytes;
    uint32_t theirs = session->peer.payload_bytes_max;

    (void)now_ns;
    if (theirs < most) {
        most = theirs > LINK_CHUNK_BYTES ? theirs : LINK_CHUNK_BYTES + 1;
    }
    uint32_t bytes = link_frames_next_chunk(&session->out, most, draft->payload);

    return bytes > 0 && fill(draft, LINK_FRAME_CHUNK, bytes);
}

static int take_test(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    (void)now_ns;
    return link_outbox_take_test(&session->outbox, draft);
}

/* A tick's end, last of all: what it closes has gone. */
static int take_closer(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    (void)now_ns;
    if (take_bit(session, LINK_WAITS_GRANT)) {
        return fill(draft, LINK_GRANT, link_put_grant(&session->grant, draft->payload));
    }
    session->done.frames_sent = link_frames_sent(&session->out);
    return take_bit(session, LINK_WAITS_DONE) &&
           fill(draft, LINK_DONE, link_put_done(&session->done, draft->payload));
}

typedef int (*source)(struct link_session *session, uint64_t now_ns, struct link_draft *draft);

/* The first that has something goes first; only the greeting before both ends are up. */
static const source SOURCES[] = {
    take_greeting, take_posted, take_actuators, take_heartbeat, take_time,   take_sensors,
    take_credit,   take_record, take_chunk,     take_test,      take_closer,
};

static int next_draft(struct link_session *session, uint64_t now_ns, struct link_draft *draft)
{
    uint32_t sources = session->state == LINK_STATE_UP ? sizeof SOURCES / sizeof SOURCES[0] : 1;

    for (uint32_t i = 0; i < sources; i++) {
        if (SOURCES[i](session, now_ns, draft)) {
            return 1;
        }
    }
    return 0;
}

static uint32_t encode(struct link_session *session, uint64_t now_ns,
                       const struct link_draft *draft, uint8_t *octets)
{
    struct link_header header = {
        .type = draft->type,
        .payload_bytes = draft->bytes,
        .session = session->own_session,
        .t_ns = now_ns,
    };

    if (draft->type != LINK_HELLO && draft->type != LINK_HELLO_REPLY &&
        draft->type != LINK_REFUSE) {
        header.seq = session->tx_seq[link_channel_of(draft->type)]++;
    }
    int32_t written = link_encode(&header, draft->payload, octets);

    /* Every draft above has its type's length. */
    return written < 0 ? 0 : (uint32_t)written;
}

uint32_t link_session_drain(struct link_session *session, uint64_t now_ns, uint8_t *octets,
                            uint32_t room, uint32_t enough)
{
    struct link_draft draft;
    uint32_t filled = 0;

    while (filled < enough && room - filled >= LINK_WIRE_BYTES_MAX) {
        if (take_bit(session, LINK_WAITS_ZEROS)) {
            octets[filled++] = 0;
            octets[filled++] = 0;
            continue;
        }
        if (!next_draft(session, now_ns, &draft)) {
            break;
        }
        filled += encode(session, now_ns, &draft, octets + filled);
        session->counters.tx_messages++;
    }
    session->counters.tx_octets += filled;
    return filled;
}

int link_session_waiting(const struct link_session *session)
{
    const uint32_t greetings =
        LINK_WAITS_ZEROS | LINK_WAITS_REFUSE | LINK_WAITS_REPLY | LINK_WAITS_HELLO;

    if (session->state != LINK_STATE_UP) {
        return (session->waits & greetings) != 0;
    }
    return session->waits != 0 || session->outbox.small_count + session->outbox.tests_count > 0 ||
           link_ring_count(session->config.tx) > 0 ||
           (session->config.records != NULL && link_ring_count(session->config.records) > 0);
}
