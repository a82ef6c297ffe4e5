/* What flows over the bench link once it is up: actuators, ticks, frames, records, tests; in which
 * order, with which bounds, and what a lossy line does to it. */
#include "hal.h"
#include "link_pair.h"

static struct pair pair;

static struct link_session *node(void)
{
    return &pair.node.session;
}

static struct link_session *bench(void)
{
    return &pair.bench.session;
}

static void open_up(uint8_t mode)
{
    pair_open(&pair, mode);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
    pair.node.seen.ordered = pair.bench.seen.ordered = 0;
}

static uint64_t node_ns(void)
{
    return pair.now_ns + (uint64_t)pair.node.clock_ns;
}

static struct link_actuators last_actuators(void)
{
    struct link_actuators told;

    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] > 0);
    link_get_actuators(pair.bench.seen.last[LINK_ACTUATORS], &told);
    return told;
}

static void read_back(struct link_actuators told)
{
    uint8_t payload[LINK_ACTUATORS_BYTES];

    (void)link_put_actuators(&told, payload);
    CHECK(link_session_post(bench(), LINK_ACTUATED, payload, sizeof payload) == HAL_OK);
}

static void actuators_are_repeated_until_they_are_read_back_and_no_longer(void)
{
    struct link_actuators wanted = {.payload_level = 2, .target_id = 7, .watchdog_kicks = 1};

    open_up(LINK_MODE_FREE_RUN);
    link_session_set_actuators(node(), &wanted, node_ns());
    pair_settle(&pair);
    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] == 1);
    CHECK(last_actuators().number == 1 && last_actuators().payload_level == 2);
    pair_run(&pair, 5 * (uint64_t)LINK_ACTUATORS_RETRY_NS + 1);
    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] == 6 && last_actuators().number == 1);
    read_back(last_actuators());
    pair_run(&pair, 3000000000);
    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] == 6);
    CHECK(pair.node.seen.messages[LINK_ACTUATED] == 1);
}

static void the_same_value_again_is_no_change_and_a_change_has_the_next_number(void)
{
    struct link_actuators wanted = {.heater_on = 1};

    open_up(LINK_MODE_FREE_RUN);
    for (uint32_t i = 0; i < 3; i++) {
        link_session_set_actuators(node(), &wanted, node_ns());
        pair_settle(&pair);
    }
    CHECK(last_actuators().number == 1);
    wanted.heater_on = 0;
    link_session_set_actuators(node(), &wanted, node_ns());
    pair_settle(&pair);
    CHECK(last_actuators().number == 2);
    /* An answer to the older one leaves the newer one open. */
    wanted.number = 1;
    read_back(wanted);
    pair_run(&pair, 2 * (uint64_t)LINK_ACTUATORS_RETRY_NS);
    CHECK(pair.bench.seen.messages[LINK_ACTUATORS] >= 3);
    /* An answer to one that was never given is ignored. */
    wanted.number = 3;
    read_back(wanted);
    pair_settle(&pair);
    CHECK(node()->counters.rx_ignored == 1 && node()->actuated_number == 1);
}

static void grant(uint64_t tick)
{
    struct link_sensors sensors = {.tick = tick};
    struct link_grant grant = {.tick = tick, .until_ns = tick * 1000, .utc_ns = -5};

    CHECK(link_session_show_sensors(bench(), &sensors) == HAL_OK);
    CHECK(link_session_grant(bench(), &grant) == HAL_OK);
}

