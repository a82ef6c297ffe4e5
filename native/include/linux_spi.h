/*
 * linux_spi.h - one device on an SPI bus, through /dev/spidevB.C, and on it a converter of the
 * MCP3008 family.
 *
 * Memory.   `struct linux_spi` is the caller's; nothing is allocated.
 * Time.     bytes x 8 / hz plus some 20 us of system call; there is no timeout because nobody
 *           answers on SPI: the controller shifts whatever is on the wire. A missing device shows
 *           in what it sends (linux_mcp3008_read()).
 * Source.   <linux/spi/spidev.h>; kernel documentation, spi/spidev. Microchip data sheet DS21295D,
 *           5.0 and 6.1 (MCP3004/MCP3008).
 */
#ifndef LUMENODE_LINUX_SPI_H
#define LUMENODE_LINUX_SPI_H

#include "linux_syscalls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What spidev takes in one message unless its module parameter `bufsiz` says otherwise. */
#define LINUX_SPI_BUFSIZ_DEFAULT 4096

struct linux_spi_config {
    const char *path;       /* "/dev/spidev0.0" */
    const char *sysfs_root; /* "/sys": for the module's bufsiz */
    uint32_t mode;          /* SPI_MODE_0 to SPI_MODE_3, others of <linux/spi/spi.h> may be or-ed */
    uint32_t bits;          /* of a word, 1 to 32; 8 is what every controller can */
    uint32_t hz;            /* at most; the controller takes the next it can do below */
};

struct linux_spi {
    const struct linux_syscalls *sys;
    int32_t fd; /* -1: closed */
    uint32_t bits;
    uint32_t hz;
    uint32_t bufsiz; /* octets of the longest transfer */
    uint64_t transfers;
    uint64_t transfers_failed;
};

/*
 * Opens the device and sets mode, word length and speed, reading each back. HAL_E_RANGE: NULL, a
 * field out of bounds. HAL_E_NODEV: no such device. HAL_E_PERM: not in the group `spi`.
 * HAL_E_UNSUPPORTED: the controller cannot do this mode or word length. On error it stays closed.
 */
int32_t linux_spi_open(struct linux_spi *spi, const struct linux_syscalls *sys,
                       const struct linux_spi_config *config);

/* Closes; closed or NULL: nothing happens. */
void linux_spi_close(struct linux_spi *spi);

/*
 * Shifts `bytes` out of `out` and at the same time into `in`; NULL for either: zeros go out, what
 * comes in is dropped. HAL_E_RANGE: both NULL, zero bytes, or more than spi->bufsiz. HAL_E_IO:
 * fewer octets than asked for. HAL_E_STATE: closed. The rest by linux_error().
 */
int32_t linux_spi_transfer(struct linux_spi *spi, const uint8_t *out, uint8_t *in, uint32_t bytes);

/*
 * One conversion of a single-ended channel, 0 to 7, of an MCP3008 (0 to 3 of an MCP3004).
 * @return 0 to 1023 counts of its reference voltage.
 * HAL_E_RANGE: no such channel. HAL_E_NODEV: the null bit before the value is not low, so nobody
 * drives the line. The rest as linux_spi_transfer().
 */
int32_t linux_mcp3008_read(struct linux_spi *spi, uint32_t channel);

#ifdef __cplusplus
}
#endif

#endif
