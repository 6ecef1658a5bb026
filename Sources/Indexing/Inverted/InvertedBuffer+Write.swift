// Writes the collected postings out, sorted by (field, term), as the sections of a segment.
//
// Invariants
//     1  A field's norms are known before its terms are written: impacts are made of them.

package import Segments
package import Storage

extension InvertedBuffer {
    /// Writes sections postings, termBlocks, termIndex and norms, and fills statistics and feature bits
    /// into `fields` (by final ordinal). The buffer stays as it is.
    /// - Parameter order: buffer-local id -> final ordinal; `UInt32.max` for an id that has no place.
    package func write(to file: SegmentFileWriter, fields: inout [FieldInfo], order: [UInt32], docCount: Int) throws(StorageError) {
        var dictionary = TermDictionaryWriter()
        var norms = NormsWriter()
        var lists = ListWriter(docCount: docCount)
        let byField = core.termsByField()
        try file.beginSection(.postings)
        let locals = (0..<core.fields.count).filter { $0 < order.count && Int(order[$0]) < fields.count && core.fields[$0].isUsed }
        for local in locals.sorted(by: { order[$0] < order[$1] }) {
            let ordinal = order[local]
            var info = fields[Int(ordinal)]
            try writeField(local, ordinal, terms: byField[local], info: &info, &dictionary, &norms, &lists, docCount, file)
            fields[Int(ordinal)] = info
        }
        file.endSection()
        try dictionary.finish(to: file)
        try norms.finish(to: file)
    }

    private func writeField(
        _ local: Int, _ ordinal: UInt32, terms: [UInt32], info: inout FieldInfo, _ dictionary: inout TermDictionaryWriter,
        _ norms: inout NormsWriter, _ lists: inout ListWriter, _ docCount: Int, _ file: SegmentFileWriter
    ) throws(StorageError) {
        let field = core.fields[local]
        guard !field.docs.isEmpty else { return }
        let options = PostingsOptions(frequencies: field.options >= .frequencies, positions: field.options >= .positions)
        info.features.insert(.postings)
        if options.frequencies { info.features.insert(.frequencies) }
        if options.positions { info.features.insert(.positions) }
        info.docCount = field.docs.count
        var lengths: [UInt8] = []
        if field.hasNorms {
            lengths = field.lengths.map { SmallFloat.encode(Int($0)) }
            noteNorms(field.docs, lengths, ordinal, &info, &norms, docCount)
        }
        let isConstant = !field.hasNorms || info.features.contains(.constantNorms)
        if !isConstant { lists.setNorms(field.docs, lengths) }
        for id in terms {
            let term = core.term(Int(id))
            lists.begin(options)
            let sums = core.decode(term, options, isConstant: isConstant, norm: field.hasNorms ? info.constantNorm : 1, &lists)
            info.sumDocFreq += sums.docFreq
            info.sumTotalTermFreq += sums.totalTermFreq
            info.termCount += 1
            // Safe: the term's bytes stay in the arena as long as the buffer is.
            unsafe try dictionary.add(
                field: ordinal, term: core.bytes(of: term), docFreq: sums.docFreq, totalTermFreq: sums.totalTermFreq, options: options,
                postings: lists.postings, positions: lists.positions, to: file)
        }
        if !isConstant { lists.clearNorms(field.docs) }
    }

    private func noteNorms(_ docs: [UInt32], _ lengths: [UInt8], _ ordinal: UInt32, _ info: inout FieldInfo, _ norms: inout NormsWriter, _ docCount: Int) {
        info.features.insert(.norms)
        if let first = lengths.first, lengths.allSatisfy({ $0 == first }) {
            info.features.insert(.constantNorms)
            info.constantNorm = first
        } else {
            norms.add(field: ordinal, docs: docs, norms: lengths, docCount: docCount)
        }
    }
}

/// Postings of one term on their way out, and the norms of the field at hand by document.
@safe struct ListWriter: ~Copyable {
    private var writer = PostingsWriter()
    private(set) var postings: [UInt8] = []
    private(set) var positions: [UInt8] = []
    private let norms: UnsafeMutablePointer<UInt8>
    private let docCount: Int
    /// A chunk being filled.
    let docs: UnsafeMutablePointer<UInt32>
    let frequencies: UnsafeMutablePointer<UInt32>
    let deltas: UnsafeMutablePointer<UInt32>
    static let chunkDocs = 128, chunkPositions = 1024

    init(docCount: Int) {
        self.docCount = docCount
        unsafe norms = .allocate(capacity: max(1, docCount))
        unsafe norms.initialize(repeating: 0, count: max(1, docCount))
        unsafe docs = .allocate(capacity: Self.chunkDocs)
        unsafe frequencies = .allocate(capacity: Self.chunkDocs)
        unsafe deltas = .allocate(capacity: Self.chunkPositions)
    }