static void a_grant_comes_after_all_of_its_tick_and_done_after_all_of_its_own(void)
{
    static const uint8_t TO_NODE[] = {LINK_ACTUATED, LINK_SENSORS, LINK_CREDIT, LINK_GRANT};
    static const uint8_t TO_BENCH[] = {LINK_REG_READ, LINK_ACTUATORS, LINK_TELL, LINK_DONE};
    struct link_actuators wanted = {.tick = 1};
    uint8_t payload[LINK_REG_READ_BYTES] = {0};
    uint8_t frame[PAIR_FRAME_BYTES] = {9};

    open_up(LINK_MODE_LOCK_STEP);
    grant(1);
    CHECK(link_ring_push(&pair.bench.tx, frame, sizeof frame));
    read_back((struct link_actuators){0});
    link_session_tell_light(bench(), &(struct link_credit){.frames_by_light = 3}, pair.now_ns);
    pair_settle(&pair);
    CHECK(pair.node.seen.ordered == sizeof TO_NODE);
    CHECK(memcmp(pair.node.seen.order, TO_NODE, sizeof TO_NODE) == 0);
    CHECK(link_ring_count(&pair.node.rx) == 1);
    link_session_set_actuators(node(), &wanted, node_ns());
    CHECK(link_session_tick_done(node(), 1) == HAL_OK);
    CHECK(link_ring_push(&pair.node.tx, frame, sizeof frame));
    CHECK(link_ring_push(&pair.node.records, frame, 10));
    CHECK(link_session_post(node(), LINK_REG_READ, payload, sizeof payload) == HAL_OK);
    pair_settle(&pair);
    CHECK(pair.bench.seen.ordered == sizeof TO_BENCH);
    CHECK(memcmp(pair.bench.seen.order, TO_BENCH, sizeof TO_BENCH) == 0);
    CHECK(link_ring_count(&pair.bench.rx) == 1);
    struct link_done done;

    link_get_done(pair.bench.seen.last[LINK_DONE], &done);
    CHECK(done.tick == 1 && done.actuators_number == 1 && done.frames_sent == 1);
}

static void a_tick_is_granted_once_and_done_again_when_it_is_asked_again(void)
{
    open_up(LINK_MODE_LOCK_STEP);
    grant(1);
    pair_settle(&pair);
    grant(1); /* the bench had no answer yet */
    pair_settle(&pair);
    CHECK(pair.node.seen.messages[LINK_GRANT] == 1);
    CHECK(link_session_tick_done(node(), 2) == HAL_E_STATE);
    CHECK(link_session_tick_done(node(), 1) == HAL_OK);
    pair.bench.deaf = 1;
    pair_settle(&pair);
    pair.bench.deaf = 0;
    CHECK(pair.bench.seen.messages[LINK_DONE] == 0);
    grant(1);
    pair_settle(&pair);
    CHECK(pair.bench.seen.messages[LINK_DONE] == 1);
    CHECK(pair.node.seen.messages[LINK_GRANT] == 1);
    grant(2);
    pair_settle(&pair);
    CHECK(pair.node.seen.messages[LINK_GRANT] == 2);
}

static void a_grant_without_its_sensors_waits_for_both(void)
{
    struct link_grant alone = {.tick = 4};

    open_up(LINK_MODE_LOCK_STEP);
    CHECK(link_session_grant(bench(), &alone) == HAL_OK);
    pair_settle(&pair);
    CHECK(pair.node.seen.messages[LINK_GRANT] == 0 && node()->counters.grants_early == 1);
    grant(4);
    pair_settle(&pair);
    CHECK(pair.node.seen.messages[LINK_GRANT] == 1);
}

static void only_the_newest_sensors_are_sent_and_the_others_counted(void)
{
    struct link_sensors sensors = {0};
    struct link_sensors shown;

    open_up(LINK_MODE_FREE_RUN);
    for (int32_t i = 1; i <= 5; i++) {
        sensors.sensors.bus_mw = i;
        CHECK(link_session_show_sensors(bench(), &sensors) == HAL_OK);
    }
    pair_settle(&pair);
    CHECK(pair.node.seen.messages[LINK_SENSORS] == 1 && bench()->counters.tx_dropped == 4);
    link_get_sensors(pair.node.seen.last[LINK_SENSORS], &shown);
    CHECK(shown.sensors.bus_mw == 5);
}

