// JSON values as Java's toString shows them, since Elasticsearch's messages quote them so: {a=1, b=[x, y]}.

internal import JSON

enum JavaText {
    static func string(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let v): v ? "true" : "false"
        case .integer(let v): String(v)
        case .number(let v): JSONNumber.string(v)
        case .string(let v): v
        case .array(let elements): "[" + elements.map(string).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.map { "\($0.key)=\(string($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// "java.lang.String" and the like.
    static func className(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "java.lang.Boolean"
        case .integer(let v): Int32(exactly: v) != nil ? "java.lang.Integer" : "java.lang.Long"
        case .number: "java.lang.Double"
        case .string: "java.lang.String"
        case .array: "java.util.ArrayList"
        case .object: "java.util.HashMap"
        }
    }
}
