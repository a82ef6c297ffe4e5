/* Energy out of power readings. */
#include "check.h"
#include "linux_energy.h"

#define S UINT64_C(1000000000)

static void a_steady_power_gives_power_times_time(void)
{
    struct linux_energy energy = {0};

    for (uint64_t i = 1; i <= 11; i++) {
        linux_energy_step(&energy, 1, 5000, i * S, 2 * S);
    }
    CHECK(energy.uj == 50000000 && energy.gaps == 0); /* 5 W for 10 s */
}

static void a_slope_is_the_mean_of_its_ends(void)
{
    struct linux_energy energy = {0};

    linux_energy_step(&energy, 1, 1000, S, 2 * S);
    linux_energy_step(&energy, 1, 3000, 2 * S, 2 * S);
    CHECK(energy.uj == 2000000);
}

static void less_than_a_microjoule_is_not_lost(void)
{
    struct linux_energy energy = {0};

    for (uint64_t i = 1; i <= 1000001; i++) {
        linux_energy_step(&energy, 1, 1, i * 1000, S); /* 1 mW for 1 us: 1 nJ */
    }
    CHECK(energy.uj == 1000);
}

static void an_interval_without_power_at_an_end_is_a_gap(void)
{
    struct linux_energy energy = {0};

    linux_energy_step(&energy, 0, 0, S, 2 * S);
    linux_energy_step(&energy, 1, 1000, 2 * S, 2 * S);
    linux_energy_step(&energy, 1, 1000, 3 * S, 2 * S);
    linux_energy_step(&energy, 0, 0, 4 * S, 2 * S);
    CHECK(energy.uj == 1000000 && energy.gaps == 2);
}

static void an_interval_that_is_too_long_is_a_gap(void)
{
    struct linux_energy energy = {0};

    linux_energy_step(&energy, 1, 1000, S, 2 * S);
    linux_energy_step(&energy, 1, 1000, 4 * S, 2 * S);
    CHECK(energy.uj == 0 && energy.gaps == 1);
    linux_energy_step(&energy, 1, -7, 5 * S, 2 * S); /* a sensor's zero point */
    CHECK(energy.uj == 500000 && energy.gaps == 1);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_steady_power_gives_power_times_time),
        PROMISE(a_slope_is_the_mean_of_its_ends),
        PROMISE(less_than_a_microjoule_is_not_lost),
        PROMISE(an_interval_without_power_at_an_end_is_a_gap),
        PROMISE(an_interval_that_is_too_long_is_a_gap),
    };

    KEEP(PROMISES);
    return 0;
}
