/* Sources that are no files: a firmware, a chip on an I2C bus, a converter on an SPI bus. */
#define _GNU_SOURCE
#include "check.h"
#include "hal.h"
#include "linux_inventory.h"
#include "linux_source_devices.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/spi/spidev.h>
#include <string.h>

/* A board whose devices answer ioctls; the descriptor says which. */
enum { FIRMWARE = 11, I2C = 12, SPI = 13 };

struct board {
    uint64_t now_ns;
    int open_error;
    int ioctl_error;
    uint32_t opened;
    uint32_t closed;
    uint32_t throttled;
    const char *answer;
    uint16_t ina[256];
    uint8_t reg;
    uint32_t counts;
    uint32_t spi_mode;
    uint8_t spi_bits;
    uint32_t spi_hz;
};

static int64_t board_open(void *context, const char *path, int flags, uint32_t mode)
{
    struct board *board = context;

    (void)flags;
    (void)mode;
    if (board->open_error != 0) {
        return -board->open_error;
    }
    int fd = strcmp(path, "/dev/vcio") == 0        ? FIRMWARE
             : strcmp(path, "/dev/i2c-1") == 0     ? I2C
             : strcmp(path, "/dev/spidev0.0") == 0 ? SPI
                                                   : -ENOENT;

    board->opened += fd > 0;
    return fd;
}

static int64_t board_close(void *context, int fd)
{
    struct board *board = context;

    (void)fd;
    board->closed++;
    return 0;
}

static int64_t firmware_ioctl(const struct board *board, uint32_t *message)
{
    message[1] = 0x80000000;
    message[4] |= 0x80000000;
    if (message[2] == 0x00030046) {
        message[5] = board->throttled;
    } else {
        strcpy((char *)(message + 6), board->answer);
    }
    return 0;
}

static int64_t i2c_ioctl(struct board *board, unsigned long request, void *argument)
{
    if (request == I2C_FUNCS) {
        *(unsigned long *)argument = I2C_FUNC_I2C;
    } else if (request == I2C_RDWR) {
        const struct i2c_rdwr_ioctl_data *both = argument;

        board->reg = both->msgs[0].buf[0];
        if (both->msgs[0].len == 3) {
            board->ina[board->reg] = (uint16_t)(both->msgs[0].buf[1] << 8 | both->msgs[0].buf[2]);
        }
        if (both->nmsgs == 2) {
            both->msgs[1].buf[0] = (uint8_t)(board->ina[board->reg] >> 8);
            both->msgs[1].buf[1] = (uint8_t)board->ina[board->reg];
        }
        return both->nmsgs;
    }
    return 0;
}

static int64_t spi_ioctl(struct board *board, unsigned long request, void *argument)
{
    switch (request) {
    case SPI_IOC_WR_MODE32: memcpy(&board->spi_mode, argument, sizeof board->spi_mode); return 0;
    case SPI_IOC_RD_MODE32: memcpy(argument, &board->spi_mode, sizeof board->spi_mode); return 0;
    case SPI_IOC_WR_BITS_PER_WORD: memcpy(&board->spi_bits, argument, 1); return 0;
    case SPI_IOC_RD_BITS_PER_WORD: memcpy(argument, &board->spi_bits, 1); return 0;
    case SPI_IOC_WR_MAX_SPEED_HZ: memcpy(&board->spi_hz, argument, sizeof board->spi_hz); return 0;
    case SPI_IOC_RD_MAX_SPEED_HZ: memcpy(argument, &board->spi_hz, sizeof board->spi_hz); return 0;
    default: break;
    }
    const struct spi_ioc_transfer *transfer = argument;
    const uint8_t in[3] = {0, (uint8_t)(board->counts >> 8 & 3), (uint8_t)board->counts};

    memcpy((void *)(uintptr_t)transfer->rx_buf, in, sizeof in);
    return 3;
}

static int64_t board_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    struct board *board = context;

    if (board->ioctl_error != 0) {
        return -board->ioctl_error;
    }
    return fd == FIRMWARE ? firmware_ioctl(board, argument)
           : fd == I2C    ? i2c_ioctl(board, request, argument)
                          : spi_ioctl(board, request, argument);
}

static uint64_t board_now_ns(void *context)
{
    const struct board *board = context;

    return board->now_ns;
}

static struct linux_syscalls table(struct board *board)
{
    return (struct linux_syscalls){.context = board,
                                   .open = board_open,
                                   .close = board_close,
                                   .ioctl = board_ioctl,
                                   .now_ns = board_now_ns};
}

static _Atomic uint32_t latched;

