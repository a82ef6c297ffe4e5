/* The whole backend on fake boards: what is measured, estimated, unsupported; levels; trouble. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_boards.h"
#include "guard.h"
#include "hal_backend.h"

#define CAPS "sys/devices/system/cpu/cpufreq/"

struct bench {
    struct tree tree;
    struct hal_linux_config config;
    struct hal_config hal;
    struct hal dev;
    void *arena;
};

/* A level a row: 0 off, then rising. */
static void give_levels(struct hal_linux_config *config, uint32_t count, const uint32_t cpu_khz[],
                        const uint32_t gpu_khz[])
{
    config->level_count = count;
    for (uint32_t i = 0; i < count; i++) {
        config->levels[i] = (struct hal_linux_level){.cpu_khz_max = cpu_khz[i],
                                                     .gpu_khz_max = gpu_khz[i],
                                                     .idle_mw = 1000 * (i + 1),
                                                     .active_mw = 3000 * (i + 1)};
    }
}

static void bench_begin(struct bench *bench, void (*board)(const struct tree *))
{
    memset(bench, 0, sizeof *bench);
    bench->tree = tree_make();
    board(&bench->tree);
    board_config(&bench->tree, &bench->config);
    CHECK(hal_config_init(&bench->hal, "linux") == HAL_OK);
    bench->hal.backend_config = &bench->config;
}

static int32_t bench_open(struct bench *bench)
{
    int64_t bytes = hal_arena_bytes(&bench->hal);

    CHECK(bytes > 0);
    if (bench->arena == NULL) {
        bench->arena = malloc((size_t)bytes);
    }
    return hal_open(&bench->dev, &bench->hal, bench->arena, (uint64_t)bytes);
}

static void bench_end(struct bench *bench)
{
    hal_close(&bench->dev);
    free(bench->arena);
    tree_remove(&bench->tree);
}

static struct hal_frame snapshot(struct bench *bench)
{
    struct hal_frame frame;

    CHECK(hal_snapshot(&bench->dev, &frame) == HAL_OK);
    CHECK(hal_frame_check(&frame) == HAL_OK);
    return frame;
}

static struct hal_board board_of(struct bench *bench)
{
    struct hal_board board;

    CHECK(hal_read_board(&bench->dev, &board) == HAL_OK);
    return board;
}

static void a_pi_4_measures_no_power_and_says_so(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    CHECK(bench_open(&bench) == HAL_OK);
    struct hal_frame frame = snapshot(&bench);
    struct hal_board board = board_of(&bench);

    CHECK((frame.valid & HAL_SENSOR_DIE_TEMP) != 0 && frame.die_mdegc == 48199);
    CHECK((frame.valid & (HAL_SENSOR_PAYLOAD | HAL_SENSOR_BUS | HAL_SENSOR_ARRAY)) == 0);
    CHECK((frame.valid & (HAL_SENSOR_BATTERY_V | HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_TX_FIFO |
                          HAL_SENSOR_LASER_ON | HAL_SENSOR_HEATER_ON | HAL_SENSOR_BOOT_COUNT)) ==
          0);
    CHECK((frame.valid & HAL_SENSOR_THROTTLE) != 0 && frame.estimated == 0);
    CHECK(frame.reset_cause == HAL_RESET_UNKNOWN);
    CHECK(strcmp(board.model, "Raspberry Pi 4 Model B Rev 1.5") == 0);
    CHECK(board.zone_count == 1 && board.rail_count == 0 && board.policy_count == 1);
    CHECK(board.gpu.state == HAL_VALUE_UNSUPPORTED && board.fan_state == HAL_VALUE_UNSUPPORTED);
    CHECK(board.psi_state == HAL_VALUE_MEASURED && board.psi_cpu_permille == 10);
    CHECK(board.power_mode[0] == '\0' && board.throttle_state == HAL_VALUE_MEASURED);
    CHECK(board.policies[0].max_khz == 1800000 && board.policies[0].lowest_khz == 600000);
    bench_end(&bench);
}

