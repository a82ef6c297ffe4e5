/*
 * linux_inventory.h - everything of a board that can be read, in one table, and beside each source
 * the value it told last.
 *
 * A source once in the table keeps its place, its name and its kind, so that readers of the values
 * need no lock: the count alone is published. What was unplugged is found again by kind, name and
 * ordinal, wherever its folder is by then.
 */
#ifndef LUMENODE_LINUX_INVENTORY_H
#define LUMENODE_LINUX_INVENTORY_H

#include "linux_source.h"

#define LINUX_SOURCES_MAX 64

struct linux_inventory {
    _Atomic uint32_t count;
    uint32_t left_out; /* sources there was no room for */
    struct linux_source source[LINUX_SOURCES_MAX];
    struct linux_cell cell[LINUX_SOURCES_MAX];
};

/* A new source of this kind and name with no files; way, group, periods and unit as usual. */
struct linux_source linux_source_make(uint32_t kind, const char *name);

/* Appends a source, its ordinal counted; more of a kind than struct hal_board has rows for are left
 * out and counted. */
void linux_inventory_add(struct linux_inventory *inventory, const struct linux_source *source);

/* The index of the source with this kind, name and ordinal, or -1. */
int32_t linux_inventory_find(const struct linux_inventory *inventory, uint32_t kind,
                             const char *name, uint32_t ordinal);

/*
 * What a new look found, merged into the table: new sources are appended, and one that moved gets
 * its new folder if `may_move` (context, index) says that nobody reads it now.
 */
void linux_inventory_merge(const struct linux_reader *reader, struct linux_inventory *inventory,
                           const struct linux_inventory *found,
                           int (*may_move)(const void *context, uint32_t index),
                           const void *context);

#endif
