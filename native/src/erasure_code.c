/* Sums of erasure_code.h: an octet at a time, sixteen where the processor can permute them. */
#include "erasure_code.h"

#include <stddef.h>

#include "gf_tables.inc"

uint8_t erasure_factor(uint32_t repair, uint32_t source)
{
    if (repair >= ERASURE_REPAIRS_MAX || source >= ERASURE_SOURCES_MAX) {
        return 0;
    }
    return GF_INVERSE[repair ^ (ERASURE_REPAIRS_MAX + source)];
}

static void add_octets(uint8_t *sum, const uint8_t *symbol, uint32_t bytes, const uint8_t *halves)
{
    for (uint32_t i = 0; i < bytes; i++) {
        sum[i] ^= halves[symbol[i] & 0x0Fu] ^ halves[16 + (symbol[i] >> 4)];
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

static int has_permute(void)
{
    return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static uint32_t add_many(uint8_t *sum, const uint8_t *symbol,
                                                         uint32_t bytes, const uint8_t *halves)
{
    const __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)halves));
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(halves + 16)));
    const __m256i half = _mm256_set1_epi8(0x0F);
    uint32_t at = 0;

    for (; at + 32 <= bytes; at += 32) {
        __m256i data = _mm256_loadu_si256((const __m256i *)(const void *)(symbol + at));
        __m256i before = _mm256_loadu_si256((const __m256i *)(const void *)(sum + at));
        __m256i product = _mm256_xor_si256(
            _mm256_shuffle_epi8(low, _mm256_and_si256(data, half)),
            _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi64(data, 4), half)));

        _mm256_storeu_si256((__m256i *)(void *)(sum + at), _mm256_xor_si256(before, product));
    }
    return at;
}

#elif defined(__aarch64__)

#include <arm_neon.h>

static int has_permute(void)
{
    return 1;
}

static uint32_t add_many(uint8_t *sum, const uint8_t *symbol, uint32_t bytes, const uint8_t *halves)
{
    const uint8x16_t low = vld1q_u8(halves);
    const uint8x16_t high = vld1q_u8(halves + 16);
    uint32_t at = 0;

    for (; at + 16 <= bytes; at += 16) {
        uint8x16_t data = vld1q_u8(symbol + at);
        uint8x16_t product = veorq_u8(vqtbl1q_u8(low, vandq_u8(data, vdupq_n_u8(0x0F))),
                                      vqtbl1q_u8(high, vshrq_n_u8(data, 4)));

        vst1q_u8(sum + at, veorq_u8(vld1q_u8(sum + at), product));
    }
    return at;
}

#else

static int has_permute(void)
{
    return 0;
}

static uint32_t add_many(uint8_t *sum, const uint8_t *symbol, uint32_t bytes, const uint8_t *halves)
{
    (void)sum;
    (void)symbol;
    (void)bytes;
    (void)halves;
    return 0;
}

#endif

int32_t erasure_add(uint8_t *sums, uint32_t stride_bytes, uint32_t repairs, uint32_t source,
                    const uint8_t *symbol, uint32_t symbol_bytes)
{
    if (sums == NULL || symbol == NULL || repairs > ERASURE_REPAIRS_MAX ||
        source >= ERASURE_SOURCES_MAX || symbol_bytes > stride_bytes) {
        return -1;
    }
    int wide = has_permute();

    for (uint32_t r = 0; r < repairs; r++) {
        uint8_t *sum = sums + (size_t)r * stride_bytes;
        const uint8_t *halves = GF_HALVES[erasure_factor(r, source)];
        uint32_t done = wide ? add_many(sum, symbol, symbol_bytes, halves) : 0;

        add_octets(sum + done, symbol + done, symbol_bytes - done, halves);
    }
    return 0;
}