static void a_jetson_measures_its_module_and_its_hottest_place(void)
{
    struct bench bench;

    bench_begin(&bench, board_orin_nano);
    CHECK(bench_open(&bench) == HAL_OK);
    struct hal_frame frame = snapshot(&bench);
    struct hal_board board = board_of(&bench);

    CHECK((frame.valid & HAL_SENSOR_PAYLOAD) != 0 && frame.payload_mw == 5000);
    CHECK(frame.estimated == 0 && frame.die_mdegc == 51562);
    CHECK(strcmp(board.power_mode, "15W") == 0 && board.rail_count == 3);
    CHECK(strcmp(board.zones[1].name, "gpu-thermal") == 0);
    CHECK(board.zones[1].state == HAL_VALUE_OFF && board.zones[1].mdegc == 0);
    CHECK(board.gpu.max_khz == 624750 && board.gpu.now_khz == 306000);
    CHECK(board.fan_rpm == 2975 && board.fan_permille == 294);
    CHECK(board.oc_events[2] == 0 && board.throttle_state == HAL_VALUE_MEASURED);
    bench_end(&bench);
}

static void a_level_caps_every_clock_and_closing_puts_all_back(void)
{
    struct bench bench;

    bench_begin(&bench, board_orin_nano);
    give_levels(&bench.config, 3, (const uint32_t[]){0, 1040000, 0},
                (const uint32_t[]){0, 408000, 0});
    bench.hal.payload_level_max = 2;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(snapshot(&bench).payload_level == 2); /* the caps grant the highest */
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1036800\n"));
    CHECK(tree_holds(&bench.tree, CAPS "policy4/scaling_max_freq", "1036800\n"));
    CHECK(tree_holds(&bench.tree, "sys/class/devfreq/17000000.gpu/max_freq", "408000000\n"));
    CHECK(snapshot(&bench).payload_level == 1);
    CHECK(hal_set_payload_level(&bench.dev, 0) == 0);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "729600\n"));
    CHECK(tree_holds(&bench.tree, "sys/class/devfreq/17000000.gpu/max_freq", "306000000\n"));
    CHECK(hal_set_payload_level(&bench.dev, 2) == 2);
    CHECK(tree_holds(&bench.tree, CAPS "policy4/scaling_max_freq", "1510400\n"));
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    CHECK(board_of(&bench).journal_entries == 6);
    hal_close(&bench.dev);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1510400\n"));
    CHECK(tree_holds(&bench.tree, "sys/class/devfreq/17000000.gpu/max_freq", "624750000\n"));
    CHECK(access(bench.config.journal, F_OK) != 0);
    bench_end(&bench);
}

static void power_without_a_sensor_is_estimated_from_the_level_and_its_use(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    give_levels(&bench.config, 3, (const uint32_t[]){0, 1000000, 0}, (const uint32_t[]){0, 0, 0});
    bench.hal.payload_level_max = 2;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    CHECK(hal_set_payload_busy(&bench.dev, 250) == 250);
    struct hal_frame frame = snapshot(&bench);

    CHECK((frame.valid & HAL_SENSOR_PAYLOAD) != 0 && frame.payload_mw == 3000); /* 2 W to 6 W */
    CHECK(frame.estimated == HAL_SENSOR_PAYLOAD && frame.payload_busy_permille == 250);
    bench_end(&bench);
}

static void roles_by_name_reach_the_frame(void)
{
    static const char *const LABELS[3] = {"array\n", "battery\n", "bus\n"};
    struct bench bench;

    bench_begin(&bench, board_pi4);
    board_ina3221(&bench.tree, "1-0041", 3, LABELS);
    tree_write(&bench.tree, "sys/bus/i2c/devices/1-0041/hwmon/hwmon3/curr2_input", "-650\n");
    board_zone(&bench.tree, 1, "plate\n", "-12000\n");
    strcpy(bench.config.roles[HAL_LINUX_ARRAY], "array");
    strcpy(bench.config.roles[HAL_LINUX_BATTERY], "battery");
    strcpy(bench.config.roles[HAL_LINUX_BUS], "bus");
    strcpy(bench.config.roles[HAL_LINUX_LASER], "bus");
    strcpy(bench.config.roles[HAL_LINUX_BATTERY_TEMP], "cpu-thermal");
    strcpy(bench.config.roles[HAL_LINUX_SINK_TEMP], "plate");
    strcpy(bench.config.roles[HAL_LINUX_RADIATOR_TEMP], "plate");
    strcpy(bench.config.roles[HAL_LINUX_TERM_TEMP], "plate");
    CHECK(bench_open(&bench) == HAL_OK);
    struct hal_frame frame = snapshot(&bench);

    CHECK(frame.array_mw == 5000 && frame.bus_mw == 5000 && frame.laser_mw == 5000);
    CHECK(frame.battery_mv == 5000 && frame.battery_ma == -650 && frame.battery_mdegc == 48199);
    CHECK(frame.sink_mdegc == -12000 && frame.radiator_mdegc == -12000 &&
          frame.term_mdegc == -12000);
    uint32_t bits = HAL_SENSOR_ARRAY | HAL_SENSOR_BUS | HAL_SENSOR_LASER | HAL_SENSOR_BATTERY_V |
                    HAL_SENSOR_BATTERY_I | HAL_SENSOR_BATTERY_TEMP | HAL_SENSOR_SINK_TEMP |
                    HAL_SENSOR_RADIATOR_TEMP | HAL_SENSOR_TERM_TEMP;

    CHECK((frame.valid & bits) == bits && frame.estimated == 0);
    bench_end(&bench);
}

