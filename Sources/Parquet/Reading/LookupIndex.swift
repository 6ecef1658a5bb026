// Where the rows of a key lie in a file whose rows are sorted by it: for each row group its place, its rows and its first key. Kept as the
// last key value of the footer, so that it lies in the file's tail: a look-up reads the tail, then the one row group (or the few
// neighbours) with the key, all columns in one range. The footer proper, which grows with row groups times columns, need not be read: pages
// say of themselves what is needed to read them, and the caller knows the schema.
//
//     "isotherm.lookup" -> base64 of
//         u8       version 1
//         u32      CRC-32 of what follows
//         u32      CRC-32 of the schema's elements as the footer has them
//         u8       codec as in parquet.thrift
//         v        the key's column
//         v        row groups, then for each: offset v (from the end of the one before; the first from 4), length v,
//                  rows * 2 (+ 1 when its first key is also the last of the one before) v, first key s
//         s        the last key of the file
//
// Invariant: keys rise over the file. A key's groups are the last with first key <= key and those before it that it continues.

internal import Bytes

package struct LookupIndex: Sendable, Equatable {
    package struct Group: Sendable, Equatable {
        package var range: Range<Int>
        package var rows: Int
        package var firstKey: [UInt8]
        /// The key is also the last of the row group before.
        package var continues: Bool
    }

    package static let key = "isotherm.lookup"
    package internal(set) var schemaChecksum: UInt32
    package internal(set) var compression: Int32
    package internal(set) var leaf: Int
    package internal(set) var groups: [Group] = []
    package internal(set) var lastKey: [UInt8] = []

    /// The row groups that may hold `key`: neighbours, so their ranges are one.
    package func groups(for key: [UInt8]) -> Range<Int> {
        guard !groups.isEmpty, !lastKey.lexicographicallyPrecedes(key) else { return 0..<0 }
        // The first group that begins behind the key ends the range; it begins with the group that no other continues.
        var low = 0, high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if key.lexicographicallyPrecedes(groups[middle].firstKey) { high = middle } else { low = middle + 1 }
        }
        let end = low
        guard end > 0 else { return 0..<0 }
        var start = end - 1
        while start > 0, groups[start].continues, groups[start].firstKey == key { start -= 1 }
        return start..<end
    }

    static func checksum(_ schema: ParquetSchema) -> UInt32 {
        var metadata = FileMetadata()
        metadata.schema = schema
        return CRC32.of(metadata.serialized)
    }

    // MARK: -

    var serialized: String {
        var body = ByteWriter()
        body.fixed(schemaChecksum)
        body.byte(UInt8(truncatingIfNeeded: compression))
        body.varint(leaf)
        body.varint(groups.count)
        var end = 4
        for group in groups {
            body.varint(group.range.lowerBound - end)
            body.varint(group.range.count)
            body.varint(group.rows << 1 | (group.continues ? 1 : 0))
            body.string(group.firstKey)
            end = group.range.upperBound
        }
        body.string(lastKey)
        var out = ByteWriter()
        out.byte(1)
        out.fixed(CRC32.of(body.bytes))
        out.raw(body.bytes)
        return Base64.encode(out.bytes)
    }

    init(schemaChecksum: UInt32, compression: Int32, leaf: Int) { (self.schemaChecksum, self.compression, self.leaf) = (schemaChecksum, compression, leaf) }

    package init(_ text: some Collection<UInt8>) throws(ParquetError) {
        guard let bytes = Base64.decode(text) else { throw .damaged("look-up index is no base64", offset: 0) }
        do throws(Corruption) {
            // Safe: the spans are read while `bytes` lives.
            var reader = unsafe ByteReader(bytes.span.bytes)
            guard try reader.byte() == 1 else { throw Corruption("look-up index of another version", at: 0) }
            let sum = try reader.fixed(UInt32.self)
            guard unsafe CRC32.of(bytes.span.bytes.extracting(5..<bytes.count)) == sum else { throw Corruption("look-up index checksum differs", at: 0) }
            schemaChecksum = try reader.fixed()
            compression = Int32(try reader.byte())
            leaf = try reader.count(max: 1 << 20)
            var end = 4
            for _ in 0..<(try reader.count(max: reader.remaining)) {
                let start = end + (try reader.count(max: 1 << 48)), length = try reader.count(max: 1 << 40)
                guard start <= 1 << 48 else { throw Corruption("look-up index points beyond any file", at: 0) }
                end = start + length
                let rows = try reader.count(max: 1 << 40)
                groups.append(Group(range: start..<end, rows: rows >> 1, firstKey: try reader.string(), continues: rows & 1 == 1))
            }
            lastKey = try reader.string()
        } catch { throw .damaged(error.reason, offset: error.offset) }
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let digits = (0..<256).map { byte in UInt8(clamping: alphabet.firstIndex(of: UInt8(byte)) ?? 255) }

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let n = min(3, bytes.count - start)
            var word = 0
            for k in 0..<3 { word = word << 8 | (k < n ? Int(bytes[start + k]) : 0) }
            for k in 0..<4 { out.append(k <= n ? alphabet[word >> (18 - 6 * k) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var out: [UInt8] = [], word = 0, filled = 0, padding = 0
        for byte in text {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, case let digit = digits[Int(byte)], digit < 64 else { return nil }
            word = (word << 6 | Int(digit)) & 0xFFFFFF
            filled += 6
            if filled >= 8 {
                filled -= 8
                out.append(UInt8(truncatingIfNeeded: word >> filled))
            }
        }
        return padding <= 2 ? out : nil
    }
}
