// Kernels where C is measurably faster than Swift on this toolchain. Each has a Swift twin that
// serves as its oracle in BytesTests.
#ifndef CISOTHERM_KERNELS_H
#define CISOTHERM_KERNELS_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes, continuing from `seed` (0 to start).
/// Uses SSE4.2 where the processor has it.
uint32_t isotherm_crc32c(uint32_t seed, const void *bytes, size_t length);
#endif
