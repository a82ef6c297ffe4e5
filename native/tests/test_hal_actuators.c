/* What a tripped guard forbids, over a backend that can be interrupted half-way. */
#include "check.h"
#include "guard.h"
#include "hal_backend.h"
#include "terminal_registers.h"

#include <string.h>

/* The actuators of the mock, and what happens while it sets one; only a test keeps such globals. */
static uint32_t registers[TERM_REG_COUNT];
static uint32_t level;
static uint32_t heater;
static uint32_t calls;
static int32_t planned;
static int32_t term_answer;
static int trips_in_between;
static struct guard guard;

static uint64_t mock_data_bytes(const struct hal_config *config)
{
    (void)config;
    return 64;
}

/* The guard trips and carries its plan out, both between a setter's look and its deed. */
static void interrupt(void)
{
    calls++;
    if (trips_in_between) {
        trips_in_between = 0;
        CHECK(guard_step(&guard, GUARD_PROCESS, 1, 0) == 1);
        level = 0;
        registers[TERM_REG_LASER_ENABLE] = 0;
        registers[TERM_REG_INHIBIT] = 1;
        CHECK(guard_acted(&guard, GUARD_PROCESS, 0, HAL_OK) == HAL_OK);
    }
}

static int32_t mock_level(struct hal *dev, uint32_t value)
{
    (void)dev;
    interrupt();
    level = value;
    return (int32_t)level;
}

static int32_t mock_heater(struct hal *dev, uint32_t value)
{
    (void)dev;
    heater = value;
    return (int32_t)heater;
}

static int32_t mock_laser(struct hal *dev, uint32_t value)
{
    (void)dev;
    interrupt();
    registers[TERM_REG_LASER_ENABLE] = value;
    return (int32_t)value;
}

static int32_t mock_term_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    (void)dev;
    interrupt();
    if (term_answer < 0) {
        return term_answer;
    }
    if (reg == TERM_REG_RESET) {
        registers[TERM_REG_INHIBIT] = 0;
        registers[TERM_REG_LASER_ENABLE] = 0;
    }
    registers[reg] = value;
    return HAL_OK;
}

static int32_t mock_safe_plan(struct hal *dev, struct guard_plan *plan)
{
    (void)dev;
    plan->steps[plan->count++] = (struct guard_plan_step){.kind = GUARD_STORE, .offset = 60};
    return planned;
}

static struct hal_api mock = {
    .name = "mock",
    .data_bytes = mock_data_bytes,
    .set_payload_level = mock_level,
    .set_heater = mock_heater,
    .set_laser = mock_laser,
    .term_write = mock_term_write,
};

static struct hal_config config;

static struct hal open_mock(void)
{
    const struct guard_config watch = {.period_ns = 1000000, .limit_ticks = 1};

    CHECK(hal_config_init(&config, "mock") == HAL_OK);
    CHECK(guard_init(&guard, &watch) == HAL_OK);
    memset(registers, 0, sizeof registers);
    mock.safe_plan = mock_safe_plan;
    level = heater = calls = 0;
    planned = term_answer = HAL_OK;
    trips_in_between = 0;
    return (struct hal){.api = &mock, .config = &config};
}

static struct hal open_guarded(void)
{
    struct hal dev = open_mock();

    CHECK(hal_attach_guard(&dev, &guard) == 1);
    CHECK(guard_arm(&guard) == HAL_OK);
    return dev;
}

/* Trips the guard as a dead process does, the plan carried out. */
static void trip(void)
{
    trips_in_between = 1;
    interrupt();
    calls = 0;
}

static uint64_t inhibited(const struct hal *dev)
{
    struct hal_counters counters;

    CHECK(hal_read_counters(dev, &counters) == HAL_OK);
    return counters.setters_inhibited;
}

