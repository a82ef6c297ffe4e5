/* What every user of the system calls needs: restart after a signal, errors, waits, paths; see
 * linux_syscalls.h. */
#include "hal.h"
#include "linux_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

static const uint64_t NS_PER_MS = 1000000;

/* Makes `call` until no signal interrupts it, a bounded number of times. */
#define RESTARTED(result, call)                                                                    \
    do {                                                                                           \
        int restarts_left = LINUX_RESTARTS_MAX;                                                    \
                                                                                                   \
        do {                                                                                       \
            (result) = (call);                                                                     \
        } while ((result) == -EINTR && restarts_left-- > 0);                                       \
    } while (0)

struct meaning {
    int error;
    int32_t code;
};

/* Everything else is HAL_E_IO. */
static const struct meaning MEANINGS[] = {
    {ENODEV, HAL_E_NODEV},
    {ENOENT, HAL_E_NODEV},
    {ENXIO, HAL_E_NODEV},
    {ENOTDIR, HAL_E_NODEV},
    {ESHUTDOWN, HAL_E_NODEV},
    {ENOTCONN, HAL_E_NODEV},
    {ECONNREFUSED, HAL_E_NODEV},
    {EACCES, HAL_E_PERM},
    {EPERM, HAL_E_PERM},
    {EROFS, HAL_E_PERM},
    {EBUSY, HAL_E_BUSY},
    {EAGAIN, HAL_E_BUSY},
    {ENOBUFS, HAL_E_BUSY},
    {ENOMEM, HAL_E_BUSY},
    {ENFILE, HAL_E_BUSY},
    {EMFILE, HAL_E_BUSY},
    {ENOSPC, HAL_E_BUSY},
    {ETIMEDOUT, HAL_E_TIMEOUT},
    {ETIME, HAL_E_TIMEOUT},
    {EINTR, HAL_E_TIMEOUT},
    {EINVAL, HAL_E_RANGE},
    {ERANGE, HAL_E_RANGE},
    {E2BIG, HAL_E_RANGE},
    {EMSGSIZE, HAL_E_RANGE},
    {ENAMETOOLONG, HAL_E_RANGE},
    {EFAULT, HAL_E_RANGE},
    {EDOM, HAL_E_RANGE},
    {ENOTTY, HAL_E_UNSUPPORTED},
    {EOPNOTSUPP, HAL_E_UNSUPPORTED},
    {ENOSYS, HAL_E_UNSUPPORTED},
    {EAFNOSUPPORT, HAL_E_UNSUPPORTED},
    {EPROTONOSUPPORT, HAL_E_UNSUPPORTED},
    {EBADF, HAL_E_STATE},
    {EBADMSG, HAL_E_CORRUPT},
};

int32_t linux_error(int64_t result)
{
    if (result >= 0) {
        return HAL_OK;
    }
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        if (result == -MEANINGS[i].error) {
            return MEANINGS[i].code;
        }
    }
    return HAL_E_IO;
}

int64_t linux_open(const struct linux_syscalls *sys, const char *path, int flags)
{
    int64_t result;

    RESTARTED(result, sys->open(sys->context, path, flags, 0));
    return result;
}

int64_t linux_read(const struct linux_syscalls *sys, int fd, void *buffer, size_t bytes)
{
    int64_t result;

    RESTARTED(result, sys->read(sys->context, fd, buffer, bytes));
    return result;
}

int64_t linux_write(const struct linux_syscalls *sys, int fd, const void *buffer, size_t bytes)
{
    int64_t result;

    RESTARTED(result, sys->write(sys->context, fd, buffer, bytes));
    return result;
}

int64_t linux_ioctl(const struct linux_syscalls *sys, int fd, unsigned long request, void *argument)
{
    int64_t result;

    RESTARTED(result, sys->ioctl(sys->context, fd, request, argument));
    return result;
}

void linux_close(const struct linux_syscalls *sys, int *fd)
{
    if (*fd >= 0) {
        (void)sys->close(sys->context, *fd);
        *fd = -1;
    }
}

static int ms_until(uint64_t now_ns, uint64_t due_ns)
{
    uint64_t left_ms = now_ns < due_ns ? (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;

    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

int64_t linux_wait(const struct linux_syscalls *sys, int fd, int16_t events, uint64_t timeout_ns)
{
    struct pollfd waited = {.fd = fd, .events = events, .revents = 0};
    uint64_t now_ns = sys->now_ns(sys->context);
    uint64_t due_ns = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    int64_t result = -EINTR;

    for (int i = 0; result == -EINTR && i <= LINUX_RESTARTS_MAX; i++) {
        result = sys->poll(sys->context, &waited, 1, ms_until(now_ns, due_ns));
        now_ns = sys->now_ns(sys->context);
    }
    return result > 0 ? (int64_t)(uint16_t)waited.revents : result;
}

int32_t linux_join_path(char *path, const char *root, const char *rest)
{
    size_t root_bytes = strlen(root);
    size_t rest_bytes = strlen(rest);

    if (root_bytes + rest_bytes >= LINUX_PATH_BYTES) {
        return HAL_E_RANGE;
    }
    memmove(path, root, root_bytes + 1);
    memcpy(path + root_bytes, rest, rest_bytes + 1);
    return HAL_OK;
}

static int is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0';
}

int32_t linux_read_text(const struct linux_syscalls *sys, const char *path, char *text,
                        size_t text_bytes)
{
    int64_t opened = linux_open(sys, path, O_RDONLY);
    size_t length = 0;
    int64_t got = 1;
    int fd;

    if (opened < 0) {
        return linux_error(opened);
    }
    fd = (int)opened;
    while (got > 0 && length < text_bytes) {
        got = linux_read(sys, fd, text + length, text_bytes - length);
        length += got > 0 ? (size_t)got : 0;
    }
    linux_close(sys, &fd);
    if (got < 0) {
        return linux_error(got);
    }
    if (length >= text_bytes) {
        return HAL_E_RANGE;
    }
    while (length > 0 && is_space(text[length - 1])) {
        length--;
    }
    text[length] = '\0';
    return (int32_t)length;
}
