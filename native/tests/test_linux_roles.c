/* Which sensor is what, and what it says at a time. */
#include "check.h"
#include "linux_roles.h"

#include <string.h>

static struct hal_linux_config config;
static struct linux_inventory inventory;
static struct linux_roles roles;
static struct linux_view view;

static void begin(void)
{
    memset(&config, 0, sizeof config);
    memset(&inventory, 0, sizeof inventory);
    memset(&roles, 0, sizeof roles);
    view = (struct linux_view){.config = &config,
                               .inventory = &inventory,
                               .now_ns = 1000,
                               .period_ns = 100,
                               .stale_ns = 500};
    linux_roles_update(&roles, &view);
}

static int32_t add(uint32_t kind, const char *name, int32_t last)
{
    struct linux_source source = linux_source_make(kind, name);
    struct linux_value value = {.state = HAL_VALUE_MEASURED, .t_ns = 900};
    uint32_t index = atomic_load(&inventory.count);

    value.v[kind == LINUX_RAIL ? 2 : 0] = last;
    linux_inventory_add(&inventory, &source);
    linux_cell_write(&inventory.cell[index], &value);
    linux_roles_update(&roles, &view);
    return (int32_t)index;
}

static void tell(int32_t index, uint32_t state, uint64_t t_ns)
{
    struct linux_value value;

    CHECK(linux_cell_read(&inventory.cell[index], &value));
    value.state = state;
    value.t_ns = t_ns;
    linux_cell_write(&inventory.cell[index], &value);
}

static uint32_t payload(int32_t *mw)
{
    *mw = -1;
    return linux_roles_payload(&roles, &view, 1, 500, mw);
}

static void the_die_is_the_hottest_place_a_board_names(void)
{
    begin();
    CHECK(add(LINUX_ZONE, "gpu-thermal", 1) == 0 && roles.player[HAL_LINUX_DIE_TEMP] == -1);
    CHECK(add(LINUX_ZONE, "coretemp", 1) == 1 && roles.player[HAL_LINUX_DIE_TEMP] == 1);
    CHECK(add(LINUX_ZONE, "CPU-therm", 1) == 2 && roles.player[HAL_LINUX_DIE_TEMP] == 2);
    CHECK(add(LINUX_ZONE, "tj-thermal", 1) == 3 && roles.player[HAL_LINUX_DIE_TEMP] == 3);
}

static void a_role_goes_to_whom_the_configuration_names(void)
{
    begin();
    strcpy(config.roles[HAL_LINUX_DIE_TEMP], "gpu-thermal");
    strcpy(config.roles[HAL_LINUX_BUS], "ina226@1-0045.1");
    strcpy(config.roles[HAL_LINUX_SUN], "sun");
    strcpy(config.roles[HAL_LINUX_ARRAY], "sun");
    strcpy(config.roles[HAL_LINUX_PAYLOAD], "-");
    (void)add(LINUX_ZONE, "tj-thermal", 1);
    (void)add(LINUX_ZONE, "gpu-thermal", 1);
    (void)add(LINUX_RAIL, "VDD_IN", 1);
    CHECK(roles.player[HAL_LINUX_BUS] == -1);
    (void)add(LINUX_RAIL, "ina226@1-0045.1", 1); /* plugged in later */
    (void)add(LINUX_INPUT, "sun", 1);
    CHECK(roles.player[HAL_LINUX_DIE_TEMP] == 1);
    CHECK(roles.player[HAL_LINUX_BUS] == 3);
    CHECK(roles.player[HAL_LINUX_SUN] == 4 && roles.player[HAL_LINUX_ARRAY] == 4);
    CHECK(roles.player[HAL_LINUX_PAYLOAD] == -1 && roles.player[HAL_LINUX_LASER] == -1);
}

static void a_value_is_stale_by_its_age(void)
{
    begin();
    int32_t at = add(LINUX_ZONE, "tj-thermal", 51000);

    CHECK(linux_view_value(&view, at).state == HAL_VALUE_MEASURED);
    view.now_ns = 1401;
    CHECK(linux_view_value(&view, at).state == HAL_VALUE_STALE);
    inventory.source[at].periods = 5; /* read every 500: three of its turns */
    CHECK(linux_view_value(&view, at).state == HAL_VALUE_MEASURED);
    view.now_ns = 2401;
    CHECK(linux_view_value(&view, at).state == HAL_VALUE_STALE);
    CHECK(linux_view_value(&view, -1).state == HAL_VALUE_UNSUPPORTED);
    struct linux_value value = linux_view_value(&view, at);

    CHECK(linux_view_quantity(&view, at, &value) == 51000);
}

