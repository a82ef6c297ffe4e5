/* Reading one thing of a board; see linux_source.h. */
#include "linux_source.h"

#include "linux_source_devices.h"
#include "linux_text.h"

#include <string.h>

#define TEXT_BYTES 128
#define PWM_FULL   255

/* A block that is switched off shows this, or answers EAGAIN (Tegra's thermal firmware). */
#define OFF_MDEGC (-256000)

typedef int32_t (*read_fn)(const struct linux_reader *reader, struct linux_source *source,
                           struct linux_value *value);

static int32_t read_node(const struct linux_reader *reader, struct linux_source *source, int index,
                         int32_t *value)
{
    int64_t number = 0;
    int32_t got = linux_node_number(reader->sys, &source->node[index], &number);

    if (got < 0) {
        return got;
    }
    number /= source->divide[index] > 0 ? source->divide[index] : 1;
    if (number < INT32_MIN || number > INT32_MAX) {
        return HAL_E_RANGE;
    }
    *value = (int32_t)number;
    return HAL_OK;
}

static int has_node(const struct linux_source *source, int index)
{
    return source->node[index].path[0] != '\0';
}

static int32_t read_zone(const struct linux_reader *reader, struct linux_source *source,
                         struct linux_value *value)
{
    int32_t got = read_node(reader, source, 0, &value->v[0]);

    value->state = HAL_VALUE_MEASURED;
    if (got == HAL_E_BUSY || (got == HAL_OK && value->v[0] <= OFF_MDEGC)) {
        value->state = HAL_VALUE_OFF;
        return HAL_OK;
    }
    return got;
}

static int32_t read_rail(const struct linux_reader *reader, struct linux_source *source,
                         struct linux_value *value)
{
    int32_t got = read_node(reader, source, 0, &value->v[0]);

    value->state = HAL_VALUE_MEASURED;
    if (got < 0) {
        return got;
    }
    if (!has_node(source, 1)) {
        value->state = HAL_VALUE_UNSUPPORTED; /* a voltage alone is no power */
        return HAL_OK;
    }
    got = read_node(reader, source, 1, &value->v[1]);
    if (got < 0) {
        return got;
    }
    if (has_node(source, 2)) {
        return read_node(reader, source, 2, &value->v[2]);
    }
    int64_t mw = (int64_t)value->v[0] * value->v[1] / 1000;

    if (mw < INT32_MIN || mw > INT32_MAX) {
        return HAL_E_RANGE;
    }
    value->v[2] = (int32_t)mw;
    return HAL_OK;
}

static int32_t read_clock(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value)
{
    value->state = HAL_VALUE_MEASURED;
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        int32_t got = read_node(reader, source, i, &value->v[i]);

        if (got == HAL_E_BUSY) {
            value->state = HAL_VALUE_OFF;
        } else if (got < 0) {
            return got;
        }
    }
    return HAL_OK;
}

static int32_t read_alarm(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value)
{
    int32_t raised = 0;
    int32_t got = read_node(reader, source, 0, &raised);

    if (got < 0) {
        return got;
    }
    value->v[0] = raised > 0 ? (int32_t)source->bit : 0;
    value->state = HAL_VALUE_MEASURED;
    atomic_fetch_or(reader->latched, (uint32_t)value->v[0]);
    return HAL_OK;
}

static int32_t read_throttle(const struct linux_reader *reader, struct linux_source *source,
                             struct linux_value *value)
{
    char text[TEXT_BYTES];
    uint32_t word = 0;
    int32_t got;

    if (source->way == LINUX_BY_ALARM) {
        return read_alarm(reader, source, value);
    }
    if (source->way == LINUX_BY_FIRMWARE) {
        got = linux_source_throttled(reader, source, &word);
    } else {
        got = linux_node_read(reader->sys, &source->node[0], text, sizeof text);
        got = got < 0 ? got : linux_parse_hex(text, &word);
    }
    if (got < 0) {
        return got;
    }
    linux_throttle_word(source, word, value, reader->latched);
    return HAL_OK;
}

static int32_t read_overcurrent(const struct linux_reader *reader, struct linux_source *source,
                                struct linux_value *value)
{
    static const uint32_t BITS[] = {HAL_THROTTLE_OC_VOLTAGE, HAL_THROTTLE_OC_AVERAGE,
                                    HAL_THROTTLE_OC_PEAK};
    int32_t counted[LINUX_NODES_MAX] = {0};

    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        int32_t got = has_node(source, i) ? read_node(reader, source, i, &counted[i]) : HAL_OK;

