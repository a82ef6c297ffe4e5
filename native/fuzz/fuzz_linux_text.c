/*
 * Text of the kernel, of a vendor's tables and of our own journal: whatever it says, a parser stays
 * in it, gives what its header promises, and what it took comes back when it is written again.
 */
#include "hal.h"
#include "linux_journal_text.h"
#include "linux_nvpmodel.h"
#include "linux_pmic.h"
#include "linux_text.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static int32_t known(int32_t code)
{
    require(code <= 0 && code >= HAL_E_INHIBITED);
    return code;
}

static void numbers(const char *text)
{
    int64_t value = 0;
    uint32_t word = 0;
    int32_t permille = 0;
    int32_t mw = 0;

    if (known(linux_parse_decimal(text, &value)) == HAL_OK) {
        require(value > -1000000000000000000 && value < 1000000000000000000);
    }
    (void)known(linux_parse_hex(text, &word));
    for (uint32_t decimals = 0; decimals <= 9; decimals += 3) {
        const char *rest = linux_scan_fixed(text, decimals, &value);

        require(rest == NULL || (rest > text && rest <= text + strlen(text)));
    }
    if (known(linux_parse_pressure(text, &permille)) == HAL_OK) {
        require(permille >= 0 && permille <= 1000);
    }
    if (known(linux_pmic_estimate(text, &mw)) == HAL_OK) {
        require(mw > 0 && mw <= 1000000);
    }
}

static void names(const char *text)
{
    char name[HAL_NAME_BYTES];

    linux_copy_name(name, text);
    require(memchr(name, 0, sizeof name) != NULL);
    for (const char *at = name; *at != '\0'; at++) {
        require(*at >= 0x20 && *at < 0x7f);
    }
}

/* An entry that was taken is written and taken again as it was. */
static void entry_again(const struct linux_journal_entry *entry)
{
    char text[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry again;
    int32_t bytes = linux_journal_format(text, entry);

    if (bytes <= 0) {
        require(bytes == HAL_E_RANGE);
        return;
    }
    require(text[bytes - 1] == '\n');
    text[bytes - 1] = '\0';
    require(linux_journal_unseal(text) == HAL_OK);
    require(linux_journal_parse(text, &again) == HAL_OK);
    require(again.kind == entry->kind && again.value == entry->value);
    require(strcmp(again.path, entry->path) == 0);
    require(again.line.offset == entry->line.offset);
    require(again.line.active_low == entry->line.active_low);
}

static void journal(const char *text)
{
    char line[LINUX_JOURNAL_LINE_BYTES];
    struct linux_journal_entry entry;

    if (strlen(text) >= sizeof line) {
        return;
    }
    memcpy(line, text, strlen(text) + 1);
    (void)known(linux_journal_unseal(line));
    memcpy(line, text, strlen(text) + 1);
    require(linux_journal_is_head(line, "boot") <= 1);
    if (known(linux_journal_parse(line, &entry)) == HAL_OK) {
        entry_again(&entry);
    }
}

/* A path that is said to lie below a root never names a folder above it. */
static void paths(const char *text)
{
    int depth = 0;

    if (!linux_journal_is_below(text, "/sys")) {
        return;
    }
    for (const char *at = strchr(text + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        int up = at[1] == '.' && at[2] == '.' && (at[3] == '/' || at[3] == '\0');

        depth += up ? -1 : 1;
        require(depth >= 0);
    }
}

static void modes(const char *text)
{
    struct linux_modes modes = {0};
    const char *at = text;

    while (at != NULL) {
        char line[256];
        size_t bytes = strcspn(at, "\n");
        size_t taken = bytes < sizeof line ? bytes : sizeof line - 1;

        memcpy(line, at, taken);
        line[taken] = '\0';
        linux_modes_line(&modes, line);
        at = at[bytes] == '\n' ? at + bytes + 1 : NULL;
    }
    require(modes.count <= LINUX_MODES_MAX);
    for (uint32_t i = 0; i < modes.count; i++) {
        require(memchr(modes.mode[i].name, 0, HAL_NAME_BYTES) != NULL);
        require(linux_mode_named(&modes, modes.mode[i].name) != NULL);
    }
    int32_t index = linux_mode_of_status(&modes, text);

    require(index == HAL_E_CORRUPT || (index >= 0 && (uint32_t)index < modes.count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t bytes = size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX;
    char *text = malloc(bytes + 1); /* of its very length: reading on is a finding */

    if (text == NULL) {
        return 0;
    }
    if (bytes > 0) {
        memcpy(text, data, bytes);
    }
    text[bytes] = '\0';
    numbers(text);
    names(text);
    journal(text);
    paths(text);
    modes(text);
    free(text);
    return 0;
}