static void the_payload_is_the_whole_module_where_that_is_measured(void)
{
    int32_t mw = 0;

    begin();
    (void)add(LINUX_RAIL, "VDD_SOC", 1000);
    int32_t at = add(LINUX_RAIL, "VDD_IN", 7000);

    CHECK(payload(&mw) == HAL_VALUE_MEASURED && mw == 7000);
    tell(at, HAL_VALUE_FAILED, 0);
    CHECK(payload(&mw) == HAL_VALUE_FAILED && mw == -1);
}

static void an_orin_agx_adds_up_three_rails_and_says_estimated(void)
{
    int32_t mw = 0;

    begin();
    (void)add(LINUX_RAIL, "VDD_GPU_SOC", 4000);
    (void)add(LINUX_RAIL, "VDD_CPU_CV", 2000);
    CHECK(payload(&mw) == HAL_VALUE_UNSUPPORTED && mw == -1);
    int32_t at = add(LINUX_RAIL, "VIN_SYS_5V0", 3000);

    (void)add(LINUX_RAIL, "VDDQ_VDD2_1V8AO", 500);
    CHECK(payload(&mw) == HAL_VALUE_ESTIMATED && mw == 9000);
    tell(at, HAL_VALUE_MEASURED, 100);
    CHECK(payload(&mw) == HAL_VALUE_STALE && mw == -1);
}

static void a_power_chips_estimate_stays_one(void)
{
    int32_t mw = 0;

    begin();
    int32_t at = add(LINUX_RAIL, "pmic", 4500);

    tell(at, HAL_VALUE_ESTIMATED, 900);
    CHECK(payload(&mw) == HAL_VALUE_ESTIMATED && mw == 4500);
}

static void without_any_sensor_the_level_says_what_it_draws(void)
{
    int32_t mw = 0;

    begin();
    CHECK(payload(&mw) == HAL_VALUE_UNSUPPORTED);
    config.level_count = 2;
    config.levels[1].idle_mw = 2000;
    config.levels[1].active_mw = 6000;
    CHECK(payload(&mw) == HAL_VALUE_ESTIMATED && mw == 4000);
    CHECK(linux_roles_payload(&roles, &view, LINUX_LEVEL_NONE, 500, &mw) == HAL_VALUE_UNSUPPORTED);
    CHECK(linux_roles_payload(&roles, &view, 0, 500, &mw) == HAL_VALUE_ESTIMATED && mw == 0);
    config.levels[0] = (struct hal_linux_level){.idle_mw = 700, .active_mw = 700};
    CHECK(linux_roles_payload(&roles, &view, 0, 500, &mw) == HAL_VALUE_ESTIMATED && mw == 700);
    config.levels[0] = (struct hal_linux_level){0};
    config.level_count = 1; /* nobody knows what the others draw */
    CHECK(linux_roles_payload(&roles, &view, 0, 500, &mw) == HAL_VALUE_UNSUPPORTED);
    config.level_count = 2;
    strcpy(config.roles[HAL_LINUX_PAYLOAD], "-"); /* neither sensor nor estimate is wanted */
    CHECK(payload(&mw) == HAL_VALUE_UNSUPPORTED);
    config.levels[1].active_mw = config.levels[1].idle_mw = UINT32_MAX;
    CHECK(linux_level_draw(&config, 1, 1000) == INT32_MAX);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_die_is_the_hottest_place_a_board_names),
        PROMISE(a_role_goes_to_whom_the_configuration_names),
        PROMISE(a_value_is_stale_by_its_age),
        PROMISE(the_payload_is_the_whole_module_where_that_is_measured),
        PROMISE(an_orin_agx_adds_up_three_rails_and_says_estimated),
        PROMISE(a_power_chips_estimate_stays_one),
        PROMISE(without_any_sensor_the_level_says_what_it_draws),
    };

    KEEP(PROMISES);
    return 0;
}
