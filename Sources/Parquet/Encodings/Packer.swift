// Packs and unpacks pages with Zstandard or Snappy (Compression.md). One packer for one task: its context is reused, never shared.

internal import CIsothermSnappy
internal import CIsothermZstd
internal import Synchronization

@safe final class Packer {
    private let compression: Compression
    private let level: Int32
    private var compressor: OpaquePointer?
    private var decompressor: OpaquePointer?

    /// - Throws: `unsupported` for a codec other than ZSTD, SNAPPY and UNCOMPRESSED.
    init(_ compression: Compression, level: Int = 3) throws(ParquetError) {
        guard compression == .zstd || compression == .snappy || compression == .uncompressed else { throw .unsupported("codec \(compression)") }
        self.compression = compression
        self.level = Int32(clamping: level)
    }

    deinit {
        // Safe: both are nil or made here, and given away once.
        if let compressor = unsafe compressor { unsafe Self.idleCompressors.giveBack(compressor, ZSTD_freeCCtx) }
        if let decompressor = unsafe decompressor { unsafe Self.idleDecompressors.giveBack(decompressor, ZSTD_freeDCtx) }
    }

    /// Appends the packed bytes.
    func pack(_ input: UnsafeRawBufferPointer, to out: inout [UInt8]) throws(ParquetError) {
        switch compression {
        case .zstd:
            if unsafe compressor == nil { unsafe compressor = Self.idleCompressors.take() ?? ZSTD_createCCtx() }
            let start = out.count, bound = ZSTD_compressBound(input.count)
            var n = 0
            unsafe grow(&out, bound) { unsafe n = ZSTD_compressCCtx(compressor, $0, bound, input.baseAddress, input.count, level) }
            guard ZSTD_isError(n) == 0 else { throw .misuse("Zstandard could not pack a page of \(input.count) bytes") }
            out.removeLast(out.count - start - n)
        case .snappy:
            let start = out.count, bound = snappy_max_compressed_length(input.count)
            var n = bound
            unsafe grow(&out, bound) { unsafe _ = snappy_compress(input.baseAddress?.assumingMemoryBound(to: CChar.self), input.count, $0.assumingMemoryBound(to: CChar.self), &n) }
            out.removeLast(out.count - start - n)
        default: unsafe out.append(contentsOf: input)
        }
    }

    /// The page of `count` bytes, which the caller has bounded.
    func unpack(_ input: UnsafeRawBufferPointer, count: Int) throws(ParquetError) -> [UInt8] {
        if compression == .uncompressed {
            guard input.count == count else { throw .damaged("page of another length than its header says", offset: 0) }
            return unsafe Array(input)
        }
        if count == 0 { return [] }
        var out: [UInt8] = [], good = false
        if compression == .zstd {
            if unsafe decompressor == nil { unsafe decompressor = Self.idleDecompressors.take() ?? ZSTD_createDCtx() }
            // Safe: at most `count` bytes are written, into room for as many.
            unsafe out = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
                let n = unsafe ZSTD_decompressDCtx(decompressor, buffer.baseAddress, count, input.baseAddress, input.count)
                good = ZSTD_isError(n) == 0 && n == count
                written = good ? count : 0
            }
        } else {
            let source = unsafe input.baseAddress?.assumingMemoryBound(to: CChar.self)
            var n = 0
            guard unsafe snappy_uncompressed_length(source, input.count, &n) == SNAPPY_OK, n == count else { throw .damaged("page is no Snappy stream of its length", offset: 0) }
            // Safe: as above.
            unsafe out = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
                let target = unsafe UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self)
                good = unsafe snappy_uncompress(source, input.count, target, &n) == SNAPPY_OK && n == count
                written = good ? count : 0
            }
        }
        guard good else { throw .damaged("page is no \(compression) frame of its length", offset: 0) }
        return out
    }

    // MARK: -

    /// Contexts kept from one packer to the next: making one for each column chunk cost 6 % of a scan of small row groups.
    private final class Idle: Sendable {
        @safe private struct Kept: @unchecked Sendable {
            // Safe: whoever takes a context out of the list is the only one to have it.
            let context: OpaquePointer
        }
        private let list = Mutex<[Kept]>([])
        private static let most = 16

        func take() -> OpaquePointer? {
            if let kept = list.withLock({ $0.popLast() }) { return unsafe kept.context }
            return nil
        }

        func giveBack(_ context: OpaquePointer, _ free: (OpaquePointer?) -> Int) {
            let kept = unsafe Kept(context: context)
            let isKept = list.withLock { list in
                guard list.count < Self.most else { return false }
                list.append(kept)
                return true
            }
            if !isKept { unsafe _ = free(context) }
        }
    }
    private static let idleCompressors = Idle(), idleDecompressors = Idle()

    /// Appends `bound` bytes that `fill` writes at the pointer it is given.
    private func grow(_ out: inout [UInt8], _ bound: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        let start = out.count
        out.append(contentsOf: repeatElement(0, count: bound))
        // Safe: `bound` bytes lie behind `start`.
        unsafe out.withUnsafeMutableBytes { unsafe fill($0.baseAddress! + start) }
    }
}
