/*
 * any_kernel.h - a kernel that answers anything: every system call of its table returns what the
 * input says and fills its buffer with what the input says. It only keeps the books of descriptors:
 * one that is not open is used by nobody, and closed by nobody.
 */
#ifndef LUMENODE_ANY_KERNEL_H
#define LUMENODE_ANY_KERNEL_H

#include "linux_syscalls.h"

#include <errno.h>
#include <linux/gpio.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/ioctl.h>
#include <linux/spi/spidev.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { FDS = 64, CALLS_MAX = 100000 };

static const uint8_t *input;
static size_t input_left;
static uint32_t calls;
static uint64_t now_ns;
static uint8_t is_open[FDS];

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static uint8_t next(void)
{
    if (input_left == 0) {
        return 0;
    }
    input_left--;
    return *input++;
}

static void fill(void *buffer, size_t bytes)
{
    size_t taken = bytes < input_left ? bytes : input_left;

    memcpy(buffer, input, taken);
    memset((uint8_t *)buffer + taken, 0, bytes - taken);
    input += taken;
    input_left -= taken;
}

/* Most calls succeed, or no driver would get far. @return 0, or a negative errno. */
static int64_t answer(void)
{
    static const int ERRORS[] = {EINTR, EAGAIN, EIO, ENODEV, EBUSY, EINVAL, ENOTTY, ETIMEDOUT};
    uint8_t what = next();

    require(++calls < CALLS_MAX);
    now_ns += 1000000;
    return what < 208 ? 0 : -(int64_t)ERRORS[what % 8];
}

static int64_t new_fd(void)
{
    for (int fd = 3; fd < FDS; fd++) {
        if (is_open[fd] == 0) {
            is_open[fd] = 1;
            return fd;
        }
    }
    return -EMFILE;
}

static int64_t any_open(void *context, const char *path, int flags, uint32_t mode)
{
    int64_t failed = answer();

    (void)context;
    (void)flags;
    (void)mode;
    require(path != NULL && strlen(path) < LINUX_PATH_BYTES);
    return failed < 0 ? failed : new_fd();
}

static int64_t any_close(void *context, int fd)
{
    (void)context;
    require(fd >= 0 && fd < FDS && is_open[fd] != 0);
    is_open[fd] = 0;
    return answer();
}

static int64_t any_read(void *context, int fd, void *buffer, size_t bytes)
{
    int64_t failed = answer();
    size_t given = next();

    (void)context;
    require(fd >= 0 && fd < FDS && is_open[fd] != 0);
    if (failed < 0) {
        return failed;
    }
    given = given < 128 ? bytes : given % (bytes + 1);
    fill(buffer, given);
    return (int64_t)given;
}

static int64_t any_write(void *context, int fd, const void *buffer, size_t bytes)
{
    int64_t failed = answer();

    (void)context;
    require(fd >= 0 && fd < FDS && is_open[fd] != 0 && buffer != NULL);
    return failed < 0 ? failed : (int64_t)(next() < 128 ? bytes : bytes / 2);
}

static void fill_i2c(const struct i2c_rdwr_ioctl_data *transfer)
{
    for (uint32_t i = 0; i < transfer->nmsgs; i++) {
        if ((transfer->msgs[i].flags & I2C_M_RD) != 0) {
            fill(transfer->msgs[i].buf, transfer->msgs[i].len);
        }
    }
}

static void fill_spi(const struct spi_ioc_transfer *transfers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (transfers[i].rx_buf != 0) {
            fill((void *)(uintptr_t)transfers[i].rx_buf, transfers[i].len);
        }
    }
}

static int64_t any_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    int64_t failed = answer();
    size_t bytes = _IOC_SIZE(request);

    (void)context;
    require(fd >= 0 && fd < FDS && is_open[fd] != 0);
    if (failed < 0) {
        return failed;
    }
    if (request == I2C_RDWR) {
        fill_i2c(argument);
        return 2;
    }
    if (_IOC_TYPE(request) == SPI_IOC_MAGIC && _IOC_NR(request) == 0) {
        fill_spi(argument, bytes / sizeof(struct spi_ioc_transfer));
        return next();
    }
    if (request == I2C_FUNCS) {
        fill(argument, sizeof(unsigned long));
    } else if ((_IOC_DIR(request) & _IOC_READ) != 0 && bytes > 0) {
        fill(argument, bytes);
    }
    if (request == GPIO_V2_GET_LINE_IOCTL) {
        ((struct gpio_v2_line_request *)argument)->fd = (int)new_fd();
    }
    return 0;
}

static int64_t any_poll(void *context, struct pollfd *fds, uint32_t count, int timeout_ms)
{
    int64_t failed = answer();

    (void)context;
    (void)timeout_ms;
    require(count == 1);
    fds[0].revents = (short)(next() & (POLLIN | POLLPRI | POLLERR | POLLHUP));
    return failed < 0 ? failed : fds[0].revents != 0;
}

static int64_t any_socket(void *context, int domain, int type, int protocol)
{
    int64_t failed = answer();

    (void)context;
    (void)domain;
    (void)type;
    (void)protocol;
    return failed < 0 ? failed : new_fd();
}

static int64_t any_sendto(void *context, int fd, const void *buffer, size_t bytes,
                          const void *address, uint32_t address_bytes)
{
    int64_t failed = answer();

    (void)context;
    (void)buffer;
    require(fd >= 0 && address != NULL && address_bytes <= 112);
    return failed < 0 ? failed : (int64_t)bytes;
}

static uint64_t any_now_ns(void *context)
{
    (void)context;
    return now_ns;
}

static const struct linux_syscalls ANY_KERNEL = {
    .open = any_open,
    .close = any_close,
    .read = any_read,
    .write = any_write,
    .ioctl = any_ioctl,
    .poll = any_poll,
    .socket = any_socket,
    .sendto = any_sendto,
    .now_ns = any_now_ns,
};

/* Begins with an input; nothing is open. */
static void any_kernel_begin(const uint8_t *data, size_t size)
{
    input = data;
    input_left = size;
    calls = 0;
    now_ns = 1000000000;
    memset(is_open, 0, sizeof is_open);
}

/* Nothing was left open. */
static void any_kernel_end(void)
{
    for (int fd = 0; fd < FDS; fd++) {
        require(is_open[fd] == 0);
    }
}

#endif