static void while_tripped_nothing_is_switched_on_and_everything_off(void)
{
    struct hal dev = open_guarded();

    CHECK(hal_set_payload_level(&dev, 3) == 3 && hal_set_laser(&dev, 1) == 1);
    trip();
    CHECK(hal_set_payload_level(&dev, 1) == HAL_E_INHIBITED);
    CHECK(hal_set_laser(&dev, 1) == HAL_E_INHIBITED);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 1) == HAL_E_INHIBITED);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_E_INHIBITED);
    CHECK(hal_term_write(&dev, TERM_REG_RESET, TERM_RESET_KEY) == HAL_E_INHIBITED);
    CHECK(calls == 0 && inhibited(&dev) == 5);
    CHECK(hal_set_payload_level(&dev, 0) == 0 && hal_set_laser(&dev, 0) == 0);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 0) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_TARGET_ID, 5) == HAL_OK);
    CHECK(hal_set_heater(&dev, 1) == 1);
    CHECK(inhibited(&dev) == 5);
}

static void a_trip_in_the_midst_of_a_setter_leaves_it_off(void)
{
    struct hal dev = open_guarded();

    trips_in_between = 1;
    CHECK(hal_set_payload_level(&dev, 3) == HAL_E_INHIBITED && level == 0);
    dev = open_guarded();
    trips_in_between = 1;
    CHECK(hal_set_laser(&dev, 1) == HAL_E_INHIBITED && registers[TERM_REG_LASER_ENABLE] == 0);
    dev = open_guarded();
    trips_in_between = 1;
    CHECK(hal_set_payload_level(&dev, 0) == 0);
    CHECK(inhibited(&dev) == 0);
}

static void a_trip_in_the_midst_of_a_register_write_leaves_it_dark(void)
{
    static const uint32_t WRITES[][2] = {
        {TERM_REG_LASER_ENABLE, 1}, {TERM_REG_INHIBIT, 0}, {TERM_REG_RESET, TERM_RESET_KEY}};

    for (size_t i = 0; i < COUNT_OF(WRITES); i++) {
        struct hal dev = open_guarded();

        trips_in_between = 1;
        CHECK(hal_term_write(&dev, WRITES[i][0], WRITES[i][1]) == HAL_E_INHIBITED);
        CHECK(registers[TERM_REG_LASER_ENABLE] == 0 && registers[TERM_REG_INHIBIT] == 1);
        CHECK(inhibited(&dev) == 1);
    }
}

static void arming_again_lifts_the_inhibit_and_what_was_forbidden_is_allowed(void)
{
    struct hal dev = open_guarded();

    CHECK(hal_rearm_guard(&dev) == HAL_E_STATE);
    trip();
    CHECK(registers[TERM_REG_INHIBIT] == 1);
    CHECK(hal_rearm_guard(&dev) == HAL_OK);
    CHECK(registers[TERM_REG_INHIBIT] == 0);
    CHECK(hal_set_payload_level(&dev, 3) == 3 && hal_set_laser(&dev, 1) == 1);
}

static void a_terminal_that_does_not_answer_keeps_the_trip(void)
{
    struct hal dev = open_guarded();

    trip();
    term_answer = HAL_E_TIMEOUT;
    CHECK(hal_rearm_guard(&dev) == HAL_E_TIMEOUT && guard_holds(&guard) == 1);
    term_answer = HAL_E_UNSUPPORTED; /* there is no terminal: nothing to lift */
    CHECK(hal_rearm_guard(&dev) == HAL_OK && guard_holds(&guard) == 0);
}

static void a_trip_that_was_not_carried_out_in_full_cannot_be_ended(void)
{
    struct hal dev = open_guarded();

    CHECK(guard_step(&guard, GUARD_PROCESS, 1, 0) == 1);
    CHECK(guard_acted(&guard, GUARD_PROCESS, 1, HAL_E_IO) == HAL_OK);
    CHECK(hal_rearm_guard(&dev) == HAL_E_BUSY && calls == 0);
}

