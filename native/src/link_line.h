/*
 * link_line.h - the line itself: a UART, a pseudo-terminal or a socket, opened raw and never waited
 * for. All system calls go through the table of linux_syscalls.h.
 */
#ifndef LUMENODE_LINK_LINE_H
#define LUMENODE_LINK_LINE_H

#include "backend_link.h"
#include "linux_syscalls.h"

/* What the driver of a UART may hold unsent, in time: so much can stand in front of what is urgent. */
#define LINK_LINE_AHEAD_MS 10

struct link_line {
    const struct linux_syscalls *sys;
    int fd;               /* -1: closed */
    uint32_t is_uart;     /* a serial port with a rate of its own */
    uint32_t low_latency; /* ASYNC_LOW_LATENCY is set */
    uint32_t baud;
};

/* Opens and configures. HAL_OK, or by linux_error(): HAL_E_NODEV, HAL_E_PERM, HAL_E_BUSY (somebody
 * else holds it), HAL_E_RANGE (the port has no such rate). Then nothing stays open. */
int32_t link_line_open(struct link_line *line, const struct linux_syscalls *sys,
                       const struct hal_link_config *config);

/* Takes over a descriptor that is open; configures it likewise. */
int32_t link_line_take(struct link_line *line, const struct linux_syscalls *sys, int fd,
                       const struct hal_link_config *config);

void link_line_close(struct link_line *line);

/* Octets moved, 0 when nothing can be moved now, HAL_E_NODEV when the line has gone. */
int32_t link_line_read(struct link_line *line, uint8_t *octets, uint32_t bytes);
int32_t link_line_write(struct link_line *line, const uint8_t *octets, uint32_t bytes);

/* Octets to hand to the driver now: on a UART what keeps it busy for LINK_LINE_AHEAD_MS and no more,
 * else `most`. */
uint32_t link_line_allowance(struct link_line *line, uint32_t most);

/* Payload of the longest chunk on a line of that rate, 20 ms of it; 0: no rate. */
uint16_t link_line_payload_bytes(uint32_t baud);

#endif
