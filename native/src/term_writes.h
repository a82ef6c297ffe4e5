/*
 * term_writes.h - what the node told a laser terminal and the terminal has not confirmed yet. Pure.
 *
 * One write is under way at a time, under an id, and repeated under that id until it is answered:
 * the order in which the node asked is the order in which the terminal obeys, however much the line
 * loses. What makes dark does not wait for it: it goes to the front, and whatever would light the
 * laser is taken out.
 *
 * A terminal that starts anew is told again what it was told, LASER_ENABLE = 1 excepted: it may be
 * lit only by somebody who wants that now.
 */
#ifndef LUMENODE_TERM_WRITES_H
#define LUMENODE_TERM_WRITES_H

#include "terminal_registers.h"

#define TERM_WRITES_MAX      16u
#define TERM_WRITES_RETRY_NS 100000000

struct term_write {
    uint32_t reg;
    uint32_t value;
};

struct term_writes_counters {
    uint64_t answered;
    uint64_t refused;   /* answered with an error */
    uint64_t repeated;  /* sent again: no answer came in time */
    uint64_t overtaken; /* taken out before they were sent: newer ones, or darkness, came first */
    uint64_t lost;      /* void because the session ended, and not told again */
};

struct term_writes {
    struct term_write queue[TERM_WRITES_MAX]; /* the first is the one under way, if `asked` */
    uint32_t count;
    uint32_t asked;
    uint32_t id; /* of the last write sent */
    uint64_t due_ns;
    uint32_t told[TERM_REG_COUNT];
    uint64_t told_mask; /* bit n: told[n] counts */
    struct term_writes_counters counters;
};

void term_writes_init(struct term_writes *writes);

/* Takes a write that terminal_register_check() allowed. @return 1; 0: no room, nothing changed. What
 * makes dark always finds room. */
int term_writes_put(struct term_writes *writes, uint32_t reg, uint32_t value);

/* A write to send now, or none. @return 1: `*write` and `*id` are filled. */
int term_writes_next(struct term_writes *writes, uint64_t now_ns, struct term_write *write,
                     uint32_t *id);

/* When term_writes_next() has something again, at the latest; UINT64_MAX: when there is a new one. */
uint64_t term_writes_due_ns(const struct term_writes *writes);

/* An answer. @return 1 when it was to the write under way. */
int term_writes_answer(struct term_writes *writes, uint32_t id, int32_t code);

/* A session begins: what the terminal shall know comes first of all. */
void term_writes_begin(struct term_writes *writes);

#endif
