// A tree of values from text and back. The grammar is the tape's; the tree is built from it.

extension JSONValue {
    /// Strict RFC 8259. A number that no double can hold is refused.
    package static func parse(_ bytes: RawSpan, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        var tape = JSONTape()
        try tape.parse(bytes, limits: limits)
        return try JSONValue(tape, tape.root, in: bytes)
    }

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        // Safe: `UInt8` has no padding.
        try unsafe parse(bytes.span.bytes, limits: limits)
    }

    package static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    /// The value at a node of a tape. Recursion is bounded by the limit the tape was parsed under.
    package init(_ tape: borrowing JSONTape, _ node: Int, in bytes: RawSpan) throws(JSONError) {
        switch tape.kind(node) {
        case .null: self = .null
        case .false: self = .bool(false)
        case .true: self = .bool(true)
        case .integer: self = .integer(tape.integer(node, in: bytes))
        case .number:
            let value = tape.double(node, in: bytes)
            guard value.isFinite else {
                throw JSONError("The number is out of range of a 64-bit floating point number", at: tape.nodes[node].range.lowerBound)
            }
            self = .number(value)
        case .string, .escapedString: self = .string(tape.string(node, in: bytes))
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(tape.nodes[node].count)
            var i = node + 1
            let end = tape.next(node)
            while i < end {
                elements.append(try JSONValue(tape, i, in: bytes))
                i = tape.next(i)
            }
            self = .array(elements)
        case .object:
            var members = JSONObject()
            var i = node + 1
            let end = tape.next(node)
            while i < end {
                members[tape.string(i, in: bytes)] = try JSONValue(tape, i + 1, in: bytes)
                i = tape.next(i + 1)
            }
            self = .object(members)
        }
    }

    package func serialized(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.value(self)
        return writer.bytes
    }

    package var text: String { String(decoding: serialized(), as: UTF8.self) }
}
