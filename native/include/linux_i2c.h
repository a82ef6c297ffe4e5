/*
 * linux_i2c.h - one device on an I2C bus, through /dev/i2c-N.
 *
 * A transfer is one I2C_RDWR: written octets, then with a repeated start the read ones, so that
 * nobody gets in between. An address that a kernel driver holds is refused with HAL_E_BUSY, and its
 * hwmon files are the way then; I2C_SLAVE_FORCE, which would fight with that driver over the
 * device's state, is never used. I2C_RDWR itself does not look for a driver: open does.
 *
 * Memory.   `struct linux_i2c` is the caller's; nothing is allocated.
 * Time.     A transfer of 3 octets takes 0.3 ms at 100 kHz. A bus whose clock line is held low
 *           blocks for the adapter's timeout, 1 s as the kernel starts it, 10 ms steps: call from a
 *           thread of its own. A timeout is not tried again; every other failure is, `retries`
 *           times.
 * Source.   <linux/i2c-dev.h>; kernel documentation, i2c/dev-interface and i2c/fault-codes.
 */
#ifndef LUMENODE_LINUX_I2C_H
#define LUMENODE_LINUX_I2C_H

#include "linux_syscalls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Octets a transfer may have in each direction; registers are short. */
#define LINUX_I2C_BYTES_MAX   32
#define LINUX_I2C_RETRIES_MAX 8

/* The addresses that are free for devices; the others have a meaning of their own (I2C-bus
 * specification UM10204, 3.1.12). */
#define LINUX_I2C_ADDRESS_MIN 0x08
#define LINUX_I2C_ADDRESS_MAX 0x77

struct linux_i2c_config {
    const char *path;    /* "/dev/i2c-1" */
    uint32_t address;    /* 7 bits */
    uint32_t retries;    /* more tries after a failed one, up to LINUX_I2C_RETRIES_MAX */
    uint32_t timeout_ms; /* 0: leave it. Else up to 10,000, in steps of 10: the timeout of the whole
                            adapter, for every user of that bus */
};

struct linux_i2c {
    const struct linux_syscalls *sys;
    int32_t fd; /* -1: closed */
    uint32_t address;
    uint32_t retries;
    uint64_t transfers;        /* done */
    uint64_t transfers_again;  /* tries after a failed one */
    uint64_t transfers_failed; /* given up */
};

/*
 * Opens the bus for one address. HAL_E_RANGE: NULL or a field out of bounds. HAL_E_NODEV: no such
 * bus. HAL_E_PERM: not in the group `i2c`. HAL_E_BUSY: a kernel driver has the address.
 * HAL_E_UNSUPPORTED: the adapter speaks SMBus only. Whether a device answers shows in the first
 * transfer. On error it stays closed.
 */
int32_t linux_i2c_open(struct linux_i2c *i2c, const struct linux_syscalls *sys,
                       const struct linux_i2c_config *config);

/* Closes; closed or NULL: nothing happens. */
void linux_i2c_close(struct linux_i2c *i2c);

/*
 * Writes `out_bytes` and then reads `in_bytes`, either may be 0, not both.
 * HAL_E_NODEV: nobody acknowledges the address (ENXIO, EREMOTEIO), or the adapter is gone.
 * HAL_E_TIMEOUT: the bus hangs. HAL_E_BUSY: another master won each time. HAL_E_IO: the rest.
 * HAL_E_RANGE: NULL or lengths out of bounds. HAL_E_STATE: closed.
 */
int32_t linux_i2c_transfer(struct linux_i2c *i2c, const uint8_t *out, uint32_t out_bytes,
                           uint8_t *in, uint32_t in_bytes);

/* A register of 16 bits, most significant octet first. @return its value, 0 to 65535, or as
 * linux_i2c_transfer(). */
int32_t linux_i2c_read_register(struct linux_i2c *i2c, uint8_t reg);

/* Writes one. HAL_OK, or as linux_i2c_transfer(). */
int32_t linux_i2c_write_register(struct linux_i2c *i2c, uint8_t reg, uint16_t value);

#ifdef __cplusplus
}
#endif

#endif
