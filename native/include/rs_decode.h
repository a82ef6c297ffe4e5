/*
 * rs_decode.h - finds and rights the wrong symbols of one codeword; inside rs_code.h only.
 *
 * Conventional basis throughout. Berlekamp-Massey, a search over all places, Forney's formula
 * (Blahut, "Algebraic Codes for Data Transmission", 2003, chapter 7), then the syndromes once more:
 * a codeword is returned as right only if it is one.
 */
#ifndef LUMENODE_RS_DECODE_H
#define LUMENODE_RS_DECODE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rights 255 symbols, the highest power first, in place.
 * @return symbols put right, 0 to 16. Negative: too many are wrong, and all are as they were.
 */
int32_t rs_correct(uint8_t *word);

#ifdef __cplusplus
}
#endif

#endif
