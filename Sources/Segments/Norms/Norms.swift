// Norms: the length of each document's field, one byte (SmallFloat). One section for all fields of a segment,
// with a directory sorted by field, so thousands of sparse fields cost nothing at open.
//
//     offset      size   field
//     0           4      n: fields with varying norms (constant ones stand in the field table)
//     4           4      0
//     8           24 n   directory: field u32, kind u32 (0 dense, 1 sparse), offset u64, count u64
//     ...         ...    dense: count = docCount bytes, 0 for documents without the field
//                        sparse: count documents u32, rising, then count bytes
//
// A field is sparse when fewer than one document in eight has it. The section ends with four bytes of padding:
// kernels read norms four bytes at a time.

internal import Bytes
package import Storage

/// The norms of one field. Holds pointers: keep the segment's file alive beside it.
@safe package enum FieldNorms {
    case constant(UInt8)
    case dense(UnsafePointer<UInt8>)
    case sparse(docs: UnsafeRawPointer, norms: UnsafePointer<UInt8>, count: Int)

    /// Writes the norms of `count` rising documents, 0 for those without the field.
    package func read(_ docs: UnsafePointer<UInt32>, count: Int, into out: UnsafeMutablePointer<UInt8>) {
        switch self {
        case .constant(let norm): unsafe out.update(repeating: norm, count: count)
        case .dense(let norms): for i in 0..<count { unsafe out[i] = norms[Int(docs[i])] }
        case .sparse(let having, let norms, let size):
            func at(_ i: Int) -> UInt32 { UInt32(littleEndian: unsafe having.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)) }
            var low = 0
            for i in 0..<count {
                let doc = unsafe docs[i]
                // Gallop from the last place: both sides rise.
                var step = 1, high = low
                while high < size, at(high) < doc { low = high + 1; high += step; step *= 2 }
                high = min(high, size)
                while low < high {
                    let middle = (low + high) >> 1
                    if at(middle) < doc { low = middle + 1 } else { high = middle }
                }
                unsafe out[i] = low < size && at(low) == doc ? norms[low] : 0
            }
        }
    }
}

package struct Norms: Sendable {
    private let section: Section?
    private let count: Int
    private let docCount: Int

    package init(_ file: SegmentFile, docCount: Int) throws(StorageError) {
        section = file.section(.norms)
        self.docCount = docCount
        guard let section else { count = 0; return }
        count = try section.withBytes(0..<min(8, section.count)) { span throws(Corruption) in
            var r = ByteReader(span)
            return Int(try r.fixed(UInt32.self))
        }
        guard count <= (section.count - 8) / 24 else { throw section.damaged("impossible norm count", at: 0) }
    }

    /// Nil when the field has no varying norms. Verifies the field's bytes.
    package func field(_ field: UInt32) throws(StorageError) -> FieldNorms? {
        guard let section, let record = try find(field) else { return nil }
        let size = record.isSparse ? 5 * record.count : record.count
        guard record.isSparse || record.count == docCount, record.offset + size + 4 <= section.count else { throw section.damaged("norms out of bounds", at: 8) }
        try section.verify(record.offset..<record.offset + size + 4)
        guard let base = unsafe section.unsafeBytes.baseAddress else { return nil }
        // Safe: the range was just bounded and verified.
        let start = unsafe base + record.offset
        if record.isSparse {
            let norms = unsafe (start + 4 * record.count).assumingMemoryBound(to: UInt8.self)
            return unsafe .sparse(docs: start, norms: norms, count: record.count)
        }
        return unsafe .dense(start.assumingMemoryBound(to: UInt8.self))
    }

    private func find(_ field: UInt32) throws(StorageError) -> (isSparse: Bool, offset: Int, count: Int)? {
        guard let section else { return nil }
        return try section.withBytes(0..<8 + 24 * count) { span throws(Corruption) in
            var low = 0, high = count
            while low < high {
                let middle = (low + high) / 2
                var r = ByteReader(span, at: 8 + 24 * middle)
                let found = try r.fixed(UInt32.self)
                if found == field {
                    let kind = try r.fixed(UInt32.self), offset = try r.fixed(UInt64.self), count = try r.fixed(UInt64.self)
                    guard kind <= 1, offset <= UInt64(section.count), count <= UInt64(docCount) else { throw Corruption("impossible norms", at: r.offset) }
                    return (kind == 1, Int(offset), Int(count))
                }
                if found < field { low = middle + 1 } else { high = middle }
            }
            return nil
        }
    }
}

/// Gathers the norms of field after field (rising), then writes the section.
package struct NormsWriter {
    private var directory: [(field: UInt32, isSparse: Bool, offset: Int, count: Int)] = []
    private var body: [UInt8] = []

    package init() {}

    /// - Parameters:
    ///   - docs: rising; those with the field.
    ///   - norms: by place in `docs`.
    package mutating func add(field: UInt32, docs: [UInt32], norms: [UInt8], docCount: Int) {
        let isSparse = docs.count < docCount / 8
        directory.append((field, isSparse, body.count, isSparse ? docs.count : docCount))
        if isSparse {
            for doc in docs { for shift in [0, 8, 16, 24] as [UInt32] { body.append(UInt8(truncatingIfNeeded: doc >> shift)) } }
            body.append(contentsOf: norms)
        } else {
            let start = body.count
            body.append(contentsOf: repeatElement(0, count: docCount))
            for (doc, norm) in zip(docs, norms) where Int(doc) < docCount { body[start + Int(doc)] = norm }
        }
    }

    package func finish(to file: SegmentFileWriter) throws(StorageError) {
        guard !directory.isEmpty else { return }
        var head = ByteWriter(reserving: 8 + 24 * directory.count)
        head.fixed(UInt32(directory.count))
        head.fixed(UInt32(0))
        let first = 8 + 24 * directory.count
        for entry in directory {
            head.fixed(entry.field)
            head.fixed(UInt32(entry.isSparse ? 1 : 0))
            head.fixed(UInt64(first + entry.offset))
            head.fixed(UInt64(entry.count))
        }
        try file.beginSection(.norms)
        try file.write(head.bytes)
        try file.write(body)
        try file.write([0, 0, 0, 0])
        file.endSection()
    }
}
