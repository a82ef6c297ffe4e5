/*
 * fake_boards.h - boards as folders of files: what their kernels show, as far as the backend looks.
 */
#ifndef LUMENODE_FAKE_BOARDS_H
#define LUMENODE_FAKE_BOARDS_H

#include "backend_linux.h"
#include "fake_tree.h"

/* A configuration whose roots lie in the tree, sampling nothing by itself. */
static inline void board_config(const struct tree *tree, struct hal_linux_config *config)
{
    CHECK(hal_linux_config_init(config) == HAL_OK);
    snprintf(config->sysfs_root, sizeof config->sysfs_root, "%s/sys", tree->root);
    snprintf(config->proc_root, sizeof config->proc_root, "%s/proc", tree->root);
    snprintf(config->dev_root, sizeof config->dev_root, "%s/dev", tree->root);
    snprintf(config->nvpmodel_conf, sizeof config->nvpmodel_conf, "%s/nvpmodel.conf", tree->root);
    snprintf(config->nvpmodel_status, sizeof config->nvpmodel_status, "%s/nvpmodel", tree->root);
    snprintf(config->journal, sizeof config->journal, "%s/journal", tree->root);
    config->period_ms = 0;
}

static inline void board_zone(const struct tree *tree, int number, const char *type,
                              const char *temp)
{
    char name[128];

    snprintf(name, sizeof name, "sys/class/thermal/thermal_zone%d/type", number);
    tree_write(tree, name, type);
    snprintf(name, sizeof name, "sys/class/thermal/thermal_zone%d/temp", number);
    tree_write(tree, name, temp);
}

static inline void board_policy(const struct tree *tree, int number, const char *steps,
                                const char *lowest, const char *highest)
{
    const char *const files[][2] = {
        {"scaling_cur_freq", lowest},  {"scaling_min_freq", lowest},
        {"scaling_max_freq", highest}, {"scaling_available_frequencies", steps},
        {"cpuinfo_min_freq", lowest},  {"cpuinfo_max_freq", highest}};
    char name[128];

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(name, sizeof name, "sys/devices/system/cpu/cpufreq/policy%d/%s", number,
                 files[i][0]);
        tree_write(tree, name, files[i][1]);
    }
}

static inline void board_pressure(const struct tree *tree)
{
    static const char TEXT[] = "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n";

    tree_write(tree, "proc/pressure/cpu", TEXT);
    tree_write(tree, "proc/pressure/memory", TEXT);
    tree_write(tree, "proc/pressure/io", TEXT);
}

static inline void board_boot_id(const struct tree *tree, const char *id)
{
    tree_write(tree, "proc/sys/kernel/random/boot_id", id);
}

/* An INA3221 with its three channels, as a kernel since 4.20 shows it. */
static inline void board_ina3221(const struct tree *tree, const char *device, int hwmon,
                                 const char *const labels[3])
{
    char name[160];

    snprintf(name, sizeof name, "sys/bus/i2c/devices/%s/name", device);
    tree_write(tree, name, "ina3221\n");
    for (int n = 1; n <= 3; n++) {
        const char *const files[][2] = {
            {"in%d_label", labels[n - 1]}, {"in%d_input", "5000\n"}, {"curr%d_input", "1000\n"}};

        for (size_t i = 0; i < COUNT_OF(files); i++) {
            char file[32];

            snprintf(file, sizeof file, files[i][0], n);
            snprintf(name, sizeof name, "sys/bus/i2c/devices/%s/hwmon/hwmon%d/%s", device, hwmon,
                     file);
            tree_write(tree, name, files[i][1]);
        }
    }
    snprintf(name, sizeof name, "sys/bus/i2c/devices/%s/hwmon/hwmon%d/in7_label", device, hwmon);
    tree_write(tree, name, "sum of shunt voltages\n");
    snprintf(name, sizeof name, "sys/bus/i2c/devices/%s/hwmon/hwmon%d/in7_input", device, hwmon);
    tree_write(tree, name, "12\n");
}

