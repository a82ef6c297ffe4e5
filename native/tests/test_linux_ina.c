/* INA219 and INA226, plan and bus together, on a kernel that holds such a chip: its registers compute as the data sheets
 * say, and the figures that come out are what went in. */
#include "check.h"
#include "hal.h"
#include "linux_ina.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>

/* The chip: what flows, what the registers hold, and the transfer that fails. */
struct chip {
    uint32_t kind; /* enum linux_ina_chip */
    double amperes;
    double volts;
    double shunt_ohm;
    uint16_t configuration;
    uint16_t calibration;
    uint16_t manufacturer;
    uint16_t die;
    int ready;
    int overflow;
    int forgetful;  /* keeps nothing that is written */
    int fail_from;  /* transfers until the bus fails; -1: never */
    int fail_count; /* how many fail then; -1: all */
    int64_t fail_with;
    int transfers;
    int open_fds;
};

static double step_ampere(const struct chip *chip)
{
    double scale = chip->kind == LINUX_INA219 ? 0.04096 : 0.00512;

    return scale / (chip->calibration * chip->shunt_ohm);
}

static uint16_t current_register(const struct chip *chip)
{
    return chip->calibration == 0 ? 0 : (uint16_t)(int16_t)(chip->amperes / step_ampere(chip));
}

static uint16_t power_register(const struct chip *chip)
{
    double watts = chip->volts * (chip->amperes < 0 ? -chip->amperes : chip->amperes);
    double counts = chip->kind == LINUX_INA219 ? 20 : 25;

    return chip->calibration == 0 ? 0 : (uint16_t)(watts / (counts * step_ampere(chip)));
}

static uint16_t bus_register(const struct chip *chip)
{
    if (chip->kind == LINUX_INA226) {
        return (uint16_t)(chip->volts / 0.00125);
    }
    return (uint16_t)((uint32_t)(chip->volts / 0.004) << 3 | (chip->ready ? 2 : 0) |
                      (chip->overflow ? 1 : 0));
}

static uint16_t read_register(struct chip *chip, uint8_t reg)
{
    uint16_t mask = 0;

    switch (reg) {
    case 0x00: return chip->configuration;
    case 0x02: return bus_register(chip);
    case 0x03:
        chip->ready = chip->kind == LINUX_INA219 ? 0 : chip->ready;
        return power_register(chip);
    case 0x04: return current_register(chip);
    case 0x05: return chip->calibration;
    case 0xFE: return chip->manufacturer;
    case 0xFF: return chip->die;
    default: CHECK(reg == 0x06 && chip->kind == LINUX_INA226);
    }
    mask = (uint16_t)((chip->ready ? 8 : 0) | (chip->overflow ? 4 : 0));
    chip->ready = 0;
    return mask;
}

static void write_register(struct chip *chip, uint8_t reg, uint16_t value)
{
    CHECK(reg == 0x00 || reg == 0x05);
    if (chip->forgetful) {
        return;
    }
    if (reg == 0x00) {
        chip->configuration = value;
        chip->ready = 0;
    } else {
        /* Bit 0 of an INA219's and bit 15 of an INA226's stay 0. */
        chip->calibration = (uint16_t)(value & (chip->kind == LINUX_INA219 ? 0xFFFE : 0x7FFF));
    }
}

static int64_t chip_transfer(struct chip *chip, const struct i2c_rdwr_ioctl_data *both)
{
    const uint8_t *out = both->msgs[0].buf;
    int turn = chip->transfers++;

    if (chip->fail_from >= 0 && turn >= chip->fail_from &&
        (chip->fail_count < 0 || turn < chip->fail_from + chip->fail_count)) {
        return chip->fail_with;
    }
    if (both->nmsgs == 2) {
        uint16_t value = read_register(chip, out[0]);

        both->msgs[1].buf[0] = (uint8_t)(value >> 8);
        both->msgs[1].buf[1] = (uint8_t)(value & 0xFF);
    } else {
        write_register(chip, out[0], (uint16_t)(out[1] << 8 | out[2]));
    }
    return both->nmsgs;
}

