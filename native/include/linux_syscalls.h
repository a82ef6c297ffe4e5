/*
 * linux_syscalls.h - the system calls that the Linux side of the hardware layer makes, as a table.
 *
 * Everything in linux_*.c reaches the kernel through this table, so that a test puts a scripted
 * kernel in its place and walks every error path: an unplugged adapter, a bus that hangs, a signal
 * at the wrong moment. On a board the table is linux_syscalls_real().
 *
 * Results.  Zero or more is what the system call returned; a failure is the NEGATIVE errno itself
 *           (-ENODEV), never -1: nothing here reads `errno`, so a table needs no thread's memory.
 * Restart.  A function of the table is one system call. It does not restart after a signal; the
 *           functions linux_NAME() below do, LINUX_RESTARTS_MAX times at most, then -EINTR stands.
 * Blocking. open() of the device files used here returns at once when it is given O_NONBLOCK.
 *           read() and write() on such a descriptor never wait; ioctl() waits as long as its driver
 *           does, and each user of one says how long that is. poll() waits `timeout_ms`.
 * Threads.  The real table may be used from any thread; a scripted one from its test's only.
 * Source.   man 2 of each call, man 3 getdents for the entries' layout.
 */
#ifndef LUMENODE_LINUX_SYSCALLS_H
#define LUMENODE_LINUX_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pollfd; /* <poll.h> */

/* How often a call is made again after a signal. A program that is interrupted more often than
 * that within one call has another problem than this call. */
#define LINUX_RESTARTS_MAX 8

/* Room for a path, NUL included: roots are short, names in sysfs are at most 255 octets. */
#define LINUX_PATH_BYTES 512

struct linux_syscalls {
    void *context; /* handed to every function; the real table's is NULL */

    /* A new descriptor. O_CLOEXEC is always added: nothing here survives an exec. `mode` counts
     * only with O_CREAT. */
    int64_t (*open)(void *context, const char *path, int flags, uint32_t mode);
    /* The descriptor is gone whatever is returned, -EINTR included: never close twice. */
    int64_t (*close)(void *context, int fd);
    /* Octets moved, fewer than asked for perhaps; 0 at the end of a file. */
    int64_t (*read)(void *context, int fd, void *buffer, size_t bytes);
    int64_t (*write)(void *context, int fd, const void *buffer, size_t bytes);
    int64_t (*pread)(void *context, int fd, void *buffer, size_t bytes, int64_t offset);
    int64_t (*pwrite)(void *context, int fd, const void *buffer, size_t bytes, int64_t offset);
    /* `argument` is what the request wants: a pointer, or a number converted to one. */
    int64_t (*ioctl)(void *context, int fd, unsigned long request, void *argument);
    /* Descriptors with events; 0 when `timeout_ms` passed (0: look only, negative: for ever). */
    int64_t (*poll)(void *context, struct pollfd *fds, uint32_t count, int timeout_ms);
    /* Octets of struct linux_dirent64 put into `buffer`; 0 at the end of the directory. */
    int64_t (*getdents)(void *context, int fd, void *buffer, size_t bytes);

    int64_t (*fsync)(void *context, int fd);
    int64_t (*ftruncate)(void *context, int fd, int64_t bytes);
    int64_t (*rename)(void *context, const char *from, const char *to);
    int64_t (*unlink)(void *context, const char *path);
    int64_t (*mkdir)(void *context, const char *path, uint32_t mode);

    /* A datagram socket of the local family, non-blocking. */
    int64_t (*socket)(void *context, int domain, int type, int protocol);
    /* Octets sent to `address`; no SIGPIPE. */
    int64_t (*sendto)(void *context, int fd, const void *buffer, size_t bytes, const void *address,
                      uint32_t address_bytes);

    /* Maps `bytes` of a device shared, readable and writable; the address goes to `*memory`. */
    int64_t (*mmap)(void *context, int fd, size_t bytes, int64_t offset, void **memory);
    int64_t (*munmap)(void *context, void *memory, size_t bytes);

    /* CLOCK_MONOTONIC; tick.h. Not a system call that can fail, here so that a test owns time. */
    uint64_t (*now_ns)(void *context);
};

/* The kernel itself. Static; never NULL. */
const struct linux_syscalls *linux_syscalls_real(void);

/*
 * The enum hal_err of a negative errno; zero and more give HAL_OK.
 *
 *   HAL_E_NODEV        ENODEV ENOENT ENXIO ENOTDIR ESHUTDOWN ENOTCONN ECONNREFUSED
 *   HAL_E_PERM         EACCES EPERM EROFS
 *   HAL_E_BUSY         EBUSY EAGAIN ENOBUFS ENOMEM ENFILE EMFILE ENOSPC
 *   HAL_E_TIMEOUT      ETIMEDOUT ETIME EINTR
 *   HAL_E_RANGE        EINVAL ERANGE E2BIG EMSGSIZE ENAMETOOLONG EFAULT EDOM
 *   HAL_E_UNSUPPORTED  ENOTTY EOPNOTSUPP ENOSYS EAFNOSUPPORT EPROTONOSUPPORT
 *   HAL_E_STATE        EBADF
 *   HAL_E_CORRUPT      EBADMSG
 *   HAL_E_IO           all others: EIO EREMOTEIO EPROTO EPIPE ...
 */
int32_t linux_error(int64_t result);

/* The calls that a signal may interrupt, made again LINUX_RESTARTS_MAX times; results as in the
 * table. linux_open() adds O_CLOEXEC by the table. */
int64_t linux_open(const struct linux_syscalls *sys, const char *path, int flags);
int64_t linux_read(const struct linux_syscalls *sys, int fd, void *buffer, size_t bytes);
int64_t linux_write(const struct linux_syscalls *sys, int fd, const void *buffer, size_t bytes);
int64_t linux_ioctl(const struct linux_syscalls *sys, int fd, unsigned long request,
                    void *argument);

/* Closes a descriptor that is open (zero or more) and sets it to -1. */
void linux_close(const struct linux_syscalls *sys, int *fd);

/*
 * Waits until one of `events` (POLLIN, POLLPRI...) is there or `timeout_ns` passed, also when
 * signals come in between; the wait is rounded up to a millisecond.
 * @return the events found, POLLERR, POLLHUP and POLLNVAL among them; 0 after the timeout; or a
 * negative errno.
 */
int64_t linux_wait(const struct linux_syscalls *sys, int fd, int16_t events, uint64_t timeout_ns);

/* Joins `root`, which may be `path` itself, and `rest` into `path` of LINUX_PATH_BYTES. HAL_OK, or HAL_E_RANGE: too long. */
int32_t linux_join_path(char *path, const char *root, const char *rest);

/*
 * Reads a short text file (sysfs, procfs) at `path` into `text`, NUL-terminated, without the white
 * space at its end.
 * @return its length; HAL_E_RANGE when it does not fit; else by linux_error().
 */
int32_t linux_read_text(const struct linux_syscalls *sys, const char *path, char *text,
                        size_t text_bytes);

#ifdef __cplusplus
}
#endif

#endif
