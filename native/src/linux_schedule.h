/*
 * linux_schedule.h - which source is read next, by whom. Pure: the time is an argument.
 *
 * Several threads share one table of sources. Each takes the one that is due longest and that
 * nobody reads; a thread whose device hangs keeps its source, and the others go round without it.
 * Two rules keep one trouble from taking all threads:
 *   - sources of one group (a bus) are never read at the same time: a bus that hangs holds one;
 *   - of one kind at most two are read at the same time: should the thermal firmware hang, whatever
 *     zone is asked for, it holds two.
 * Beside the sources there are two chores that come round as well: looking for new devices, and
 * adding up energy.
 */
#ifndef LUMENODE_LINUX_SCHEDULE_H
#define LUMENODE_LINUX_SCHEDULE_H

#include "linux_inventory.h"

#define LINUX_CHORE_RESCAN LINUX_SOURCES_MAX
#define LINUX_CHORE_ENERGY (LINUX_SOURCES_MAX + 1)
#define LINUX_SLOTS        (LINUX_SOURCES_MAX + 2)
#define LINUX_OF_A_KIND    2

struct linux_slot {
    uint64_t due_ns;
    uint32_t busy;
    uint32_t reserved;
};

struct linux_schedule {
    uint64_t period_ns;
    uint64_t rescan_ns;
    struct linux_slot slot[LINUX_SLOTS];
};

/* Everything is due at once. */
void linux_schedule_init(struct linux_schedule *schedule, uint64_t period_ns, uint64_t rescan_ns);

/*
 * Takes the slot that is due longest: it is busy from now on.
 * @return its index, a source's or a chore's; or -1, and `*wake_ns` is when one that nobody reads is
 * due next (UINT64_MAX: not before somebody is done).
 */
int32_t linux_schedule_take(struct linux_schedule *schedule,
                            const struct linux_inventory *inventory, uint64_t now_ns,
                            uint64_t *wake_ns);

/* The slot was worked on until now. Its next turn is a whole number of its periods after the last
 * one. @return turns that were missed: 0 when it was in time. */
uint64_t linux_schedule_done(struct linux_schedule *schedule,
                             const struct linux_inventory *inventory, int32_t index,
                             uint64_t now_ns);

/* All sources of this kind are due now. */
void linux_schedule_hurry(struct linux_schedule *schedule, const struct linux_inventory *inventory,
                          uint32_t kind, uint64_t now_ns);

#endif
