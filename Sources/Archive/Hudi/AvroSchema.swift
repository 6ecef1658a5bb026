// The table's Avro schema as JSON text, made from its Parquet schema: what Hudi's own readers and the commits carry. Every field may be null;
// records and decimals have namespaces of their own, since Avro knows a type by its full name.

import JSON
import Parquet

enum AvroSchema {
    /// Without the meta columns.
    static func text(_ fields: [ParquetSchema.Node], table: String) -> String {
        record("\(table)_record", namespace: "hoodie.\(table)", fields).text
    }

    // MARK: -

    private static func record(_ name: String, namespace: String, _ fields: [ParquetSchema.Node]) -> JSONValue {
        .object(JSONObject([
            ("type", .string("record")), ("name", .string(name)), ("namespace", .string(namespace)),
            ("fields", .array(fields.map { field($0, "\(namespace).\(name)") })),
        ]))
    }

    private static func field(_ node: ParquetSchema.Node, _ namespace: String) -> JSONValue {
        .object(JSONObject([("name", .string(node.name)), ("type", orNull(type(node, namespace))), ("default", .null)]))
    }

    private static func orNull(_ type: JSONValue) -> JSONValue { .array([.string("null"), type]) }

    private static func type(_ node: ParquetSchema.Node, _ namespace: String) -> JSONValue {
        switch node.content {
        case .leaf(let column): leaf(column, "\(namespace).\(node.name)")
        case .group(let children, .list): .object(JSONObject([("type", .string("array")), ("items", orNull(element(children, node.name, namespace)))]))
        case .group(let children, _): record(node.name, namespace: namespace, children)
        }
    }

    /// Of the three levels of a list the innermost is the record, named for the list.
    private static func element(_ children: [ParquetSchema.Node], _ name: String, _ namespace: String) -> JSONValue {
        guard case .group(let elements, _)? = children.first?.content, let element = elements.first else { return .string("null") }
        switch element.content {
        case .group(let fields, _): return record(name, namespace: namespace, fields)
        case .leaf(let column): return leaf(column, "\(namespace).\(name)")
        }
    }

    private static func leaf(_ column: ColumnType, _ namespace: String) -> JSONValue {
        if case .decimal(let precision, let scale)? = column.logical {
            return .object(JSONObject([
                ("type", .string("fixed")), ("name", .string("fixed")), ("namespace", .string(namespace)), ("size", .integer(Int64(column.length))),
                ("logicalType", .string("decimal")), ("precision", .integer(Int64(precision))), ("scale", .integer(Int64(scale))),
            ]))
        }
        if column.logical == .timestampMicros { return .object(JSONObject([("type", .string("long")), ("logicalType", .string("timestamp-micros"))])) }
        if column.logical == .string { return .string("string") }
        switch column.physical {
        case .boolean: return .string("boolean")
        case .int32: return .string("int")
        case .double: return .string("double")
        case .byteArray: return .string("bytes")
        default: return .string("long")
        }
    }
}
