// One file per segment: sections (postings, columns, stored fields, ...) one after another in one
// envelope, mapped once. Any structure is a section; who writes a section reads it.
//
//     offset        size   field
//     0             8      magic "ISOTHERM"
//     8             4      structure "SEG "
//     12            4      format version (1)
//     16            16     segment id
//     32            ...    sections, each starting at a multiple of 8
//     t             ...    section table: count u32, then per section kind u16, reserved u16, field u32,
//                          offset u64, length u64: sorted by (kind, field)
//     c             4 n    CRC-32C of each 65,536-byte chunk of [0, c), the last one shorter
//     end - 32      8      t
//     end - 24      8      c
//     end - 16      8      length of the whole file
//     end - 8       4      CRC-32C of [c, end - 8)
//     end - 4       4      "ISOE"
//
// Invariants
//     1  A chunk's checksum is compared before the first byte of it is used (`Section.verify`).
//     2  Sections never change: a new version of the format is a new number, beside this one.
// Format page: docs/formats/segment.md.

package import Bytes
package import Storage
import Synchronization

/// What a section holds. Numbers are part of the format: never reused.
package enum SectionKind: UInt16, Sendable, CaseIterable {
    // 1..19: the segment as a whole
    case fields = 1, identifiers = 2, versions = 3, sequenceNumbers = 4, storedIndex = 5, storedBlocks = 6
    case primaryTerms = 7, routing = 8
    // 20..39: inverted; `field` is 0 where the section serves all fields
    case termIndex = 20, termBlocks = 21, postings = 22, positions = 23, norms = 24, impacts = 25, offsets = 26
    // 40..69: columns: one index and one run of bytes for all fields, so that a thousand sparse fields cost
    // no thousand sections
    case columnIndex = 40, columnData = 41
}

package struct SegmentID: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64, low: UInt64
    package init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
    package init(using random: inout some RandomNumberGenerator) { self.init(high: random.next(), low: random.next()) }
    package var description: String { hex(high) + hex(low) }
}

