/* Settings survive a crash on the medium and are put back, once. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_boards.h"
#include "hal.h"
#include "linux_journal.h"

static struct hal_linux_config config;

#define POLICY "sys/devices/system/cpu/cpufreq/policy0"

static void policy_folder(char *folder)
{
    CHECK(snprintf(folder, LINUX_PATH_BYTES, "%s/devices/system/cpu/cpufreq/policy0",
                   config.sysfs_root) > 0);
}

static struct tree board(void)
{
    struct tree tree = tree_make();

    board_pi4(&tree);
    board_config(&tree, &config);
    return tree;
}

static int has_journal(void)
{
    return access(config.journal, F_OK) == 0;
}

static void note_caps(struct linux_journal *journal, const struct linux_syscalls *sys)
{
    char folder[LINUX_PATH_BYTES];

    policy_folder(folder);
    linux_journal_init(journal, sys, &config);
    CHECK(linux_journal_file(journal, folder, "scaling_min_freq", 600000) == HAL_OK);
    CHECK(linux_journal_file(journal, folder, "scaling_max_freq", 1800000) == HAL_OK);
    CHECK(journal->entries == 0 && journal->noted == 2);
    CHECK(linux_journal_commit(journal) == HAL_OK);
    CHECK(journal->entries == 2 && journal->failed == 0);
}

static void what_was_changed_is_put_back_and_the_journal_goes(void)
{
    struct tree tree = board();
    struct linux_journal journal;

    note_caps(&journal, linux_syscalls_real());
    tree_write(&tree, POLICY "/scaling_max_freq", "1000000\n");
    tree_write(&tree, POLICY "/scaling_min_freq", "700000\n");
    /* The process ends here without a word. */
    linux_journal_close(&journal);
    CHECK(has_journal());
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == 2);
    CHECK(tree_holds(&tree, POLICY "/scaling_max_freq", "1800000\n"));
    CHECK(tree_holds(&tree, POLICY "/scaling_min_freq", "600000\n"));
    CHECK(!has_journal());
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == 0);
    tree_remove(&tree);
}

static void a_journal_of_an_earlier_start_is_dropped(void)
{
    struct tree tree = board();
    struct linux_journal journal;

    note_caps(&journal, linux_syscalls_real());
    linux_journal_close(&journal);
    tree_write(&tree, POLICY "/scaling_max_freq", "1000000\n");
    board_boot_id(&tree, "99999999-9999-4999-8999-999999999999\n");
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == 0);
    CHECK(tree_holds(&tree, POLICY "/scaling_max_freq", "1000000\n"));
    CHECK(!has_journal());
    tree_remove(&tree);
}

static void a_line_that_was_cut_off_is_passed_over(void)
{
    struct tree tree = board();
    struct linux_journal journal;
    char text[1024];

    note_caps(&journal, linux_syscalls_real());
    linux_journal_close(&journal);
    tree_read(&tree, "journal", text, sizeof text);
    for (size_t length = strlen(text); length > 0; length--) {
        int whole = 0;

        text[length] = '\0';
        for (size_t i = 0; i < length; i++) {
            whole += text[i] == '\n';
        }
        tree_write(&tree, "journal", text);
        tree_write(&tree, POLICY "/scaling_max_freq", "1000000\n");
        CHECK(linux_journal_restore(linux_syscalls_real(), &config) == (whole > 0 ? whole - 1 : 0));
        CHECK(
            tree_holds(&tree, POLICY "/scaling_max_freq", whole == 3 ? "1800000\n" : "1000000\n"));
    }
    tree_remove(&tree);
}

static void what_is_no_journal_is_left_alone(void)
{
    struct tree tree = board();

    tree_write(&tree, "journal", "somebody's letter\nwith two lines\n");
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == HAL_E_CORRUPT);
    CHECK(tree_holds(&tree, "journal", "somebody's letter\nwith two lines\n"));
    tree_remove(&tree);
}

static void a_journal_touches_nothing_outside_its_root(void)
{
    struct tree tree = board();
    struct linux_journal journal;
    char folder[LINUX_PATH_BYTES];

    policy_folder(folder);
    linux_journal_init(&journal, linux_syscalls_real(), &config);
    CHECK(linux_journal_file(&journal, "/etc", "passwd", 0) == HAL_E_RANGE && journal.failed == 1);
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 5) == HAL_OK);
    CHECK(linux_journal_commit(&journal) == HAL_OK);
    linux_journal_close(&journal);
    /* The same file, read with another root: its paths are foreign now. */
    strcpy(config.sysfs_root, "/sys/elsewhere");
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == HAL_E_PERM);
    CHECK(has_journal());
    CHECK(tree_holds(&tree, POLICY "/scaling_max_freq", "1800000\n"));
    tree_remove(&tree);
}