static void what_is_forbidden_is_denied_and_costs_one_sensor(void)
{
    struct bench bench;
    struct trouble trouble = {.end = "thermal_zone0/temp", .open_error = EACCES};
    struct linux_syscalls sys = trouble_table(&trouble);

    bench_begin(&bench, board_orin_nano);
    bench.config.calls = &sys;
    CHECK(bench_open(&bench) == HAL_OK);
    struct hal_board board = board_of(&bench);

    CHECK(board.zones[0].state == HAL_VALUE_DENIED);
    CHECK(board.zones[2].state == HAL_VALUE_MEASURED && board.reads_failed > 0);
    CHECK((snapshot(&bench).valid & HAL_SENSOR_DIE_TEMP) != 0);
    bench_end(&bench);
}

static void a_sensor_that_fails_grows_stale_and_comes_back(void)
{
    struct bench bench;
    struct trouble trouble = {.end = NULL};
    struct linux_syscalls sys = trouble_table(&trouble);

    bench_begin(&bench, board_pi4);
    bench.config.calls = &sys;
    atomic_store(&trouble.now_ns, 1000000000);
    CHECK(bench_open(&bench) == HAL_OK);
    tree_vanish(&bench.tree, "sys/class/thermal/thermal_zone0/temp");
    atomic_store(&trouble.now_ns, 2000000000);
    CHECK((snapshot(&bench).valid & HAL_SENSOR_DIE_TEMP) != 0); /* one second old */
    atomic_store(&trouble.now_ns, 4000000000);
    CHECK((snapshot(&bench).valid & HAL_SENSOR_DIE_TEMP) == 0);
    CHECK(board_of(&bench).zones[0].state == HAL_VALUE_STALE);
    CHECK(board_of(&bench).zones[0].mdegc == 48199 && board_of(&bench).zones[0].t_ns != 0);
    tree_write(&bench.tree, "sys/class/thermal/thermal_zone0/temp", "50000\n");
    CHECK(snapshot(&bench).die_mdegc == 50000);
    CHECK((snapshot(&bench).valid & HAL_SENSOR_DIE_TEMP) != 0);
    bench_end(&bench);
}

static void throttle_bits_are_latched_until_they_are_cleared(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    CHECK(bench_open(&bench) == HAL_OK);
    tree_write(&bench.tree, "sys/bus/platform/devices/soc:firmware/get_throttled", "50005\n");
    CHECK(snapshot(&bench).throttle_live == (HAL_THROTTLE_UNDER_VOLTAGE | HAL_THROTTLE_THERMAL));
    tree_write(&bench.tree, "sys/bus/platform/devices/soc:firmware/get_throttled", "50000\n");
    struct hal_frame frame = snapshot(&bench);

    CHECK(frame.throttle_live == 0);
    CHECK(frame.throttle_latched == (HAL_THROTTLE_UNDER_VOLTAGE | HAL_THROTTLE_THERMAL));
    CHECK(hal_clear_throttle(&bench.dev) == HAL_OK);
    CHECK(snapshot(&bench).throttle_latched == 0 && board_of(&bench).throttle_latched == 0);
    bench_end(&bench);
}

