/* What is found on a board, by name and type. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_boards.h"
#include "hal.h"
#include "linux_probe.h"

static struct hal_linux_config config;
static struct linux_modes modes;
static struct linux_inventory inventory;
static _Atomic uint32_t latched;

static struct linux_reader look(const struct tree *tree)
{
    struct linux_reader reader = {
        .sys = linux_syscalls_real(), .config = &config, .modes = &modes, .latched = &latched};

    (void)tree;
    memset(&inventory, 0, sizeof inventory);
    CHECK(linux_modes_load(reader.sys, config.nvpmodel_conf, &modes) == HAL_OK);
    linux_probe(&reader, &inventory);
    return reader;
}

static const struct linux_source *find(uint32_t kind, const char *name)
{
    int32_t at = linux_inventory_find(&inventory, kind, name, 0);

    return at < 0 ? NULL : &inventory.source[at];
}

static uint32_t count_of(uint32_t kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < atomic_load(&inventory.count); i++) {
        count += inventory.source[i].kind == kind;
    }
    return count;
}

static int ends(const char *path, const char *end)
{
    return strlen(path) >= strlen(end) && strcmp(path + strlen(path) - strlen(end), end) == 0;
}

static void a_raspberry_pi_4_has_no_power_to_measure(void)
{
    struct tree tree = tree_make();
    char model[2 * HAL_NAME_BYTES];

    board_pi4(&tree);
    board_config(&tree, &config);
    struct linux_reader reader = look(&tree);

    linux_probe_model(&reader, model);
    CHECK(strcmp(model, "Raspberry Pi 4 Model B Rev 1.5") == 0);
    CHECK(count_of(LINUX_ZONE) == 1 && find(LINUX_ZONE, "cpu-thermal") != NULL);
    CHECK(count_of(LINUX_RAIL) == 0 && count_of(LINUX_GPU) == 0 && count_of(LINUX_MODE) == 0);
    CHECK(find(LINUX_THROTTLE, "firmware")->way == LINUX_BY_WORD);
    CHECK(find(LINUX_THROTTLE, "rpi_volt") == NULL); /* the word says it already */
    const struct linux_source *policy = find(LINUX_CPU, "policy0");

    CHECK(policy->lowest_khz == 600000 && policy->highest_khz == 1800000);
    CHECK(policy->step_count == 6 && policy->step_khz[3] == 1000000);
    CHECK(count_of(LINUX_PRESSURE) == 1);
    tree_remove(&tree);
}

static void without_the_vendors_file_the_firmware_is_asked_itself(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    board_config(&tree, &config);
    tree_vanish(&tree, "sys/bus/platform/devices/soc:firmware/get_throttled");
    look(&tree);
    CHECK(find(LINUX_THROTTLE, "firmware") == NULL);
    CHECK(find(LINUX_THROTTLE, "rpi_volt")->bit == HAL_THROTTLE_UNDER_VOLTAGE);
    tree_write(&tree, "dev/vcio", "");
    look(&tree);
    CHECK(find(LINUX_THROTTLE, "firmware")->way == LINUX_BY_FIRMWARE);
    CHECK(find(LINUX_THROTTLE, "rpi_volt") == NULL);
    tree_remove(&tree);
}

