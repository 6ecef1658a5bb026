// A Parquet file in words: what its footer says of rows, columns and row groups, and the look-up index where there is one. No value of a row is shown.

internal import Parquet
import Storage

struct ParquetInspection {
    private let place: FilePlace, rows: Int

    init(_ place: FilePlace, rows: Int) { (self.place, self.rows) = (place, rows) }

    func print() async throws {
        let size = try place.directory.length(place.name) ?? 0, (folder, name) = (place.directory, place.name)
        let source = ParquetSource(byteCount: size) { (range) throws(ParquetError) in
            do throws(StorageError) { return try folder.read(name, range) } catch { throw .unreadable(error.description) }
        }
        let file: ParquetFile
        do throws(ParquetError) { file = try await ParquetFile.open(source) } catch { throw CommandError("\(place.directory.path)/\(place.name): \(error)") }
        for line in try lines(file, size) { Terminal.line(line) }
    }

    // MARK: -

    private func lines(_ file: ParquetFile, _ size: Int) throws -> [String] {
        let metadata = file.metadata, groups = metadata.rowGroups
        var lines = [
            "Parquet file, \(grouped(size)) bytes, written by \(metadata.createdBy ?? "nobody named")", "rows        \(grouped(metadata.rowCount))",
            "row groups  \(grouped(groups.count))", "columns     \(grouped(file.schema.leaves.count))",
        ]
        for value in metadata.keyValues where value.key != LookupIndex.key { lines.append("key value   \(value.key), \(grouped(value.value.utf8.count)) bytes") }
        if let text = metadata.value(LookupIndex.key) {
            do throws(ParquetError) {
                let index = try LookupIndex(text.utf8), leaf = file.schema.leaves.indices.contains(index.leaf) ? file.schema.leaves[index.leaf].name : "unknown"
                lines.append("look-up     by \(leaf), \(grouped(index.groups.count)) row groups, \(grouped(text.utf8.count)) bytes: a key is found with two ranged reads")
            } catch { lines.append("look-up     DAMAGED: \(error)") }
        }
        lines.append("\n" + "packed".padded(14, left: true) + "unpacked".padded(14, left: true) + "nulls".padded(12, left: true) + "  column (type): encodings, codec, besides")
        for (i, leaf) in file.schema.leaves.enumerated().prefix(rows) { lines.append(column(leaf, groups.map { $0.columns[i] })) }
        lines += rest(file.schema.leaves.count)
        lines.append("\n" + "offset".padded(14, left: true) + "packed".padded(14, left: true) + "unpacked".padded(14, left: true) + "rows".padded(10, left: true) + "  row group")
        for (i, group) in groups.enumerated().prefix(rows) {
            let columns = group.columns, start = columns.map(\.range.lowerBound).min() ?? 0
            lines.append(String(start).padded(14, left: true) + grouped(sum(columns.map(\.packedSize))).padded(14, left: true)
                + grouped(sum(columns.map(\.unpackedSize))).padded(14, left: true) + grouped(group.rowCount).padded(10, left: true) + "  \(i)")
        }
        return lines + rest(groups.count)
    }

    /// Of numbers that a file says, which may be any.
    private func sum(_ values: [Int]) -> Int { values.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 } }

    private func column(_ leaf: ParquetSchema.Leaf, _ chunks: [ColumnChunk]) -> String {
        func names<T: Hashable>(_ values: [T], _ name: (T) -> String) -> String { Set(values).map(name).sorted().joined(separator: " ") }
        let encodings = names(chunks.flatMap(\.encodings)) { Encoding(rawValue: $0).map { String(describing: $0) } ?? "encoding \($0)" }
        let codecs = names(chunks.map(\.compression)) { Compression(rawValue: $0).map { String(describing: $0) } ?? "codec \($0)" }
        var besides: [String] = []
        if chunks.contains(where: { $0.statistics?.min != nil }) { besides.append("smallest and largest") }
        if chunks.contains(where: { $0.bloomFilter != nil }) { besides.append("bloom filter") }
        if chunks.contains(where: { $0.offsetIndex != nil }) { besides.append("page index") }
        if chunks.contains(where: { $0.dictionaryPageOffset != nil }) { besides.append("dictionary") }
        let nulls = chunks.compactMap { $0.statistics?.nullCount }
        return grouped(sum(chunks.map(\.packedSize))).padded(14, left: true) + grouped(sum(chunks.map(\.unpackedSize))).padded(14, left: true)
            + (nulls.isEmpty ? "-" : grouped(sum(nulls))).padded(12, left: true) + "  \(leaf.name) (\(Self.type(leaf.type))): " + ([encodings, codecs] + besides).joined(separator: ", ")
    }

    private static func type(_ type: ColumnType) -> String {
        let physical = type.length > 0 ? "\(type.physical) of \(type.length)" : "\(type.physical)"
        switch type.logical {
        case nil: return physical
        case .decimal(let precision, let scale)?: return "decimal(\(precision),\(scale)) in \(physical)"
        case .timestampMicros?: return "moment in microseconds, UTC"
        case .string?: return "text"
        case .some(let other): return "\(other) in \(physical)"
        }
    }

    private func rest(_ count: Int) -> [String] { count > rows ? ["… and \(grouped(count - rows)) more; --rows \(count) shows all"] : [] }
}
