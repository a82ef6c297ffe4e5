/* A GPIO line on a scripted kernel: found by label and name, driven, read back, waited for; and
 * what comes of it when the kernel says no. */
#include "check.h"
#include "hal.h"
#include "linux_gpio.h"
#include "scripted_syscalls.h"

#include <linux/gpio.h>

static const struct gpiochip_info OTHER = {.name = "gpiochip0", .label = "brcmvirt", .lines = 8};
static const struct gpiochip_info RP1 = {.name = "gpiochip1", .label = "pinctrl-rp1", .lines = 3};
static const struct gpio_v2_line_info FIRST = {.name = "ID_SDA", .offset = 0};
static const struct gpio_v2_line_info SECOND = {.name = "GPIO17", .offset = 1};
static const struct gpio_v2_line_values HIGH = {.bits = 1, .mask = 1};
static const struct gpio_v2_line_values LOW = {.bits = 0, .mask = 1};

static const struct linux_gpio_config LASER_INHIBIT = {
    .dev_root = "/dev",
    .chip = "pinctrl-rp1",
    .line = "GPIO17",
    .direction = LINUX_GPIO_OUTPUT,
    .active_low = 1,
    .initial = 1,
};

static void wants_an_output(void *argument)
{
    struct gpio_v2_line_request *request = argument;

    CHECK(request->num_lines == 1 && request->offsets[0] == 1);
    CHECK(strcmp(request->consumer, "lumenode") == 0);
    CHECK(request->config.flags == (GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_ACTIVE_LOW));
    CHECK(request->config.num_attrs == 1);
    CHECK(request->config.attrs[0].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
    CHECK(request->config.attrs[0].attr.values == 1 && request->config.attrs[0].mask == 1);
    request->fd = 9;
}

static void wants_an_input_with_edges(void *argument)
{
    struct gpio_v2_line_request *request = argument;

    CHECK(request->offsets[0] == 2);
    CHECK(request->config.num_attrs == 0);
    CHECK(request->config.flags ==
          (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING |
           GPIO_V2_LINE_FLAG_EDGE_FALLING | GPIO_V2_LINE_FLAG_BIAS_PULL_UP));
    request->fd = 9;
}

/* Label and name in, output on from the first moment, changed and read back, given back. */
static const struct script_step OUTPUT[] = {
    {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/gpiochip0"},
    {.call = SCRIPT_IOCTL,
     .fd = 3,
     .request = GPIO_GET_CHIPINFO_IOCTL,
     .in = &OTHER,
     .in_bytes = sizeof OTHER},
    {.call = SCRIPT_CLOSE, .fd = 3},
    {.call = SCRIPT_OPEN, .result = 4, .path = "/dev/gpiochip1"},
    {.call = SCRIPT_IOCTL,
     .fd = 4,
     .request = GPIO_GET_CHIPINFO_IOCTL,
     .in = &RP1,
     .in_bytes = sizeof RP1},
    {.call = SCRIPT_IOCTL,
     .fd = 4,
     .request = GPIO_V2_GET_LINEINFO_IOCTL,
     .in = &FIRST,
     .in_bytes = sizeof FIRST},
    {.call = SCRIPT_IOCTL,
     .fd = 4,
     .request = GPIO_V2_GET_LINEINFO_IOCTL,
     .in = &SECOND,
     .in_bytes = sizeof SECOND},
    {.call = SCRIPT_IOCTL,
     .fd = 4,
     .request = GPIO_V2_GET_LINE_IOCTL,
     .look = wants_an_output,
     .revents = 1},
    {.call = SCRIPT_CLOSE, .fd = 4},
    {.call = SCRIPT_IOCTL,
     .fd = 9,
     .request = GPIO_V2_LINE_SET_VALUES_IOCTL,
     .out = &LOW,
     .out_bytes = sizeof LOW},
    {.call = SCRIPT_IOCTL,
     .fd = 9,
     .request = GPIO_V2_LINE_GET_VALUES_IOCTL,
     .in = &LOW,
     .in_bytes = sizeof LOW},
    {.call = SCRIPT_CLOSE, .fd = 9},
};

static int32_t drive_output(const struct linux_syscalls *sys)
{
    struct linux_gpio gpio;
    int32_t code = linux_gpio_open(&gpio, sys, &LASER_INHIBIT);

    if (code == HAL_OK) {
        CHECK(gpio.chip == 1 && gpio.offset == 1);
        code = linux_gpio_set(&gpio, 0);
    } else {
        CHECK(gpio.fd == -1);
    }
    linux_gpio_close(&gpio);
    linux_gpio_close(&gpio);
    return code;
}

static void an_output_is_found_by_names_set_and_read_back(void)
{
    struct script script = script_of(OUTPUT, COUNT_OF(OUTPUT));
    struct linux_syscalls sys = script_table(&script);

    CHECK(drive_output(&sys) == 0);
    script_end(&script);
}

/* From the first step on the device fails alike; an absent node is no error but no answer. A close
 * that is the last call of its device is followed by the same failure of the next one. */
static void failure_is_told(size_t step, int error, int32_t code)
{
    if (step == COUNT_OF(OUTPUT) - 1) {
        CHECK(code == 0);
        return;
    }
    CHECK(code == linux_error(-error));
}

static void every_failure_of_an_output_is_told_and_leaves_nothing_open(void)
{
    script_sweep(OUTPUT, COUNT_OF(OUTPUT), drive_output, failure_is_told);
}

static void a_short_circuit_shows_in_what_is_read_back(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_IOCTL, .request = GPIO_V2_LINE_SET_VALUES_IOCTL},
        {.call = SCRIPT_IOCTL,
         .request = GPIO_V2_LINE_GET_VALUES_IOCTL,
         .in = &HIGH,
         .in_bytes = sizeof HIGH},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_gpio gpio = {.sys = &sys, .fd = 9, .direction = LINUX_GPIO_OUTPUT};

    CHECK(linux_gpio_set(&gpio, 0) == 1);
    script_end(&script);
}

static void a_controller_that_cannot_be_looked_at_hides_no_other(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = -EACCES, .path = "/d/gpiochip0"},
        {.call = SCRIPT_OPEN, .result = 3, .path = "/d/gpiochip1"},
        {.call = SCRIPT_IOCTL, .result = -EIO, .request = GPIO_GET_CHIPINFO_IOCTL},
        {.call = SCRIPT_CLOSE, .fd = 3},
        {.call = SCRIPT_OPEN, .result = 4, .path = "/d/gpiochip2"},
        {.call = SCRIPT_IOCTL,
         .request = GPIO_GET_CHIPINFO_IOCTL,
         .in = &RP1,
         .in_bytes = sizeof RP1},
        {.call = SCRIPT_IOCTL,
         .request = GPIO_V2_GET_LINE_IOCTL,
         .look = wants_an_input_with_edges,
         .revents = 1},
        {.call = SCRIPT_CLOSE, .fd = 4},
        {.call = SCRIPT_CLOSE, .fd = 9},
    };
    const struct linux_gpio_config config = {
        .dev_root = "/d",
        .chip = "pinctrl-rp1",
        .offset = 2,
        .bias = LINUX_GPIO_BIAS_PULL_UP,
        .edges = LINUX_GPIO_RISING | LINUX_GPIO_FALLING,
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_gpio gpio;

    CHECK(linux_gpio_open(&gpio, &sys, &config) == HAL_OK);
    CHECK(gpio.chip == 2 && gpio.offset == 2);
    linux_gpio_close(&gpio);
    script_end(&script);
}