struct bench {
    struct board board;
    struct linux_syscalls sys;
    struct hal_linux_config config;
    struct linux_ina inas[HAL_LINUX_INAS_MAX];
    struct linux_spi spi;
    struct linux_reader reader;
    struct linux_source source;
};

static void bench_make(struct bench *bench, uint32_t kind, uint32_t way, const char *node)
{
    memset(bench, 0, sizeof *bench);
    bench->sys = table(&bench->board);
    bench->board.now_ns = 1;
    bench->inas[0].i2c.fd = -1;
    bench->spi.fd = -1;
    bench->reader = (struct linux_reader){.sys = &bench->sys,
                                          .config = &bench->config,
                                          .latched = &latched,
                                          .inas = bench->inas,
                                          .spi = &bench->spi};
    bench->source = linux_source_make(kind, "name");
    bench->source.way = way;
    linux_node_set(&bench->source.node[0], "/dev", node);
    atomic_store(&latched, 0);
}

static int32_t bench_read(struct bench *bench, struct linux_value *value)
{
    return linux_source_read(&bench->reader, &bench->source, value);
}

static void throttle_bits_hold_now_and_sticky_ones_count_once_they_rise(void)
{
    struct linux_source source = linux_source_make(LINUX_THROTTLE, "firmware");
    struct linux_value value = {.t_ns = 0};
    _Atomic uint32_t latch = 0;

    linux_throttle_word(&source, 0x50000, &value, &latch); /* sticky from before our time */
    CHECK(value.v[0] == 0 && atomic_load(&latch) == 0);
    linux_throttle_word(&source, 0xF0006, &value, &latch);
    CHECK(value.v[0] == (HAL_THROTTLE_FREQ_CAPPED | HAL_THROTTLE_THERMAL));
    CHECK(atomic_load(&latch) ==
          (HAL_THROTTLE_FREQ_CAPPED | HAL_THROTTLE_THERMAL | HAL_THROTTLE_SOFT_TEMP));
    atomic_store(&latch, 0); /* cleared; the kernel's driver clears its own bits in between */
    linux_throttle_word(&source, 0x0, &value, &latch);
    CHECK(value.v[0] == 0 && atomic_load(&latch) == 0);
    linux_throttle_word(&source, 0x10000, &value, &latch);
    CHECK(value.v[0] == 0 && atomic_load(&latch) == HAL_THROTTLE_UNDER_VOLTAGE);
}

static void the_firmware_is_opened_once_and_again_after_an_error(void)
{
    struct bench bench;
    struct linux_value value = {.t_ns = 0};

    bench_make(&bench, LINUX_THROTTLE, LINUX_BY_FIRMWARE, "vcio");
    bench.board.throttled = 0x50005;
    CHECK(bench_read(&bench, &value) == HAL_OK && bench_read(&bench, &value) == HAL_OK);
    CHECK(bench.board.opened == 1);
    CHECK(value.v[0] == (HAL_THROTTLE_UNDER_VOLTAGE | HAL_THROTTLE_THERMAL));
    bench.board.ioctl_error = ETIMEDOUT;
    CHECK(bench_read(&bench, &value) == HAL_E_TIMEOUT && bench.board.closed == 1);
    bench.board.ioctl_error = 0;
    CHECK(bench_read(&bench, &value) == HAL_E_NODEV); /* not yet again */
    bench.board.now_ns += 1000000000;
    CHECK(bench_read(&bench, &value) == HAL_OK && bench.board.opened == 2);
    linux_source_close(&bench.reader, &bench.source);
    CHECK(bench.board.closed == 2);
}

static void a_power_chip_gives_an_estimate(void)
{
    struct bench bench;
    struct linux_value value = {.t_ns = 0};

    bench_make(&bench, LINUX_RAIL, LINUX_BY_FIRMWARE, "vcio");
    bench.board.answer = "VDD_CORE_V=1.0V\nVDD_CORE_A=2.0A\n";
    CHECK(bench_read(&bench, &value) == HAL_OK);
    CHECK(value.v[2] == 2878 && value.state == HAL_VALUE_ESTIMATED);
    bench.board.answer = "error=1 error_msg=\"Command not registered\"";
    CHECK(bench_read(&bench, &value) == HAL_E_UNSUPPORTED);
    bench.board.open_error = EACCES;
    bench.board.now_ns += 1000000000;
    CHECK(bench_read(&bench, &value) == HAL_E_PERM);
}

