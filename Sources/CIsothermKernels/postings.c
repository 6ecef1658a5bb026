// Decoding and scoring of posting blocks.
//
// 128 values of b bits lie in four lanes: value i is the (i / 4)th of lane i % 4, a lane's values follow each
// other from the lowest bit up, and word w of lane l is at byte 16 w + 4 l (the layout of D. Lemire and
// L. Boytsov, "Decoding billions of integers per second through vectorization", 2015). So one vector
// instruction handles four neighbours, and 128 values take 16 b bytes.
#include "CIsothermKernels.h"
#include <string.h>

typedef uint32_t v4 __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) v4 load(const uint8_t *p) {
    v4 v;
    memcpy(&v, p, 16);
    return v;
}

// With b constant the loop unrolls into straight shifts.
static inline __attribute__((always_inline)) void unpack(const uint8_t *in, uint32_t *out, const unsigned b, const int rising, uint32_t previous) {
    const uint32_t mask = b == 32 ? 0xFFFFFFFFu : (1u << b) - 1;
    v4 word = {0, 0, 0, 0}, last = {previous, previous, previous, previous};
    const v4 zero = {0, 0, 0, 0};
    if (b) word = load(in);
#pragma clang loop unroll(full)
    for (unsigned i = 0; i < 32; i++) {
        const unsigned bit = i * b, shift = bit % 32, at = bit / 32;
        v4 v = {0, 0, 0, 0};
        if (b) {
            v = word >> shift;
            if (shift + b > 32) {
                word = load(in + 16 * (at + 1));
                v |= word << (32 - shift);
            } else if (shift + b == 32 && i != 31) {
                word = load(in + 16 * (at + 1));
            }
            if (b < 32) v &= mask;
        }
        if (rising) {
            v += 1;
            v += __builtin_shufflevector(zero, v, 0, 4, 5, 6);
            v += __builtin_shufflevector(zero, v, 0, 1, 4, 5);
            v += last;
            last = __builtin_shufflevector(v, v, 3, 3, 3, 3);
        }
        memcpy(out + 4 * i, &v, 16);
    }
}

#define CASES(R, P)                                                                                                     \
    C(0, R, P) C(1, R, P) C(2, R, P) C(3, R, P) C(4, R, P) C(5, R, P) C(6, R, P) C(7, R, P) C(8, R, P) C(9, R, P)       \
    C(10, R, P) C(11, R, P) C(12, R, P) C(13, R, P) C(14, R, P) C(15, R, P) C(16, R, P) C(17, R, P) C(18, R, P)         \
    C(19, R, P) C(20, R, P) C(21, R, P) C(22, R, P) C(23, R, P) C(24, R, P) C(25, R, P) C(26, R, P) C(27, R, P)         \
    C(28, R, P) C(29, R, P) C(30, R, P) C(31, R, P) C(32, R, P)
#define C(b, R, P) case b: unpack(in, out, b, R, P); break;

void isotherm_unpack128(const void *packed, uint32_t bits, uint32_t *out) {
    const uint8_t *in = packed;
    switch (bits) { CASES(0, 0) }
}

void isotherm_unpack128_rising(const void *packed, uint32_t bits, uint32_t previous, uint32_t *out) {
    const uint8_t *in = packed;
    switch (bits) { CASES(1, previous) }
}

static void score_plain(const uint32_t *docs, const uint32_t *freqs, size_t n, const uint8_t *norms, const float *inverse, float weight, float *out) {
#pragma clang fp contract(off)
    for (size_t i = 0; i < n; i++) {
        const float x = (float)(int32_t)freqs[i] * inverse[norms[docs ? docs[i] : i]];
        out[i] = weight - weight / (1.0f + x);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>
// Reads up to three bytes past the last norm.
__attribute__((target("avx2"))) static size_t score_avx2(const uint32_t *docs, const uint32_t *freqs, size_t n, const uint8_t *norms, const float *inverse, float weight, float *out) {
    const __m256 w = _mm256_set1_ps(weight), one = _mm256_set1_ps(1.0f);
    const __m256i low = _mm256_set1_epi32(0xFF);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256i d = _mm256_loadu_si256((const __m256i *)(docs + i));
        const __m256i norm = _mm256_and_si256(_mm256_i32gather_epi32((const int *)norms, d, 1), low);
        const __m256 f = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(freqs + i)));
        const __m256 x = _mm256_mul_ps(f, _mm256_i32gather_ps(inverse, norm, 4));
        _mm256_storeu_ps(out + i, _mm256_sub_ps(w, _mm256_div_ps(w, _mm256_add_ps(one, x))));
    }
    return i;
}
#endif

void isotherm_bm25(const uint32_t *docs, const uint32_t *freqs, size_t n, const uint8_t *norms, const float *inverse, float weight, float *out) {
#if defined(__x86_64__)
    if (docs && n >= 8 && __builtin_cpu_supports("avx2")) {
        const size_t done = score_avx2(docs, freqs, n, norms, inverse, weight, out);
        docs += done, freqs += done, out += done, n -= done;
    }
#endif
    score_plain(docs, freqs, n, norms, inverse, weight, out);
}
