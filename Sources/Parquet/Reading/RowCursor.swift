// Walks the rows of a row group's columns: for each row and column its entries, and the number of its first value.

package struct RowCursor {
    package let columns: [ColumnValues]
    /// The row the cursor is at; -1 before the first `next()`.
    package private(set) var row = -1
    /// Of each column whether its rows are lists. The loop asks columns in place: a copy of one retains all of its arrays.
    private let isList: [Bool]
    private var starts: [Int]
    private var ends: [Int]
    private var firstValues: [Int]
    private var nextValues: [Int]

    package init(_ columns: [ColumnValues]) {
        self.columns = columns
        isList = columns.map { $0.leaf.maxRepetition > 0 }
        let zeros = [Int](repeating: 0, count: columns.count)
        (starts, ends, firstValues, nextValues) = (zeros, zeros, zeros, zeros)
    }

    /// Goes to the next row; false after the last.
    package mutating func next() -> Bool {
        guard !columns.isEmpty, ends[0] < columns[0].entryCount else { return false }
        row += 1
        for i in columns.indices {
            let start = ends[i]
            guard start < columns[i].entryCount else { return false }
            let end = isList[i] ? columns[i].endOfRow(from: start) : start + 1
            (starts[i], ends[i], firstValues[i]) = (start, end, nextValues[i])
            nextValues[i] += columns[i].presentCount(start..<end)
        }
        return true
    }

    /// The entries of the row in column i: one, or those of its lists.
    package func entries(_ i: Int) -> Range<Int> { starts[i]..<ends[i] }

    /// The number of the row's first value in column i, nil where it has none.
    package func value(_ i: Int) -> Int? { nextValues[i] > firstValues[i] ? firstValues[i] : nil }

    /// The number of the value at or behind the row's first entry in column i.
    package func firstValue(_ i: Int) -> Int { firstValues[i] }
}

extension ColumnValues {
    /// How many of the entries have a value.
    package func presentCount(_ entries: Range<Int>) -> Int {
        guard leaf.maxDefinition > 0 else { return entries.count }
        let top = UInt8(leaf.maxDefinition)
        return definitions[entries].reduce(0) { $0 + ($1 == top ? 1 : 0) }
    }

    /// The end of the row whose first entry is `start`.
    fileprivate func endOfRow(from start: Int) -> Int {
        var end = start + 1
        while end < entryCount, repetitions[end] != 0 { end += 1 }
        return end
    }

    /// The entries of the rows `rows`.
    package func rows(_ rows: Range<Int>) -> ColumnValues {
        var part = ColumnValues(leaf)
        part.append(rows: rows, of: self)
        return part
    }

    /// Adds the entries of the rows `rows` of another of the same leaf.
    package mutating func append(rows: Range<Int>, of other: ColumnValues) {
        var start = rows.lowerBound, end = rows.upperBound
        if leaf.maxRepetition > 0 {
            var row = -1
            (start, end) = (other.entryCount, other.entryCount)
            for (i, level) in other.repetitions.enumerated() where level == 0 {
                row += 1
                if row == rows.lowerBound { start = i }
                if row == rows.upperBound {
                    end = i
                    break
                }
            }
        }
        if start < end { append(entries: start..<end, firstValue: other.presentCount(0..<start), of: other) }
    }
}
