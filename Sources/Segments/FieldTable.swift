// Which fields a segment has, what is kept for each, and the statistics that scoring needs. Records have
// a fixed width and are sorted by path, so a path is found by binary search on the mapped bytes: opening
// makes no object per field, and an index of 10,000 sparse attributes opens as fast as one of ten.
//
// Section `fields`, little-endian:
//
//     offset        size   field
//     0             4      docCount: documents of the segment, deleted ones included
//     4             4      n: fields
//     8             40 n   records, sorted by the bytes of their paths; a record's place is its ordinal
//     8 + 40 n      ...    names: per field the path's bytes, then the kind's bytes
//
// A record:
//
//     0             4      where the path begins in the names
//     4             2      length of the path
//     6             1      length of the kind, which follows the path
//     7             1      constant norm
//     8             4      features
//     12            4      documents with at least one posting
//     16            8      sumDocFreq
//     24            8      sumTotalTermFreq
//     32            8      termCount
//
// Invariants
//     1  Paths strictly rise, byte-wise.
//     2  The whole section is verified at open, so look-ups cannot fail; what is out of bounds all the same
//        reads as an absent field.

package import Bytes
package import Storage

/// One field of one segment.
package struct FieldInfo: Sendable, Equatable {
    /// The `field` of sections and of the term dictionary's keys: the place in the order of paths.
    package var ordinal: UInt32
    package var path: String
    package var features: Features
    /// Mapping kind (`FieldType.Kind` as written), so that a segment explains itself.
    package var kind: String
    /// Documents with at least one posting.
    package var docCount = 0
    /// Postings: the sum of docFreq over terms.
    package var sumDocFreq = 0
    /// Tokens: the sum of frequencies; equal to sumDocFreq where frequencies are not kept.
    package var sumTotalTermFreq = 0
    package var termCount = 0
    /// The one norm byte of every document, when `constantNorms`.
    package var constantNorm: UInt8 = 0

    package struct Features: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let postings = Features(rawValue: 1)
        package static let frequencies = Features(rawValue: 2)
        package static let positions = Features(rawValue: 4)
        package static let norms = Features(rawValue: 8)
        package static let constantNorms = Features(rawValue: 16)
        package static let numbers = Features(rawValue: 32)
        package static let keywords = Features(rawValue: 64)
        package static let points = Features(rawValue: 128)
        package static let multiValued = Features(rawValue: 256)
    }

    package init(ordinal: UInt32, path: String, features: Features, kind: String) {
        (self.ordinal, self.path, self.features, self.kind) = (ordinal, path, features, kind)
    }
}

