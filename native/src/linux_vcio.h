/*
 * linux_vcio.h - questions to the firmware of a Raspberry Pi through /dev/vcio: the mailbox's
 * property interface, as one ioctl. Nothing is started and no file is parsed.
 *
 * Time.     The firmware answers in some 0.1 ms, a text command in some ms; the driver waits up to
 *           1 s: call from a thread of its own.
 * Source.   Linux drivers/char/broadcom/vcio.c (Raspberry Pi tree) for the ioctl, the firmware's
 *           wiki "Mailbox property interface" for the message, tag 0x00030046 (throttle word) and
 *           tag 0x00030080 (text command), which the tool vcgencmd uses likewise.
 */
#ifndef LUMENODE_LINUX_VCIO_H
#define LUMENODE_LINUX_VCIO_H

#include "linux_syscalls.h"

/* Octets of a text command and of its answer. */
#define LINUX_VCIO_TEXT_BYTES 1024

/* The throttle word: bits 0 to 3 what holds now, 16 to 19 what has been. HAL_OK. HAL_E_UNSUPPORTED:
 * a firmware that does not know the question. The rest by linux_error(). `fd` is /dev/vcio's. */
int32_t linux_vcio_throttled(const struct linux_syscalls *sys, int fd, uint32_t *word);

/*
 * The answer to a text command, NUL-terminated, into `answer` of LINUX_VCIO_TEXT_BYTES.
 * HAL_OK. HAL_E_UNSUPPORTED: the firmware answered that it does not know the command. The rest by
 * linux_error().
 */
int32_t linux_vcio_command(const struct linux_syscalls *sys, int fd, const char *command,
                           char *answer);

#endif
