/* The table of the kernel itself; see linux_syscalls.h. One system call a function. */
#define _GNU_SOURCE
#include "linux_syscalls.h"
#include "tick.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int64_t told(int64_t result)
{
    return result < 0 ? -(int64_t)errno : result;
}

static int64_t real_open(void *context, const char *path, int flags, uint32_t mode)
{
    (void)context;
    return told(open(path, flags | O_CLOEXEC, (mode_t)mode));
}

static int64_t real_close(void *context, int fd)
{
    (void)context;
    return told(close(fd));
}

static int64_t real_read(void *context, int fd, void *buffer, size_t bytes)
{
    (void)context;
    return told(read(fd, buffer, bytes));
}

static int64_t real_write(void *context, int fd, const void *buffer, size_t bytes)
{
    (void)context;
    return told(write(fd, buffer, bytes));
}

static int64_t real_pread(void *context, int fd, void *buffer, size_t bytes, int64_t offset)
{
    (void)context;
    return told(pread(fd, buffer, bytes, (off_t)offset));
}

static int64_t real_pwrite(void *context, int fd, const void *buffer, size_t bytes, int64_t offset)
{
    (void)context;
    return told(pwrite(fd, buffer, bytes, (off_t)offset));
}

static int64_t real_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    (void)context;
    return told(ioctl(fd, request, argument));
}

static int64_t real_poll(void *context, struct pollfd *fds, uint32_t count, int timeout_ms)
{
    (void)context;
    return told(poll(fds, (nfds_t)count, timeout_ms));
}

static int64_t real_getdents(void *context, int fd, void *buffer, size_t bytes)
{
    (void)context;
    return told(syscall(SYS_getdents64, fd, buffer, bytes));
}

static int64_t real_fsync(void *context, int fd)
{
    (void)context;
    return told(fsync(fd));
}

static int64_t real_ftruncate(void *context, int fd, int64_t bytes)
{
    (void)context;
    return told(ftruncate(fd, (off_t)bytes));
}

static int64_t real_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return told(rename(from, to));
}

static int64_t real_unlink(void *context, const char *path)
{
    (void)context;
    return told(unlink(path));
}

static int64_t real_mkdir(void *context, const char *path, uint32_t mode)
{
    (void)context;
    return told(mkdir(path, (mode_t)mode));
}

static int64_t real_socket(void *context, int domain, int type, int protocol)
{
    (void)context;
    return told(socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

static int64_t real_sendto(void *context, int fd, const void *buffer, size_t bytes,
                           const void *address, uint32_t address_bytes)
{
    (void)context;
    return told(sendto(fd, buffer, bytes, MSG_NOSIGNAL, address, (socklen_t)address_bytes));
}

static int64_t real_mmap(void *context, int fd, size_t bytes, int64_t offset, void **memory)
{
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

    (void)context;
    if (mapped == MAP_FAILED) {
        return told(-1);
    }
    *memory = mapped;
    return 0;
}

static int64_t real_munmap(void *context, void *memory, size_t bytes)
{
    (void)context;
    return told(munmap(memory, bytes));
}

static uint64_t real_now_ns(void *context)
{
    (void)context;
    return tick_monotonic_ns();
}

const struct linux_syscalls *linux_syscalls_real(void)
{
    static const struct linux_syscalls REAL = {
        .context = NULL,
        .open = real_open,
        .close = real_close,
        .read = real_read,
        .write = real_write,
        .pread = real_pread,
        .pwrite = real_pwrite,
        .ioctl = real_ioctl,
        .poll = real_poll,
        .getdents = real_getdents,
        .fsync = real_fsync,
        .ftruncate = real_ftruncate,
        .rename = real_rename,
        .unlink = real_unlink,
        .mkdir = real_mkdir,
        .socket = real_socket,
        .sendto = real_sendto,
        .mmap = real_mmap,
        .munmap = real_munmap,
        .now_ns = real_now_ns,
    };

    return &REAL;
}
