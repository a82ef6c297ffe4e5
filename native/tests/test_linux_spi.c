/* SPI transfers and an MCP3008 on a scripted kernel. */
#include "check.h"
#include "hal.h"
#include "linux_spi.h"
#include "scripted_syscalls.h"

#include <linux/spi/spidev.h>

static const uint32_t MODE_0 = SPI_MODE_0;
static const uint32_t MODE_0_CS_HIGH = SPI_MODE_0 | SPI_CS_HIGH;
static const uint32_t MODE_1 = SPI_MODE_1;
static const uint8_t EIGHT_BITS = 8;
static const uint8_t NINE_BITS = 9;
static const uint32_t MHZ = 1000000;
static const uint32_t TWO_MHZ = 2000000;

static const struct linux_spi_config ADC = {
    .path = "/dev/spidev0.0", .sysfs_root = "/sys", .mode = SPI_MODE_0, .bits = 8, .hz = 1000000};

/* Channel 5 at 0x2A7 counts; the octets of the data sheet's figure 6-1. */
static void converts_channel_5(void *argument)
{
    const struct spi_ioc_transfer *transfer = argument;
    const uint8_t *out = (const uint8_t *)(uintptr_t)transfer->tx_buf;
    uint8_t *in = (uint8_t *)(uintptr_t)transfer->rx_buf;

    CHECK(transfer->len == 3);
    CHECK(out[0] == 0x01 && out[1] == 0xD0 && out[2] == 0x00);
    memcpy(in, "\xFF\xFA\xA7", 3); /* before the null bit nobody drives the line */
}

static void answers_nothing(void *argument)
{
    const struct spi_ioc_transfer *transfer = argument;

    memset((void *)(uintptr_t)transfer->rx_buf, 0xFF, transfer->len);
}

static void sends_only(void *argument)
{
    const struct spi_ioc_transfer *transfer = argument;

    CHECK(transfer->rx_buf == 0 && transfer->tx_buf != 0 && transfer->len == 4);
}

#define SET_UP(mode_read, bits_read, hz_read)                                                      \
    {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/spidev0.0"},                                  \
        {.call = SCRIPT_IOCTL,                                                                     \
         .fd = 3,                                                                                  \
         .request = SPI_IOC_WR_MODE32,                                                             \
         .out = &MODE_0,                                                                           \
         .out_bytes = sizeof MODE_0},                                                              \
        {.call = SCRIPT_IOCTL,                                                                     \
         .fd = 3,                                                                                  \
         .request = SPI_IOC_WR_BITS_PER_WORD,                                                      \
         .out = &EIGHT_BITS,                                                                       \
         .out_bytes = 1},                                                                          \
        {.call = SCRIPT_IOCTL,                                                                     \
         .fd = 3,                                                                                  \
         .request = SPI_IOC_WR_MAX_SPEED_HZ,                                                       \
         .out = &MHZ,                                                                              \
         .out_bytes = sizeof MHZ},                                                                 \
        {.call = SCRIPT_IOCTL,                                                                     \
         .fd = 3,                                                                                  \
         .request = SPI_IOC_RD_MODE32,                                                             \
         .in = &(mode_read),                                                                       \
         .in_bytes = sizeof(mode_read)},                                                           \
        {.call = SCRIPT_IOCTL,                                                                     \
         .fd = 3,                                                                                  \
         .request = SPI_IOC_RD_BITS_PER_WORD,                                                      \
         .in = &(bits_read),                                                                       \
         .in_bytes = 1},                                                                           \
    {                                                                                              \
        .call = SCRIPT_IOCTL, .fd = 3, .request = SPI_IOC_RD_MAX_SPEED_HZ, .in = &(hz_read),       \
        .in_bytes = sizeof(hz_read)                                                                \
    }

static const struct script_step SESSION[] = {
    SET_UP(MODE_0, EIGHT_BITS, MHZ),
    {.call = SCRIPT_OPEN, .result = 4, .path = "/sys/module/spidev/parameters/bufsiz"},
    {.call = SCRIPT_READ, .result = 6, .fd = 4, .in = "65536\n", .in_bytes = 6},
    {.call = SCRIPT_READ, .result = 0, .fd = 4},
    {.call = SCRIPT_CLOSE, .fd = 4},
    {.call = SCRIPT_IOCTL,
     .result = 3,
     .fd = 3,
     .request = SPI_IOC_MESSAGE(1),
     .look = converts_channel_5},
    {.call = SCRIPT_CLOSE, .fd = 3},
};

static int32_t convert(const struct linux_syscalls *sys)
{
    struct linux_spi spi;
    int32_t code = linux_spi_open(&spi, sys, &ADC);

    if (code == HAL_OK) {
        code = linux_mcp3008_read(&spi, 5);
        CHECK(spi.transfers + spi.transfers_failed == 1);
        CHECK((code < 0) == (spi.transfers_failed == 1));
    } else {
        CHECK(spi.fd == -1);
    }
    linux_spi_close(&spi);
    linux_spi_close(&spi);
    return code;
}

static void a_conversion_is_ten_bits_after_the_null_bit(void)
{
    struct script script = script_of(SESSION, COUNT_OF(SESSION));
    struct linux_syscalls sys = script_table(&script);

    CHECK(convert(&sys) == 0x2A7);
    script_end(&script);
}

static void failure_is_told(size_t step, int error, int32_t code)
{
    if (step == COUNT_OF(SESSION) - 1) {
        CHECK(code == 0x2A7);
    } else if (error == EINVAL && (step == 1 || step == 2)) {
        CHECK(code == HAL_E_UNSUPPORTED); /* this mode or word length */
    } else {
        CHECK(code == linux_error(-error));
    }
}

static void every_failure_is_told_and_leaves_nothing_open(void)
{
    script_sweep(SESSION, COUNT_OF(SESSION), convert, failure_is_told);
}

static void a_controller_that_sets_something_else_is_refused(void)
{
    static const struct script_step OTHER_MODE[] = {SET_UP(MODE_1, EIGHT_BITS, MHZ),
                                                    {.call = SCRIPT_CLOSE, .fd = 3}};
    static const struct script_step OTHER_BITS[] = {SET_UP(MODE_0, NINE_BITS, MHZ),
                                                    {.call = SCRIPT_CLOSE, .fd = 3}};
    static const struct script_step FASTER[] = {SET_UP(MODE_0, EIGHT_BITS, TWO_MHZ),
                                                {.call = SCRIPT_CLOSE, .fd = 3}};
    static const struct {
        const struct script_step *steps;
        size_t count;
    } SCRIPTS[] = {{OTHER_MODE, COUNT_OF(OTHER_MODE)},
                   {OTHER_BITS, COUNT_OF(OTHER_BITS)},
                   {FASTER, COUNT_OF(FASTER)}};

    for (size_t i = 0; i < COUNT_OF(SCRIPTS); i++) {
        struct script script = script_of(SCRIPTS[i].steps, SCRIPTS[i].count);
        struct linux_syscalls sys = script_table(&script);
        struct linux_spi spi;

        CHECK(linux_spi_open(&spi, &sys, &ADC) == HAL_E_UNSUPPORTED);
        script_end(&script);
    }
}

static void what_the_module_does_not_tell_is_its_default(void)
{
    static const char *const TEXTS[] = {"", "0\n", "many\n", "99999999999\n"};

    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        const struct script_step steps[] = {
            SET_UP(MODE_0_CS_HIGH, EIGHT_BITS, MHZ), /* an old kernel's addition */
            {.call = SCRIPT_OPEN, .result = 4},
            {.call = SCRIPT_READ,
             .result = (int64_t)strlen(TEXTS[i]),
             .in = TEXTS[i],
             .in_bytes = strlen(TEXTS[i])},
            {.call = i == 0 ? SCRIPT_CLOSE : SCRIPT_READ, .result = 0, .fd = 4},
            {.call = SCRIPT_CLOSE, .fd = i == 0 ? 3 : 4},
            {.call = SCRIPT_CLOSE, .fd = 3},
        };
        struct script script = script_of(steps, COUNT_OF(steps) - (i == 0));
        struct linux_syscalls sys = script_table(&script);
        struct linux_spi spi;

        CHECK(linux_spi_open(&spi, &sys, &ADC) == HAL_OK);
        CHECK(spi.bufsiz == LINUX_SPI_BUFSIZ_DEFAULT && spi.hz == MHZ && spi.bits == 8);
        linux_spi_close(&spi);
        script_end(&script);
    }
}

