/* Heater, payload and laser inhibit on GPIO lines; see backend_linux.h. */
#include "backend_linux_state.h"

/* What a line is while nobody asks for anything: the laser may not emit, all else is off. */
static uint32_t at_rest(int line)
{
    return line == HAL_LINUX_LASER_INHIBIT ? 1 : 0;
}

static int is_used(const struct hal_linux_gpio *wanted)
{
    return wanted->chip[0] != '\0' || wanted->line[0] != '\0';
}

static int32_t open_line(struct linux_dev *linux_dev, int line)
{
    const struct hal_linux_config *config = &linux_dev->sampler->config;
    const struct hal_linux_gpio *wanted = &config->lines[line];
    struct linux_gpio_config asked = {
        .dev_root = config->dev_root,
        .chip = wanted->chip[0] != '\0' ? wanted->chip : NULL,
        .line = wanted->line[0] != '\0' ? wanted->line : NULL,
        .offset = wanted->offset,
        .direction = LINUX_GPIO_OUTPUT,
        .active_low = wanted->active_low,
        .initial = at_rest(line),
    };

    return linux_gpio_open(&linux_dev->lines[line].gpio, &linux_dev->sampler->sys, &asked);
}

void linux_lines_open(struct linux_dev *linux_dev)
{
    const struct hal_linux_config *config = &linux_dev->sampler->config;
    struct linux_journal *journal = &linux_dev->sampler->journal;
    int32_t restored = linux_dev->sampler->levels.restored;
    int32_t code = restored < 0 ? restored : HAL_OK; /* a journal in the way is not written over */

    for (int line = 0; line < HAL_LINUX_LINES; line++) {
        linux_dev->lines[line] = (struct linux_line){.gpio = {.fd = -1}, .code = HAL_E_UNSUPPORTED};
        /* An inhibited laser is to stay so, whatever becomes of us: that is not put back. */
        if (is_used(&config->lines[line]) && line != HAL_LINUX_LASER_INHIBIT && code == HAL_OK) {
            code = linux_journal_line(journal, &config->lines[line]);
        }
    }
    code = code == HAL_OK ? linux_journal_commit(journal) : code;
    for (int line = 0; line < HAL_LINUX_LINES; line++) {
        struct linux_line *opened = &linux_dev->lines[line];

        if (is_used(&config->lines[line])) {
            opened->noted = line == HAL_LINUX_LASER_INHIBIT || code == HAL_OK;
            opened->code = opened->noted != 0 ? open_line(linux_dev, line) : code;
        }
    }
}

void linux_lines_close(struct linux_dev *linux_dev)
{
    for (int line = 0; line < HAL_LINUX_LINES; line++) {
        struct linux_line *opened = &linux_dev->lines[line];

        if (opened->gpio.fd >= 0) {
            (void)linux_gpio_set(&opened->gpio, at_rest(line));
            linux_gpio_close(&opened->gpio);
        }
    }
}

/* The payload is not switched on by a line that no guard's plan can switch it off with. */
static int is_out_of_reach(const struct linux_dev *linux_dev, int line, uint32_t on)
{
    return line == HAL_LINUX_PAYLOAD_ENABLE && on != 0 && linux_dev->lines[line].unplanned != 0;
}

int32_t linux_line_set(struct linux_dev *linux_dev, int line, uint32_t on)
{
    struct linux_line *opened = &linux_dev->lines[line];

    if (opened->code < 0 && opened->noted != 0) {
        opened->code = open_line(linux_dev, line);
        opened->unplanned = linux_dev->planned;
    }
    if (opened->code < 0) {
        return opened->code;
    }
    if (is_out_of_reach(linux_dev, line, on)) {
        return HAL_E_NODEV;
    }
    int32_t set = linux_gpio_set(&opened->gpio, on);

    if (set == HAL_E_NODEV) {
        linux_gpio_close(&opened->gpio); /* the controller is gone; perhaps it comes back */
        opened->code = set;
    }
    return set;
}

int32_t linux_line_get(const struct linux_dev *linux_dev, int line)
{
    const struct linux_line *opened = &linux_dev->lines[line];

    return opened->code < 0 ? opened->code : linux_gpio_get(&opened->gpio);
}
