/*
 * linux_text.h - numbers and names out of the kernel's text files. Pure: text in, value out.
 *
 * A file of sysfs holds one value and a line feed; whatever follows the line feed is not looked at.
 * Every parser answers HAL_E_CORRUPT for a text that is not what it should be, HAL_E_RANGE for a
 * number that does not fit, and writes its result on success only.
 */
#ifndef LUMENODE_LINUX_TEXT_H
#define LUMENODE_LINUX_TEXT_H

#include "hal_board.h"

#include <stddef.h>
#include <stdint.h>

/* "-12345\n". The magnitude stays below 10^18. */
int32_t linux_parse_decimal(const char *text, int64_t *value);

/* "50005\n" or "0x50005\n", 32 bits. */
int32_t linux_parse_hex(const char *text, uint32_t *value);

/*
 * Reads "22.55" at `text` as an integer of 10^-decimals, further digits dropped: with 2 decimals
 * 2255. @return what follows the number, or NULL when there is none or it does not fit.
 */
const char *linux_scan_fixed(const char *text, uint32_t decimals, int64_t *value);

/* The ten seconds' average of "some avg10=22.55 avg60=..." in permille (/proc/pressure). */
int32_t linux_parse_pressure(const char *text, int32_t *permille);

/* Copies a name up to its line feed, cut to HAL_NAME_BYTES; what is not printable ASCII becomes
 * '?'. */
void linux_copy_name(char *name, const char *text);

/* Whether `name` starts with `start`, capitals or not. */
int linux_name_starts(const char *name, const char *start);

#endif