/* A kernel with one controller, at `number`, whose lines are RP1's two named ones; all others are
 * absent, or all are forbidden. */
struct board {
    int forbidden;
    struct gpiochip_info chip;
};

static int64_t board_open(void *context, const char *path, int flags, uint32_t mode)
{
    const struct board *board = context;

    (void)flags;
    (void)mode;
    if (board->forbidden) {
        return -EACCES;
    }
    return strcmp(path, "/dev/gpiochip31") == 0 ? 5 : -ENOENT;
}

static int64_t board_close(void *context, int fd)
{
    (void)context;
    CHECK(fd == 5);
    return 0;
}

static int64_t board_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    const struct board *board = context;

    CHECK(fd == 5);
    if (request == GPIO_GET_CHIPINFO_IOCTL) {
        memcpy(argument, &board->chip, sizeof board->chip);
        return 0;
    }
    if (request == GPIO_V2_GET_LINEINFO_IOCTL) {
        struct gpio_v2_line_info *info = argument;

        memcpy(info->name, info->offset == 0 ? FIRST.name : SECOND.name, sizeof info->name);
        return 0;
    }
    CHECK(request == GPIO_V2_GET_LINE_IOCTL);
    return -EBUSY;
}

static int32_t open_on(struct board board, const char *chip, const char *line, uint32_t offset)
{
    const struct linux_syscalls sys = {
        .context = &board, .open = board_open, .close = board_close, .ioctl = board_ioctl};
    const struct linux_gpio_config config = {
        .dev_root = "/dev", .chip = chip, .line = line, .offset = offset};
    struct linux_gpio gpio;

    return linux_gpio_open(&gpio, &sys, &config);
}

