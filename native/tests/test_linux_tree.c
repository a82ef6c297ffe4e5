/* Folders and small files, real ones and broken ones. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_tree.h"
#include "hal.h"
#include "linux_tree.h"

static const struct linux_syscalls *real(void)
{
    return linux_syscalls_real();
}

static void names_come_in_natural_order(void)
{
    struct tree tree = tree_make();
    struct linux_names names;

    tree_folder(&tree, "thermal_zone10");
    tree_folder(&tree, "thermal_zone2");
    tree_folder(&tree, "thermal_zone0");
    tree_folder(&tree, "cooling_device1");
    tree_write(&tree, ".hidden", "");
    CHECK(linux_list(real(), tree.root, "thermal_zone", "", &names) == 3);
    CHECK(strcmp(names.name[0], "thermal_zone0") == 0);
    CHECK(strcmp(names.name[1], "thermal_zone2") == 0);
    CHECK(strcmp(names.name[2], "thermal_zone10") == 0);
    CHECK(linux_list(real(), tree.root, "", "", &names) == 4 && names.left_out == 0);
    CHECK(linux_list(real(), tree.root, "", "zone2", &names) == 1);
    CHECK(linux_list(real(), tree.root, "", "a name longer than any that is there", &names) == 0);
    tree_remove(&tree);
}

static void more_names_than_there_is_room_for_are_counted(void)
{
    struct tree tree = tree_make();
    struct linux_names names;
    char name[80];

    for (int i = 0; i < LINUX_NAMES_MAX + 3; i++) {
        snprintf(name, sizeof name, "n%02d", i);
        tree_write(&tree, name, "");
    }
    memset(name, 'x', sizeof name);
    name[70] = '\0';
    tree_write(&tree, name, "");
    CHECK(linux_list(real(), tree.root, "", "", &names) == LINUX_NAMES_MAX);
    CHECK(names.left_out == 4);
    tree_remove(&tree);
}

static void an_absent_folder_has_no_names_and_a_forbidden_one_is_an_error(void)
{
    struct trouble trouble = {.end = "/thermal", .open_error = EACCES};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_names names = {.count = 9};

    CHECK(linux_list(&sys, "/no/such/folder", "", "", &names) == 0 && names.count == 0);
    CHECK(linux_list(&sys, "/sys/class/thermal", "", "", &names) == HAL_E_PERM);
}

static int64_t broken_getdents(void *context, int fd, void *buffer, size_t bytes)
{
    (void)context;
    (void)fd;
    (void)buffer;
    (void)bytes;
    return -EIO;
}

static void a_folder_that_cannot_be_listed_is_an_error(void)
{
    struct linux_syscalls sys = *real();
    struct linux_names names;

    sys.getdents = broken_getdents;
    CHECK(linux_list(&sys, "/", "", "", &names) == HAL_E_IO);
}

static void a_node_stays_open_and_is_read_at_its_beginning(void)
{
    struct tree tree = tree_make();
    struct linux_node node;
    int64_t value = 0;

    tree_write(&tree, "temp", "41000\n");
    linux_node_set(&node, tree.root, "temp");
    CHECK(linux_node_number(real(), &node, &value) == HAL_OK && value == 41000);
    CHECK(node.fd >= 0);
    tree_write(&tree, "temp", "9000\n");
    CHECK(linux_node_number(real(), &node, &value) == HAL_OK && value == 9000);
    linux_node_close(real(), &node);
    CHECK(node.fd == -1);
    tree_remove(&tree);
}

static void a_node_that_vanished_is_found_again_at_its_path(void)
{
    struct tree tree = tree_make();
    struct linux_node node;
    int64_t value = 7;

    tree_write(&tree, "temp", "41000\n");
    linux_node_set(&node, tree.root, "temp");
    CHECK(linux_node_number(real(), &node, &value) == HAL_OK);
    tree_vanish(&tree, "temp");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_CORRUPT && node.fd == -1);
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_NODEV);
    CHECK(value == 41000);
    tree_write(&tree, "temp", "42000\n");
    CHECK(linux_node_number(real(), &node, &value) == HAL_OK && value == 42000);
    linux_node_close(real(), &node);
    tree_remove(&tree);
}

static void what_is_no_readable_file_is_an_error_at_once(void)
{
    struct tree tree = tree_make();
    struct linux_node node;
    int64_t value = 7;
    char text[8];

    tree_folder(&tree, "folder");
    tree_fifo(&tree, "fifo");
    tree_link(&tree, "dangling", "nowhere");
    tree_write(&tree, "words", "not a number\n");
    linux_node_set(&node, tree.root, "folder");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_IO); /* EISDIR */
    linux_node_set(&node, tree.root, "fifo");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_IO); /* ESPIPE, without waiting */
    linux_node_set(&node, tree.root, "dangling");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_NODEV);
    linux_node_set(&node, tree.root, "words");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_CORRUPT);
    linux_node_close(real(), &node);
    node.path[0] = '\0';
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_UNSUPPORTED);
    CHECK(linux_read_once(real(), tree.root, "words", text, sizeof text) == 7);
    CHECK(strcmp(text, "not a n") == 0);
    CHECK(linux_read_number(real(), tree.root, "none", &value) == HAL_E_NODEV && value == 7);
    tree_remove(&tree);
}

