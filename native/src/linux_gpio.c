/* One GPIO line through the character device, version 2; see linux_gpio.h. */
#include "linux_gpio.h"
#include "hal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CONSUMER "lumenode"

static int is_valid(const struct linux_gpio_config *config)
{
    return config->dev_root != NULL && (config->chip != NULL || config->line != NULL) &&
           config->direction <= LINUX_GPIO_OUTPUT && config->bias <= LINUX_GPIO_BIAS_PULL_DOWN &&
           config->edges <= (LINUX_GPIO_RISING | LINUX_GPIO_FALLING) &&
           (config->edges == 0 || config->direction == LINUX_GPIO_INPUT) &&
           config->active_low <= 1 && config->initial <= 1;
}

/* The controller's text fields need not be terminated when they are full. */
static int is_named(const char *field, const char *name)
{
    return strlen(name) < GPIO_MAX_NAME_SIZE && strncmp(field, name, GPIO_MAX_NAME_SIZE) == 0;
}

static uint64_t flags_of(const struct linux_gpio_config *config)
{
    static const uint64_t BIAS[] = {
        [LINUX_GPIO_BIAS_AS_IS] = 0,
        [LINUX_GPIO_BIAS_OFF] = GPIO_V2_LINE_FLAG_BIAS_DISABLED,
        [LINUX_GPIO_BIAS_PULL_UP] = GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
        [LINUX_GPIO_BIAS_PULL_DOWN] = GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN,
    };
    uint64_t flags = BIAS[config->bias];

    flags |= config->direction == LINUX_GPIO_OUTPUT ? (uint64_t)GPIO_V2_LINE_FLAG_OUTPUT
                                                    : (uint64_t)GPIO_V2_LINE_FLAG_INPUT;
    flags |= config->active_low ? (uint64_t)GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0;
    flags |= config->edges & LINUX_GPIO_RISING ? (uint64_t)GPIO_V2_LINE_FLAG_EDGE_RISING : 0;
    flags |= config->edges & LINUX_GPIO_FALLING ? (uint64_t)GPIO_V2_LINE_FLAG_EDGE_FALLING : 0;
    return flags;
}

/* Asks the controller for the line at gpio->offset. */
static int32_t request_line(struct linux_gpio *gpio, int chip_fd,
                            const struct linux_gpio_config *config)
{
    struct gpio_v2_line_request request = {
        .offsets = {gpio->offset},
        .consumer = CONSUMER,
        .num_lines = 1,
    };
    int64_t result;

    request.config.flags = flags_of(config);
    if (config->direction == LINUX_GPIO_OUTPUT) {
        request.config.num_attrs = 1;
        request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
        request.config.attrs[0].attr.values = config->initial;
        request.config.attrs[0].mask = 1;
    }
    result = linux_ioctl(gpio->sys, chip_fd, GPIO_V2_GET_LINE_IOCTL, &request);
    if (result < 0) {
        return linux_error(result);
    }
    gpio->fd = request.fd;
    return HAL_OK;
}

/* Sets gpio->offset to the line's, or answers HAL_E_NODEV when the controller has no such line. */
static int32_t find_line(struct linux_gpio *gpio, int chip_fd, uint32_t lines,
                         const struct linux_gpio_config *config)
{
    if (config->line == NULL) {
        gpio->offset = config->offset;
        return config->offset < lines ? HAL_OK : HAL_E_RANGE;
    }
    if (lines > LINUX_GPIO_LINES_MAX) {
        return HAL_E_CORRUPT; /* a search through what it claims might never end */
    }
    for (uint32_t offset = 0; offset < lines; offset++) {
        struct gpio_v2_line_info info = {.offset = offset};
        int64_t result = linux_ioctl(gpio->sys, chip_fd, GPIO_V2_GET_LINEINFO_IOCTL, &info);

        if (result < 0) {
            return linux_error(result);
        }
        if (is_named(info.name, config->line)) {
            gpio->offset = offset;
            return HAL_OK;
        }
    }
    return HAL_E_NODEV;
}

/* One controller: HAL_E_NODEV when it is another one. */
static int32_t try_chip(struct linux_gpio *gpio, int chip_fd,
                        const struct linux_gpio_config *config)
{
    struct gpiochip_info info = {0};
    int64_t result = linux_ioctl(gpio->sys, chip_fd, GPIO_GET_CHIPINFO_IOCTL, &info);
    int32_t code;

    if (result < 0) {
        return linux_error(result);
    }
    if (config->chip != NULL && !is_named(info.label, config->chip)) {
        return HAL_E_NODEV;
    }
    code = find_line(gpio, chip_fd, info.lines, config);
    return code == HAL_OK ? request_line(gpio, chip_fd, config) : code;
}

