/* A value that is read without waiting; see linux_cell.h. */
#include "linux_cell.h"

#include <string.h>

#define TRIES 8

_Static_assert(sizeof(struct linux_value) == LINUX_CELL_WORDS * sizeof(uint64_t), "no padding");

void linux_cell_write(struct linux_cell *cell, const struct linux_value *value)
{
    uint64_t words[LINUX_CELL_WORDS];
    uint32_t next = atomic_load_explicit(&cell->count, memory_order_relaxed) + 1;

    memcpy(words, value, sizeof words);
    /* Readers of the other slot must not see its words change before the count did. */
    atomic_thread_fence(memory_order_release);
    for (int i = 0; i < LINUX_CELL_WORDS; i++) {
        atomic_store_explicit(&cell->slot[next & 1][i], words[i], memory_order_relaxed);
    }
    atomic_store_explicit(&cell->count, next, memory_order_release);
}

int linux_cell_read(const struct linux_cell *cell, struct linux_value *value)
{
    uint64_t words[LINUX_CELL_WORDS];

    for (int tries = 0; tries < TRIES; tries++) {
        uint32_t count = atomic_load_explicit(&cell->count, memory_order_acquire);

        for (int i = 0; i < LINUX_CELL_WORDS; i++) {
            words[i] = atomic_load_explicit(&cell->slot[count & 1][i], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
        /* Two writes later our slot is being filled again; until then it is whole. */
        if (atomic_load_explicit(&cell->count, memory_order_relaxed) == count) {
            memcpy(value, words, sizeof words);
            return 1;
        }
    }
    return 0;
}
