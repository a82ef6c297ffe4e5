/* A table whose rows keep their place while devices come and go. */
#define _GNU_SOURCE
#include "check.h"
#include "fake_tree.h"
#include "hal.h"
#include "linux_inventory.h"

#include <string.h>

static struct linux_inventory inventory;
static struct linux_inventory found;

static struct linux_source zone(const char *name, const char *folder)
{
    struct linux_source source = linux_source_make(LINUX_ZONE, name);

    linux_node_set(&source.node[0], folder, "temp");
    return source;
}

static void add(struct linux_inventory *to, struct linux_source source)
{
    linux_inventory_add(to, &source);
}

static int always(const void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return 1;
}

static int not_the_first(const void *context, uint32_t index)
{
    (void)context;
    return index != 0;
}

static void sources_of_one_name_are_told_apart_by_their_order(void)
{
    memset(&inventory, 0, sizeof inventory);
    add(&inventory, zone("acpitz", "/z0"));
    add(&inventory, zone("x86_pkg_temp", "/z1"));
    add(&inventory, zone("acpitz", "/z2"));
    CHECK(linux_inventory_find(&inventory, LINUX_ZONE, "acpitz", 0) == 0);
    CHECK(linux_inventory_find(&inventory, LINUX_ZONE, "acpitz", 1) == 2);
    CHECK(linux_inventory_find(&inventory, LINUX_ZONE, "acpitz", 2) == -1);
    CHECK(linux_inventory_find(&inventory, LINUX_RAIL, "acpitz", 0) == -1);
}

static void what_moved_is_followed_and_what_is_new_is_appended(void)
{
    struct linux_reader reader = {.sys = linux_syscalls_real()};

    memset(&inventory, 0, sizeof inventory);
    memset(&found, 0, sizeof found);
    add(&inventory, zone("cpu-thermal", "/hwmon1"));
    add(&inventory, zone("gpu-thermal", "/hwmon2"));
    add(&inventory, zone("tj-thermal", "/hwmon3"));
    add(&found, zone("gpu-thermal", "/hwmon1"));
    add(&found, zone("cpu-thermal", "/hwmon2"));
    add(&found, zone("tj-thermal", "/hwmon3"));
    add(&found, zone("nvme", "/hwmon4"));
    linux_inventory_merge(&reader, &inventory, &found, not_the_first, NULL);
    CHECK(atomic_load(&inventory.count) == 4);
    CHECK(strcmp(inventory.source[0].node[0].path, "/hwmon1/temp") == 0); /* it is being read */
    CHECK(strcmp(inventory.source[1].node[0].path, "/hwmon1/temp") == 0);
    CHECK(strcmp(inventory.source[2].node[0].path, "/hwmon3/temp") == 0);
    CHECK(strcmp(inventory.source[3].name, "nvme") == 0);
    linux_inventory_merge(&reader, &inventory, &found, always, NULL);
    CHECK(atomic_load(&inventory.count) == 4);
    CHECK(strcmp(inventory.source[0].node[0].path, "/hwmon2/temp") == 0);
}

static void a_source_that_moved_closes_its_old_file(void)
{
    struct tree tree = tree_make();
    struct linux_reader reader = {.sys = linux_syscalls_real()};
    struct linux_value value;
    char folder[TREE_PATH_BYTES];

    tree_write(&tree, "a/temp", "1\n");
    tree_write(&tree, "b/temp", "2\n");
    memset(&inventory, 0, sizeof inventory);
    memset(&found, 0, sizeof found);
    tree_path(&tree, folder, "a");
    add(&inventory, zone("cpu-thermal", folder));
    tree_path(&tree, folder, "b");
    add(&found, zone("cpu-thermal", folder));
    CHECK(linux_source_read(&reader, &inventory.source[0], &value) == HAL_OK && value.v[0] == 1);
    linux_inventory_merge(&reader, &inventory, &found, always, NULL);
    CHECK(inventory.source[0].node[0].fd == -1);
    CHECK(linux_source_read(&reader, &inventory.source[0], &value) == HAL_OK && value.v[0] == 2);
    linux_source_close(&reader, &inventory.source[0]);
    tree_remove(&tree);
}

static void more_of_a_kind_than_there_are_rows_for_is_left_out_and_counted(void)
{
    memset(&inventory, 0, sizeof inventory);
    for (int i = 0; i < HAL_ZONES_MAX + 3; i++) {
        add(&inventory, zone("acpitz", "/z"));
    }
    CHECK(atomic_load(&inventory.count) == HAL_ZONES_MAX && inventory.left_out == 3);
    for (int i = 0; i < LINUX_SOURCES_MAX; i++) {
        add(&inventory, linux_source_make(LINUX_RAIL, "r"));
        add(&inventory, linux_source_make(LINUX_CPU, "p"));
        add(&inventory, linux_source_make(LINUX_GPU, "g"));
        add(&inventory, linux_source_make(LINUX_INPUT, "i"));
    }
    CHECK(atomic_load(&inventory.count) ==
          HAL_ZONES_MAX + HAL_RAILS_MAX + HAL_POLICIES_MAX + 1 + HAL_LINUX_INPUTS_MAX);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(sources_of_one_name_are_told_apart_by_their_order),
        PROMISE(what_moved_is_followed_and_what_is_new_is_appended),
        PROMISE(a_source_that_moved_closes_its_old_file),
        PROMISE(more_of_a_kind_than_there_are_rows_for_is_left_out_and_counted),
    };

    KEEP(PROMISES);
    return 0;
}
