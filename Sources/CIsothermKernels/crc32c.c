#include "CIsothermKernels.h"
#include <string.h>

static uint32_t table[256];
static int tableReady;

static void fillTable(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[i] = c;
    }
    __atomic_store_n(&tableReady, 1, __ATOMIC_RELEASE);
}

static uint32_t bytewise(uint32_t crc, const uint8_t *p, size_t n) {
    // Filling twice from two threads writes the same values.
    if (!__atomic_load_n(&tableReady, __ATOMIC_ACQUIRE)) fillTable();
    while (n--) crc = table[(crc ^ *p++) & 0xFF] ^ (crc >> 8);
    return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t sse42(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t c = crc;
    while (n >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = _mm_crc32_u64(c, v);
        p += 8;
        n -= 8;
    }
    crc = (uint32_t)c;
    while (n--) crc = _mm_crc32_u8(crc, *p++);
    return crc;
}
#endif

uint32_t isotherm_crc32c(uint32_t seed, const void *bytes, size_t length) {
    uint32_t crc = ~seed;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~sse42(crc, bytes, length);
#endif
    return ~bytewise(crc, bytes, length);
}
