#include "CIsothermKernels.h"
#include <string.h>

// Slicing by eight (Kounavis & Berry, "A systematic approach to building high performance, software-based, CRC generators", 2005):
// tables[k][b] is the checksum of byte b followed by k bytes of 0, so eight bytes are folded in at once.
static uint32_t tables[8][256];
static int tablesReady;

static void fillTables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
        tables[0][i] = c;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t i = 0; i < 256; i++) tables[k][i] = tables[0][tables[k - 1][i] & 0xFF] ^ (tables[k - 1][i] >> 8);
    __atomic_store_n(&tablesReady, 1, __ATOMIC_RELEASE);
}

uint32_t isotherm_crc32(uint32_t seed, const void *bytes, size_t length) {
    // Filling twice from two threads writes the same values.
    if (!__atomic_load_n(&tablesReady, __ATOMIC_ACQUIRE)) fillTables();
    const uint8_t *p = bytes;
    uint32_t c = ~seed;
    while (length >= 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low ^= c;
        c = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24]
            ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^ tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
        p += 8;
        length -= 8;
    }
    while (length--) c = tables[0][(c ^ *p++) & 0xFF] ^ (c >> 8);
    return ~c;
}
