// LZ4 blocks (the block format, no frame): stored fields and snapshots are packed with it.

internal import CIsothermLZ4

package enum LZ4 {
    /// The compressed block; it may be longer than the input when nothing repeats.
    /// - Precondition: at most 1 GiB.
    package static func compress(_ input: RawSpan) -> [UInt8] {
        precondition(input.byteCount <= 1 << 30)
        let bound = Int(unsafe LZ4_compressBound(Int32(input.byteCount)))
        return input.withUnsafeBytes { source in
            // Safe: the output has LZ4_compressBound bytes, so compression cannot fail or overrun.
            unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
                count = Int(unsafe LZ4_compress_default(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    unsafe UnsafeMutableRawPointer(output.baseAddress!).assumingMemoryBound(to: CChar.self),
                    Int32(source.count), Int32(bound)))
            }
        }
    }

    /// Unpacks a block whose unpacked length is known.
    /// - Throws: `Corruption` when the bytes are no LZ4 block of that length.
    package static func decompress(_ input: RawSpan, count: Int) throws(Corruption) -> [UInt8] { try decompress(input, first: count, of: count) }

    /// Unpacks the first bytes of a block whose unpacked length is known; what comes after them is neither unpacked nor checked.
    /// - Throws: `Corruption` when the bytes are no LZ4 block with so many.
    package static func decompress(_ input: RawSpan, first wanted: Int, of count: Int) throws(Corruption) -> [UInt8] {
        guard (0...(1 << 30)).contains(count), (0...count).contains(wanted), input.byteCount <= 1 << 30 else { throw Corruption("block too large", at: 0) }
        if wanted == 0 { return [] }
        var got: Int32 = -1
        let output = input.withUnsafeBytes { source in
            // Safe: both functions write at most `wanted` bytes and read only the source.
            unsafe [UInt8](unsafeUninitializedCapacity: wanted) { output, written in
                let from = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
                let to = unsafe UnsafeMutableRawPointer(output.baseAddress!).assumingMemoryBound(to: CChar.self)
                got = wanted == count
                    ? unsafe LZ4_decompress_safe(from, to, Int32(source.count), Int32(wanted))
                    : unsafe LZ4_decompress_safe_partial(from, to, Int32(source.count), Int32(wanted), Int32(wanted))
                written = max(0, Int(got))
            }
        }
        guard Int(got) == wanted else { throw Corruption("damaged LZ4 block", at: 0) }
        return output
    }
}
