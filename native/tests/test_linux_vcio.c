/* Messages to a Raspberry Pi's firmware, octet by octet, and a firmware that does not know. */
#include "check.h"
#include "hal.h"
#include "linux_vcio.h"

#include <errno.h>
#include <string.h>

/* A firmware: what it was asked, and what it answers. */
struct firmware {
    uint32_t asked[300];
    uint32_t word;
    const char *text;
    int error;
    uint32_t status;
    uint32_t tag_answered;
    uint32_t command_error;
};

static int64_t firmware_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    struct firmware *firmware = context;
    uint32_t *message = argument;

    CHECK(fd == 5);
    CHECK((request & 0xFFFF) == 0x6400); /* magic 100, number 0 */
    CHECK((uintptr_t)argument % 16 == 0);
    CHECK(message[0] <= sizeof firmware->asked);
    memcpy(firmware->asked, message, message[0]);
    if (firmware->error != 0) {
        return -firmware->error;
    }
    message[1] = firmware->status;
    message[4] = firmware->tag_answered | 4;
    message[5] = message[2] == 0x00030046 ? firmware->word : firmware->command_error;
    if (firmware->text != NULL) {
        strcpy((char *)(message + 6), firmware->text);
    }
    return 0;
}

static struct firmware good(void)
{
    return (struct firmware){.status = 0x80000000, .tag_answered = 0x80000000};
}

static struct linux_syscalls table(struct firmware *firmware)
{
    return (struct linux_syscalls){.context = firmware, .ioctl = firmware_ioctl};
}

static void the_throttle_word_is_asked_for_without_clearing_it(void)
{
    struct firmware firmware = good();
    struct linux_syscalls sys = table(&firmware);
    uint32_t word = 0;

    firmware.word = 0x50005;
    CHECK(linux_vcio_throttled(&sys, 5, &word) == HAL_OK && word == 0x50005);
    CHECK(firmware.asked[0] == 28 && firmware.asked[1] == 0 && firmware.asked[2] == 0x00030046);
    CHECK(firmware.asked[3] == 4 && firmware.asked[5] == 0 && firmware.asked[6] == 0);
}

static void a_firmware_that_passes_over_the_question_tells_no_word(void)
{
    struct firmware firmware = good();
    struct linux_syscalls sys = table(&firmware);
    uint32_t word = 7;

    firmware.tag_answered = 0;
    CHECK(linux_vcio_throttled(&sys, 5, &word) == HAL_E_UNSUPPORTED);
    firmware = good();
    firmware.status = 0x80000001;
    CHECK(linux_vcio_throttled(&sys, 5, &word) == HAL_E_UNSUPPORTED);
    firmware.error = ETIMEDOUT;
    CHECK(linux_vcio_throttled(&sys, 5, &word) == HAL_E_TIMEOUT);
    CHECK(word == 7);
}

static void a_text_command_brings_its_answer(void)
{
    struct firmware firmware = good();
    struct linux_syscalls sys = table(&firmware);
    char answer[LINUX_VCIO_TEXT_BYTES];

    firmware.text = "VDD_CORE_V=0.9V\n";
    CHECK(linux_vcio_command(&sys, 5, "pmic_read_adc", answer) == HAL_OK);
    CHECK(strcmp(answer, "VDD_CORE_V=0.9V\n") == 0);
    CHECK(firmware.asked[0] == 4 * 7 + LINUX_VCIO_TEXT_BYTES);
    CHECK(firmware.asked[2] == 0x00030080 && firmware.asked[3] == LINUX_VCIO_TEXT_BYTES);
    CHECK(strcmp((const char *)(firmware.asked + 6), "pmic_read_adc") == 0);
}

static void an_unknown_command_is_not_supported(void)
{
    struct firmware firmware = good();
    struct linux_syscalls sys = table(&firmware);
    char answer[LINUX_VCIO_TEXT_BYTES] = "old";
    char command[LINUX_VCIO_TEXT_BYTES + 1];

    firmware.text = "error=1 error_msg=\"Command not registered\"";
    CHECK(linux_vcio_command(&sys, 5, "pmic_read_adc", answer) == HAL_E_UNSUPPORTED);
    firmware.text = "";
    firmware.command_error = 2;
    CHECK(linux_vcio_command(&sys, 5, "pmic_read_adc", answer) == HAL_E_UNSUPPORTED);
    firmware.error = EACCES;
    CHECK(linux_vcio_command(&sys, 5, "pmic_read_adc", answer) == HAL_E_PERM);
    memset(command, 'c', sizeof command - 1);
    command[sizeof command - 1] = '\0';
    CHECK(linux_vcio_command(&sys, 5, command, answer) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_throttle_word_is_asked_for_without_clearing_it),
        PROMISE(a_firmware_that_passes_over_the_question_tells_no_word),
        PROMISE(a_text_command_brings_its_answer),
        PROMISE(an_unknown_command_is_not_supported),
    };

    KEEP(PROMISES);
    return 0;
}