int32_t linux_gpio_open(struct linux_gpio *gpio, const struct linux_syscalls *sys,
                        const struct linux_gpio_config *config)
{
    int32_t found = HAL_E_NODEV;

    if (gpio == NULL) {
        return HAL_E_RANGE;
    }
    *gpio = (struct linux_gpio){.sys = sys, .fd = -1};
    if (sys == NULL || config == NULL || !is_valid(config)) {
        return HAL_E_RANGE;
    }
    gpio->direction = config->direction;
    /* A controller that cannot be looked at must not hide the right one behind it; why it could
     * not is told if no other has the line. */
    for (uint32_t chip = 0; chip < LINUX_GPIO_CHIPS_MAX; chip++) {
        char name[24];
        char path[LINUX_PATH_BYTES];
        int64_t opened;
        int chip_fd;
        int32_t code;

        (void)snprintf(name, sizeof name, "/gpiochip%u", (unsigned)chip);
        if (linux_join_path(path, config->dev_root, name) != HAL_OK) {
            return HAL_E_RANGE;
        }
        opened = linux_open(sys, path, O_RDWR | O_NONBLOCK);
        if (opened < 0) {
            found = opened == -ENOENT ? found : linux_error(opened);
            continue;
        }
        chip_fd = (int)opened;
        gpio->chip = chip;
        code = try_chip(gpio, chip_fd, config);
        linux_close(sys, &chip_fd);
        if (code == HAL_OK) {
            return HAL_OK;
        }
        found = code == HAL_E_NODEV ? found : code;
    }
    return found;
}

void linux_gpio_close(struct linux_gpio *gpio)
{
    if (gpio != NULL && gpio->sys != NULL) {
        linux_close(gpio->sys, &gpio->fd);
    }
}

int32_t linux_gpio_get(const struct linux_gpio *gpio)
{
    struct gpio_v2_line_values values = {.mask = 1};
    int64_t result;

    if (gpio == NULL || gpio->fd < 0) {
        return HAL_E_STATE;
    }
    result = linux_ioctl(gpio->sys, gpio->fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
    return result < 0 ? linux_error(result) : (int32_t)(values.bits & 1);
}

int32_t linux_gpio_set(const struct linux_gpio *gpio, uint32_t level)
{
    struct gpio_v2_line_values values = {.bits = level, .mask = 1};
    int64_t result;

    if (gpio == NULL || gpio->fd < 0) {
        return HAL_E_STATE;
    }
    if (level > 1) {
        return HAL_E_RANGE;
    }
    if (gpio->direction != LINUX_GPIO_OUTPUT) {
        return HAL_E_PERM;
    }
    result = linux_ioctl(gpio->sys, gpio->fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
    return result < 0 ? linux_error(result) : linux_gpio_get(gpio);
}

/* Takes the oldest queued event; its number tells whether any were lost before it. */
static int32_t take_event(struct linux_gpio *gpio, struct linux_gpio_event *event)
{
    struct gpio_v2_line_event raw;
    int64_t got = linux_read(gpio->sys, gpio->fd, &raw, sizeof raw);

    if (got == -EAGAIN) {
        return 0;
    }
    if (got != (int64_t)sizeof raw) {
        return got < 0 ? linux_error(got) : HAL_E_IO;
    }
    gpio->events_lost += (uint32_t)(raw.line_seqno - gpio->last_seqno - 1);
    gpio->last_seqno = raw.line_seqno;
    *event = (struct linux_gpio_event){
        .t_ns = raw.timestamp_ns,
        .edge = raw.id == GPIO_V2_LINE_EVENT_RISING_EDGE ? LINUX_GPIO_RISING : LINUX_GPIO_FALLING,
        .seqno = raw.line_seqno,
    };
    return 1;
}

int32_t linux_gpio_wait(struct linux_gpio *gpio, uint64_t timeout_ns,
                        struct linux_gpio_event *event)
{
    int64_t events;

    if (gpio == NULL || event == NULL) {
        return HAL_E_RANGE;
    }
    if (gpio->fd < 0) {
        return HAL_E_STATE;
    }
    events = linux_wait(gpio->sys, gpio->fd, POLLIN, timeout_ns);
    if (events < 0) {
        return linux_error(events);
    }
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        return HAL_E_NODEV; /* the controller was unbound or unplugged */
    }
    return events == 0 ? 0 : take_event(gpio, event);
}
