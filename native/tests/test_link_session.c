/* Two ends of the bench link in virtual time: how they find, lose and refuse each other, what they
 * repeat, and what they say about time. */
#include "framer.h"
#include "hal.h"
#include "link_pair.h"

static struct pair pair;

static void open_up(uint8_t mode)
{
    pair_open(&pair, mode);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
}

static void two_ends_find_each_other_and_know_whom_they_found(void)
{
    open_up(LINK_MODE_FREE_RUN);
    CHECK(pair.node.seen.events[LINK_EVENT_UP] == 1 && pair.bench.seen.events[LINK_EVENT_UP] == 1);
    CHECK(pair.node.session.peer_session == pair.bench.session.own_session);
    CHECK(pair.bench.session.peer_session == pair.node.session.own_session);
    CHECK(pair.node.session.peer.role == LINK_ROLE_BENCH);
    CHECK(pair.bench.session.peer.role == LINK_ROLE_NODE);
    CHECK(pair.bench.session.peer.boot_count == 7);
    CHECK(pair.bench.session.peer.frames_credit == PAIR_FRAMES);
    CHECK(pair.bench.session.peer.schema_crc32c == link_schema_crc32c());
}

static void a_heartbeat_tells_how_long_its_sender_has_been_there(void)
{
    static struct link_session session;
    const uint64_t opened_ns = UINT64_C(7000000000);
    struct link_heartbeat heartbeat;

    open_up(LINK_MODE_FREE_RUN);
    link_session_init(&session, &pair.node.session.config, opened_ns);
    link_session_read_heartbeat(&session, opened_ns + 1500000000u, &heartbeat);
    CHECK(heartbeat.uptime_ms == 1500);
    CHECK(heartbeat.rx_corrupt == 0 && heartbeat.rx_lost == 0 && heartbeat.rx_stale == 0);
}

static void a_stream_opens_with_two_zeros_and_hello_is_repeated(void)
{
    uint8_t octets[2 * LINK_WIRE_BYTES_MAX];
    struct link_event event;
    struct pair_end *node = &pair.node;

    pair_open(&pair, LINK_MODE_FREE_RUN);
    uint64_t now = pair.now_ns + (uint64_t)node->clock_ns;
    uint32_t first = link_session_drain(&node->session, now, octets, sizeof octets, sizeof octets);

    CHECK(first > 2 && octets[0] == 0 && octets[1] == 0);
    CHECK(link_session_step(&node->session, now, &event) == now + LINK_HELLO_RETRY_NS);
    CHECK(!link_session_waiting(&node->session));
    now += LINK_HELLO_RETRY_NS;
    (void)link_session_step(&node->session, now, &event);
    CHECK(link_session_waiting(&node->session));
    CHECK(link_session_drain(&node->session, now, octets, sizeof octets, sizeof octets) ==
          first - 2);
}

static void no_peer_no_commands(void)
{
    struct link_sensors sensors = {0};
    struct link_grant grant = {.tick = 1};
    uint8_t payload[LINK_REG_READ_BYTES] = {0};

    pair_open(&pair, LINK_MODE_FREE_RUN);
    CHECK(link_session_post(&pair.node.session, LINK_REG_READ, payload, sizeof payload) ==
          HAL_E_STATE);
    CHECK(link_session_test(&pair.node.session, LINK_ECHO, payload, 8) == HAL_E_STATE);
    CHECK(link_session_show_sensors(&pair.bench.session, &sensors) == HAL_E_STATE);
    CHECK(link_session_grant(&pair.bench.session, &grant) == HAL_E_STATE);
    CHECK(link_session_tick_done(&pair.node.session, 1) == HAL_E_STATE);
    CHECK(link_frames_room(&pair.node.session.out) == 0);
}

