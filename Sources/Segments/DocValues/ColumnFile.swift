// All columns of a segment in two sections, however many fields there are.
//
// Section columnIndex: a record of 24 bytes for each column, sorted by (field, kind)
//     0    4   field
//     4    2   kind: 1 numbers, 2 keywords, 3 points
//     6    2   0
//     8    8   offset in columnData
//     16   8   length
// Section columnData: the columns one after another, then 8 bytes of 0 (see PackedInts).
//
// Opening a segment touches neither; a field's column is found by binary search.

package import Bytes
package import Storage

package enum ColumnKind: UInt16, Sendable { case numbers = 1, keywords = 2, points = 3 }

package struct ColumnIndex: Sendable {
    private let index: Section
    package let data: Section

    /// Nil when the segment has no columns.
    package init?(_ file: SegmentFile) throws(StorageError) {
        guard let index = file.section(.columnIndex), let data = file.section(.columnData) else { return nil }
        guard index.count % 24 == 0, data.count >= 8 else { throw index.damaged("impossible column index", at: 0) }
        (self.index, self.data) = (index, data)
    }

    package var count: Int { index.count / 24 }

    /// Where the column lies in `data`; nil when the field has none of that kind.
    package func range(_ field: UInt32, _ kind: ColumnKind) throws(StorageError) -> Range<Int>? {
        let wanted = UInt64(field) << 16 | UInt64(kind.rawValue)
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if try record(middle).key < wanted { low = middle + 1 } else { high = middle }
        }
        guard low < count else { return nil }
        let found = try record(low)
        return found.key == wanted ? found.range : nil
    }

    private func record(_ i: Int) throws(StorageError) -> (key: UInt64, range: Range<Int>) {
        try index.withBytes(24 * i..<24 * i + 24) { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            let field = try r.fixed(UInt32.self), kind = try r.fixed(UInt16.self)
            r.offset = 8
            let offset = try r.fixed(UInt64.self), length = try r.fixed(UInt64.self), end = UInt64(data.count - 8)
            guard offset <= end, length <= end - offset else { throw Corruption("column past the end", at: 8) }
            return (UInt64(field) << 16 | UInt64(kind), Int(offset)..<Int(offset + length))
        }
    }
}

/// Writes the two sections, a column at a time.
package struct ColumnFileWriter {
    private let file: SegmentFileWriter
    private var records: [(field: UInt32, kind: ColumnKind, offset: Int, length: Int)] = []
    private var begun = false

    package init(_ file: SegmentFileWriter) { self.file = file }

    package mutating func append(_ field: UInt32, _ kind: ColumnKind, _ bytes: [UInt8]) throws(StorageError) {
        if !begun {
            try file.beginSection(.columnData)
            begun = true
        }
        records.append((field, kind, file.sectionOffset, bytes.count))
        try file.write(bytes)
    }

    package mutating func finish() throws(StorageError) {
        if !begun { return }
        try file.write([UInt8](repeating: 0, count: 8))
        file.endSection()
        var out = ByteWriter(reserving: 24 * records.count)
        for r in records.sorted(by: { ($0.field, $0.kind.rawValue) < ($1.field, $1.kind.rawValue) }) {
            out.fixed(r.field)
            out.fixed(r.kind.rawValue)
            out.fixed(UInt16(0))
            out.fixed(UInt64(r.offset))
            out.fixed(UInt64(r.length))
        }
        try file.section(.columnIndex, out.bytes)
    }
}