static void bench_with_ina(struct bench *bench)
{
    bench_make(bench, LINUX_RAIL, LINUX_BY_INA, "i2c-1");
    bench->config.inas[0] = (struct hal_linux_ina){.name = "name",
                                                   .bus = 1,
                                                   .address = 0x40,
                                                   .chip = HAL_LINUX_INA226,
                                                   .shunt_uohm = 10000,
                                                   .max_ma = 5000,
                                                   .averages = 4};
    bench->board.ina[0xFE] = 0x5449;
    bench->board.ina[0xFF] = 0x2260;
    bench->board.ina[0x02] = 4000; /* 1.25 mV a count: 5 V */
    bench->board.ina[0x04] = 1000;
    bench->board.ina[0x06] = 1 << 3; /* a conversion is ready */
}

static void a_chip_without_a_driver_is_set_up_and_read(void)
{
    struct bench bench;
    struct linux_value value = {.t_ns = 0};

    bench_with_ina(&bench);
    bench.board.ina[0x03] = 1000;
    CHECK(bench_read(&bench, &value) == HAL_OK);
    CHECK(value.v[0] == 5000 && value.v[1] > 0 && value.state == HAL_VALUE_MEASURED);
    CHECK(value.v[2] > 0);
    bench.board.ina[0x06] = 0;
    CHECK(bench_read(&bench, &value) == HAL_E_BUSY);
    bench.board.ina[0x06] = 1 << 3;
    bench.board.ina[0x05] = 0; /* its supply dipped */
    CHECK(bench_read(&bench, &value) == HAL_E_STALE);
    CHECK(bench_read(&bench, &value) == HAL_OK && bench.board.opened == 1);
    bench.board.ioctl_error = ENXIO;
    CHECK(bench_read(&bench, &value) == HAL_E_NODEV && bench.board.closed == 1);
    bench.board.ioctl_error = 0;
    CHECK(bench_read(&bench, &value) == HAL_E_NODEV);
    bench.board.now_ns += 1000000000;
    CHECK(bench_read(&bench, &value) == HAL_OK && bench.board.opened == 2);
    linux_source_close(&bench.reader, &bench.source);
    CHECK(bench.board.closed == 2);
}

static void a_chip_that_a_driver_holds_is_no_new_value(void)
{
    struct bench bench;
    struct linux_value value = {.t_ns = 0};

    bench_with_ina(&bench);
    bench.board.ioctl_error = EBUSY;
    CHECK(bench_read(&bench, &value) == HAL_E_STATE);
    bench_with_ina(&bench);
    bench.config.inas[0].chip = HAL_LINUX_INA219;
    bench.board.ina[0x02] = 1250 << 3 | 2; /* 4 mV a count, converted */
    CHECK(bench_read(&bench, &value) == HAL_OK && value.v[0] == 5000);
}

static void an_input_is_a_straight_line_from_counts(void)
{
    struct bench bench;
    struct linux_value value = {.t_ns = 0};

    bench_make(&bench, LINUX_INPUT, LINUX_BY_CONVERTER, "spidev0.0");
    bench.config.spi_hz = 1000000;
    bench.config.inputs[0] = (struct hal_linux_input){
        .name = "name", .channel = 3, .at_zero = -50000, .at_full = 280000};
    bench.board.counts = 1023;
    CHECK(bench_read(&bench, &value) == HAL_OK && value.v[0] == 280000);
    bench.board.counts = 0;
    CHECK(bench_read(&bench, &value) == HAL_OK && value.v[0] == -50000);
    bench.board.counts = 512;
    CHECK(bench_read(&bench, &value) == HAL_OK && value.v[0] == 115161);
    CHECK(bench.board.opened == 1 && value.state == HAL_VALUE_MEASURED);
    bench.board.ioctl_error = EBUSY;
    CHECK(bench_read(&bench, &value) == HAL_E_IO && bench.board.closed == 1);
    CHECK(bench_read(&bench, &value) == HAL_E_NODEV);
    bench.board.now_ns += 1000000000;
    CHECK(bench_read(&bench, &value) == HAL_E_STATE);
    bench.board.open_error = ENOENT;
    bench.board.now_ns += 1000000000;
    CHECK(bench_read(&bench, &value) == HAL_E_NODEV);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(throttle_bits_hold_now_and_sticky_ones_count_once_they_rise),
        PROMISE(the_firmware_is_opened_once_and_again_after_an_error),
        PROMISE(a_power_chip_gives_an_estimate),
        PROMISE(a_chip_without_a_driver_is_set_up_and_read),
        PROMISE(a_chip_that_a_driver_holds_is_no_new_value),
        PROMISE(an_input_is_a_straight_line_from_counts),
    };

    KEEP(PROMISES);
    return 0;
}
