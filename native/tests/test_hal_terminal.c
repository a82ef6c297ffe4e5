/* A terminal at the far end of a line behind the front of hal.h, in the place of the backend's own. */
#define _GNU_SOURCE
#include "backend_sim.h"
#include "guard.h"
#include "guard_plan.h"
#include "hal_backend.h"
#include "hal_front.h"
#include "term_line_stage.h"
#include "term_link.h"

#define NO_TERMINAL                                                                                \
    (HAL_SENSOR_ALL & ~(HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_RX_POWER | HAL_SENSOR_TERM_TEMP |       \
                        HAL_SENSOR_LASER | HAL_SENSOR_LASER_ON | HAL_SENSOR_TARGET_ID))

static uint8_t arena[1 << 20];
static struct hal dev;
static struct hal_terminal_config line;
static struct hal_config config;

static void open_device(void)
{
    line = (struct hal_terminal_config){.device = path};
    CHECK(hal_config_init(&config, "sim") == HAL_OK);
    config.tx_fifo_frames = 4;
    config.rx_fifo_frames = 4;
    config.max_frame_bytes = 6000;
    int64_t without = hal_arena_bytes(&config);

    config.terminal = &line;
    CHECK(hal_arena_bytes(&config) > without && hal_arena_bytes(&config) < (int64_t)sizeof arena);
    /* The worst alignment that a caller may have. */
    CHECK(hal_open(&dev, &config, arena + 1, sizeof arena - 1) == HAL_OK);
}

static struct hal_frame snapshot(void)
{
    struct hal_frame frame;

    CHECK(hal_snapshot(&dev, &frame) == HAL_OK && hal_frame_check(&frame) == HAL_OK);
    return frame;
}

static struct hal_counters counters(void)
{
    struct hal_counters now;

    CHECK(hal_read_counters(&dev, &now) == HAL_OK);
    return now;
}

static uint32_t phase(void)
{
    struct term_link_view view;

    CHECK(hal_term_line(&dev, &view) == HAL_OK);
    return view.phase;
}

static void what_cannot_be_a_line_is_refused(void)
{
    struct term_link_view view;

    open_device();
    CHECK(hal_term_line(&dev, NULL) == HAL_E_RANGE);
    hal_close(&dev);
    CHECK(hal_term_line(&dev, &view) == HAL_E_STATE);
    line.device = "";
    CHECK(hal_arena_bytes(&config) == HAL_E_RANGE);
    CHECK(hal_open(&dev, &config, arena, sizeof arena) == HAL_E_RANGE);
    line.device = path;
    CHECK(hal_open(&dev, &config, arena, 1000) == HAL_E_RANGE);
    config.terminal = NULL;
    CHECK(hal_open(&dev, &config, arena, sizeof arena) == HAL_OK);
    CHECK(hal_term_line(&dev, &view) == HAL_E_UNSUPPORTED);
    hal_close(&dev);
}

static void an_absent_terminal_shows_nothing_and_takes_nothing(void)
{
    uint32_t value = 0;
    uint8_t frame[10] = {1};

    open_device();
    CHECK(phase() == TERM_LINK_CLOSED);
    CHECK(snapshot().valid == NO_TERMINAL && snapshot().tx_fifo_free == 0);
    CHECK(hal_term_read(&dev, 0, 1, &value) == HAL_E_STALE);
    CHECK(hal_submit_frame(&dev, frame, sizeof frame) == HAL_E_BUSY);
    CHECK(hal_receive_frame(&dev, frame, sizeof frame) == 0);
    CHECK(hal_set_laser(&dev, 1) == HAL_E_TIMEOUT && hal_set_laser(&dev, 0) == 0);
    CHECK(hal_point_terminal(&dev, 3) == 3);
    CHECK(counters().tx_rejected_full == 1 && counters().setters_failed == 1);
    hal_close(&dev);
}

