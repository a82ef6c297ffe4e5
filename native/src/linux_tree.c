/* Folders and small files of sysfs and procfs; see linux_tree.h. */
#define _GNU_SOURCE
#include "linux_tree.h"

#include "hal.h"
#include "linux_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES  32
#define ENTRIES_BYTES 2048

/* What getdents64 hands out (man 2 getdents); the C library's own type has no fixed layout. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

int32_t linux_path(char *path, const char *folder, const char *name)
{
    int length = snprintf(path, LINUX_PATH_BYTES, "%s/%s", folder, name);

    if (length < 0 || length >= LINUX_PATH_BYTES) {
        path[0] = '\0';
        return HAL_E_RANGE;
    }
    return HAL_OK;
}

/* Shorter names first, then by character: names that differ in a number behind one word come in
 * the order of that number. */
static int comes_before(const char *left, const char *right)
{
    size_t left_bytes = strlen(left);
    size_t right_bytes = strlen(right);

    return left_bytes != right_bytes ? left_bytes < right_bytes : strcmp(left, right) < 0;
}

static void insert(struct linux_names *names, const char *name)
{
    uint32_t at = names->count;

    size_t name_bytes = strlen(name) + 1;

    if (names->count == LINUX_NAMES_MAX || name_bytes > LINUX_NAME_BYTES) {
        names->left_out++;
        return;
    }
    for (; at > 0 && comes_before(name, names->name[at - 1]); at--) {
        memcpy(names->name[at], names->name[at - 1], LINUX_NAME_BYTES);
    }
    memcpy(names->name[at], name, name_bytes);
    names->count++;
}

static int fits(const char *name, const char *start, const char *end)
{
    size_t name_bytes = strlen(name);
    size_t end_bytes = strlen(end);

    return name[0] != '.' && strncmp(name, start, strlen(start)) == 0 && name_bytes >= end_bytes &&
           strcmp(name + name_bytes - end_bytes, end) == 0;
}

int32_t linux_list(const struct linux_syscalls *sys, const char *folder, const char *start,
                   const char *end, struct linux_names *names)
{
    _Alignas(struct entry) char entries[ENTRIES_BYTES];
    int64_t opened = linux_open(sys, folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    int64_t got = 1;
    int fd;

    *names = (struct linux_names){0};
    if (opened < 0) {
        return linux_error(opened) == HAL_E_NODEV ? 0 : linux_error(opened);
    }
    fd = (int)opened;
    while (got > 0) {
        got = sys->getdents(sys->context, fd, entries, sizeof entries);
        for (int64_t at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(entries + at);

            if (fits(entry->name, start, end)) {
                insert(names, entry->name);
            }
            at += entry->bytes;
        }
    }
    linux_close(sys, &fd);
    return got < 0 ? linux_error(got) : (int32_t)names->count;
}

int linux_exists(const struct linux_syscalls *sys, const char *folder, const char *name)
{
    char path[LINUX_PATH_BYTES];
    int64_t opened;
    int fd;

    if (linux_path(path, folder, name) < 0) {
        return 0;
    }
    opened = linux_open(sys, path, O_RDONLY | O_NONBLOCK);
    if (opened < 0) {
        return linux_error(opened) == HAL_E_PERM; /* it is there, and not for us */
    }
    fd = (int)opened;
    linux_close(sys, &fd);
    return 1;
}

static int32_t read_start(const struct linux_syscalls *sys, int fd, char *text, size_t text_bytes)
{
    int64_t got = sys->pread(sys->context, fd, text, text_bytes - 1, 0);

    for (int i = 0; got == -EINTR && i < LINUX_RESTARTS_MAX; i++) {
        got = sys->pread(sys->context, fd, text, text_bytes - 1, 0);
    }
    if (got < 0) {
        return linux_error(got);
    }
    while (got > 0 && text[got - 1] == '\0') {
        got--; /* texts of the device tree end in NUL */
    }
    text[got] = '\0';
    return got == 0 || strlen(text) != (size_t)got ? HAL_E_CORRUPT : (int32_t)got;
}

void linux_node_set(struct linux_node *node, const char *folder, const char *name)
{
    node->fd = -1;
    (void)linux_path(node->path, folder, name);
}

void linux_node_close(const struct linux_syscalls *sys, struct linux_node *node)
{
    linux_close(sys, &node->fd);
}

int32_t linux_node_read(const struct linux_syscalls *sys, struct linux_node *node, char *text,
                        size_t text_bytes)
{
    if (node->path[0] == '\0') {
        return HAL_E_UNSUPPORTED;
    }
    if (node->fd < 0) {
        int64_t opened = linux_open(sys, node->path, O_RDONLY | O_NONBLOCK);

        if (opened < 0) {
            return linux_error(opened);
        }
        node->fd = (int)opened;
    }
    int32_t got = read_start(sys, node->fd, text, text_bytes);

    if (got < 0 && got != HAL_E_BUSY) {
        linux_node_close(sys, node);
    }
    return got;
}

int32_t linux_node_number(const struct linux_syscalls *sys, struct linux_node *node, int64_t *value)
{
    char text[NUMBER_BYTES];
    int32_t got = linux_node_read(sys, node, text, sizeof text);

    return got < 0 ? got : linux_parse_decimal(text, value);
}

int32_t linux_read_once(const struct linux_syscalls *sys, const char *folder, const char *name,
                        char *text, size_t text_bytes)
{
    struct linux_node node;

    linux_node_set(&node, folder, name);
    int32_t got = linux_node_read(sys, &node, text, text_bytes);

    linux_node_close(sys, &node);
    return got;
}

int32_t linux_read_number(const struct linux_syscalls *sys, const char *folder, const char *name,
                          int64_t *value)
{
    char text[NUMBER_BYTES];
    int32_t got = linux_read_once(sys, folder, name, text, sizeof text);

    return got < 0 ? got : linux_parse_decimal(text, value);
}

int32_t linux_write_number(const struct linux_syscalls *sys, const char *folder, const char *name,
                           int64_t value)
{
    char path[LINUX_PATH_BYTES];
    char text[NUMBER_BYTES];
    int length = snprintf(text, sizeof text, "%lld\n", (long long)value);
    int64_t done;
    int fd;

    if (linux_path(path, folder, name) < 0) {
        return HAL_E_RANGE;
    }
    /* O_TRUNC means nothing to sysfs; where a plain file stands in for it, no digit of the old
     * value stays behind the new one. */
    done = linux_open(sys, path, O_WRONLY | O_TRUNC | O_NONBLOCK);
    if (done < 0) {
        return linux_error(done);
    }
    fd = (int)done;
    done = linux_write(sys, fd, text, (size_t)length);
    linux_close(sys, &fd);
    if (done < 0) {
        return linux_error(done);
    }
    return done == length ? HAL_OK : HAL_E_IO;
}
