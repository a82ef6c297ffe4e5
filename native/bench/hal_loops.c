/* The C side of benchmarks/hal.py: the same work without Python, so that what Python adds can be
 * told from what the machine costs.
 *
 *   hal_loops snapshot CALLS            ns of processor time of so many hal_snapshot() of "sim"
 *   hal_loops tick PERIOD_NS COUNT PRIORITY   lateness of a plain loop, ns, one line a tick
 */
#define _POSIX_C_SOURCE 200809L
#include "backend_sim.h"
#include "hal.h"
#include "tick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t thread_time_ns(void)
{
    struct timespec spent;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

static int snapshots(long calls)
{
    static uint64_t arena[1 << 20];
    struct hal_config config;
    struct hal dev = {0};
    struct hal_frame frame;

    if (hal_config_init(&config, "sim") < 0 || hal_open(&dev, &config, arena, sizeof arena) < 0 ||
        hal_sim_attach(&dev) < 0) {
        return 1;
    }
    uint64_t start_ns = thread_time_ns();

    for (long i = 0; i < calls; i++) {
        if (hal_snapshot(&dev, &frame) < 0) {
            return 1;
        }
    }
    printf("%llu\n", (unsigned long long)(thread_time_ns() - start_ns));
    hal_close(&dev);
    return 0;
}

static int ticks(uint64_t period_ns, long count, int32_t priority)
{
    const struct rt_wish wish = {.priority = priority};
    struct rt_grant grant;

    if (rt_enter(&wish, &grant) == HAL_E_RANGE || period_ns < TICK_PERIOD_NS_MIN) {
        return 1;
    }
    uint64_t due_ns = (tick_monotonic_ns() / period_ns + 2) * period_ns;

    for (long i = 0; i < count; i++) {
        tick_sleep_until(due_ns);
        uint64_t now_ns = tick_monotonic_ns();

        printf("%llu\n", (unsigned long long)(now_ns - due_ns));
        due_ns = (now_ns / period_ns + 1) * period_ns;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strtol(argv[2], NULL, 10) < 1) {
        return 2;
    }
    if (argc == 3 && strcmp(argv[1], "snapshot") == 0) {
        return snapshots(strtol(argv[2], NULL, 10));
    }
    if (argc == 5 && strcmp(argv[1], "tick") == 0) {
        return ticks(strtoull(argv[2], NULL, 10), strtol(argv[3], NULL, 10),
                     (int32_t)strtol(argv[4], NULL, 10));
    }
    return 2;
}
