/* Folding of crc_fold.h: four accumulators at a time, so that the multiplier is never waited for. */
#include "crc_fold.h"

#include <stddef.h>

typedef void (*folder)(const struct crc_fold_keys *keys, const uint8_t *first, const uint8_t *data,
                       uint64_t blocks, uint8_t *out);

#define FOLDER(target, name, fold, order)                                                          \
    target static void name(const struct crc_fold_keys *keys, const uint8_t *first,                \
                            const uint8_t *data, uint64_t blocks, uint8_t *out)                    \
    {                                                                                              \
        fold(order, keys, first, data, blocks, out);                                               \
    }

#if defined(__x86_64__)

#include <immintrin.h>

#define NARROW      __attribute__((target("pclmul,ssse3,sse4.1")))
#define WIDE        __attribute__((target("vpclmulqdq,avx512f,avx512bw,pclmul,ssse3,sse4.1")))
#define IN_EACH_ONE __attribute__((always_inline)) /* the order is a constant in the loops */

enum crc_fold_width crc_fold_width(void)
{
    if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("ssse3")) {
        return CRC_FOLD_NONE;
    }
    if (__builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512bw")) {
        return CRC_FOLD_512;
    }
    return CRC_FOLD_128;
}

/* Most significant octet first: the octets of a block are turned round on the way in and out. */
NARROW IN_EACH_ONE static inline __m128i turned(__m128i block, enum crc_fold_order order)
{
    const __m128i backwards = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return order == CRC_FOLD_MSB_FIRST ? _mm_shuffle_epi8(block, backwards) : block;
}

NARROW IN_EACH_ONE static inline __m128i load(const uint8_t *data, enum crc_fold_order order)
{
    return turned(_mm_loadu_si128((const __m128i *)(const void *)data), order);
}

