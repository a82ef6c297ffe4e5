/* The sampler on threads: what hangs degrades itself alone, and nothing ever waits for it. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_boards.h"
#include "linux_sampler.h"
#include "shared_word.h"

#define PATIENCE_MS 20000
#define CAPS        "sys/devices/system/cpu/cpufreq/policy0/"

static struct hal_linux_config config;
static struct linux_syscalls sys;
static uint32_t wanted;

/* One a test: a thread that was left behind may still look at the one that it began with. */
static struct trouble troubles[8];
static size_t tests;
#define trouble troubles[tests - 1]

static struct linux_sampler *begin(const struct tree *tree, const char *end)
{
    struct linux_sampler *sampler = NULL;

    board_config(tree, &config);
    config.period_ms = 20;
    config.stale_ms = 200;
    CHECK(tests++ < COUNT_OF(troubles));
    trouble.end = end;
    sys = trouble_table(&trouble);
    config.calls = &sys;
    config.level_count = 3;
    config.levels[1].cpu_khz_max = 1000000;
    config.levels[2].cpu_khz_max = 1500000;
    wanted = LINUX_LEVEL_NONE;
    CHECK(linux_sampler_make(&sampler, &config, &wanted) == HAL_OK);
    return sampler;
}

static int32_t find(const struct linux_sampler *sampler, uint32_t kind, const char *name)
{
    int32_t at = linux_inventory_find(&sampler->inventory, kind, name, 0);

    CHECK(at >= 0);
    return at;
}

static struct linux_value look(const struct linux_sampler *sampler, int32_t index)
{
    struct linux_view view = linux_sampler_view(sampler);

    return linux_view_value(&view, index);
}

/* Waits for what the threads will do; how long that takes is nobody's promise here. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        int left_ms = PATIENCE_MS;                                                                 \
                                                                                                   \
        while (!(condition) && left_ms-- > 0) {                                                    \
            usleep(1000);                                                                          \
        }                                                                                          \
        CHECK(condition);                                                                          \
    } while (0)

static void values_are_there_after_the_start_and_follow_the_board(void)
{
    struct tree tree = tree_make();

    board_orin_nano(&tree);
    struct linux_sampler *sampler = begin(&tree, NULL);
    int32_t die = find(sampler, LINUX_ZONE, "tj-thermal");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    AWAIT(look(sampler, die).v[0] == 51562);
    tree_write(&tree, "sys/class/thermal/thermal_zone2/temp", "60000\n");
    AWAIT(look(sampler, die).v[0] == 60000);
    AWAIT(atomic_load(&sampler->counters.energy_uj) > 0); /* 5 W are measured */
    CHECK(atomic_load(&sampler->counters.samples) > 0);
    CHECK(atomic_load(&sampler->counters.reads_failed) == 0);
    linux_sampler_end(sampler);
    tree_remove(&tree);
}

static void a_file_that_hangs_costs_its_own_value_and_no_other(void)
{
    struct tree tree = tree_make();

    board_orin_nano(&tree);
    struct linux_sampler *sampler = begin(&tree, "1-0040/hwmon/hwmon1/in1_input");
    int32_t die = find(sampler, LINUX_ZONE, "tj-thermal");
    int32_t rail = find(sampler, LINUX_RAIL, "VDD_IN");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    AWAIT(look(sampler, rail).state == HAL_VALUE_MEASURED);
    atomic_store(&trouble.hangs, 1);
    AWAIT(look(sampler, rail).state == HAL_VALUE_STALE);
    CHECK(atomic_load(&trouble.hung) == 1); /* one thread, although three rails are on that bus */
    tree_write(&tree, "sys/class/thermal/thermal_zone2/temp", "61000\n");
    AWAIT(look(sampler, die).v[0] == 61000);
    CHECK(look(sampler, die).state == HAL_VALUE_MEASURED);
    atomic_store(&trouble.hangs, 0);
    AWAIT(look(sampler, rail).state == HAL_VALUE_MEASURED);
    AWAIT(atomic_load(&sampler->counters.samples_late) > 0);
    linux_sampler_end(sampler);
    tree_remove(&tree);
}

static void a_level_is_carried_out_while_a_sensor_hangs(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    struct linux_sampler *sampler = begin(&tree, "thermal_zone0/temp");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    atomic_store(&trouble.hangs, 1);
    AWAIT(atomic_load(&trouble.hung) == 1);
    shared_word_store(&wanted, 1);
    CHECK(linux_sampler_request(sampler, 1) == HAL_OK);
    AWAIT(tree_holds(&tree, CAPS "scaling_max_freq", "1000000\n"));
    /* A guard writes the word alone; the thread obeys it. */
    shared_word_store(&wanted, 0);
    AWAIT(tree_holds(&tree, CAPS "scaling_max_freq", "600000\n"));
    CHECK(atomic_load(&sampler->told) == 0);
    atomic_store(&trouble.hangs, 0);
    linux_sampler_end(sampler);
    CHECK(tree_holds(&tree, CAPS "scaling_max_freq", "1800000\n"));
    tree_remove(&tree);
}