static void a_guard_attaches_to_an_open_device_that_has_a_plan(void)
{
    struct hal dev = open_mock();
    struct hal closed = {0};
    static struct guard noise;

    CHECK(hal_rearm_guard(&dev) == HAL_E_UNSUPPORTED);
    CHECK(hal_attach_guard(NULL, &guard) == HAL_E_RANGE);
    CHECK(hal_attach_guard(&closed, &guard) == HAL_E_STATE);
    CHECK(hal_rearm_guard(&closed) == HAL_E_STATE);
    CHECK(hal_attach_guard(&dev, &noise) == HAL_E_CORRUPT);
    planned = HAL_E_IO;
    CHECK(hal_attach_guard(&dev, &guard) == HAL_E_IO);
    mock.safe_plan = NULL;
    CHECK(hal_attach_guard(&dev, &guard) == HAL_E_UNSUPPORTED);
    CHECK(dev.guard == NULL);
    CHECK(hal_set_laser(&dev, 1) == 1);
}

/* Taking it off would switch on again what a trip has forbidden, without anybody's arming. */
static void a_guard_that_watches_or_has_tripped_cannot_be_taken_off(void)
{
    static struct guard other;
    const struct guard_config watch = {.period_ns = 1000000, .limit_ticks = 1};
    struct hal dev = open_guarded();

    CHECK(guard_init(&other, &watch) == HAL_OK);
    CHECK(hal_attach_guard(&dev, NULL) == HAL_E_STATE);
    trip();
    CHECK(hal_attach_guard(&dev, NULL) == HAL_E_STATE);
    CHECK(hal_attach_guard(&dev, &other) == HAL_E_STATE && dev.guard == &guard);
    CHECK(hal_set_laser(&dev, 1) == HAL_E_INHIBITED);
    CHECK(guard_disarm(&guard) == HAL_OK);
    CHECK(hal_attach_guard(&dev, &other) == 1 && dev.guard == &other);
    CHECK(hal_attach_guard(&dev, NULL) == HAL_OK && dev.guard == NULL);
    CHECK(hal_set_laser(&dev, 1) == 1);
}

static void a_sim_device_is_made_safe_from_outside(void)
{
    static uint64_t arena[1 << 20];
    struct hal dev = {0};
    struct hal_frame frame;
    uint32_t inhibit = 0;

    (void)open_mock();
    CHECK(hal_config_init(&config, "sim") == HAL_OK);
    CHECK(hal_open(&dev, &config, arena, sizeof arena) == HAL_OK);
    CHECK(hal_attach_guard(&dev, &guard) == 3);
    CHECK(hal_set_payload_level(&dev, 9) == 9 && hal_set_laser(&dev, 1) == 1);
    CHECK(hal_point_terminal(&dev, 7) == 7 && hal_set_heater(&dev, 1) == 1);
    CHECK(guard_arm(&guard) == HAL_OK);
    CHECK(guard_watch(&guard, GUARD_PROCESS, 1, dev.data, linux_syscalls_real()) == 1);
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.payload_level == 0 && frame.laser_on == 0);
    CHECK(frame.target_id == 7 && frame.heater_on == 1);
    CHECK(hal_term_read(&dev, TERM_REG_INHIBIT, 1, &inhibit) == HAL_OK && inhibit == 1);
    CHECK(hal_rearm_guard(&dev) == HAL_OK);
    CHECK(hal_set_laser(&dev, 1) == 1);
    hal_close(&dev);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(while_tripped_nothing_is_switched_on_and_everything_off),
        PROMISE(a_trip_in_the_midst_of_a_setter_leaves_it_off),
        PROMISE(a_trip_in_the_midst_of_a_register_write_leaves_it_dark),
        PROMISE(arming_again_lifts_the_inhibit_and_what_was_forbidden_is_allowed),
        PROMISE(a_terminal_that_does_not_answer_keeps_the_trip),
        PROMISE(a_trip_that_was_not_carried_out_in_full_cannot_be_ended),
        PROMISE(a_guard_attaches_to_an_open_device_that_has_a_plan),
        PROMISE(a_guard_that_watches_or_has_tripped_cannot_be_taken_off),
        PROMISE(a_sim_device_is_made_safe_from_outside),
    };

    KEEP(PROMISES);
    return 0;
}
