/* What a session makes of messages that no session of ours would send, and of more than it has room
 * for: each is counted, and the link stays up. */
#include "hal.h"
#include "link_pair.h"
#include "link_session_parts.h"

static struct pair pair;
static struct link_session *node;

static void open_up(void)
{
    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair.node.clock_ns = 0;
    pair_run(&pair, 1000);
    CHECK(pair_is_up(&pair));
    node = &pair.node.session;
}

/* One message as if from the bench; `seq` is the next of its channel where it has one. */
static void slip_in(uint8_t type, uint32_t session, const void *payload, uint16_t bytes)
{
    uint8_t wire[LINK_WIRE_BYTES_MAX];
    struct link_header header = {
        .type = type,
        .seq = node->rx[link_channel_of(type)].expected,
        .session = session,
        .payload_bytes = bytes,
        .t_ns = pair.now_ns,
    };
    int32_t written = link_encode(&header, payload, wire);

    CHECK(written > 0);
    pair_feed(&pair.node, wire, (uint32_t)written, pair.now_ns);
}

static uint32_t peer(void)
{
    return node->peer_session;
}

static void a_refusal_meant_for_somebody_else_changes_nothing(void)
{
    uint8_t reason[LINK_WORD_BYTES];

    open_up();
    uint64_t foreign = node->counters.rx_foreign;

    (void)link_put_word(&(struct link_word){LINK_REFUSED_ROLE}, reason);
    slip_in(LINK_REFUSE, peer() ^ 4, reason, sizeof reason);
    CHECK(node->counters.rx_foreign == foreign + 1 && node->state == LINK_STATE_UP);
    slip_in(LINK_REFUSE, peer(), reason, sizeof reason);
    CHECK(node->state == LINK_STATE_REFUSED && node->refusal == LINK_REFUSED_ROLE);
}

static void a_hello_without_a_session_is_none(void)
{
    uint8_t payload[LINK_HELLO_BYTES];
    struct link_hello hello;

    open_up();
    hello = node->peer;
    (void)link_put_hello(&hello, payload);
    uint64_t ignored = node->counters.rx_ignored;

    slip_in(LINK_HELLO, 0, payload, sizeof payload);
    CHECK(node->counters.rx_ignored == ignored + 1 && node->state == LINK_STATE_UP);
}

static void an_answer_about_time_that_was_not_asked_for_is_ignored(void)
{
    uint8_t payload[LINK_TIME_REPLY_BYTES];
    struct link_time_reply reply = {.request_t_ns = 1, .received_t_ns = 2};

    open_up();
    reply.id = node->time_id;
    uint32_t taken = node->clock.taken;
    uint64_t ignored = node->counters.rx_ignored;

    (void)link_put_time_reply(&reply, payload);
    slip_in(LINK_TIME_REPLY, peer(), payload, sizeof payload); /* a second answer to the same */
    reply.id += 100;
    (void)link_put_time_reply(&reply, payload);
    slip_in(LINK_TIME_REPLY, peer(), payload, sizeof payload);
    CHECK(node->counters.rx_ignored == ignored + 2 && node->clock.taken == taken);
}

static void actuators_that_were_never_ordered_are_not_read_back(void)
{
    uint8_t payload[LINK_ACTUATORS_BYTES];

    open_up();
    uint64_t ignored = node->counters.rx_ignored;
    uint32_t heard = pair.node.seen.messages[LINK_ACTUATED];

    (void)link_put_actuators(&(struct link_actuators){.number = 1000}, payload);
    slip_in(LINK_ACTUATED, peer(), payload, sizeof payload);
    CHECK(node->counters.rx_ignored == ignored + 1);
    CHECK(pair.node.seen.messages[LINK_ACTUATED] == heard);
}

