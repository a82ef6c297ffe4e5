/* One I2C device through /dev/i2c-N; see linux_i2c.h. */
#include "linux_i2c.h"
#include "hal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stddef.h>
#include <string.h>

static const uint32_t TIMEOUT_STEP_MS = 10;
static const uint32_t TIMEOUT_MAX_MS = 10000;

static int is_valid(const struct linux_i2c_config *config)
{
    return config->path != NULL && config->address >= LINUX_I2C_ADDRESS_MIN &&
           config->address <= LINUX_I2C_ADDRESS_MAX && config->retries <= LINUX_I2C_RETRIES_MAX &&
           config->timeout_ms <= TIMEOUT_MAX_MS && config->timeout_ms % TIMEOUT_STEP_MS == 0;
}

/* The requests whose argument is a number and not a pointer. */
static int64_t tell(const struct linux_i2c *i2c, unsigned long request, uint32_t number)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel takes it back as a number */
    return linux_ioctl(i2c->sys, i2c->fd, request, (void *)(uintptr_t)number);
}

static int32_t set_up(const struct linux_i2c *i2c, uint32_t timeout_ms)
{
    unsigned long functions = 0;
    int64_t result = linux_ioctl(i2c->sys, i2c->fd, I2C_FUNCS, &functions);

    if (result >= 0 && (functions & I2C_FUNC_I2C) == 0) {
        return HAL_E_UNSUPPORTED;
    }
    if (result >= 0) {
        result = tell(i2c, I2C_SLAVE, i2c->address);
    }
    if (result >= 0 && timeout_ms != 0) {
        result = tell(i2c, I2C_TIMEOUT, timeout_ms / TIMEOUT_STEP_MS);
    }
    return linux_error(result);
}

int32_t linux_i2c_open(struct linux_i2c *i2c, const struct linux_syscalls *sys,
                       const struct linux_i2c_config *config)
{
    int64_t opened;
    int32_t code;

    if (i2c == NULL) {
        return HAL_E_RANGE;
    }
    *i2c = (struct linux_i2c){.sys = sys, .fd = -1};
    if (sys == NULL || config == NULL || !is_valid(config)) {
        return HAL_E_RANGE;
    }
    opened = linux_open(sys, config->path, O_RDWR);
    if (opened < 0) {
        return linux_error(opened);
    }
    i2c->fd = (int32_t)opened;
    i2c->address = config->address;
    i2c->retries = config->retries;
    code = set_up(i2c, config->timeout_ms);
    if (code != HAL_OK) {
        linux_i2c_close(i2c);
    }
    return code;
}

void linux_i2c_close(struct linux_i2c *i2c)
{
    if (i2c != NULL && i2c->sys != NULL) {
        linux_close(i2c->sys, &i2c->fd);
    }
}

/* What a failed transfer means on this bus (i2c/fault-codes): adapters tell an address that nobody
 * acknowledges by ENXIO or, older ones and the Raspberry Pi's, by EREMOTEIO. */
static int32_t failure(int64_t result)
{
    return result == -EREMOTEIO ? HAL_E_NODEV : linux_error(result);
}

/* Trying again helps against a lost arbitration, a disturbed bit or a device that was busy; not
 * against a bus that hangs, each try of which costs a whole timeout, nor a missing adapter. */
static int is_worth_another(int64_t result)
{
    return result == -EAGAIN || result == -EIO || result == -EREMOTEIO || result == -ENXIO ||
           result == -EPROTO;
}

int32_t linux_i2c_transfer(struct linux_i2c *i2c, const uint8_t *out, uint32_t out_bytes,
                           uint8_t *in, uint32_t in_bytes)
{
    uint8_t written[LINUX_I2C_BYTES_MAX]; /* the kernel's structure is shared with reading */
    struct i2c_msg messages[2] = {{0}};
    struct i2c_rdwr_ioctl_data both = {.msgs = messages, .nmsgs = 0};
    int64_t result = -EIO;

    if (i2c == NULL || out_bytes > LINUX_I2C_BYTES_MAX || in_bytes > LINUX_I2C_BYTES_MAX ||
        out_bytes + in_bytes == 0 || (out == NULL) != (out_bytes == 0) ||
        (in == NULL) != (in_bytes == 0)) {
        return HAL_E_RANGE;
    }
    if (i2c->fd < 0) {
        return HAL_E_STATE;
    }
    messages[0].addr = messages[1].addr = (uint16_t)i2c->address;
    if (out_bytes > 0) {
        memcpy(written, out, out_bytes);
        messages[both.nmsgs].buf = written;
        messages[both.nmsgs++].len = (uint16_t)out_bytes;
    }
    if (in_bytes > 0) {
        messages[both.nmsgs].flags = I2C_M_RD;
        messages[both.nmsgs].buf = in;
        messages[both.nmsgs++].len = (uint16_t)in_bytes;
    }
    for (uint32_t tries = 0; tries <= i2c->retries; tries++) {
        i2c->transfers_again += tries > 0;
        result = linux_ioctl(i2c->sys, i2c->fd, I2C_RDWR, &both);
        if (result == (int64_t)both.nmsgs) {
            i2c->transfers++;
            return HAL_OK;
        }
        result = result < 0 ? result : -EIO; /* half a transfer */
        if (!is_worth_another(result)) {
            break;
        }
    }
    i2c->transfers_failed++;
    return failure(result);
}

int32_t linux_i2c_read_register(struct linux_i2c *i2c, uint8_t reg)
{
    uint8_t value[2];
    int32_t code = linux_i2c_transfer(i2c, &reg, 1, value, sizeof value);

    return code != HAL_OK ? code : (value[0] << 8 | value[1]);
}

int32_t linux_i2c_write_register(struct linux_i2c *i2c, uint8_t reg, uint16_t value)
{
    const uint8_t bytes[3] = {reg, (uint8_t)(value >> 8), (uint8_t)(value & 0xFF)};

    return linux_i2c_transfer(i2c, bytes, sizeof bytes, NULL, 0);
}
