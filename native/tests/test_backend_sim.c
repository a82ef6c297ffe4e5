/* Both ends of a "sim" device: the node's through hal.h, the bench's through backend_sim.h. */
#include "backend_sim.h"
#include "check.h"
#include "hal_backend.h"

#include <string.h>

struct node {
    struct hal dev;
    struct hal_config config;
    uint8_t *arena;
};

/* Opens a small device in an arena of exactly the bytes asked for, at an odd address. */
static void open_node(struct node *node)
{
    *node = (struct node){0};
    CHECK(hal_config_init(&node->config, "sim") == HAL_OK);
    node->config.tx_fifo_frames = 4;
    node->config.rx_fifo_frames = 3;
    node->config.max_frame_bytes = 101;
    int64_t arena_bytes = hal_arena_bytes(&node->config);

    CHECK(arena_bytes > 7 * 101);
    node->arena = malloc((size_t)arena_bytes + 1);
    CHECK(node->arena != NULL);
    memset(node->arena, 0xA5, (size_t)arena_bytes + 1);
    CHECK(hal_open(&node->dev, &node->config, node->arena + 1, (uint64_t)arena_bytes - 1) ==
          HAL_E_RANGE);
    CHECK(hal_open(&node->dev, &node->config, node->arena + 1, (uint64_t)arena_bytes) == HAL_OK);
    CHECK(hal_open(&node->dev, &node->config, node->arena + 1, (uint64_t)arena_bytes) ==
          HAL_E_STATE);
}

static void close_node(struct node *node)
{
    hal_close(&node->dev);
    free(node->arena);
}

static struct hal_frame look(struct node *node)
{
    struct hal_frame frame;

    CHECK(hal_snapshot(&node->dev, &frame) == HAL_OK);
    CHECK(hal_frame_check(&frame) == HAL_OK);
    return frame;
}

static void a_node_without_a_bench_is_at_rest(void)
{
    struct node node;

    open_node(&node);
    struct hal_frame first = look(&node);
    struct hal_frame second = look(&node);

    CHECK(first.valid == HAL_SENSOR_ALL);
    CHECK(first.t_ns > 0 && second.t_ns >= first.t_ns && first.utc_ns > 0);
    CHECK(first.seq == 1 && second.seq == 2);
    CHECK(first.sun_permille == 1000 && first.array_mw > first.bus_mw && first.battery_ma < 0);
    CHECK(first.tx_fifo_free == 4 && first.rx_pending == 0 && first.tx_frames_total == 0);
    CHECK(first.boot_count == 1 && first.payload_level == 0 && first.laser_on == 0);
    close_node(&node);
}

static void what_the_bench_writes_the_node_sees(void)
{
    struct node node;
    struct hal_sim_sensors s;

    open_node(&node);
    CHECK(hal_sim_attach(&node.dev) == HAL_OK);
    CHECK(look(&node).t_ns == 0);
    CHECK(hal_sim_read_sensors(&node.dev, &s) == HAL_OK);
    s.t_ns = 1000;
    s.utc_ns = -5;
    s.valid = HAL_SENSOR_ALL & ~(uint32_t)HAL_SENSOR_DIE_TEMP;
    s.battery_ma = INT32_MIN;
    s.term_flags = HAL_TERM_SYNC | HAL_TERM_TX;
    s.rx_power_mdbm = -31000;
    CHECK(hal_sim_write_sensors(&node.dev, &s) == HAL_OK);
    struct hal_frame frame = look(&node);

    CHECK(frame.t_ns == 1000 && frame.utc_ns == -5 && frame.battery_ma == INT32_MIN);
    CHECK((frame.valid & HAL_SENSOR_DIE_TEMP) == 0 && frame.rx_power_mdbm == -31000);
    CHECK(frame.term_flags == (HAL_TERM_SYNC | HAL_TERM_TX));
    CHECK(hal_sim_attach(&node.dev) == HAL_OK);
    CHECK(look(&node).t_ns == 1000);
    close_node(&node);
}

static void time_never_goes_back(void)
{
    struct node node;
    struct hal_sim_sensors s;

    open_node(&node);
    CHECK(hal_sim_attach(&node.dev) == HAL_OK);
    CHECK(hal_sim_set_time(&node.dev, 50, 7) == HAL_OK);
    CHECK(hal_sim_set_time(&node.dev, 49, 7) == HAL_E_RANGE);
    CHECK(hal_sim_read_sensors(&node.dev, &s) == HAL_OK);
    s.t_ns = 49;
    s.bus_mw = 1;
    CHECK(hal_sim_write_sensors(&node.dev, &s) == HAL_E_RANGE);
    CHECK(look(&node).t_ns == 50 && look(&node).bus_mw != 1);
    close_node(&node);
}

