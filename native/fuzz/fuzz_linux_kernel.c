/*
 * The drivers on a kernel that answers anything (any_kernel.h): whatever it is, a driver gives a
 * known code, ends, and leaves no descriptor open and none closed twice.
 */
#include "any_kernel.h"
#include "hal.h"
#include "link_line.h"
#include "linux_gpio.h"
#include "linux_i2c.h"
#include "linux_ina.h"
#include "linux_spi.h"
#include "linux_watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t known(int32_t code)
{
    require(code >= 0 || (code >= HAL_E_INHIBITED && hal_strerror(code) != NULL));
    return code;
}

static void use_gpio(void)
{
    struct linux_gpio gpio;
    struct linux_gpio_event event;
    uint8_t how = next();
    struct linux_gpio_config config = {
        .dev_root = "/dev",
        .chip = (how & 1) != 0 ? "pinctrl-rp1" : NULL,
        .line = (how & 2) != 0 ? "GPIO17" : NULL,
        .offset = next(),
        .direction = how >> 2 & 1,
        .edges = how >> 3 & 3,
        .bias = how >> 5 & 3,
    };

    if (known(linux_gpio_open(&gpio, &ANY_KERNEL, &config)) == HAL_OK) {
        for (uint32_t i = 0; i < 8; i++) {
            require(known(linux_gpio_get(&gpio)) <= 1);
            require(known(linux_gpio_set(&gpio, i & 1)) <= 1);
            if (known(linux_gpio_wait(&gpio, 1000000, &event)) == 1) {
                require(event.edge == LINUX_GPIO_RISING || event.edge == LINUX_GPIO_FALLING);
            }
        }
    }
    linux_gpio_close(&gpio);
}

static void use_ina(void)
{
    struct linux_ina ina;
    struct linux_ina_sample sample;
    struct linux_ina_config config = {
        .i2c = {.path = "/dev/i2c-1", .address = 0x40, .retries = next() % 9u},
        .chip = next() & 1,
        .shunt_uohm = 2000,
        .max_ma = 10000,
        .averages = 16,
    };

    if (known(linux_ina_open(&ina, &ANY_KERNEL, &config)) == HAL_OK) {
        for (uint32_t i = 0; i < 8; i++) {
            (void)known(linux_ina_read(&ina, &sample));
        }
    }
    linux_ina_close(&ina);
}

static void use_watchdog(void)
{
    struct linux_watchdog watchdog;
    struct linux_watchdog_config config = {
        .kind = next() % 3u,
        .path = "/dev/watchdog",
        .sysfs_root = "/sys",
        .timeout_s = next(),
        .notify_socket = "@notify",
    };

    if (known(linux_watchdog_open(&watchdog, &ANY_KERNEL, &config)) == HAL_OK) {
        require(memchr(watchdog.identity, 0, sizeof watchdog.identity) != NULL);
        require(watchdog.nowayout <= LINUX_NOWAYOUT_UNKNOWN);
        for (uint32_t i = 0; i < 4; i++) {
            (void)known(linux_watchdog_kick(&watchdog));
            (void)known(linux_watchdog_left_s(&watchdog));
            (void)known(linux_watchdog_notify(&watchdog, "READY=1"));
        }
    }
    (void)known(linux_watchdog_close(&watchdog, next() & 1));
}

static void use_spi(void)
{
    struct linux_spi spi;
    struct linux_spi_config config = {.path = "/dev/spidev0.0",
                                      .sysfs_root = "/sys",
                                      .mode = next() & 3,
                                      .bits = 8,
                                      .hz = 1000000};
    uint8_t in[64];

    if (known(linux_spi_open(&spi, &ANY_KERNEL, &config)) == HAL_OK) {
        for (uint32_t i = 0; i < 8; i++) {
            (void)known(linux_spi_transfer(&spi, NULL, in, sizeof in));
            require(known(linux_mcp3008_read(&spi, i)) <= 1023);
        }
    }
    linux_spi_close(&spi);
}

static void use_line(void)
{
    const struct hal_link_config config = {
        .path = "/dev/ttyS0", .fd = -1, .baud = next() * 10000u, .flow_control = next() & 1};
    struct link_line line;
    uint8_t octets[64];

    if (known(link_line_open(&line, &ANY_KERNEL, &config)) == HAL_OK) {
        for (uint32_t i = 0; i < 8; i++) {
            require(known(link_line_read(&line, octets, sizeof octets)) <= (int32_t)sizeof octets);
            require(known(link_line_write(&line, octets, sizeof octets)) <= (int32_t)sizeof octets);
            require(link_line_allowance(&line, 5000) <= 5000);
        }
    }
    link_line_close(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const DRIVERS[])(void) = {use_gpio, use_ina, use_watchdog, use_line, use_spi};

    any_kernel_begin(data, size);
    DRIVERS[next() % (sizeof DRIVERS / sizeof DRIVERS[0])]();
    any_kernel_end();
    return 0;
}
