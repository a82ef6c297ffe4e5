/* The line of a bench link: what is asked of a serial port, and what of a pseudo-terminal or a socket
 * that has no rate. */
#include "link_line.h"

#include "hal.h"
#include "scripted_syscalls.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/serial.h>

enum { FD = 7 };

static const char PATH[] = "/dev/ttyUSB0";
static const struct hal_link_config PORT = {.path = PATH, .fd = -1, .baud = 921600};

/* A port as a shell leaves it. */
static void give_cooked(void *argument)
{
    struct termios2 *t = argument;

    t->c_iflag = ICRNL | IXON;
    t->c_oflag = OPOST;
    t->c_lflag = ICANON | ECHO | ISIG;
    t->c_cflag = B9600 | CS7 | PARENB | CSTOPB | CRTSCTS | HUPCL;
    t->c_cc[VMIN] = 0;
    t->c_cc[VTIME] = 5;
}

static void look_raw_at_921600(void *argument)
{
    const struct termios2 *t = argument;

    CHECK(t->c_iflag == IGNBRK && t->c_oflag == 0 && t->c_lflag == 0);
    CHECK(t->c_cflag == (BOTHER | CS8 | CREAD | CLOCAL | HUPCL));
    CHECK(t->c_ispeed == 921600 && t->c_ospeed == 921600);
    CHECK(t->c_cc[VMIN] == 1 && t->c_cc[VTIME] == 0);
}

static void look_flow_control_as_it_was(void *argument)
{
    const struct termios2 *t = argument;

    CHECK(t->c_cflag == (B9600 | CS8 | CREAD | CLOCAL | CRTSCTS | HUPCL));
}

static void look_low_latency(void *argument)
{
    CHECK((((const struct serial_struct *)argument)->flags & (int)ASYNC_LOW_LATENCY) != 0);
}

static void give_low_latency(void *argument)
{
    ((struct serial_struct *)argument)->flags |= (int)ASYNC_LOW_LATENCY;
}

#define OPEN    {.call = SCRIPT_OPEN, .path = PATH, .result = FD}
#define CLOSE   {.call = SCRIPT_CLOSE, .fd = FD}
#define GET     {.call = SCRIPT_IOCTL, .fd = FD, .request = TCGETS2, .look = give_cooked}
#define SET     {.call = SCRIPT_IOCTL, .fd = FD, .request = TCSETS2, .look = look_raw_at_921600}
#define SERIAL  {.call = SCRIPT_IOCTL, .fd = FD, .request = TIOCGSERIAL}
#define HURRY   {.call = SCRIPT_IOCTL, .fd = FD, .request = TIOCSSERIAL, .look = look_low_latency}
#define HURRIED {.call = SCRIPT_IOCTL, .fd = FD, .request = TIOCGSERIAL, .look = give_low_latency}
#define EXCLUDE {.call = SCRIPT_IOCTL, .fd = FD, .request = TIOCEXCL}
#define NO_UART {.call = SCRIPT_IOCTL, .fd = FD, .request = TIOCGSERIAL, .result = -ENOTTY}

static const struct script_step SESSION[] = {OPEN,  GET,     SET,     SERIAL,
                                             HURRY, HURRIED, EXCLUDE, CLOSE};

static int32_t open_and_close(const struct linux_syscalls *sys)
{
    struct link_line line;
    int32_t code = link_line_open(&line, sys, &PORT);

    CHECK((code == HAL_OK) == (line.fd == FD));
    if (code == HAL_OK) {
        link_line_close(&line);
    }
    CHECK(line.fd == -1);
    return code;
}

static void a_serial_port_is_raw_at_its_rate_prompt_and_nobody_elses(void)
{
    struct script script = script_of(SESSION, COUNT_OF(SESSION));
    struct linux_syscalls sys = script_table(&script);
    struct link_line line;

    CHECK(link_line_open(&line, &sys, &PORT) == HAL_OK);
    CHECK(line.fd == FD && line.is_uart == 1 && line.low_latency == 1 && line.baud == 921600);
    link_line_close(&line);
    script_end(&script);
}

static void a_port_that_is_prompt_already_is_not_asked_again(void)
{
    static const struct script_step STEPS[] = {OPEN, GET, SET, HURRIED, EXCLUDE, CLOSE};
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);

    CHECK(open_and_close(&sys) == HAL_OK);
    script_end(&script);
}