static void what_the_node_sets_the_bench_reads(void)
{
    struct node node;
    struct hal_sim_actuators told;

    open_node(&node);
    CHECK(hal_set_payload_level(&node.dev, 9) == 9);
    CHECK(hal_set_heater(&node.dev, 1) == 1);
    CHECK(hal_point_terminal(&node.dev, 301) == 301);
    CHECK(hal_set_laser(&node.dev, 1) == 1);
    CHECK(hal_kick_watchdog(&node.dev) == HAL_OK);
    CHECK(hal_sim_read_actuators(&node.dev, &told) == HAL_OK);
    CHECK(told.payload_level == 9 && told.heater_on == 1 && told.target_id == 301);
    CHECK(told.laser_on == 1 && told.watchdog_kicks == 1);
    struct hal_frame frame = look(&node);

    CHECK(frame.payload_level == 9 && frame.heater_on == 1 && frame.target_id == 301);
    CHECK(frame.laser_on == 1);
    close_node(&node);
}

static void a_stuck_actuator_reads_back_what_it_has(void)
{
    struct node node;
    struct hal_sim_sensors s;
    struct hal_counters counters;

    open_node(&node);
    CHECK(hal_set_laser(&node.dev, 1) == 1);
    CHECK(hal_sim_read_sensors(&node.dev, &s) == HAL_OK);
    s.stuck = HAL_SIM_LASER;
    CHECK(hal_sim_write_sensors(&node.dev, &s) == HAL_OK);
    CHECK(hal_set_laser(&node.dev, 0) == 1);
    CHECK(hal_set_heater(&node.dev, 1) == 1);
    CHECK(hal_read_counters(&node.dev, &counters) == HAL_OK);
    CHECK(counters.readback_differs == 1);
    close_node(&node);
}

static void frames_go_out_in_order_and_give_their_credit_back(void)
{
    struct node node;
    uint8_t out[4 * 101];
    uint32_t lengths[8];

    open_node(&node);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint8_t i = 0; i < 4; i++) {
            uint8_t frame[101];

            memset(frame, 16 * i + (int)round, sizeof frame);
            CHECK(hal_submit_frame(&node.dev, frame, 98u + i) == 3 - i);
        }
        CHECK(hal_submit_frame(&node.dev, out, 1) == HAL_E_BUSY);
        CHECK(look(&node).tx_fifo_free == 0);
        CHECK(hal_sim_drain_tx(&node.dev, out, sizeof out, lengths, 1) == 1);
        CHECK(lengths[0] == 98 && out[0] == round && out[97] == round);
        /* Room for one and a half: one is taken, the other stays. */
        CHECK(hal_sim_drain_tx(&node.dev, out, 150, lengths, 8) == 1);
        CHECK(hal_sim_drain_tx(&node.dev, out, sizeof out, lengths, 8) == 2);
        CHECK(lengths[0] == 100 && lengths[1] == 101 && out[100] == 48 + round);
        CHECK(look(&node).tx_fifo_free == 4);
    }
    CHECK(look(&node).tx_frames_total == 20);
    CHECK(hal_sim_drain_tx(&node.dev, out, sizeof out, lengths, 8) == 0);
    CHECK(hal_sim_drain_tx(&node.dev, out, sizeof out, NULL, 8) == HAL_E_RANGE);
    close_node(&node);
}

static void received_frames_wait_and_the_one_too_many_is_counted(void)
{
    struct node node;
    struct hal_counters counters;
    uint8_t buffer[101];
    const uint8_t frame[5] = {1, 2, 3, 4, 5};

    open_node(&node);
    CHECK(hal_receive_frame(&node.dev, buffer, sizeof buffer) == 0);
    for (int32_t i = 1; i <= 3; i++) {
        CHECK(hal_sim_push_rx(&node.dev, frame, (uint32_t)i) == i);
    }
    CHECK(hal_sim_push_rx(&node.dev, frame, 4) == HAL_E_BUSY);
    CHECK(hal_sim_push_rx(&node.dev, frame, 0) == HAL_E_RANGE);
    CHECK(hal_sim_push_rx(&node.dev, frame, 102) == HAL_E_RANGE);
    CHECK(look(&node).rx_pending == 3);
    CHECK(hal_receive_frame(&node.dev, buffer, 0) == HAL_E_RANGE);
    for (int32_t i = 1; i <= 3; i++) {
        CHECK(hal_receive_frame(&node.dev, buffer, sizeof buffer) == i);
        CHECK(memcmp(buffer, frame, (size_t)i) == 0);
    }
    CHECK(hal_read_counters(&node.dev, &counters) == HAL_OK);
    CHECK(counters.rx_overflow == 1 && counters.rx_delivered == 3 && counters.rx_too_long == 1);
    close_node(&node);
}

