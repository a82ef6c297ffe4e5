/* One line of the journal; see linux_journal_text.h. */
#include "linux_journal_text.h"

#include "framer.h"
#include "linux_text.h"

#include <stdio.h>
#include <string.h>

#define CHECK_BYTES 8 /* hexadecimal digits */
#define WORDS_MAX   6
#define EMPTY       "-"

static uint32_t check_of(const char *text, size_t bytes)
{
    return framer_crc32c(0, (const uint8_t *)text, bytes);
}

int32_t linux_journal_seal(char *text)
{
    size_t bytes = strlen(text);
    char check[CHECK_BYTES + 3];

    if (bytes + sizeof check > LINUX_JOURNAL_LINE_BYTES) {
        return HAL_E_RANGE;
    }
    (void)snprintf(check, sizeof check, " %08x\n", (unsigned)check_of(text, bytes));
    memcpy(text + bytes, check, sizeof check);
    return (int32_t)(bytes + sizeof check - 1);
}

int32_t linux_journal_unseal(char *text)
{
    size_t bytes = strlen(text);
    uint32_t check = 0;

    if (bytes <= CHECK_BYTES + 1 || text[bytes - CHECK_BYTES - 1] != ' ' ||
        linux_parse_hex(text + bytes - CHECK_BYTES, &check) < 0) {
        return HAL_E_CORRUPT;
    }
    bytes -= CHECK_BYTES + 1;
    if (check != check_of(text, bytes)) {
        return HAL_E_CORRUPT;
    }
    text[bytes] = '\0';
    return HAL_OK;
}

int32_t linux_journal_head(char *text, const char *boot_id)
{
    (void)snprintf(text, LINUX_JOURNAL_LINE_BYTES, "lumenode-journal 1 %.63s", boot_id);
    return linux_journal_seal(text);
}

int32_t linux_journal_is_head(const char *text, const char *boot_id)
{
    static const char START[] = "lumenode-journal 1 ";

    if (strncmp(text, START, sizeof START - 1) != 0) {
        return HAL_E_CORRUPT;
    }
    return strcmp(text + sizeof START - 1, boot_id) == 0;
}

static const char *or_empty(const char *name)
{
    return name[0] == '\0' ? EMPTY : name;
}

int32_t linux_journal_format(char *text, const struct linux_journal_entry *entry)
{
    const struct hal_linux_gpio *line = &entry->line;
    int length;

    if (strchr(entry->path, ' ') != NULL || strchr(line->chip, ' ') != NULL ||
        strchr(line->line, ' ') != NULL) {
        return HAL_E_RANGE;
    }
    if (entry->kind == LINUX_JOURNAL_FILE) {
        length = snprintf(text, LINUX_JOURNAL_LINE_BYTES, "file %s %lld", entry->path,
                          (long long)entry->value);
    } else {
        length = snprintf(text, LINUX_JOURNAL_LINE_BYTES, "line %s %s %u %u", or_empty(line->chip),
                          or_empty(line->line), (unsigned)line->offset, (unsigned)line->active_low);
    }
    return length < 0 || length >= LINUX_JOURNAL_LINE_BYTES ? HAL_E_RANGE
                                                            : linux_journal_seal(text);
}

/* Splits at single blanks, in place. */
static uint32_t split(char *text, char *words[WORDS_MAX])
{
    uint32_t count = 0;

    while (text != NULL && count < WORDS_MAX) {
        words[count++] = text;
        text = strchr(text, ' ');
        if (text != NULL) {
            *text++ = '\0';
        }
    }
    return text == NULL ? count : 0;
}

static int32_t parse_unsigned(const char *word, uint32_t *value)
{
    int64_t number = -1;

    if (linux_parse_decimal(word, &number) < 0 || number < 0 || number > UINT32_MAX) {
        return HAL_E_CORRUPT;
    }
    *value = (uint32_t)number;
    return HAL_OK;
}

static void take_name(char *name, const char *word)
{
    linux_copy_name(name, strcmp(word, EMPTY) == 0 ? "" : word);
}

int32_t linux_journal_parse(char *text, struct linux_journal_entry *entry)
{
    char *words[WORDS_MAX];
    uint32_t count = split(text, words);

    *entry = (struct linux_journal_entry){0};
    if (count == 3 && strcmp(words[0], "file") == 0 && strlen(words[1]) < sizeof entry->path) {
        entry->kind = LINUX_JOURNAL_FILE;
        memcpy(entry->path, words[1], strlen(words[1]) + 1);
        return linux_parse_decimal(words[2], &entry->value) < 0 ? HAL_E_CORRUPT : HAL_OK;
    }
    if (count == 5 && strcmp(words[0], "line") == 0) {
        entry->kind = LINUX_JOURNAL_LINE;
        take_name(entry->line.chip, words[1]);
        take_name(entry->line.line, words[2]);
        if (parse_unsigned(words[3], &entry->line.offset) < 0 ||
            parse_unsigned(words[4], &entry->line.active_low) < 0) {
            return HAL_E_CORRUPT;
        }
        return HAL_OK;
    }
    return HAL_E_CORRUPT;
}

int linux_journal_is_below(const char *path, const char *root)
{
    size_t bytes = strlen(root);
    size_t path_bytes = strlen(path);
    int climbs = strstr(path, "/../") != NULL ||
                 (path_bytes >= 3 && strcmp(path + path_bytes - 3, "/..") == 0);

    return bytes > 0 && strncmp(path, root, bytes) == 0 && path[bytes] == '/' && !climbs &&
           strstr(path, "//") == NULL;
}
