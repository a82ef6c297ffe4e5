/* The backend "link" on a socket, against a bench in C at the far end. */
#define _GNU_SOURCE
#include "guard.h"
#include "guard_plan.h"
#include "hal_wake.h"
#include "link_stage.h"

static int lines[2];

static void open_device(uint8_t mode)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) == 0);
    stage_config(mode);
    link_config.fd = lines[0];
    CHECK(stage_open() == HAL_OK);
    far_open(far, lines[1], mode);
}

static void close_device(void)
{
    stage_close();
    CHECK(fcntl(lines[0], F_GETFD) == -1 && errno == EBADF); /* taken over, and closed */
    CHECK(close(lines[1]) == 0);
}

static void open_up(uint8_t mode)
{
    open_device(mode);
    stage_meet();
}

static void before_a_bench_is_there_time_runs_and_nothing_is_valid(void)
{
    open_device(LINK_MODE_FREE_RUN);
    uint64_t t_ns = snapshot()->t_ns;

    CHECK(t_ns > 0 && frame.utc_ns > 0);
    CHECK(frame.valid == (HAL_SENSOR_TX_FIFO | HAL_SENSOR_RX_PENDING));
    CHECK(frame.tx_fifo_free == 0 && frame.rx_pending == 0);
    CHECK(snapshot()->t_ns >= t_ns && frame.seq == 2);
    CHECK(hal_set_payload_level(&dev, 3) == 3); /* for whoever comes */
    CHECK(hal_kick_watchdog(&dev) == HAL_E_IO);
    CHECK(hal_submit_frame(&dev, (const uint8_t *)"x", 1) == HAL_E_BUSY);
    CHECK(phase() == HAL_LINK_WAITING && status.line_open == 1 && status.delay_ns == -1);
    FAR_UNTIL(far, far->told.payload_level == 3);
    close_device();
}

static void what_the_bench_shows_is_what_the_node_sees(void)
{
    open_up(LINK_MODE_FREE_RUN);
    far->sensors.sensors.battery_ma = -1234;
    far->sensors.sensors.term_mdegc = INT32_MIN;
    far->sensors.sensors.valid = HAL_SENSOR_ALL & ~(uint32_t)HAL_SENSOR_DIE_TEMP;
    far->sensors.sensors.utc_ns = 1750000000000000000;
    far->sensors.estimated = HAL_SENSOR_BUS;
    far_show(far);
    FAR_UNTIL(far, snapshot()->battery_ma == -1234);
    CHECK(frame.term_mdegc == INT32_MIN && frame.estimated == HAL_SENSOR_BUS);
    CHECK(frame.valid == (HAL_SENSOR_ALL & ~(uint32_t)HAL_SENSOR_DIE_TEMP));
    CHECK(frame.utc_ns >= 1750000000000000000 && frame.boot_count == 1);
    CHECK(phase() == HAL_LINK_UP && status.sensors_seen >= 2 &&
          status.peer_role == LINK_ROLE_BENCH);
    close_device();
}

static void throttle_bits_are_latched_even_between_two_snapshots(void)
{
    open_up(LINK_MODE_FREE_RUN);
    far->sensors.throttle_live = HAL_THROTTLE_THERMAL;
    far_show(far);
    far->sensors.throttle_live = 0;
    far_show(far);
    far->sensors.sensors.bus_mw = 77;
    far_show(far);
    FAR_UNTIL(far, snapshot()->bus_mw == 77);
    CHECK(frame.throttle_live == 0 && frame.throttle_latched == HAL_THROTTLE_THERMAL);
    CHECK(hal_clear_throttle(&dev) == HAL_OK && snapshot()->throttle_latched == 0);
    close_device();
}

