/* One codeword: up to 16 wrong symbols are righted wherever they are, more are never made worse. */
#include "check.h"
#include "rs_decode.h"

#include <string.h>

#include "rs_code.h"

#include "../src/rs_tables.inc"

static uint32_t luck = 2463534242u;

/* Marsaglia, "Xorshift RNGs", 2003. */
static uint32_t next(void)
{
    luck ^= luck << 13;
    luck ^= luck >> 17;
    luck ^= luck << 5;
    return luck;
}

/* A codeword in the conventional basis. */
static void codeword(uint8_t *word)
{
    uint8_t block[RS_CODEWORD_BYTES];

    for (uint32_t i = 0; i < RS_DATA_BYTES; i++) {
        block[i] = (uint8_t)next();
    }
    rs_encode(block, block + RS_DATA_BYTES, 1);
    for (uint32_t i = 0; i < RS_CODEWORD_BYTES; i++) {
        word[i] = RS_FROM_DUAL[block[i]];
        CHECK(RS_TO_DUAL[word[i]] == block[i]);
    }
}

/* So many different places get a wrong symbol. */
static void spoil(uint8_t *word, uint32_t wrong)
{
    uint8_t spoilt[RS_CODEWORD_BYTES] = {0};

    while (wrong > 0) {
        uint32_t at = next() % RS_CODEWORD_BYTES;

        if (spoilt[at] == 0) {
            spoilt[at] = 1;
            word[at] ^= (uint8_t)(1 + next() % 255);
            wrong--;
        }
    }
}

static void up_to_sixteen_wrong_symbols_are_righted(void)
{
    uint8_t sent[RS_CODEWORD_BYTES];
    uint8_t word[RS_CODEWORD_BYTES];

    for (uint32_t wrong = 0; wrong <= RS_CORRECTABLE; wrong++) {
        for (int i = 0; i < 20; i++) {
            codeword(sent);
            memcpy(word, sent, sizeof word);
            spoil(word, wrong);
            CHECK(rs_correct(word) == (int32_t)wrong);
            CHECK(memcmp(word, sent, sizeof word) == 0);
        }
    }
}

static void a_symbol_at_either_end_is_righted(void)
{
    uint8_t sent[RS_CODEWORD_BYTES];
    uint8_t word[RS_CODEWORD_BYTES];

    codeword(sent);
    memcpy(word, sent, sizeof word);
    word[0] ^= 0x80;
    word[RS_CODEWORD_BYTES - 1] ^= 1;
    CHECK(rs_correct(word) == 2);
    CHECK(memcmp(word, sent, sizeof word) == 0);
}

static void more_than_sixteen_are_refused_and_left_as_they_are(void)
{
    uint8_t word[RS_CODEWORD_BYTES];
    uint8_t before[RS_CODEWORD_BYTES];

    for (int i = 0; i < 300; i++) {
        codeword(word);
        spoil(word, RS_CORRECTABLE + 1 + next() % 40);
        memcpy(before, word, sizeof before);
        /* Another codeword may lie within 16 places: one time in about 16!, so not here. */
        CHECK(rs_correct(word) < 0);
        CHECK(memcmp(word, before, sizeof before) == 0);
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(up_to_sixteen_wrong_symbols_are_righted),
        PROMISE(a_symbol_at_either_end_is_righted),
        PROMISE(more_than_sixteen_are_refused_and_left_as_they_are),
    };

    KEEP(PROMISES);
    return 0;
}
