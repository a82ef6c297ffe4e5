/* What could outlive a "linux" device, or get past its journal and its guard. */
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
    struct fake_gpio gpio;
    struct trouble trouble;
    struct linux_syscalls sys;
};

/* A Raspberry Pi 4 with heater, payload and inhibit on lines 2, 3 and 4, and two levels. */
static void begin(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->tree = tree_make();
    board_pi4(&bench->tree);
    board_config(&bench->tree, &bench->config);
    tree_write(&bench->tree, "dev/gpiochip0", "");
    bench->gpio.label = "pinctrl-bcm2711";
    bench->trouble.gpio = &bench->gpio;
    bench->sys = trouble_table(&bench->trouble);
    bench->config.calls = &bench->sys;
    for (int i = 0; i < HAL_LINUX_LINES; i++) {
        strcpy(bench->config.lines[i].chip, "pinctrl-bcm2711");
        bench->config.lines[i].offset = (uint32_t)i + 2;
    }
    bench->config.level_count = 2;
    bench->config.levels[1].cpu_khz_max = 1000000;
    CHECK(hal_config_init(&bench->hal, "linux") == HAL_OK);
    bench->hal.payload_level_max = 1;
    bench->hal.backend_config = &bench->config;
}

static void open_bench(struct bench *bench)
{
    int64_t bytes = hal_arena_bytes(&bench->hal);

    CHECK(bytes > 0);
    bench->arena = malloc((size_t)bytes);
    CHECK(hal_open(&bench->dev, &bench->hal, bench->arena, (uint64_t)bytes) == HAL_OK);
}

static void end(struct bench *bench)
{
    hal_close(&bench->dev);
    free(bench->arena);
    tree_remove(&bench->tree);
}

static void a_journal_that_cannot_be_put_back_outlives_the_switches_too(void)
{
    struct bench bench;

    begin(&bench);
    tree_write(&bench.tree, "journal", "somebody's letter\n");
    open_bench(&bench);
    CHECK(tree_holds(&bench.tree, "journal", "somebody's letter\n"));
    CHECK(hal_set_heater(&bench.dev, 1) == HAL_E_CORRUPT && bench.gpio.requested[2] == 0);
    CHECK(hal_set_payload_level(&bench.dev, 1) == HAL_E_CORRUPT);
    CHECK(bench.gpio.level[4] == 1); /* the inhibit needs no journal */
    hal_close(&bench.dev);
    CHECK(tree_holds(&bench.tree, "journal", "somebody's letter\n"));
    end(&bench);
}

static void a_clock_that_comes_later_is_noted_before_it_is_capped(void)
{
    struct bench bench;

    begin(&bench);
    open_bench(&bench);
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    board_policy(&bench.tree, 4, "600000 1000000 2000000 \n", "600000\n", "2000000\n");
    struct hal_frame frame;

    CHECK(hal_snapshot(&bench.dev, &frame) == HAL_OK); /* finds it */
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1);
    CHECK(tree_holds(&bench.tree, CAPS "policy4/scaling_max_freq", "1000000\n"));
    hal_close(&bench.dev);
    CHECK(tree_holds(&bench.tree, CAPS "policy4/scaling_max_freq", "2000000\n"));
    CHECK(tree_holds(&bench.tree, CAPS "policy0/scaling_max_freq", "1800000\n"));
    end(&bench);
}

/* The plan of a guard names a line by its descriptor. One that was not there when the guard came is
 * in no plan: switched on by it, the payload would stay on whatever the guard does. */
static void what_a_guard_cannot_switch_off_is_not_switched_on(void)
{
    struct bench bench;
    struct guard guard;
    struct guard_config guarded = {.period_ns = 10000000, .limit_ticks = 5};

    begin(&bench);
    bench.gpio.error = ENODEV;
    open_bench(&bench);
    CHECK(guard_init(&guard, &guarded) == HAL_OK);
    CHECK(hal_attach_guard(&bench.dev, &guard) > 0);
    bench.gpio.error = 0;
    CHECK(hal_set_payload_level(&bench.dev, 1) == HAL_E_NODEV && bench.gpio.level[3] == 0);
    CHECK(hal_set_payload_level(&bench.dev, 0) == 0); /* off it may go */
    CHECK(hal_set_payload_level(&bench.dev, 1) == HAL_E_NODEV && bench.gpio.level[3] == 0);
    CHECK(hal_set_heater(&bench.dev, 1) == 1);       /* no guard ever switches that one */
    CHECK(hal_attach_guard(&bench.dev, &guard) > 0); /* now it knows the line */
    CHECK(hal_set_payload_level(&bench.dev, 1) == 1 && bench.gpio.level[3] == 1);
    CHECK(hal_attach_guard(&bench.dev, NULL) == HAL_OK);
    end(&bench);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_journal_that_cannot_be_put_back_outlives_the_switches_too),
        PROMISE(a_clock_that_comes_later_is_noted_before_it_is_capped),
        PROMISE(what_a_guard_cannot_switch_off_is_not_switched_on),
    };

    KEEP(PROMISES);
    return 0;
}
