// What sealing and merging write alike: one field's column and points, and what documents have besides
// fields.

internal import Bytes
internal import Segments
internal import Storage

extension ColumnFileWriter {
    /// Segments up to this size have no points beside a column: scanning it is as fast.
    static let pointsDocsMin = 4096

    /// Column and points of a number field.
    mutating func append(
        _ field: UInt32, _ options: ColumnOptions, docs: [DocID], values: [Int64], docCount: Int, info: inout FieldInfo
    ) throws(StorageError) {
        if docs.isEmpty { return }
        let doubles = options.contains(.doubles), (coding, raws) = doubles ? NumberCoding.choose(values) : (.plain, values)
        if options.contains(.column) {
            info.features.insert(.numbers)
            if hasNeighbours(docs) { info.features.insert(.multiValued) }
            try append(field, .numbers, NumberColumn.encode(docs: docs, raws: raws, coding: coding, doubles: doubles, docCount: docCount))
        }
        if options.contains(.points) {
            // The bit says what the field wants: a merge makes points of a small segment's column by it.
            info.features.insert(.points)
            if !options.contains(.column) || docCount > Self.pointsDocsMin {
                try append(field, .points, Points.encode(docs: docs, raws: raws, coding: coding, doubles: doubles, docCount: docCount))
            }
        }
    }

    /// - Parameter ordinals: a document's may repeat.
    mutating func append(
        _ field: UInt32, docs: [DocID], ordinals: [UInt32], terms: [ArraySlice<UInt8>], docCount: Int, info: inout FieldInfo
    ) throws(StorageError) {
        if docs.isEmpty { return }
        info.features.insert(.keywords)
        var (docs, ordinals) = (docs, ordinals)
        if hasNeighbours(docs) {
            dropRepeats(&docs, &ordinals)
            if hasNeighbours(docs) { info.features.insert(.multiValued) }
        }
        try append(field, .keywords, KeywordColumn.encode(docs: docs, ordinals: ordinals, terms: terms, docCount: docCount))
    }
}

/// `_id`, `_source`, versions, sequence numbers, primary terms and routing of a segment being made.
struct DocumentsWriter {
    var stored = StoredFieldsWriter()
    private var ids: [UInt8] = []
    private var idStarts = [0]
    private var versions: [Int64] = []
    private var sequenceNumbers: [Int64] = []
    private var primaryTerms: [Int64] = []
    private var routings: [(doc: DocID, routing: String)] = []

    var docCount: Int { versions.count }
    var memoryBytes: Int { stored.memoryBytes + ids.capacity + 8 * idStarts.capacity + 24 * versions.capacity + 64 * routings.count }

    /// All but `_source`, which goes to `stored`.
    mutating func append(id: some Sequence<UInt8>, version: Int64, sequenceNumber: Int64, primaryTerm: Int64, routing: String?) {
        if let routing { routings.append((DocID(docCount), routing)) }
        ids.append(contentsOf: id)
        idStarts.append(ids.count)
        versions.append(version)
        sequenceNumbers.append(sequenceNumber)
        primaryTerms.append(primaryTerm)
    }

    mutating func write(to file: SegmentFileWriter) throws(StorageError) {
        stored.finish()
        try file.section(.storedBlocks, stored.packed)
        try writeAllButBlocks(to: file)
    }

    /// When the blocks went out already.
    func writeAllButBlocks(to file: SegmentFileWriter) throws(StorageError) {
        try file.section(.storedIndex, stored.indexBytes())
        try file.section(.identifiers, Identifiers.encode(ids: ids, starts: idStarts))
        if let bytes = NumberPerDocument.encode(versions, normal: 1) { try file.section(.versions, bytes) }
        if let bytes = NumberPerDocument.encode(sequenceNumbers, normal: 0) { try file.section(.sequenceNumbers, bytes) }
        if let bytes = NumberPerDocument.encode(primaryTerms, normal: 1) { try file.section(.primaryTerms, bytes) }
        if !routings.isEmpty { try file.section(.routing, RoutingTable.encode(routings)) }
    }
}

// MARK: -

private func hasNeighbours(_ docs: [DocID]) -> Bool {
    for i in docs.indices.dropFirst() where docs[i] == docs[i - 1] { return true }
    return false
}

/// Keeps each (document, ordinal) once; documents rise.
private func dropRepeats(_ docs: inout [DocID], _ ordinals: inout [UInt32]) {
    var kept = 0, i = 0
    while i < docs.count {
        let doc = docs[i]
        var end = i + 1
        while end < docs.count, docs[end] == doc { end += 1 }
        if end > i + 1 { ordinals[i..<end].sort() }
        for j in i..<end where j == i || ordinals[j] != ordinals[j - 1] {
            // kept <= j: nothing unread is overwritten but what equals its successor.
            (docs[kept], ordinals[kept]) = (doc, ordinals[j])
            kept += 1
        }
        i = end
    }
    docs.removeLast(docs.count - kept)
    ordinals.removeLast(ordinals.count - kept)
}
