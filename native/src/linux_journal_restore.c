/* Putting back what a process changed and did not put back; see linux_journal.h. */
#define _GNU_SOURCE
#include "linux_gpio.h"
#include "linux_journal.h"
#include "linux_journal_text.h"
#include "linux_tree.h"

#include <fcntl.h>
#include <string.h>

static int32_t put_line_back(const struct linux_syscalls *sys,
                             const struct hal_linux_config *config,
                             const struct hal_linux_gpio *line)
{
    struct linux_gpio gpio;
    struct linux_gpio_config wanted = {
        .dev_root = config->dev_root,
        .chip = line->chip[0] != '\0' ? line->chip : NULL,
        .line = line->line[0] != '\0' ? line->line : NULL,
        .offset = line->offset,
        .direction = LINUX_GPIO_OUTPUT,
        .active_low = line->active_low,
        .initial = 0,
    };
    int32_t code = linux_gpio_open(&gpio, sys, &wanted);

    linux_gpio_close(&gpio);
    return code;
}

static int32_t put_back(const struct linux_syscalls *sys, const struct hal_linux_config *config,
                        const struct linux_journal_entry *entry)
{
    char path[LINUX_PATH_BYTES];
    char *name;
    int64_t value = 0;

    if (entry->kind == LINUX_JOURNAL_LINE) {
        return put_line_back(sys, config, &entry->line);
    }
    if (!linux_journal_is_below(entry->path, config->sysfs_root)) {
        return HAL_E_PERM;
    }
    memcpy(path, entry->path, sizeof path);
    name = strrchr(path, '/');
    *name++ = '\0';
    int32_t code = linux_write_number(sys, path, name, entry->value);

    if (code == HAL_OK) {
        code = linux_read_number(sys, path, name, &value);
    }
    return code == HAL_OK && value != entry->value ? HAL_E_IO : code;
}

/* From the last to the first, twice: a cap below the other one is taken only after that one moved.
 * What is gone needs no putting back. */
static int32_t put_all_back(const struct linux_syscalls *sys, const struct hal_linux_config *config,
                            const struct linux_journal_entry *entries, uint32_t count)
{
    int32_t code = HAL_OK;

    for (int pass = 0; pass < 2; pass++) {
        code = HAL_OK;
        for (uint32_t i = count; i > 0; i--) {
            int32_t done = put_back(sys, config, &entries[i - 1]);

            code = done < 0 && done != HAL_E_NODEV ? done : code;
        }
        if (code == HAL_OK) {
            break;
        }
    }
    return code < 0 ? code : (int32_t)count;
}

/* The lines of a text, cut at their line feeds; a last one without is none. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *text = end + 1;
    return line;
}

static int32_t restore_text(const struct linux_syscalls *sys, const struct hal_linux_config *config,
                            char *text)
{
    struct linux_journal_entry entries[LINUX_JOURNAL_LINES_MAX];
    char boot_id[LINUX_BOOT_ID_BYTES];
    uint32_t count = 0;
    char *line = next_line(&text);

    if (line == NULL) {
        return 0; /* it was cut off before anything was set */
    }
    if (linux_journal_unseal(line) < 0) {
        return HAL_E_CORRUPT;
    }
    linux_journal_boot_id(sys, config, boot_id);
    int32_t ours = linux_journal_is_head(line, boot_id);

    if (ours <= 0) {
        return ours;
    }
    for (line = next_line(&text); line != NULL && count < LINUX_JOURNAL_LINES_MAX;
         line = next_line(&text)) {
        if (linux_journal_unseal(line) == HAL_OK &&
            linux_journal_parse(line, &entries[count]) == HAL_OK) {
            count++;
        }
    }
    return put_all_back(sys, config, entries, count);
}

int32_t linux_journal_restore(const struct linux_syscalls *sys,
                              const struct hal_linux_config *config)
{
    char text[(LINUX_JOURNAL_LINES_MAX + 1) * LINUX_JOURNAL_LINE_BYTES];
    int64_t got;
    size_t length = 0;
    int fd;

    if (config->journal[0] == '\0') {
        return 0;
    }
    int64_t opened = linux_open(sys, config->journal, O_RDONLY | O_NONBLOCK);

    if (opened < 0) {
        return linux_error(opened) == HAL_E_NODEV ? 0 : linux_error(opened);
    }
    fd = (int)opened;
    do {
        got = linux_read(sys, fd, text + length, sizeof text - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0 && length < sizeof text - 1);
    linux_close(sys, &fd);
    if (got < 0) {
        return linux_error(got);
    }
    text[length] = '\0';
    int32_t restored = restore_text(sys, config, text);

    if (restored >= 0) {
        int64_t gone = sys->unlink(sys->context, config->journal);

        return gone < 0 ? linux_error(gone) : restored;
    }
    return restored;
}
