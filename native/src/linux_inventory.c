/* Everything of a board that can be read; see linux_inventory.h. */
#include "linux_inventory.h"

#include "linux_text.h"

#include <string.h>

/* Rows of struct hal_board, and of what it adds up. */
static const uint32_t ROWS_MAX[LINUX_KINDS] = {
    [LINUX_ZONE] = HAL_ZONES_MAX,
    [LINUX_RAIL] = HAL_RAILS_MAX,
    [LINUX_CPU] = HAL_POLICIES_MAX,
    [LINUX_GPU] = 1,
    [LINUX_THROTTLE] = 4,
    [LINUX_OVERCURRENT] = 1,
    [LINUX_FAN] = 1,
    [LINUX_PRESSURE] = 1,
    [LINUX_MODE] = 1,
    [LINUX_INPUT] = HAL_LINUX_INPUTS_MAX,
};

struct linux_source linux_source_make(uint32_t kind, const char *name)
{
    struct linux_source source = {.kind = kind, .periods = 1};

    linux_copy_name(source.name, name);
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        source.node[i].fd = -1;
        source.divide[i] = 1;
    }
    return source;
}

int32_t linux_inventory_find(const struct linux_inventory *inventory, uint32_t kind,
                             const char *name, uint32_t ordinal)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        const struct linux_source *source = &inventory->source[i];

        if (source->kind == kind && source->ordinal == ordinal && strcmp(source->name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

void linux_inventory_add(struct linux_inventory *inventory, const struct linux_source *source)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_relaxed);
    uint32_t of_kind = 0;
    uint32_t ordinal = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (inventory->source[i].kind == source->kind) {
            of_kind++;
            ordinal += strcmp(inventory->source[i].name, source->name) == 0;
        }
    }
    if (count == LINUX_SOURCES_MAX || of_kind == ROWS_MAX[source->kind]) {
        inventory->left_out++;
        return;
    }
    inventory->source[count] = *source;
    inventory->source[count].ordinal = ordinal;
    atomic_store_explicit(&inventory->count, count + 1, memory_order_release);
}

/* A clock's folder is its name, and whoever sets its caps looks at it without a lock: it stays. */
static int moved(const struct linux_source *source, const struct linux_source *found)
{
    if (source->kind == LINUX_CPU || source->kind == LINUX_GPU) {
        return 0;
    }
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        if (strcmp(source->node[i].path, found->node[i].path) != 0) {
            return 1;
        }
    }
    return 0;
}

static void move(const struct linux_reader *reader, struct linux_source *source,
                 const struct linux_source *found)
{
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        linux_node_close(reader->sys, &source->node[i]);
        source->node[i] = found->node[i];
    }
}

void linux_inventory_merge(const struct linux_reader *reader, struct linux_inventory *inventory,
                           const struct linux_inventory *found,
                           int (*may_move)(const void *context, uint32_t index),
                           const void *context)
{
    uint32_t count = atomic_load_explicit(&found->count, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        const struct linux_source *fresh = &found->source[i];
        int32_t at = linux_inventory_find(inventory, fresh->kind, fresh->name, fresh->ordinal);

        if (at < 0) {
            linux_inventory_add(inventory, fresh);
        } else if (moved(&inventory->source[at], fresh) && may_move(context, (uint32_t)at)) {
            move(reader, &inventory->source[at], fresh);
        }
    }
}