static void an_unconnected_converter_is_no_value(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_IOCTL, .result = 3, .request = SPI_IOC_MESSAGE(1), .look = answers_nothing},
        {.call = SCRIPT_IOCTL, .result = 2, .request = SPI_IOC_MESSAGE(1)}, /* half of it */
        {.call = SCRIPT_IOCTL, .result = 4, .request = SPI_IOC_MESSAGE(1), .look = sends_only},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_spi spi = {.sys = &sys, .fd = 3, .bufsiz = 4};

    CHECK(linux_mcp3008_read(&spi, 0) == HAL_E_NODEV);
    CHECK(linux_mcp3008_read(&spi, 0) == HAL_E_IO);
    CHECK(linux_spi_transfer(&spi, (const uint8_t *)"abcd", NULL, 4) == HAL_OK);
    CHECK(spi.transfers == 2 && spi.transfers_failed == 1);
    script_end(&script);
}

static void a_mistake_of_the_caller_reaches_no_kernel(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);
    struct linux_spi_config bad[5];
    struct linux_spi spi;
    uint8_t octets[8] = {0};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = ADC;
    }
    bad[0].path = NULL;
    bad[1].sysfs_root = NULL;
    bad[2].bits = 0;
    bad[3].bits = 33;
    bad[4].hz = 0;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_spi_open(&spi, &sys, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(linux_spi_open(NULL, &sys, &ADC) == HAL_E_RANGE);
    CHECK(linux_spi_open(&spi, NULL, &ADC) == HAL_E_RANGE);
    linux_spi_close(&spi);
    CHECK(linux_spi_open(&spi, &sys, NULL) == HAL_E_RANGE);
    linux_spi_close(NULL);
    CHECK(linux_spi_transfer(&spi, octets, octets, 1) == HAL_E_STATE);
    CHECK(linux_spi_transfer(NULL, octets, octets, 1) == HAL_E_RANGE);
    CHECK(linux_spi_transfer(&spi, NULL, NULL, 1) == HAL_E_RANGE);
    spi = (struct linux_spi){.sys = &sys, .fd = 3, .bufsiz = 4};
    CHECK(linux_spi_transfer(&spi, octets, octets, 0) == HAL_E_RANGE);
    CHECK(linux_spi_transfer(&spi, octets, octets, 5) == HAL_E_RANGE);
    CHECK(linux_mcp3008_read(&spi, 8) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_conversion_is_ten_bits_after_the_null_bit),
        PROMISE(every_failure_is_told_and_leaves_nothing_open),
        PROMISE(a_controller_that_sets_something_else_is_refused),
        PROMISE(what_the_module_does_not_tell_is_its_default),
        PROMISE(an_unconnected_converter_is_no_value),
        PROMISE(a_mistake_of_the_caller_reaches_no_kernel),
    };

    KEEP(PROMISES);
    return 0;
}
