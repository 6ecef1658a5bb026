// What lies over a segment's own columns in one snapshot: patches, and number columns of the snapshot before that this one's are
// made from, so that a refresh costs what it changed and not all that was ever patched.

package import Storage

struct ColumnOverlay: Sendable {
    /// Of the file, without patches.
    let base: ColumnsReader
    let fields: FieldTable
    let patches: SegmentPatches
    /// By field: a column that holds all patches but the later ones. A field without is made from the base.
    let known: [UInt32: Known]

    struct Known: Sendable {
        let column: NumberColumn
        /// In the order they came.
        var later: [(doc: DocID, value: Int64)]
    }

    /// A column nobody read for so many patches is made from the base again.
    private static let laterMax = 16_384

    /// - Parameters:
    ///   - patches: all there are.
    ///   - changes: of them, those that `previous` does not have.
    init(over previous: ColumnsReader, fields: FieldTable, patches: SegmentPatches, changes: [PatchedDocument]) {
        (base, self.fields, self.patches) = (previous.overlay?.base ?? previous, fields, patches)
        var known: [UInt32: Known] = [:]
        for field in patches.fields {
            var from: Known?
            if let column = previous.decodedNumbers(field) { from = Known(column: column, later: []) } else { from = previous.overlay?.known[field] }
            guard var from else { continue }
            for change in changes { for v in change.values where v.field == field { from.later.append((change.doc, v.value)) } }
            if from.later.count <= Self.laterMax { known[field] = from }
        }
        self.known = known
    }

    func numbers(_ field: UInt32) throws(StorageError) -> NumberColumn? {
        if let known = known[field] { return known.column.replacing(known.later) }
        return try base.numbers(field)?.replacing(patches.values(of: field))
    }

    /// The document's source with its patches.
    func source(of doc: DocID) throws(StorageError) -> [UInt8] {
        let source = try base.source(of: doc)
        guard let patched = patches[doc] else { return source }
        return try laid(patched, over: source)
    }

    func laid(_ patched: PatchedDocument, over source: [UInt8]) throws(StorageError) -> [UInt8] {
        guard let spliced = SourceSplice.replacing(patched.values.map(fieldPatch), in: source) else {
            throw StorageError(.corrupt, path: base.file.bytes.path, "a patched field is not in the source of document \(patched.doc)")
        }
        return spliced
    }

    private func fieldPatch(_ v: PatchedDocument.Value) -> FieldPatch { FieldPatch(path: fields[ordinal: v.field].path, value: v.value, text: v.text) }
}
