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
    package static func decompress(_ input: RawSpan, count: Int) throws(Corruption) -> [UInt8] {
        guard count >= 0, count <= 1 << 30, input.byteCount <= 1 << 30 else { throw Corruption("block too large", at: 0) }
        if count == 0 { return [] }
        var got: Int32 = -1
        let output = input.withUnsafeBytes { source in
            // Safe: LZ4_decompress_safe writes at most `count` bytes and reads only the source.
            unsafe [UInt8](unsafeUninitializedCapacity: count) { output, written in
                got = unsafe LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    unsafe UnsafeMutableRawPointer(output.baseAddress!).assumingMemoryBound(to: CChar.self),
                    Int32(source.count), Int32(count))
                written = max(0, Int(got))
            }
        }
        guard Int(got) == count else { throw Corruption("damaged LZ4 block", at: 0) }
        return output
    }
}