/// Writes sections in the order they come. The file counts for nothing until `finish` returned and a
/// commit point names it.
package final class SegmentFileWriter {
    package let id: SegmentID
    private let file: any WritableFile
    private let path: String
    private var buffer: [UInt8] = []
    private var flushed = 0
    private var sections: [(kind: SectionKind, field: UInt32, offset: Int, length: Int)] = []
    private var chunkSums: [UInt32] = []
    private var chunk = 0
    private var chunkFill = 0
    private static let bufferMax = 1 << 20

    package init(_ directory: any Directory, name: String, id: SegmentID) throws(StorageError) {
        self.id = id
        file = try directory.create(name)
        path = directory.path + "/" + name
        var head = ByteWriter(reserving: 32)
        head.raw("ISOTHERM".utf8)
        head.raw("SEG ".utf8)
        head.fixed(SegmentFile.version)
        head.fixed(id.high)
        head.fixed(id.low)
        buffer = head.bytes
    }

    /// Bytes since the file's start: where the next byte goes.
    package var offset: Int { flushed + buffer.count }

    /// Opens a section; all `write`s until `endSection` belong to it.
    package func beginSection(_ kind: SectionKind, field: UInt32 = 0) throws(StorageError) {
        while offset % 8 != 0 { buffer.append(0) }
        sections.append((kind, field, offset, 0))
    }

    /// Bytes written to the open section so far.
    package var sectionOffset: Int { sections.last.map { offset - $0.offset } ?? 0 }

    package func write(_ bytes: [UInt8]) throws(StorageError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferMax { try flush() }
    }

    package func write(_ bytes: RawSpan) throws(StorageError) {
        bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        if buffer.count >= Self.bufferMax { try flush() }
    }

    package func endSection() {
        guard !sections.isEmpty else { return }
        sections[sections.count - 1].length = offset - sections[sections.count - 1].offset
    }

    /// A whole section at once.
    package func section(_ kind: SectionKind, field: UInt32 = 0, _ bytes: [UInt8]) throws(StorageError) {
        try beginSection(kind, field: field)
        try write(bytes)
        endSection()
    }

    /// Writes table, checksums and footer, syncs and closes.
    /// - Returns: the file's length, for the commit point.
    package func finish() throws(StorageError) -> Int {
        while offset % 8 != 0 { buffer.append(0) }
        let tableOffset = offset
        var table = ByteWriter()
        table.fixed(UInt32(sections.count))
        let sorted = sections.sorted { ($0.kind.rawValue, $0.field) < ($1.kind.rawValue, $1.field) }
        for s in sorted {
            table.fixed(s.kind.rawValue)
            table.fixed(UInt16(0))
            table.fixed(s.field)
            table.fixed(UInt64(s.offset))
            table.fixed(UInt64(s.length))
        }
        try write(table.bytes)
        while offset % 8 != 0 { buffer.append(0) }
        try flush()
        if chunkFill > 0 { chunkSums.append(UInt32(truncatingIfNeeded: chunk)) }
        let sumsOffset = offset
        var tail = ByteWriter()
        for sum in chunkSums { tail.fixed(sum) }
        tail.fixed(UInt64(tableOffset))
        tail.fixed(UInt64(sumsOffset))
        let length = sumsOffset + tail.count + 16
        tail.fixed(UInt64(length))
        let sum = CRC32C.of(tail.bytes)
        tail.fixed(sum)
        tail.raw("ISOE".utf8)
        try file.append(tail.bytes)
        try file.sync()
        try file.close()
        return length
    }

    private func flush() throws(StorageError) {
        var start = 0
        while start < buffer.count {
            let n = min(SegmentFile.chunkSize - chunkFill, buffer.count - start)
            let part = buffer.span.bytes.extracting(start..<start + n)
            chunk = Int(CRC32C.of(part, seed: UInt32(truncatingIfNeeded: chunk)))
            chunkFill += n
            start += n
            if chunkFill == SegmentFile.chunkSize {
                chunkSums.append(UInt32(truncatingIfNeeded: chunk))
                (chunk, chunkFill) = (0, 0)
            }
        }
        try file.append(buffer)
        flushed += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}

/// An open segment file.
@safe package final class SegmentFile: Sendable {
    package static let version: UInt32 = 1
    package static let chunkSize = 65_536

    package let id: SegmentID
    package let bytes: MappedBytes
    /// Where the table's records begin, and how many there are: found by binary search, so that opening makes
    /// no object per section.
    private let tableStart: Int
    private let tableCount: Int
    private let sumsOffset: Int
    /// One bit per chunk whose checksum was compared. Two readers may compare the same chunk; neither waits.
    /// Safe: made in init, given back in deinit, when no reader can be left; in between only its atomics change.
    private nonisolated(unsafe) let verified: UnsafeMutablePointer<Atomic<UInt64>>
    private let verifiedWords: Int

    /// Opens and checks the envelope: footer, table and header. Sections are checked when touched.
    /// - Parameter length: what the commit point says; nil to take the file's own.
    package static func open(_ directory: any Directory, name: String, length: Int? = nil) throws(StorageError) -> SegmentFile {
        try SegmentFile(directory.map(name), length: length)
    }

    package init(_ bytes: MappedBytes, length: Int?) throws(StorageError) {
        self.bytes = bytes
        let path = bytes.path
        func damaged(_ reason: String, _ offset: Int) -> StorageError { StorageError(.corrupt, path: path, reason, at: offset) }
        let end = bytes.count
        if let length, length != end { throw damaged("the file has \(end) bytes, its commit point says \(length)", min(end, length)) }
        guard end >= 32 + 4 + 32 else { throw damaged("too short to be a segment", end) }
        let opened: (SegmentID, Int, Int, Int) = try bytes.withBytes { span throws(StorageError) in
            do throws(Corruption) {
                var r = ByteReader(span)
                guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("SEG ".utf8) else { throw Corruption("not a segment file", at: 0) }
                let version = try r.fixed(UInt32.self)
                if version != SegmentFile.version { throw Corruption("version \(version)", at: 12) }
                let id = SegmentID(high: try r.fixed(), low: try r.fixed())
                r.offset = end - 32
                let tableOffset = try r.fixed(UInt64.self), sums = try r.fixed(UInt64.self), total = try r.fixed(UInt64.self)
                let footerSum = try r.fixed(UInt32.self)
                guard try r.raw(4) == Array("ISOE".utf8) else { throw Corruption("no footer: cut short?", at: end - 4) }
                guard total == UInt64(end), sums <= UInt64(end - 32), sums % 8 == 0, tableOffset >= 32, tableOffset + 4 <= sums else {
                    throw Corruption("impossible footer", at: end - 32)
                }
                let sumsOffset = Int(sums)
                guard CRC32C.of(span.extracting(sumsOffset..<end - 8)) == footerSum else { throw Corruption("footer checksum differs", at: sumsOffset) }
                let chunks = (sumsOffset + SegmentFile.chunkSize - 1) / SegmentFile.chunkSize
                guard end - 32 - sumsOffset == 4 * chunks else { throw Corruption("impossible footer", at: end - 32) }
                r.offset = Int(tableOffset)
                for c in Int(tableOffset) / SegmentFile.chunkSize..<chunks { try SegmentFile.compare(span, chunk: c, sumsOffset) }
                try SegmentFile.compare(span, chunk: 0, sumsOffset)
                let count = Int(try r.fixed(UInt32.self))
                guard count <= (sumsOffset - Int(tableOffset)) / 24 else { throw Corruption("impossible section count", at: Int(tableOffset)) }
                var last: UInt64?
                for i in 0..<count {
                    let at = r.offset
                    let entry = try SegmentFile.entry(span, Int(tableOffset) + 4, i)
                    guard entry.offset >= 32, entry.offset <= Int(tableOffset), entry.length <= Int(tableOffset) - entry.offset else {
                        throw Corruption("section out of bounds", at: at)
                    }
                    if let last, last >= entry.key { throw Corruption("sections out of order", at: at) }
                    last = entry.key
                }
                return (id, Int(tableOffset) + 4, count, sumsOffset)
            } catch {
                if error.reason.hasPrefix("version ") {
                    let found = UInt32(error.reason.dropFirst(8)) ?? 0
                    throw StorageError(
                        found > SegmentFile.version ? .tooNew : .tooOld, path: path,
                        "segment format \(found); this build reads \(SegmentFile.version)", at: 12)
                }
                throw StorageError(error, path: path)
            }
        }
        (id, tableStart, tableCount, sumsOffset) = opened
        verifiedWords = (sumsOffset / SegmentFile.chunkSize) / 64 + 1
        unsafe verified = .allocate(capacity: verifiedWords)
        for word in 0..<verifiedWords { unsafe (verified + word).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe verified.deinitialize(count: verifiedWords)
        unsafe verified.deallocate()
    }

    /// The section, nil when the segment has none of that kind for that field. O(log sections).
    package func section(_ kind: SectionKind, field: UInt32 = 0) -> Section? {
        let wanted = UInt64(kind.rawValue) << 32 | UInt64(field)
        return bytes.withBytes { span in
            var low = 0, high = tableCount
            while low < high {
                let middle = (low + high) / 2
                guard let entry = try? Self.entry(span, tableStart, middle) else { return nil }
                if entry.key == wanted { return Section(file: self, offset: entry.offset, count: entry.length) }
                if entry.key < wanted { low = middle + 1 } else { high = middle }
            }
            return nil
        }
    }

    /// Kinds, fields, offsets and lengths of all sections, by offset.
    package var sections: [(kind: UInt16, field: UInt32, offset: Int, length: Int)] {
        let all = bytes.withBytes { span in (0..<tableCount).compactMap { try? Self.entry(span, tableStart, $0) } }
        return all.map { (UInt16($0.key >> 32), UInt32(truncatingIfNeeded: $0.key), $0.offset, $0.length) }.sorted { $0.2 < $1.2 }
    }

    /// Compares the checksums of every chunk that holds a byte of `range` and was not compared yet.
    package func verify(_ range: Range<Int>) throws(StorageError) {
        if range.isEmpty { return }
        precondition(range.lowerBound >= 0 && range.upperBound <= sumsOffset)
        let first = range.lowerBound / Self.chunkSize, last = (range.upperBound - 1) / Self.chunkSize
        for word in first >> 6...last >> 6 {
            var wanted = UInt64.max
            if word == first >> 6 { wanted &= .max << UInt64(first & 63) }
            if word == last >> 6 { wanted &= .max >> UInt64(63 - last & 63) }
            // Safe: chunks lie below sumsOffset, and there is a word for each 64 of them.
            let missing = wanted & ~(unsafe verified[word].load(ordering: .acquiring))
            if missing != 0 { try compare(word, missing) }
        }
    }

    private func compare(_ word: Int, _ missing: UInt64) throws(StorageError) {
        do throws(Corruption) {
            try bytes.withBytes { span throws(Corruption) in
                for bit in 0..<64 where missing >> UInt64(bit) & 1 == 1 { try Self.compare(span, chunk: word << 6 | bit, sumsOffset) }
            }
        } catch { throw StorageError(error, path: bytes.path) }
        unsafe verified[word].bitwiseOr(missing, ordering: .releasing)
    }

    /// Compares every checksum: the background scrub and `isotherm check`.
    package func verifyAll() throws(StorageError) { try verify(0..<sumsOffset) }

    /// Record i of the section table; its key orders by (kind, field).
    private static func entry(_ span: RawSpan, _ start: Int, _ i: Int) throws(Corruption) -> (key: UInt64, offset: Int, length: Int) {
        var r = ByteReader(span, at: start + 24 * i)
        let kind = try r.fixed(UInt16.self)
        _ = try r.fixed(UInt16.self)
        let field = try r.fixed(UInt32.self)
        return (UInt64(kind) << 32 | UInt64(field), Int(clamping: try r.fixed(UInt64.self)), Int(clamping: try r.fixed(UInt64.self)))
    }

    private static func compare(_ span: RawSpan, chunk: Int, _ sumsOffset: Int) throws(Corruption) {
        let start = chunk * chunkSize, stop = min(start + chunkSize, sumsOffset)
        var r = ByteReader(span, at: sumsOffset + 4 * chunk)
        let expected = try r.fixed(UInt32.self)
        guard CRC32C.of(span.extracting(start..<stop)) == expected else { throw Corruption("chunk checksum differs", at: start) }
    }
}

/// Bytes of one section. Offsets are from its start.
package struct Section: Sendable {
    package let file: SegmentFile
    /// Of the section within the file.
    package let offset: Int
    package let count: Int

    /// Must be called, for what will be read, before it is read.
    package func verify(_ range: Range<Int>) throws(StorageError) {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw StorageError(.corrupt, path: file.bytes.path, "reference past the end of a section", at: offset + range.lowerBound)
        }
        try file.verify(offset + range.lowerBound..<offset + range.upperBound)
    }

    package func verifyAll() throws(StorageError) { try verify(0..<count) }

    /// Verifies, then lends, `range`.
    package func withBytes<R: ~Copyable>(_ range: Range<Int>, _ body: (RawSpan) throws(Corruption) -> R) throws(StorageError) -> R {
        try verify(range)
        do throws(Corruption) {
            return try file.bytes.withBytes { span throws(Corruption) in
                try body(span.extracting(offset + range.lowerBound..<offset + range.upperBound))
            }
        } catch {
            throw StorageError(.corrupt, path: file.bytes.path, error.reason, at: offset + range.lowerBound + error.offset)
        }
    }

    package func withBytes<R: ~Copyable>(_ body: (RawSpan) throws(Corruption) -> R) throws(StorageError) -> R { try withBytes(0..<count, body) }

    /// For decoders' inner loops: call `verify` for what is read, keep `file` alive beside it.
    package var unsafeBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: file.bytes.unsafeBytes[offset..<offset + count]) }

    /// Damage found at `offset` of this section, as an error that names the file.
    package func damaged(_ reason: String, at offset: Int) -> StorageError {
        StorageError(.corrupt, path: file.bytes.path, reason, at: self.offset + offset)
    }
}

// MARK: -

private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
