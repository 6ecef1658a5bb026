// Packing, unpacking and scoring of posting blocks of 128 values; the layout is drawn in
// CIsothermKernels/postings.c. `pack`, `unpackTwin` and `scoreTwin` are the oracles of the C kernels.
//
// Sources: D. Lemire, L. Boytsov, "Decoding billions of integers per second through vectorization", 2015.

internal import CIsothermKernels

public enum PostingKernels {
    /// Values per block.
    public static let blockSize = 128

    /// Bits that hold each of `values`, 0...32.
    public static func width(_ values: UnsafePointer<UInt32>) -> Int {
        var all: UInt32 = 0
        for i in 0..<blockSize { unsafe all |= values[i] }
        return 32 - all.leadingZeroBitCount
    }

    /// Appends 16 * bits bytes.
    public static func pack(_ values: UnsafePointer<UInt32>, bits: Int, to out: inout [UInt8]) {
        // Safe: lanes are indexed below 4 * bits, values below 128.
        unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * 32) { words in
            unsafe words.initialize(repeating: 0)
            for i in 0..<blockSize where bits > 0 {
                let bit = (i >> 2) * bits, word = bit >> 5, shift = bit & 31, lane = i & 3
                let value = unsafe values[i]
                unsafe words[4 * word + lane] |= value << UInt32(shift)
                if shift + bits > 32 { unsafe words[4 * (word + 1) + lane] |= value >> UInt32(32 - shift) }
            }
            for w in 0..<4 * bits {
                let value = unsafe words[w]
                out.append(UInt8(truncatingIfNeeded: value))
                out.append(UInt8(truncatingIfNeeded: value >> 8))
                out.append(UInt8(truncatingIfNeeded: value >> 16))
                out.append(UInt8(truncatingIfNeeded: value >> 24))
            }
        }
    }

    /// Safe when 16 * bits bytes can be read, 128 values written, and bits <= 32.
    public static func unpack(_ packed: UnsafeRawPointer, bits: Int, into out: UnsafeMutablePointer<UInt32>) {
        unsafe isotherm_unpack128(packed, UInt32(truncatingIfNeeded: bits), out)
    }

    /// Safe under the same conditions. Sums wrap around.
    public static func unpackRising(_ packed: UnsafeRawPointer, bits: Int, after previous: UInt32, into out: UnsafeMutablePointer<UInt32>) {
        unsafe isotherm_unpack128_rising(packed, UInt32(truncatingIfNeeded: bits), previous, out)
    }

    /// BM25 of `count` postings, float32 (see the kernel's header). `docs` nil: norms in the order of postings.
    /// Safe when norms[doc] can be read for each doc, and three bytes more.
    public static func score(
        docs: UnsafePointer<UInt32>?, frequencies: UnsafePointer<UInt32>, count: Int, norms: UnsafePointer<UInt8>,
        inverse: UnsafePointer<Float>, weight: Float, into out: UnsafeMutablePointer<Float>
    ) {
        unsafe isotherm_bm25(docs, frequencies, count, norms, inverse, weight, out)
    }

    /// One posting's score, as the kernel computes it.
    @inlinable
    public static func score(frequency: UInt32, inverse: Float, weight: Float) -> Float {
        weight - weight / (1 + Float(Int32(truncatingIfNeeded: frequency)) * inverse)
    }

    // MARK: - Oracles

    public static func unpackTwin(_ packed: [UInt8], bits: Int) -> [UInt32] {
        (0..<blockSize).map { i in
            var value: UInt64 = 0
            for b in 0..<bits {
                let bit = (i >> 2) * bits + b
                let byte = 16 * (bit >> 5) + 4 * (i & 3) + (bit & 31) >> 3
                value |= UInt64(packed[byte] >> UInt8(bit & 7) & 1) << UInt64(b)
            }
            return UInt32(truncatingIfNeeded: value)
        }
    }

    public static func unpackRisingTwin(_ packed: [UInt8], bits: Int, after previous: UInt32) -> [UInt32] {
        var sum = previous
        return unpackTwin(packed, bits: bits).map { gap in
            sum = sum &+ gap &+ 1
            return sum
        }
    }
}