static inline void board_gpu(const struct tree *tree, const char *device, const char *node)
{
    const char *const files[][2] = {{"cur_freq", "306000000\n"},
                                    {"min_freq", "306000000\n"},
                                    {"max_freq", "624750000\n"},
                                    {"available_frequencies", "306000000 408000000 510000000 "
                                                              "612000000 624750000\n"}};
    char name[160];

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(name, sizeof name, "sys/class/devfreq/%s/%s", device, files[i][0]);
        tree_write(tree, name, files[i][1]);
    }
    if (node != NULL) {
        snprintf(name, sizeof name, "sys/class/devfreq/%s/device/of_node/name", device);
        tree_write(tree, name, node);
    }
}

static inline void board_hwmon(const struct tree *tree, int number, const char *device,
                               const char *file, const char *text)
{
    char name[128];

    snprintf(name, sizeof name, "sys/class/hwmon/hwmon%d/name", number);
    tree_write(tree, name, device);
    if (file != NULL) {
        snprintf(name, sizeof name, "sys/class/hwmon/hwmon%d/%s", number, file);
        tree_write(tree, name, text);
    }
}

/* A Raspberry Pi 4: one zone, one policy, the firmware's word, voltages and no current. */
static inline void board_pi4(const struct tree *tree)
{
    tree_write(tree, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5");
    board_boot_id(tree, "11111111-1111-4111-8111-111111111111\n");
    board_zone(tree, 0, "cpu-thermal\n", "48199\n");
    board_hwmon(tree, 0, "cpu_thermal\n", "temp1_input", "48199\n");
    board_hwmon(tree, 1, "rpi_volt\n", "in0_lcrit_alarm", "0\n");
    board_policy(tree, 0, "600000 700000 800000 1000000 1500000 1800000 \n", "600000\n",
                 "1800000\n");
    tree_write(tree, "sys/bus/platform/devices/soc:firmware/get_throttled", "0\n");
    board_pressure(tree);
}

/* A Jetson Orin Nano: gated zones, a three-channel monitor with a total, a GPU, power modes. */
static inline void board_orin_nano(const struct tree *tree)
{
    static const char *const LABELS[3] = {"VDD_IN\n", "VDD_CPU_GPU_CV\n", "VDD_SOC\n"};

    tree_write(tree, "proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit");
    board_boot_id(tree, "22222222-2222-4222-8222-222222222222\n");
    board_zone(tree, 0, "cpu-thermal\n", "50312\n");
    board_zone(tree, 1, "gpu-thermal\n", "-256000\n");
    board_zone(tree, 2, "tj-thermal\n", "51562\n");
    board_ina3221(tree, "1-0040", 1, LABELS);
    board_policy(tree, 0, "729600 1036800 1190400 1344000 1510400 \n", "729600\n", "1510400\n");
    board_policy(tree, 4, "729600 1036800 1190400 1344000 1510400 \n", "729600\n", "1510400\n");
    board_gpu(tree, "17000000.gpu", "gpu");
    board_hwmon(tree, 0, "pwmfan\n", "pwm1", "75\n");
    board_hwmon(tree, 3, "pwm_tach\n", "rpm", "2975\n");
    board_hwmon(tree, 2, "soctherm_oc\n", "oc1_event_cnt", "0\n");
    board_hwmon(tree, 2, "soctherm_oc\n", "oc3_event_cnt", "27\n");
    tree_write(tree, "nvpmodel.conf",
               "< POWER_MODEL ID=0 NAME=15W >\nCPU_A78_0 MAX_FREQ 1510400\n"
               "GPU MAX_FREQ 624750000\n< POWER_MODEL ID=1 NAME=7W >\n"
               "CPU_A78_0 MAX_FREQ 1036800\nGPU MAX_FREQ 408000000\n");
    tree_write(tree, "nvpmodel", "pmode:0000\n");
    board_pressure(tree);
}

#endif
