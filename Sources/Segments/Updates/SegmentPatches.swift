// What was patched of a segment's updatable columns: per document its newest version and sequence number, and the values
// that differ from the segment's. A value: a change copies the pages (512 documents each) that it touches and shares the rest, so that
// each snapshot keeps its own.
//
// File `<segment>.<generation>.upd`, little-endian:
//
//     offset   size   field
//     0        8      magic "ISOTHERM"
//     8        4      structure "UPD "
//     12       4      format version (1)
//     16       16     segment id (high 8, low 8)
//     32       4      documents of the segment
//     36       4      patched documents
//     40       ...    per patched document, rising: document v (less the one before), version zigzag v, sequence number v, record
//     end - 4  4      CRC-32C of all before
//
// A record: values v, then per value, fields rising: field ordinal v, value zigzag v, JSON text s; an empty text stands for the value's digits.
//
// Invariants
//     1  A patched document has one value of the field in the segment's own column: presence never changes.
//     2  Sequence numbers of a document's patches only rise.
// Format page: docs/formats/updates.md.

package import Bytes
package import Storage

/// One field's new value, before it is known in which segment it will lie.
package struct FieldPatch: Sendable, Equatable {
    package let path: String
    /// As in the column.
    package let value: Int64
    /// As the writer put it; empty for the digits of `value`.
    package let text: [UInt8]

    package init(path: String, value: Int64, text: [UInt8]) {
        (self.path, self.value) = (path, value)
        self.text = text.elementsEqual(String(value).utf8) ? [] : text
    }

    package var json: [UInt8] { text.isEmpty ? Array(String(value).utf8) : text }
}

/// A document's patches, all its fields.
package struct PatchedDocument: Sendable, Equatable {
    package struct Value: Sendable, Equatable {
        package var field: UInt32
        package var value: Int64
        /// Empty: the digits of `value`.
        package var text: [UInt8]
        package init(field: UInt32, value: Int64, text: [UInt8]) { (self.field, self.value, self.text) = (field, value, text) }
    }
    package var doc: DocID
    package var version: Int64
    package var seqNo: Int64
    /// By field, rising.
    package var values: [Value]

    package init(doc: DocID, version: Int64, seqNo: Int64, values: [Value]) {
        (self.doc, self.version, self.seqNo, self.values) = (doc, version, seqNo, values)
    }
}

