// Writes the term dictionary and, term by term, the postings (layout: TermDictionaryFormat). Postings go to the
// file as they come; blocks and index are held until the end (about 6 bytes a term).

internal import Bytes
package import Storage

package struct TermDictionaryWriter: ~Copyable {
    private var blocks = ByteWriter()
    private var blockOffsets: [UInt64] = []
    private var separatorStarts: [UInt32] = []
    private var separators: [UInt8] = []
    private var last: [UInt8] = []
    private var termCount = 0
    private var postingsOffset = 0

    package init() {}

    /// Adds a term and its lists, which go to the open section `postings`, or into the entry when they are short.
    /// Keys strictly rise.
    package mutating func add(
        field: UInt32, term: UnsafeRawBufferPointer, docFreq: Int, totalTermFreq: Int, options: PostingsOptions,
        postings: [UInt8], positions: [UInt8], to file: SegmentFileWriter
    ) throws(StorageError) {
        let head = fieldKey(field)
        let keyCount = term.count + 4
        if termCount % TermDictionaryFormat.blockTerms == 0 {
            unsafe beginBlock(head, term)
            blocks.varint(0)
            blocks.varint(keyCount)
            blocks.raw(head)
            unsafe blocks.raw(term)
        } else {
            let shared = unsafe sharedCount(head, term)
            blocks.varint(shared)
            blocks.varint(keyCount - shared)
            if shared < 4 { blocks.raw(head[shared...]) }
            unsafe blocks.raw(UnsafeRawBufferPointer(rebasing: term[max(0, shared - 4)...]))
        }
        last.removeAll(keepingCapacity: true)
        last.append(contentsOf: head)
        unsafe last.append(contentsOf: term)
        termCount += 1

        let isInline = postings.count + positions.count <= PostingsFormat.inlineBytesMax
        blocks.varint(docFreq << 3 | (options.positions ? 4 : 0) | (options.frequencies ? 2 : 0) | (isInline ? 1 : 0))
        if options.frequencies { blocks.varint(totalTermFreq - docFreq) }
        blocks.varint(postings.count)
        if options.positions { blocks.varint(positions.count) }
        if isInline {
            blocks.raw(postings)
            blocks.raw(positions)
        } else {
            try file.write(postings)
            try file.write(positions)
            postingsOffset += postings.count + positions.count
        }
    }

    /// Writes sections termBlocks and termIndex; section `postings` must have ended.
    package borrowing func finish(to file: SegmentFileWriter) throws(StorageError) {
        try file.section(.termBlocks, blocks.bytes)
        var index = ByteWriter(reserving: 16 + 12 * blockOffsets.count + separators.count)
        index.fixed(UInt32(clamping: blockOffsets.count))
        index.fixed(UInt32(TermDictionaryFormat.blockTerms))
        index.fixed(UInt64(termCount))
        for offset in blockOffsets { index.fixed(offset) }
        index.fixed(UInt64(blocks.count))
        for start in separatorStarts { index.fixed(start) }
        index.fixed(UInt32(clamping: separators.count))
        index.raw(separators)
        try file.section(.termIndex, index.bytes)
    }

    // MARK: -

    private mutating func beginBlock(_ head: [UInt8], _ term: UnsafeRawBufferPointer) {
        blockOffsets.append(UInt64(blocks.count))
        separatorStarts.append(UInt32(clamping: separators.count))
        // One byte past what is shared with the key before tells them apart.
        let count = min(unsafe sharedCount(head, term) + 1, term.count + 4)
        separators.append(contentsOf: head[..<min(4, count)])
        if count > 4 { unsafe separators.append(contentsOf: term[..<(count - 4)]) }
        blocks.varint(postingsOffset)
    }

    private func sharedCount(_ head: [UInt8], _ term: UnsafeRawBufferPointer) -> Int {
        var n = 0
        let limit = min(last.count, term.count + 4)
        while n < limit, last[n] == (n < 4 ? head[n] : unsafe term[n - 4]) { n += 1 }
        return n
    }
}