static void a_raspberry_pi_5_has_a_power_chip_a_fan_and_a_converter(void)
{
    struct tree tree = tree_make();

    tree_write(&tree, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0");
    tree_write(&tree, "dev/vcio", "");
    board_zone(&tree, 0, "cpu-thermal\n", "51000\n");
    board_hwmon(&tree, 0, "rp1_adc\n", "in1_input", "1480\n");
    board_hwmon(&tree, 0, "rp1_adc\n", "in4_input", "1480\n");
    board_hwmon(&tree, 0, "rp1_adc\n", "temp1_input", "43000\n");
    board_hwmon(&tree, 2, "pwmfan\n", "fan1_input", "2975\n");
    board_hwmon(&tree, 2, "pwmfan\n", "pwm1", "75\n");
    board_config(&tree, &config);
    look(&tree);
    CHECK(find(LINUX_RAIL, "pmic")->way == LINUX_BY_FIRMWARE);
    CHECK(find(LINUX_RAIL, "rp1_adc.in1") != NULL && find(LINUX_RAIL, "rp1_adc.in4") != NULL);
    CHECK(count_of(LINUX_RAIL) == 3);
    CHECK(find(LINUX_ZONE, "rp1_adc") != NULL && count_of(LINUX_ZONE) == 2);
    CHECK(ends(find(LINUX_FAN, "fan")->node[0].path, "hwmon2/fan1_input"));
    CHECK(ends(find(LINUX_FAN, "fan")->node[1].path, "hwmon2/pwm1"));
    tree_vanish(&tree, "dev/vcio"); /* a kernel without the vendor's way to the firmware */
    look(&tree);
    CHECK(find(LINUX_RAIL, "pmic") == NULL);
    tree_remove(&tree);
}

static void a_jetson_has_rails_a_gpu_counters_and_a_mode(void)
{
    struct tree tree = tree_make();

    board_orin_nano(&tree);
    board_config(&tree, &config);
    look(&tree);
    CHECK(count_of(LINUX_ZONE) == 3 && find(LINUX_ZONE, "tj-thermal") != NULL);
    CHECK(count_of(LINUX_RAIL) == 3);
    CHECK(ends(find(LINUX_RAIL, "VDD_IN")->node[1].path, "1-0040/hwmon/hwmon1/curr1_input"));
    CHECK(find(LINUX_RAIL, "VDD_SOC")->group == LINUX_GROUP_I2C + 1);
    CHECK(count_of(LINUX_CPU) == 2);
    const struct linux_source *gpu = find(LINUX_GPU, "17000000.gpu");

    CHECK(gpu->lowest_khz == 306000 && gpu->highest_khz == 624750 && gpu->step_count == 5);
    CHECK(gpu->divide[0] == 1000);
    CHECK(ends(find(LINUX_FAN, "fan")->node[0].path, "hwmon3/rpm"));
    CHECK(ends(find(LINUX_OVERCURRENT, "soctherm_oc")->node[2].path, "hwmon2/oc3_event_cnt"));
    CHECK(find(LINUX_OVERCURRENT, "soctherm_oc")->node[1].path[0] == '\0');
    CHECK(find(LINUX_MODE, "nvpmodel") != NULL);
    tree_remove(&tree);
}

static void channels_that_are_not_connected_are_no_rails(void)
{
    static const char *const FIRST[3] = {"VDD_GPU_SOC\n", "VDD_CPU_CV\n", "VIN_SYS_5V0\n"};
    static const char *const SECOND[3] = {"NC\n", "VDDQ_VDD2_1V8AO\n", "NC_3\n"};
    struct tree tree = tree_make();

    board_ina3221(&tree, "1-0040", 3, FIRST);
    board_ina3221(&tree, "1-0041", 4, SECOND);
    tree_write(&tree, "sys/bus/i2c/devices/i2c-1/name", "Tegra I2C adapter\n");
    tree_write(&tree, "sys/bus/i2c/devices/2-0050/name", "24c02\n");
    board_config(&tree, &config);
    look(&tree);
    CHECK(count_of(LINUX_RAIL) == 4 && find(LINUX_RAIL, "VDDQ_VDD2_1V8AO") != NULL);
    tree_remove(&tree);
}

static void single_channel_monitors_tell_power_in_microwatts(void)
{
    struct tree tree = tree_make();

    tree_write(&tree, "sys/bus/i2c/devices/1-0045/name", "ina226\n");
    tree_write(&tree, "sys/bus/i2c/devices/1-0045/hwmon/hwmon5/in1_input", "12000\n");
    tree_write(&tree, "sys/bus/i2c/devices/1-0045/hwmon/hwmon5/curr1_input", "900\n");
    tree_write(&tree, "sys/bus/i2c/devices/1-0045/hwmon/hwmon5/power1_input", "10800000\n");
    board_hwmon(&tree, 5, "ina226\n", "temp1_input", "30000\n");
    board_config(&tree, &config);
    look(&tree);
    const struct linux_source *rail = find(LINUX_RAIL, "ina226@1-0045.1");

    CHECK(rail != NULL && rail->divide[2] == 1000 && rail->group == LINUX_GROUP_I2C + 1);
    CHECK(count_of(LINUX_ZONE) == 0);
    tree_remove(&tree);
}

static void the_older_industrial_driver_shows_the_same_rails(void)
{
    struct tree tree = tree_make();
    const char *folder = "sys/bus/i2c/devices/6-0040";
    char name[128];

    snprintf(name, sizeof name, "%s/name", folder);
    tree_write(&tree, name, "ina3221x\n");
    for (int n = 0; n < 2; n++) {
        static const char *const FILES[] = {"rail_name_%d", "in_voltage%d_input",
                                            "in_current%d_input", "in_power%d_input"};

        for (size_t i = 0; i < COUNT_OF(FILES); i++) {
            char file[32];

            snprintf(file, sizeof file, FILES[i], n);
            snprintf(name, sizeof name, "%s/iio:device0/%s", folder, file);
            tree_write(&tree, name, i == 0 ? (n == 0 ? "POM_5V_IN\n" : "POM_5V_GPU\n") : "5000\n");
        }
    }
    board_config(&tree, &config);
    look(&tree);
    CHECK(count_of(LINUX_RAIL) == 2);
    CHECK(ends(find(LINUX_RAIL, "POM_5V_IN")->node[0].path, "iio:device0/in_voltage0_input"));
    CHECK(ends(find(LINUX_RAIL, "POM_5V_GPU")->node[2].path, "iio:device0/in_power1_input"));
    CHECK(find(LINUX_RAIL, "POM_5V_IN")->divide[2] == 1);
    tree_remove(&tree);
}

static void a_gpu_is_known_by_its_node_or_by_its_own_name(void)
{
    struct tree tree = tree_make();

    board_config(&tree, &config);
    board_gpu(&tree, "15340000.vic", "vic");
    look(&tree);
    CHECK(count_of(LINUX_GPU) == 0);
    board_gpu(&tree, "17000000.ga10b", NULL);
    look(&tree);
    CHECK(find(LINUX_GPU, "17000000.ga10b") != NULL);
    tree_write(&tree, "sys/class/devfreq/17000000.ga10b/device/of_node/name", "other");
    board_gpu(&tree, "gpu-gpc-0", NULL);
    tree_vanish(&tree, "sys/class/devfreq/gpu-gpc-0/available_frequencies");
    look(&tree);
    CHECK(count_of(LINUX_GPU) == 1 && find(LINUX_GPU, "gpu-gpc-0")->step_count == 0);
    CHECK(find(LINUX_GPU, "gpu-gpc-0")->lowest_khz == 306000);
    CHECK(find(LINUX_GPU, "gpu-gpc-0")->highest_khz == 624750);
    tree_remove(&tree);
}

static void a_pc_has_what_its_drivers_show_and_nothing_else(void)
{
    struct tree tree = tree_make();
    char model[2 * HAL_NAME_BYTES];

    tree_write(&tree, "sys/class/dmi/id/product_name", "Some PC\n");
    board_zone(&tree, 0, "acpitz\n", "27800\n");
    board_zone(&tree, 1, "x86_pkg_temp\n", "41000\n");
    board_hwmon(&tree, 0, "acpitz\n", "temp1_input", "27800\n");
    board_hwmon(&tree, 1, "nvme\n", "temp1_input", "33850\n");
    board_hwmon(&tree, 2, "coretemp\n", "temp1_input", "41000\n");
    board_hwmon(&tree, 3, "nothing\n", NULL, NULL);
    tree_write(&tree, "sys/class/thermal/cooling_device0/type", "Processor\n");
    tree_write(&tree, "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq", "4000000\n");
    tree_folder(&tree, "sys/class/thermal/thermal_zone2");
    tree_folder(&tree, "sys/class/hwmon/hwmon4");
    board_config(&tree, &config);
    struct linux_reader reader = look(&tree);

    linux_probe_model(&reader, model);
    CHECK(strcmp(model, "Some PC") == 0);
    CHECK(count_of(LINUX_ZONE) == 4 && count_of(LINUX_RAIL) == 0 && count_of(LINUX_THROTTLE) == 0);
    CHECK(count_of(LINUX_PRESSURE) == 0 && count_of(LINUX_FAN) == 0 && count_of(LINUX_MODE) == 0);
    CHECK(find(LINUX_CPU, "cpu0") != NULL && find(LINUX_CPU, "cpu0")->step_count == 0);
    tree_remove(&tree);
}

static void alerts_of_the_thermal_class_are_throttle_bits(void)
{
    struct tree tree = tree_make();

    tree_write(&tree, "sys/class/thermal/cooling_device3/type", "gpu-throttle-alert\n");
    tree_write(&tree, "sys/class/thermal/cooling_device3/cur_state", "0\n");
    tree_write(&tree, "sys/class/thermal/cooling_device4/type", "pwm-fan\n");
    tree_folder(&tree, "sys/class/thermal/cooling_device5");
    board_config(&tree, &config);
    look(&tree);
    CHECK(count_of(LINUX_THROTTLE) == 1);
    CHECK(find(LINUX_THROTTLE, "gpu-throttle-alert")->bit == HAL_THROTTLE_THERMAL);
    tree_remove(&tree);
}

static void what_the_configuration_names_is_a_source_too(void)
{
    struct tree tree = tree_make();

    board_config(&tree, &config);
    config.inas[1] = (struct hal_linux_ina){.name = "battery", .bus = 1, .address = 0x41};
    config.inputs[2] = (struct hal_linux_input){.name = "sun", .channel = 2};
    look(&tree);
    CHECK(find(LINUX_INPUT, "sun") == NULL); /* no converter is configured */
    strcpy(config.spi, "spidev0.0");
    look(&tree);
    CHECK(find(LINUX_RAIL, "battery")->device == 1);
    CHECK(ends(find(LINUX_RAIL, "battery")->node[0].path, "/dev/i2c-1"));
    /* Whoever shares a bus shares its trouble, and is not read while another one is. */
    CHECK(find(LINUX_RAIL, "battery")->group == LINUX_GROUP_I2C + 1);
    CHECK(find(LINUX_INPUT, "sun")->group == LINUX_GROUP_SPI);
    CHECK(find(LINUX_INPUT, "sun")->device == 2);
    CHECK(ends(find(LINUX_INPUT, "sun")->node[0].path, "/dev/spidev0.0"));
    tree_remove(&tree);
}

static void an_empty_machine_has_nothing_and_no_name(void)
{
    struct tree tree = tree_make();
    char model[2 * HAL_NAME_BYTES];
    char path[LINUX_PATH_BYTES];
    char root[LINUX_PATH_BYTES];

    board_config(&tree, &config);
    struct linux_reader reader = look(&tree);

    CHECK(atomic_load(&inventory.count) == 0);
    linux_probe_model(&reader, model);
    CHECK(model[0] == '\0');
    memset(root, 'r', sizeof root);
    root[sizeof root - 1] = '\0';
    linux_probe_folder(path, root, "class", "thermal");
    CHECK(path[0] == '\0');
    tree_remove(&tree);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_raspberry_pi_4_has_no_power_to_measure),
        PROMISE(without_the_vendors_file_the_firmware_is_asked_itself),
        PROMISE(a_raspberry_pi_5_has_a_power_chip_a_fan_and_a_converter),
        PROMISE(a_jetson_has_rails_a_gpu_counters_and_a_mode),
        PROMISE(channels_that_are_not_connected_are_no_rails),
        PROMISE(single_channel_monitors_tell_power_in_microwatts),
        PROMISE(the_older_industrial_driver_shows_the_same_rails),
        PROMISE(a_gpu_is_known_by_its_node_or_by_its_own_name),
        PROMISE(a_pc_has_what_its_drivers_show_and_nothing_else),
        PROMISE(alerts_of_the_thermal_class_are_throttle_bits),
        PROMISE(what_the_configuration_names_is_a_source_too),
        PROMISE(an_empty_machine_has_nothing_and_no_name),
    };

    KEEP(PROMISES);
    return 0;
}
