/* Decoder of rs_decode.h. Polynomials are arrays from x^0 on; logarithms are to the base a^11, so
 * that the roots of the generator are powers 112 to 143 of it. */
#include "rs_decode.h"

#include "rs_code.h"

#include <string.h>

#include "rs_tables.inc"

#define FIRST_ROOT 112u
#define ORDER      255u
#define ROOTS      RS_PARITY_BYTES

static uint8_t times(uint8_t a, uint8_t b)
{
    return a == 0 || b == 0 ? 0 : RS_EXP[(RS_LOG[a] + RS_LOG[b]) % ORDER];
}

static uint8_t times_power(uint8_t a, uint32_t power)
{
    return a == 0 ? 0 : RS_EXP[(RS_LOG[a] + power) % ORDER];
}

static uint8_t inverse(uint8_t a)
{
    return RS_EXP[(ORDER - RS_LOG[a]) % ORDER];
}

/* 1 when every syndrome is zero. */
static int syndromes_of(const uint8_t *word, uint8_t *syndromes)
{
    uint8_t any = 0;

    for (uint32_t j = 0; j < ROOTS; j++) {
        uint8_t sum = 0;

        for (uint32_t i = 0; i < RS_CODEWORD_BYTES; i++) {
            sum = times_power(sum, FIRST_ROOT + j) ^ word[i];
        }
        syndromes[j] = sum;
        any |= sum;
    }
    return any == 0;
}

/* Berlekamp-Massey: the locator of the wrong places. @return its degree. */
static uint32_t find_locator(const uint8_t *syndromes, uint8_t *locator)
{
    uint8_t before[ROOTS + 1] = {1};
    uint8_t discrepancy_before = 1;
    uint32_t degree = 0;
    uint32_t shift = 1;

    memset(locator, 0, ROOTS + 1);
    locator[0] = 1;
    for (uint32_t n = 0; n < ROOTS; n++) {
        uint8_t discrepancy = syndromes[n];

        for (uint32_t i = 1; i <= degree; i++) {
            discrepancy ^= times(locator[i], syndromes[n - i]);
        }
        if (discrepancy == 0) {
            shift++;
            continue;
        }
        uint8_t kept[ROOTS + 1];
        uint8_t factor = times(discrepancy, inverse(discrepancy_before));

        memcpy(kept, locator, sizeof kept);
        for (uint32_t i = 0; i + shift <= ROOTS; i++) {
            locator[i + shift] ^= times(factor, before[i]);
        }
        if (2 * degree <= n) {
            degree = n + 1 - degree;
            memcpy(before, kept, sizeof before);
            discrepancy_before = discrepancy;
            shift = 1;
        } else {
            shift++;
        }
    }
    return degree;
}

static uint8_t value_at(const uint8_t *polynomial, uint32_t terms, uint32_t power)
{
    uint8_t sum = 0;

    for (uint32_t i = terms; i > 0; i--) {
        sum = times_power(sum, power) ^ polynomial[i - 1];
    }
    return sum;
}

/* Powers of the wrong places. @return how many roots the locator has. */
static uint32_t find_places(const uint8_t *locator, uint32_t degree, uint32_t *places)
{
    uint32_t found = 0;

    for (uint32_t power = 0; power < ORDER && found < degree; power++) {
        if (value_at(locator, degree + 1, ORDER - power) == 0) {
            places[found++] = power;
        }
    }
    return found;
}

/* Forney: what to add at one place. @return 0 when the locator's derivative vanishes there. */
static uint8_t magnitude(const uint8_t *evaluator, const uint8_t *locator, uint32_t degree,
                         uint32_t place)
{
    uint8_t derivative = 0;
    uint32_t back = ORDER - place;

    for (uint32_t i = 1; i <= degree; i += 2) {
        derivative ^= times_power(locator[i], back * (i - 1));
    }
    if (derivative == 0) {
        return 0;
    }
    uint8_t ratio = times(value_at(evaluator, ROOTS, back), inverse(derivative));

    return times_power(ratio, back * (FIRST_ROOT - 1));
}

int32_t rs_correct(uint8_t *word)
{
    uint8_t syndromes[ROOTS];
    uint8_t locator[ROOTS + 1];
    uint8_t evaluator[ROOTS] = {0};
    uint32_t places[RS_CORRECTABLE] = {0};
    uint8_t before[RS_CODEWORD_BYTES];

    if (syndromes_of(word, syndromes)) {
        return 0;
    }
    uint32_t degree = find_locator(syndromes, locator);

    if (degree > RS_CORRECTABLE || find_places(locator, degree, places) != degree) {
        return RS_E_UNCORRECTABLE;
    }
    for (uint32_t i = 0; i < ROOTS; i++) {
        for (uint32_t k = 0; k <= i && k <= degree; k++) {
            evaluator[i] ^= times(syndromes[i - k], locator[k]);
        }
    }
    memcpy(before, word, sizeof before);
    for (uint32_t i = 0; i < degree; i++) {
        word[ORDER - 1 - places[i]] ^= magnitude(evaluator, locator, degree, places[i]);
    }
    if (!syndromes_of(word, syndromes)) {
        memcpy(word, before, sizeof before);
        return RS_E_UNCORRECTABLE;
    }
    return (int32_t)degree;
}
