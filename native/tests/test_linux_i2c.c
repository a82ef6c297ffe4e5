/* I2C transfers on a scripted kernel: one transaction with a repeated start, bounded tries, no
 * device taken from its kernel driver. */
#include "check.h"
#include "hal.h"
#include "linux_i2c.h"
#include "scripted_syscalls.h"

#include <linux/i2c-dev.h>
#include <linux/i2c.h>

static const unsigned long I2C_ABLE = I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
static const unsigned long SMBUS_ONLY = I2C_FUNC_SMBUS_EMUL;

static const struct linux_i2c_config MONITOR = {
    .path = "/dev/i2c-1", .address = 0x40, .retries = 2, .timeout_ms = 50};

static void reads_register_5(void *argument)
{
    const struct i2c_rdwr_ioctl_data *both = argument;

    CHECK(both->nmsgs == 2);
    CHECK(both->msgs[0].addr == 0x40 && both->msgs[0].flags == 0 && both->msgs[0].len == 1);
    CHECK(both->msgs[0].buf[0] == 5);
    CHECK(both->msgs[1].addr == 0x40 && both->msgs[1].flags == I2C_M_RD && both->msgs[1].len == 2);
    memcpy(both->msgs[1].buf, "\x12\x34", 2);
}

static void writes_register_0(void *argument)
{
    const struct i2c_rdwr_ioctl_data *both = argument;

    CHECK(both->nmsgs == 1 && both->msgs[0].len == 3);
    CHECK(memcmp(both->msgs[0].buf, "\x00\x39\x9F", 3) == 0);
}

static void reads_two_octets(void *argument)
{
    const struct i2c_rdwr_ioctl_data *both = argument;

    CHECK(both->nmsgs == 1 && both->msgs[0].flags == I2C_M_RD && both->msgs[0].len == 2);
}

static const struct script_step SESSION[] = {
    {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/i2c-1"},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = I2C_FUNCS,
     .in = &I2C_ABLE,
     .in_bytes = sizeof I2C_ABLE},
    {.call = SCRIPT_IOCTL, .fd = 3, .request = I2C_SLAVE, .number = 0x40, .by_number = 1},
    {.call = SCRIPT_IOCTL, .fd = 3, .request = I2C_TIMEOUT, .number = 5, .by_number = 1},
    {.call = SCRIPT_IOCTL, .result = 1, .fd = 3, .request = I2C_RDWR, .look = writes_register_0},
    {.call = SCRIPT_IOCTL, .result = 2, .fd = 3, .request = I2C_RDWR, .look = reads_register_5},
    {.call = SCRIPT_CLOSE, .fd = 3},
};

static int32_t write_and_read(const struct linux_syscalls *sys)
{
    struct linux_i2c i2c;
    int32_t code = linux_i2c_open(&i2c, sys, &MONITOR);

    if (code == HAL_OK) {
        code = linux_i2c_write_register(&i2c, 0, 0x399F);
        code = code != HAL_OK ? code : linux_i2c_read_register(&i2c, 5);
        CHECK(i2c.transfers + i2c.transfers_failed <= 2);
        CHECK(i2c.transfers_again <= MONITOR.retries);
        CHECK((code < 0) == (i2c.transfers_failed == 1));
    } else {
        CHECK(i2c.fd == -1);
    }
    linux_i2c_close(&i2c);
    linux_i2c_close(&i2c);
    return code;
}

static void registers_go_most_significant_octet_first(void)
{
    struct script script = script_of(SESSION, COUNT_OF(SESSION));
    struct linux_syscalls sys = script_table(&script);

    CHECK(write_and_read(&sys) == 0x1234);
    script_end(&script);
}

static void failure_is_told(size_t step, int error, int32_t code)
{
    if (step == COUNT_OF(SESSION) - 1) {
        CHECK(code == 0x1234);
    } else if (error == EREMOTEIO && step >= 4) {
        CHECK(code == HAL_E_NODEV); /* nobody acknowledged */
    } else {
        CHECK(code == linux_error(-error));
    }
}

static void every_failure_is_told_and_leaves_nothing_open(void)
{
    script_sweep(SESSION, COUNT_OF(SESSION), write_and_read, failure_is_told);
}

static void a_device_of_a_kernel_driver_is_left_alone(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3},
        {.call = SCRIPT_IOCTL, .request = I2C_FUNCS, .in = &I2C_ABLE, .in_bytes = sizeof I2C_ABLE},
        {.call = SCRIPT_IOCTL, .result = -EBUSY, .request = I2C_SLAVE},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_i2c i2c;

    CHECK(linux_i2c_open(&i2c, &sys, &MONITOR) == HAL_E_BUSY);
    script_end(&script); /* in particular no I2C_SLAVE_FORCE came */
}

static void an_adapter_of_smbus_alone_is_refused(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3},
        {.call = SCRIPT_IOCTL,
         .request = I2C_FUNCS,
         .in = &SMBUS_ONLY,
         .in_bytes = sizeof SMBUS_ONLY},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_i2c i2c;

    CHECK(linux_i2c_open(&i2c, &sys, &MONITOR) == HAL_E_UNSUPPORTED);
    script_end(&script);
}