static void without_a_rate_the_port_keeps_its_own_and_flow_control_is_kept(void)
{
    static const struct script_step STEPS[] = {
        GET,
        {.call = SCRIPT_IOCTL, .fd = FD, .request = TCSETS2, .look = look_flow_control_as_it_was},
        NO_UART,
    };
    struct hal_link_config config = {.fd = FD, .flow_control = 1};
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct link_line line;

    CHECK(link_line_take(&line, &sys, FD, &config) == HAL_OK);
    CHECK(line.is_uart == 0 && line.low_latency == 0); /* and not taken for this process alone */
    script_end(&script);
}

static void a_socket_has_nothing_to_configure(void)
{
    static const int ANSWERS[] = {ENOTTY, EINVAL, EOPNOTSUPP};

    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        const struct script_step steps[] = {
            {.call = SCRIPT_IOCTL, .fd = FD, .request = TCGETS2, .result = -ANSWERS[i]},
            NO_UART,
        };
        struct script script = script_of(steps, COUNT_OF(steps));
        struct linux_syscalls sys = script_table(&script);
        struct link_line line;

        CHECK(link_line_take(&line, &sys, FD, &PORT) == HAL_OK);
        script_end(&script);
    }
}

static void give_cooked_by_the_old_call(void *argument)
{
    struct termios *t = argument;

    t->c_lflag = ICANON | ECHO | ISIG;
    t->c_cflag = B9600 | CS7 | PARENB | HUPCL;
}

static void look_raw_by_the_old_call(void *argument)
{
    const struct termios *t = argument;

    CHECK(t->c_iflag == IGNBRK && t->c_lflag == 0 && t->c_cc[VMIN] == 1);
    CHECK(t->c_cflag == (B921600 | CS8 | CREAD | CLOCAL | HUPCL));
}

static int32_t take_by_the_old_calls(uint32_t baud, size_t steps_taken, int64_t get_result)
{
    const struct script_step steps[] = {
        {.call = SCRIPT_IOCTL, .fd = FD, .request = TCGETS2, .result = -ENOSYS},
        {.call = SCRIPT_IOCTL,
         .fd = FD,
         .request = TCGETS,
         .result = get_result,
         .look = give_cooked_by_the_old_call},
        {.call = SCRIPT_IOCTL, .fd = FD, .request = TCSETS, .look = look_raw_by_the_old_call},
        NO_UART,
    };
    struct hal_link_config config = {.fd = FD, .baud = baud};
    struct script script = script_of(steps, steps_taken);
    struct linux_syscalls sys = script_table(&script);
    struct link_line line;
    int32_t code = link_line_take(&line, &sys, FD, &config);

    script_end(&script);
    return code;
}

static void without_termios2_a_port_is_raw_all_the_same_at_a_rate_that_has_a_code(void)
{
    CHECK(take_by_the_old_calls(921600, 4, 0) == HAL_OK);
    CHECK(take_by_the_old_calls(921601, 2, 0) == HAL_E_RANGE); /* 2: then no more is asked */
    CHECK(take_by_the_old_calls(921600, 2, -EIO) == HAL_E_IO);
}

/* What is only wished for may fail; a port in another's hands or without the rate may not. */
static void expect_an_error_and_nothing_left_open(size_t step, int error, int32_t code)
{
    int is_socket = step == 1 && (error == ENOTTY || error == EINVAL);

    if ((step >= 3 && step <= 3) || step == 7 || is_socket) {
        CHECK(code == HAL_OK); /* no serial driver: then it is not asked for itself alone */
        return;
    }
    CHECK(code < 0);
    CHECK(step != 0 || error != EACCES || code == HAL_E_PERM);
    CHECK(step != 0 || error != EBUSY || code == HAL_E_BUSY);
    CHECK(step != 0 || error != ENOENT || code == HAL_E_NODEV);
}

static void a_port_that_fails_at_any_step_is_an_error_and_nothing_stays_open(void)
{
    script_sweep(SESSION, COUNT_OF(SESSION), open_and_close, expect_an_error_and_nothing_left_open);
}

