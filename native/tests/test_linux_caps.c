/* Levels as a table of caps, and the level that caps grant. */
#include "check.h"
#include "linux_caps.h"

#include <string.h>

static struct hal_linux_config config;
static struct linux_modes modes;
static struct linux_inventory inventory;
static struct linux_caps caps;
static struct linux_reader reader;
static struct linux_view view;

static void begin(void)
{
    memset(&config, 0, sizeof config);
    memset(&modes, 0, sizeof modes);
    memset(&inventory, 0, sizeof inventory);
    memset(&caps, 0, sizeof caps);
    strcpy(config.journal, "/journal");
    reader = (struct linux_reader){.config = &config, .modes = &modes};
    view = (struct linux_view){
        .config = &config, .inventory = &inventory, .now_ns = 10, .period_ns = 1, .stale_ns = 100};
}

static void grant(int32_t index, uint32_t state, int32_t upper_khz)
{
    struct linux_value value = {.v = {0, 0, upper_khz}, .state = state, .t_ns = 9};

    linux_cell_write(&inventory.cell[index], &value);
}

static void add_clock(uint32_t kind, const char *name, uint32_t found_max_khz)
{
    struct linux_source source = linux_source_make(kind, name);
    int32_t index = (int32_t)atomic_load(&inventory.count);

    source.lowest_khz = 600;
    source.highest_khz = 1800;
    source.step_count = 4;
    memcpy(source.step_khz, (const uint32_t[]){600, 1000, 1500, 1800}, 4 * sizeof(uint32_t));
    source.found_min_khz = 600;
    source.found_max_khz = found_max_khz;
    linux_inventory_add(&inventory, &source);
    grant(index, HAL_VALUE_MEASURED, (int32_t)found_max_khz);
    linux_caps_update(&caps, &reader, &inventory);
}

static void give_cpu_levels(void)
{
    config.level_count = 4;
    config.levels[1].cpu_khz_max = 1100;
    config.levels[2].cpu_khz_max = 1500;
}

static int32_t granted(uint32_t told)
{
    return linux_caps_granted(&caps, &view, told);
}

static void a_level_caps_at_a_step_and_off_at_the_lowest(void)
{
    begin();
    give_cpu_levels();
    add_clock(LINUX_CPU, "policy0", 1800);
    add_clock(LINUX_GPU, "gpu", 1800); /* no level caps it: it is left alone */
    CHECK(caps.clocks == 1 && caps.index[0] == 0);
    CHECK(caps.khz[0][0] == 600 && caps.khz[1][0] == 1000);
    CHECK(caps.khz[2][0] == 1500 && caps.khz[3][0] == 1800);
    for (uint32_t level = 0; level < 4; level++) {
        CHECK(linux_caps_check(&caps, &config, level) == HAL_OK);
    }
    CHECK(linux_caps_check(&caps, &config, 4) == HAL_E_RANGE);
}

static void no_level_raises_a_cap_above_what_was_found(void)
{
    begin();
    give_cpu_levels();
    add_clock(LINUX_CPU, "policy0", 1000); /* a power mode of the vendor's holds */
    CHECK(caps.khz[1][0] == 1000 && caps.khz[2][0] == 1000 && caps.khz[3][0] == 1000);
}

static void a_mode_of_the_vendors_gives_the_caps_that_the_level_does_not(void)
{
    begin();
    config.level_count = 3;
    strcpy(config.levels[1].power_mode, "7W");
    strcpy(config.levels[2].power_mode, "15W");
    config.levels[2].cpu_khz_max = 1500;
    linux_modes_line(&modes, "< POWER_MODEL ID=1 NAME=7W >");
    linux_modes_line(&modes, "CPU_A78_0 MAX_FREQ 1000");
    linux_modes_line(&modes, "GPU MAX_FREQ 600000");
    add_clock(LINUX_CPU, "policy0", 1800);
    CHECK(linux_caps_check(&caps, &config, 1) == HAL_E_UNSUPPORTED); /* there is no GPU to cap */
    add_clock(LINUX_GPU, "gpu", 1800);
    CHECK(caps.khz[1][0] == 1000 && caps.khz[1][1] == 600);
    CHECK(caps.khz[2][0] == 1500 && caps.khz[2][1] == 1800);
    CHECK(linux_caps_check(&caps, &config, 1) == HAL_OK);
    CHECK(linux_caps_check(&caps, &config, 2) == HAL_E_UNSUPPORTED); /* the table has no 15W */
}

static void without_a_journal_no_cap_is_set(void)
{
    begin();
    give_cpu_levels();
    config.journal[0] = '\0';
    add_clock(LINUX_CPU, "policy0", 1800);
    CHECK(linux_caps_check(&caps, &config, 1) == HAL_E_UNSUPPORTED);
}

static void levels_without_caps_are_as_they_were_told(void)
{
    begin();
    add_clock(LINUX_CPU, "policy0", 1800);
    CHECK(linux_caps_check(&caps, &config, 200) == HAL_OK);
    CHECK(granted(LINUX_LEVEL_NONE) == 0 && granted(3) == 3);
}

static void the_level_granted_is_the_told_one_or_the_highest_within_the_caps(void)
{
    begin();
    give_cpu_levels();
    add_clock(LINUX_CPU, "policy0", 1800);
    add_clock(LINUX_CPU, "policy4", 1800);
    CHECK(granted(LINUX_LEVEL_NONE) == 3);
    grant(0, HAL_VALUE_MEASURED, 1500);
    CHECK(granted(3) == 2); /* one cluster was capped by somebody else */
    grant(1, HAL_VALUE_MEASURED, 1500);
    CHECK(granted(2) == 2 && granted(1) == 2);
    grant(1, HAL_VALUE_MEASURED, 999);
    CHECK(granted(2) == 0);
    grant(1, HAL_VALUE_MEASURED, 1);
    CHECK(granted(2) == 0);              /* below the lowest, even */
    config.levels[2].cpu_khz_max = 1100; /* two levels alike */
    caps.known = 0;
    linux_caps_update(&caps, &reader, &inventory);
    grant(0, HAL_VALUE_MEASURED, 1000);
    grant(1, HAL_VALUE_OFF, 1000);
    CHECK(granted(1) == 1 && granted(2) == 2);
}

static void a_cap_that_is_not_known_leaves_the_level_unknown(void)
{
    begin();
    give_cpu_levels();
    add_clock(LINUX_CPU, "policy0", 1800);
    grant(0, HAL_VALUE_DENIED, 1800);
    CHECK(granted(1) == HAL_E_STALE);
    grant(0, HAL_VALUE_MEASURED, 1800);
    view.now_ns = 110;
    CHECK(granted(1) == HAL_E_STALE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_level_caps_at_a_step_and_off_at_the_lowest),
        PROMISE(no_level_raises_a_cap_above_what_was_found),
        PROMISE(a_mode_of_the_vendors_gives_the_caps_that_the_level_does_not),
        PROMISE(without_a_journal_no_cap_is_set),
        PROMISE(levels_without_caps_are_as_they_were_told),
        PROMISE(the_level_granted_is_the_told_one_or_the_highest_within_the_caps),
        PROMISE(a_cap_that_is_not_known_leaves_the_level_unknown),
    };

    KEEP(PROMISES);
    return 0;
}