static void a_call_made_to_fail_fails_until_it_is_healed(void)
{
    struct node node;
    struct hal_frame frame;
    uint8_t byte = 0;

    open_node(&node);
    CHECK(hal_sim_fail(&node.dev, 0xFF, HAL_OK) == HAL_E_RANGE);
    CHECK(hal_sim_fail(&node.dev, 0xFF, HAL_E_INHIBITED - 1) == HAL_E_RANGE);
    CHECK(hal_sim_fail(&node.dev, 0xFF, HAL_E_TIMEOUT) == HAL_OK);
    CHECK(hal_snapshot(&node.dev, &frame) == HAL_E_TIMEOUT);
    CHECK(hal_set_payload_level(&node.dev, 1) == HAL_E_TIMEOUT);
    CHECK(hal_set_heater(&node.dev, 1) == HAL_E_TIMEOUT);
    CHECK(hal_point_terminal(&node.dev, 1) == HAL_E_TIMEOUT);
    CHECK(hal_set_laser(&node.dev, 1) == HAL_E_TIMEOUT);
    CHECK(hal_submit_frame(&node.dev, &byte, 1) == HAL_E_TIMEOUT);
    CHECK(hal_receive_frame(&node.dev, &byte, 1) == HAL_E_TIMEOUT);
    CHECK(hal_kick_watchdog(&node.dev) == HAL_E_TIMEOUT);
    CHECK(hal_sim_fail(&node.dev, HAL_SIM_CALL_LASER, HAL_E_IO) == HAL_OK);
    frame = look(&node);
    CHECK(frame.payload_level == 0 && frame.heater_on == 0 && frame.tx_fifo_free == 4);
    CHECK(hal_set_laser(&node.dev, 1) == HAL_E_IO);
    CHECK(hal_sim_fail(&node.dev, 0, HAL_E_IO) == HAL_OK);
    CHECK(hal_set_laser(&node.dev, 1) == 1);
    close_node(&node);
}

static void a_reset_switches_off_and_counts_what_it_lost(void)
{
    struct node node;
    struct hal_counters counters;
    const uint8_t frame[3] = {0};

    open_node(&node);
    CHECK(hal_set_laser(&node.dev, 1) == 1);
    CHECK(hal_point_terminal(&node.dev, 4) == 4);
    CHECK(hal_set_payload_busy(&node.dev, 700) == 700 && look(&node).payload_busy_permille == 700);
    CHECK(hal_submit_frame(&node.dev, frame, 3) == 3);
    CHECK(hal_submit_frame(&node.dev, frame, 3) == 2);
    CHECK(hal_sim_push_rx(&node.dev, frame, 3) == 1);
    CHECK(hal_sim_reset(&node.dev, HAL_RESET_WATCHDOG) == HAL_OK);
    struct hal_frame seen = look(&node);

    CHECK(seen.laser_on == 0 && seen.target_id == 0 && seen.tx_fifo_free == 4);
    CHECK(seen.payload_busy_permille == 0);
    CHECK(seen.rx_pending == 0 && seen.boot_count == 2 && seen.reset_cause == HAL_RESET_WATCHDOG);
    CHECK(hal_read_counters(&node.dev, &counters) == HAL_OK);
    CHECK(counters.tx_flushed == 2 && counters.rx_flushed == 1);
    close_node(&node);
}

static void the_bench_refuses_what_is_not_its_own(void)
{
    static const struct hal_api OTHER = {.name = "other"};
    struct hal closed = {0};
    struct hal other = {.api = &OTHER};
    struct hal_sim_sensors sensors = {0};
    struct hal_sim_actuators actuators;
    uint8_t byte = 0;
    uint32_t length;

    CHECK(hal_sim_attach(&other) == HAL_E_UNSUPPORTED);
    CHECK(hal_sim_attach(&closed) == HAL_E_STATE);
    CHECK(hal_sim_write_sensors(&other, &sensors) == HAL_E_UNSUPPORTED);
    CHECK(hal_sim_read_sensors(&closed, &sensors) == HAL_E_STATE);
    CHECK(hal_sim_read_sensors(&closed, NULL) == HAL_E_RANGE);
    CHECK(hal_sim_set_time(&closed, 0, 0) == HAL_E_STATE);
    CHECK(hal_sim_read_actuators(&closed, &actuators) == HAL_E_STATE);
    CHECK(hal_sim_drain_tx(&closed, &byte, 1, &length, 1) == HAL_E_STATE);
    CHECK(hal_sim_push_rx(&closed, &byte, 1) == HAL_E_STATE);
    CHECK(hal_sim_fail(&closed, 0, HAL_E_IO) == HAL_E_STATE);
    CHECK(hal_sim_reset(&other, 0) == HAL_E_UNSUPPORTED);
    CHECK(hal_sim_reset(NULL, 0) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_node_without_a_bench_is_at_rest),
        PROMISE(what_the_bench_writes_the_node_sees),
        PROMISE(time_never_goes_back),
        PROMISE(what_the_node_sets_the_bench_reads),
        PROMISE(a_stuck_actuator_reads_back_what_it_has),
        PROMISE(frames_go_out_in_order_and_give_their_credit_back),
        PROMISE(received_frames_wait_and_the_one_too_many_is_counted),
        PROMISE(a_call_made_to_fail_fails_until_it_is_healed),
        PROMISE(a_reset_switches_off_and_counts_what_it_lost),
        PROMISE(the_bench_refuses_what_is_not_its_own),
    };

    KEEP(PROMISES);
    return 0;
}
