/* Carrying a payload level out; see linux_levels.h. */
#include "linux_levels.h"

const char *linux_clock_lower(const struct linux_source *clock)
{
    return clock->kind == LINUX_CPU ? "scaling_min_freq" : "min_freq";
}

const char *linux_clock_upper(const struct linux_source *clock)
{
    return clock->kind == LINUX_CPU ? "scaling_max_freq" : "max_freq";
}

uint32_t linux_clock_lower_khz(const struct linux_source *clock, uint32_t upper_khz)
{
    return clock->found_min_khz < upper_khz ? clock->found_min_khz : upper_khz;
}

/* Put back from the last to the first: the upper cap, then the lower. */
static int32_t note_clock(struct linux_levels *levels, const struct linux_source *clock)
{
    int32_t code = linux_journal_file(levels->journal, clock->folder, linux_clock_lower(clock),
                                      (int64_t)clock->found_min_khz * clock->divide[1]);

    return code < 0 ? code
                    : linux_journal_file(levels->journal, clock->folder, linux_clock_upper(clock),
                                         (int64_t)clock->found_max_khz * clock->divide[2]);
}

int32_t linux_levels_note(struct linux_levels *levels)
{
    const struct linux_inventory *inventory = levels->inventory;
    int32_t code = HAL_OK;

    linux_caps_update(&levels->caps, levels->reader, inventory);
    if (levels->caps.clocks == 0) {
        return HAL_OK;
    }
    if (levels->restored < 0) {
        levels->journal->failed++; /* what an earlier process noted must not be lost */
        return levels->restored;
    }
    for (uint32_t i = 0; code == HAL_OK && i < levels->caps.clocks; i++) {
        int32_t clock = levels->caps.index[i];

        code = levels->noted[clock] != 0 ? HAL_OK : note_clock(levels, &inventory->source[clock]);
    }
    code = code == HAL_OK ? linux_journal_commit(levels->journal) : code;
    for (uint32_t i = 0; code == HAL_OK && i < levels->caps.clocks; i++) {
        levels->noted[levels->caps.index[i]] = 1;
    }
    return code;
}

/* Lowering goes down with the lower cap first, raising up with the upper one: the kernel refuses, or
 * bends, a lower cap above the upper one (admin-guide/pm/cpufreq). */
static int32_t set_caps(const struct linux_syscalls *sys, const struct linux_source *clock,
                        uint32_t upper_khz)
{
    int64_t lower = (int64_t)linux_clock_lower_khz(clock, upper_khz) * clock->divide[1];
    int64_t upper = (int64_t)upper_khz * clock->divide[2];
    int64_t now = 0;
    int32_t code = linux_read_number(sys, clock->folder, linux_clock_upper(clock), &now);

    if (code < 0 || now == upper) {
        return code;
    }
    if (upper < now) {
        code = linux_write_number(sys, clock->folder, linux_clock_lower(clock), lower);
        return code < 0 ? code
                        : linux_write_number(sys, clock->folder, linux_clock_upper(clock), upper);
    }
    code = linux_write_number(sys, clock->folder, linux_clock_upper(clock), upper);
    return code < 0 ? code
                    : linux_write_number(sys, clock->folder, linux_clock_lower(clock), lower);
}

int32_t linux_levels_apply(struct linux_levels *levels, uint32_t level)
{
    int32_t code = linux_levels_note(levels);

    for (uint32_t i = 0; i < levels->caps.clocks; i++) {
        const struct linux_source *clock = &levels->inventory->source[levels->caps.index[i]];
        int32_t set = levels->noted[levels->caps.index[i]] == 0
                          ? HAL_OK /* `code` says why it may not be set */
                          : set_caps(levels->reader->sys, clock, levels->caps.khz[level][i]);

        code = set < 0 ? set : code;
    }
    return code;
}