static void setters_return_what_was_asked_and_the_read_back_follows(void)
{
    open_up(LINK_MODE_FREE_RUN);
    CHECK(hal_set_payload_level(&dev, 7) == 7);
    CHECK(hal_set_heater(&dev, 1) == 1);
    CHECK(hal_point_terminal(&dev, 65535) == 65535);
    CHECK(hal_set_laser(&dev, 1) == 1);
    CHECK(hal_set_payload_busy(&dev, 500) == 500);
    CHECK(hal_kick_watchdog(&dev) == HAL_OK);
    FAR_UNTIL(far, far->told.watchdog_kicks == 1);
    CHECK(far->told.payload_level == 7 && far->told.heater_on == 1 && far->told.laser_on == 1);
    CHECK(far->told.target_id == 65535 && far->told.payload_busy_permille == 500);
    FAR_UNTIL(far, snapshot()->laser_on == 1);
    CHECK(frame.payload_level == 7 && frame.target_id == 65535 && frame.heater_on == 1);
    CHECK(frame.payload_busy_permille == 500 && dev.counters.readback_differs == 0);
    close_device();
}

static void a_stuck_actuator_tells_by_its_read_back_and_is_asked_again(void)
{
    open_up(LINK_MODE_FREE_RUN);
    far->stuck_level = 1;
    CHECK(hal_set_payload_level(&dev, 5) == 5);
    FAR_UNTIL(far, snapshot()->valid == HAL_SENSOR_ALL && dev.counters.readback_differs == 1);
    CHECK(frame.payload_level == 0);
    CHECK(hal_set_heater(&dev, 1) == 1);
    FAR_UNTIL(far, snapshot()->heater_on == 1);
    CHECK(dev.counters.readback_differs == 1); /* nobody asked for the level again */
    far->stuck_level = 0;
    CHECK(hal_set_payload_level(&dev, 5) == 5);
    FAR_UNTIL(far, snapshot()->payload_level == 5);
    CHECK(dev.counters.readback_differs == 1);
    close_device();
}

static void one_frame_a_credit_in_both_directions_to_the_longest(void)
{
    static uint8_t longest[HAL_FRAME_BYTES_MAX];
    static uint8_t back[HAL_FRAME_BYTES_MAX];

    for (uint32_t i = 0; i < sizeof longest; i++) {
        longest[i] = (uint8_t)(i * 7 + i / 251);
    }
    open_up(LINK_MODE_FREE_RUN);
    for (int32_t i = 0; i < FAR_FRAMES; i++) {
        CHECK(hal_submit_frame(&dev, longest, sizeof longest) == FAR_FRAMES - 1 - i);
    }
    CHECK(hal_submit_frame(&dev, longest, 1) == HAL_E_BUSY);
    CHECK(snapshot()->tx_fifo_free == 0);
    FAR_UNTIL(far, link_ring_count(&far->rx) == FAR_FRAMES);
    CHECK(link_ring_pop(&far->rx, back, sizeof back) == sizeof longest);
    CHECK(memcmp(back, longest, sizeof longest) == 0);
    link_session_tell_light(&far->session, &(struct link_credit){.frames_by_light = 1},
                            tick_monotonic_ns());
    FAR_UNTIL(far, snapshot()->tx_fifo_free == 1 && frame.tx_frames_total == 1);
    struct pollfd frames = {.fd = hal_receive_fd(&dev), .events = POLLIN};
    uint64_t signals = 0;

    CHECK(frames.fd >= 0 && poll(&frames, 1, 0) == 0);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(link_ring_push(&far->tx, longest, sizeof longest));
    }
    FAR_UNTIL(far, snapshot()->rx_pending == 3);
    for (uint64_t seen = 0; seen < 3; seen += signals) { /* one a frame, none more */
        CHECK(poll(&frames, 1, -1) == 1);
        CHECK(read(frames.fd, &signals, sizeof signals) == sizeof signals && seen + signals <= 3);
    }
    CHECK(poll(&frames, 1, 0) == 0);
    CHECK(link_frames_room(&far->session.out) == 0);
    CHECK(hal_receive_frame(&dev, back, 10) == HAL_E_RANGE);
    CHECK(hal_receive_frame(&dev, back, sizeof back) == sizeof longest);
    CHECK(memcmp(back, longest, sizeof longest) == 0);
    FAR_UNTIL(far, link_frames_room(&far->session.out) == 1);
    CHECK(hal_receive_frame(&dev, back, sizeof back) > 0);
    CHECK(hal_receive_frame(&dev, back, sizeof back) > 0);
    CHECK(hal_receive_frame(&dev, back, sizeof back) == 0);
    CHECK(dev.counters.rx_delivered == 3 && dev.counters.tx_accepted == FAR_FRAMES);
    close_device();
}