static void what_is_not_there_is_told_apart_from_what_is_taken_or_forbidden(void)
{
    struct board board = {.chip = RP1};

    CHECK(open_on(board, NULL, "GPIO17", 0) == HAL_E_BUSY);
    CHECK(open_on(board, "pinctrl-rp1", NULL, 2) == HAL_E_BUSY);
    CHECK(open_on(board, "pinctrl-rp1", NULL, 3) == HAL_E_RANGE);
    CHECK(open_on(board, "pinctrl-rp1", "GPIO99", 0) == HAL_E_NODEV);
    CHECK(open_on(board, "pinctrl-rp", "GPIO17", 0) == HAL_E_NODEV);
    CHECK(open_on(board, "pinctrl-bcm2711", "GPIO17", 0) == HAL_E_NODEV);
    CHECK(open_on(board, "a label longer than any controller has", "GPIO17", 0) == HAL_E_NODEV);
    board.chip.lines = LINUX_GPIO_LINES_MAX + 1; /* a search without an end */
    CHECK(open_on(board, NULL, "GPIO17", 0) == HAL_E_CORRUPT);
    board.forbidden = 1;
    CHECK(open_on(board, NULL, "GPIO17", 0) == HAL_E_PERM);
}

static struct gpio_v2_line_event edge_of(uint32_t seqno, uint32_t id)
{
    return (struct gpio_v2_line_event){
        .timestamp_ns = 5000 + seqno, .id = id, .offset = 2, .line_seqno = seqno};
}

static void edges_come_in_order_and_a_gap_is_counted(void)
{
    const struct gpio_v2_line_event up = edge_of(1, GPIO_V2_LINE_EVENT_RISING_EDGE);
    const struct gpio_v2_line_event down = edge_of(5, GPIO_V2_LINE_EVENT_FALLING_EDGE);
    const struct script_step steps[] = {
        {.call = SCRIPT_POLL, .result = 0, .fd = 9, .number = 20, .by_number = 1},
        {.call = SCRIPT_POLL, .result = 1, .fd = 9, .revents = POLLIN},
        {.call = SCRIPT_READ, .result = sizeof up, .fd = 9, .in = &up, .in_bytes = sizeof up},
        {.call = SCRIPT_POLL, .result = 1, .fd = 9, .revents = POLLIN},
        {.call = SCRIPT_READ, .result = sizeof up, .fd = 9, .in = &down, .in_bytes = sizeof up},
        {.call = SCRIPT_POLL, .result = 1, .fd = 9, .revents = POLLIN},
        {.call = SCRIPT_READ, .result = -EAGAIN, .fd = 9},
    };
    struct script script = script_of(steps, COUNT_OF(steps));
    struct linux_syscalls sys = script_table(&script);
    struct linux_gpio gpio = {.sys = &sys, .fd = 9};
    struct linux_gpio_event event;

    CHECK(linux_gpio_wait(&gpio, 20000000, &event) == 0);
    CHECK(linux_gpio_wait(&gpio, 20000000, &event) == 1);
    CHECK(event.t_ns == 5001 && event.edge == LINUX_GPIO_RISING && event.seqno == 1);
    CHECK(gpio.events_lost == 0);
    CHECK(linux_gpio_wait(&gpio, 20000000, &event) == 1);
    CHECK(event.edge == LINUX_GPIO_FALLING && gpio.events_lost == 3);
    CHECK(linux_gpio_wait(&gpio, 0, &event) == 0);
    script_end(&script);
}

