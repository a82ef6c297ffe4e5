/* A vendor's table of power modes, and what is none. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_tree.h"
#include "hal.h"
#include "linux_nvpmodel.h"

static const char TABLE[] = "# a comment with < POWER_MODEL in it\n"
                            "< PARAM TYPE=CLOCK NAME=CPU_A78_0 >\n"
                            "MAX_FREQ /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq\n"
                            "< PARAM TYPE=FILE NAME=EMC >\n"
                            "MAX_FREQ /sys/kernel/nvpmodel_emc_cap/emc_iso_cap\n"
                            "\n"
                            "< POWER_MODEL ID=0 NAME=15W >\n"
                            "CPU_ONLINE CORE_0 1\n"
                            "CPU_ONLINE CORE_5 0\n"
                            "GPU_POWER_CONTROL_ENABLE GPU_PWR_CNTL_EN on\n"
                            "CPU_A78_0 MIN_FREQ 729600\n"
                            "CPU_A78_0 MAX_FREQ 1510400\n"
                            "  CPU_A78_1 MAX_FREQ 1420800\n"
                            "GPU MIN_FREQ 0\n"
                            "GPU MAX_FREQ 612000000\n"
                            "EMC MAX_FREQ 2133000000\n"
                            "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"
                            "CPU_A78_0 MAX_FREQ -1\n"
                            "GPU MAX_FREQ -1\n"
                            "< PM_CONFIG DEFAULT=0 >\n"
                            "CPU_A78_0 MAX_FREQ 1000\n";

static void a_mode_has_a_name_and_the_caps_in_it(void)
{
    struct tree tree = tree_make();
    struct linux_modes modes;
    char path[TREE_PATH_BYTES];

    tree_write(&tree, "nvpmodel.conf", TABLE);
    tree_path(&tree, path, "nvpmodel.conf");
    CHECK(linux_modes_load(linux_syscalls_real(), path, &modes) == HAL_OK);
    CHECK(modes.count == 2);
    const struct linux_mode *mode = linux_mode_named(&modes, "15W");

    CHECK(mode != NULL && mode->id == 0);
    CHECK(mode->cpu_khz_max == 1420800); /* the lower cluster */
    CHECK(mode->gpu_khz_max == 612000);
    mode = linux_mode_named(&modes, "MAXN_SUPER");
    CHECK(mode != NULL && mode->id == 2 && mode->cpu_khz_max == 0 && mode->gpu_khz_max == 0);
    CHECK(linux_mode_named(&modes, "7W") == NULL);
    CHECK(linux_mode_of_status(&modes, "pmode:0002\n") == 1);
    CHECK(linux_mode_of_status(&modes, "pmode:0000 fmode:quiet\n") == 0);
    CHECK(linux_mode_of_status(&modes, "pmode:0007\n") == HAL_E_CORRUPT);
    CHECK(linux_mode_of_status(&modes, "nothing\n") == HAL_E_CORRUPT);
    tree_remove(&tree);
}

static void an_absent_table_has_no_modes_and_a_broken_one_is_an_error(void)
{
    struct linux_modes modes = {.count = 3};
    struct trouble trouble = {.end = ".conf", .open_error = EACCES};
    struct linux_syscalls sys = trouble_table(&trouble);

    CHECK(linux_modes_load(&sys, "/no/such/file", &modes) == HAL_OK && modes.count == 0);
    CHECK(linux_modes_load(&sys, "/etc/nvpmodel.conf", &modes) == HAL_E_PERM);
    CHECK(linux_modes_load(linux_syscalls_real(), "/", &modes) == HAL_E_IO);
}

static void a_mode_without_name_or_number_is_none(void)
{
    struct linux_modes modes = {0};

    linux_modes_line(&modes, "< POWER_MODEL ID=0 >");
    linux_modes_line(&modes, "< POWER_MODEL NAME=x >");
    linux_modes_line(&modes, "< POWER_MODEL ID=x NAME=x >");
    linux_modes_line(&modes, "CPU_A78_0 MAX_FREQ 5");
    CHECK(modes.count == 0);
    linux_modes_line(&modes, "<POWER_MODEL ID=1 NAME=A_NAME_THAT_IS_LONGER_THAN_THE_ROOM>");
    linux_modes_line(&modes, "GPUX MAX_FREQ 5000");
    linux_modes_line(&modes, "GPU MAX_FREQ");
    linux_modes_line(&modes, "CPU_A78_0 MAX_FREQ 99999999999");
    CHECK(modes.count == 1 && modes.mode[0].gpu_khz_max == 0 && modes.mode[0].cpu_khz_max == 0);
    CHECK(strlen(modes.mode[0].name) == HAL_NAME_BYTES - 1);
}

static void more_modes_than_there_is_room_for_are_counted(void)
{
    struct linux_modes modes = {0};
    char line[64];

    for (int i = 0; i < LINUX_MODES_MAX + 2; i++) {
        snprintf(line, sizeof line, "< POWER_MODEL ID=%d NAME=M%d >", i, i);
        linux_modes_line(&modes, line);
        linux_modes_line(&modes, "CPU_0 MAX_FREQ 5");
    }
    CHECK(modes.count == LINUX_MODES_MAX && modes.left_out == 2);
    CHECK(modes.mode[LINUX_MODES_MAX - 1].cpu_khz_max == 5);
}

static void a_long_line_is_cut_and_the_next_one_is_whole(void)
{
    struct tree tree = tree_make();
    struct linux_modes modes;
    char path[TREE_PATH_BYTES];
    char text[1200] = "# ";

    memset(text + 2, 'x', 900);
    strcpy(text + 902, "\n< POWER_MODEL ID=3 NAME=7W >");
    tree_write(&tree, "nvpmodel.conf", text);
    tree_path(&tree, path, "nvpmodel.conf");
    CHECK(linux_modes_load(linux_syscalls_real(), path, &modes) == HAL_OK);
    CHECK(modes.count == 1 && linux_mode_named(&modes, "7W") != NULL);
    tree_remove(&tree);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_mode_has_a_name_and_the_caps_in_it),
        PROMISE(an_absent_table_has_no_modes_and_a_broken_one_is_an_error),
        PROMISE(a_mode_without_name_or_number_is_none),
        PROMISE(more_modes_than_there_is_room_for_are_counted),
        PROMISE(a_long_line_is_cut_and_the_next_one_is_whole),
    };

    KEEP(PROMISES);
    return 0;
}
