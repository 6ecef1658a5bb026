// Collects parsed documents in memory and seals them into a segment file. One thread at a time; several
// writers run side by side, each making segments of its own.
//
// A document is added in two steps, because its version and sequence number are given only once nothing can
// fail any more: `addFields` analyzes and buffers, `finish` stores. A document whose analysis fails half-way
// stays as a dead one: its number is used up and marked deleted.
//
// Invariants
//     1  DocIDs are dense from 0 in the order of `addFields`.
//     2  A field's buffer-local id stands for one `FieldType` kind at a time; fields of one path share an id.

package import Analysis
package import Bytes
package import Mappings
package import Segments
package import Storage

package final class DocumentWriter {
    /// Of a term, in bytes (Lucene's bound).
    package static let termBytesMax = 32_766

    /// Field numbers past it (types that belong to no index) are looked up by path.
    private static let numberMax = 1 << 20

    private let inverted = InvertedBuffer()
    private let columns = ColumnBuffer()
    private var fields: [Field] = []
    private var ids: [String: UInt32] = [:]
    /// By `FieldType.number`, so that a field's id is found without hashing its path; `UInt32.max` for none yet.
    private var idsByNumber: [UInt32] = []
    private var tokens = TokenBuffer()
    /// Numbers of documents that did not get through, or were deleted or replaced before sealing.
    package private(set) var dead: [DocID] = []
    package private(set) var docCount = 0

    private struct Field {
        let path: String
        /// The type seen last.
        var type: FieldType
    }

    package init() {}

    package var memoryBytes: Int { inverted.memoryBytes &+ columns.memoryBytes &+ fields.count &* 256 &+ dead.count &* 4 }
    package var isEmpty: Bool { docCount == 0 }

    /// Buffers what is indexed of the document.
    /// - Returns: its number; `finish` must follow.
    /// - Throws: when a value cannot be analyzed; nothing of the document will be found.
    package func addFields(_ document: borrowing ParsedDocument) throws(MappingError) -> DocID {
        try checkTerms(document)
        let doc = DocID(docCount)
        do throws(MappingError) {
            for field in document.fields { try add(field, of: document, doc) }
        } catch {
            columns.addDocument(doc: doc, id: "", source: [], version: 0, sequenceNumber: -1, primaryTerm: 0, routing: nil)
            docCount += 1
            dead.append(doc)
            throw error
        }
        return doc
    }

    package func finish(_ doc: DocID, id: String, source: [UInt8], routing: String?, version: Int64, seqNo: Int64, primaryTerm: Int64) {
        columns.addDocument(
            doc: doc, id: id, source: source, version: version, sequenceNumber: seqNo, primaryTerm: primaryTerm, routing: routing)
        docCount += 1
    }

    package func markDead(_ doc: DocID) { dead.append(doc) }

    package func source(of doc: DocID) -> [UInt8] { columns.source(of: doc) }

    /// Writes all documents, dead ones included, to a new, synced file. Its name is durable once the folder is synced.
    /// - Returns: the file's length, for the commit point.
    package func seal(into directory: any Directory, name: String, id: SegmentID) throws(StorageError) -> Int {
        let sorted = fields.indices.sorted { FieldTable.precedes(fields[$0].path, fields[$1].path) }
        var order = [UInt32](repeating: 0, count: fields.count)
        var infos: [FieldInfo] = []
        for (ordinal, local) in sorted.enumerated() {
            order[local] = UInt32(ordinal)
            infos.append(FieldInfo(ordinal: UInt32(ordinal), path: fields[local].path, features: [], kind: fields[local].type.kind.rawValue))
        }
        let file = try SegmentFileWriter(directory, name: name, id: id)
        try inverted.write(to: file, fields: &infos, order: order, docCount: docCount)
        try columns.write(to: file, fields: &infos, order: order, docCount: docCount)
        try file.section(.fields, FieldTable.encode(docCount: docCount, fields: infos))
        return try file.finish()
    }

    // MARK: -

    private func add(_ field: ParsedDocument.Field, of document: borrowing ParsedDocument, _ doc: DocID) throws(MappingError) {
        let type = field.type, id = localID(type)
        switch field.value {
        case .text(let range):
            guard type.index, let analyzer = type.analyzer else { return }
            do throws(AnalysisError) {
                try analyzer.analyze(document.bytes.span.extracting(range), into: &tokens)
            } catch {
                throw MappingError("document_parsing_exception", "failed to analyze field [\(type.path)]", causedBy: error.reason)
            }
            if tokens.terms.count > Self.termBytesMax { try checkTokens(type) }
            inverted.add(
                tokens: tokens, field: id, options: type.indexOptions, norms: type.norms, doc: doc,
                gap: Int32(clamping: type.positionIncrementGap))
        case .keyword(let range):
            if type.index { inverted.add(term: document.bytes[range], field: id, doc: doc) }
            if type.docValues { columns.addKeyword(field: id, doc: doc, bytes: document.bytes[range]) }
        case .number(let value):
            var options: ColumnOptions = []
            if type.docValues { options.insert(.column) }
            if type.index, !type.updatable { options.insert(.points) }
            switch type.kind {
            case .double, .float, .halfFloat: options.insert(.doubles)
            default: break
            }
            columns.addNumber(field: id, doc: doc, value: value, options: options)
        }
    }

    private func localID(_ type: FieldType) -> UInt32 {
        let number = Int(type.number)
        if number < idsByNumber.count, idsByNumber[number] != .max, fields[Int(idsByNumber[number])].type === type { return idsByNumber[number] }
        let id: UInt32
        if let known = ids[type.path] {
            id = known
            fields[Int(id)].type = type
        } else {
            id = UInt32(fields.count)
            fields.append(Field(path: type.path, type: type))
            ids[type.path] = id
        }
        if number < Self.numberMax {
            while idsByNumber.count <= number { idsByNumber.append(.max) }
            idsByNumber[number] = id
        }
        return id
    }

    private func checkTerms(_ document: borrowing ParsedDocument) throws(MappingError) {
        for field in document.fields {
            guard case .keyword(let range) = field.value, range.count > Self.termBytesMax, field.type.index || field.type.docValues else { continue }
            throw Self.immense(field.type.path)
        }
    }

    private func checkTokens(_ type: FieldType) throws(MappingError) {
        for i in 0..<tokens.count where tokens.range(i).count > Self.termBytesMax { throw Self.immense(type.path) }
    }

    private static func immense(_ path: String) -> MappingError {
        MappingError(
            "illegal_argument_exception",
            "Document contains at least one immense term in field=\"\(path)\" (whose UTF8 encoding is longer than the max length \(termBytesMax)); "
                + "set [ignore_above] on the field, or shorten the value")
    }
}