package struct FieldTable: Sendable {
    package let docCount: Int
    package let count: Int
    private let bytes: MappedBytes
    /// Of the section within `bytes`, already verified.
    private let start: Int, end: Int
    private static let headSize = 8, recordSize = 40
    /// Of a path, in bytes: longer ones are refused by the mapping.
    package static let pathMax = 65_535

    /// A table that was not read from a file.
    /// - Precondition: `fields` sorted by the bytes of their paths.
    package init(docCount: Int, fields: [FieldInfo]) {
        let encoded = Self.encode(docCount: docCount, fields: fields)
        self.init(docCount: docCount, count: fields.count, bytes: MappedBytes(path: "memory", copying: encoded), start: 0, end: encoded.count)
    }

    package init(_ file: SegmentFile) throws(StorageError) {
        guard let section = file.section(.fields) else { throw StorageError(.corrupt, path: file.bytes.path, "no field table") }
        let head = try section.withBytes { span throws(Corruption) in
            var r = ByteReader(span)
            let docs = Int(try r.fixed(UInt32.self)), count = Int(try r.fixed(UInt32.self))
            guard count <= (span.byteCount - Self.headSize) / Self.recordSize, docs <= Int(Int32.max) else { throw Corruption("impossible field count", at: 0) }
            return (docs, count)
        }
        self.init(docCount: head.0, count: head.1, bytes: file.bytes, start: section.offset, end: section.offset + section.count)
    }

    private init(docCount: Int, count: Int, bytes: MappedBytes, start: Int, end: Int) {
        (self.docCount, self.count, self.bytes, self.start, self.end) = (docCount, count, bytes, start, end)
    }

    /// The field of that path, nil when the segment has none. O(log count).
    package subscript(path: String) -> FieldInfo? { ordinal(of: path).map { self[ordinal: $0] } }

    package func ordinal(of path: String) -> UInt32? {
        var path = path
        return path.withUTF8 { wanted in
            bytes.withBytes { span in
                let table = span.extracting(start..<end)
                var low = 0, high = count
                while low < high {
                    let middle = (low + high) / 2
                    guard let name = Self.name(table, middle, count) else { return nil }
                    let order = unsafe compare(table.extracting(name), wanted)
                    if order == 0 { return UInt32(middle) }
                    if order < 0 { low = middle + 1 } else { high = middle }
                }
                return nil
            }
        }
    }

    /// The field in that place; one without features when there is none.
    package subscript(ordinal ordinal: UInt32) -> FieldInfo {
        decode(Int(ordinal)) ?? FieldInfo(ordinal: ordinal, path: "", features: [], kind: "")
    }

    /// All fields, by path. O(count): for merging and inspection.
    package var all: [FieldInfo] { (0..<count).map { self[ordinal: UInt32($0)] } }

    /// The section's bytes. `fields` sorted by the bytes of their paths.
    package static func encode(docCount: Int, fields: [FieldInfo]) -> [UInt8] {
        var w = ByteWriter(reserving: headSize + fields.count * (recordSize + 24))
        var names = ByteWriter(reserving: fields.count * 24)
        w.fixed(UInt32(clamping: docCount))
        w.fixed(UInt32(clamping: fields.count))
        for field in fields {
            let path = field.path.utf8.prefix(pathMax), kind = field.kind.utf8.prefix(255)
            w.fixed(UInt32(clamping: names.count))
            w.fixed(UInt16(clamping: path.count))
            w.byte(UInt8(clamping: kind.count))
            w.byte(field.constantNorm)
            w.fixed(field.features.rawValue)
            w.fixed(UInt32(clamping: field.docCount))
            w.fixed(UInt64(clamping: field.sumDocFreq))
            w.fixed(UInt64(clamping: field.sumTotalTermFreq))
            w.fixed(UInt64(clamping: field.termCount))
            names.raw(path)
            names.raw(kind)
        }
        return w.bytes + names.bytes
    }

    /// Whether `a` comes before `b` in a field table: by bytes, not by Unicode equivalence as `String` orders.
    package static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    // MARK: -

    private func decode(_ i: Int) -> FieldInfo? {
        guard i < count else { return nil }
        return bytes.withBytes { span in
            let table = span.extracting(start..<end)
            guard let name = Self.name(table, i, count) else { return nil }
            do throws(Corruption) {
                var r = ByteReader(table, at: Self.headSize + i * Self.recordSize + 6)
                let kindLength = Int(try r.byte()), norm = try r.byte()
                var info = FieldInfo(
                    ordinal: UInt32(i), path: Self.text(table.extracting(name)),
                    features: FieldInfo.Features(rawValue: try r.fixed()), kind: "")
                info.constantNorm = norm
                info.docCount = Int(try r.fixed(UInt32.self))
                info.sumDocFreq = Int(clamping: try r.fixed(UInt64.self))
                info.sumTotalTermFreq = Int(clamping: try r.fixed(UInt64.self))
                info.termCount = Int(clamping: try r.fixed(UInt64.self))
                guard kindLength <= table.byteCount - name.upperBound else { return nil }
                info.kind = Self.text(table.extracting(name.upperBound..<name.upperBound + kindLength))
                return info
            } catch { return nil }
        }
    }

    /// Where record i's path lies in the section.
    private static func name(_ table: RawSpan, _ i: Int, _ count: Int) -> Range<Int>? {
        do throws(Corruption) {
            var r = ByteReader(table, at: headSize + i * recordSize)
            let offset = headSize + count * recordSize + Int(try r.fixed(UInt32.self)), length = Int(try r.fixed(UInt16.self))
            return offset <= table.byteCount - length ? offset..<offset + length : nil
        } catch { return nil }
    }

    private static func text(_ span: RawSpan) -> String { span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
}

/// Byte-wise order: negative, 0 or positive.
private func compare(_ a: RawSpan, _ b: UnsafeBufferPointer<UInt8>) -> Int {
    let n = unsafe min(a.byteCount, b.count)
    for i in 0..<n {
        // Safe: i is below both counts.
        let x = unsafe a.unsafeLoad(fromUncheckedByteOffset: i, as: UInt8.self), y = unsafe b[i]
        if x != y { return Int(x) - Int(y) }
    }
    return unsafe a.byteCount - b.count
}
