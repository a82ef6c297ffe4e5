/* Which source is read next; see linux_schedule.h. */
#include "linux_schedule.h"

#include <string.h>

void linux_schedule_init(struct linux_schedule *schedule, uint64_t period_ns, uint64_t rescan_ns)
{
    memset(schedule, 0, sizeof *schedule);
    schedule->period_ns = period_ns;
    schedule->rescan_ns = rescan_ns;
}

static int is_barred(const struct linux_schedule *schedule, const struct linux_inventory *inventory,
                     uint32_t count, uint32_t index)
{
    const struct linux_source *wanted = &inventory->source[index];
    uint32_t of_kind = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct linux_source *source = &inventory->source[i];

        if (schedule->slot[i].busy != 0) {
            of_kind += source->kind == wanted->kind;
            if (source->group != LINUX_GROUP_NONE && source->group == wanted->group) {
                return 1;
            }
        }
    }
    return of_kind >= LINUX_OF_A_KIND;
}

int32_t linux_schedule_take(struct linux_schedule *schedule,
                            const struct linux_inventory *inventory, uint64_t now_ns,
                            uint64_t *wake_ns)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_acquire);
    uint64_t soonest_ns = UINT64_MAX;
    int32_t next = -1;

    for (uint32_t i = 0; i < LINUX_SLOTS; i++) {
        const struct linux_slot *slot = &schedule->slot[i];

        if (slot->busy != 0 || slot->due_ns >= soonest_ns ||
            (i >= count && i < LINUX_SOURCES_MAX) ||
            (i < count && is_barred(schedule, inventory, count, i))) {
            continue;
        }
        soonest_ns = slot->due_ns;
        next = (int32_t)i;
    }
    if (next < 0 || soonest_ns > now_ns) {
        *wake_ns = soonest_ns;
        return -1;
    }
    schedule->slot[next].busy = 1;
    return next;
}

static uint64_t period_of(const struct linux_schedule *schedule,
                          const struct linux_inventory *inventory, int32_t index)
{
    if (index == LINUX_CHORE_RESCAN) {
        return schedule->rescan_ns;
    }
    return index == LINUX_CHORE_ENERGY ? schedule->period_ns
                                       : schedule->period_ns * inventory->source[index].periods;
}

uint64_t linux_schedule_done(struct linux_schedule *schedule,
                             const struct linux_inventory *inventory, int32_t index,
                             uint64_t now_ns)
{
    struct linux_slot *slot = &schedule->slot[index];
    uint64_t period_ns = period_of(schedule, inventory, index);
    uint64_t missed = 0;

    slot->busy = 0;
    if (slot->due_ns == 0) { /* its first turn sets the beat */
        slot->due_ns = now_ns;
    } else if (now_ns > slot->due_ns) {
        missed = (now_ns - slot->due_ns) / period_ns;
    }
    slot->due_ns += (missed + 1) * period_ns;
    return missed;
}

void linux_schedule_hurry(struct linux_schedule *schedule, const struct linux_inventory *inventory,
                          uint32_t kind, uint64_t now_ns)
{
    uint32_t count = atomic_load_explicit(&inventory->count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        if (inventory->source[i].kind == kind && schedule->slot[i].due_ns > now_ns) {
            schedule->slot[i].due_ns = now_ns;
        }
    }
}