static void without_a_durable_journal_nothing_is_set(void)
{
    struct bench bench;
    struct trouble trouble = {.end = NULL, .fsync_error = EIO};
    struct linux_syscalls sys = trouble_table(&trouble);

    bench_begin(&bench, board_pi4);
    give_levels(&bench.config, 2, (const uint32_t[]){0, 1000000}, (const uint32_t[]){0, 0});
    bench.hal.payload_level_max = 1;
    bench.config.calls = &sys;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_set_payload_level(&bench.dev, 1) == HAL_E_IO);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n"));
    CHECK(board_of(&bench).journal_failed == 4 && board_of(&bench).journal_entries == 0);
    trouble.fsync_error = 0;
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1000000\n"));
    CHECK(board_of(&bench).journal_entries == 2);
    struct hal_counters counters;

    CHECK(hal_read_counters(&bench.dev, &counters) == HAL_OK && counters.setters_failed == 1);
    bench_end(&bench);
}

/* A crash: the process is gone, the journal and the settings are there. */
static void crash(struct bench *bench)
{
    char text[4096];

    CHECK(hal_set_payload_level(&bench->dev, 1) == 1);
    tree_read(&bench->tree, "journal", text, sizeof text);
    hal_close(&bench->dev);
    tree_write(&bench->tree, "journal", text);
    tree_write(&bench->tree, CAPS "policy0/scaling_max_freq", "1000000\n");
}

static void after_a_crash_the_next_start_puts_back_first(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    give_levels(&bench.config, 2, (const uint32_t[]){0, 1000000}, (const uint32_t[]){0, 0});
    bench.hal.payload_level_max = 1;
    CHECK(bench_open(&bench) == HAL_OK);
    crash(&bench);
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n"));
    crash(&bench);
    CHECK(hal_linux_restore(&bench.config) == 2);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n"));
    CHECK(hal_linux_restore(&bench.config) == 0);
    CHECK(hal_linux_restore(NULL) == HAL_E_RANGE);
    bench.config.period_ms = 1;
    CHECK(hal_linux_restore(&bench.config) == HAL_E_RANGE);
    bench_end(&bench);
}

static void a_journal_that_cannot_be_put_back_is_not_written_over(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    give_levels(&bench.config, 2, (const uint32_t[]){0, 1000000}, (const uint32_t[]){0, 0});
    bench.hal.payload_level_max = 1;
    tree_write(&bench.tree, "journal", "somebody's letter\n");
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_set_payload_level(&bench.dev, 1) == HAL_E_CORRUPT);
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n"));
    bench_end(&bench);
}

struct lines {
    struct bench bench;
    struct fake_gpio gpio;
    struct trouble trouble;
    struct linux_syscalls sys;
};

static void lines_begin(struct lines *lines)
{
    memset(lines, 0, sizeof *lines);
    bench_begin(&lines->bench, board_pi4);
    tree_write(&lines->bench.tree, "dev/gpiochip0", "");
    lines->gpio.label = "pinctrl-bcm2711";
    lines->trouble.gpio = &lines->gpio;
    lines->sys = trouble_table(&lines->trouble);
    lines->bench.config.calls = &lines->sys;
    for (int i = 0; i < HAL_LINUX_LINES; i++) {
        strcpy(lines->bench.config.lines[i].chip, "pinctrl-bcm2711");
        lines->bench.config.lines[i].offset = (uint32_t)i + 2;
    }
}

