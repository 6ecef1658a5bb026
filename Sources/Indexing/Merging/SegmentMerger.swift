// Writes one segment out of several, without their deleted documents. Reads immutable segments and the live
// docs of the moment it was started with; documents deleted meanwhile are carried over by the caller, with
// the maps that are returned.

package import Bytes
package import Segments
package import Storage

package struct SegmentMerger {
    package struct Result: Sendable {
        package let length: Int
        package let docCount: Int
        /// Per source: document -> merged document, `DocID.max` for a deleted one.
        package let docMaps: [[DocID]]
    }

    /// Writes the merged segment to a new, synced file; the folder is not synced.
    package static func merge(_ views: [SegmentView], into directory: any Directory, name: String, id: SegmentID) throws(StorageError) -> Result {
        var next = 0
        let docMaps = views.map { docMap($0, &next) }
        let (paths, fieldMaps) = mergeFields(views)
        var infos = paths.enumerated().map { FieldInfo(ordinal: UInt32($0), path: $1.path, features: [], kind: $1.kind) }
        let sources = views.indices.map { MergeSource(segment: views[$0].segment, docMap: docMaps[$0], fieldMap: fieldMaps[$0]) }
        let file = try SegmentFileWriter(directory, name: name, id: id)
        try InvertedMerge.write(sources: sources, fields: &infos, docCount: next, to: file)
        // Each side is read once, from end to end: what is behind need not stay in memory.
        for view in views { view.segment.file.bytes.letPagesGo() }
        try ColumnMerge.write(sources: sources, fields: &infos, to: file)
        for view in views { view.segment.file.bytes.letPagesGo() }
        try file.section(.fields, FieldTable.encode(docCount: next, fields: infos))
        return Result(length: try file.finish(), docCount: next, docMaps: docMaps)
    }

    // MARK: -

    private static func docMap(_ view: SegmentView, _ next: inout Int) -> [DocID] {
        guard let live = view.live else {
            defer { next += view.docCount }
            return (next..<next + view.docCount).map { DocID($0) }
        }
        var map = [DocID](repeating: .max, count: view.docCount)
        live.forEach { doc in
            map[doc] = DocID(next)
            next += 1
        }
        return map
    }

    /// All paths of the sources, by bytes, and where each source's fields go among them.
    private static func mergeFields(_ views: [SegmentView]) -> ([(path: String, kind: String)], [[UInt32]]) {
        var kinds: [String: String] = [:]
        let tables = views.map { $0.segment.fields.all }
        for table in tables { for field in table { kinds[field.path] = field.kind } }
        let paths = kinds.sorted { FieldTable.precedes($0.key, $1.key) }.map { (path: $0.key, kind: $0.value) }
        let places = Dictionary(uniqueKeysWithValues: paths.enumerated().map { ($1.path, UInt32($0)) })
        return (paths, tables.map { table in table.map { places[$0.path] ?? .max } })
    }
}