NARROW IN_EACH_ONE static inline __m128i ahead(__m128i sum, __m128i keys, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(sum, keys, 0x00);
    __m128i high = _mm_clmulepi64_si128(sum, keys, 0x11);

    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

NARROW IN_EACH_ONE static inline __m128i keys_of(const uint64_t pair[2])
{
    return _mm_loadu_si128((const __m128i *)(const void *)pair);
}

NARROW IN_EACH_ONE static inline void fold_narrow(enum crc_fold_order order,
                                                  const struct crc_fold_keys *keys,
                                                  const uint8_t *first, const uint8_t *data,
                                                  uint64_t blocks, uint8_t *out)
{
    const __m128i by_16 = keys_of(keys->by_16);
    __m128i sum = _mm_xor_si128(load(data, order), load(first, order));

    data += 16;
    blocks--;
    if (blocks >= 3) {
        const __m128i by_64 = keys_of(keys->by_64);
        __m128i b = load(data, order);
        __m128i c = load(data + 16, order);
        __m128i d = load(data + 32, order);

        for (data += 48, blocks -= 3; blocks >= 4; data += 64, blocks -= 4) {
            sum = ahead(sum, by_64, load(data, order));
            b = ahead(b, by_64, load(data + 16, order));
            c = ahead(c, by_64, load(data + 32, order));
            d = ahead(d, by_64, load(data + 48, order));
        }
        sum = ahead(ahead(ahead(sum, by_16, b), by_16, c), by_16, d);
    }
    for (; blocks >= 1; data += 16, blocks--) {
        sum = ahead(sum, by_16, load(data, order));
    }
    _mm_storeu_si128((__m128i *)(void *)out, turned(sum, order));
}

WIDE IN_EACH_ONE static inline __m512i load_wide(const uint8_t *data, enum crc_fold_order order)
{
    const __m512i backwards =
        _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    __m512i block = _mm512_loadu_si512(data);

    return order == CRC_FOLD_MSB_FIRST ? _mm512_shuffle_epi8(block, backwards) : block;
}

WIDE IN_EACH_ONE static inline __m512i ahead_wide(__m512i sum, __m512i keys, __m512i next)
{
    __m512i low = _mm512_clmulepi64_epi128(sum, keys, 0x00);
    __m512i high = _mm512_clmulepi64_epi128(sum, keys, 0x11);

    return _mm512_ternarylogic_epi64(low, high, next, 0x96); /* all three exclusive-or'ed */
}

/* From 16 blocks on. */
WIDE IN_EACH_ONE static inline void fold_wide(enum crc_fold_order order,
                                              const struct crc_fold_keys *keys,
                                              const uint8_t *first, const uint8_t *data,
                                              uint64_t blocks, uint8_t *out)
{
    const __m512i by_64 = _mm512_broadcast_i32x4(keys_of(keys->by_64));
    const __m512i by_256 = _mm512_broadcast_i32x4(keys_of(keys->by_256));
    const __m128i by_16 = keys_of(keys->by_16);
    __m512i a =
        _mm512_xor_si512(load_wide(data, order), _mm512_zextsi128_si512(load(first, order)));
    __m512i b = load_wide(data + 64, order);
    __m512i c = load_wide(data + 128, order);
    __m512i d = load_wide(data + 192, order);

    for (data += 256, blocks -= 16; blocks >= 16; data += 256, blocks -= 16) {
        a = ahead_wide(a, by_256, load_wide(data, order));
        b = ahead_wide(b, by_256, load_wide(data + 64, order));
        c = ahead_wide(c, by_256, load_wide(data + 128, order));
        d = ahead_wide(d, by_256, load_wide(data + 192, order));
    }
    a = ahead_wide(ahead_wide(ahead_wide(a, by_64, b), by_64, c), by_64, d);
    for (; blocks >= 4; data += 64, blocks -= 4) {
        a = ahead_wide(a, by_64, load_wide(data, order));
    }
    __m128i sum = ahead(_mm512_castsi512_si128(a), by_16, _mm512_extracti32x4_epi32(a, 1));

    sum = ahead(sum, by_16, _mm512_extracti32x4_epi32(a, 2));
    sum = ahead(sum, by_16, _mm512_extracti32x4_epi32(a, 3));
    for (; blocks >= 1; data += 16, blocks--) {
        sum = ahead(sum, by_16, load(data, order));
    }
    _mm_storeu_si128((__m128i *)(void *)out, turned(sum, order));
}

FOLDER(NARROW, narrow_msb_first, fold_narrow, CRC_FOLD_MSB_FIRST)
FOLDER(NARROW, narrow_reflected, fold_narrow, CRC_FOLD_REFLECTED)
FOLDER(WIDE, wide_msb_first, fold_wide, CRC_FOLD_MSB_FIRST)
FOLDER(WIDE, wide_reflected, fold_wide, CRC_FOLD_REFLECTED)

static folder folder_for(enum crc_fold_width width, enum crc_fold_order order, uint64_t blocks)
{
    if (width == CRC_FOLD_512 && blocks >= 16) {
        return order == CRC_FOLD_MSB_FIRST ? wide_msb_first : wide_reflected;
    }
    if (width == CRC_FOLD_NONE) {
        return NULL;
    }
    return order == CRC_FOLD_MSB_FIRST ? narrow_msb_first : narrow_reflected;
}

#elif defined(__aarch64__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#define NARROW      __attribute__((target("+crypto")))
#define IN_EACH_ONE __attribute__((always_inline)) /* the order is a constant in the loops */

enum crc_fold_width crc_fold_width(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0 ? CRC_FOLD_128 : CRC_FOLD_NONE;
}

/* Most significant octet first: the octets of a block are turned round on the way in and out. */
NARROW IN_EACH_ONE static inline uint8x16_t turned(uint8x16_t block, enum crc_fold_order order)
{
    if (order != CRC_FOLD_MSB_FIRST) {
        return block;
    }
    block = vrev64q_u8(block);
    return vextq_u8(block, block, 8);
}

NARROW IN_EACH_ONE static inline uint8x16_t load(const uint8_t *data, enum crc_fold_order order)
{
    return turned(vld1q_u8(data), order);
}

NARROW IN_EACH_ONE static inline uint8x16_t ahead(uint8x16_t sum, const uint64_t keys[2],
                                                  uint8x16_t next)
{
    uint64x2_t halves = vreinterpretq_u64_u8(sum);
    poly128_t low = vmull_p64((poly64_t)vgetq_lane_u64(halves, 0), (poly64_t)keys[0]);
    poly128_t high = vmull_p64((poly64_t)vgetq_lane_u64(halves, 1), (poly64_t)keys[1]);

    return veorq_u8(veorq_u8(vreinterpretq_u8_p128(low), vreinterpretq_u8_p128(high)), next);
}

NARROW IN_EACH_ONE static inline void fold_narrow(enum crc_fold_order order,
                                                  const struct crc_fold_keys *keys,
                                                  const uint8_t *first, const uint8_t *data,
                                                  uint64_t blocks, uint8_t *out)
{
    uint8x16_t sum = veorq_u8(load(data, order), load(first, order));

    data += 16;
    blocks--;
    if (blocks >= 3) {
        uint8x16_t b = load(data, order);
        uint8x16_t c = load(data + 16, order);
        uint8x16_t d = load(data + 32, order);

        for (data += 48, blocks -= 3; blocks >= 4; data += 64, blocks -= 4) {
            sum = ahead(sum, keys->by_64, load(data, order));
            b = ahead(b, keys->by_64, load(data + 16, order));
            c = ahead(c, keys->by_64, load(data + 32, order));
            d = ahead(d, keys->by_64, load(data + 48, order));
        }
        sum = ahead(ahead(ahead(sum, keys->by_16, b), keys->by_16, c), keys->by_16, d);
    }
    for (; blocks >= 1; data += 16, blocks--) {
        sum = ahead(sum, keys->by_16, load(data, order));
    }
    vst1q_u8(out, turned(sum, order));
}

FOLDER(NARROW, narrow_msb_first, fold_narrow, CRC_FOLD_MSB_FIRST)
FOLDER(NARROW, narrow_reflected, fold_narrow, CRC_FOLD_REFLECTED)

static folder folder_for(enum crc_fold_width width, enum crc_fold_order order, uint64_t blocks)
{
    (void)blocks;
    if (width == CRC_FOLD_NONE) {
        return NULL;
    }
    return order == CRC_FOLD_MSB_FIRST ? narrow_msb_first : narrow_reflected;
}

#else

enum crc_fold_width crc_fold_width(void)
{
    return CRC_FOLD_NONE;
}

static folder folder_for(enum crc_fold_width width, enum crc_fold_order order, uint64_t blocks)
{
    (void)width;
    (void)order;
    (void)blocks;
    return NULL;
}

#endif

void crc_fold(enum crc_fold_width width, enum crc_fold_order order,
              const struct crc_fold_keys *keys, const uint8_t first[CRC_FOLD_BLOCK_BYTES],
              const uint8_t *data, uint64_t blocks, uint8_t out[CRC_FOLD_BLOCK_BYTES])
{
    folder fold = folder_for(width, order, blocks);

    if (fold != NULL) {
        fold(keys, first, data, blocks, out);
    }
}
