// Merges the inverted side of several segments into a new one: their dictionaries are read in step, and each term's
// postings are taken source by source, documents renumbered, deleted ones dropped, statistics counted anew.
//
// Held in memory: one posting list, the norms, the new term dictionary (about 6 bytes a term).
//
// Invariants
//     1  Document maps rise within a source and from source to source, field maps rise within a source: so lists are
//        joined by appending, and dictionaries are in the merged order already.

package import Segments
package import Storage
internal import Bytes

package enum InvertedMerge {
    /// Writes sections postings, termBlocks, termIndex and norms of the merged segment, without deleted
    /// documents, and fills statistics and feature bits into `fields` (by merged ordinal).
    package static func write(sources: [MergeSource], fields: inout [FieldInfo], docCount: Int, to file: SegmentFileWriter) throws(StorageError) {
        var merge = MergeRun(sources, docCount: docCount, fieldCount: fields.count)
        try file.beginSection(.postings)
        try merge.run(&fields, file)
        file.endSection()
        try merge.finish(to: file)
    }
}

/// One source in step with the others.
private struct MergeInput {
    let source: MergeSource
    var scan: TermScan
    /// Merged ordinal (4 bytes, big-endian) and term; nil at the end.
    var key: [UInt8]?
    /// Of the field at hand.
    var constantNorm: UInt8?
    /// Merged ordinal -> the source's.
    let ownOrdinals: [UInt32]

    init(_ source: MergeSource, fieldCount: Int) {
        self.source = source
        var own = [UInt32](repeating: .max, count: fieldCount)
        for (from, to) in source.fieldMap.enumerated() where Int(to) < fieldCount { own[Int(to)] = UInt32(truncatingIfNeeded: from) }
        ownOrdinals = own
        scan = TermScan(source.segment.inverted.dictionary)
    }

    /// Moves to the next term of a field that lives on.
    mutating func advance() throws(StorageError) {
        while try scan.next() {
            let field = Int(scan.field)
            guard field < source.fieldMap.count, source.fieldMap[field] != .max else { continue }
            let ordinal = source.fieldMap[field]
            key = [UInt8(ordinal >> 24), UInt8(ordinal >> 16 & 0xFF), UInt8(ordinal >> 8 & 0xFF), UInt8(ordinal & 0xFF)] + scan.key[4...]
            return
        }
        key = nil
    }
}

@safe private struct MergeRun: ~Copyable {
    private var inputs: [MergeInput]
    private let docCount: Int
    private let fieldCount: Int
    private var dictionary = TermDictionaryWriter()
    private var norms = NormsWriter()
    private var lists: ListWriter
    /// Documents with a posting of the field at hand.
    private var presence: BitSet
    private var hasNorms = false
    private var options = PostingsOptions(frequencies: false, positions: false)
    private let docs: UnsafeMutablePointer<UInt32>
    private let frequencies: UnsafeMutablePointer<UInt32>
    private let buffer: UnsafeMutablePointer<UInt32>
    private var positions: [UInt32] = []

    init(_ sources: [MergeSource], docCount: Int, fieldCount: Int) {
        inputs = sources.map { MergeInput($0, fieldCount: fieldCount) }
        self.docCount = docCount
        self.fieldCount = fieldCount
        lists = ListWriter(docCount: docCount)
        presence = BitSet(count: docCount)
        unsafe docs = .allocate(capacity: 128)
        unsafe frequencies = .allocate(capacity: 128)
        unsafe buffer = .allocate(capacity: 128)
    }

    deinit {
        unsafe docs.deallocate()
        unsafe frequencies.deallocate()
        unsafe buffer.deallocate()
    }

    mutating func run(_ fields: inout [FieldInfo], _ file: SegmentFileWriter) throws(StorageError) {
        for i in inputs.indices { try inputs[i].advance() }
        while let first = least() {
            let ordinal = first.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard Int(ordinal) < fields.count else { throw StorageError(.corrupt, path: "merge", "field ordinal out of bounds") }
            try field(ordinal, &fields[Int(ordinal)], file)
        }
    }

    borrowing func finish(to file: SegmentFileWriter) throws(StorageError) {
        try dictionary.finish(to: file)
        try norms.finish(to: file)
    }

    // MARK: - Fields

    private mutating func field(_ ordinal: UInt32, _ info: inout FieldInfo, _ file: SegmentFileWriter) throws(StorageError) {
        try begin(ordinal)
        info.docCount = 0
        (info.sumDocFreq, info.sumTotalTermFreq, info.termCount) = (0, 0, 0)
        while let key = least(), key.prefix(4).reduce(UInt32(0), { $0 << 8 | UInt32($1) }) == ordinal {
            let sums = try term(key)
            if sums.docFreq == 0 { continue }
            info.sumDocFreq += sums.docFreq
            info.sumTotalTermFreq += sums.totalTermFreq
            info.termCount += 1
            let failure: StorageError? = unsafe key.withUnsafeBytes { bytes in
                do throws(StorageError) {
                    unsafe try dictionary.add(
                        field: ordinal, term: UnsafeRawBufferPointer(rebasing: bytes[4...]), docFreq: sums.docFreq,
                        totalTermFreq: sums.totalTermFreq, options: options, postings: lists.postings, positions: lists.positions, to: file)
                    return nil
                } catch { return error }
            }
            if let failure { throw failure }
        }
        end(ordinal, &info)
    }

