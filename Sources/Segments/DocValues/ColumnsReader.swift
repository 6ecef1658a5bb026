// Everything a segment keeps by document rather than by term: number and keyword columns, points, stored
// `_source`, identifiers, versions and sequence numbers. A column is decoded and checked on first use and
// then kept for the life of the segment; two threads that come first at once may both decode it, and one
// of the two is kept.

package import Bytes
package import Storage
import Synchronization

package final class ColumnsReader: Sendable {
    package let file: SegmentFile
    package let docCount: Int
    /// Patches laid over the file's columns; nil for none.
    let overlay: ColumnOverlay?
    private let opened = Mutex(Opened())

    /// What has been decoded. An inner nil: the segment has none.
    private struct Opened {
        var index: ColumnIndex??
        var numbers: [UInt32: NumberColumn?] = [:]
        var keywords: [UInt32: KeywordColumn?] = [:]
        var points: [UInt32: Points?] = [:]
        var stored: StoredFields?
        var identifiers: Identifiers?
        var versions: NumberPerDocument??
        var sequenceNumbers: NumberPerDocument??
        var primaryTerms: NumberPerDocument??
        var routing: [DocID: String]?
    }

    /// Touches nothing: made when a segment is opened.
    package init(file: SegmentFile, docCount: Int) { (self.file, self.docCount, overlay) = (file, docCount, nil) }

    init(_ overlay: ColumnOverlay) { (file, docCount, self.overlay) = (overlay.base.file, overlay.base.docCount, overlay) }

    /// Updatable columns' values that differ from the file's; nil for none.
    package var patches: SegmentPatches? { overlay?.patches }

    /// The column, if somebody asked for it before.
    func decodedNumbers(_ field: UInt32) -> NumberColumn? { opened.withLock { $0.numbers[field] ?? nil } }

    // MARK: Columns

    package func numbers(_ field: UInt32) throws(StorageError) -> NumberColumn? {
        if let overlay, !overlay.patches.fields.contains(field) { return try overlay.base.numbers(field) }
        if let known = opened.withLock({ $0.numbers[field] }) { return known }
        let column: NumberColumn?
        if let overlay { column = try overlay.numbers(field) } else {
            column = try open(field, .numbers) { section, range throws(StorageError) in try NumberColumn(section: section, range: range, docCount: docCount) }
        }
        opened.withLock { $0.numbers[field] = .some(column) }
        return column
    }

    package func keywords(_ field: UInt32) throws(StorageError) -> KeywordColumn? {
        if let overlay { return try overlay.base.keywords(field) }
        if let known = opened.withLock({ $0.keywords[field] }) { return known }
        let column = try open(field, .keywords) { section, range throws(StorageError) in try KeywordColumn(section: section, range: range, docCount: docCount) }
        opened.withLock { $0.keywords[field] = .some(column) }
        return column
    }

    package func points(_ field: UInt32) throws(StorageError) -> Points? {
        // A field that is patched has none, whatever a file says.
        if let overlay { return overlay.patches.fields.contains(field) ? nil : try overlay.base.points(field) }
        if let known = opened.withLock({ $0.points[field] }) { return known }
        let points = try open(field, .points) { section, range throws(StorageError) in try Points(section: section, range: range, docCount: docCount) }
        opened.withLock { $0.points[field] = .some(points) }
        return points
    }

    /// Documents that have a value in a column of the field; nil when it has none.
    package func presence(_ field: UInt32) throws(StorageError) -> Presence? {
        if let column = try numbers(field) { return column.presence }
        return try keywords(field)?.presence
    }

    /// Documents, deleted ones included, with a value in `range`, by points or by scanning the column,
    /// whichever is cheaper. Values in the field's encoding (`SortableDouble`).
    package func documents(_ field: UInt32, in range: ClosedRange<Int64>) throws(StorageError) -> BitSet {
        let points = try points(field)
        // Measured: a point costs about three times what a scanned value does, for it writes at random.
        if let points, points.places(range).count <= docCount / 3 { return points.documents(in: range) }
        if let column = try numbers(field) { return column.documents(in: range) }
        return points?.documents(in: range) ?? BitSet(count: docCount)
    }

    /// About how many documents `documents(_:in:)` would give.
    package func estimate(_ field: UInt32, in range: ClosedRange<Int64>) throws(StorageError) -> Int {
        if let points = try points(field) { return points.places(range).count }
        return try numbers(field)?.estimate(in: range) ?? 0
    }

    /// Tests single documents; nil when the field has no column.
    package func test(_ field: UInt32, in range: ClosedRange<Int64>) throws(StorageError) -> (@Sendable (DocID) -> Bool)? {
        try numbers(field)?.test(in: range)
    }

    /// Whether a patch of the field would change just one value of the document.
    package func hasOneNumber(_ field: UInt32, _ doc: DocID) throws(StorageError) -> Bool {
        try (overlay?.base ?? self).numbers(field)?.hasOneValue(doc) ?? false
    }

    // MARK: Documents

    /// As they lie in the file, without patches.
    package func storedFields() throws(StorageError) -> StoredFields {
        if let overlay { return try overlay.base.storedFields() }
        if let known = opened.withLock({ $0.stored }) { return known }
        guard let index = file.section(.storedIndex), let blocks = file.section(.storedBlocks) else { throw missing("stored fields") }
        let stored = try StoredFields(index: index, blocks: blocks, docCount: docCount)
        opened.withLock { $0.stored = stored }
        return stored
    }

    package func source(of doc: DocID) throws(StorageError) -> [UInt8] {
        if let overlay { return try overlay.source(of: doc) }
        return try storedFields().source(of: doc)
    }

    /// A stored source with the document's patches: for merges, which read blocks.
    package func source(of doc: DocID, stored: ArraySlice<UInt8>) throws(StorageError) -> ArraySlice<UInt8> {
        guard let overlay, let patched = overlay.patches[doc] else { return stored }
        return try overlay.laid(patched, over: Array(stored))[...]
    }

    package func identifiers() throws(StorageError) -> Identifiers {
        if let overlay { return try overlay.base.identifiers() }
        if let known = opened.withLock({ $0.identifiers }) { return known }
        guard let section = file.section(.identifiers) else { throw missing("identifiers") }
        let identifiers = try Identifiers(section, docCount: docCount)
        opened.withLock { $0.identifiers = identifiers }
        return identifiers
    }

    package func id(of doc: DocID) throws(StorageError) -> String { String(decoding: try identifiers().id(of: doc), as: UTF8.self) }

    /// The document with that `_id`, the last one when several have it (earlier ones are deleted ones); it may be deleted.
    package func doc(forID id: String) throws(StorageError) -> DocID? { try identifiers().doc(for: Array(id.utf8)) }

    package func version(of doc: DocID) throws(StorageError) -> Int64 {
        if let overlay {
            if let patched = overlay.patches.version(of: doc) { return patched }
            return try overlay.base.version(of: doc)
        }
        if let known = opened.withLock({ $0.versions }) { return known?[doc] ?? 1 }
        let table = try perDocument(.versions)
        opened.withLock { $0.versions = .some(table) }
        return table?[doc] ?? 1
    }

    package func sequenceNumber(of doc: DocID) throws(StorageError) -> Int64 {
        if let overlay {
            if let patched = overlay.patches.seqNo(of: doc) { return patched }
            return try overlay.base.sequenceNumber(of: doc)
        }
        if let known = opened.withLock({ $0.sequenceNumbers }) { return known?[doc] ?? 0 }
        let table = try perDocument(.sequenceNumbers)
        opened.withLock { $0.sequenceNumbers = .some(table) }
        return table?[doc] ?? 0
    }

    package func primaryTerm(of doc: DocID) throws(StorageError) -> Int64 {
        if let overlay { return try overlay.base.primaryTerm(of: doc) }
        if let known = opened.withLock({ $0.primaryTerms }) { return known?[doc] ?? 1 }
        let table = try perDocument(.primaryTerms)
        opened.withLock { $0.primaryTerms = .some(table) }
        return table?[doc] ?? 1
    }

    package func routing(of doc: DocID) throws(StorageError) -> String? {
        if let overlay { return try overlay.base.routing(of: doc) }
        if let known = opened.withLock({ $0.routing }) { return known[doc] }
        let table = try file.section(.routing).map { section throws(StorageError) in try RoutingTable.decode(section, docCount: docCount) } ?? [:]
        opened.withLock { $0.routing = table }
        return table[doc]
    }

    // MARK: -

    private func perDocument(_ kind: SectionKind) throws(StorageError) -> NumberPerDocument? {
        guard let section = file.section(kind) else { return nil }
        return try NumberPerDocument(section, docCount: docCount)
    }

    private func missing(_ what: String) -> StorageError { StorageError(.corrupt, path: file.bytes.path, "no \(what)", at: 0) }

    private func open<C>(
        _ field: UInt32, _ kind: ColumnKind, _ make: (Section, Range<Int>) throws(StorageError) -> C
    ) throws(StorageError) -> C? {
        let known = opened.withLock { $0.index }
        let index: ColumnIndex?
        if let known { index = known } else {
            index = try ColumnIndex(file)
            opened.withLock { $0.index = .some(index) }
        }
        guard let index, let range = try index.range(field, kind) else { return nil }
        return try make(index.data, range)
    }
}
