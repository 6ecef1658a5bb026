// CRC-32C (Castagnoli): the checksum of every file and log record. CRC-32 (of gzip): of what other programs check, Parquet pages and
// Hudi's table properties.

internal import CIsothermKernels

package enum CRC32C {
    /// The checksum of `bytes`, continuing from `seed` (0 to start).
    package static func of(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
        // Safe: the pointer does not outlive the call, and the kernel reads exactly `count` bytes.
        bytes.withUnsafeBytes { unsafe isotherm_crc32c(seed, $0.baseAddress, $0.count) }
    }

    package static func of(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 { of(bytes.span.bytes, seed: seed) }
}

package enum CRC32 {
    /// The checksum of `bytes`, continuing from `seed` (0 to start).
    package static func of(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
        // Safe: the pointer does not outlive the call, and the kernel reads exactly `count` bytes.
        bytes.withUnsafeBytes { unsafe isotherm_crc32(seed, $0.baseAddress, $0.count) }
    }

    package static func of(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 { of(bytes.span.bytes, seed: seed) }
}
