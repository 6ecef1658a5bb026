// Orders with nested lines, payments and tracking, as the tests of the format write them: seeded, deterministic, with nulls, null lists and
// empty lists; and their JSON, by hand, for other readers to be compared with.

import IsothermTesting
import Parquet

struct OrderRows {
    static let schema = ParquetSchema([
        .required("order_id", .string), .required("person_ref", .string), .optional("status", .string), .required("currency", .string),
        .required("total", .decimal(12, 2)), .optional("discount", .decimal(18, 4)), .required("placed_at", .timestamp), .optional("updated_at", .timestamp),
        .optional("weight", .double), .required("gift", .boolean), .optional("rush", .boolean), .required("line_count", .int32), .optional("score", .int64),
        .optional("day", .date), .optional("sealed_name", .bytes), .optional("digest", .fixed(8)),
        .list("lines", of: [
            .required("line_no", .int32), .required("sku", .string), .optional("title", .string), .required("quantity", .int32), .optional("unit_price", .decimal(12, 2)),
        ]),
        .list("payments", of: [.required("at", .timestamp), .required("amount", .decimal(12, 2)), .optional("method", .string)]),
        .list("tracking", optional: false, optionalElement: true, of: [.required("at", .timestamp), .optional("note", .string)]),
    ])

    struct Order {
        var flat: [Value] = []
        /// Nil: the list is null. A nil element: a null struct.
        var lists: [[[Value]?]?] = []
    }

    enum Value: Hashable { case null, text(String), bytes([UInt8]), int(Int64), double(Double), bool(Bool) }

    static func orders(_ count: Int, seed: UInt64) -> [Order] {
        var random = Seeded(seed)
        let people = max(1, count / 4)
        return (0..<count).map { i in order(i, people, &random) }
    }