package struct SegmentPatches: Sendable {
    package static let version: UInt32 = 1
    private static let pageShift = 9

    private final class Page: Sendable {
        /// Rising.
        let docs: [DocID]
        let versions: [Int64], seqNos: [Int64], records: [[UInt8]]
        init(_ docs: [DocID], _ versions: [Int64], _ seqNos: [Int64], _ records: [[UInt8]]) {
            (self.docs, self.versions, self.seqNos, self.records) = (docs, versions, seqNos, records)
        }
    }

    private var pages: [Page?]
    package let docCount: Int
    /// Patched documents.
    package private(set) var count = 0
    /// Fields with a patched value in some document.
    package private(set) var fields: Set<UInt32> = []

    package init(docCount: Int) {
        self.docCount = docCount
        pages = [Page?](repeating: nil, count: (docCount + (1 << Self.pageShift) - 1) >> Self.pageShift)
    }

    package static func fileName(segment: String, generation: UInt64) -> String { "\(segment).\(generation).upd" }

    // MARK: Reading

    package func contains(_ doc: DocID) -> Bool { place(of: doc) != nil }

    package func version(of doc: DocID) -> Int64? { place(of: doc).map { $0.page.versions[$0.index] } }
    package func seqNo(of doc: DocID) -> Int64? { place(of: doc).map { $0.page.seqNos[$0.index] } }

    package subscript(doc: DocID) -> PatchedDocument? { place(of: doc).map { Self.document($0.page, $0.index) } }

    package func containsAny(_ docs: Range<Int>) -> Bool {
        if docs.isEmpty { return false }
        for p in (docs.lowerBound >> Self.pageShift)...((docs.upperBound - 1) >> Self.pageShift) where p < pages.count {
            guard let page = pages[p] else { continue }
            let i = Presence.lowerBound(page.docs, DocID(docs.lowerBound))
            if i < page.docs.count, Int(page.docs[i]) < docs.upperBound { return true }
        }
        return false
    }

    /// Rising.
    package func forEach<E: Error>(_ body: (PatchedDocument) throws(E) -> Void) throws(E) {
        for case let page? in pages { for i in page.docs.indices { try body(Self.document(page, i)) } }
    }

    /// The patched values of one field.
    package func values(of field: UInt32) -> [(doc: DocID, value: Int64)] {
        var found: [(doc: DocID, value: Int64)] = []
        forEach { document in for v in document.values where v.field == field { found.append((document.doc, v.value)) } }
        return found
    }

    private func place(of doc: DocID) -> (page: Page, index: Int)? {
        let p = Int(doc) >> Self.pageShift
        guard p < pages.count, let page = pages[p] else { return nil }
        let i = Presence.lowerBound(page.docs, doc)
        return i < page.docs.count && page.docs[i] == doc ? (page, i) : nil
    }

    private static func document(_ page: Page, _ i: Int) -> PatchedDocument {
        // Records were made or checked here.
        let values = (try? decode(page.records[i])) ?? []
        return PatchedDocument(doc: page.docs[i], version: page.versions[i], seqNo: page.seqNos[i], values: values)
    }

    // MARK: Changing

    /// Lays changes over what there is: a field's new value replaces its old one, other fields stay.
    /// - Parameter changes: documents rise, below `docCount`, each once.
    package mutating func apply(_ changes: [PatchedDocument]) {
        var i = 0
        while i < changes.count {
            let p = Int(changes[i].doc) >> Self.pageShift, from = i
            guard p < pages.count else { return }
            while i < changes.count, Int(changes[i].doc) >> Self.pageShift == p { i += 1 }
            change(page: p, changes[from..<i])
        }
    }

    private mutating func change(page p: Int, _ changes: ArraySlice<PatchedDocument>) {
        let old = pages[p], n = old?.docs.count ?? 0
        var docs: [DocID] = [], versions: [Int64] = [], seqNos: [Int64] = [], records: [[UInt8]] = []
        for reserve in [n + changes.count] {
            docs.reserveCapacity(reserve)
            versions.reserveCapacity(reserve)
            seqNos.reserveCapacity(reserve)
            records.reserveCapacity(reserve)
        }
        var i = 0
        func keep(_ i: Int) {
            guard let old else { return }
            docs.append(old.docs[i])
            versions.append(old.versions[i])
            seqNos.append(old.seqNos[i])
            records.append(old.records[i])
        }
        for change in changes {
            while let old, i < n, old.docs[i] < change.doc {
                keep(i)
                i += 1
            }
            var values = change.values
            if let old, i < n, old.docs[i] == change.doc {
                values = Self.merge(Self.document(old, i).values, values)
                i += 1
            } else { count += 1 }
            docs.append(change.doc)
            versions.append(change.version)
            seqNos.append(change.seqNo)
            records.append(Self.encode(values))
            for v in change.values { fields.insert(v.field) }
        }
        while i < n {
            keep(i)
            i += 1
        }
        pages[p] = Page(docs, versions, seqNos, records)
    }

    private static func merge(_ old: [PatchedDocument.Value], _ new: [PatchedDocument.Value]) -> [PatchedDocument.Value] {
        (old.filter { o in !new.contains { $0.field == o.field } } + new).sorted { $0.field < $1.field }
    }

    // MARK: Bytes

    package func encoded(id: SegmentID) -> [UInt8] {
        var w = ByteWriter(reserving: 64 + 24 * count)
        w.raw("ISOTHERM".utf8)
        w.raw("UPD ".utf8)
        w.fixed(Self.version)
        w.fixed(id.high)
        w.fixed(id.low)
        w.fixed(UInt32(clamping: docCount))
        w.fixed(UInt32(clamping: count))
        var before: DocID = 0
        for case let page? in pages {
            for i in page.docs.indices {
                w.varint(UInt64(page.docs[i] - before))
                before = page.docs[i]
                w.signedVarint(page.versions[i])
                w.varint(UInt64(clamping: page.seqNos[i]))
                w.raw(page.records[i])
            }
        }
        w.fixed(CRC32C.of(w.bytes))
        return w.bytes
    }

    /// - Parameter fieldCount: of the segment: ordinals lie below it.
    package static func decode(_ bytes: [UInt8], id: SegmentID, docCount: Int, fieldCount: Int, path: String) throws(StorageError) -> SegmentPatches {
        var version = Self.version
        do throws(Corruption) {
            if let patches = try decode(bytes, id, docCount, fieldCount, &version) { return patches }
        } catch { throw StorageError(error, path: path) }
        throw StorageError(version > Self.version ? .tooNew : .tooOld, path: path, "patches format \(version); this build reads \(Self.version)", at: 12)
    }

    /// Nil when whole, but of another version.
    private static func decode(
        _ bytes: [UInt8], _ id: SegmentID, _ docCount: Int, _ fieldCount: Int, _ version: inout UInt32
    ) throws(Corruption) -> SegmentPatches? {
        let span = bytes.span.bytes
        var r = ByteReader(span)
        guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("UPD ".utf8) else { throw Corruption("not a patches file", at: 0) }
        version = try r.fixed()
        let bodyEnd = bytes.count - 4
        guard bodyEnd >= 40 else { throw Corruption("cut short", at: bytes.count) }
        var tail = ByteReader(span, at: bodyEnd)
        guard try tail.fixed(UInt32.self) == CRC32C.of(span.extracting(0..<bodyEnd)) else { throw Corruption("checksum differs", at: bodyEnd) }
        if version != Self.version { return nil }
        guard SegmentID(high: try r.fixed(), low: try r.fixed()) == id else { throw Corruption("belongs to another segment", at: 16) }
        guard Int(try r.fixed(UInt32.self)) == docCount else { throw Corruption("document count differs from the segment's", at: 32) }
        let count = Int(try r.fixed(UInt32.self))
        guard count <= docCount else { throw Corruption("impossible count", at: 36) }
        var patches = SegmentPatches(docCount: docCount), changes: [PatchedDocument] = [], doc = -1
        for i in 0..<count {
            let at = r.offset, gap = try r.count(max: docCount)
            guard i == 0 || gap > 0 else { throw Corruption("documents do not rise", at: at) }
            doc = i == 0 ? gap : doc + gap
            guard doc < docCount else { throw Corruption("no such document", at: at) }
            let version = try r.signedVarint(), seqNo = Int64(clamping: try r.varint())
            changes.append(PatchedDocument(doc: DocID(doc), version: version, seqNo: seqNo, values: try values(&r, fieldCount: fieldCount)))
        }
        guard r.offset == bodyEnd else { throw Corruption("bytes left over", at: r.offset) }
        patches.apply(changes)
        return patches
    }

    private static func encode(_ values: [PatchedDocument.Value]) -> [UInt8] {
        var w = ByteWriter(reserving: 16)
        w.varint(values.count)
        for v in values {
            w.varint(UInt64(v.field))
            w.signedVarint(v.value)
            w.string(v.text)
        }
        return w.bytes
    }

    private static func decode(_ record: [UInt8]) throws(Corruption) -> [PatchedDocument.Value] {
        var r = ByteReader(record.span.bytes)
        return try values(&r, fieldCount: Int(UInt32.max))
    }

    @_lifetime(r: copy r)
    private static func values(_ r: inout ByteReader, fieldCount: Int) throws(Corruption) -> [PatchedDocument.Value] {
        var values: [PatchedDocument.Value] = [], before = -1
        for _ in 0..<(try r.count(max: max(0, r.remaining))) {
            let at = r.offset, field = try r.count(max: Int(UInt32.max))
            guard field > before, field < fieldCount else { throw Corruption("no such field, or fields do not rise", at: at) }
            before = field
            values.append(PatchedDocument.Value(field: UInt32(field), value: try r.signedVarint(), text: try r.string()))
        }
        return values
    }
}