    /// What the field keeps, and the norms that its impacts are made of.
    private mutating func begin(_ ordinal: UInt32) throws(StorageError) {
        options = PostingsOptions(frequencies: true, positions: true)
        hasNorms = false
        for i in inputs.indices {
            inputs[i].constantNorm = nil
            let own = inputs[i].ownOrdinals[Int(ordinal)]
            if own == .max { continue }
            let segment = inputs[i].source.segment
            let features = segment.fields[ordinal: own].features
            guard features.contains(.postings) else { continue }
            options.frequencies = options.frequencies && features.contains(.frequencies)
            options.positions = options.positions && features.contains(.positions)
            guard features.contains(.norms) else { continue }
            hasNorms = true
            let map = inputs[i].source.docMap
            switch try segment.inverted.norms(own) {
            case .constant(let norm): inputs[i].constantNorm = norm
            case .dense(let bytes):
                for doc in 0..<min(map.count, segment.docCount) where map[doc] != .max { unsafe lists.setNorm(map[doc], bytes[doc]) }
            case .sparse(let having, let bytes, let count):
                for j in 0..<count {
                    let doc = unsafe Int(UInt32(littleEndian: having.loadUnaligned(fromByteOffset: 4 * j, as: UInt32.self)))
                    if doc < map.count, map[doc] != .max { unsafe lists.setNorm(map[doc], bytes[j]) }
                }
            }
        }
    }

    private mutating func end(_ ordinal: UInt32, _ info: inout FieldInfo) {
        var having: [UInt32] = [], bytes: [UInt8] = []
        presence.forEach { having.append(UInt32(truncatingIfNeeded: $0)) }
        unsafe presence.words.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
        info.docCount = having.count
        if !having.isEmpty {
            info.features.insert(.postings)
            if options.frequencies { info.features.insert(.frequencies) }
            if options.positions { info.features.insert(.positions) }
            if hasNorms {
                info.features.insert(.norms)
                for doc in having { bytes.append(lists.norm(doc)) }
                if let first = bytes.first, bytes.allSatisfy({ $0 == first }) {
                    info.features.insert(.constantNorms)
                    info.constantNorm = first
                } else {
                    norms.add(field: ordinal, docs: having, norms: bytes, docCount: docCount)
                }
            }
        }
        lists.clearNorms(having)
    }

    // MARK: - Terms

    /// The least key that any source stands at.
    private func least() -> [UInt8]? {
        var best: [UInt8]?
        for input in inputs {
            guard let key = input.key else { continue }
            if let known = best { if precedes(key, known) { best = key } } else { best = key }
        }
        return best
    }

    private mutating func term(_ key: [UInt8]) throws(StorageError) -> (docFreq: Int, totalTermFreq: Int) {
        lists.begin(options)
        for i in inputs.indices where inputs[i].key == key {
            if let entry = inputs[i].scan.entry { try append(entry, i) }
            try inputs[i].advance()
        }
        return lists.end(isConstant: !hasNorms, norm: 1)
    }

    private mutating func append(_ entry: TermEntry, _ input: Int) throws(StorageError) {
        let source = inputs[input].source, constantNorm = inputs[input].constantNorm
        let list = try source.segment.inverted.list(entry, positions: options.positions)
        var reader = unsafe PositionReader(list, buffer: buffer)
        var n = 0, p = 0
        for block in 0..<list.blockCount {
            let count = unsafe list.decode(block, docs: docs, frequencies: frequencies)
            if count == 0 { throw source.segment.inverted.damaged(entry) }
            unsafe list.decodeFrequencies(block, into: frequencies)
            var place = block == 0 ? 0 : list.positionsBefore(block)
            for i in 0..<count {
                let f = unsafe Int(frequencies[i])
                defer { place += f }
                guard unsafe Int(docs[i]) < source.docMap.count, f <= list.totalTermFreq else { throw source.segment.inverted.damaged(entry) }
                let doc = unsafe source.docMap[Int(docs[i])]
                if doc == .max { continue }
                guard Int(doc) < docCount else { throw source.segment.inverted.damaged(entry) }
                presence.insert(Int(doc))
                if let constantNorm { lists.setNorm(doc, constantNorm) }
                if n == ListWriter.chunkDocs {
                    lists.flush(n, p, isConstant: !hasNorms, norm: 1)
                    (n, p) = (0, 0)
                }
                unsafe lists.docs[n] = doc
                unsafe lists.frequencies[n] = unsafe frequencies[i]
                n += 1
                if options.positions { copyPositions(&reader, from: place, count: f, &p) }
            }
        }
        if reader.isDamaged { throw source.segment.inverted.damaged(entry) }
        lists.flush(n, p, isConstant: !hasNorms, norm: 1)
    }

    private mutating func copyPositions(_ reader: inout PositionReader, from place: Int, count: Int, _ p: inout Int) {
        if positions.count < count { positions = [UInt32](repeating: 0, count: 2 * count) }
        unsafe positions.withUnsafeMutableBufferPointer { absolute in
            guard let base = absolute.baseAddress else { return }
            unsafe reader.read(from: place, count: count, into: base)
            var previous: UInt32 = 0
            for i in 0..<count {
                if p == ListWriter.chunkPositions {
                    lists.flush(0, p, isConstant: !hasNorms, norm: 1)
                    p = 0
                }
                unsafe lists.deltas[p] = unsafe base[i] &- previous
                previous = unsafe base[i]
                p += 1
            }
        }
    }
}

private func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    unsafe a.withUnsafeBytes { a in
        unsafe b.withUnsafeBytes { b in
            let n = min(a.count, b.count)
            for i in 0..<n where unsafe a[i] != b[i] { return unsafe a[i] < b[i] }
            return a.count < b.count
        }
    }
}
