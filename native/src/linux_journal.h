/*
 * linux_journal.h - what the board was set to before we set it, on a medium that keeps it.
 *
 * A text file. Its first line names the start of the kernel it belongs to; every other line is one
 * setting and the value it had. Each line ends in the CRC-32C of what stands before it:
 *
 *     lumenode-journal 1 6f0c... 1c291ca3
 *     file /sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq 1800000 9d3c7f02
 *     line pinctrl-rp1 GPIO17 0 0 5b0e11aa
 *
 * Lines are noted and then committed, which makes them durable (fsync), before their settings are
 * changed; so a line that was cut off by a crash belongs to a setting that was not changed, and is
 * passed over. A GPIO line is put back to "off".
 *
 * Putting back goes through the lines from the last to the first. A file is touched only below
 * `sysfs_root`: whoever can write the journal shall not thereby write anywhere else.
 */
#ifndef LUMENODE_LINUX_JOURNAL_H
#define LUMENODE_LINUX_JOURNAL_H

#include "backend_linux.h"
#include "linux_syscalls.h"

#define LINUX_JOURNAL_LINES_MAX  40 /* 9 clocks of 2 caps, 3 GPIO lines, and some room */
#define LINUX_JOURNAL_LINE_BYTES 640
#define LINUX_BOOT_ID_BYTES      64

struct linux_journal {
    const struct linux_syscalls *sys;
    const struct hal_linux_config *config;
    int fd;           /* -1: nothing written yet */
    uint32_t noted;   /* settings in the file */
    uint32_t entries; /* those of them that are durable */
    uint64_t written; /* octets of the file */
    uint64_t durable; /* those of them that are durable */
    uint64_t failed;  /* settings that could not be noted or committed, and were not changed */
};

/* Nothing is opened or written yet. */
void linux_journal_init(struct linux_journal *journal, const struct linux_syscalls *sys,
                        const struct hal_linux_config *config);

/*
 * Notes one setting: folder/name has `value`. HAL_OK; HAL_E_UNSUPPORTED: no journal is configured;
 * HAL_E_BUSY: it is full; HAL_E_RANGE: it could not be put back; else by linux_error(). A failure is
 * counted, and what was noted since the last commit is forgotten.
 */
int32_t linux_journal_file(struct linux_journal *journal, const char *folder, const char *name,
                           int64_t value);

/* The same for a GPIO line, which is off. */
int32_t linux_journal_line(struct linux_journal *journal, const struct hal_linux_gpio *line);

/* Makes what was noted durable; takes as long as the medium needs for a sync, or two the first time.
 * HAL_OK; by linux_error(), then counted and forgotten as above. */
int32_t linux_journal_commit(struct linux_journal *journal);

/* Which start of the kernel this is, into `boot_id` of LINUX_BOOT_ID_BYTES; "-" where it does not
 * tell. */
void linux_journal_boot_id(const struct linux_syscalls *sys, const struct hal_linux_config *config,
                           char *boot_id);

/* Closes the file; it stays. */
void linux_journal_close(struct linux_journal *journal);

/*
 * Puts back what the journal at config->journal holds and removes it. @return settings put back;
 * errors as of hal_linux_restore(). No journal, or one of an earlier start of the kernel: 0.
 */
int32_t linux_journal_restore(const struct linux_syscalls *sys,
                              const struct hal_linux_config *config);

#endif
