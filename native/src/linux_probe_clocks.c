/* Processor and GPU clocks; see linux_probe.h. */
#include "linux_probe.h"
#include "linux_text.h"

#include <string.h>

#define STEPS_BYTES 1024
#define HZ_PER_KHZ  1000

/* The kernel's list of steps, in whatever order and unit, as kHz in rising order. */
static void take_steps(struct linux_source *source, const char *text, int64_t divide)
{
    while (source->step_count < LINUX_STEPS_MAX) {
        int64_t value = 0;
        uint32_t at = source->step_count;
        const char *end = linux_scan_fixed(text + strspn(text, " \t\n"), 0, &value);

        if (end == NULL || value / divide <= 0 || value / divide > UINT32_MAX) {
            return;
        }
        for (; at > 0 && source->step_khz[at - 1] > value / divide; at--) {
            source->step_khz[at] = source->step_khz[at - 1];
        }
        source->step_khz[at] = (uint32_t)(value / divide);
        source->step_count++;
        text = end;
    }
}

static void read_steps(const struct linux_reader *reader, struct linux_source *source,
                       const char *file, int64_t divide)
{
    char text[STEPS_BYTES];

    if (linux_read_once(reader->sys, source->folder, file, text, sizeof text) > 0) {
        take_steps(source, text, divide);
    }
    if (source->step_count > 0) {
        source->lowest_khz = source->step_khz[0];
        source->highest_khz = source->step_khz[source->step_count - 1];
    }
}

static void read_bound(const struct linux_reader *reader, struct linux_source *source,
                       const char *file, int64_t divide, uint32_t *bound_khz)
{
    int64_t value = 0;

    if (linux_read_number(reader->sys, source->folder, file, &value) == HAL_OK &&
        value / divide > 0 && value / divide <= UINT32_MAX) {
        *bound_khz = (uint32_t)(value / divide);
    }
}

/* `divide`: from the files' unit to kHz. */
static void add_clock(const struct linux_reader *reader, struct linux_inventory *inventory,
                      struct linux_source *source, const char *const files[LINUX_NODES_MAX],
                      int32_t divide)
{
    read_bound(reader, source, files[1], divide, &source->found_min_khz);
    read_bound(reader, source, files[2], divide, &source->found_max_khz);
    if (source->highest_khz == 0) {
        /* Without bounds of the hardware the caps found are as far as we go. */
        source->lowest_khz = source->found_min_khz;
        source->highest_khz = source->found_max_khz;
    }
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        linux_node_set(&source->node[i], source->folder, files[i]);
        source->divide[i] = divide;
    }
    if (linux_exists(reader->sys, source->folder, files[2])) {
        linux_inventory_add(inventory, source);
    }
}

static void add_policy(const struct linux_reader *reader, struct linux_inventory *inventory,
                       const char *folder, const char *name)
{
    static const char *const FILES[LINUX_NODES_MAX] = {"scaling_cur_freq", "scaling_min_freq",
                                                       "scaling_max_freq"};
    struct linux_source source = linux_source_make(LINUX_CPU, name);

    memcpy(source.folder, folder, sizeof source.folder);
    read_steps(reader, &source, "scaling_available_frequencies", 1);
    read_bound(reader, &source, "cpuinfo_min_freq", 1, &source.lowest_khz);
    read_bound(reader, &source, "cpuinfo_max_freq", 1, &source.highest_khz);
    add_clock(reader, inventory, &source, FILES, 1);
}

static void add_policies(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    char cpus[LINUX_PATH_BYTES];
    char folder[LINUX_PATH_BYTES];
    struct linux_names names;

    linux_probe_folder(cpus, reader->config->sysfs_root, "devices/system/cpu", "cpufreq");
    if (linux_list(reader->sys, cpus, "policy", "", &names) > 0) {
        for (uint32_t i = 0; i < names.count; i++) {
            (void)linux_path(folder, cpus, names.name[i]);
            add_policy(reader, inventory, folder, names.name[i]);
        }
        return;
    }
    /* Kernels before 4.3 have the files below each processor only. */
    linux_probe_folder(cpus, reader->config->sysfs_root, "devices/system", "cpu");
    (void)linux_list(reader->sys, cpus, "cpu", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        linux_probe_folder(folder, cpus, names.name[i], "cpufreq");
        add_policy(reader, inventory, folder, names.name[i]);
    }
}

/* A devfreq device is the GPU when the device tree calls it so, or its own name does. */
static int is_gpu(const struct linux_reader *reader, const char *folder, const char *name)
{
    static const char *const NAMES[] = {"gpu", "ga10b", "gv11b", "gp10b"};
    char node[HAL_NAME_BYTES];
    char below[LINUX_PATH_BYTES];
    int tree = 0;

    (void)linux_path(below, folder, "device/of_node");
    tree = linux_read_once(reader->sys, below, "name", node, sizeof node) > 0;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (tree ? strcmp(node, NAMES[i]) == 0 : strstr(name, NAMES[i]) != NULL) {
            return 1;
        }
    }
    return linux_name_starts(name, "gpu-gpc-0"); /* Thor: no node of its own */
}

static void add_gpu(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    static const char *const FILES[LINUX_NODES_MAX] = {"cur_freq", "min_freq", "max_freq"};
    char class[LINUX_PATH_BYTES];
    struct linux_names names;

    linux_probe_folder(class, reader->config->sysfs_root, "class", "devfreq");
    (void)linux_list(reader->sys, class, "", "", &names);
    for (uint32_t i = 0; i < names.count; i++) {
        struct linux_source source = linux_source_make(LINUX_GPU, names.name[i]);

        (void)linux_path(source.folder, class, names.name[i]);
        if (is_gpu(reader, source.folder, names.name[i])) {
            read_steps(reader, &source, "available_frequencies", HZ_PER_KHZ);
            add_clock(reader, inventory, &source, FILES, HZ_PER_KHZ);
        }
    }
}

void linux_probe_clocks(const struct linux_reader *reader, struct linux_inventory *inventory)
{
    add_policies(reader, inventory);
    add_gpu(reader, inventory);
}