static void switches_are_lines_that_are_read_back_and_let_go_safely(void)
{
    struct lines lines;

    lines_begin(&lines);
    CHECK(bench_open(&lines.bench) == HAL_OK);
    CHECK(lines.gpio.level[2] == 0 && lines.gpio.level[3] == 0 && lines.gpio.level[4] == 1);
    struct hal_frame frame = snapshot(&lines.bench);

    CHECK((frame.valid & HAL_SENSOR_HEATER_ON) != 0 && frame.heater_on == 0);
    CHECK(hal_set_heater(&lines.bench.dev, 1) == 1 && lines.gpio.level[2] == 1);
    CHECK(snapshot(&lines.bench).heater_on == 1);
    CHECK(hal_set_payload_level(&lines.bench.dev, 3) == 3 && lines.gpio.level[3] == 1);
    CHECK(hal_set_payload_level(&lines.bench.dev, 0) == 0 && lines.gpio.level[3] == 0);
    CHECK(snapshot(&lines.bench).payload_level == 0);
    CHECK(hal_set_laser(&lines.bench.dev, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_set_laser(&lines.bench.dev, 0) == 0 && lines.gpio.level[4] == 1);
    CHECK(hal_set_payload_level(&lines.bench.dev, 2) == 2);
    hal_close(&lines.bench.dev);
    CHECK(lines.gpio.level[2] == 0 && lines.gpio.level[3] == 0 && lines.gpio.level[4] == 1);
    CHECK(lines.gpio.requested[4] == 1); /* an inhibited laser is not put back */
    bench_end(&lines.bench);
}

static void a_terminal_on_a_serial_line_is_lit_past_the_inhibit_line(void)
{
    struct lines lines;
    const struct hal_terminal_config terminal = {.device = "build/no-such-terminal"};

    lines_begin(&lines);
    lines.bench.hal.terminal = &terminal;
    strcpy(lines.bench.config.roles[HAL_LINUX_TERM_TEMP], "cpu-thermal");
    CHECK(bench_open(&lines.bench) == HAL_OK);
    struct hal *dev = &lines.bench.dev;

    CHECK(dev->api->set_laser(dev, 1) == 1 && lines.gpio.level[4] == 0);
    CHECK(hal_set_laser(dev, 1) == HAL_E_TIMEOUT && lines.gpio.level[4] == 1);
    CHECK(hal_set_laser(dev, 0) == 0 && lines.gpio.level[4] == 1);
    struct hal_frame frame = snapshot(&lines.bench);

    CHECK((frame.valid & HAL_SENSOR_TX_FIFO) != 0 && frame.tx_fifo_free == 0);
    CHECK((frame.valid & (HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_LASER_ON)) == 0);
    CHECK((frame.valid & HAL_SENSOR_TERM_TEMP) != 0 && frame.term_mdegc == 48199);
    bench_end(&lines.bench);
}

static void a_stuck_line_tells_by_its_read_back(void)
{
    struct lines lines;

    lines_begin(&lines);
    lines.gpio.stuck = 1 << 2 | 1 << 4;
    CHECK(bench_open(&lines.bench) == HAL_OK);
    CHECK(hal_set_heater(&lines.bench.dev, 1) == 0);
    lines.gpio.level[4] = 0;
    CHECK(hal_set_laser(&lines.bench.dev, 0) == 1);
    struct hal_counters counters;

    CHECK(hal_read_counters(&lines.bench.dev, &counters) == HAL_OK);
    CHECK(counters.readback_differs == 2);
    lines.gpio.error = EIO;
    struct hal_frame frame = snapshot(&lines.bench);

    CHECK((frame.valid & (HAL_SENSOR_HEATER_ON | HAL_SENSOR_PAYLOAD_LEVEL)) == 0);
    CHECK(hal_set_heater(&lines.bench.dev, 1) == HAL_E_IO);
    CHECK(hal_set_payload_level(&lines.bench.dev, 1) == HAL_E_IO);
    bench_end(&lines.bench);
}

static void a_line_that_is_missing_degrades_itself_and_is_tried_again(void)
{
    struct lines lines;

    lines_begin(&lines);
    lines.gpio.error = ENODEV;
    CHECK(bench_open(&lines.bench) == HAL_OK);
    CHECK(hal_set_heater(&lines.bench.dev, 1) == HAL_E_NODEV);
    CHECK((snapshot(&lines.bench).valid & HAL_SENSOR_DIE_TEMP) != 0);
    lines.gpio.error = 0;
    CHECK(hal_set_heater(&lines.bench.dev, 1) == 1);
    lines.gpio.error = ENODEV; /* the controller is gone */
    CHECK(hal_set_heater(&lines.bench.dev, 0) == HAL_E_NODEV);
    lines.gpio.error = 0;
    CHECK(hal_set_heater(&lines.bench.dev, 1) == 1);
    bench_end(&lines.bench);
    lines_begin(&lines);
    lines.trouble.fsync_error = ENOSPC; /* no journal, no switch */
    CHECK(bench_open(&lines.bench) == HAL_OK);
    CHECK(hal_set_heater(&lines.bench.dev, 1) == HAL_E_BUSY && lines.gpio.requested[2] == 0);
    CHECK(lines.gpio.level[4] == 1); /* the inhibit needs none */
    bench_end(&lines.bench);
}

static void a_guards_plan_makes_the_board_safe_without_the_device(void)
{
    struct lines lines;
    struct guard guard;
    struct guard_config guarded = {.period_ns = 10000000, .limit_ticks = 5};
    struct guard_plan plan = {.count = 0};
    int32_t error = 0;

    lines_begin(&lines);
    give_levels(&lines.bench.config, 2, (const uint32_t[]){0, 1000000}, (const uint32_t[]){0, 0});
    lines.bench.hal.payload_level_max = 1;
    CHECK(bench_open(&lines.bench) == HAL_OK);
    CHECK(guard_init(&guard, &guarded) == HAL_OK);
    CHECK(hal_attach_guard(&lines.bench.dev, &guard) == 5);
    CHECK(hal_set_payload_level(&lines.bench.dev, 1) == 1);
    lines.gpio.level[4] = 0;
    CHECK(lines.bench.dev.api->safe_plan(&lines.bench.dev, &plan) == HAL_OK && plan.count == 5);
    CHECK(guard_plan_run(&plan, lines.bench.dev.data, &lines.sys, &error) == 0);
    CHECK(lines.gpio.level[3] == 0 && lines.gpio.level[4] == 1);
    CHECK(tree_starts(&lines.bench.tree, CAPS "policy0/scaling_max_freq", "600000\n"));
    CHECK(snapshot(&lines.bench).payload_level == 0);
    bench_end(&lines.bench);
}

static void what_is_not_there_is_at_rest_and_says_so_when_it_shall_move(void)
{
    struct bench bench;
    uint8_t frame[8] = {0};
    uint32_t words[4];

    bench_begin(&bench, board_pi4);
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_point_terminal(&bench.dev, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_set_laser(&bench.dev, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_set_heater(&bench.dev, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_point_terminal(&bench.dev, 0) == 0); /* what is not there is at rest */
    CHECK(hal_set_laser(&bench.dev, 0) == 0 && hal_set_heater(&bench.dev, 0) == 0);
    CHECK(hal_submit_frame(&bench.dev, frame, sizeof frame) == HAL_E_UNSUPPORTED);
    CHECK(hal_receive_frame(&bench.dev, frame, sizeof frame) == 0);
    CHECK(hal_term_read(&bench.dev, 0, 4, words) == HAL_E_UNSUPPORTED);
    CHECK(hal_term_write(&bench.dev, 8, 1) == HAL_E_UNSUPPORTED);
    CHECK(hal_kick_watchdog(&bench.dev) == HAL_OK); /* kind none: counted, and goes nowhere */
    bench_end(&bench);
}

static void the_watchdog_tells_why_the_board_started(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    tree_write(&bench.tree, "sys/class/watchdog/watchdog0/bootstatus", "32\n");
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(snapshot(&bench).reset_cause == HAL_RESET_WATCHDOG);
    hal_close(&bench.dev);
    tree_write(&bench.tree, "sys/class/watchdog/watchdog0/bootstatus", "no number\n");
    bench.config.watchdog_kind = HAL_LINUX_WATCHDOG_DEVICE;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(snapshot(&bench).reset_cause == HAL_RESET_UNKNOWN);
    CHECK(hal_kick_watchdog(&bench.dev) == HAL_E_NODEV); /* there is none, and the board flies */
    bench_end(&bench);
}

static void on_threads_a_setter_answers_at_once_and_the_snapshots_follow(void)
{
    struct bench bench;
    int left = 20000;

    bench_begin(&bench, board_pi4);
    give_levels(&bench.config, 2, (const uint32_t[]){0, 1000000}, (const uint32_t[]){0, 0});
    bench.hal.payload_level_max = 1;
    bench.config.period_ms = 20;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_set_payload_level(&bench.dev, 0) == 0);
    while (left-- > 0 && tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n")) {
        usleep(1000);
    }
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "600000\n"));
    struct hal_frame frame = snapshot(&bench);

    while (left-- > 0 &&
           ((frame.valid & HAL_SENSOR_PAYLOAD_LEVEL) == 0 || frame.payload_level > 0)) {
        usleep(1000);
        frame = snapshot(&bench);
    }
    CHECK(frame.payload_level == 0 && (frame.valid & HAL_SENSOR_DIE_TEMP) != 0);
    bench_end(&bench);
}

