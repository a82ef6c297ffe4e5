/*
 * crc_fold.h - check values by carry-less multiplication, for the long part of a message.
 *
 * Hop of the flow "image to ground", inside framer_crc16() and framer_crc32c(): a frame's check
 * value costs more than its cipher when it is looked up in tables. A message of many blocks of 16
 * octets is folded down to one block that has the same remainder (Gopal et al., "Fast CRC
 * computation for generic polynomials using PCLMULQDQ instruction", Intel, 2009); that block and
 * the rest are looked up as ever. No state, no allocation; every function may be called from any
 * thread and takes time in proportion to the octets given, about 0.05 ns each on a desktop machine.
 */
#ifndef LUMENODE_CRC_FOLD_H
#define LUMENODE_CRC_FOLD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CRC_FOLD_BLOCK_BYTES 16

/* Which multiplier of polynomials the processor has; a wider one includes the narrower. */
enum crc_fold_width {
    CRC_FOLD_NONE = 0,
    CRC_FOLD_128 = 1, /* PCLMULQDQ (Intel SDM 2), PMULL (Arm ARM DDI 0487, FEAT_PMULL) */
    CRC_FOLD_512 = 2  /* VPCLMULQDQ with AVX-512F and BW */
};

/* Factors of the two halves of a block that is moved ahead by so many octets. */
struct crc_fold_keys {
    uint64_t by_16[2];
    uint64_t by_64[2];
    uint64_t by_256[2];
};

/* Which of two orders the bits of a check value are in. */
enum crc_fold_order {
    CRC_FOLD_MSB_FIRST = 0, /* CRC-16 of the frames */
    CRC_FOLD_REFLECTED = 1  /* CRC-32C */
};

/* What this processor can do, asked of the processor (x86) or of the kernel (aarch64) each time. */
enum crc_fold_width crc_fold_width(void);

/*
 * Folds `blocks` (>= 1) blocks of 16 octets at `data` into `out`, in the octet order of the message.
 * `first` is exclusive-or'ed into the first block: the start value, in the same octet order.
 * Only with a `width` that crc_fold_width() gave; CRC_FOLD_NONE folds nothing and leaves `out` alone.
 */
void crc_fold(enum crc_fold_width width, enum crc_fold_order order,
              const struct crc_fold_keys *keys, const uint8_t first[CRC_FOLD_BLOCK_BYTES],
              const uint8_t *data, uint64_t blocks, uint8_t out[CRC_FOLD_BLOCK_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
