// Where a file's bytes come from: a length and ranged reads, so that a folder, S3 and memory look alike and reads can be counted.

package struct ParquetSource: Sendable {
    package let byteCount: Int
    private let fetch: @Sendable (Range<Int>) async throws(ParquetError) -> [UInt8]

    /// - Parameter fetch: gives exactly the bytes of the range, which lies within the file; throws `unreadable`.
    package init(byteCount: Int, fetch: @escaping @Sendable (Range<Int>) async throws(ParquetError) -> [UInt8]) { (self.byteCount, self.fetch) = (byteCount, fetch) }

    package init(_ bytes: [UInt8]) { self.init(byteCount: bytes.count) { range in Array(bytes[range]) } }

    /// The bytes of a range that a file claims; one that leaves the file is damage.
    package func read(_ range: Range<Int>) async throws(ParquetError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= byteCount else { throw .damaged("a range beyond the file's end", offset: range.lowerBound) }
        if range.isEmpty { return [] }
        let bytes = try await fetch(range)
        guard bytes.count == range.count else { throw .unreadable("\(bytes.count) bytes came for \(range.count)") }
        return bytes
    }

    /// Several ranges, those that lie at most `gap` bytes apart in one read. Answers in the order asked.
    package func read(_ ranges: [Range<Int>], gap: Int) async throws(ParquetError) -> [[UInt8]] {
        var answers = [[UInt8]](repeating: [], count: ranges.count)
        let order = ranges.indices.filter { !ranges[$0].isEmpty }.sorted { ranges[$0].lowerBound < ranges[$1].lowerBound }
        var i = 0
        while i < order.count {
            var whole = ranges[order[i]], j = i + 1
            while j < order.count, ranges[order[j]].lowerBound <= whole.upperBound.addingReportingOverflow(gap).partialValue {
                whole = whole.lowerBound..<max(whole.upperBound, ranges[order[j]].upperBound)
                j += 1
            }
            let bytes = try await read(whole)
            for k in order[i..<j] { answers[k] = Array(bytes[ranges[k].lowerBound - whole.lowerBound..<ranges[k].upperBound - whole.lowerBound]) }
            i = j
        }
        return answers
    }
}