    static func hex(_ value: UInt64, _ width: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func order(_ i: Int, _ people: Int, _ random: inout Seeded) -> Order {
        func maybe(_ value: Value, _ random: inout Seeded) -> Value { random.next() % 5 == 0 ? .null : value }
        let person = UInt64(i / 4), placed = 1_500_000_000_000_000 + Int64(random.next() % 30_000_000_000_000)
        var o = Order()
        o.flat = [
            .text("o-" + hex(random.next(), 16) + hex(UInt64(i), 8)), .text("p-" + hex(person, 12)),
            maybe(.text(["placed", "shipped", "delivered", "canceled"][Int(random.next() % 4)]), &random), .text("EUR"),
            .int(Int64(random.next() % 2_000_000) - 1000), maybe(.int(Int64(bitPattern: random.next()) % 100_000_000_000_000_000), &random), .int(placed),
            maybe(.int(placed + 86_400_000_000), &random), maybe(.double([0, -0.0, 1.5, -2.25, 1e300][Int(random.next() % 5)]), &random), .bool(random.next() % 2 == 0),
            maybe(.bool(random.next() % 3 == 0), &random), .int(Int64(random.next() % 7)), maybe(.int(Int64(bitPattern: random.next())), &random),
            maybe(.int(Int64(random.next() % 20_000)), &random), maybe(.bytes((0..<Int(random.next() % 90)).map { _ in UInt8(truncatingIfNeeded: random.next()) }), &random),
            maybe(.bytes((0..<8).map { _ in UInt8(random.next() % 3) }), &random),
        ]
        let lines: [[Value]?]? = random.next() % 10 == 0 ? nil : (0..<Int(random.next() % 5)).map { n in
            [.int(Int64(n + 1)), .text("SKU-\(random.next() % 97)"), maybe(.text("Thing é \(random.next() % 500) " + String(repeating: "lång ", count: Int(random.next() % 20))), &random), .int(Int64(1 + random.next() % 3)), maybe(.int(Int64(random.next() % 99_999)), &random)]
        }
        let payments: [[Value]?]? = random.next() % 7 == 0 ? nil : (0..<Int(random.next() % 3)).map { _ in
            [.int(placed + Int64(random.next() % 1000)), .int(Int64(random.next() % 99_999)), maybe(.text(["card", "boleto", "voucher"][Int(random.next() % 3)]), &random)]
        }
        let tracking: [[Value]?]? = (0..<Int(random.next() % 4)).map { _ in random.next() % 6 == 0 ? nil : [.int(placed + Int64(random.next() % 5000)), maybe(.text("at depot"), &random)] }
        o.lists = [lines, payments, tracking]
        return o
    }

    // MARK: - In and out of columns

    static func append(_ order: Order, to columns: inout [ColumnValues]) {
        for (i, value) in order.flat.enumerated() { append(value, to: &columns[i], repetition: 0) }
        var leaf = order.flat.count
        for (list, field) in zip(order.lists, ["lines", "payments", "tracking"]) {
            let count = schema.leaves(of: field).count, isOptional = field != "tracking"
            for k in 0..<count {
                let there = isOptional ? 1 : 0
                guard let list else { columns[leaf + k].appendNull(definition: 0); continue }
                if list.isEmpty { columns[leaf + k].appendNull(definition: there) }
                for (e, element) in list.enumerated() {
                    let repetition: UInt8 = e == 0 ? 0 : 1
                    if let element {
                        if element[k] == .null {
                            columns[leaf + k].appendNull(definition: columns[leaf + k].leaf.maxDefinition - 1, repetition: repetition)
                        } else {
                            append(element[k], to: &columns[leaf + k], repetition: repetition)
                        }
                    } else {
                        columns[leaf + k].appendNull(definition: there + 1, repetition: repetition)
                    }
                }
            }
            leaf += count
        }
    }

    private static func append(_ value: Value, to column: inout ColumnValues, repetition: UInt8) {
        switch value {
        case .null: column.appendNull(definition: column.leaf.maxDefinition - 1, repetition: repetition)
        case .text(let text): column.append(text, repetition: repetition)
        case .bytes(let bytes): column.append(bytes, repetition: repetition)
        case .double(let number): column.append(number, repetition: repetition)
        case .bool(let yes): column.append(yes, repetition: repetition)
        case .int(let number):
            switch column.leaf.type.physical {
            case .int32: column.append(Int32(truncatingIfNeeded: number), repetition: repetition)
            case .int64: column.append(number, repetition: repetition)
            default: column.append(decimal: number, repetition: repetition)
            }
        }
    }

    static func value(_ column: ColumnValues, _ i: Int) -> Value {
        switch (column.leaf.type.physical, column.leaf.type.logical) {
        case (.boolean, _): .bool(column.bool(i))
        case (.int32, _): .int(Int64(column.int32(i)))
        case (.int64, _): .int(column.int64(i))
        case (.double, _): .double(column.double(i))
        case (_, .decimal?): .int(column.decimal(i))
        case (_, .string?): .text(column.string(i))
        default: .bytes(Array(column.bytes(i)))
        }
    }

    /// The orders that columns hold, read by levels alone.
    static func orders(in columns: [ColumnValues]) -> [Order] {
        var cursor = RowCursor(columns), orders: [Order] = []
        while cursor.next() {
            var o = Order(), leaf = 0
            while columns[leaf].leaf.maxRepetition == 0 {
                o.flat.append(cursor.value(leaf).map { value(columns[leaf], $0) } ?? .null)
                leaf += 1
            }
            for field in ["lines", "payments", "tracking"] {
                let count = schema.leaves(of: field).count, there = field == "tracking" ? 0 : 1, isElement = field == "tracking" ? 2 : 2
                var numbers = (0..<count).map { cursor.firstValue(leaf + $0) }
                var list: [[Value]?]? = []
                for (e, _) in cursor.entries(leaf).enumerated() {
                    let levels = (0..<count).map { Int(columns[leaf + $0].definitions[cursor.entries(leaf + $0).lowerBound + e]) }
                    if levels[0] < there { list = nil; continue }
                    if levels[0] == there { continue }
                    if levels[0] < isElement { list?.append(nil); continue }
                    var element: [Value] = []
                    for k in 0..<count {
                        if levels[k] == columns[leaf + k].leaf.maxDefinition {
                            element.append(value(columns[leaf + k], numbers[k]))
                            numbers[k] += 1
                        } else {
                            element.append(.null)
                        }
                    }
                    list?.append(element)
                }
                o.lists.append(list)
                leaf += count
            }
            orders.append(o)
        }
        return orders
    }

    static func file(_ orders: [Order], options: ParquetWriter.Options, groupRows: Int) throws -> [UInt8] {
        var writer = try ParquetWriter(schema, options: options), bytes: [UInt8] = []
        for (i, order) in orders.enumerated() {
            append(order, to: &writer.columns)
            if (i + 1) % groupRows == 0 {
                try writer.endRowGroup()
                bytes += writer.take()
            }
        }
        try writer.finish(keyValues: [KeyValue("note", "orders of the tests")])
        return bytes + writer.take()
    }

    // MARK: - JSON

    static func json(_ order: Order) -> String {
        func text(_ s: String) -> String { "\"" + s.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\"" }
        func one(_ v: Value) -> String {
            switch v {
            case .null: "null"
            case .text(let s): text(s)
            case .bytes(let b): text(b.map { hex(UInt64($0), 2) }.joined())
            case .int(let n): "\(n)"
            case .double(let d): "\(d)"
            case .bool(let b): "\(b)"
            }
        }
        func object(_ names: [String], _ values: [Value]) -> String { "{" + zip(names, values).map { "\"\($0)\":" + one($1) }.joined(separator: ",") + "}" }
        var parts = zip(schema.fields, order.flat).map { "\"\($0.name)\":" + one($1) }
        for (name, list) in zip(["lines", "payments", "tracking"], order.lists) {
            let names = schema.leaves(of: name).map { $0.path.last ?? "" }
            parts.append("\"\(name)\":" + (list.map { "[" + $0.map { $0.map { object(names, $0) } ?? "null" }.joined(separator: ",") + "]" } ?? "null"))
        }
        return "{" + parts.joined(separator: ",") + "}"
    }
}

extension OrderRows {
    /// A record that was assembled by the schema, in the same form.
    static func json(_ value: ParquetValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let yes): "\(yes)"
        case .int(let n), .decimal(let n, _): "\(n)"
        case .double(let d): "\(d)"
        case .text(let s): "\"" + s.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
        case .bytes(let b): "\"" + b.map { hex(UInt64($0), 2) }.joined() + "\""
        case .list(let elements): "[" + elements.map { json($0) }.joined(separator: ",") + "]"
        case .group(let members): "{" + members.map { "\"\($0.name)\":" + json($0.value) }.joined(separator: ",") + "}"
        }
    }
}

extension OrderRows.Order: Equatable {}
