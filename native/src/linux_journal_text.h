/*
 * linux_journal_text.h - one line of the journal, made and taken apart. Pure; see linux_journal.h.
 */
#ifndef LUMENODE_LINUX_JOURNAL_TEXT_H
#define LUMENODE_LINUX_JOURNAL_TEXT_H

#include "linux_journal.h"

enum linux_journal_kind { LINUX_JOURNAL_FILE = 1, LINUX_JOURNAL_LINE = 2 };

struct linux_journal_entry {
    uint32_t kind; /* enum linux_journal_kind */
    uint32_t reserved;
    int64_t value;               /* file */
    char path[LINUX_PATH_BYTES]; /* file */
    struct hal_linux_gpio line;
};

/* Puts blank, check value and line feed behind what stands in `text` of LINUX_JOURNAL_LINE_BYTES.
 * @return the length; HAL_E_RANGE: it does not fit. */
int32_t linux_journal_seal(char *text);

/* Checks a line without its line feed and cuts its check value off. HAL_OK; HAL_E_CORRUPT. */
int32_t linux_journal_unseal(char *text);

/* The first line; `boot_id` is up to 63 characters without blanks. @return as
 * linux_journal_seal(). */
int32_t linux_journal_head(char *text, const char *boot_id);

/* Whether the unsealed first line is one. @return 1: of this start of the kernel, 0: of another;
 * HAL_E_CORRUPT: it is none. */
int32_t linux_journal_is_head(const char *text, const char *boot_id);

/* A setting's line; names with blanks are refused. @return as linux_journal_seal(). */
int32_t linux_journal_format(char *text, const struct linux_journal_entry *entry);

/* The setting of an unsealed line. HAL_OK; HAL_E_CORRUPT. */
int32_t linux_journal_parse(char *text, struct linux_journal_entry *entry);

/* Whether the path lies below the root and cannot climb out of it. */
int linux_journal_is_below(const char *path, const char *root);

#endif