static void sensors_later_than_one_and_a_half_periods_are_late(void)
{
    struct link_sensors sensors = {0};
    static const uint32_t GAPS_MS[] = {100, 149, 151, 100, 400};

    open_up(LINK_MODE_FREE_RUN);
    CHECK(link_session_show_sensors(bench(), &sensors) == HAL_OK);
    pair_settle(&pair);
    for (size_t i = 0; i < COUNT_OF(GAPS_MS); i++) {
        pair_run(&pair, GAPS_MS[i] * 1000000ull);
        CHECK(link_session_show_sensors(bench(), &sensors) == HAL_OK);
        pair_settle(&pair);
    }
    CHECK(node()->counters.late == 2);
}

/* A bulk of frames is on its way when a command is given: it goes next. */
static void what_is_urgent_overtakes_what_is_long(void)
{
    uint8_t frame[PAIR_FRAME_BYTES] = {1};
    uint8_t octets[LINK_WIRE_BYTES_MAX];
    uint8_t payload[LINK_REG_READ_BYTES] = {0};
    struct link_message message;
    static struct link_decoder decoder;
    uint32_t taken = 0;

    open_up(LINK_MODE_FREE_RUN);
    link_decoder_init(&decoder);
    for (uint32_t i = 0; i < PAIR_FRAMES; i++) {
        CHECK(link_ring_push(&pair.node.tx, frame, sizeof frame));
    }
    uint32_t bytes = link_session_drain(node(), node_ns(), octets, sizeof octets, 1);

    CHECK(link_decode(&decoder, octets, bytes, &taken, &message));
    CHECK(message.header.type == LINK_FRAME_CHUNK);
    CHECK(link_session_post(node(), LINK_REG_READ, payload, sizeof payload) == HAL_OK);
    bytes = link_session_drain(node(), node_ns(), octets, sizeof octets, 1);
    CHECK(link_decode(&decoder, octets, bytes, &taken, &message));
    CHECK(message.header.type == LINK_REG_READ);
}

static void a_full_command_queue_refuses_and_drops_nothing(void)
{
    uint8_t payload[LINK_REG_READ_BYTES] = {0};
    uint32_t taken = 0;

    open_up(LINK_MODE_FREE_RUN);
    while (link_session_post(node(), LINK_REG_READ, payload, sizeof payload) == HAL_OK) {
        taken++;
    }
    CHECK(taken == LINK_SMALL_WAITING && node()->counters.tx_refused == 1);
    pair_settle(&pair);
    CHECK(pair.bench.seen.messages[LINK_REG_READ] == taken);
    CHECK(link_session_post(node(), LINK_FRAME_CHUNK, payload, 8) == HAL_E_RANGE);
    CHECK(link_session_post(node(), LINK_REG_VALUES, payload, LINK_SMALL_BYTES_MAX + 1) ==
          HAL_E_RANGE);
}

static void an_echo_comes_back_and_a_bit_test_counts_bits(void)
{
    static uint8_t octets[LINK_PAYLOAD_BYTES_MAX];

    open_up(LINK_MODE_FREE_RUN);
    link_bit_test_fill(octets, sizeof octets);
    CHECK(link_session_test(bench(), LINK_ECHO, octets, sizeof octets) == HAL_OK);
    CHECK(link_session_test(bench(), LINK_BIT_TEST, octets, 1000) == HAL_OK);
    octets[0] ^= 1;
    CHECK(link_session_test(bench(), LINK_BIT_TEST, octets, 1000) == HAL_OK);
    octets[0] ^= 1;
    pair_settle(&pair);
    CHECK(pair.bench.seen.last_bytes[LINK_ECHO_REPLY] == sizeof octets);
    CHECK(memcmp(pair.bench.seen.last[LINK_ECHO_REPLY], octets, sizeof octets) == 0);
    CHECK(node()->counters.bits_tested == 16000 && node()->counters.bit_errors == 1);
    CHECK(link_session_test(bench(), LINK_TELL, octets, 5) == HAL_E_RANGE);
    CHECK(link_session_test(bench(), LINK_ECHO, octets, 1) == HAL_OK); /* the shortest, too */
    pair_settle(&pair);
    CHECK(pair.bench.seen.last_bytes[LINK_ECHO_REPLY] == 1);
    CHECK(pair.bench.seen.last[LINK_ECHO_REPLY][0] == octets[0]);
    uint64_t dropped = bench()->counters.tx_dropped;

    for (uint32_t i = 0; i < LINK_TESTS_WAITING; i++) {
        CHECK(link_session_test(bench(), LINK_ECHO, octets, 1) == HAL_OK);
    }
    CHECK(link_session_test(bench(), LINK_ECHO, octets, 1) == HAL_E_BUSY);
    CHECK(bench()->counters.tx_dropped == dropped + 1);
}