static void three_missing_heartbeats_are_a_link_that_is_down_and_it_comes_back(void)
{
    uint32_t before = 0;

    open_up(LINK_MODE_FREE_RUN);
    before = pair.node.session.own_session;
    pair.node.deaf = pair.bench.deaf = 1;
    pair_run(&pair, (uint64_t)LINK_HEARTBEAT_NS * LINK_HEARTBEATS_LOST - 1000000);
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 0);
    pair_run(&pair, 2000000);
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 1);
    CHECK(pair.bench.seen.events[LINK_EVENT_DOWN] == 1);
    CHECK(pair.node.session.own_session != before);
    pair_run(&pair, 10000000000);
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 1);
    pair.node.deaf = pair.bench.deaf = 0;
    pair_run(&pair, LINK_HELLO_RETRY_NS);
    CHECK(pair_is_up(&pair) && pair.node.seen.events[LINK_EVENT_UP] == 2);
}

static void a_line_deaf_in_one_direction_is_down_on_both_ends(void)
{
    open_up(LINK_MODE_FREE_RUN);
    pair.node.deaf = 1;
    pair_run(&pair, (uint64_t)LINK_HEARTBEAT_NS * (LINK_HEARTBEATS_LOST + 1));
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 1);
    CHECK(pair.bench.seen.events[LINK_EVENT_DOWN] == 1);
    pair.node.deaf = 0;
    pair_run(&pair, LINK_HELLO_RETRY_NS);
    CHECK(pair_is_up(&pair));
}

static void heartbeats_keep_a_quiet_link_up_for_as_long_as_it_lasts(void)
{
    open_up(LINK_MODE_FREE_RUN);
    pair_run(&pair, 600000000000);
    CHECK(pair_is_up(&pair) && pair.node.session.counters.downs == 0);
    CHECK(pair.bench.session.peer_heartbeat.uptime_ms >= 599000);
    CHECK(pair.node.session.counters.tx_messages < 600 * 2 * 4 + 100);
    CHECK(pair.node.session.counters.rx_ignored == 0);
}

static void lock_step_bears_a_bench_that_computes(void)
{
    open_up(LINK_MODE_LOCK_STEP);
    pair.node.deaf = 1; /* the bench says nothing while it computes */
    pair_run(&pair, LINK_LOCK_STEP_SILENCE_NS - 2000000000);
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 0);
    pair_run(&pair, 3000000000);
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 1);
}

/* A process that dies and comes back, of either end, at any moment of the other's life. */
static void a_restart_of_the_peer_is_noticed_at_once_and_all_begins_anew(void)
{
    struct link_actuators wanted = {.payload_level = 3};

    open_up(LINK_MODE_FREE_RUN);
    link_session_set_actuators(&pair.node.session, &wanted, pair.now_ns);
    pair_run(&pair, 200000000);
    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] > 0);
    pair_open_end(&pair.bench, LINK_ROLE_BENCH, LINK_MODE_FREE_RUN, 99, pair.now_ns);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
    CHECK(pair.node.seen.events[LINK_EVENT_DOWN] == 1 && pair.node.seen.events[LINK_EVENT_UP] == 2);
    CHECK(pair.bench.seen.events[LINK_EVENT_DOWN] == 0);
    /* Announced anew, without anybody having set anything. */
    struct link_actuators told;

    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] == 1);
    link_get_actuators(pair.bench.seen.last[LINK_ACTUATORS], &told);
    CHECK(told.payload_level == 3);
    pair_open_end(&pair.node, LINK_ROLE_NODE, LINK_MODE_FREE_RUN, 98, pair.now_ns);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair) && pair.bench.seen.events[LINK_EVENT_DOWN] == 1);
    CHECK(pair.bench.session.rx[LINK_CHANNEL_CONTROL].lost == 0);
}

static void messages_of_an_older_session_are_dropped_and_counted(void)
{
    uint8_t old[LINK_WIRE_BYTES_MAX * 4];
    uint8_t payload[8] = {0};

    open_up(LINK_MODE_FREE_RUN);
    CHECK(link_session_test(&pair.bench.session, LINK_ECHO, payload, 8) == HAL_OK);
    uint32_t bytes =
        link_session_drain(&pair.bench.session, pair.now_ns, old, sizeof old, sizeof old);

    pair_open_end(&pair.bench, LINK_ROLE_BENCH, LINK_MODE_FREE_RUN, 55, pair.now_ns);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
    uint64_t foreign = pair.node.session.counters.rx_foreign;

    pair_feed(&pair.node, old, bytes, pair.now_ns + (uint64_t)pair.node.clock_ns);
    CHECK(pair.node.session.counters.rx_foreign == foreign + 1);
    CHECK(pair_is_up(&pair));
}

