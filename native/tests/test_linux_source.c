/* What each kind of source makes of its files, and of files that fail. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_tree.h"
#include "hal.h"
#include "linux_inventory.h"

static _Atomic uint32_t latched;
static struct linux_modes modes;

static struct linux_reader reader_of(const struct linux_syscalls *sys)
{
    static const struct hal_linux_config CONFIG;

    return (struct linux_reader){
        .sys = sys, .config = &CONFIG, .modes = &modes, .latched = &latched};
}

static struct linux_reader real(void)
{
    return reader_of(linux_syscalls_real());
}

static struct linux_source source_of(uint32_t kind, const struct tree *tree, const char *first,
                                     const char *second, const char *third)
{
    const char *const files[] = {first, second, third};
    struct linux_source source = linux_source_make(kind, "name");

    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        if (files[i] != NULL) {
            linux_node_set(&source.node[i], tree->root, files[i]);
        }
    }
    return source;
}

static void a_zone_is_measured_off_or_failed(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source zone = source_of(LINUX_ZONE, &tree, "temp", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "temp", "41234\n");
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_OK);
    CHECK(value.v[0] == 41234 && value.state == HAL_VALUE_MEASURED);
    tree_write(&tree, "temp", "-12000\n");
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_OK);
    CHECK(value.v[0] == -12000 && value.state == HAL_VALUE_MEASURED);
    tree_write(&tree, "temp", "-256000\n");
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_OK && value.state == HAL_VALUE_OFF);
    tree_write(&tree, "temp", "99999999999\n");
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_E_RANGE);
    linux_source_close(&reader, &zone);
    CHECK(zone.node[0].fd == -1);
    tree_remove(&tree);
}

static void a_gated_block_is_off_and_a_forbidden_one_an_error(void)
{
    struct tree tree = tree_make();
    struct trouble trouble = {.end = "temp", .read_error = EAGAIN};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_reader reader = reader_of(&sys);
    struct linux_source zone = source_of(LINUX_ZONE, &tree, "temp", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "temp", "1\n");
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_OK && value.state == HAL_VALUE_OFF);
    linux_source_close(&reader, &zone);
    trouble.open_error = EACCES;
    CHECK(linux_source_read(&reader, &zone, &value) == HAL_E_PERM);
    tree_remove(&tree);
}

static void a_rail_is_volts_times_amperes_unless_the_chip_tells_power(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source rail = source_of(LINUX_RAIL, &tree, "in1", "curr1", NULL);
    struct linux_source chip = source_of(LINUX_RAIL, &tree, "in1", "curr1", "power1");
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "in1", "5024\n");
    tree_write(&tree, "curr1", "1448\n");
    tree_write(&tree, "power1", "7300000\n");
    chip.divide[2] = 1000;
    CHECK(linux_source_read(&reader, &rail, &value) == HAL_OK);
    CHECK(value.v[0] == 5024 && value.v[1] == 1448 && value.v[2] == 7274);
    CHECK(linux_source_read(&reader, &chip, &value) == HAL_OK && value.v[2] == 7300);
    tree_write(&tree, "curr1", "-100\n");
    CHECK(linux_source_read(&reader, &rail, &value) == HAL_OK && value.v[2] == -502);
    tree_write(&tree, "in1", "2000000000\n");
    tree_write(&tree, "curr1", "2000000000\n");
    CHECK(linux_source_read(&reader, &rail, &value) == HAL_E_RANGE);
    tree_vanish(&tree, "curr1");
    CHECK(linux_source_read(&reader, &rail, &value) < 0);
    tree_vanish(&tree, "in1");
    CHECK(linux_source_read(&reader, &rail, &value) < 0);
    linux_source_close(&reader, &rail);
    linux_source_close(&reader, &chip);
    tree_remove(&tree);
}

static void a_voltage_alone_is_no_power(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source rail = source_of(LINUX_RAIL, &tree, "in0", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "in0", "875\n");
    CHECK(linux_source_read(&reader, &rail, &value) == HAL_OK);
    CHECK(value.v[0] == 875 && value.state == HAL_VALUE_UNSUPPORTED);
    linux_source_close(&reader, &rail);
    tree_remove(&tree);
}

static void a_clock_has_its_unit_and_a_gated_one_is_off(void)
{
    struct tree tree = tree_make();
    struct trouble trouble = {.end = "cur", .read_error = EAGAIN};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_reader reader = reader_of(&sys);
    struct linux_source gpu = source_of(LINUX_GPU, &tree, "cur", "min", "max");
    struct linux_value value = {.t_ns = 0};

    gpu.divide[0] = gpu.divide[1] = gpu.divide[2] = 1000;
    tree_write(&tree, "cur", "306000000\n");
    tree_write(&tree, "min", "306000000\n");
    tree_write(&tree, "max", "624750000\n");
    CHECK(linux_source_read(&reader, &gpu, &value) == HAL_OK);
    CHECK(value.state == HAL_VALUE_OFF && value.v[1] == 306000 && value.v[2] == 624750);
    trouble.read_error = 0;
    CHECK(linux_source_read(&reader, &gpu, &value) == HAL_OK);
    CHECK(value.state == HAL_VALUE_MEASURED && value.v[0] == 306000);
    tree_vanish(&tree, "max");
    CHECK(linux_source_read(&reader, &gpu, &value) < 0);
    linux_source_close(&reader, &gpu);
    tree_remove(&tree);
}

static void an_alarm_holds_its_bit_and_latches_it(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source alarm = source_of(LINUX_THROTTLE, &tree, "in0_lcrit_alarm", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    atomic_store(&latched, 0);
    alarm.way = LINUX_BY_ALARM;
    alarm.bit = HAL_THROTTLE_UNDER_VOLTAGE;
    tree_write(&tree, "in0_lcrit_alarm", "0\n");
    CHECK(linux_source_read(&reader, &alarm, &value) == HAL_OK && value.v[0] == 0);
    CHECK(atomic_load(&latched) == 0);
    tree_write(&tree, "in0_lcrit_alarm", "1\n");
    CHECK(linux_source_read(&reader, &alarm, &value) == HAL_OK);
    CHECK(value.v[0] == HAL_THROTTLE_UNDER_VOLTAGE);
    tree_write(&tree, "in0_lcrit_alarm", "0\n");
    CHECK(linux_source_read(&reader, &alarm, &value) == HAL_OK && value.v[0] == 0);
    CHECK(atomic_load(&latched) == HAL_THROTTLE_UNDER_VOLTAGE);
    tree_vanish(&tree, "in0_lcrit_alarm");
    CHECK(linux_source_read(&reader, &alarm, &value) < 0);
    linux_source_close(&reader, &alarm);
    tree_remove(&tree);
}

static void a_throttle_word_comes_out_of_its_file(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source word = source_of(LINUX_THROTTLE, &tree, "get_throttled", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    atomic_store(&latched, 0);
    word.way = LINUX_BY_WORD;
    tree_write(&tree, "get_throttled", "50005\n");
    CHECK(linux_source_read(&reader, &word, &value) == HAL_OK);
    CHECK(value.v[0] == (HAL_THROTTLE_UNDER_VOLTAGE | HAL_THROTTLE_THERMAL));
    tree_write(&tree, "get_throttled", "none\n");
    CHECK(linux_source_read(&reader, &word, &value) == HAL_E_CORRUPT);
    linux_source_close(&reader, &word);
    tree_remove(&tree);
}

static void over_current_events_are_counted_from_our_beginning(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source oc = source_of(LINUX_OVERCURRENT, &tree, "oc1", "oc2", "oc3");
    struct linux_value value = {.t_ns = 0};

    atomic_store(&latched, 0);
    tree_write(&tree, "oc1", "0\n");
    tree_write(&tree, "oc2", "7\n");
    tree_write(&tree, "oc3", "4294967295\n");
    CHECK(linux_source_read(&reader, &oc, &value) == HAL_E_RANGE);
    tree_write(&tree, "oc3", "27\n");
    CHECK(linux_source_read(&reader, &oc, &value) == HAL_OK);
    CHECK(value.v[0] == 0 && value.v[1] == 0 && value.v[2] == 0 && atomic_load(&latched) == 0);
    tree_write(&tree, "oc3", "30\n");
    CHECK(linux_source_read(&reader, &oc, &value) == HAL_OK && value.v[2] == 3);
    CHECK(atomic_load(&latched) == HAL_THROTTLE_OC_PEAK);
    atomic_store(&latched, 0);
    CHECK(linux_source_read(&reader, &oc, &value) == HAL_OK && value.v[2] == 3);
    CHECK(atomic_load(&latched) == 0);
    tree_write(&tree, "oc1", "1\n");
    tree_write(&tree, "oc2", "8\n");
    CHECK(linux_source_read(&reader, &oc, &value) == HAL_OK);
    CHECK(atomic_load(&latched) == (HAL_THROTTLE_OC_VOLTAGE | HAL_THROTTLE_OC_AVERAGE));
    linux_source_close(&reader, &oc);
    tree_remove(&tree);
}

static void a_fan_turns_or_is_driven_or_both(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source fan = source_of(LINUX_FAN, &tree, "fan1_input", "pwm1", NULL);
    struct linux_source turns = source_of(LINUX_FAN, &tree, "fan1_input", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "fan1_input", "2975\n");
    tree_write(&tree, "pwm1", "75\n");
    CHECK(linux_source_read(&reader, &fan, &value) == HAL_OK);
    CHECK(value.v[0] == 2975 && value.v[1] == 294);
    CHECK(linux_source_read(&reader, &turns, &value) == HAL_OK && value.v[1] == 0);
    tree_write(&tree, "pwm1", "255\n");
    CHECK(linux_source_read(&reader, &fan, &value) == HAL_OK && value.v[1] == 1000);
    tree_write(&tree, "pwm1", "256\n");
    CHECK(linux_source_read(&reader, &fan, &value) == HAL_E_RANGE);
    tree_vanish(&tree, "pwm1");
    CHECK(linux_source_read(&reader, &fan, &value) < 0);
    tree_vanish(&tree, "fan1_input");
    CHECK(linux_source_read(&reader, &turns, &value) < 0);
    linux_source_close(&reader, &fan);
    linux_source_close(&reader, &turns);
    tree_remove(&tree);
}

static void pressure_is_three_files_or_none(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source psi = source_of(LINUX_PRESSURE, &tree, "cpu", "memory", "io");
    struct linux_value value = {.t_ns = 0};

    tree_write(&tree, "cpu", "some avg10=22.55 avg60=0.00 avg300=0.00 total=1\n");
    tree_write(&tree, "memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0\n");
    tree_write(&tree, "io", "some avg10=1.40 avg60=0.00 avg300=0.00 total=1\n");
    CHECK(linux_source_read(&reader, &psi, &value) == HAL_OK);
    CHECK(value.v[0] == 226 && value.v[1] == 0 && value.v[2] == 14);
    tree_vanish(&tree, "io");
    CHECK(linux_source_read(&reader, &psi, &value) < 0);
    linux_source_close(&reader, &psi);
    tree_remove(&tree);
}

static void a_power_mode_is_an_index_into_the_table(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = real();
    struct linux_source mode = source_of(LINUX_MODE, &tree, "status", NULL, NULL);
    struct linux_value value = {.t_ns = 0};

    modes = (struct linux_modes){0};
    linux_modes_line(&modes, "< POWER_MODEL ID=2 NAME=7W >");
    linux_modes_line(&modes, "< POWER_MODEL ID=5 NAME=15W >");
    tree_write(&tree, "status", "pmode:0005\n");
    CHECK(linux_source_read(&reader, &mode, &value) == HAL_OK && value.v[0] == 1);
    tree_write(&tree, "status", "pmode:0009\n");
    CHECK(linux_source_read(&reader, &mode, &value) == HAL_E_CORRUPT);
    linux_source_close(&reader, &mode);
    tree_remove(&tree);
}

static void a_failed_reading_lets_the_last_good_one_grow_old(void)
{
    struct linux_value held = {.t_ns = 0};
    struct linux_value fresh = {.v = {41000}, .state = HAL_VALUE_MEASURED};

    CHECK(linux_value_take(&held, &fresh, HAL_E_IO, 50) == 0);
    CHECK(held.state == HAL_VALUE_FAILED && held.t_ns == 0);
    CHECK(linux_value_take(&held, &fresh, HAL_E_PERM, 50) == 0);
    CHECK(held.state == HAL_VALUE_DENIED);
    CHECK(linux_value_take(&held, &fresh, HAL_E_UNSUPPORTED, 50) == 0);
    CHECK(linux_value_state(&held, 1000, 10) == HAL_VALUE_UNSUPPORTED);
    CHECK(linux_value_take(&held, &fresh, HAL_OK, 100) == 1);
    CHECK(held.t_ns == 100 && held.v[0] == 41000);
    CHECK(linux_value_take(&held, &fresh, HAL_E_IO, 200) == 0);
    CHECK(held.t_ns == 100);
    CHECK(linux_value_state(&held, 110, 10) == HAL_VALUE_MEASURED);
    CHECK(linux_value_state(&held, 90, 10) == HAL_VALUE_MEASURED);
    CHECK(linux_value_state(&held, 111, 10) == HAL_VALUE_STALE);
    CHECK(linux_state_usable(HAL_VALUE_MEASURED) && linux_state_usable(HAL_VALUE_ESTIMATED));
    CHECK(!linux_state_usable(HAL_VALUE_OFF) && !linux_state_usable(HAL_VALUE_STALE));
    CHECK(!linux_state_usable(HAL_VALUE_UNSUPPORTED));
}

static void a_cap_is_the_highest_step_that_is_not_above_it(void)
{
    struct linux_source clock = {
        .lowest_khz = 600, .highest_khz = 1800, .step_count = 3, .step_khz = {600, 1000, 1800}};

    CHECK(linux_clock_step(&clock, 999) == 600);
    CHECK(linux_clock_step(&clock, 1000) == 1000);
    CHECK(linux_clock_step(&clock, 1799) == 1000);
    CHECK(linux_clock_step(&clock, 1800) == 1800);
    CHECK(linux_clock_step(&clock, 9999) == 1800);
    CHECK(linux_clock_step(&clock, 0) == 600);
    clock.step_count = 0;
    CHECK(linux_clock_step(&clock, 999) == 999);
    CHECK(linux_clock_step(&clock, 5) == 600);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_zone_is_measured_off_or_failed),
        PROMISE(a_gated_block_is_off_and_a_forbidden_one_an_error),
        PROMISE(a_rail_is_volts_times_amperes_unless_the_chip_tells_power),
        PROMISE(a_voltage_alone_is_no_power),
        PROMISE(a_clock_has_its_unit_and_a_gated_one_is_off),
        PROMISE(an_alarm_holds_its_bit_and_latches_it),
        PROMISE(a_throttle_word_comes_out_of_its_file),
        PROMISE(over_current_events_are_counted_from_our_beginning),
        PROMISE(a_fan_turns_or_is_driven_or_both),
        PROMISE(pressure_is_three_files_or_none),
        PROMISE(a_power_mode_is_an_index_into_the_table),
        PROMISE(a_failed_reading_lets_the_last_good_one_grow_old),
        PROMISE(a_cap_is_the_highest_step_that_is_not_above_it),
    };

    KEEP(PROMISES);
    return 0;
}