static void the_adapters_own_timeout_stays_unless_asked(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 3},
        {.call = SCRIPT_IOCTL, .request = I2C_FUNCS, .in = &I2C_ABLE, .in_bytes = sizeof I2C_ABLE},
        {.call = SCRIPT_IOCTL, .request = I2C_SLAVE},
        {.call = SCRIPT_IOCTL, .result = 1, .request = I2C_RDWR, .look = reads_two_octets},
        {.call = SCRIPT_CLOSE, .fd = 3},
    };
    const struct linux_i2c_config config = {.path = "/dev/i2c-1", .address = 0x40};
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_i2c i2c;
    uint8_t octets[2];

    CHECK(linux_i2c_open(&i2c, &sys, &config) == HAL_OK);
    CHECK(linux_i2c_transfer(&i2c, NULL, 0, octets, 2) == HAL_OK);
    linux_i2c_close(&i2c);
    script_end(&script);
}

static void a_disturbed_transfer_is_tried_again_and_a_hung_bus_is_not(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_IOCTL, .result = -EAGAIN, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = -EREMOTEIO, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = 2, .request = I2C_RDWR, .look = reads_register_5},
        {.call = SCRIPT_IOCTL, .result = 1, .request = I2C_RDWR}, /* half of it */
        {.call = SCRIPT_IOCTL, .result = 2, .request = I2C_RDWR, .look = reads_register_5},
        {.call = SCRIPT_IOCTL, .result = -ETIMEDOUT, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = -ENODEV, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = -ENXIO, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = -EPROTO, .request = I2C_RDWR},
        {.call = SCRIPT_IOCTL, .result = 1, .request = I2C_RDWR},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_i2c i2c = {.sys = &sys, .fd = 3, .address = 0x40, .retries = 2};

    CHECK(linux_i2c_read_register(&i2c, 5) == 0x1234);
    CHECK(i2c.transfers_again == 2);
    CHECK(linux_i2c_read_register(&i2c, 5) == 0x1234);
    CHECK(i2c.transfers == 2 && i2c.transfers_failed == 0);
    CHECK(linux_i2c_read_register(&i2c, 5) == HAL_E_TIMEOUT);
    CHECK(linux_i2c_read_register(&i2c, 5) == HAL_E_NODEV);
    CHECK(linux_i2c_read_register(&i2c, 5) == HAL_E_IO);
    CHECK(i2c.transfers_failed == 3 && i2c.transfers_again == 5);
    script_end(&script);
}

static void a_mistake_of_the_caller_reaches_no_kernel(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);
    struct linux_i2c_config bad[6];
    struct linux_i2c i2c;
    uint8_t octets[LINUX_I2C_BYTES_MAX + 1] = {0};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = MONITOR;
    }
    bad[0].path = NULL;
    bad[1].address = LINUX_I2C_ADDRESS_MIN - 1;
    bad[2].address = LINUX_I2C_ADDRESS_MAX + 1;
    bad[3].retries = LINUX_I2C_RETRIES_MAX + 1;
    bad[4].timeout_ms = 10010;
    bad[5].timeout_ms = 15;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_i2c_open(&i2c, &sys, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(linux_i2c_open(NULL, &sys, &MONITOR) == HAL_E_RANGE);
    CHECK(linux_i2c_open(&i2c, NULL, &MONITOR) == HAL_E_RANGE);
    linux_i2c_close(&i2c);
    CHECK(linux_i2c_open(&i2c, &sys, NULL) == HAL_E_RANGE);
    linux_i2c_close(NULL);
    CHECK(linux_i2c_transfer(&i2c, octets, 1, NULL, 0) == HAL_E_STATE);
    CHECK(linux_i2c_transfer(NULL, octets, 1, NULL, 0) == HAL_E_RANGE);
    CHECK(linux_i2c_transfer(&i2c, octets, 0, octets, 0) == HAL_E_RANGE);
    CHECK(linux_i2c_transfer(&i2c, NULL, 1, octets, 1) == HAL_E_RANGE);
    CHECK(linux_i2c_transfer(&i2c, octets, 1, NULL, 1) == HAL_E_RANGE);
    CHECK(linux_i2c_transfer(&i2c, octets, sizeof octets, NULL, 0) == HAL_E_RANGE);
    CHECK(linux_i2c_transfer(&i2c, NULL, 0, octets, sizeof octets) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(registers_go_most_significant_octet_first),
        PROMISE(every_failure_is_told_and_leaves_nothing_open),
        PROMISE(a_device_of_a_kernel_driver_is_left_alone),
        PROMISE(an_adapter_of_smbus_alone_is_refused),
        PROMISE(the_adapters_own_timeout_stays_unless_asked),
        PROMISE(a_disturbed_transfer_is_tried_again_and_a_hung_bus_is_not),
        PROMISE(a_mistake_of_the_caller_reaches_no_kernel),
    };

    KEEP(PROMISES);
    return 0;
}
