/* The line of a bench link; see link_line.h. Sources: ioctl_tty(2), termbits of the kernel (any rate
 * through BOTHER), Documentation/driver-api/serial. */
#include "link_line.h"

#include "hal.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>

#define BITS_AN_OCTET 10u /* start, eight, stop */
#define LOW_LATENCY   ((int)ASYNC_LOW_LATENCY)
#define AHEAD_LEAST   64u /* octets: a driver's FIFO must not run dry */

static int64_t control(const struct link_line *line, unsigned long request, void *argument)
{
    return linux_ioctl(line->sys, line->fd, request, argument);
}

#define BITS_OF_A_CHARACTER (CSIZE | PARENB | CSTOPB | CRTSCTS)

/* Rates that a kernel without BOTHER knows by a code. */
static const struct {
    uint32_t baud;
    tcflag_t code;
} RATES[] = {
    {9600, B9600},       {115200, B115200},   {230400, B230400},   {460800, B460800},
    {921600, B921600},   {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000},
    {3000000, B3000000}, {4000000, B4000000},
};

/* 8N1, with or without hardware flow control; the rate as it was. */
static tcflag_t character_flags(tcflag_t was, const struct hal_link_config *config)
{
    return (was & ~(tcflag_t)BITS_OF_A_CHARACTER) | CS8 | CREAD | CLOCAL |
           (config->flow_control != 0 ? CRTSCTS : 0u);
}

/* By the calls before termios2: an emulated processor has no others. */
static int32_t make_raw_at_a_known_rate(const struct link_line *line,
                                        const struct hal_link_config *config)
{
    struct termios t = {0};
    int64_t got = control(line, TCGETS, &t);

    if (got < 0) {
        return linux_error(got);
    }
    t.c_iflag = IGNBRK;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = character_flags(t.c_cflag, config);
    t.c_cc[VMIN] = 1; /* 0 would make "nothing yet" look like the end */
    t.c_cc[VTIME] = 0;
    if (config->baud != 0) {
        size_t i = 0;

        while (i < sizeof(RATES) / sizeof(RATES[0]) && RATES[i].baud != config->baud) {
            i++;
        }
        if (i == sizeof(RATES) / sizeof(RATES[0])) {
            return HAL_E_RANGE;
        }
        t.c_cflag = (t.c_cflag & ~(tcflag_t)(CBAUD | CIBAUD)) | RATES[i].code;
    }
    return linux_error(control(line, TCSETS, &t));
}

/* Raw, 8N1, at any rate: what goes in comes out, octet by octet. */
static int32_t make_raw(const struct link_line *line, const struct hal_link_config *config)
{
    struct termios2 t = {0};
    int64_t got = control(line, TCGETS2, &t);

    if (got == -ENOTTY || got == -EINVAL || got == -EOPNOTSUPP) {
        return HAL_OK; /* a socket: nothing to configure */
    }
    if (got == -ENOSYS) {
        return make_raw_at_a_known_rate(line, config);
    }
    if (got < 0) {
        return linux_error(got);
    }
    t.c_iflag = IGNBRK;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = character_flags(t.c_cflag, config);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    if (config->baud != 0) {
        t.c_cflag &= ~(tcflag_t)(CBAUD | CIBAUD);
        t.c_cflag |= BOTHER;
        t.c_ispeed = t.c_ospeed = config->baud;
    }
    return linux_error(control(line, TCSETS2, &t));
}

/* A serial driver collects octets for up to 16 ms before it tells of them, unless it is asked not to.
 * Whether it agrees is told, not required. */
static void hurry_uart(struct link_line *line)
{
    struct serial_struct serial = {0};

    if (control(line, TIOCGSERIAL, &serial) < 0) {
        return; /* a pseudo-terminal, or a driver without it */
    }
    line->is_uart = 1;
    if ((serial.flags & LOW_LATENCY) == 0) {
        serial.flags |= LOW_LATENCY;
        (void)control(line, TIOCSSERIAL, &serial);
        serial.flags = 0;
        (void)control(line, TIOCGSERIAL, &serial);
    }
    line->low_latency = (serial.flags & LOW_LATENCY) != 0;
}

static int32_t configure(struct link_line *line, const struct hal_link_config *config)
{
    int32_t raw = make_raw(line, config);

    if (raw < 0) {
        return raw;
    }
    hurry_uart(line);
    /* A pseudo-terminal's other end may hold this one open, too, and then the ban would outlive us. */
    return line->is_uart != 0 ? linux_error(control(line, TIOCEXCL, NULL)) : HAL_OK;
}

int32_t link_line_take(struct link_line *line, const struct linux_syscalls *sys, int fd,
                       const struct hal_link_config *config)
{
    *line = (struct link_line){.sys = sys, .fd = fd, .baud = config->baud};
    return configure(line, config);
}

int32_t link_line_open(struct link_line *line, const struct linux_syscalls *sys,
                       const struct hal_link_config *config)
{
    int64_t fd = linux_open(sys, config->path, O_RDWR | O_NOCTTY | O_NONBLOCK);

    *line = (struct link_line){.sys = sys, .fd = -1};
    if (fd < 0) {
        return linux_error(fd);
    }
    int32_t taken = link_line_take(line, sys, (int)fd, config);

    if (taken < 0) {
        link_line_close(line);
    }
    return taken;
}

void link_line_close(struct link_line *line)
{
    linux_close(line->sys, &line->fd);
}

/* Whatever a device answers when it was unplugged, it is not there any more. */
static int32_t judge(int64_t moved)
{
    if (moved == -EAGAIN || moved == -EINTR) {
        return 0;
    }
    return moved > 0 ? (int32_t)moved : HAL_E_NODEV;
}

int32_t link_line_read(struct link_line *line, uint8_t *octets, uint32_t bytes)
{
    return judge(linux_read(line->sys, line->fd, octets, bytes));
}

int32_t link_line_write(struct link_line *line, const uint8_t *octets, uint32_t bytes)
{
    return judge(linux_write(line->sys, line->fd, octets, bytes));
}

uint32_t link_line_allowance(struct link_line *line, uint32_t most)
{
    uint32_t ahead = line->baud / BITS_AN_OCTET * LINK_LINE_AHEAD_MS / 1000;
    int unsent = 0;

    if (line->is_uart == 0 || line->baud == 0 || control(line, TIOCOUTQ, &unsent) < 0) {
        return most;
    }
    ahead = ahead < AHEAD_LEAST ? AHEAD_LEAST : ahead;
    if (unsent < 0 || (uint32_t)unsent >= ahead) {
        return 0;
    }
    return ahead - (uint32_t)unsent < most ? ahead - (uint32_t)unsent : most;
}

uint16_t link_line_payload_bytes(uint32_t baud)
{
    uint32_t octets = baud / BITS_AN_OCTET / 50;

    if (baud == 0 || octets > LINK_PAYLOAD_BYTES_MAX) {
        return LINK_PAYLOAD_BYTES_MAX;
    }
    return (uint16_t)(octets < 128 ? 128 : octets);
}
