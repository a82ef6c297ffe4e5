/*
 * rs_code.h - what a laser terminal without error correction of its own needs around a frame.
 *
 * Hop of the flow "image to ground", behind the sealed frame: Reed-Solomon (255,223) with symbols in
 * the dual basis and interleaving (CCSDS 131.0-B-4, section 4), pseudo-randomiser (10.4.1) and
 * attached sync marker (9.2). No state, no allocation; every function works on the caller's bytes
 * only and may be called from any thread.
 *
 *      at            octets      field of a coded frame
 *       0               4        ASM 0x1ACFFC1D
 *       4            223 I       transfer frame, then fill up to this length
 *       4 + 223 I     32 I       check symbols; from here back to 4 exclusive-or'ed with the randomiser
 *
 * Symbol k of either part belongs to codeword k mod I. A frame's own length field says where the
 * fill begins. Times on a desktop machine: 3 ns an octet to encode or to look through a clean block,
 * about 50 us a codeword that has errors.
 */
#ifndef LUMENODE_RS_CODE_H
#define LUMENODE_RS_CODE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RS_CODEWORD_BYTES  255
#define RS_DATA_BYTES      223
#define RS_PARITY_BYTES    32
#define RS_CORRECTABLE     16 /* octets a codeword */
#define RS_DEPTH_MAX       8
#define RS_MARKER_BYTES    4
#define RS_MARKER          0x1ACFFC1D
#define RS_MARKER_BITS_OFF 4 /* wrong bits of a marker that is still taken for one */

/* Negative codes, one per cause; zero or more is success. Not the codes of hal.h or framer.h. */
enum rs_err {
    RS_E_RANGE = -1,        /* NULL, a depth that there is not, a length that does not fit */
    RS_E_MARKER = -2,       /* no attached sync marker in front */
    RS_E_UNCORRECTABLE = -3 /* a codeword has more wrong symbols than can be put right */
};

/* 1 for the interleaving depths of the standard: 1, 2, 3, 4, 5 and 8. */
int32_t rs_is_depth(uint32_t depth);

/* Check symbols of `depth` interleaved codewords: 223 `depth` octets in, 32 `depth` out. */
void rs_encode(const uint8_t *data, uint8_t *parity, uint32_t depth);

/*
 * Puts 255 `depth` octets right in place.
 * @return symbols put right, 0 or more. RS_E_UNCORRECTABLE: the block is as it was.
 */
int32_t rs_decode(uint8_t *block, uint32_t depth);

/* Exclusive-or with the randomiser's sequence from its start on; done twice it is undone. */
void rs_randomise(uint8_t *data, uint64_t bytes);

/*
 * A coded frame of 4 + 255 `depth` octets around a frame.
 * @return its length. RS_E_RANGE: NULL, no such depth, a frame of nothing or above 223 `depth`
 * octets, or `room_bytes` too small; nothing is then written.
 */
int32_t rs_wrap(const uint8_t *frame, uint64_t frame_bytes, uint32_t depth, uint8_t *out,
                uint64_t room_bytes);

/*
 * The other way round, in place: afterwards the 223 `depth` octets of frame and fill lie at
 * `coded + RS_MARKER_BYTES`. On a negative code they are of no use.
 * @return symbols put right. RS_E_RANGE: NULL, no such depth, another length; RS_E_MARKER,
 * RS_E_UNCORRECTABLE.
 */
int32_t rs_unwrap(uint8_t *coded, uint64_t coded_bytes, uint32_t depth);

#ifdef __cplusplus
}
#endif

#endif