static void the_defaults_are_this_machine_and_no_journal(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    bench.hal.backend_config = NULL;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK((snapshot(&bench).valid & HAL_SENSOR_RESET_CAUSE) != 0);
    bench_end(&bench);
}

static void a_configuration_out_of_bounds_is_refused(void)
{
    struct bench bench;

    bench_begin(&bench, board_pi4);
    const struct hal_linux_config good = bench.config;

#define REFUSED(change)                                                                            \
    do {                                                                                           \
        bench.config = good;                                                                       \
        change;                                                                                    \
        CHECK(bench_open(&bench) == HAL_E_RANGE);                                                  \
    } while (0)
    REFUSED(bench.config.abi_version = 0);
    REFUSED(bench.config.size_bytes = 0);
    REFUSED(bench.config.period_ms = HAL_LINUX_PERIOD_MS_MIN - 1);
    REFUSED(bench.config.period_ms = HAL_LINUX_PERIOD_MS_MAX + 1);
    REFUSED((bench.config.period_ms = 200, bench.config.stale_ms = 399));
    REFUSED(bench.config.stale_ms = HAL_LINUX_STALE_MS_MAX + 1);
    REFUSED(bench.config.watchdog_kind = 3);
    REFUSED(bench.config.watchdog_timeout_s = 3601);
    REFUSED(bench.config.watchdog_stays = 2);
    REFUSED(memset(bench.config.journal, 'x', sizeof bench.config.journal));
    REFUSED(memset(bench.config.roles[0], 'x', HAL_NAME_BYTES));
    REFUSED(memset(bench.config.lines[0].chip, 'x', HAL_NAME_BYTES));
    REFUSED(bench.config.lines[2].active_low = 2);
    REFUSED((strcpy(bench.config.spi, "spidev0.0"), bench.config.spi_hz = 0));
    REFUSED(bench.config.inputs[7].channel = 8);
    REFUSED(strcpy(bench.config.inas[0].name, "x")); /* address 0 */
    REFUSED(bench.config.level_count = HAL_LINUX_LEVELS_MAX + 1);
    REFUSED(bench.config.level_count = 15); /* payload_level_max is 15 */
    REFUSED((bench.config.level_count = 17, bench.config.levels[3].idle_mw = 1));
    REFUSED((bench.config.level_count = 17, bench.config.levels[3].active_mw = UINT32_MAX));
    REFUSED((bench.config.level_count = 17,
             memset(bench.config.levels[3].power_mode, 'x', HAL_NAME_BYTES)));
    bench.config = good;
    CHECK(bench_open(&bench) == HAL_OK);
    CHECK(hal_linux_config_init(NULL) == HAL_E_RANGE);
    bench_end(&bench);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_pi_4_measures_no_power_and_says_so),
        PROMISE(a_jetson_measures_its_module_and_its_hottest_place),
        PROMISE(a_level_caps_every_clock_and_closing_puts_all_back),
        PROMISE(power_without_a_sensor_is_estimated_from_the_level_and_its_use),
        PROMISE(roles_by_name_reach_the_frame),
        PROMISE(what_is_forbidden_is_denied_and_costs_one_sensor),
        PROMISE(a_sensor_that_fails_grows_stale_and_comes_back),
        PROMISE(throttle_bits_are_latched_until_they_are_cleared),
        PROMISE(without_a_durable_journal_nothing_is_set),
        PROMISE(after_a_crash_the_next_start_puts_back_first),
        PROMISE(a_journal_that_cannot_be_put_back_is_not_written_over),
        PROMISE(switches_are_lines_that_are_read_back_and_let_go_safely),
        PROMISE(a_terminal_on_a_serial_line_is_lit_past_the_inhibit_line),
        PROMISE(a_stuck_line_tells_by_its_read_back),
        PROMISE(a_line_that_is_missing_degrades_itself_and_is_tried_again),
        PROMISE(a_guards_plan_makes_the_board_safe_without_the_device),
        PROMISE(what_is_not_there_is_at_rest_and_says_so_when_it_shall_move),
        PROMISE(the_watchdog_tells_why_the_board_started),
        PROMISE(on_threads_a_setter_answers_at_once_and_the_snapshots_follow),
        PROMISE(the_defaults_are_this_machine_and_no_journal),
        PROMISE(a_configuration_out_of_bounds_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