static void nothing_yet_is_no_end_and_everything_else_is(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_READ, .fd = FD, .in = "abc", .in_bytes = 3, .result = 3},
        {.call = SCRIPT_READ, .fd = FD, .result = -EAGAIN},
        {.call = SCRIPT_READ, .fd = FD, .result = -EINTR},
        {.call = SCRIPT_READ, .fd = FD, .in = "d", .in_bytes = 1, .result = 1},
        {.call = SCRIPT_READ, .fd = FD, .result = 0},
        {.call = SCRIPT_READ, .fd = FD, .result = -EIO},
        {.call = SCRIPT_WRITE, .fd = FD, .out = "xy", .out_bytes = 2, .result = 1},
        {.call = SCRIPT_WRITE, .fd = FD, .result = -EAGAIN},
        {.call = SCRIPT_WRITE, .fd = FD, .result = -ENXIO},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    struct link_line line = {.sys = &sys, .fd = FD};
    uint8_t octets[8];

    CHECK(link_line_read(&line, octets, sizeof octets) == 3 && octets[2] == 'c');
    CHECK(link_line_read(&line, octets, sizeof octets) == 0);
    CHECK(link_line_read(&line, octets, sizeof octets) == 1 && octets[0] == 'd');
    CHECK(link_line_read(&line, octets, sizeof octets) == HAL_E_NODEV);
    CHECK(link_line_read(&line, octets, sizeof octets) == HAL_E_NODEV);
    CHECK(link_line_write(&line, (const uint8_t *)"xy", 2) == 1);
    CHECK(link_line_write(&line, (const uint8_t *)"y", 1) == 0);
    CHECK(link_line_write(&line, (const uint8_t *)"y", 1) == HAL_E_NODEV);
    script_end(&script);
}

static int unsent;

static void give_unsent(void *argument)
{
    memcpy(argument, &unsent, sizeof unsent);
}

static uint32_t allowance_with(uint32_t baud, int unsent_octets, int64_t result)
{
    const struct script_step steps[] = {
        {.call = SCRIPT_IOCTL,
         .fd = FD,
         .request = TIOCOUTQ,
         .result = result,
         .look = give_unsent},
    };
    struct script script = script_of(steps, COUNT_OF(steps));
    struct linux_syscalls sys = script_table(&script);
    struct link_line line = {.sys = &sys, .fd = FD, .baud = baud, .is_uart = 1};

    unsent = unsent_octets;
    return link_line_allowance(&line, 10000);
}

static void a_uart_is_given_ten_milliseconds_ahead_and_no_more(void)
{
    struct link_line pty = {.fd = FD, .baud = 921600};
    struct link_line rateless = {.fd = FD, .is_uart = 1};

    CHECK(allowance_with(1000000, 0, 0) == 1000);
    CHECK(allowance_with(1000000, 400, 0) == 600);
    CHECK(allowance_with(1000000, 1000, 0) == 0);
    CHECK(allowance_with(1000000, 5000, 0) == 0);
    CHECK(allowance_with(1000000, -1, 0) == 0);
    CHECK(allowance_with(9600, 0, 0) == 64); /* a FIFO must not run dry */
    CHECK(allowance_with(1000000, 0, -ENOTTY) == 10000);
    CHECK(allowance_with(HAL_LINK_BAUD_MAX, 0, 0) == 4000);
    CHECK(link_line_allowance(&pty, 10000) == 10000);
    CHECK(link_line_allowance(&rateless, 10000) == 10000);
}

static void chunks_are_as_long_as_twenty_milliseconds(void)
{
    CHECK(link_line_payload_bytes(0) == LINK_PAYLOAD_BYTES_MAX);
    CHECK(link_line_payload_bytes(HAL_LINK_BAUD_MAX) == LINK_PAYLOAD_BYTES_MAX);
    CHECK(link_line_payload_bytes(921600) == 1843);
    CHECK(link_line_payload_bytes(9600) == 128);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_serial_port_is_raw_at_its_rate_prompt_and_nobody_elses),
        PROMISE(a_port_that_is_prompt_already_is_not_asked_again),
        PROMISE(without_a_rate_the_port_keeps_its_own_and_flow_control_is_kept),
        PROMISE(a_socket_has_nothing_to_configure),
        PROMISE(without_termios2_a_port_is_raw_all_the_same_at_a_rate_that_has_a_code),
        PROMISE(a_port_that_fails_at_any_step_is_an_error_and_nothing_stays_open),
        PROMISE(nothing_yet_is_no_end_and_everything_else_is),
        PROMISE(a_uart_is_given_ten_milliseconds_ahead_and_no_more),
        PROMISE(chunks_are_as_long_as_twenty_milliseconds),
    };

    KEEP(PROMISES);
    return 0;
}
