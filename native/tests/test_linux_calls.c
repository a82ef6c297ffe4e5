/* Restart after a signal, errors, waits, paths and short files, on a scripted kernel. */
#include "check.h"
#include "hal.h"
#include "linux_syscalls.h"
#include "scripted_syscalls.h"

#include <fcntl.h>

static void every_errno_has_its_code_and_success_has_none(void)
{
    CHECK(linux_error(0) == HAL_OK);
    CHECK(linux_error(17) == HAL_OK);
    CHECK(linux_error(-ENODEV) == HAL_E_NODEV);
    CHECK(linux_error(-ENXIO) == HAL_E_NODEV);
    CHECK(linux_error(-EACCES) == HAL_E_PERM);
    CHECK(linux_error(-EBUSY) == HAL_E_BUSY);
    CHECK(linux_error(-ETIMEDOUT) == HAL_E_TIMEOUT);
    CHECK(linux_error(-EINVAL) == HAL_E_RANGE);
    CHECK(linux_error(-ENOTTY) == HAL_E_UNSUPPORTED);
    CHECK(linux_error(-EBADF) == HAL_E_STATE);
    CHECK(linux_error(-EBADMSG) == HAL_E_CORRUPT);
    for (int error = 1; error < 134; error++) {
        CHECK(linux_error(-error) <= HAL_E_NODEV && linux_error(-error) >= HAL_E_CORRUPT);
    }
    CHECK(linux_error(-EREMOTEIO) == HAL_E_IO);
    CHECK(linux_error(-9999) == HAL_E_IO);
}

static void a_call_that_a_signal_interrupts_is_made_again(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = -EINTR},
        {.call = SCRIPT_OPEN, .result = 3, .path = "/dev/x"},
        {.call = SCRIPT_READ, .result = -EINTR, .fd = 3},
        {.call = SCRIPT_READ, .result = 2, .fd = 3, .in = "ab", .in_bytes = 2},
        {.call = SCRIPT_WRITE, .result = -EINTR, .fd = 3},
        {.call = SCRIPT_WRITE, .result = 1, .fd = 3, .out = "V", .out_bytes = 1},
        {.call = SCRIPT_IOCTL, .result = -EINTR, .request = 7},
        {.call = SCRIPT_IOCTL, .result = 5, .request = 7, .number = 9, .by_number = 1},
        {.call = SCRIPT_CLOSE, .result = -EINTR, .fd = 3},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    char text[4] = "";
    int fd = 3;

    CHECK(linux_open(&sys, "/dev/x", O_RDWR) == 3);
    CHECK(linux_read(&sys, 3, text, sizeof text) == 2 && text[1] == 'b');
    CHECK(linux_write(&sys, 3, "V", 1) == 1);
    CHECK(linux_ioctl(&sys, 3, 7, (void *)9) == 5);
    linux_close(&sys, &fd); /* once, although a signal came */
    CHECK(fd == -1);
    linux_close(&sys, &fd);
    script_end(&script);
}

static void a_call_that_is_interrupted_for_ever_is_given_up(void)
{
    struct script script = script_of(NULL, 0);
    struct linux_syscalls sys = script_table(&script);

    script.fail_from = 0;
    script.fail_with = EINTR;
    CHECK(linux_open(&sys, "/dev/x", O_RDWR) == -EINTR);
    CHECK(linux_read(&sys, 3, NULL, 0) == -EINTR);
    CHECK(linux_write(&sys, 3, "", 0) == -EINTR);
    CHECK(linux_ioctl(&sys, 3, 7, NULL) == -EINTR);
    CHECK(linux_wait(&sys, 3, POLLIN, 1000) == -EINTR);
}

