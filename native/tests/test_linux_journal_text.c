/* One line of the journal: made, taken apart, damaged. */
#include "check.h"
#include "linux_journal_text.h"

#include <string.h>

static struct linux_journal_entry file_entry(void)
{
    return (struct linux_journal_entry){
        .kind = LINUX_JOURNAL_FILE, .value = -5, .path = "/sys/a/scaling_max_freq"};
}

static void cut_line_feed(char *text)
{
    CHECK(text[strlen(text) - 1] == '\n');
    text[strlen(text) - 1] = '\0';
}

static void a_setting_comes_back_as_it_was_written(void)
{
    char text[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry entry = file_entry();
    struct linux_journal_entry back;

    CHECK(linux_journal_format(text, &entry) == (int32_t)strlen(text));
    CHECK(strncmp(text, "file /sys/a/scaling_max_freq -5 ", 32) == 0);
    cut_line_feed(text);
    CHECK(linux_journal_unseal(text) == HAL_OK);
    CHECK(linux_journal_parse(text, &back) == HAL_OK);
    CHECK(back.kind == LINUX_JOURNAL_FILE && back.value == -5);
    CHECK(strcmp(back.path, entry.path) == 0);
}

static void a_line_comes_back_as_it_was_written(void)
{
    char text[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry entry = {.kind = LINUX_JOURNAL_LINE,
                                        .line = {.chip = "pinctrl-rp1", .offset = 17}};
    struct linux_journal_entry back;

    CHECK(linux_journal_format(text, &entry) > 0);
    cut_line_feed(text);
    CHECK(linux_journal_unseal(text) == HAL_OK);
    CHECK(strcmp(text, "line pinctrl-rp1 - 17 0") == 0);
    CHECK(linux_journal_parse(text, &back) == HAL_OK);
    CHECK(back.kind == LINUX_JOURNAL_LINE && strcmp(back.line.chip, "pinctrl-rp1") == 0);
    CHECK(back.line.line[0] == '\0' && back.line.offset == 17 && back.line.active_low == 0);
}

static void every_changed_character_is_noticed(void)
{
    char text[LINUX_JOURNAL_LINE_BYTES];
    char damaged[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry entry = file_entry();

    CHECK(linux_journal_format(text, &entry) > 0);
    cut_line_feed(text);
    for (size_t i = 0; i < strlen(text); i++) {
        strcpy(damaged, text);
        damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
        CHECK(linux_journal_unseal(damaged) == HAL_E_CORRUPT);
        strcpy(damaged, text);
        damaged[i] = '\0'; /* cut off in the middle */
        CHECK(linux_journal_unseal(damaged) == HAL_E_CORRUPT);
    }
    CHECK(linux_journal_unseal(text) == HAL_OK);
}

static void the_head_names_the_start_of_the_kernel(void)
{
    char text[LINUX_JOURNAL_LINE_BYTES];

    CHECK(linux_journal_head(text, "6f0c-11") > 0);
    cut_line_feed(text);
    CHECK(linux_journal_unseal(text) == HAL_OK);
    CHECK(linux_journal_is_head(text, "6f0c-11") == 1);
    CHECK(linux_journal_is_head(text, "6f0c-12") == 0);
    CHECK(linux_journal_is_head("file /sys/x 5", "6f0c-11") == HAL_E_CORRUPT);
}

static void what_is_no_setting_is_refused(void)
{
    static const char *const WRONG[] = {
        "",
        "file",
        "file /sys/x",
        "file /sys/x y",
        "file /sys/x 5 6",
        "line a b 1",
        "line a b x 0",
        "line a b 1 -1",
        "line a b 99999999999 0",
        "word a b 1",
        "line a b 1 0 1",
        "line a b 1 0 1 2 3",
    };
    char text[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry entry;

    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        strcpy(text, WRONG[i]);
        CHECK(linux_journal_parse(text, &entry) == HAL_E_CORRUPT);
    }
    entry = file_entry();
    strcpy(entry.path, "/sys/with blank/x");
    CHECK(linux_journal_format(text, &entry) == HAL_E_RANGE);
    entry = (struct linux_journal_entry){.kind = LINUX_JOURNAL_LINE, .line = {.chip = "a b"}};
    CHECK(linux_journal_format(text, &entry) == HAL_E_RANGE);
    memset(text, 'x', sizeof text);
    text[sizeof text - 5] = '\0';
    CHECK(linux_journal_seal(text) == HAL_E_RANGE);
}

static void only_what_lies_below_the_root_is_below_it(void)
{
    CHECK(linux_journal_is_below("/sys/a/b", "/sys"));
    CHECK(!linux_journal_is_below("/sysx/a", "/sys"));
    CHECK(!linux_journal_is_below("/etc/shadow", "/sys"));
    CHECK(!linux_journal_is_below("/sys/../etc/shadow", "/sys"));
    CHECK(!linux_journal_is_below("/sys//etc", "/sys"));
    CHECK(!linux_journal_is_below("/sys/a/..", "/sys"));
    CHECK(!linux_journal_is_below("/sys", "/sys"));
    CHECK(!linux_journal_is_below("/sys/a", ""));
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_setting_comes_back_as_it_was_written),
        PROMISE(a_line_comes_back_as_it_was_written),
        PROMISE(every_changed_character_is_noticed),
        PROMISE(the_head_names_the_start_of_the_kernel),
        PROMISE(what_is_no_setting_is_refused),
        PROMISE(only_what_lies_below_the_root_is_below_it),
    };

    KEEP(PROMISES);
    return 0;
}
