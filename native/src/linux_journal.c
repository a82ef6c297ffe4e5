/* What the board was set to before we set it; see linux_journal.h. */
#define _GNU_SOURCE
#include "linux_journal.h"

#include "linux_journal_text.h"
#include "linux_tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FILE_MODE 0600

void linux_journal_boot_id(const struct linux_syscalls *sys, const struct hal_linux_config *config,
                           char *boot_id)
{
    char folder[LINUX_PATH_BYTES];

    boot_id[0] = '\0';
    if (linux_path(folder, config->proc_root, "sys/kernel/random") == HAL_OK) {
        (void)linux_read_once(sys, folder, "boot_id", boot_id, LINUX_BOOT_ID_BYTES);
    }
    boot_id[strcspn(boot_id, " \n")] = '\0';
    if (boot_id[0] == '\0') {
        memcpy(boot_id, "-", 2);
    }
}

void linux_journal_init(struct linux_journal *journal, const struct linux_syscalls *sys,
                        const struct hal_linux_config *config)
{
    *journal = (struct linux_journal){.sys = sys, .config = config, .fd = -1};
}

/* The folder is synced as well: a file whose name is lost is lost. */
static int32_t sync_folder(const struct linux_syscalls *sys, const char *path)
{
    char folder[HAL_LINUX_PATH_BYTES];
    char *slash;
    int64_t done;
    int fd;

    memcpy(folder, path, sizeof folder);
    slash = strrchr(folder, '/');
    if (slash == NULL) {
        memcpy(folder, ".", 2);
    } else {
        slash[slash == folder] = '\0';
    }
    done = linux_open(sys, folder, O_RDONLY | O_DIRECTORY);
    if (done < 0) {
        return linux_error(done);
    }
    fd = (int)done;
    done = sys->fsync(sys->context, fd);
    linux_close(sys, &fd);
    return linux_error(done);
}

/* Cuts off what is not durable; it and `more` settings are counted as failed. @return the code. */
static int32_t forget(struct linux_journal *journal, uint32_t more, int32_t code)
{
    journal->failed += journal->noted - journal->entries + more;
    journal->noted = journal->entries;
    journal->written = journal->durable;
    if (journal->fd >= 0) {
        (void)journal->sys->ftruncate(journal->sys->context, journal->fd,
                                      (int64_t)journal->durable);
        if (journal->entries == 0) {
            linux_close(journal->sys, &journal->fd); /* to begin anew */
        }
    }
    return code;
}

static int32_t append(struct linux_journal *journal, const char *text, int32_t bytes)
{
    int64_t done = linux_write(journal->sys, journal->fd, text, (size_t)bytes);

    journal->written += done > 0 ? (uint64_t)done : 0;
    return done == bytes ? HAL_OK : done < 0 ? linux_error(done) : HAL_E_IO;
}

static int32_t begin(struct linux_journal *journal)
{
    char boot_id[LINUX_BOOT_ID_BYTES];
    char text[LINUX_JOURNAL_LINE_BYTES];
    int64_t opened = journal->sys->open(journal->sys->context, journal->config->journal,
                                        O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, FILE_MODE);

    if (opened < 0) {
        return linux_error(opened);
    }
    journal->fd = (int)opened;
    journal->written = journal->durable = 0;
    linux_journal_boot_id(journal->sys, journal->config, boot_id);
    return append(journal, text, linux_journal_head(text, boot_id));
}

static int32_t note(struct linux_journal *journal, const struct linux_journal_entry *entry)
{
    char text[LINUX_JOURNAL_LINE_BYTES];
    int32_t bytes = linux_journal_format(text, entry);
    int32_t code = bytes < 0 ? bytes : HAL_OK;

    if (journal->config->journal[0] == '\0') {
        return HAL_E_UNSUPPORTED;
    }
    if (code == HAL_OK && journal->noted == LINUX_JOURNAL_LINES_MAX) {
        code = HAL_E_BUSY;
    }
    if (code == HAL_OK && journal->fd < 0) {
        code = begin(journal);
    }
    if (code == HAL_OK) {
        code = append(journal, text, bytes);
    }
    if (code < 0) {
        return forget(journal, 1, code);
    }
    journal->noted++;
    return HAL_OK;
}

int32_t linux_journal_file(struct linux_journal *journal, const char *folder, const char *name,
                           int64_t value)
{
    struct linux_journal_entry entry = {.kind = LINUX_JOURNAL_FILE, .value = value};

    (void)linux_path(entry.path, folder, name);
    if (!linux_journal_is_below(entry.path, journal->config->sysfs_root)) {
        return forget(journal, 1, HAL_E_RANGE);
    }
    return note(journal, &entry);
}

int32_t linux_journal_line(struct linux_journal *journal, const struct hal_linux_gpio *line)
{
    struct linux_journal_entry entry = {.kind = LINUX_JOURNAL_LINE, .line = *line};

    return note(journal, &entry);
}

int32_t linux_journal_commit(struct linux_journal *journal)
{
    const struct linux_syscalls *sys = journal->sys;

    if (journal->noted == journal->entries) {
        return HAL_OK;
    }
    int32_t code = linux_error(sys->fsync(sys->context, journal->fd));

    if (code == HAL_OK && journal->entries == 0) {
        code = sync_folder(sys, journal->config->journal);
    }
    if (code < 0) {
        return forget(journal, 0, code);
    }
    journal->entries = journal->noted;
    journal->durable = journal->written;
    return HAL_OK;
}

void linux_journal_close(struct linux_journal *journal)
{
    linux_close(journal->sys, &journal->fd);
}
