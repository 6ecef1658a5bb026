// How a file lies in a repository: as it is, or in blocks packed with LZ4 where that saves a tenth. Pure.
//
// A packed blob, little-endian:
//
//     offset   size   field
//     0        8      magic "ISOTHERM"
//     8        4      structure "BLB "
//     12       4      format version (1)
//     16       8      length of the file
//     24       ...    blocks of 1 MiB of the file, the last one shorter: stored length u32 (top bit: the bytes as they are, LZ4 would
//                     have made them longer), CRC-32C of the stored bytes u32, the stored bytes
//
// Format page: docs/formats/snapshot.md.

internal import Bytes
internal import Storage

enum BlobFormat {
    static let version: UInt32 = 1
    static let blockBytes = 1 << 20
    static let headerBytes = 24
    static let blockHeaderBytes = 8
    /// Packed when a sample shrinks to so many hundredths at most.
    static let packedHundredthsMax = 90
    private static let samples = 16, sampleBytes = 64 << 10
    private static let asIs: UInt32 = 1 << 31

    static func header(length: Int) -> [UInt8] {
        var w = ByteWriter()
        w.raw("ISOTHERM".utf8)
        w.raw("BLB ".utf8)
        w.fixed(version)
        w.fixed(UInt64(length))
        return w.bytes
    }

    /// The next block of a packed blob.
    static func block(_ raw: RawSpan) -> [UInt8] {
        let packed = LZ4.compress(raw), isSmaller = packed.count < raw.byteCount
        var w = ByteWriter(reserving: (isSmaller ? packed.count : raw.byteCount) + blockHeaderBytes)
        if isSmaller {
            w.fixed(UInt32(packed.count))
            w.fixed(CRC32C.of(packed))
            w.raw(packed)
        } else {
            w.fixed(UInt32(raw.byteCount) | asIs)
            w.fixed(CRC32C.of(raw))
            w.raw(unsafe raw.withUnsafeBytes { unsafe Array($0) })
        }
        return w.bytes
    }

    /// Whether packing pays, by a sample of pieces from all over the file; of a file of few pieces by all of it.
    static func pays(_ bytes: RawSpan) -> Bool {
        if bytes.byteCount < 256 { return false }
        var raw = 0, packed = 0
        if bytes.byteCount <= samples * sampleBytes {
            (raw, packed) = (bytes.byteCount, LZ4.compress(bytes).count)
        } else {
            for i in 0..<samples {
                let at = (bytes.byteCount - sampleBytes) / (samples - 1) * i
                raw += sampleBytes
                packed += LZ4.compress(bytes.extracting(at..<at + sampleBytes)).count
            }
        }
        return packed * 100 <= raw * packedHundredthsMax
    }

    /// - Throws: `Corruption` when this is no packed blob of a file of that length.
    static func check(header: [UInt8], length: Int) throws(Corruption) {
        // Safe: bytes have no padding.
        var r = ByteReader(unsafe header.span.bytes)
        guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("BLB ".utf8) else { throw Corruption("not a packed blob", at: 0) }
        guard try r.fixed(UInt32.self) == version else { throw Corruption("a blob of another format", at: 12) }
        guard try r.fixed(UInt64.self) == UInt64(length) else { throw Corruption("holds a file of another length", at: 16) }
    }

    /// What a block's header says.
    static func blockHeader(_ bytes: [UInt8]) throws(Corruption) -> (stored: Int, isPacked: Bool, checksum: UInt32) {
        var r = ByteReader(unsafe bytes.span.bytes)
        let word = try r.fixed(UInt32.self), checksum = try r.fixed(UInt32.self), stored = Int(word & ~asIs)
        guard stored <= blockBytes else { throw Corruption("impossible block", at: 0) }
        return (stored, word & asIs == 0, checksum)
    }

    static func unpack(_ stored: [UInt8], isPacked: Bool, checksum: UInt32, length: Int) throws(Corruption) -> [UInt8] {
        guard CRC32C.of(stored) == checksum else { throw Corruption("block checksum differs", at: 0) }
        if isPacked { return try LZ4.decompress(unsafe stored.span.bytes, count: length) }
        guard stored.count == length else { throw Corruption("impossible block", at: 0) }
        return stored
    }
}

/// Of a file's bytes: XXH64 over the XXH64 of each of its blocks of 1 MiB, so that it is made block by block.
struct FileDigest {
    private var blocks = ByteWriter()
    private(set) var length = 0

    /// - Parameter hash: XXH64 of the next block, of 1 MiB unless it is the last one.
    mutating func add(hash: UInt64, length: Int) {
        blocks.fixed(hash)
        self.length += length
    }

    var text: String {
        let digits = String(XXHash64.of(blocks.bytes), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func of(_ bytes: [UInt8]) -> String {
        var digest = FileDigest()
        for at in stride(from: 0, to: bytes.count, by: BlobFormat.blockBytes) {
            let block = Array(bytes[at..<min(bytes.count, at + BlobFormat.blockBytes)])
            digest.add(hash: XXHash64.of(block), length: block.count)
        }
        return digest.text
    }
}
