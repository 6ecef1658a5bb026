// `_source` of documents, in LZ4 blocks of about 16 KiB: one document costs one block's unpacking.
//
// Section storedIndex
//     0          4     blocks
//     4          4     documents
//     8          12 n  for each block, and one more: first document u32, offset u64 in storedBlocks
//
// Section storedBlocks, each block
//     unpacked   varint            bytes
//     count      varint            documents
//     lengths    varint each
//     packed                       to the end of the block: one LZ4 block
//
// Invariants
//     1  A block says nothing of where it stands: a merge copies it as it is when all its documents live.
//     2  First documents strictly rise from 0 to the document count.
// Format page: docs/formats/stored-fields.md.

package import Bytes
package import Storage

package struct StoredFields: Sendable {
    package static let blockBytes = 16_384
    package static let unpackedMax = 1 << 30

    package let blockCount: Int
    package let docCount: Int
    private let index: Section
    private let blocks: Section

    package init(index: Section, blocks: Section, docCount: Int) throws(StorageError) {
        let (blockCount, docs) = try index.withBytes { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            return (Int(try r.fixed(UInt32.self)), Int(try r.fixed(UInt32.self)))
        }
        guard docs == docCount, index.count == 8 + 12 * (blockCount + 1) else { throw index.damaged("stored index does not fit the segment", at: 0) }
        (self.index, self.blocks, self.blockCount, self.docCount) = (index, blocks, blockCount, docCount)
    }

    package func source(of doc: DocID) throws(StorageError) -> [UInt8] {
        let (block, first) = try place(of: doc)
        let i = Int(doc) - first
        // Measured: a document lies in its block's middle on average, and unpacking is most of what fetching a hit costs.
        return try withUnpacked(block, documents: i + 1) { bytes, starts throws(Corruption) in
            guard i + 1 < starts.count else { throw Corruption("document past its block", at: 0) }
            return Array(bytes[starts[i]..<starts[i + 1]])
        }
    }

    /// The block's first document and the one past its last.
    package func documents(of block: Int) throws(StorageError) -> Range<Int> {
        let (a, b) = (try entry(block), try entry(block + 1))
        guard a.doc < b.doc, b.doc <= docCount else { throw index.damaged("documents do not rise", at: 8 + 12 * block) }
        return a.doc..<b.doc
    }

    /// The block as it lies, for copying.
    package func packed(_ block: Int) throws(StorageError) -> [UInt8] {
        try blocks.withBytes(try range(block)) { bytes in bytes.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Unpacks a block: its documents' bytes, and where each begins, and the end.
    /// - Parameter documents: bytes past so many of them are left out.
    package func withUnpacked<R>(
        _ block: Int, documents: Int = .max, _ body: ([UInt8], [Int]) throws(Corruption) -> R
    ) throws(StorageError) -> R {
        try blocks.withBytes(try range(block)) { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            let unpacked = try r.count(max: Self.unpackedMax), count = try r.count(max: r.remaining)
            var starts = [0]
            starts.reserveCapacity(count + 1)
            for _ in 0..<count {
                let length = try r.count(max: Self.unpackedMax), end = (starts.last ?? 0) + length
                guard end <= unpacked else { throw Corruption("documents past the end of a block", at: r.offset) }
                starts.append(end)
            }
            guard starts.last == unpacked else { throw Corruption("documents do not fill the block", at: r.offset) }
            // LZ4 packs at most 255 to 1: a count beyond that is no reason to reserve memory.
            guard unpacked <= 255 * r.remaining + 64 else { throw Corruption("impossible block length", at: 0) }
            let wanted = starts[min(documents, count)]
            return try body(try LZ4.decompress(bytes.extracting(r.offset..<bytes.byteCount), first: wanted, of: unpacked), starts)
        }
    }

    // MARK: -

    private func entry(_ block: Int) throws(StorageError) -> (doc: Int, offset: Int) {
        let at = 8 + 12 * block
        return try index.withBytes(at..<at + 12) { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            let doc = Int(try r.fixed(UInt32.self)), offset = try r.fixed(UInt64.self)
            guard offset <= UInt64(blocks.count) else { throw Corruption("block past the end", at: 4) }
            return (doc, Int(offset))
        }
    }

    private func range(_ block: Int) throws(StorageError) -> Range<Int> {
        let (a, b) = (try entry(block).offset, try entry(block + 1).offset)
        guard a < b else { throw index.damaged("blocks do not rise", at: 8 + 12 * block) }
        return a..<b
    }

    private func place(of doc: DocID) throws(StorageError) -> (block: Int, first: Int) {
        guard Int(doc) < docCount, blockCount > 0 else { throw index.damaged("no such document", at: 0) }
        var low = 0, high = blockCount - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if try entry(middle).doc > Int(doc) { high = middle - 1 } else { low = middle }
        }
        let first = try entry(low).doc
        guard first <= Int(doc) else { throw index.damaged("documents do not rise", at: 8 + 12 * low) }
        return (low, first)
    }
}

/// Packs documents into blocks. Bytes come out as blocks fill: take them as often as memory asks for it.
package struct StoredFieldsWriter: Sendable {
    /// Packed blocks not taken yet.
    package private(set) var packed: [UInt8] = []
    private var taken = 0
    private var index: [(doc: Int, offset: Int)] = []
    private var pending: [UInt8] = []
    private var lengths: [Int] = []
    package private(set) var docCount = 0

    package init() {}

    package var memoryBytes: Int { packed.capacity + pending.capacity + 16 * index.count }

    package mutating func append(_ source: some Collection<UInt8>) {
        pending.append(contentsOf: source)
        lengths.append(source.count)
        docCount += 1
        if pending.count >= StoredFields.blockBytes { seal() }
    }

    /// A block of another segment, as it lies there. Small ones are better unpacked and appended.
    package mutating func appendPacked(_ block: [UInt8], docs: Int) {
        seal()
        index.append((docCount, taken + packed.count))
        packed += block
        docCount += docs
    }

    package mutating func takePacked() -> [UInt8] {
        defer {
            taken += packed.count
            packed = []
        }
        return packed
    }

    /// The document, while its block has not been taken.
    package func source(of doc: Int) -> [UInt8]? {
        let firstPending = docCount - lengths.count
        guard doc >= 0, doc < docCount else { return nil }
        if doc >= firstPending {
            let start = lengths[..<(doc - firstPending)].reduce(0, +)
            return Array(pending[start..<start + lengths[doc - firstPending]])
        }
        guard taken == 0 else { return nil }
        var low = 0, high = index.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if index[middle].doc > doc { high = middle - 1 } else { low = middle }
        }
        let end = low + 1 < index.count ? index[low + 1].offset : packed.count
        let span = packed.span.bytes.extracting(index[low].offset..<end)
        var r = ByteReader(span)
        do throws(Corruption) {
            let unpacked = try r.count(max: StoredFields.unpackedMax), count = try r.count(max: end)
            var starts = [0]
            for _ in 0..<count { starts.append((starts.last ?? 0) + (try r.count(max: unpacked))) }
            let bytes = try LZ4.decompress(span.extracting(r.offset..<span.byteCount), count: unpacked)
            return Array(bytes[starts[doc - index[low].doc]..<starts[doc - index[low].doc + 1]])
        } catch { return nil }
    }

    /// Seals the last block. Take the packed bytes, then the index.
    package mutating func finish() { seal() }

    /// The bytes of section storedIndex. After `finish`.
    package func indexBytes() -> [UInt8] {
        var out = ByteWriter(reserving: 20 + 12 * index.count)
        out.fixed(UInt32(truncatingIfNeeded: index.count))
        out.fixed(UInt32(truncatingIfNeeded: docCount))
        for e in index + [(docCount, taken + packed.count)] {
            out.fixed(UInt32(truncatingIfNeeded: e.doc))
            out.fixed(UInt64(e.offset))
        }
        return out.bytes
    }

    private mutating func seal() {
        if lengths.isEmpty { return }
        index.append((docCount - lengths.count, taken + packed.count))
        var head = ByteWriter(reserving: 8 + 2 * lengths.count)
        head.varint(pending.count)
        head.varint(lengths.count)
        for n in lengths { head.varint(n) }
        packed += head.bytes
        packed += LZ4.compress(pending.span.bytes)
        pending.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
    }
}