static void what_the_terminal_lost_is_in_the_counters(void)
{
    open_up(LINK_MODE_FREE_RUN);
    link_session_tell_light(&far->session,
                            &(struct link_credit){.frames_overflowed = 3, .frames_flushed = 2},
                            tick_monotonic_ns());
    FAR_UNTIL(far, snapshot()->seq > 0 && dev.counters.rx_overflow == 3);
    CHECK(dev.counters.tx_flushed == 2);
    close_device();
}

static void a_silent_bench_makes_the_sensors_invalid_and_comes_back(void)
{
    open_up(LINK_MODE_FREE_RUN);
    CHECK(hal_set_laser(&dev, 1) == 1);
    FAR_UNTIL(far, snapshot()->laser_on == 1);
    far->deaf = 1;
    FAR_UNTIL(far, phase() == HAL_LINK_DOWN);
    CHECK(snapshot()->valid == (HAL_SENSOR_TX_FIFO | HAL_SENSOR_RX_PENDING));
    CHECK(frame.tx_fifo_free == 0 && hal_kick_watchdog(&dev) == HAL_E_IO);
    CHECK(hal_set_payload_level(&dev, 2) == 2);
    far->deaf = 0;
    far->held = far->told = (struct link_actuators){0};
    FAR_UNTIL(far, far->told.payload_level == 2);
    CHECK(far->told.laser_on == 1); /* announced anew, all of it */
    far_show(far);
    FAR_UNTIL(far, snapshot()->valid == HAL_SENSOR_ALL);
    CHECK(phase() == HAL_LINK_UP && status.ups == 2 && status.downs == 1);
    close_device();
}

static void old_sensors_are_invalid_though_the_link_is_up(void)
{
    open_device(LINK_MODE_FREE_RUN);
    link_config.stale_ms = 1; /* read by every snapshot */
    FAR_UNTIL(far, phase() == HAL_LINK_UP && far->session.state == LINK_STATE_UP);
    far->sensors.sensors.bus_mw = 9;
    far_show(far);
    FAR_UNTIL(far, snapshot()->bus_mw == 9);
    FAR_UNTIL(far, snapshot()->valid == (HAL_SENSOR_TX_FIFO | HAL_SENSOR_RX_PENDING));
    CHECK(phase() == HAL_LINK_UP);
    close_device();
}

static void a_bench_that_restarts_is_found_again(void)
{
    open_up(LINK_MODE_FREE_RUN);
    uint32_t before = (uint32_t)(phase(), status.peer_session);

    far_open(far, lines[1], LINK_MODE_FREE_RUN);
    FAR_UNTIL(far, far->session.state == LINK_STATE_UP);
    far_show(far);
    FAR_UNTIL(far, snapshot()->valid == HAL_SENSOR_ALL);
    CHECK(phase() == HAL_LINK_UP && status.peer_session != before && status.ups == 2);
    close_device();
}

static void a_bench_of_the_other_mode_is_refused_with_the_reason(void)
{
    open_device(LINK_MODE_FREE_RUN);
    far_open(far, lines[1], LINK_MODE_LOCK_STEP);
    FAR_UNTIL(far, phase() == HAL_LINK_REFUSED);
    CHECK(status.refusal == LINK_REFUSED_MODE && status.ups == 0);
    FAR_UNTIL(far, far->session.refusal == LINK_REFUSED_MODE);
    close_device();
}

static void garbage_is_counted_and_harms_nothing(void)
{
    uint8_t garbage[5000];

    open_up(LINK_MODE_FREE_RUN);
    for (uint32_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (uint8_t)(i * i * 31 + i);
    }
    CHECK(write(lines[1], garbage, sizeof garbage) == sizeof garbage);
    CHECK(write(lines[1], "", 1) == 1);
    far->sensors.sensors.bus_mw = 4242;
    far_show(far);
    FAR_UNTIL(far, snapshot()->bus_mw == 4242);
    CHECK(phase() == HAL_LINK_UP && status.rx_corrupt > 10 && status.downs == 0);
    close_device();
}

