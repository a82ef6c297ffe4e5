/*
 * fake_tree.h - a folder of files that stands in for sysfs, procfs and /dev, and a table of system
 * calls that is the real one but for what a test wants to go wrong.
 */
#ifndef LUMENODE_FAKE_TREE_H
#define LUMENODE_FAKE_TREE_H

#include "check.h"
#include "linux_syscalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE_PATH_BYTES 300

struct tree {
    char root[64];
};

static inline void tree_path(const struct tree *tree, char *path, const char *name)
{
    int length = snprintf(path, TREE_PATH_BYTES, "%s/%s", tree->root, name);

    CHECK(length > 0 && length < TREE_PATH_BYTES);
}

static inline struct tree tree_make(void)
{
    struct tree tree;
    const char *folder = getenv("TMPDIR");

    CHECK(snprintf(tree.root, sizeof tree.root, "%s/tree-XXXXXX",
                   folder != NULL ? folder : "/tmp") < (int)sizeof tree.root);
    CHECK(mkdtemp(tree.root) != NULL);
    return tree;
}

static inline void tree_folder(const struct tree *tree, const char *name)
{
    char path[TREE_PATH_BYTES];

    tree_path(tree, path, name);
    for (char *at = path + strlen(tree->root) + 1;; at++) {
        if (*at == '/' || *at == '\0') {
            char end = *at;

            *at = '\0';
            CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
            if (end == '\0') {
                return;
            }
            *at = end;
        }
    }
}

/* Writes a file with its folders. An old text is overwritten first and cut to the new length then,
 * so that a reader meanwhile never finds it empty. */
static inline void tree_write(const struct tree *tree, const char *name, const char *text)
{
    char path[TREE_PATH_BYTES];
    char *slash;
    int fd;

    strcpy(path, name);
    slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
        tree_folder(tree, path);
    }
    tree_path(tree, path, name);
    fd = open(path, O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    CHECK(ftruncate(fd, (off_t)strlen(text)) == 0);
    close(fd);
}

static inline void tree_read(const struct tree *tree, const char *name, char *text, size_t bytes)
{
    char path[TREE_PATH_BYTES];
    ssize_t got;
    int fd;

    tree_path(tree, path, name);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    got = read(fd, text, bytes - 1);
    CHECK(got >= 0);
    text[got] = '\0';
    close(fd);
}

static inline int tree_holds(const struct tree *tree, const char *name, const char *text)
{
    char found[256];

    tree_read(tree, name, found, sizeof found);
    return strcmp(found, text) == 0;
}

static inline int tree_starts(const struct tree *tree, const char *name, const char *text)
{
    char found[256];

    tree_read(tree, name, found, sizeof found);
    return strncmp(found, text, strlen(text)) == 0;
}

static inline void tree_link(const struct tree *tree, const char *name, const char *target)
{
    char path[TREE_PATH_BYTES];

    tree_path(tree, path, name);
    CHECK(symlink(target, path) == 0);
}

static inline void tree_fifo(const struct tree *tree, const char *name)
{
    char path[TREE_PATH_BYTES];

    tree_path(tree, path, name);
    CHECK(mkfifo(path, 0644) == 0);
}

/* What unplugging does to a file that somebody holds open: it has nothing to say any more, and it
 * is gone. */
static inline void tree_vanish(const struct tree *tree, const char *name)
{
    char path[TREE_PATH_BYTES];

    tree_path(tree, path, name);
    CHECK(truncate(path, 0) == 0);
    CHECK(unlink(path) == 0);
}

static inline void tree_remove_path(const char *path)
{
    DIR *folder = opendir(path);

    if (folder == NULL) {
        CHECK(unlink(path) == 0);
        return;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char below[TREE_PATH_BYTES];
        struct stat found;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        CHECK(snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below);
        CHECK(lstat(below, &found) == 0);
        if (S_ISDIR(found.st_mode)) {
            tree_remove_path(below);
        } else {
            CHECK(unlink(below) == 0);
        }
    }
    closedir(folder);
    CHECK(rmdir(path) == 0);
}

static inline void tree_remove(const struct tree *tree)
{
    tree_remove_path(tree->root);
}

/* A GPIO controller of eight lines behind every ioctl on a file of the tree. */
#define FAKE_LINES 8

struct fake_gpio {
    const char *label;
    int line_fd[FAKE_LINES];        /* 0: not requested */
    uint32_t level[FAKE_LINES];     /* logical; it stays when the line is given back */
    uint32_t requested[FAKE_LINES]; /* times */
    int error;                      /* every ioctl fails with it */
    uint32_t stuck;                 /* lines that keep their level */
};

static inline int64_t fake_gpio_request(struct fake_gpio *gpio,
                                        struct gpio_v2_line_request *request)
{
    uint32_t offset = request->offsets[0];

    CHECK(offset < FAKE_LINES && request->num_lines == 1);
    if (gpio->line_fd[offset] != 0) {
        return -EBUSY;
    }
    request->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK(request->fd > 0);
    gpio->line_fd[offset] = request->fd;
    gpio->level[offset] = (uint32_t)request->config.attrs[0].attr.values & 1;
    gpio->requested[offset]++;
    return 0;
}