static int64_t chip_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    static const unsigned long ABLE = I2C_FUNC_I2C;

    CHECK(fd == 3);
    if (request == I2C_RDWR) {
        return chip_transfer(context, argument);
    }
    if (request == I2C_FUNCS) {
        memcpy(argument, &ABLE, sizeof ABLE);
        return 0;
    }
    CHECK(request == I2C_SLAVE);
    return 0;
}

static int64_t chip_open(void *context, const char *path, int flags, uint32_t mode)
{
    CHECK(strcmp(path, "/dev/i2c-1") == 0 && mode == 0);
    (void)flags;
    ((struct chip *)context)->open_fds++;
    return 3;
}

static int64_t chip_close(void *context, int fd)
{
    CHECK(fd == 3);
    ((struct chip *)context)->open_fds--;
    return 0;
}

static struct linux_syscalls table(struct chip *chip)
{
    return (struct linux_syscalls){
        .context = chip, .open = chip_open, .close = chip_close, .ioctl = chip_ioctl};
}

/* In its reset state, as after power came. */
static struct chip chip_of(uint32_t kind, uint32_t shunt_uohm)
{
    return (struct chip){.kind = kind,
                         .amperes = 1.25,
                         .volts = 5.1,
                         .shunt_ohm = shunt_uohm * 1e-6,
                         .configuration = kind == LINUX_INA219 ? 0x399F : 0x4127,
                         .manufacturer = 0x5449,
                         .die = 0x2260,
                         .ready = 1,
                         .fail_from = -1,
                         .fail_count = -1};
}

static struct linux_ina_config config_of(uint32_t kind, uint32_t shunt_uohm, uint32_t max_ma)
{
    return (struct linux_ina_config){.i2c = {.path = "/dev/i2c-1", .address = 0x40},
                                     .chip = kind,
                                     .shunt_uohm = shunt_uohm,
                                     .max_ma = max_ma,
                                     .averages = 16};
}

static int near(double got, double wanted, double within)
{
    return got >= wanted - within && got <= wanted + within;
}

struct board {
    uint32_t kind;
    uint32_t shunt_uohm;
    uint32_t max_ma;
    uint32_t averages;
    uint16_t configuration; /* by the data sheet's tables */
};

/* Shunts that breakout boards and power modules carry. */
static const struct board BOARDS[] = {
    {LINUX_INA219, 100000, 3200, 1, 0x399F},   /* 0.1 ohm, 320 mV: exactly the reset state */
    {LINUX_INA219, 100000, 400, 16, 0x2667},   /* 40 mV range */
    {LINUX_INA219, 100000, 500, 16, 0x2E67},   /* 80 mV */
    {LINUX_INA219, 10000, 15000, 128, 0x37FF}, /* 160 mV */
    {LINUX_INA219, 100000, 1, 4, 0x2557},      /* finer than the chip can */
    {LINUX_INA226, 2000, 20000, 1, 0x4127},    /* reset state */
    {LINUX_INA226, 10000, 8000, 16, 0x4527},
    {LINUX_INA226, 100000, 800, 64, 0x4727},
    {LINUX_INA226, 500, 150000, 128, 0x4927},
    {LINUX_INA226, 2000, 40960, 4, 0x4327}, /* all of its range */
};

