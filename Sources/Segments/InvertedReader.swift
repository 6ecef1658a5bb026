// Reads the inverted side of a segment: here is a term, where are its postings? Opening verifies the term
// index and nothing else; no field costs anything until it is asked for.

package import Bytes
package import Storage

package final class InvertedReader: Sendable {
    package let dictionary: TermDictionary
    private let allNorms: Norms
    private let fields: FieldTable
    private let blocks: Section?
    private let postings: Section?
    package let docCount: Int

    package init(file: SegmentFile, docCount: Int, fields: FieldTable) throws(StorageError) {
        dictionary = try TermDictionary(file)
        allNorms = try Norms(file, docCount: docCount)
        blocks = file.section(.termBlocks)
        postings = file.section(.postings)
        self.fields = fields
        self.docCount = docCount
    }

    /// Exact look-up; nil when no document of this segment (deleted ones included) has the term.
    package func term(_ bytes: [UInt8], field: UInt32) throws(StorageError) -> TermEntry? { try dictionary.find(bytes, field: field) }

    /// Shows the field's terms in byte order, from the first at or after `start`, until `body` says stop.
    package func walk(field: UInt32, from start: [UInt8] = [], _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk) throws(StorageError) {
        try dictionary.walk(field: field, from: start, body)
    }

    /// Adds the documents of a term, deleted ones included, to `set` (of the segment's docCount).
    package func insertDocuments(of entry: TermEntry, field: UInt32, into set: inout BitSet) throws(StorageError) {
        unsafe try forEachBlock(of: entry) { docs, count in
            // Safe: documents are below docCount (PostingList, invariant 1), which `set` was made for.
            unsafe set.words.withUnsafeMutableBufferPointer { words in
                for i in 0..<count {
                    let doc = unsafe docs[i], word = Int(doc >> 6)
                    if word < words.count { unsafe words[word] |= 1 << UInt64(doc & 63) }
                }
            }
            return true
        }
    }

    /// The term's documents, rising, deleted ones included; at most `limit` of them.
    package func documents(of entry: TermEntry, field: UInt32, limit: Int = .max) throws(StorageError) -> [DocID] {
        var out: [DocID] = []
        out.reserveCapacity(min(limit, entry.docFreq))
        unsafe try forEachBlock(of: entry) { docs, count in
            for i in 0..<min(count, limit - out.count) { unsafe out.append(docs[i]) }
            return out.count < limit
        }
        return out
    }

    /// The documents with at least one posting of the field, deleted ones included: O(postings of the field)
    /// unless the field has varying norms.
    package func documents(withField field: UInt32) throws(StorageError) -> BitSet {
        var set = BitSet(count: docCount)
        switch try norms(field) {
        case .dense(let norms):
            for doc in 0..<docCount where unsafe norms[doc] != 0 { set.insert(doc) }
            return set
        case .sparse(let docs, _, let count):
            for i in 0..<count {
                let doc = Int(UInt32(littleEndian: unsafe docs.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
                if doc < docCount { set.insert(doc) }
            }
            return set
        case .constant: break
        }
        var failure: StorageError?
        try walk(field: field) { _, entry in
            do throws(StorageError) { try insertDocuments(of: entry, field: field, into: &set) } catch { failure = error; return .stop }
            return .next
        }
        if let failure { throw failure }
        return set
    }

    /// The norm byte of each of `docs` (rising); 0 for documents without the field, when norms vary.
    package func norms(field: UInt32, docs: [DocID]) throws(StorageError) -> [UInt8] {
        let norms = try norms(field)
        var out = [UInt8](repeating: 0, count: docs.count)
        guard docs.allSatisfy({ $0 < DocID(truncatingIfNeeded: docCount) }) else { return out }
        unsafe docs.withUnsafeBufferPointer { from in
            unsafe out.withUnsafeMutableBufferPointer { to in
                guard let from = from.baseAddress, let to = to.baseAddress else { return }
                unsafe norms.read(from, count: docs.count, into: to)
            }
        }
        return out
    }

    /// Holds pointers: keep the segment alive beside it. Fields without norms count as constant 1.
    package func norms(_ field: UInt32) throws(StorageError) -> FieldNorms {
        if let norms = try allNorms.field(field) { return norms }
        let info = fields[ordinal: field]
        return .constant(info.features.contains(.constantNorms) ? info.constantNorm : 1)
    }

    /// Holds pointers: keep the segment alive beside it. Verifies the list's bytes, positions too when asked for.
    package func list(_ entry: TermEntry, positions: Bool = false) throws(StorageError) -> PostingList {
        guard let section = entry.isInline ? blocks : postings else { throw StorageError(.corrupt, path: "segment", "no postings") }
        let wantsPositions = positions && entry.options.positions
        try section.verify(entry.postings.lowerBound..<(wantsPositions ? entry.positions.upperBound : entry.postings.upperBound))
        let bytes = unsafe section.unsafeBytes
        // Safe: `verify` bounded the ranges.
        let list = unsafe PostingList(
            docFreq: entry.docFreq, totalTermFreq: entry.totalTermFreq,
            options: PostingsOptions(frequencies: entry.options.frequencies, positions: wantsPositions), docCount: docCount,
            postings: UnsafeRawBufferPointer(rebasing: bytes[entry.postings]),
            positions: wantsPositions ? UnsafeRawBufferPointer(rebasing: bytes[entry.positions]) : UnsafeRawBufferPointer(start: nil, count: 0))
        guard let list = list else { throw section.damaged("impossible postings", at: entry.postings.lowerBound) }
        return list
    }

    /// Calls `body` with the documents of block after block until it returns false.
    package func forEachBlock(of entry: TermEntry, _ body: (UnsafePointer<UInt32>, Int) -> Bool) throws(StorageError) {
        let list = try list(entry)
        var isDamaged = false
        unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { memory in
            guard let docs = memory.baseAddress else { return }
            for block in 0..<(list.blockCount) {
                let count = unsafe list.decode(block, docs: docs, frequencies: docs + 128)
                if count == 0 { isDamaged = true; return }
                if unsafe !body(docs, count) { return }
            }
        }
        if isDamaged { throw damaged(entry) }
    }

    package func damaged(_ entry: TermEntry) -> StorageError {
        (entry.isInline ? blocks : postings)?.damaged("impossible posting block", at: entry.postings.lowerBound)
            ?? StorageError(.corrupt, path: "segment", "impossible posting block")
    }
}