static void more_questions_than_there_is_room_for_answers_are_counted(void)
{
    uint8_t id[LINK_WORD_BYTES] = {1};
    uint8_t octets[8] = {1};

    open_up();
    for (uint32_t i = 0; i < LINK_SMALL_WAITING + 3; i++) {
        slip_in(LINK_TIME_REQUEST, peer(), id, sizeof id);
    }
    CHECK(node->counters.tx_refused == 3);
    uint64_t dropped = node->counters.tx_dropped;

    for (uint32_t i = 0; i < LINK_TESTS_WAITING + 2; i++) {
        slip_in(LINK_ECHO, peer(), octets, sizeof octets);
    }
    CHECK(node->counters.tx_dropped == dropped + 2);
    pair_settle(&pair);
    CHECK(pair.bench.seen.messages[LINK_ECHO_REPLY] == LINK_TESTS_WAITING);
    CHECK(pair_is_up(&pair) && node->outbox.small_count == 0);
}

static void commands_and_tests_of_other_types_or_too_long_are_refused(void)
{
    static uint8_t octets[LINK_PAYLOAD_BYTES_MAX + 1];

    open_up();
    CHECK(link_session_post(node, LINK_ECHO, octets, 4) == HAL_E_RANGE);
    CHECK(link_session_post(node, LINK_SENSORS, octets, 4) == HAL_E_RANGE);
    CHECK(link_session_post(node, LINK_ACTUATED, octets, LINK_SMALL_BYTES_MAX + 1) == HAL_E_RANGE);
    CHECK(link_session_test(node, LINK_TELL, octets, 4) == HAL_E_RANGE);
    CHECK(link_session_test(node, LINK_ECHO, octets, sizeof octets) == HAL_E_RANGE);
    for (uint32_t i = 0; i < LINK_TESTS_WAITING; i++) {
        CHECK(link_session_test(node, LINK_ECHO, octets, LINK_PAYLOAD_BYTES_MAX) == HAL_OK);
    }
    uint64_t dropped = node->counters.tx_dropped;

    CHECK(link_session_test(node, LINK_ECHO, octets, 1) == HAL_E_BUSY);
    CHECK(node->counters.tx_dropped == dropped + 1);
}

static void a_peer_that_wants_short_chunks_gets_them(void)
{
    static const uint8_t FRAME[100] = {1, 2, 3};

    open_up();
    node->peer.payload_bytes_max = 40;
    CHECK(link_ring_push(&pair.node.tx, FRAME, sizeof FRAME));
    uint64_t messages = node->counters.tx_messages;

    pair_settle(&pair);
    CHECK(node->counters.tx_messages >= messages + 4); /* 28 octets each */
    CHECK(link_ring_count(&pair.bench.rx) == 1 && pair.bench.session.in.broken == 0);
    node->peer.payload_bytes_max = 0; /* absurd: an octet each */
    CHECK(link_ring_push(&pair.node.tx, FRAME, 3));
    pair_settle(&pair);
    CHECK(link_ring_count(&pair.bench.rx) == 2 && pair.bench.session.in.broken == 0);
}

static void a_peer_gone_before_the_owner_heard_of_it_was_never_there(void)
{
    struct link_event event;

    open_up();
    node->owed = 1u << LINK_EVENT_UP; /* as between two feeds */
    link_session_line_lost(node, pair.now_ns);
    CHECK(node->owed == 0 && !link_session_hand_out(node, &event));
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_refusal_meant_for_somebody_else_changes_nothing),
        PROMISE(a_hello_without_a_session_is_none),
        PROMISE(an_answer_about_time_that_was_not_asked_for_is_ignored),
        PROMISE(actuators_that_were_never_ordered_are_not_read_back),
        PROMISE(more_questions_than_there_is_room_for_answers_are_counted),
        PROMISE(commands_and_tests_of_other_types_or_too_long_are_refused),
        PROMISE(a_peer_that_wants_short_chunks_gets_them),
        PROMISE(a_peer_gone_before_the_owner_heard_of_it_was_never_there),
    };

    KEEP(PROMISES);
    return 0;
}