static void registers_are_what_the_data_sheets_say(void)
{
    for (size_t i = 0; i < COUNT_OF(BOARDS); i++) {
        const struct board *b = &BOARDS[i];
        struct linux_ina_config config = config_of(b->kind, b->shunt_uohm, b->max_ma);
        struct linux_ina_setup setup;
        double scale = b->kind == LINUX_INA219 ? 0.04096 : 0.00512;

        config.averages = b->averages;
        CHECK(linux_ina_plan(&config, &setup) == HAL_OK);
        CHECK(setup.configuration == b->configuration);
        CHECK(setup.calibration > 0 &&
              setup.calibration <= (b->kind == LINUX_INA219 ? 0xFFFE : 0x7FFF));
        CHECK(b->kind == LINUX_INA226 || setup.calibration % 2 == 0);
        /* The step is the one that the rounded calibration makes, and reaches the largest. */
        CHECK(near((double)setup.step_pa * 1e-12,
                   scale / (setup.calibration * (b->shunt_uohm * 1e-6)), 1.1e-12));
        CHECK((double)setup.step_pa * 1e-9 * 32768 >= (double)b->max_ma);
    }
}

/* The worked example that both data sheets give: 10 A through 2 milliohm at 11.98 V, a step of 1 mA;
 * calibration 0x5000 and 0x0A00, current 10,000, power 119.8 W. */
static void the_data_sheets_example_comes_out(void)
{
    for (uint32_t kind = LINUX_INA219; kind <= LINUX_INA226; kind++) {
        struct linux_ina_config config = config_of(kind, 2000, 32768);
        struct chip chip = chip_of(kind, 2000);
        struct linux_syscalls sys = table(&chip);
        struct linux_ina_sample sample;
        struct linux_ina ina;

        chip.amperes = 10.0;
        chip.volts = 11.98;
        CHECK(linux_ina_open(&ina, &sys, &config) == HAL_OK);
        CHECK(ina.setup.calibration == (kind == LINUX_INA219 ? 0x5000 : 0x0A00));
        CHECK(ina.setup.step_pa == 1000000000);
        chip.ready = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_OK);
        CHECK(sample.ma == 10000 && near(sample.mv, 11980, 4) && near(sample.mw, 119800, 25));
        linux_ina_close(&ina);
    }
}

static void what_flows_is_what_is_told_in_both_directions(void)
{
    static const double FRACTIONS[] = {0.0, 0.001, 0.3, 0.99, -0.001, -0.5, -0.99};

    for (size_t i = 0; i < COUNT_OF(BOARDS); i++) {
        for (size_t k = 0; k < COUNT_OF(FRACTIONS); k++) {
            const struct board *b = &BOARDS[i];
            struct chip chip = chip_of(b->kind, b->shunt_uohm);
            struct linux_syscalls sys = table(&chip);
            struct linux_ina_config config = config_of(b->kind, b->shunt_uohm, b->max_ma);
            struct linux_ina_sample sample;
            struct linux_ina ina;
            double step_ma;

            chip.amperes = b->max_ma * 1e-3 * FRACTIONS[k];
            CHECK(linux_ina_open(&ina, &sys, &config) == HAL_OK);
            chip.ready = 1;
            step_ma = (double)ina.setup.step_pa * 1e-9;
            CHECK(linux_ina_read(&ina, &sample) == HAL_OK);
            CHECK(near(sample.ma, chip.amperes * 1e3, step_ma + 0.5));
            CHECK(near(sample.mv, chip.volts * 1e3, 4.5));
            CHECK(near(sample.mw, chip.amperes * chip.volts * 1e3, 25 * step_ma + 0.5));
            linux_ina_close(&ina);
            CHECK(chip.open_fds == 0 && ina.samples == 1);
        }
    }
}

static void a_sample_is_taken_once(void)
{
    for (uint32_t kind = LINUX_INA219; kind <= LINUX_INA226; kind++) {
        struct chip chip = chip_of(kind, 10000);
        struct linux_syscalls sys = table(&chip);
        struct linux_ina_config config = config_of(kind, 10000, 4000);
        struct linux_ina_sample sample = {.mv = -1};
        struct linux_ina ina;

        CHECK(linux_ina_open(&ina, &sys, &config) == HAL_OK);
        CHECK(linux_ina_read(&ina, &sample) == HAL_E_BUSY); /* set up just now */
        CHECK(sample.mv == -1);
        chip.ready = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_OK && sample.mv > 5000);
        CHECK(linux_ina_read(&ina, &sample) == HAL_E_BUSY);
        CHECK(ina.not_ready == 2 && ina.samples == 1);
        linux_ina_close(&ina);
    }
}