static void credit_for_a_frame_taken_is_told_within_its_delay(void)
{
    uint8_t frame[200] = {1};
    uint8_t back[PAIR_FRAME_BYTES];

    open_up(LINK_MODE_FREE_RUN);
    for (uint32_t i = 0; i < PAIR_FRAMES; i++) {
        CHECK(link_ring_push(&pair.bench.tx, frame, sizeof frame));
    }
    pair_settle(&pair);
    CHECK(link_frames_room(&bench()->out) == 0);
    CHECK(link_ring_pop(&pair.node.rx, back, sizeof back) == sizeof frame);
    pair_run(&pair, 3000000);
    CHECK(link_frames_room(&bench()->out) == 1);
}

/* Every message on the line is lost with one chance in four, for a long time. */
static void on_a_line_that_loses_a_quarter_everything_still_gets_through(void)
{
    uint32_t noise = 1;
    uint64_t done = 0;

    open_up(LINK_MODE_LOCK_STEP);
    for (uint64_t tick = 1; tick <= 200; tick++) {
        struct link_actuators wanted = {.payload_level = (uint32_t)tick, .tick = tick};
        uint32_t asked = 0;

        do {
            CHECK(asked++ < 100);
            noise = noise * 1664525u + 1013904223u;
            pair.node.deaf = (noise >> 28) % 4 == 0;
            pair.bench.deaf = (noise >> 24) % 4 == 0;
            grant(tick);
            pair_settle(&pair);
            if (node()->grant.tick == tick && node()->done.tick < tick) {
                link_session_set_actuators(node(), &wanted, node_ns());
                CHECK(link_session_tick_done(node(), tick) == HAL_OK);
            }
            pair_run(&pair, LINK_GRANT_RETRY_NS);
            if (pair.bench.seen.messages[LINK_ACTUATORS] > 0) {
                read_back(last_actuators());
            }
            if (pair.bench.seen.messages[LINK_DONE] > 0) {
                struct link_done told;

                link_get_done(pair.bench.seen.last[LINK_DONE], &told);
                done = told.actuators_number <= last_actuators().number ? told.tick : done;
            }
        } while (done < tick);
        CHECK(last_actuators().payload_level == tick);
    }
    CHECK(node()->counters.downs == 0 && pair.node.seen.messages[LINK_GRANT] == 200);
    CHECK(node()->rx[LINK_CHANNEL_CONTROL].lost > 20);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(actuators_are_repeated_until_they_are_read_back_and_no_longer),
        PROMISE(the_same_value_again_is_no_change_and_a_change_has_the_next_number),
        PROMISE(a_grant_comes_after_all_of_its_tick_and_done_after_all_of_its_own),
        PROMISE(a_tick_is_granted_once_and_done_again_when_it_is_asked_again),
        PROMISE(a_grant_without_its_sensors_waits_for_both),
        PROMISE(only_the_newest_sensors_are_sent_and_the_others_counted),
        PROMISE(sensors_later_than_one_and_a_half_periods_are_late),
        PROMISE(what_is_urgent_overtakes_what_is_long),
        PROMISE(a_full_command_queue_refuses_and_drops_nothing),
        PROMISE(an_echo_comes_back_and_a_bit_test_counts_bits),
        PROMISE(credit_for_a_frame_taken_is_told_within_its_delay),
        PROMISE(on_a_line_that_loses_a_quarter_everything_still_gets_through),
    };

    KEEP(PROMISES);
    return 0;
}