/* The answer to a start that is over must not be taken for the answer to the next one. */
static void a_late_answer_to_an_earlier_start_is_ignored(void)
{
    uint8_t first[LINK_WIRE_BYTES_MAX * 2];
    uint8_t late[LINK_WIRE_BYTES_MAX * 2];
    struct link_session *node = &pair.node.session;
    struct link_session *bench = &pair.bench.session;

    pair_open(&pair, LINK_MODE_FREE_RUN);
    uint32_t bytes = link_session_drain(node, pair.now_ns, first, sizeof first, sizeof first);

    pair_feed(&pair.bench, first, bytes, pair.now_ns);
    bytes = link_session_drain(bench, pair.now_ns, late, sizeof late, sizeof late);
    link_session_line_lost(node, pair.now_ns);
    pair_feed(&pair.node, late, bytes, pair.now_ns);
    CHECK(node->state != LINK_STATE_UP && node->counters.rx_ignored == 1);
    pair_run(&pair, LINK_HELLO_RETRY_NS);
    CHECK(pair_is_up(&pair));
}

static void a_line_cut_in_the_middle_of_a_message_starts_at_hello(void)
{
    open_up(LINK_MODE_FREE_RUN);
    for (uint32_t i = 1; i < 40; i++) {
        uint8_t octets[LINK_WIRE_BYTES_MAX];
        uint8_t payload[30] = {0};

        CHECK(link_session_test(&pair.bench.session, LINK_ECHO, payload, 30) == HAL_OK);
        uint32_t bytes =
            link_session_drain(&pair.bench.session, pair.now_ns, octets, sizeof octets, 1);

        pair_feed(&pair.node, octets, bytes - i % bytes,
                  pair.now_ns + (uint64_t)pair.node.clock_ns);
        link_session_line_lost(&pair.node.session, pair.now_ns + (uint64_t)pair.node.clock_ns);
        link_session_line_lost(&pair.bench.session, pair.now_ns);
        pair_settle(&pair);
        CHECK(pair_is_up(&pair));
        CHECK(pair.node.session.decoder.counters.corrupt == 0);
    }
}

static void check_refused(uint32_t reason)
{
    pair_run(&pair, 1000000000);
    CHECK(pair.node.session.state == LINK_STATE_REFUSED);
    CHECK(pair.bench.session.state == LINK_STATE_REFUSED);
    CHECK(pair.node.session.refusal == reason && pair.bench.session.refusal == reason);
    CHECK(pair.node.seen.events[LINK_EVENT_REFUSED] == 1);
    CHECK(pair.bench.seen.events[LINK_EVENT_REFUSED] == 1);
    CHECK(pair.node.seen.events[LINK_EVENT_UP] == 0);
}

static void two_that_do_not_fit_refuse_each_other_and_say_why(void)
{
    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair_open_end(&pair.bench, LINK_ROLE_BENCH, LINK_MODE_LOCK_STEP, 5, pair.now_ns);
    check_refused(LINK_REFUSED_MODE);
    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair_open_end(&pair.bench, LINK_ROLE_NODE, LINK_MODE_FREE_RUN, 5, pair.now_ns);
    check_refused(LINK_REFUSED_ROLE);
}

