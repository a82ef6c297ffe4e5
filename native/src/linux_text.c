/* Numbers and names out of the kernel's text files; see linux_text.h. */
#include "linux_text.h"

#include "hal.h"

#include <string.h>

#define DECIMAL_MAX INT64_C(999999999999999999)

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int ends_value(char c)
{
    return c == '\0' || c == '\n' || c == ' ' || c == '\t' || c == '\r';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Digits from `text` on; NULL when there are none or too many. */
static const char *scan_digits(const char *text, int64_t *value)
{
    int64_t sum = 0;

    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        if (sum > DECIMAL_MAX / 10) {
            return NULL;
        }
        sum = sum * 10 + (*text - '0');
    }
    *value = sum;
    return text;
}

int32_t linux_parse_decimal(const char *text, int64_t *value)
{
    int negative = *text == '-';
    const char *digits = text + negative;
    int64_t magnitude = 0;
    const char *end = scan_digits(digits, &magnitude);

    if (end == NULL) {
        return is_digit(*digits) ? HAL_E_RANGE : HAL_E_CORRUPT;
    }
    if (!ends_value(*end)) {
        return HAL_E_CORRUPT;
    }
    *value = negative ? -magnitude : magnitude;
    return HAL_OK;
}

static int32_t hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

int32_t linux_parse_hex(const char *text, uint32_t *value)
{
    const char *digits = text[0] == '0' && lower(text[1]) == 'x' ? text + 2 : text;
    uint64_t sum = 0;
    const char *at = digits;

    for (; hex_digit(*at) >= 0; at++) {
        sum = sum * 16 + (uint64_t)hex_digit(*at);
        if (sum > UINT32_MAX) {
            return HAL_E_RANGE;
        }
    }
    if (at == digits || !ends_value(*at)) {
        return HAL_E_CORRUPT;
    }
    *value = (uint32_t)sum;
    return HAL_OK;
}

const char *linux_scan_fixed(const char *text, uint32_t decimals, int64_t *value)
{
    int negative = *text == '-';
    int64_t sum = 0;
    const char *at = scan_digits(text + negative, &sum);

    if (at == NULL) {
        return NULL;
    }
    if (*at == '.' && is_digit(at[1])) {
        at++;
    }
    for (uint32_t i = 0; i < decimals; i++) {
        if (sum > DECIMAL_MAX / 10) {
            return NULL;
        }
        sum = sum * 10 + (is_digit(*at) ? *at++ - '0' : 0);
    }
    while (is_digit(*at)) {
        at++;
    }
    *value = negative ? -sum : sum;
    return at;
}

int32_t linux_parse_pressure(const char *text, int32_t *permille)
{
    static const char START[] = "some avg10=";
    int64_t hundredths = 0;

    if (strncmp(text, START, sizeof START - 1) != 0) {
        return HAL_E_CORRUPT;
    }
    const char *end = linux_scan_fixed(text + sizeof START - 1, 2, &hundredths);

    if (end == NULL || !ends_value(*end) || hundredths < 0 || hundredths > 10000) {
        return HAL_E_CORRUPT;
    }
    *permille = (int32_t)((hundredths + 5) / 10);
    return HAL_OK;
}

void linux_copy_name(char *name, const char *text)
{
    size_t i = 0;

    for (; i < HAL_NAME_BYTES - 1 && text[i] != '\0' && text[i] != '\n'; i++) {
        name[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
    memset(name + i, 0, HAL_NAME_BYTES - i);
}

int linux_name_starts(const char *name, const char *start)
{
    for (; *start != '\0'; name++, start++) {
        if (lower(*name) != lower(*start)) {
            return 0;
        }
    }
    return 1;
}
