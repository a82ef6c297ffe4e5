/* The kernel's texts, and what is none of them. */
#include "check.h"
#include "hal.h"
#include "linux_text.h"

#include <string.h>

static void a_decimal_is_read_up_to_its_line_feed(void)
{
    int64_t value = 7;

    CHECK(linux_parse_decimal("42000\n", &value) == HAL_OK && value == 42000);
    CHECK(linux_parse_decimal("-5000\n", &value) == HAL_OK && value == -5000);
    CHECK(linux_parse_decimal("0", &value) == HAL_OK && value == 0);
    CHECK(linux_parse_decimal("612\n78\n", &value) == HAL_OK && value == 612);
    CHECK(linux_parse_decimal("32760 ma", &value) == HAL_OK && value == 32760);
    CHECK(linux_parse_decimal("999999999999999999", &value) == HAL_OK);
    CHECK(value == INT64_C(999999999999999999));
}

static void what_is_no_decimal_changes_nothing(void)
{
    static const char *const WRONG[] = {"", "\n", "-", "x", " 5", "5x", "5.0", "+5", "--5"};
    int64_t value = 7;

    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        CHECK(linux_parse_decimal(WRONG[i], &value) == HAL_E_CORRUPT);
    }
    CHECK(linux_parse_decimal("1000000000000000000", &value) == HAL_E_RANGE);
    CHECK(linux_parse_decimal("-99999999999999999999999", &value) == HAL_E_RANGE);
    CHECK(value == 7);
}

static void a_throttle_word_is_hexadecimal_with_or_without_a_prefix(void)
{
    uint32_t word = 7;

    CHECK(linux_parse_hex("50005\n", &word) == HAL_OK && word == 0x50005);
    CHECK(linux_parse_hex("0x50005\n", &word) == HAL_OK && word == 0x50005);
    CHECK(linux_parse_hex("0Xe0000\n", &word) == HAL_OK && word == 0xE0000);
    CHECK(linux_parse_hex("FFFFFFFF", &word) == HAL_OK && word == 0xFFFFFFFF);
    CHECK(linux_parse_hex("0\n", &word) == HAL_OK && word == 0);
    CHECK(linux_parse_hex("100000000\n", &word) == HAL_E_RANGE);
    CHECK(linux_parse_hex("", &word) == HAL_E_CORRUPT);
    CHECK(linux_parse_hex("0x\n", &word) == HAL_E_CORRUPT);
    CHECK(linux_parse_hex("50g05", &word) == HAL_E_CORRUPT);
    CHECK(word == 0);
}

static void a_fixed_point_number_keeps_the_decimals_asked_for(void)
{
    int64_t value = 7;

    CHECK(strcmp(linux_scan_fixed("0.87500000V rest", 4, &value), "V rest") == 0 && value == 8750);
    CHECK(*linux_scan_fixed("22.5", 2, &value) == '\0' && value == 2250);
    CHECK(*linux_scan_fixed("22", 2, &value) == '\0' && value == 2200);
    CHECK(*linux_scan_fixed("-1.25", 1, &value) == '\0' && value == -12);
    CHECK(strcmp(linux_scan_fixed("3.x", 1, &value), ".x") == 0 && value == 30);
    value = 7;
    CHECK(linux_scan_fixed(".5", 2, &value) == NULL);
    CHECK(linux_scan_fixed("", 2, &value) == NULL);
    CHECK(linux_scan_fixed("999999999999999999", 1, &value) == NULL);
    CHECK(value == 7);
}

static void pressure_is_the_ten_seconds_average(void)
{
    int32_t permille = 7;

    CHECK(linux_parse_pressure("some avg10=22.55 avg60=72.23 avg300=48.14 total=227014287\n",
                               &permille) == HAL_OK);
    CHECK(permille == 226);
    CHECK(linux_parse_pressure("some avg10=0.00 avg60=0.00", &permille) == HAL_OK && permille == 0);
    CHECK(linux_parse_pressure("some avg10=100.00 x", &permille) == HAL_OK && permille == 1000);
    CHECK(linux_parse_pressure("full avg10=1.00 x", &permille) == HAL_E_CORRUPT);
    CHECK(linux_parse_pressure("some avg10=100.01", &permille) == HAL_E_CORRUPT);
    CHECK(linux_parse_pressure("some avg10=-0.01", &permille) == HAL_E_CORRUPT);
    CHECK(linux_parse_pressure("some avg10=", &permille) == HAL_E_CORRUPT);
    CHECK(linux_parse_pressure("some avg10=1.00x", &permille) == HAL_E_CORRUPT);
    CHECK(permille == 1000);
}

static void a_name_is_cut_cleaned_and_padded_with_zeros(void)
{
    char name[HAL_NAME_BYTES];

    memset(name, 'x', sizeof name);
    linux_copy_name(name, "cpu-thermal\nmore");
    CHECK(strcmp(name, "cpu-thermal") == 0 && name[HAL_NAME_BYTES - 1] == '\0');
    linux_copy_name(name, "a\tb\x80");
    CHECK(strcmp(name, "a?b?") == 0);
    linux_copy_name(name, "sum of ~ volts");
    CHECK(strcmp(name, "sum of ~ volts") == 0); /* both ends of what can be printed */
    linux_copy_name(name, "123456789012345678901234567890");
    CHECK(strcmp(name, "12345678901234567890123") == 0);
}

static void the_start_of_a_name_is_found_whatever_its_case(void)
{
    CHECK(linux_name_starts("CPU-therm", "cpu-therm"));
    CHECK(linux_name_starts("cpu-thermal", "cpu-therm"));
    CHECK(linux_name_starts("anything", ""));
    CHECK(!linux_name_starts("cpu", "cpu-therm"));
    CHECK(!linux_name_starts("gpu-thermal", "cpu-therm"));
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_decimal_is_read_up_to_its_line_feed),
        PROMISE(what_is_no_decimal_changes_nothing),
        PROMISE(a_throttle_word_is_hexadecimal_with_or_without_a_prefix),
        PROMISE(a_fixed_point_number_keeps_the_decimals_asked_for),
        PROMISE(pressure_is_the_ten_seconds_average),
        PROMISE(a_name_is_cut_cleaned_and_padded_with_zeros),
        PROMISE(the_start_of_a_name_is_found_whatever_its_case),
    };

    KEEP(PROMISES);
    return 0;
}
