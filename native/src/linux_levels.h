/*
 * linux_levels.h - carrying a payload level out: caps noted in the journal, then set.
 */
#ifndef LUMENODE_LINUX_LEVELS_H
#define LUMENODE_LINUX_LEVELS_H

#include "linux_caps.h"
#include "linux_journal.h"

/* Used by one thread. */
struct linux_levels {
    const struct linux_reader *reader;
    struct linux_inventory *inventory;
    struct linux_journal *journal;
    struct linux_caps caps;
    int32_t
        restored; /* of an earlier process' journal; negative: it is in the way, nothing is set */
    uint8_t noted[LINUX_SOURCES_MAX]; /* 1: this clock's caps are in the journal, durable */
};

/* The files of a clock's lower and upper cap in its folder. */
const char *linux_clock_lower(const struct linux_source *clock);
const char *linux_clock_upper(const struct linux_source *clock);

/* The lower cap that goes with an upper one: as it was found, if that lies below. */
uint32_t linux_clock_lower_khz(const struct linux_source *clock, uint32_t upper_khz);

/* Notes the caps that the clocks were found with, each once. HAL_OK; else those that are not noted may
 * not be set. */
int32_t linux_levels_note(struct linux_levels *levels);

/* Caps the clocks for a level. HAL_OK; the code of the note, and what is not noted was not set; or that
 * of the last cap that could not be set. The others are set all the same. */
int32_t linux_levels_apply(struct linux_levels *levels, uint32_t level);

#endif