static void when_the_power_is_gone_every_call_says_so(void)
{
    uint8_t cause[LINK_WORD_BYTES];
    uint8_t buffer[8];
    uint32_t value = 0;

    open_up(LINK_MODE_FREE_RUN);
    (void)link_put_word(&(struct link_word){HAL_RESET_WATCHDOG}, cause);
    CHECK(link_session_post(&far->session, LINK_NODE_RESET, cause, sizeof cause) == HAL_OK);
    FAR_UNTIL(far, phase() == HAL_LINK_RESET);
    CHECK(status.reset_cause == HAL_RESET_WATCHDOG && status.line_open == 0);
    CHECK(hal_snapshot(&dev, &frame) == HAL_E_NODEV);
    CHECK(hal_set_payload_level(&dev, 1) == HAL_E_NODEV && hal_set_laser(&dev, 1) == HAL_E_NODEV);
    CHECK(hal_set_payload_busy(&dev, 1) == HAL_E_NODEV && hal_kick_watchdog(&dev) == HAL_E_NODEV);
    CHECK(hal_submit_frame(&dev, buffer, 1) == HAL_E_NODEV);
    CHECK(hal_receive_frame(&dev, buffer, sizeof buffer) == HAL_E_NODEV);
    CHECK(hal_term_read(&dev, 0, 1, &value) == HAL_E_NODEV);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 1) == HAL_E_NODEV);
    CHECK(hal_link_done(&dev) == HAL_E_NODEV);
    close_device();
}

static void registers_are_read_and_written_at_the_far_end(void)
{
    uint32_t values[TERM_REG_COUNT] = {0};

    open_device(LINK_MODE_FREE_RUN);
    CHECK(hal_term_read(&dev, 0, 1, values) == HAL_E_STALE);
    far->registers[TERM_REG_MAGIC] = TERM_MAGIC;
    far->registers[TERM_REG_LASER_MDEGC] = (uint32_t)-5000;
    FAR_UNTIL(far, hal_term_read(&dev, 0, TERM_REG_COUNT, values) == HAL_OK);
    CHECK(values[TERM_REG_MAGIC] == TERM_MAGIC && (int32_t)values[TERM_REG_LASER_MDEGC] == -5000);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 321) == HAL_OK);
    FAR_UNTIL(far,
              hal_term_read(&dev, TERM_REG_SCAN_URAD, 1, values) == HAL_OK && values[0] == 321);
    CHECK(hal_term_write(&dev, TERM_REG_TARGET_ID, 9) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    FAR_UNTIL(far, far->told.target_id == 9 && far->told.laser_on == 1);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 1 && far->told.laser_on == 0);
    CHECK(hal_set_laser(&dev, 1) == 0); /* inhibited */
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 0);
    far->register_code = HAL_E_UNSUPPORTED;
    FAR_UNTIL(far, hal_term_read(&dev, 0, 1, values) == HAL_E_UNSUPPORTED);
    close_device();
}

static void writes_without_room_are_refused_and_those_never_answered_counted(void)
{
    uint32_t taken = 0;

    open_device(LINK_MODE_FREE_RUN); /* nobody is there to whom they could go */
    while (hal_term_write(&dev, TERM_REG_SCAN_URAD, taken) == HAL_OK) {
        taken++;
        CHECK(taken < 1000);
    }
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 1) == HAL_E_BUSY);
    CHECK(taken >= 16 && dev.counters.setters_failed >= 1);
    far->mute_registers = 1;
    FAR_UNTIL(far, phase() == HAL_LINK_UP && status.registers_failed == taken);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 1234) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_SCAN_URAD] == 1234);
    close_device();
}

static void the_guards_words_are_obeyed_by_the_threads_own_looking(void)
{
    open_up(LINK_MODE_FREE_RUN);
    CHECK(hal_set_payload_level(&dev, 4) == 4 && hal_set_laser(&dev, 1) == 1);
    FAR_UNTIL(far, snapshot()->laser_on == 1 && frame.payload_level == 4);
    static struct guard guard;
    struct guard_config watch = {.period_ns = GUARD_PERIOD_MIN, .limit_ticks = 1};

    CHECK(guard_init(&guard, &watch) == HAL_OK);
    CHECK(hal_attach_guard(&dev, &guard) == 3 && guard_arm(&guard) == HAL_OK);
    while (guard_watch(&guard, GUARD_THREAD, 0, dev.data, linux_syscalls_real()) == 0) {
    }
    FAR_UNTIL(far, far->told.payload_level == 0 && far->told.laser_on == 0);
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 1);
    CHECK(hal_set_laser(&dev, 1) == HAL_E_INHIBITED);
    close_device();
}