static void frames_and_registers_go_to_the_terminal_on_the_line(void)
{
    static uint8_t frame[6000];

    plug_in(1);
    open_device();
    LIVE_UNTIL(snapshot().tx_fifo_free == STAGE_FRAMES && phase() == TERM_LINK_UP);
    CHECK(hal_point_terminal(&dev, 7) == 7);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 900) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    LIVE_UNTIL(snapshot().laser_on == 1 && snapshot().target_id == 7);
    CHECK((snapshot().valid & HAL_SENSOR_LASER_ON) != 0);
    CHECK(terminal.regs[TERM_REG_SCAN_URAD] == 900);
    memset(frame, 0x3C, sizeof frame);
    for (int32_t left = STAGE_FRAMES; left > 0; left--) {
        CHECK(hal_submit_frame(&dev, frame, sizeof frame) == left - 1);
    }
    CHECK(hal_submit_frame(&dev, frame, sizeof frame) == HAL_E_BUSY);
    LIVE_UNTIL(link_ring_count(&terminal.rx) == STAGE_FRAMES);
    stage_send_by_light(&terminal, STAGE_FRAMES, tick_monotonic_ns());
    LIVE_UNTIL(snapshot().tx_frames_total == STAGE_FRAMES);
    LIVE_UNTIL(snapshot().tx_fifo_free == STAGE_FRAMES);
    CHECK(link_ring_push(&terminal.tx, frame, 123));
    LIVE_UNTIL(snapshot().rx_pending == 1);
    CHECK(hal_receive_frame(&dev, frame, 10) == HAL_E_RANGE);
    CHECK(hal_receive_frame(&dev, frame, sizeof frame) == 123);
    CHECK(counters().tx_accepted == STAGE_FRAMES && counters().rx_delivered == 1);
    CHECK(hal_set_laser(&dev, 0) == 0);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    hal_close(&dev);
    unplug();
}

static void a_guards_plan_inhibits_it(void)
{
    struct guard_plan plan = {.count = 0};
    int32_t error = 0;

    plug_in(2);
    open_device();
    LIVE_UNTIL(phase() == TERM_LINK_UP);
    CHECK(hal_set_laser(&dev, 1) == 1);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 1);
    hal_terminal_plan(&dev, &plan);
    CHECK(plan.count == 1);
    CHECK(guard_plan_check(&plan, hal_data_bytes(dev.api, &config)) == HAL_OK);
    CHECK(guard_plan_run(&plan, dev.data, linux_syscalls_real(), &error) == 0);
    LIVE_UNTIL(terminal.regs[TERM_REG_INHIBIT] == 1 && terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_OK);
    LIVE_UNTIL(terminal.regs[TERM_REG_INHIBIT] == 0);
    hal_close(&dev);
    unplug();
}

/* A board with a line of its own that inhibits the laser, and with a meter in the laser's supply. */
static uint32_t released;
static int32_t line_fails;

static int32_t set_line(struct hal *device, uint32_t on)
{
    (void)device;
    if (line_fails < 0) {
        return line_fails;
    }
    released = on;
    return (int32_t)on;
}

static void a_boards_own_inhibit_line_goes_with_the_laser(void)
{
    struct hal_api board = hal_sim_api;
    struct hal_frame frame;

    board.set_laser = set_line;
    board.beside_terminal = HAL_SENSOR_LASER;
    open_device();
    dev.api = &board;
    frame = snapshot();
    CHECK(frame.valid == (NO_TERMINAL | HAL_SENSOR_LASER));
    CHECK(hal_set_laser(&dev, 1) == HAL_E_TIMEOUT && released == 0); /* nobody there to be lit */
    plug_in(3);
    LIVE_UNTIL(phase() == TERM_LINK_UP);
    CHECK(hal_set_laser(&dev, 1) == 1 && released == 1);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK && released == 0);
    CHECK(hal_set_laser(&dev, 1) == 1 && released == 1);
    CHECK(hal_term_write(&dev, TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK && released == 0);
    line_fails = HAL_E_IO;
    CHECK(hal_set_laser(&dev, 1) == HAL_E_IO && hal_set_laser(&dev, 0) == HAL_E_IO);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_E_IO);
    LIVE_UNTIL(terminal.regs[TERM_REG_INHIBIT] == 1); /* each of the two is tried */
    line_fails = HAL_E_UNSUPPORTED;                   /* no such line: the terminal alone */
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_OK);
    CHECK(hal_set_laser(&dev, 1) == 1);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 1);
    hal_close(&dev);
    unplug();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(what_cannot_be_a_line_is_refused),
        PROMISE(an_absent_terminal_shows_nothing_and_takes_nothing),
        PROMISE(frames_and_registers_go_to_the_terminal_on_the_line),
        PROMISE(a_guards_plan_inhibits_it),
        PROMISE(a_boards_own_inhibit_line_goes_with_the_laser),
    };

    name_line("hal_terminal");
    KEEP(PROMISES);
    return 0;
}
