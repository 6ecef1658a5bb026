// Kernels where C is measurably faster than Swift on this toolchain. Each has a Swift twin that
// serves as its oracle in BytesTests.
#ifndef CISOTHERM_KERNELS_H
#define CISOTHERM_KERNELS_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes, continuing from `seed` (0 to start).
/// Uses SSE4.2 where the processor has it.
uint32_t isotherm_crc32c(uint32_t seed, const void *bytes, size_t length);

/// CRC-32 (ISO-HDLC: gzip, Parquet pages, Java) of `length` bytes, continuing from `seed` (0 to start). Little-endian machines.
uint32_t isotherm_crc32(uint32_t seed, const void *bytes, size_t length);

/// Unpacks 128 values of `bits` (0...32) each, packed in four lanes (see postings.c), from 16 * bits bytes.
void isotherm_unpack128(const void *packed, uint32_t bits, uint32_t *out);

/// The same for gaps less one of a rising sequence: out[i] = previous + sum over j <= i of (value j + 1).
void isotherm_unpack128_rising(const void *packed, uint32_t bits, uint32_t previous, uint32_t *out);

/// How many bits of `count` words are set. Uses POPCNT where the processor has it.
size_t isotherm_popcount(const uint64_t *words, size_t count);

/// BM25 of n postings: weight - weight / (1 + freq * inverse[norms[doc]]), in float32 without contraction.
/// With `docs` NULL the i-th posting's norm is norms[i]. May read three bytes past the last norm.
void isotherm_bm25(const uint32_t *docs, const uint32_t *freqs, size_t n, const uint8_t *norms, const float *inverse, float weight, float *out);
#endif