static void an_attempt_that_failed_is_told_by_the_next_one(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    struct linux_sampler *sampler = begin(&tree, "scaling_max_freq");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    trouble.write_error = EACCES;
    shared_word_store(&wanted, 2);
    CHECK(linux_sampler_request(sampler, 2) == HAL_OK);
    int32_t told = HAL_OK; /* while another attempt is made, nothing is known */
    for (int tries = 0; tries < 100 && told != HAL_E_PERM; tries++) {
        AWAIT(atomic_load(&sampler->outcome) == HAL_E_PERM);
        told = linux_sampler_request(sampler, 2);
    }
    CHECK(told == HAL_E_PERM);
    shared_word_store(&wanted, 1);
    CHECK(linux_sampler_request(sampler, 1) == HAL_OK); /* another level: nothing is known of it */
    linux_sampler_end(sampler);
    tree_remove(&tree);
}

static void the_end_does_not_wait_for_a_thread_that_hangs(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    struct linux_sampler *sampler = begin(&tree, "thermal_zone0/temp");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    atomic_store(&trouble.hangs, 1);
    AWAIT(atomic_load(&trouble.hung) == 1);
    linux_sampler_end(sampler); /* comes back; the word that was wanted is the caller's again */
    wanted = 12345;
    CHECK(atomic_load(&trouble.hung) == 1);
    atomic_store(&trouble.hangs, 0);
    AWAIT(atomic_load(&trouble.hung) == 0);
    AWAIT(atomic_load(&trouble.open_files) == 0); /* the last thread closed what was open */
    usleep(20000); /* it is on its way out; a sanitizer would see it touch what is gone */
    tree_remove(&tree);
}

static void a_device_that_was_unplugged_is_found_again_elsewhere(void)
{
    static const char *const LABELS[3] = {"VDD_IN\n", "NC\n", "NC\n"};
    struct tree tree = tree_make();

    board_ina3221(&tree, "1-0040", 1, LABELS);
    struct linux_sampler *sampler = begin(&tree, NULL);
    int32_t rail = find(sampler, LINUX_RAIL, "VDD_IN");

    CHECK(linux_sampler_start(sampler) == HAL_OK);
    AWAIT(look(sampler, rail).state == HAL_VALUE_MEASURED);
    tree_vanish(&tree, "sys/bus/i2c/devices/1-0040/hwmon/hwmon1/in1_input");
    tree_vanish(&tree, "sys/bus/i2c/devices/1-0040/hwmon/hwmon1/curr1_input");
    AWAIT(look(sampler, rail).state == HAL_VALUE_STALE);
    CHECK(atomic_load(&sampler->counters.reads_failed) > 0);
    board_ina3221(&tree, "1-0040", 7, LABELS);
    AWAIT(look(sampler, rail).state == HAL_VALUE_MEASURED);
    CHECK(atomic_load(&sampler->inventory.count) == 1);
    linux_sampler_end(sampler);
    tree_remove(&tree);
}

static void without_threads_the_caller_reads_everything_itself(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    struct linux_sampler *sampler = begin(&tree, NULL);
    int32_t die = find(sampler, LINUX_ZONE, "cpu-thermal");

    sampler->config.period_ms = 0;
    CHECK(look(sampler, die).state == HAL_VALUE_UNSUPPORTED);
    linux_sampler_poll(sampler);
    CHECK(look(sampler, die).v[0] == 48199);
    CHECK(linux_sampler_note(sampler) == HAL_OK);
    CHECK(atomic_load(&sampler->counters.journal_entries) == 2);
    CHECK(linux_sampler_request(sampler, 1) == HAL_OK);
    CHECK(tree_holds(&tree, CAPS "scaling_max_freq", "1000000\n"));
    CHECK(linux_sampler_request(sampler, 7) == HAL_E_RANGE);
    linux_sampler_end(sampler);
    CHECK(tree_holds(&tree, CAPS "scaling_max_freq", "1800000\n"));
    tree_remove(&tree);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(values_are_there_after_the_start_and_follow_the_board),
        PROMISE(a_file_that_hangs_costs_its_own_value_and_no_other),
        PROMISE(a_level_is_carried_out_while_a_sensor_hangs),
        PROMISE(an_attempt_that_failed_is_told_by_the_next_one),
        PROMISE(the_end_does_not_wait_for_a_thread_that_hangs),
        PROMISE(a_device_that_was_unplugged_is_found_again_elsewhere),
        PROMISE(without_threads_the_caller_reads_everything_itself),
    };

    KEEP(PROMISES);
    return 0;
}
