// The schema of a file: a tree of named nodes, and its leaves, which are the columns.
//
// Levels (Dremel: Melnik et al., "Dremel: Interactive Analysis of Web-Scale Datasets", 2010; parquet-format README, "Nested Encoding"):
// an entry of a leaf has a definition level, how many of the optional and repeated nodes on its path are present, and a repetition
// level, at which repeated node of the path it continues a list (0: a new row). A leaf's value is there when its definition level is
// the highest.
//
// A list has the three levels of LogicalTypes.md, "Lists":
//
//     optional group lines (LIST) {          definition 1: the list is not null
//       repeated group list {                definition 2: it has an element; repetition 1
//         required group element {
//           required int32 line_no;          definition 2
//           optional binary title (STRING);  definition 3

package struct ParquetSchema: Sendable, Equatable {
    package let fields: [Node]
    /// The columns, in the order of the tree, depth first.
    package let leaves: [Leaf]

    package init(_ fields: [Node]) {
        self.fields = fields
        var leaves: [Leaf] = []
        for field in fields { Self.collect(field, path: [], definition: 0, repetition: 0, into: &leaves) }
        self.leaves = leaves
    }

    package struct Node: Sendable, Equatable {
        package var name: String
        package var repetition: Repetition
        package var content: Content

        package init(_ name: String, _ repetition: Repetition, _ content: Content) { (self.name, self.repetition, self.content) = (name, repetition, content) }
    }

    package enum Repetition: Int32, Sendable { case required, optional, repeated }

    package indirect enum Content: Sendable, Equatable {
        case leaf(ColumnType)
        case group([Node], GroupKind)
    }

    package enum GroupKind: Sendable { case plain, list, map }

    /// A column.
    package struct Leaf: Sendable, Equatable {
        package let index: Int
        package let path: [String]
        package let type: ColumnType
        package let maxDefinition: Int
        package let maxRepetition: Int

        package var name: String { path.joined(separator: ".") }
    }

    /// The leaf at a dotted path, as "person_ref" or "lines.list.element.sku".
    package func leaf(_ name: String) -> Leaf? { leaves.first { $0.name == name } }

    /// The leaves of the field of this name.
    package func leaves(of field: String) -> [Leaf] { leaves.filter { $0.path[0] == field } }

    private static func collect(_ node: Node, path: [String], definition: Int, repetition: Int, into leaves: inout [Leaf]) {
        let path = path + [node.name]
        let definition = definition + (node.repetition == .required ? 0 : 1), repetition = repetition + (node.repetition == .repeated ? 1 : 0)
        switch node.content {
        case .leaf(let type):
            leaves.append(Leaf(index: leaves.count, path: path, type: type, maxDefinition: definition, maxRepetition: repetition))
        case .group(let children, _):
            for child in children { collect(child, path: path, definition: definition, repetition: repetition, into: &leaves) }
        }
    }
}

/// How a column's values are stored, and what they mean.
package struct ColumnType: Sendable, Equatable {
    package enum Physical: Int32, Sendable { case boolean, int32, int64, int96, float, double, byteArray, fixedLengthByteArray }

    package enum Logical: Sendable, Equatable {
        case string, date, timestampMicros, decimal(precision: Int, scale: Int), uuid, json, enumeration
        /// A type of others that is read as its physical type; for `signed` false the order of statistics is not the physical one.
        case integer(bits: Int, signed: Bool)
        case other(String)
    }

    package var physical: Physical
    /// Bytes of a FIXED_LEN_BYTE_ARRAY value, else 0.
    package var length: Int
    package var logical: Logical?

    package init(_ physical: Physical, length: Int = 0, logical: Logical? = nil) { (self.physical, self.length, self.logical) = (physical, length, logical) }

    package static let boolean = ColumnType(.boolean), int32 = ColumnType(.int32), int64 = ColumnType(.int64), double = ColumnType(.double)
    package static let bytes = ColumnType(.byteArray)
    package static let string = ColumnType(.byteArray, logical: .string)
    package static let date = ColumnType(.int32, logical: .date)
    /// Microseconds since 1970 in UTC.
    package static let timestamp = ColumnType(.int64, logical: .timestampMicros)
    package static func fixed(_ length: Int) -> ColumnType { ColumnType(.fixedLengthByteArray, length: length) }

    /// Big-endian two's complement in as few bytes as the precision needs. Precision 1...18, so that a value is an Int64.
    package static func decimal(_ precision: Int, _ scale: Int) -> ColumnType {
        precondition((1...18).contains(precision) && (0...precision).contains(scale))
        var length = 1, bound = 127, need = 9
        for _ in 1..<precision { need = need * 10 + 9 }
        while bound < need { (length, bound) = (length + 1, bound << 8 | 255) }
        return ColumnType(.fixedLengthByteArray, length: length, logical: .decimal(precision: precision, scale: scale))
    }

    /// Bytes of a value in `ColumnValues`; 0 for BYTE_ARRAY, which varies.
    package var width: Int {
        switch physical {
        case .boolean: 1
        case .int32, .float: 4
        case .int64, .double: 8
        case .int96: 12
        case .byteArray: 0
        case .fixedLengthByteArray: length
        }
    }
}

extension ParquetSchema.Node {
    package static func required(_ name: String, _ type: ColumnType) -> Self { Self(name, .required, .leaf(type)) }
    package static func optional(_ name: String, _ type: ColumnType) -> Self { Self(name, .optional, .leaf(type)) }

    /// A list of structs in three levels; the list itself may be null when `optional`.
    package static func list(_ name: String, optional: Bool = true, optionalElement: Bool = false, of fields: [Self]) -> Self {
        let element = Self("element", optionalElement ? .optional : .required, .group(fields, .plain))
        return Self(name, optional ? .optional : .required, .group([Self("list", .repeated, .group([element], .plain))], .list))
    }
}