    deinit {
        unsafe norms.deallocate()
        unsafe docs.deallocate()
        unsafe frequencies.deallocate()
        unsafe deltas.deallocate()
    }

    func setNorms(_ docs: [UInt32], _ bytes: [UInt8]) {
        for (doc, norm) in zip(docs, bytes) where Int(doc) < docCount { unsafe norms[Int(doc)] = norm }
    }

    func clearNorms(_ docs: [UInt32]) {
        for doc in docs where Int(doc) < docCount { unsafe norms[Int(doc)] = 0 }
    }

    func setNorm(_ doc: UInt32, _ norm: UInt8) { if Int(doc) < docCount { unsafe norms[Int(doc)] = norm } }
    func norm(_ doc: UInt32) -> UInt8 { unsafe Int(doc) < docCount ? norms[Int(doc)] : 0 }

    mutating func begin(_ options: PostingsOptions) {
        postings.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        writer.beginTerm(options)
    }

    /// Hands over what stands in `docs`, `frequencies` and `deltas`. Documents are below docCount.
    mutating func flush(_ docCount: Int, _ positionCount: Int, isConstant: Bool, norm: UInt8) {
        unsafe writer.append(
            docs: docs, frequencies: frequencies, count: docCount, positions: deltas, positionCount: positionCount,
            norms: isConstant ? nil : UnsafePointer(norms), norm: norm)
    }

    mutating func end(isConstant: Bool, norm: UInt8) -> (docFreq: Int, totalTermFreq: Int) {
        unsafe writer.endTerm(norms: isConstant ? nil : UnsafePointer(norms), norm: norm, postings: &postings, positions: &positions)
    }
}

extension InvertedCore {
    /// Ids of the terms of each field, in the order of their bytes.
    func termsByField() -> [[UInt32]] {
        var counts = [Int](repeating: 0, count: fields.count)
        for i in 0..<termCount { counts[Int(term(i).field)] += 1 }
        var out: [[UInt32]] = counts.map { var a: [UInt32] = []; a.reserveCapacity($0); return a }
        for i in 0..<termCount { out[Int(term(i).field)].append(UInt32(truncatingIfNeeded: i)) }
        for f in out.indices where out[f].count > 1 { out[f] = sorted(out[f]) }
        return out
    }

    private func sorted(_ ids: [UInt32]) -> [UInt32] {
        // The first eight bytes, big-endian, decide most comparisons without touching the arena.
        var keyed: [(prefix: UInt64, id: UInt32)] = ids.map { id in
            let bytes = unsafe bytes(of: term(Int(id)))
            var prefix: UInt64 = 0
            for i in 0..<8 { prefix = unsafe prefix << 8 | (i < bytes.count ? UInt64(bytes[i]) : 0) }
            return (prefix, id)
        }
        keyed.sort { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            return unsafe bytes(of: term(Int(a.id))).lexicographicallyPrecedes(bytes(of: term(Int(b.id))))
        }
        return keyed.map(\.id)
    }

    /// Reads a term's stream back into `lists` and ends the list.
    func decode(_ term: BufferedTerm, _ options: PostingsOptions, isConstant: Bool, norm: UInt8, _ lists: inout ListWriter) -> (docFreq: Int, totalTermFreq: Int) {
        var r = SliceReader(pool, term)
        var n = 0, p = 0
        var doc: UInt32 = 0
        var isFirst = true
        let docs = unsafe lists.docs, frequencies = unsafe lists.frequencies, deltas = unsafe lists.deltas
        while !r.isAtEnd {
            let code = r.varint()
            if code & 1 == 1 {
                if n == ListWriter.chunkDocs {
                    lists.flush(n, p, isConstant: isConstant, norm: norm)
                    (n, p) = (0, 0)
                }
                doc = isFirst ? code >> 1 : doc &+ (code >> 1)
                isFirst = false
                unsafe docs[n] = doc
                unsafe frequencies[n] = 1
                n += 1
                if options.positions { unsafe deltas[p] = r.varint(); p += 1 }
            } else {
                unsafe frequencies[n - 1] &+= 1
                if options.positions { unsafe deltas[p] = code >> 1; p += 1 }
            }
            // Positions of a document may be handed over before the document: both are counted apart.
            if p == ListWriter.chunkPositions {
                lists.flush(0, p, isConstant: isConstant, norm: norm)
                p = 0
            }
        }
        lists.flush(n, p, isConstant: isConstant, norm: norm)
        return lists.end(isConstant: isConstant, norm: norm)
    }
}
