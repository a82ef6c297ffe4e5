/*
 * linux_tree.h - folders and small files of sysfs and procfs: what is there, and what it says.
 *
 * Nothing here blocks on a FIFO or on a device that is asleep: everything is opened with
 * O_NONBLOCK. A driver that talks to a slow bus inside read() blocks all the same, and for that the
 * caller has a thread of its own (linux_sampler.h).
 */
#ifndef LUMENODE_LINUX_TREE_H
#define LUMENODE_LINUX_TREE_H

#include "linux_syscalls.h"

/* A folder of a board has some tens of entries; a PC's platform bus some hundreds. */
#define LINUX_NAMES_MAX  64
#define LINUX_NAME_BYTES 64

/* Names of a folder: those with a certain start and end, in natural order (zone2 before zone10). */
struct linux_names {
    uint32_t count;
    uint32_t left_out; /* too many, or too long */
    char name[LINUX_NAMES_MAX][LINUX_NAME_BYTES];
};

/* A file that is read again and again: kept open, read at its beginning. */
struct linux_node {
    char path[LINUX_PATH_BYTES]; /* empty: there is none */
    int fd;                      /* -1: not open */
};

/*
 * Collects the entries of `folder` that begin with `start` and end in `end` ("" for any). `*names`
 * is the caller's; a folder that is not there has no names.
 * @return how many, zero or more; by linux_error() when the folder is there and cannot be read.
 */
int32_t linux_list(const struct linux_syscalls *sys, const char *folder, const char *start,
                   const char *end, struct linux_names *names);

/* Joins `folder`, a slash and `name` into `path` of LINUX_PATH_BYTES. HAL_OK, or HAL_E_RANGE: too
 * long; `path` is then empty. */
int32_t linux_path(char *path, const char *folder, const char *name);

/* Whether something lies at folder/name that can be opened for reading, or could by somebody else. */
int linux_exists(const struct linux_syscalls *sys, const char *folder, const char *name);

/*
 * Reads folder/name once into `text`, NUL-terminated. @return its length; HAL_E_CORRUPT: empty, or
 * with NUL inside; by linux_error(). A longer file is cut.
 */
int32_t linux_read_once(const struct linux_syscalls *sys, const char *folder, const char *name,
                        char *text, size_t text_bytes);

/* The same for a file with one decimal number. HAL_OK. */
int32_t linux_read_number(const struct linux_syscalls *sys, const char *folder, const char *name,
                          int64_t *value);

/* Writes a number in decimal to folder/name, as one write(). HAL_OK; by linux_error(). */
int32_t linux_write_number(const struct linux_syscalls *sys, const char *folder, const char *name,
                           int64_t value);

/* Points the node at folder/name, closed; too long a path makes it empty. */
void linux_node_set(struct linux_node *node, const char *folder, const char *name);

/* Closes the node; it opens again by itself. */
void linux_node_close(const struct linux_syscalls *sys, struct linux_node *node);

/*
 * Reads the node into `text`, NUL-terminated, opening it first if need be.
 * @return its length; HAL_E_UNSUPPORTED: an empty path; else as linux_read_once(). After an error
 * other than HAL_E_BUSY (a block asleep) the file is closed, so that the next reading looks for it
 * by its path again: a device that was plugged in anew is another file.
 */
int32_t linux_node_read(const struct linux_syscalls *sys, struct linux_node *node, char *text,
                        size_t text_bytes);

/* The same for one decimal number. HAL_OK. */
int32_t linux_node_number(const struct linux_syscalls *sys, struct linux_node *node,
                          int64_t *value);

#endif