/* Hellos no session of ours would send, each with its own check value. */
static void greet(struct pair_end *end, uint8_t version, struct link_hello hello)
{
    uint8_t plain[LINK_MESSAGE_BYTES_MAX];
    uint8_t wire[LINK_WIRE_BYTES_MAX];
    uint8_t payload[LINK_HELLO_BYTES];
    struct link_header header = {
        .type = LINK_HELLO, .session = 77, .payload_bytes = LINK_HELLO_BYTES};

    (void)link_put_hello(&hello, payload);
    int32_t bytes = link_encode(&header, payload, wire);

    int32_t plain_bytes = link_cobs_decode(wire, (uint32_t)bytes - 1, plain, sizeof plain);

    plain[0] = version;
    uint32_t body = (uint32_t)plain_bytes - LINK_CRC_BYTES;
    struct link_word crc = {framer_crc32c(0, plain, body)};

    (void)link_put_word(&crc, plain + body);
    uint32_t coded = link_cobs_encode(plain, (uint32_t)plain_bytes, wire);

    wire[coded] = 0;
    pair_feed(end, wire, coded + 1, pair.now_ns + (uint64_t)end->clock_ns);
}

static void another_protocol_another_abi_another_layout_are_refused(void)
{
    struct link_hello fits = {
        .abi_version = HAL_ABI_VERSION,
        .schema_crc32c = link_schema_crc32c(),
        .role = LINK_ROLE_BENCH,
        .mode = LINK_MODE_FREE_RUN,
        .payload_bytes_max = LINK_PAYLOAD_BYTES_MAX,
    };
    struct link_hello other_abi = fits;
    struct link_hello other_schema = fits;

    other_abi.abi_version++;
    other_schema.schema_crc32c ^= 1;
    pair_open(&pair, LINK_MODE_FREE_RUN);
    greet(&pair.node, LINK_PROTOCOL_VERSION + 1, fits);
    CHECK(pair.node.session.refusal == LINK_REFUSED_PROTOCOL);
    greet(&pair.node, LINK_PROTOCOL_VERSION, other_abi);
    CHECK(pair.node.session.refusal == LINK_REFUSED_ABI);
    greet(&pair.node, LINK_PROTOCOL_VERSION, other_schema);
    CHECK(pair.node.session.refusal == LINK_REFUSED_SCHEMA);
    CHECK(pair.node.session.state == LINK_STATE_REFUSED);
    greet(&pair.node, LINK_PROTOCOL_VERSION, fits);
    CHECK(pair.node.session.state == LINK_STATE_KNOWN && pair.node.session.refusal == 0);
    /* Each refused one was told so. */
    CHECK((pair.node.session.waits & LINK_WAITS_REFUSE) != 0);
}

static void the_clocks_offset_is_found_and_its_uncertainty_told(void)
{
    struct link_clock_estimate estimate;

    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair.delay_ns = 200000;
    pair_run(&pair, 5000000000);
    link_clock_read(&pair.bench.session.clock, &estimate);
    int64_t error_ns = estimate.offset_ns - 5000000000;

    CHECK(estimate.delay_ns >= 400000 && estimate.delay_ns < 2000000);
    CHECK(error_ns <= estimate.uncertainty_ns && -error_ns <= estimate.uncertainty_ns);
    link_clock_read(&pair.node.session.clock, &estimate);
    CHECK(estimate.offset_ns < -4990000000);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(two_ends_find_each_other_and_know_whom_they_found),
        PROMISE(a_heartbeat_tells_how_long_its_sender_has_been_there),
        PROMISE(a_stream_opens_with_two_zeros_and_hello_is_repeated),
        PROMISE(no_peer_no_commands),
        PROMISE(three_missing_heartbeats_are_a_link_that_is_down_and_it_comes_back),
        PROMISE(a_line_deaf_in_one_direction_is_down_on_both_ends),
        PROMISE(heartbeats_keep_a_quiet_link_up_for_as_long_as_it_lasts),
        PROMISE(lock_step_bears_a_bench_that_computes),
        PROMISE(a_restart_of_the_peer_is_noticed_at_once_and_all_begins_anew),
        PROMISE(messages_of_an_older_session_are_dropped_and_counted),
        PROMISE(a_late_answer_to_an_earlier_start_is_ignored),
        PROMISE(a_line_cut_in_the_middle_of_a_message_starts_at_hello),
        PROMISE(two_that_do_not_fit_refuse_each_other_and_say_why),
        PROMISE(another_protocol_another_abi_another_layout_are_refused),
        PROMISE(the_clocks_offset_is_found_and_its_uncertainty_told),
    };

    KEEP(PROMISES);
    return 0;
}
