/*
 * shared_word.h - a 32-bit word that a watcher of the guard writes from another thread or another
 * process (guard_plan.h, GUARD_STORE), while the device that owns it goes on.
 */
#ifndef LUMENODE_SHARED_WORD_H
#define LUMENODE_SHARED_WORD_H

#include <stdint.h>

static inline uint32_t shared_word_load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes through it */
static inline void shared_word_store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

#endif
