/*
 * linux_cell.h - a value that one thread writes and another reads without ever waiting.
 *
 * Two slots and a count: the writer fills the slot nobody is told of, then raises the count, whose
 * last bit names the slot that counts. A reader that was overtaken twice while it copied, some 100
 * ns, tries again, a bounded number of times. The slots are words of relaxed atomics, so a torn copy
 * is seen and dropped, and is no data race.
 */
#ifndef LUMENODE_LINUX_CELL_H
#define LUMENODE_LINUX_CELL_H

#include <stdatomic.h>
#include <stdint.h>

/* What one source told last: up to three numbers whose meaning and unit go with its kind. */
struct linux_value {
    int32_t v[3];
    uint32_t state; /* enum hal_value_state */
    uint64_t t_ns;  /* of the last good reading; 0: never */
};

#define LINUX_CELL_WORDS 3

struct linux_cell {
    _Atomic uint32_t count;
    _Atomic uint64_t slot[2][LINUX_CELL_WORDS];
};

/* Publishes. One writer at a time. */
void linux_cell_write(struct linux_cell *cell, const struct linux_value *value);

/* Copies what was published last. @return 1, or 0 when the writer was faster each time: `*value` is
 * then untouched. */
int linux_cell_read(const struct linux_cell *cell, struct linux_value *value);

#endif
