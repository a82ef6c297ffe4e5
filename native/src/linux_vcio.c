/* Questions to a Raspberry Pi's firmware; see linux_vcio.h. */
#include "linux_vcio.h"

#include "hal.h"

#include <string.h>
#include <sys/ioctl.h>

/* The kernel's header of it is not installed: magic 100, number 0, a pointer's size. */
#define MAILBOX_PROPERTY _IOWR(100, 0, char *)

#define TAG_THROTTLED 0x00030046u
#define TAG_COMMAND   0x00030080u
#define ANSWERED      0x80000000u /* the message's status; also or-ed to the length of a tag */

/* Words of a message with one tag: octets of the whole, status, tag, octets of its values, octets
 * of the answer; then the values, then an end tag of zero. */
enum word { SIZE, STATUS, TAG, ROOM, LENGTH, VALUES };

static int32_t ask(const struct linux_syscalls *sys, int fd, uint32_t *message)
{
    int64_t done = linux_ioctl(sys, fd, MAILBOX_PROPERTY, message);

    if (done < 0) {
        return linux_error(done);
    }
    return message[STATUS] == ANSWERED ? HAL_OK : HAL_E_UNSUPPORTED;
}

int32_t linux_vcio_throttled(const struct linux_syscalls *sys, int fd, uint32_t *word)
{
    /* The firmware wants 16 octets of alignment. The value asks it to clear none of the bits. */
    _Alignas(16) uint32_t message[VALUES + 2] = {
        [SIZE] = sizeof message, [TAG] = TAG_THROTTLED, [ROOM] = sizeof message[0]};
    int32_t answered = ask(sys, fd, message);

    if (answered < 0) {
        return answered;
    }
    if ((message[LENGTH] & ANSWERED) == 0) {
        return HAL_E_UNSUPPORTED; /* a firmware that passed over the tag */
    }
    *word = message[VALUES];
    return HAL_OK;
}

int32_t linux_vcio_command(const struct linux_syscalls *sys, int fd, const char *command,
                           char *answer)
{
    /* In front of the text there is a word for an error. */
    _Alignas(16) uint32_t message[VALUES + 2 + LINUX_VCIO_TEXT_BYTES / 4] = {
        [SIZE] = sizeof message, [TAG] = TAG_COMMAND, [ROOM] = LINUX_VCIO_TEXT_BYTES};
    size_t command_bytes = strlen(command);

    if (command_bytes >= LINUX_VCIO_TEXT_BYTES) {
        return HAL_E_RANGE;
    }
    memcpy(message + VALUES + 1, command, command_bytes + 1);
    int32_t answered = ask(sys, fd, message);

    if (answered < 0) {
        return answered;
    }
    memcpy(answer, message + VALUES + 1, LINUX_VCIO_TEXT_BYTES);
    answer[LINUX_VCIO_TEXT_BYTES - 1] = '\0';
    return message[VALUES] != 0 || strncmp(answer, "error=", 6) == 0 ? HAL_E_UNSUPPORTED : HAL_OK;
}