static void a_chip_that_lost_its_calibration_is_stale_and_set_up_again(void)
{
    for (uint32_t kind = LINUX_INA219; kind <= LINUX_INA226; kind++) {
        struct chip chip = chip_of(kind, 10000);
        struct linux_syscalls sys = table(&chip);
        struct linux_ina_config config = config_of(kind, 10000, 4000);
        struct linux_ina_sample sample = {.ma = -1};
        struct linux_ina ina;

        CHECK(linux_ina_open(&ina, &sys, &config) == HAL_OK);
        chip.calibration = 0; /* the supply dipped */
        chip.configuration = kind == LINUX_INA219 ? 0x399F : 0x4127;
        chip.ready = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_E_STALE);
        CHECK(sample.ma == -1 && ina.resets == 1);
        CHECK(chip.calibration == ina.setup.calibration);
        CHECK(chip.configuration == ina.setup.configuration);
        chip.ready = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_OK && near(sample.ma, 1250, 1));

        chip.calibration = 0;
        chip.forgetful = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_E_IO);
        linux_ina_close(&ina);
    }
}

static void a_value_out_of_range_is_no_value(void)
{
    for (uint32_t kind = LINUX_INA219; kind <= LINUX_INA226; kind++) {
        struct chip chip = chip_of(kind, 10000);
        struct linux_syscalls sys = table(&chip);
        struct linux_ina_config config = config_of(kind, 10000, 4000);
        struct linux_ina_sample sample = {.ma = -1};
        struct linux_ina ina;

        CHECK(linux_ina_open(&ina, &sys, &config) == HAL_OK);
        chip.ready = chip.overflow = 1;
        CHECK(linux_ina_read(&ina, &sample) == HAL_E_IO);
        CHECK(sample.ma == -1 && ina.overflows == 1);
        linux_ina_close(&ina);
    }
}

static int32_t open_only(struct chip chip, struct linux_ina_config config)
{
    struct linux_syscalls sys = table(&chip);
    struct linux_ina ina;
    int32_t code = linux_ina_open(&ina, &sys, &config);

    linux_ina_close(&ina);
    CHECK(chip.open_fds == 0);
    return code;
}

static void another_chip_at_the_address_is_refused(void)
{
    struct linux_ina_config config = config_of(LINUX_INA226, 10000, 4000);
    struct chip chip = chip_of(LINUX_INA226, 10000);

    chip.die = 0x2261; /* a later revision */
    CHECK(open_only(chip, config) == HAL_OK);
    chip.die = 0x2270;
    CHECK(open_only(chip, config) == HAL_E_NODEV);
    chip = chip_of(LINUX_INA226, 10000);
    chip.manufacturer = 0x5448;
    CHECK(open_only(chip, config) == HAL_E_NODEV);
    chip = chip_of(LINUX_INA226, 10000);
    chip.forgetful = 1;
    CHECK(open_only(chip, config) == HAL_E_IO);
    CHECK(open_only(chip_of(LINUX_INA219, 10000), config_of(LINUX_INA219, 10000, 4000)) == HAL_OK);
}

/* Opens, reads, loses the calibration, reads, reads; the worst code met. */
static int32_t session(struct chip *chip)
{
    struct linux_syscalls sys = table(chip);
    struct linux_ina_config config = config_of(chip->kind, 10000, 4000);
    struct linux_ina_sample sample;
    struct linux_ina ina;
    int32_t code = linux_ina_open(&ina, &sys, &config);

    for (int turn = 0; code == HAL_OK && turn < 3; turn++) {
        chip->ready = 1;
        if (turn == 1) {
            chip->calibration = 0;
        }
        code = linux_ina_read(&ina, &sample);
        if (turn == 1 && code == HAL_E_STALE) {
            code = HAL_OK;
        }
    }
    linux_ina_close(&ina);
    CHECK(chip->open_fds == 0);
    return code;
}