static void a_controller_that_goes_away_ends_a_wait(void)
{
    static const struct gpio_v2_line_event HALF = {.timestamp_ns = 1};
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_POLL, .result = 1, .revents = POLLIN | POLLERR},
        {.call = SCRIPT_POLL, .result = 1, .revents = POLLHUP},
        {.call = SCRIPT_POLL, .result = 1, .revents = POLLIN},
        {.call = SCRIPT_READ, .result = -ENODEV},
        {.call = SCRIPT_POLL, .result = 1, .revents = POLLIN},
        {.call = SCRIPT_READ, .result = 8, .in = &HALF, .in_bytes = 8},
        {.call = SCRIPT_POLL, .result = -EINVAL},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct linux_gpio gpio = {.sys = &sys, .fd = 9};
    struct linux_gpio_event event;

    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_NODEV);
    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_NODEV);
    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_NODEV);
    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_IO);
    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_RANGE);
    script_end(&script);
}

static void a_mistake_of_the_caller_reaches_no_kernel(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);
    struct linux_gpio gpio;
    struct linux_gpio_event event;
    char root[LINUX_PATH_BYTES + 1];
    struct linux_gpio_config bad[8];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = LASER_INHIBIT;
    }
    memset(root, 'r', sizeof root - 1);
    root[sizeof root - 1] = '\0';
    bad[0].dev_root = NULL;
    bad[1].chip = bad[1].line = NULL;
    bad[2].direction = 2;
    bad[3].bias = 4;
    bad[4].edges = LINUX_GPIO_RISING;
    bad[5].active_low = 2;
    bad[6].initial = 2;
    bad[7].dev_root = root;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_gpio_open(&gpio, &sys, &bad[i]) == HAL_E_RANGE);
        CHECK(gpio.fd == -1);
    }
    CHECK(linux_gpio_open(NULL, &sys, &LASER_INHIBIT) == HAL_E_RANGE);
    CHECK(linux_gpio_open(&gpio, NULL, &LASER_INHIBIT) == HAL_E_RANGE);
    CHECK(linux_gpio_open(&gpio, &sys, NULL) == HAL_E_RANGE);
    linux_gpio_close(NULL);
    CHECK(linux_gpio_get(&gpio) == HAL_E_STATE && linux_gpio_get(NULL) == HAL_E_STATE);
    CHECK(linux_gpio_set(&gpio, 1) == HAL_E_STATE && linux_gpio_set(NULL, 1) == HAL_E_STATE);
    CHECK(linux_gpio_wait(&gpio, 1, &event) == HAL_E_STATE);
    CHECK(linux_gpio_wait(&gpio, 1, NULL) == HAL_E_RANGE);
    CHECK(linux_gpio_wait(NULL, 1, &event) == HAL_E_RANGE);
    gpio = (struct linux_gpio){.sys = &sys, .fd = 9, .direction = LINUX_GPIO_INPUT};
    CHECK(linux_gpio_set(&gpio, 1) == HAL_E_PERM);
    CHECK(linux_gpio_set(&gpio, 2) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(an_output_is_found_by_names_set_and_read_back),
        PROMISE(every_failure_of_an_output_is_told_and_leaves_nothing_open),
        PROMISE(a_short_circuit_shows_in_what_is_read_back),
        PROMISE(a_controller_that_cannot_be_looked_at_hides_no_other),
        PROMISE(what_is_not_there_is_told_apart_from_what_is_taken_or_forbidden),
        PROMISE(edges_come_in_order_and_a_gap_is_counted),
        PROMISE(a_controller_that_goes_away_ends_a_wait),
        PROMISE(a_mistake_of_the_caller_reaches_no_kernel),
    };

    KEEP(PROMISES);
    return 0;
}