        if (got < 0) {
            return got;
        }
    }
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        uint32_t now = (uint32_t)counted[i];

        if (source->primed == 0) {
            source->before[i] = now; /* since the start of the kernel; ours begins here */
        }
        uint32_t events = now - source->before[i];

        if (events != (uint32_t)value->v[i]) {
            atomic_fetch_or(reader->latched, BITS[i]);
        }
        value->v[i] = (int32_t)events;
    }
    source->primed = 1;
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

static int32_t read_fan(const struct linux_reader *reader, struct linux_source *source,
                        struct linux_value *value)
{
    int32_t pwm = 0;

    if (has_node(source, 0)) {
        int32_t got = read_node(reader, source, 0, &value->v[0]);

        if (got < 0) {
            return got;
        }
    }
    if (has_node(source, 1)) {
        int32_t got = read_node(reader, source, 1, &pwm);

        if (got < 0) {
            return got;
        }
        if (pwm < 0 || pwm > PWM_FULL) {
            return HAL_E_RANGE;
        }
    }
    value->v[1] = (pwm * 1000 + PWM_FULL / 2) / PWM_FULL;
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

static int32_t read_pressure(const struct linux_reader *reader, struct linux_source *source,
                             struct linux_value *value)
{
    char text[TEXT_BYTES];

    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        int32_t got = linux_node_read(reader->sys, &source->node[i], text, sizeof text);

        got = got < 0 ? got : linux_parse_pressure(text, &value->v[i]);
        if (got < 0) {
            return got;
        }
    }
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

static int32_t read_mode(const struct linux_reader *reader, struct linux_source *source,
                         struct linux_value *value)
{
    char text[TEXT_BYTES];
    int32_t got = linux_node_read(reader->sys, &source->node[0], text, sizeof text);

    got = got < 0 ? got : linux_mode_of_status(reader->modes, text);
    if (got < 0) {
        return got;
    }
    value->v[0] = got;
    value->state = HAL_VALUE_MEASURED;
    return HAL_OK;
}

int32_t linux_source_read(const struct linux_reader *reader, struct linux_source *source,
                          struct linux_value *value)
{
    static const read_fn BY_FILES[LINUX_KINDS] = {
        [LINUX_ZONE] = read_zone,         [LINUX_RAIL] = read_rail,
        [LINUX_CPU] = read_clock,         [LINUX_GPU] = read_clock,
        [LINUX_THROTTLE] = read_throttle, [LINUX_OVERCURRENT] = read_overcurrent,
        [LINUX_FAN] = read_fan,           [LINUX_PRESSURE] = read_pressure,
        [LINUX_MODE] = read_mode,         [LINUX_INPUT] = linux_source_input,
    };

    if (source->kind == LINUX_RAIL && source->way == LINUX_BY_FIRMWARE) {
        return linux_source_pmic(reader, source, value);
    }
    if (source->way == LINUX_BY_INA) {
        return linux_source_ina(reader, source, value);
    }
    return BY_FILES[source->kind](reader, source, value);
}

void linux_source_close(const struct linux_reader *reader, struct linux_source *source)
{
    for (int i = 0; i < LINUX_NODES_MAX; i++) {
        linux_node_close(reader->sys, &source->node[i]);
    }
    linux_source_release(reader, source);
}

int linux_value_take(struct linux_value *held, const struct linux_value *fresh, int32_t code,
                     uint64_t now_ns)
{
    if (code >= 0) {
        *held = *fresh;
        held->t_ns = now_ns;
        return 1;
    }
    if (held->t_ns == 0) {
        *held = (struct linux_value){.state = code == HAL_E_PERM          ? HAL_VALUE_DENIED
                                              : code == HAL_E_UNSUPPORTED ? HAL_VALUE_UNSUPPORTED
                                                                          : HAL_VALUE_FAILED};
    }
    return 0;
}

uint32_t linux_value_state(const struct linux_value *value, uint64_t now_ns, uint64_t stale_ns)
{
    if (value->t_ns == 0) {
        return value->state;
    }
    return now_ns > value->t_ns && now_ns - value->t_ns > stale_ns ? HAL_VALUE_STALE : value->state;
}

int linux_state_usable(uint32_t state)
{
    return state == HAL_VALUE_MEASURED || state == HAL_VALUE_ESTIMATED;
}

uint32_t linux_clock_step(const struct linux_source *clock, uint32_t khz)
{
    uint32_t step = clock->lowest_khz;

    if (khz >= clock->highest_khz) {
        return clock->highest_khz;
    }
    if (clock->step_count == 0) {
        return khz > step ? khz : step;
    }
    for (uint32_t i = 0; i < clock->step_count && clock->step_khz[i] <= khz; i++) {
        step = clock->step_khz[i];
    }
    return step;
}