static void a_bus_that_fails_at_any_transfer_is_told(void)
{
    static const struct {
        int64_t result;
        int32_t code;
    } FAILURES[] = {{-ENXIO, HAL_E_NODEV},       {-EREMOTEIO, HAL_E_NODEV},
                    {-ENODEV, HAL_E_NODEV},      {-EIO, HAL_E_IO},
                    {-ETIMEDOUT, HAL_E_TIMEOUT}, {-EAGAIN, HAL_E_BUSY},
                    {-EINTR, HAL_E_TIMEOUT},     {1, HAL_E_IO}};

    for (uint32_t kind = LINUX_INA219; kind <= LINUX_INA226; kind++) {
        struct chip healthy = chip_of(kind, 10000);

        CHECK(session(&healthy) == HAL_OK);
        CHECK(healthy.transfers == (kind == LINUX_INA219 ? 4 + 4 + 8 + 4 : 6 + 5 + 9 + 5));
        for (int turn = 0; turn < healthy.transfers; turn++) {
            for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
                struct chip chip = chip_of(kind, 10000);

                chip.fail_from = turn;
                chip.fail_with = FAILURES[i].result;
                if (FAILURES[i].result == 1 && turn < 2 && kind == LINUX_INA219) {
                    continue; /* one message is all that a write has */
                }
                CHECK(session(&chip) == FAILURES[i].code);
            }
        }
    }
}

static void a_plan_that_the_chip_cannot_do_is_refused(void)
{
    struct chip chip = chip_of(LINUX_INA219, 100000);
    struct linux_syscalls sys = table(&chip);
    struct linux_ina_sample sample;
    struct linux_ina_setup setup;
    struct linux_ina ina;
    struct linux_ina_config bad[9];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = config_of(LINUX_INA219, 100000, 3200);
    }
    bad[0].chip = 2;
    bad[1].shunt_uohm = 0;
    bad[2].shunt_uohm = LINUX_INA_SHUNT_UOHM_MAX + 1;
    bad[3].max_ma = 0;
    bad[4].max_ma = LINUX_INA_MAX_MA_MAX + 1;
    bad[5].averages = 2;
    bad[6].max_ma = 3201; /* 320.1 mV */
    bad[7] = config_of(LINUX_INA226, 2000, 40961);
    bad[8].i2c.address = 0;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_ina_open(&ina, &sys, &bad[i]) == HAL_E_RANGE);
        linux_ina_close(&ina);
    }
    CHECK(chip.open_fds == 0);
    CHECK(linux_ina_plan(NULL, &setup) == HAL_E_RANGE);
    CHECK(linux_ina_plan(&bad[8], NULL) == HAL_E_RANGE);
    CHECK(linux_ina_open(NULL, &sys, &bad[0]) == HAL_E_RANGE);
    CHECK(linux_ina_open(&ina, &sys, NULL) == HAL_E_RANGE);
    CHECK(linux_ina_read(&ina, NULL) == HAL_E_RANGE);
    CHECK(linux_ina_read(NULL, &sample) == HAL_E_RANGE);
    CHECK(linux_ina_read(&ina, &sample) == HAL_E_STATE);
    linux_ina_close(NULL);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(registers_are_what_the_data_sheets_say),
        PROMISE(the_data_sheets_example_comes_out),
        PROMISE(what_flows_is_what_is_told_in_both_directions),
        PROMISE(a_sample_is_taken_once),
        PROMISE(a_chip_that_lost_its_calibration_is_stale_and_set_up_again),
        PROMISE(a_value_out_of_range_is_no_value),
        PROMISE(another_chip_at_the_address_is_refused),
        PROMISE(a_bus_that_fails_at_any_transfer_is_told),
        PROMISE(a_plan_that_the_chip_cannot_do_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
