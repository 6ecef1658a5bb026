// Walks the rows of a row group's columns: for each row and column its entries, and the number of its first value.

package struct RowCursor {
    package let columns: [ColumnValues]
    /// The row the cursor is at; -1 before the first `next()`.
    package private(set) var row = -1
    private var starts: [Int]
    private var ends: [Int]
    private var firstValues: [Int]
    private var nextValues: [Int]

    package init(_ columns: [ColumnValues]) {
        self.columns = columns
        let zeros = [Int](repeating: 0, count: columns.count)
        (starts, ends, firstValues, nextValues) = (zeros, zeros, zeros, zeros)
    }

    /// Goes to the next row; false after the last.
    package mutating func next() -> Bool {
        guard let first = columns.first, ends[0] < first.entryCount else { return false }
        row += 1
        for i in columns.indices {
            let column = columns[i], start = ends[i]
            guard start < column.entryCount else { return false }
            var end = start + 1
            if column.leaf.maxRepetition > 0 { while end < column.entryCount, column.repetitions[end] != 0 { end += 1 } }
            (starts[i], ends[i], firstValues[i]) = (start, end, nextValues[i])
            nextValues[i] += column.presentCount(start..<end)
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

    /// The entries of the rows `rows`.
    package func rows(_ rows: Range<Int>) -> ColumnValues {
        var start = rows.lowerBound, end = rows.upperBound
        if leaf.maxRepetition > 0 {
            var row = -1
            (start, end) = (entryCount, entryCount)
            for (i, level) in repetitions.enumerated() where level == 0 {
                row += 1
                if row == rows.lowerBound { start = i }
                if row == rows.upperBound {
                    end = i
                    break
                }
            }
        }
        var part = ColumnValues(leaf)
        if start < end { part.append(entries: start..<end, firstValue: presentCount(0..<start), of: self) }
        return part
    }
}