static void what_could_not_be_written_is_counted_and_was_not_journaled(void)
{
    struct tree tree = board();
    struct trouble trouble = {.end = "journal", .fsync_error = EIO};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_journal journal;
    char folder[LINUX_PATH_BYTES];

    policy_folder(folder);
    linux_journal_init(&journal, &sys, &config);
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 1800000) == HAL_OK);
    CHECK(linux_journal_commit(&journal) == HAL_E_IO);
    CHECK(journal.failed == 1 && journal.entries == 0 && journal.fd == -1);
    trouble.fsync_error = 0;
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 1800000) == HAL_OK);
    CHECK(linux_journal_commit(&journal) == HAL_OK && linux_journal_commit(&journal) == HAL_OK);
    trouble.write_error = ENOSPC;
    CHECK(linux_journal_file(&journal, folder, "scaling_min_freq", 600000) == HAL_E_BUSY);
    CHECK(journal.failed == 2 && journal.entries == 1);
    trouble.write_error = 0;
    trouble.fsync_error = EIO;
    CHECK(linux_journal_file(&journal, folder, "scaling_min_freq", 600000) == HAL_OK);
    CHECK(linux_journal_file(&journal, folder, "scaling_min_freq", 600000) == HAL_OK);
    CHECK(linux_journal_commit(&journal) == HAL_E_IO);
    CHECK(journal.failed == 4 && journal.noted == 1);
    trouble.fsync_error = 0;
    linux_journal_close(&journal);
    tree_write(&tree, POLICY "/scaling_max_freq", "1000000\n");
    CHECK(linux_journal_restore(&sys, &config) == 1); /* what was cut off again is not there */
    CHECK(tree_holds(&tree, POLICY "/scaling_max_freq", "1800000\n"));
    trouble.open_error = EROFS;
    linux_journal_init(&journal, &sys, &config);
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 1) == HAL_E_PERM);
    CHECK(linux_journal_restore(&sys, &config) == HAL_E_PERM);
    tree_remove(&tree);
}

static void without_a_path_there_is_no_journal(void)
{
    struct tree tree = board();
    struct linux_journal journal;
    char folder[LINUX_PATH_BYTES];

    policy_folder(folder);
    config.journal[0] = '\0';
    linux_journal_init(&journal, linux_syscalls_real(), &config);
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 1) == HAL_E_UNSUPPORTED);
    CHECK(journal.failed == 0);
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == 0);
    tree_remove(&tree);
}

static void a_full_journal_takes_nothing_more(void)
{
    struct tree tree = board();
    struct linux_journal journal;
    char folder[LINUX_PATH_BYTES];

    policy_folder(folder);
    linux_journal_init(&journal, linux_syscalls_real(), &config);
    for (int i = 0; i < LINUX_JOURNAL_LINES_MAX; i++) {
        CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", i) == HAL_OK);
    }
    CHECK(linux_journal_commit(&journal) == HAL_OK);
    CHECK(linux_journal_file(&journal, folder, "scaling_max_freq", 5) == HAL_E_BUSY);
    linux_journal_close(&journal);
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == LINUX_JOURNAL_LINES_MAX);
    CHECK(tree_holds(&tree, POLICY "/scaling_max_freq", "0\n")); /* the first value is the oldest */
    tree_remove(&tree);
}

static void what_is_gone_needs_no_putting_back_and_what_is_forbidden_keeps_the_journal(void)
{
    struct tree tree = board();
    struct trouble trouble = {.end = "scaling_max_freq", .open_error = EACCES};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_journal journal;

    note_caps(&journal, linux_syscalls_real());
    CHECK(linux_journal_line(&journal, &(struct hal_linux_gpio){.chip = "pinctrl-rp1"}) == HAL_OK);
    CHECK(linux_journal_commit(&journal) == HAL_OK);
    linux_journal_close(&journal);
    CHECK(linux_journal_restore(&sys, &config) == HAL_E_PERM && has_journal());
    tree_vanish(&tree, POLICY "/scaling_max_freq");
    tree_write(&tree, POLICY "/scaling_min_freq", "700000\n");
    trouble.open_error = 0;
    CHECK(linux_journal_restore(&sys, &config) == 3 && !has_journal());
    CHECK(tree_holds(&tree, POLICY "/scaling_min_freq", "600000\n"));
    tree_remove(&tree);
}

static void a_journal_that_cannot_be_read_is_an_error(void)
{
    struct tree tree = board();

    tree_folder(&tree, "journal");
    CHECK(linux_journal_restore(linux_syscalls_real(), &config) == HAL_E_IO);
    tree_remove(&tree);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(what_was_changed_is_put_back_and_the_journal_goes),
        PROMISE(a_journal_of_an_earlier_start_is_dropped),
        PROMISE(a_line_that_was_cut_off_is_passed_over),
        PROMISE(what_is_no_journal_is_left_alone),
        PROMISE(a_journal_touches_nothing_outside_its_root),
        PROMISE(what_could_not_be_written_is_counted_and_was_not_journaled),
        PROMISE(without_a_path_there_is_no_journal),
        PROMISE(a_full_journal_takes_nothing_more),
        PROMISE(what_is_gone_needs_no_putting_back_and_what_is_forbidden_keeps_the_journal),
        PROMISE(a_journal_that_cannot_be_read_is_an_error),
    };

    KEEP(PROMISES);
    return 0;
}