static inline int64_t fake_gpio_ioctl(struct fake_gpio *gpio, int fd, unsigned long request,
                                      void *argument)
{
    struct gpio_v2_line_values *values = argument;
    struct gpiochip_info *info = argument;

    if (gpio->error != 0) {
        return -gpio->error;
    }
    switch (request) {
    case GPIO_GET_CHIPINFO_IOCTL:
        snprintf(info->label, sizeof info->label, "%s", gpio->label);
        info->lines = FAKE_LINES;
        return 0;
    case GPIO_V2_GET_LINE_IOCTL: return fake_gpio_request(gpio, argument);
    default: break;
    }
    for (int i = 0; i < FAKE_LINES; i++) {
        if (gpio->line_fd[i] == fd && request == GPIO_V2_LINE_SET_VALUES_IOCTL) {
            gpio->level[i] = (gpio->stuck >> i & 1) != 0 ? gpio->level[i] : values->bits & 1;
            return 0;
        }
        if (gpio->line_fd[i] == fd && request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
            values->bits = gpio->level[i];
            return 0;
        }
    }
    return -ENOTTY;
}

static inline void fake_gpio_close(struct fake_gpio *gpio, int fd)
{
    for (int i = 0; i < FAKE_LINES; i++) {
        gpio->line_fd[i] = gpio->line_fd[i] == fd ? 0 : gpio->line_fd[i];
    }
}

/*
 * Trouble with files whose path ends in `end`: opening, reading or writing them fails with an
 * errno, or reading them hangs until the test lets go. Any thread may use the table.
 */
#define TROUBLE_FDS_MAX 1024

struct trouble {
    const char *end;
    int open_error;
    int read_error;
    int write_error;
    int fsync_error;
    _Atomic int hangs;                   /* 1: a pread of such a file does not come back */
    _Atomic int hung;                    /* threads that hang now */
    _Atomic int open_files;              /* of such a name */
    _Atomic uint8_t fd[TROUBLE_FDS_MAX]; /* 1: such a file */
    _Atomic uint64_t now_ns;             /* 0: the real clock */
    struct fake_gpio *gpio;              /* NULL: ioctls go to the kernel */
};

static inline int trouble_concerns(const struct trouble *trouble, const char *path)
{
    size_t path_bytes = strlen(path);
    size_t end_bytes = trouble->end == NULL ? path_bytes + 1 : strlen(trouble->end);

    return end_bytes <= path_bytes && strcmp(path + path_bytes - end_bytes, trouble->end) == 0;
}

static inline int trouble_has(struct trouble *trouble, int fd)
{
    return fd >= 0 && fd < TROUBLE_FDS_MAX && atomic_load(&trouble->fd[fd]) != 0;
}

static inline int64_t trouble_open(void *context, const char *path, int flags, uint32_t mode)
{
    struct trouble *trouble = context;
    int concerned = trouble_concerns(trouble, path);

    if (concerned && trouble->open_error != 0) {
        return -trouble->open_error;
    }
    int64_t fd = linux_syscalls_real()->open(NULL, path, flags, mode);

    if (concerned && fd >= 0 && fd < TROUBLE_FDS_MAX) {
        atomic_fetch_add(&trouble->open_files, 1);
        atomic_store(&trouble->fd[fd], 1);
    }
    return fd;
}

static inline int64_t trouble_pread(void *context, int fd, void *buffer, size_t bytes,
                                    int64_t offset)
{
    struct trouble *trouble = context;

    if (trouble_has(trouble, fd)) {
        if (trouble->read_error != 0) {
            return -trouble->read_error;
        }
        atomic_fetch_add(&trouble->hung, 1);
        while (atomic_load(&trouble->hangs)) {
            usleep(200);
        }
        atomic_fetch_sub(&trouble->hung, 1);
    }
    return linux_syscalls_real()->pread(NULL, fd, buffer, bytes, offset);
}

static inline int64_t trouble_write(void *context, int fd, const void *buffer, size_t bytes)
{
    struct trouble *trouble = context;

    if (trouble_has(trouble, fd) && trouble->write_error != 0) {
        return -trouble->write_error;
    }
    return linux_syscalls_real()->write(NULL, fd, buffer, bytes);
}

static inline int64_t trouble_close(void *context, int fd)
{
    struct trouble *trouble = context;

    if (trouble_has(trouble, fd)) {
        atomic_store(&trouble->fd[fd], 0);
        atomic_fetch_sub(&trouble->open_files, 1);
    }
    if (trouble->gpio != NULL) {
        fake_gpio_close(trouble->gpio, fd);
    }
    return linux_syscalls_real()->close(NULL, fd);
}

static inline int64_t trouble_fsync(void *context, int fd)
{
    const struct trouble *trouble = context;

    return trouble->fsync_error != 0 ? -trouble->fsync_error
                                     : linux_syscalls_real()->fsync(NULL, fd);
}

static inline int64_t trouble_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    struct trouble *trouble = context;

    return trouble->gpio != NULL ? fake_gpio_ioctl(trouble->gpio, fd, request, argument)
                                 : linux_syscalls_real()->ioctl(NULL, fd, request, argument);
}

static inline uint64_t trouble_now_ns(void *context)
{
    struct trouble *trouble = context;
    uint64_t now_ns = atomic_load(&trouble->now_ns);

    return now_ns != 0 ? now_ns : linux_syscalls_real()->now_ns(NULL);
}

static inline struct linux_syscalls trouble_table(struct trouble *trouble)
{
    struct linux_syscalls table = *linux_syscalls_real();

    table.context = trouble;
    table.open = trouble_open;
    table.close = trouble_close;
    table.pread = trouble_pread;
    table.write = trouble_write;
    table.fsync = trouble_fsync;
    table.ioctl = trouble_ioctl;
    table.now_ns = trouble_now_ns;
    return table;
}

#endif