static void a_block_asleep_keeps_its_file_open(void)
{
    struct tree tree = tree_make();
    struct trouble trouble = {.end = "temp", .read_error = EAGAIN};
    struct linux_syscalls sys = trouble_table(&trouble);
    struct linux_node node;
    int64_t value = 7;

    tree_write(&tree, "temp", "1\n");
    linux_node_set(&node, tree.root, "temp");
    CHECK(linux_node_number(&sys, &node, &value) == HAL_E_BUSY && node.fd >= 0);
    trouble.read_error = EINTR;
    CHECK(linux_node_number(&sys, &node, &value) == HAL_E_TIMEOUT && node.fd == -1);
    trouble.read_error = 0;
    CHECK(linux_node_number(&sys, &node, &value) == HAL_OK && value == 1);
    linux_node_close(&sys, &node);
    tree_remove(&tree);
}

static void a_number_is_written_as_the_kernel_wants_it(void)
{
    struct tree tree = tree_make();
    struct trouble trouble = {.end = "max", .write_error = EINVAL};
    struct linux_syscalls sys = trouble_table(&trouble);

    tree_write(&tree, "max", "1800000\n");
    CHECK(linux_write_number(real(), tree.root, "max", 600000) == HAL_OK);
    CHECK(tree_holds(&tree, "max", "600000\n"));
    CHECK(linux_write_number(real(), tree.root, "none", 1) == HAL_E_NODEV);
    CHECK(linux_write_number(&sys, tree.root, "max", 1) == HAL_E_RANGE);
    tree_remove(&tree);
}

static int64_t short_write(void *context, int fd, const void *buffer, size_t bytes)
{
    (void)context;
    (void)fd;
    (void)buffer;
    return (int64_t)bytes - 1;
}

static void half_a_number_written_is_an_error(void)
{
    struct tree tree = tree_make();
    struct linux_syscalls sys = *real();

    sys.write = short_write;
    tree_write(&tree, "max", "");
    CHECK(linux_write_number(&sys, tree.root, "max", 5) == HAL_E_IO);
    tree_remove(&tree);
}

static void a_path_that_is_too_long_is_refused_everywhere(void)
{
    char folder[LINUX_PATH_BYTES];
    char path[LINUX_PATH_BYTES];
    struct linux_node node;
    int64_t value = 7;

    memset(folder, 'f', sizeof folder);
    folder[sizeof folder - 1] = '\0';
    CHECK(linux_path(path, folder, "x") == HAL_E_RANGE && path[0] == '\0');
    folder[LINUX_PATH_BYTES - 3] = '\0';
    CHECK(linux_path(path, folder, "x") == HAL_OK);
    CHECK(linux_path(path, folder, "xy") == HAL_E_RANGE);
    CHECK(!linux_exists(real(), folder, "xy"));
    linux_node_set(&node, folder, "xy");
    CHECK(linux_node_number(real(), &node, &value) == HAL_E_UNSUPPORTED);
    CHECK(linux_write_number(real(), folder, "xy", 1) == HAL_E_RANGE);
}

static void existence_is_what_can_be_opened(void)
{
    struct tree tree = tree_make();

    tree_write(&tree, "there", "");
    CHECK(linux_exists(real(), tree.root, "there"));
    CHECK(!linux_exists(real(), tree.root, "not there"));
    struct trouble trouble = {.end = "/there", .open_error = EACCES};
    struct linux_syscalls sys = trouble_table(&trouble);

    CHECK(linux_exists(&sys, tree.root, "there")); /* and not for us */
    trouble.open_error = ENXIO;
    CHECK(!linux_exists(&sys, tree.root, "there"));
    tree_remove(&tree);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(names_come_in_natural_order),
        PROMISE(more_names_than_there_is_room_for_are_counted),
        PROMISE(an_absent_folder_has_no_names_and_a_forbidden_one_is_an_error),
        PROMISE(a_folder_that_cannot_be_listed_is_an_error),
        PROMISE(a_node_stays_open_and_is_read_at_its_beginning),
        PROMISE(a_node_that_vanished_is_found_again_at_its_path),
        PROMISE(what_is_no_readable_file_is_an_error_at_once),
        PROMISE(a_block_asleep_keeps_its_file_open),
        PROMISE(a_number_is_written_as_the_kernel_wants_it),
        PROMISE(half_a_number_written_is_an_error),
        PROMISE(a_path_that_is_too_long_is_refused_everywhere),
        PROMISE(existence_is_what_can_be_opened),
    };

    KEEP(PROMISES);
    return 0;
}