static void records_reach_the_bench_whole_and_in_order(void)
{
    uint8_t record[LINK_PAYLOAD_BYTES_MAX] = {0};

    open_device(LINK_MODE_FREE_RUN);
    CHECK(hal_link_tell(&dev, record, 1) == HAL_E_BUSY); /* nobody hears it */
    FAR_UNTIL(far, phase() == HAL_LINK_UP);
    for (uint32_t i = 1; i <= 20; i++) {
        record[0] = (uint8_t)i;
        CHECK(hal_link_tell(&dev, record, i < 20 ? i : sizeof record) == HAL_OK);
        FAR_UNTIL(far, far->records_heard == i);
        CHECK(far->record[0] == i && far->record_bytes == (i < 20 ? i : sizeof record));
    }
    CHECK(hal_link_tell(&dev, record, 0) == HAL_E_RANGE);
    CHECK(hal_link_tell(&dev, record, sizeof record + 1) == HAL_E_RANGE);
    CHECK(phase() == HAL_LINK_UP && status.records_told == 20 && status.records_refused == 1);
    close_device();
}

static void calls_of_a_link_are_refused_elsewhere(void)
{
    static uint8_t sim_arena[1 << 16];
    struct hal_config sim_config;
    struct hal sim = {0};
    struct hal_link_grant grant;

    CHECK(hal_link_read_status(NULL, &status) == HAL_E_RANGE);
    CHECK(hal_link_read_status(&sim, &status) == HAL_E_STATE);
    CHECK(hal_config_init(&sim_config, "sim") == HAL_OK);
    sim_config.max_frame_bytes = 100;
    CHECK(hal_open(&sim, &sim_config, sim_arena, sizeof sim_arena) == HAL_OK);
    CHECK(hal_link_read_status(&sim, &status) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_wake_fd(&sim) == HAL_E_UNSUPPORTED);
    CHECK(hal_receive_fd(&sim) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_done(&sim) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_tell(&sim, sim_arena, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_config_init(NULL) == HAL_E_RANGE);
    hal_close(&sim);
    open_device(LINK_MODE_FREE_RUN);
    CHECK(hal_link_take_grant(&dev, &grant) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_wait_grant(&dev, 0, &grant) == HAL_E_UNSUPPORTED);
    CHECK(hal_link_take_grant(&dev, NULL) == HAL_E_RANGE);
    close_device();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(before_a_bench_is_there_time_runs_and_nothing_is_valid),
        PROMISE(what_the_bench_shows_is_what_the_node_sees),
        PROMISE(throttle_bits_are_latched_even_between_two_snapshots),
        PROMISE(setters_return_what_was_asked_and_the_read_back_follows),
        PROMISE(a_stuck_actuator_tells_by_its_read_back_and_is_asked_again),
        PROMISE(one_frame_a_credit_in_both_directions_to_the_longest),
        PROMISE(what_the_terminal_lost_is_in_the_counters),
        PROMISE(a_silent_bench_makes_the_sensors_invalid_and_comes_back),
        PROMISE(old_sensors_are_invalid_though_the_link_is_up),
        PROMISE(a_bench_that_restarts_is_found_again),
        PROMISE(a_bench_of_the_other_mode_is_refused_with_the_reason),
        PROMISE(garbage_is_counted_and_harms_nothing),
        PROMISE(when_the_power_is_gone_every_call_says_so),
        PROMISE(registers_are_read_and_written_at_the_far_end),
        PROMISE(writes_without_room_are_refused_and_those_never_answered_counted),
        PROMISE(the_guards_words_are_obeyed_by_the_threads_own_looking),
        PROMISE(records_reach_the_bench_whole_and_in_order),
        PROMISE(calls_of_a_link_are_refused_elsewhere),
    };

    KEEP(PROMISES);
    return 0;
}