static void a_wait_keeps_its_end_when_signals_come(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_POLL,
         .result = -EINTR,
         .fd = 3,
         .number = 10,
         .by_number = 1,
         .takes_ns = 3500000},
        {.call = SCRIPT_POLL,
         .result = -EINTR,
         .fd = 3,
         .number = 7,
         .by_number = 1,
         .takes_ns = 90000000},
        {.call = SCRIPT_POLL, .result = 0, .fd = 3, .number = 0, .by_number = 1},
        {.call = SCRIPT_POLL,
         .result = 1,
         .number = 1,
         .by_number = 1,
         .revents = POLLIN | POLLERR},
        {.call = SCRIPT_POLL, .result = 0, .number = 0, .by_number = 1},
        {.call = SCRIPT_POLL, .result = 0, .number = 2147483647, .by_number = 1},
        {.call = SCRIPT_POLL, .result = -ENOMEM},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);

    CHECK(linux_wait(&sys, 3, POLLIN, 10000000) == 0);
    CHECK(linux_wait(&sys, 3, POLLIN, 1) == (POLLIN | POLLERR));
    CHECK(linux_wait(&sys, 3, POLLIN, 0) == 0);
    CHECK(linux_wait(&sys, 3, POLLIN, UINT64_MAX) == 0);
    CHECK(linux_wait(&sys, 3, POLLIN, 1) == -ENOMEM);
    script_end(&script);
}

static void a_path_fits_or_is_refused(void)
{
    char path[LINUX_PATH_BYTES];
    char rest[LINUX_PATH_BYTES];

    memset(rest, 'x', sizeof rest);
    rest[LINUX_PATH_BYTES - 5] = '\0';
    CHECK(linux_join_path(path, "/sys", "/class") == HAL_OK && strcmp(path, "/sys/class") == 0);
    CHECK(linux_join_path(path, "/dev", rest) == HAL_OK);
    CHECK(strlen(path) == LINUX_PATH_BYTES - 1);
    CHECK(linux_join_path(path, "/sysx", rest) == HAL_E_RANGE);
}

static void a_short_file_comes_as_text_whatever_the_pieces(void)
{
    static const struct script_step STEPS[] = {
        {.call = SCRIPT_OPEN, .result = 4, .path = "/sys/a"},
        {.call = SCRIPT_READ, .result = 2, .fd = 4, .in = "40", .in_bytes = 2},
        {.call = SCRIPT_READ, .result = 4, .fd = 4, .in = "96 \n", .in_bytes = 4},
        {.call = SCRIPT_READ, .result = 0, .fd = 4},
        {.call = SCRIPT_CLOSE, .fd = 4},
        {.call = SCRIPT_OPEN, .result = -EACCES},
        {.call = SCRIPT_OPEN, .result = 4},
        {.call = SCRIPT_READ, .result = -ENODATA, .fd = 4},
        {.call = SCRIPT_CLOSE, .fd = 4},
        {.call = SCRIPT_OPEN, .result = 4},
        {.call = SCRIPT_READ, .result = 8, .fd = 4, .in = "12345678", .in_bytes = 8},
        {.call = SCRIPT_CLOSE, .fd = 4},
        {.call = SCRIPT_OPEN, .result = 4},
        {.call = SCRIPT_READ, .result = 3, .fd = 4, .in = "\t\r", .in_bytes = 3},
        {.call = SCRIPT_READ, .result = 0, .fd = 4},
        {.call = SCRIPT_CLOSE, .fd = 4},
    };
    struct script script = script_of(STEPS, COUNT_OF(STEPS));
    struct linux_syscalls sys = script_table(&script);
    char text[8];

    CHECK(linux_read_text(&sys, "/sys/a", text, sizeof text) == 4 && strcmp(text, "4096") == 0);
    CHECK(linux_read_text(&sys, "/sys/a", text, sizeof text) == HAL_E_PERM);
    CHECK(linux_read_text(&sys, "/sys/a", text, sizeof text) == HAL_E_IO);
    CHECK(linux_read_text(&sys, "/sys/a", text, sizeof text) == HAL_E_RANGE);
    CHECK(linux_read_text(&sys, "/sys/a", text, sizeof text) == 0 && text[0] == '\0');
    script_end(&script);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(every_errno_has_its_code_and_success_has_none),
        PROMISE(a_call_that_a_signal_interrupts_is_made_again),
        PROMISE(a_call_that_is_interrupted_for_ever_is_given_up),
        PROMISE(a_wait_keeps_its_end_when_signals_come),
        PROMISE(a_path_fits_or_is_refused),
        PROMISE(a_short_file_comes_as_text_whatever_the_pieces),
    };

    (void)script_sweep;
    KEEP(PROMISES);
    return 0;
}
