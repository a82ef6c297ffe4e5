/* Sources that are no files; see linux_source_devices.h. */
#include "linux_source_devices.h"

#include "linux_pmic.h"
#include "linux_vcio.h"

#include <fcntl.h>
#include <stdio.h>

#define RETRY_NS     UINT64_C(1000000000)
#define COUNTS_FULL  1023
#define STICKY_SHIFT 16
#define I2C_RETRIES  2

/* Bits 0 to 3 of a Raspberry Pi's throttle word, in order. */
static const uint32_t WORD_BITS[] = {HAL_THROTTLE_UNDER_VOLTAGE, HAL_THROTTLE_FREQ_CAPPED,
                                     HAL_THROTTLE_THERMAL, HAL_THROTTLE_SOFT_TEMP};

static uint32_t bits_of(uint32_t word)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < sizeof WORD_BITS / sizeof WORD_BITS[0]; i++) {
        bits |= (word >> i & 1) != 0 ? WORD_BITS[i] : 0;
    }
    return bits;
}

void linux_throttle_word(struct linux_source *source, uint32_t word, struct linux_value *value,
                         _Atomic uint32_t *latched)
{
    uint32_t live = bits_of(word);
    uint32_t sticky = bits_of(word >> STICKY_SHIFT);
    uint32_t raised = source->primed != 0 ? sticky & ~source->before[0] : 0;

    source->primed = 1;
    source->before[0] = sticky;
    value->v[0] = (int32_t)live;
    value->state = HAL_VALUE_MEASURED;
    atomic_fetch_or(latched, live | raised);
}

/* Whether a device that would not open may be tried again; if so, not for another second. */
static int32_t may_open(const struct linux_reader *reader, struct linux_source *source)
{
    uint64_t now_ns = reader->sys->now_ns(reader->sys->context);

    if (now_ns < source->not_before_ns) {
        return HAL_E_NODEV;
    }
    source->not_before_ns = now_ns + RETRY_NS;
    return HAL_OK;
}

static int32_t open_firmware(const struct linux_reader *reader, struct linux_source *source)
{
    struct linux_node *node = &source->node[0];

    if (node->fd >= 0) {
        return HAL_OK;
    }
    int32_t allowed = may_open(reader, source);

    if (allowed < 0) {
        return allowed;
    }
    int64_t opened = linux_open(reader->sys, node->path, O_RDWR | O_NONBLOCK);

    node->fd = opened < 0 ? -1 : (int)opened;
    return linux_error(opened);
}

/* After an error the next reading opens the device anew. */
static int32_t told(const struct linux_reader *reader, struct linux_source *source, int32_t code)
{
    if (code < 0) {
        linux_node_close(reader->sys, &source->node[0]);
    }
    return code;
}

int32_t linux_source_throttled(const struct linux_reader *reader, struct linux_source *source,
                               uint32_t *word)
{
    int32_t opened = open_firmware(reader, source);

    if (opened < 0) {
        return opened;
    }
    return told(reader, source, linux_vcio_throttled(reader->sys, source->node[0].fd, word));
}

int32_t linux_source_pmic(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value)
{
    char answer[LINUX_VCIO_TEXT_BYTES];
    int32_t opened = open_firmware(reader, source);

    if (opened < 0) {
        return opened;
    }
    int32_t got = linux_vcio_command(reader->sys, source->node[0].fd, "pmic_read_adc", answer);

    got = got < 0 ? got : linux_pmic_estimate(answer, &value->v[2]);
    value->state = HAL_VALUE_ESTIMATED;
    return told(reader, source, got);
}

static int32_t open_ina(const struct linux_reader *reader, struct linux_source *source,
                        struct linux_ina *ina)
{
    const struct hal_linux_ina *wanted = &reader->config->inas[source->device];
    struct linux_ina_config config = {
        .i2c = {.path = source->node[0].path, .address = wanted->address, .retries = I2C_RETRIES},
        .chip = wanted->chip == HAL_LINUX_INA226 ? LINUX_INA226 : LINUX_INA219,
        .shunt_uohm = wanted->shunt_uohm,
        .max_ma = wanted->max_ma,
        .averages = wanted->averages,
    };
    int32_t allowed = may_open(reader, source);

    return allowed < 0 ? allowed : linux_ina_open(ina, reader->sys, &config);
}

int32_t linux_source_ina(const struct linux_reader *reader, struct linux_source *source,
                         struct linux_value *value)
{
    struct linux_ina *ina = &reader->inas[source->device];
    struct linux_ina_sample sample;

    if (ina->i2c.fd < 0) {
        int32_t opened = open_ina(reader, source, ina);

        if (opened < 0) {
            return opened == HAL_E_BUSY ? HAL_E_STATE : opened;
        }
    }
    int32_t got = linux_ina_read(ina, &sample);

    if (got < 0) {
        /* No new conversion (busy) and a chip set up again (stale) are no reason to start over. */
        if (got != HAL_E_BUSY && got != HAL_E_STALE) {
            linux_ina_close(ina);
        }
        return got;
    }
    value->v[0] = sample.mv;
    value->v[1] = sample.ma;
    value->v[2] = sample.mw;
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

static int32_t open_converter(const struct linux_reader *reader, struct linux_source *source)
{
    struct linux_spi_config config = {
        .path = source->node[0].path,
        .sysfs_root = reader->config->sysfs_root,
        .mode = 0,
        .bits = 8,
        .hz = reader->config->spi_hz,
    };
    int32_t allowed = may_open(reader, source);

    return allowed < 0 ? allowed : linux_spi_open(reader->spi, reader->sys, &config);
}

int32_t linux_source_input(const struct linux_reader *reader, struct linux_source *source,
                           struct linux_value *value)
{
    const struct hal_linux_input *input = &reader->config->inputs[source->device];

    if (reader->spi->fd < 0) {
        int32_t opened = open_converter(reader, source);

        if (opened < 0) {
            return opened == HAL_E_BUSY ? HAL_E_STATE : opened;
        }
    }
    int32_t counts = linux_mcp3008_read(reader->spi, input->channel);

    if (counts < 0) {
        linux_spi_close(reader->spi);
        return counts == HAL_E_BUSY ? HAL_E_IO : counts;
    }
    int64_t span = (int64_t)input->at_full - input->at_zero;

    value->v[0] = (int32_t)(input->at_zero + span * counts / COUNTS_FULL);
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

void linux_source_release(const struct linux_reader *reader, const struct linux_source *source)
{
    if (source->way == LINUX_BY_INA) {
        linux_ina_close(&reader->inas[source->device]);
    }
}
