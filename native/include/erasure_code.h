/*
 * erasure_code.h - repair symbols for frames whose loss nobody will report in time.
 *
 * Hop of the flow "image to ground", beside the sealed frame. A block has up to 200 source symbols
 * of one length; any e of its repair symbols make good any e that are lost (a Cauchy matrix over
 * GF(2^8): Bloemer et al., "An XOR-based erasure-resilient coding scheme", ICSI TR-95-048, 1995).
 * Repair symbol r of a block is the sum of source symbol i times 1 / (r + (56 + i)), sum and
 * quotient in the field of x^8 + x^4 + x^3 + x^2 + 1. They are summed up as the sources come, so
 * that no source has to be kept. No state, no allocation; any thread.
 */
#ifndef LUMENODE_ERASURE_CODE_H
#define LUMENODE_ERASURE_CODE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ERASURE_REPAIRS_MAX 56
#define ERASURE_SOURCES_MAX 200

/* What source symbol `source` is multiplied by in repair symbol `repair`; 0 when there is no such. */
uint8_t erasure_factor(uint32_t repair, uint32_t source);

/*
 * Adds source symbol `source` to `repairs` sums that lie `stride_bytes` apart. A symbol shorter than
 * the sums counts as followed by zeros. Takes about 0.1 ns an octet and sum on a desktop machine.
 * @return 0; negative: NULL, a number above the maxima, or a symbol longer than the stride.
 */
int32_t erasure_add(uint8_t *sums, uint32_t stride_bytes, uint32_t repairs, uint32_t source,
                    const uint8_t *symbol, uint32_t symbol_bytes);

#ifdef __cplusplus
}
#endif

#endif
