/* The queue of writes to a laser terminal; see term_writes.h. */
#include "term_writes.h"

#include "hal.h"

void term_writes_init(struct term_writes *writes)
{
    *writes = (struct term_writes){0};
}

static int lights(const struct term_write *write)
{
    return write->reg == TERM_REG_LASER_ENABLE && write->value != 0;
}

static int darkens(const struct term_write *write)
{
    return (write->reg == TERM_REG_LASER_ENABLE && write->value == 0) ||
           (write->reg == TERM_REG_INHIBIT && write->value != 0);
}

static void take_out(struct term_writes *writes, uint32_t index)
{
    writes->count--;
    for (uint32_t i = index; i < writes->count; i++) {
        writes->queue[i] = writes->queue[i + 1];
    }
    if (index == 0) {
        writes->asked = 0;
    }
}

static void push(struct term_writes *writes, uint32_t index, const struct term_write *write)
{
    for (uint32_t i = writes->count; i > index; i--) {
        writes->queue[i] = writes->queue[i - 1];
    }
    writes->queue[index] = *write;
    writes->count++;
}

/* In front of everything: what is under way is sent again after it, under a new id. */
static void put_dark(struct term_writes *writes, const struct term_write *write)
{
    int under_way = writes->count > 0 && writes->queue[0].reg == write->reg &&
                    writes->queue[0].value == write->value;

    for (uint32_t i = writes->count; i > (under_way ? 1u : 0u); i--) {
        if (lights(&writes->queue[i - 1]) || writes->queue[i - 1].reg == write->reg) {
            take_out(writes, i - 1);
            writes->counters.overtaken++;
        }
    }
    if (under_way) {
        return;
    }
    if (writes->count == TERM_WRITES_MAX) {
        writes->count--; /* the youngest wish gives way to safety */
        writes->counters.overtaken++;
    }
    push(writes, 0, write);
    writes->asked = 0;
}

/* The last write of this register that waits, or -1. */
static int32_t find_last(const struct term_writes *writes, uint32_t reg)
{
    for (uint32_t i = writes->count; i > 0; i--) {
        if (writes->queue[i - 1].reg == reg) {
            return (int32_t)i - 1;
        }
    }
    return -1;
}

static int put_last(struct term_writes *writes, const struct term_write *write)
{
    int32_t last = find_last(writes, write->reg);

    if (last > find_last(writes, TERM_REG_RESET) && writes->queue[last].value == write->value) {
        return 1; /* the same wish again, and no reset in between */
    }
    if (last >= 0 && (uint32_t)last + 1 == writes->count && (last > 0 || writes->asked == 0) &&
        !darkens(&writes->queue[last])) {
        writes->queue[last].value = write->value; /* nothing was asked for in between */
        writes->counters.overtaken++;
        return 1;
    }
    if (writes->count == TERM_WRITES_MAX) {
        return 0;
    }
    push(writes, writes->count, write);
    return 1;
}

int term_writes_put(struct term_writes *writes, uint32_t reg, uint32_t value)
{
    const struct term_write write = {reg, value};

    if (darkens(&write)) {
        put_dark(writes, &write);
    } else if (!put_last(writes, &write)) {
        return 0;
    }
    if (reg == TERM_REG_RESET) {
        writes->told_mask = 0;
    } else {
        writes->told[reg] = value;
        writes->told_mask |= 1ull << reg;
    }
    return 1;
}

int term_writes_next(struct term_writes *writes, uint64_t now_ns, struct term_write *write,
                     uint32_t *id)
{
    if (writes->count == 0 || (writes->asked != 0 && now_ns < writes->due_ns)) {
        return 0;
    }
    if (writes->asked != 0) {
        writes->counters.repeated++;
    } else {
        writes->asked = 1;
        writes->id++;
    }
    writes->due_ns = now_ns + TERM_WRITES_RETRY_NS;
    *write = writes->queue[0];
    *id = writes->id;
    return 1;
}

uint64_t term_writes_due_ns(const struct term_writes *writes)
{
    if (writes->count == 0) {
        return UINT64_MAX;
    }
    return writes->asked != 0 ? writes->due_ns : 0;
}

int term_writes_answer(struct term_writes *writes, uint32_t id, int32_t code)
{
    if (writes->asked == 0 || id != writes->id) {
        return 0;
    }
    writes->counters.answered++;
    writes->counters.refused += code < HAL_OK;
    int was_reset = writes->queue[0].reg == TERM_REG_RESET;

    take_out(writes, 0);
    if (was_reset && (writes->told_mask & 1ull << TERM_REG_INHIBIT) != 0 &&
        writes->told[TERM_REG_INHIBIT] != 0) {
        /* It was asked for after the reset, and had overtaken it. */
        const struct term_write inhibit = {TERM_REG_INHIBIT, 1};

        put_dark(writes, &inhibit);
    }
    return 1;
}

void term_writes_begin(struct term_writes *writes)
{
    /* The target last, so that the mount is as it was told; INHIBIT = 1 overtakes them all. */
    static const uint32_t AGAIN[] = {
        TERM_REG_TX_POWER_PERMILLE, TERM_REG_SCAN_URAD, TERM_REG_AZIMUTH_UDEG,
        TERM_REG_ELEVATION_UDEG,    TERM_REG_INHIBIT,   TERM_REG_TARGET_ID,
    };

    for (uint32_t i = 0; i < writes->count; i++) {
        writes->counters.lost +=
            writes->queue[i].reg == TERM_REG_RESET || lights(&writes->queue[i]);
    }
    writes->count = 0;
    writes->asked = 0;
    for (uint32_t i = 0; i < sizeof AGAIN / sizeof AGAIN[0]; i++) {
        if ((writes->told_mask & 1ull << AGAIN[i]) != 0) {
            (void)term_writes_put(writes, AGAIN[i], writes->told[AGAIN[i]]);
        }
    }
}
