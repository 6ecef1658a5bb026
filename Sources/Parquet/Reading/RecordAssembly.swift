// Rows as trees of values, whatever the schema: for inspection and export, where speed matters less than that every file can be shown. The
// cold tier reads its own columns by `RowCursor`.
//
// A node's part of a row is a slice of entries for each of its leaves. An optional node is absent when the first leaf's definition level
// does not reach it; a repeated node's elements begin where the repetition level is at most the node's.

package indirect enum ParquetValue: Sendable, Equatable {
    case null, bool(Bool), int(Int64), double(Double), text(String), bytes([UInt8]), decimal(Int64, scale: Int)
    case list([ParquetValue])
    case group([(name: String, value: ParquetValue)])

    package static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.int(let x), .int(let y)): x == y
        case (.double(let x), .double(let y)): x == y
        case (.text(let x), .text(let y)): x == y
        case (.bytes(let x), .bytes(let y)): x == y
        case (.decimal(let x, let m), .decimal(let y, let n)): x == y && m == n
        case (.list(let x), .list(let y)): x == y
        case (.group(let x), .group(let y)): x.count == y.count && zip(x, y).allSatisfy { $0.name == $1.name && $0.value == $1.value }
        default: false
        }
    }
}

/// The rows of a row group, one record a call.
package struct RecordReader {
    private let schema: ParquetSchema
    private let columns: [ColumnValues]
    private var cursor: RowCursor
    /// For each leaf and entry of the row: the number of the value at or behind it.
    private var numbers: [[Int]] = []

    /// - Parameter columns: all of the schema's, of one row group.
    package init(_ schema: ParquetSchema, _ columns: [ColumnValues]) throws(ParquetError) {
        guard columns.map(\.leaf) == schema.leaves else { throw .misuse("a record needs all columns of the schema") }
        (self.schema, self.columns) = (schema, columns)
        cursor = RowCursor(columns)
    }

    /// The next row; nil after the last.
    /// - Throws: `damaged` when the levels of neighbouring columns contradict each other.
    package mutating func next() throws(ParquetError) -> ParquetValue? {
        guard cursor.next() else { return nil }
        numbers = columns.indices.map { leaf in
            var number = cursor.firstValue(leaf)
            return cursor.entries(leaf).map { entry in
                defer { number += isThere(leaf, entry) ? 1 : 0 }
                return number
            }
        }
        var leaf = 0, slices = columns.indices.map { cursor.entries($0) }
        return .group(try members(schema.fields, &leaf, &slices, definition: 0, repetition: 0))
    }

    // MARK: -

    private func isThere(_ leaf: Int, _ entry: Int) -> Bool {
        columns[leaf].leaf.maxDefinition == 0 || columns[leaf].definitions[entry] == UInt8(columns[leaf].leaf.maxDefinition)
    }

    private func definition(_ leaf: Int, _ entry: Int) -> Int { columns[leaf].leaf.maxDefinition == 0 ? 0 : Int(columns[leaf].definitions[entry]) }

    private func members(_ nodes: [ParquetSchema.Node], _ leaf: inout Int, _ slices: inout [Range<Int>], definition: Int, repetition: Int) throws(ParquetError) -> [(name: String, value: ParquetValue)] {
        var found: [(name: String, value: ParquetValue)] = []
        for node in nodes { found.append((node.name, try value(node, &leaf, &slices, definition, repetition))) }
        return found
    }

    private func value(_ node: ParquetSchema.Node, _ leaf: inout Int, _ slices: inout [Range<Int>], _ definition: Int, _ repetition: Int) throws(ParquetError) -> ParquetValue {
        let first = leaf, count = Self.leafCount(node), reached = definition + (node.repetition == .required ? 0 : 1)
        guard slices.indices.contains(first) else { throw .damaged("a group without columns", offset: 0) }
        guard let entry = slices[first].first else { throw .damaged("column \(columns[first].leaf.name) has too few entries", offset: 0) }
        defer { leaf = first + count }
        guard self.definition(first, entry) >= reached else { return node.repetition == .repeated ? .list([]) : .null }
        guard node.repetition == .repeated else { return try content(node, first, slices, reached, repetition) }
        let elements = try split(first..<first + count, slices, at: repetition + 1)
        var list: [ParquetValue] = []
        for element in elements { list.append(try content(node, first, element, reached, repetition + 1)) }
        return .list(list)
    }

    private func content(_ node: ParquetSchema.Node, _ first: Int, _ slices: [Range<Int>], _ definition: Int, _ repetition: Int) throws(ParquetError) -> ParquetValue {
        switch node.content {
        case .leaf(let type):
            guard let entry = slices[first].first, self.definition(first, entry) >= definition else { return .null }
            return Self.value(type, columns[first], numbers[first][entry - cursor.entries(first).lowerBound])
        case .group(let children, let kind):
            var leaf = first, slices = slices
            let members = try members(children, &leaf, &slices, definition: definition, repetition: repetition)
            // Three levels read as one list: of what the middle one repeats.
            guard kind == .list, members.count == 1, case .list(let elements) = members[0].value else { return .group(members) }
            return .list(elements.map { if case .group(let one) = $0, one.count == 1 { one[0].value } else { $0 } })
        }
    }

    /// The slices of each element of a repeated node.
    private func split(_ leaves: Range<Int>, _ slices: [Range<Int>], at level: Int) throws(ParquetError) -> [[Range<Int>]] {
        var elements: [[Range<Int>]] = []
        for leaf in leaves {
            var starts: [Int] = []
            for entry in slices[leaf] where entry == slices[leaf].lowerBound || Int(columns[leaf].repetitions[entry]) <= level { starts.append(entry) }
            if leaf == leaves.lowerBound { elements = starts.map { _ in slices } }
            guard starts.count == elements.count else { throw .damaged("lists of uneven length at column \(columns[leaf].leaf.name)", offset: 0) }
            for (i, start) in starts.enumerated() { elements[i][leaf] = start..<(i + 1 < starts.count ? starts[i + 1] : slices[leaf].upperBound) }
        }
        return elements
    }

    private static func leafCount(_ node: ParquetSchema.Node) -> Int {
        guard case .group(let children, _) = node.content else { return 1 }
        return children.reduce(0) { $0 + leafCount($1) }
    }

    private static func value(_ type: ColumnType, _ column: ColumnValues, _ i: Int) -> ParquetValue {
        switch (type.physical, type.logical) {
        case (.boolean, _): .bool(column.bool(i))
        case (.int32, .decimal(_, let scale)?): .decimal(Int64(column.int32(i)), scale: scale)
        case (.int64, .decimal(_, let scale)?): .decimal(column.int64(i), scale: scale)
        case (.int32, _): .int(Int64(column.int32(i)))
        case (.int64, _): .int(column.int64(i))
        case (.double, _): .double(column.double(i))
        case (_, .decimal(let precision, let scale)?) where precision <= 18: .decimal(column.decimal(i), scale: scale)
        case (_, .string?), (_, .json?), (_, .enumeration?): .text(column.string(i))
        default: .bytes(Array(column.bytes(i)))
        }
    }
}
