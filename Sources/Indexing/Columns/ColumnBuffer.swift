// The columns of documents not sealed yet: values by field as they come, keywords as numbers of a shared
// term table, `_source` packed block by block. Sealing sorts terms, chooses each column's layout and writes.
//
// Invariants
//     1  Documents rise: a field's values are in order of document.
//     2  Memory is that of the values: 12 bytes a number, 8 bytes a keyword and its term once, the packed
//        `_source`, and some 200 bytes a field.

package import Segments
package import Storage
internal import Bytes

/// What a field wants of the columns; the same at every call for a field.
package struct ColumnOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A column (doc_values). Without it and `points`, calls for the field do nothing.
    package static let column = ColumnOptions(rawValue: 1)
    /// Points for ranges (index: true).
    package static let points = ColumnOptions(rawValue: 2)
    /// Values are `SortableDouble`s: decimals are packed as such.
    package static let doubles = ColumnOptions(rawValue: 4)
}

package final class ColumnBuffer {
    private var fields: [Field] = []
    private var terms = TermHash()
    private var documents = DocumentsWriter()
    private var valueBytes = 0

    private struct Field {
        var docs: [DocID] = []
        var numbers: [Int64] = []
        /// Of `terms`.
        var keywords: [UInt32] = []
        var options: ColumnOptions = []
    }

    package init() {}

    /// Documents come in rising order, from 0; several values of a field and document may.
    package func addNumber(field: UInt32, doc: DocID, value: Int64, options: ColumnOptions) {
        if options.isDisjoint(with: [.column, .points]) { return }
        reserve(field)
        fields[Int(field)].options = options
        fields[Int(field)].docs.append(doc)
        fields[Int(field)].numbers.append(value)
        valueBytes += 12
    }

    package func addKeyword(field: UInt32, doc: DocID, bytes: ArraySlice<UInt8>) {
        reserve(field)
        let term = bytes.withUnsafeBytes { unsafe terms.place(of: $0, field: field) }
        fields[Int(field)].docs.append(doc)
        fields[Int(field)].keywords.append(term)
        valueBytes += 8
    }

    /// Once per document, in rising order without gaps.
    package func addDocument(
        doc: DocID, id: String, source: [UInt8], version: Int64, sequenceNumber: Int64, primaryTerm: Int64 = 1, routing: String? = nil
    ) {
        precondition(Int(doc) == documents.docCount, "documents come without gaps")
        documents.append(id: id.utf8, version: version, sequenceNumber: sequenceNumber, primaryTerm: primaryTerm, routing: routing)
        documents.stored.append(source)
    }

    /// Arrays grow by doubling: half of what they hold may be reserved on top.
    package var memoryBytes: Int { valueBytes * 3 / 2 + terms.memoryBytes + documents.memoryBytes + 200 * fields.count }

    /// For look-ups before the buffer is sealed (real-time get).
    package func source(of doc: DocID) -> [UInt8] { documents.stored.source(of: Int(doc)) ?? [] }

    /// Writes everything and sets the columns' bits of `fields`' features.
    /// - Parameter order: buffer-local field -> place in `fields`; `UInt32.max` for one that is not written.
    package func write(to file: SegmentFileWriter, fields infos: inout [FieldInfo], order: [UInt32], docCount: Int) throws(StorageError) {
        var columns = ColumnFileWriter(file)
        let termLists = terms.termsByField(count: fields.count)
        for (local, field) in fields.enumerated() where local < order.count && !field.docs.isEmpty {
            let place = Int(order[local])
            guard place < infos.count else { continue }
            if !field.numbers.isEmpty {
                try columns.append(UInt32(place), field.options, docs: field.docs, values: field.numbers, docCount: docCount, info: &infos[place])
            } else {
                let list = termLists[local]
                let slices = list.map { terms.bytes(of: $0) }
                var ordinals = [UInt32](repeating: 0, count: field.keywords.count)
                terms.number(list)
                for (i, t) in field.keywords.enumerated() { ordinals[i] = terms.ordinal(of: t) }
                try columns.append(UInt32(place), docs: field.docs, ordinals: ordinals, terms: slices, docCount: docCount, info: &infos[place])
            }
        }
        try columns.finish()
        try documents.write(to: file)
    }

    private func reserve(_ field: UInt32) {
        precondition(field < 1 << 24, "field numbers of a buffer are dense")
        while fields.count <= Int(field) { fields.append(Field()) }
    }
}
