/* A product's manifest as the store keeps it, and the rank it gives; see segment_scan.h. */
#include "segment_scan.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    NARROW = 1, /* kinds: a size of 32 bits, as older stores have it */
    WIDE = 4,
    NARROW_BYTES = 52,
    NAME_MAX = 96,
    KLASSES = 6,
    PRODUCERS = 4,
    HAS_DEADLINE = 1,
    HAS_DEPENDENCY = 2,
    PRODUCER_BITS = 4
};

__extension__ typedef unsigned __int128 wide;

static uint64_t big_endian(const uint8_t *data, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

static bool is_name(const uint8_t *name, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        const uint8_t c = name[i];
        const bool plain =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
            return false;
        }
    }
    return bytes >= 1 && bytes <= NAME_MAX;
}

/* As `log2_steps` in product.py: piecewise linear, the same on every machine. */
static double log2_steps(uint64_t value)
{
    int exponent;
    const double mantissa = frexp((double)value, &exponent);

    return exponent + 2.0 * mantissa;
}

static int bits_of(uint64_t value)
{
    return 64 - __builtin_clzll(value);
}

/* a / b, correctly rounded as Python divides integers; a double of either may be none. b > 0. */
static double quotient(int64_t a, int64_t b)
{
    const uint64_t over = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, under = (uint64_t)b;

    if (over == 0) {
        return 0.0;
    }
    const int shift = 63 - bits_of(over) + bits_of(under); /* never negative */
    const wide up = (wide)over << shift;
    const uint64_t exact = (uint64_t)(up / under) | (up % under != 0); /* a bit below the last */
    const double value = ldexp((double)exact, -shift);

    return a < 0 ? -value : value;
}

int32_t stored_manifest(const uint8_t *manifest, uint64_t bytes, int64_t ageing_ns,
                        struct catalogue_row *row)
{
    if (manifest == NULL || bytes == 0 || row == NULL || ageing_ns == INT64_MIN ||
        (manifest[0] != WIDE && manifest[0] != NARROW)) {
        return CATALOGUE_E_RANGE;
    }
    const int high = manifest[0] == WIDE ? 1 : 0; /* octets of the size beyond four */
    const uint64_t head = NARROW_BYTES + (uint64_t)high;

    if (bytes < head || bytes != head + manifest[head - 1]) {
        return CATALOGUE_E_RANGE;
    }
    const uint32_t producer = manifest[1] >> PRODUCER_BITS;
    const uint32_t has = manifest[1] & ((1 << PRODUCER_BITS) - 1);
    const uint64_t product_id = big_endian(manifest + 3, 8);
    const uint64_t size = big_endian(manifest + 11, 4 + high);
    const uint8_t *rest = manifest + 11 + 4 + high + 4; /* behind the check value */
    const int64_t value = (int64_t)big_endian(rest, 8);

    if (manifest[2] >= KLASSES || producer >= PRODUCERS || has > (HAS_DEADLINE | HAS_DEPENDENCY) ||
        product_id > CATALOGUE_ID_MAX || size == 0 || value < 0 ||
        !is_name(manifest + head, bytes - head)) {
        return CATALOGUE_E_RANGE;
    }
    row->product_id = product_id;
    row->value_millis = value;
    row->deadline_ns = has & HAS_DEADLINE ? (int64_t)big_endian(rest + 8, 8) : INT64_MAX;
    row->size_bytes = size;
    row->manifest_bytes = (uint16_t)bytes;
    row->klass = manifest[2];
    row->producer = (uint8_t)producer;
    row->key = log2_steps(value > 0 ? (uint64_t)value : 1) - log2_steps(size);
    if (ageing_ns > 0) {
        row->key -= quotient((int64_t)big_endian(rest + 16, 8), ageing_ns);
    } else if (ageing_ns < 0) {
        row->key += quotient((int64_t)big_endian(rest + 16, 8), -ageing_ns);
    }
    return CATALOGUE_OK;
}
