// Writes JSON straight into bytes: commas, quotes and indentation are the writer's care, balance is the
// caller's. Pretty output is laid out as Elasticsearch's `?pretty`: two spaces, `"key" : value`, `{ }`, `[ ]`.

package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8]
    package let pretty: Bool
    private var depth = 0
    /// Whether a value stands before, so that the next begins with a comma.
    private var afterValue = false
    private var afterKey = false

    package init(pretty: Bool = false, reserving capacity: Int = 0) {
        bytes = []
        self.pretty = pretty
        bytes.reserveCapacity(capacity)
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        (depth, afterValue, afterKey) = (0, false, false)
    }

    // MARK: Structure

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginObject()
        try body(&self)
        endObject()
    }

    package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginArray()
        try body(&self)
        endArray()
    }

    package mutating func key(_ key: String) {
        separate()
        quote(key)
        colon()
    }

    package mutating func key(_ key: RawSpan) {
        separate()
        quote(key)
        colon()
    }

    // MARK: Values

    package mutating func null() { put("null") }
    package mutating func bool(_ value: Bool) { put(value ? "true" : "false") }
    package mutating func integer(_ value: Int64) {
        separate()
        JSONNumber.append(value, to: &bytes)
    }
    package mutating func integer(_ value: Int) { integer(Int64(value)) }
    package mutating func unsigned(_ value: UInt64) {
        separate()
        JSONNumber.append(value, to: &bytes)
    }
    /// As Java's Double.toString.
    package mutating func number(_ value: Double) {
        separate()
        JSONNumber.append(value, to: &bytes)
    }
    /// As Java's Float.toString: scores are floats.
    package mutating func number(_ value: Float) {
        separate()
        JSONNumber.append(value, to: &bytes)
    }
    package mutating func string(_ value: String) {
        separate()
        quote(value)
    }
    package mutating func string(_ utf8: RawSpan) {
        separate()
        quote(utf8)
    }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let v): bool(v)
        case .integer(let v): integer(v)
        case .number(let v): number(v)
        case .string(let v): string(v)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for (key, member) in members {
                self.key(key)
                self.value(member)
            }
            endObject()
        }
    }

    // Members, for short.
    package mutating func member(_ key: String, _ v: String) { self.key(key); string(v) }
    package mutating func member(_ key: String, _ v: Int) { self.key(key); integer(v) }
    package mutating func member(_ key: String, _ v: Int64) { self.key(key); integer(v) }
    package mutating func member(_ key: String, _ v: Bool) { self.key(key); bool(v) }
    package mutating func member(_ key: String, _ v: Double) { self.key(key); number(v) }
    package mutating func member(_ key: String, _ v: Float) { self.key(key); number(v) }
    package mutating func member(_ key: String, _ v: JSONValue) { self.key(key); value(v) }

    /// A value that is JSON already, spliced in as it is; pretty output lays it out anew, numbers untouched.
    package mutating func raw(_ json: RawSpan) {
        if pretty {
            var tape = JSONTape()
            if (try? tape.parse(json)) != nil { return relay(tape, tape.root, json) }
        }
        separate()
        splice(json)
    }

    // MARK: -

    private mutating func relay(_ tape: JSONTape, _ node: Int, _ json: RawSpan) {
        switch tape.kind(node) {
        case .object:
            beginObject()
            var i = node + 1
            while i < tape.next(node) {
                key(tape.text(i, in: json))
                relay(tape, i + 1, json)
                i = tape.next(i + 1)
            }
            endObject()
        case .array:
            beginArray()
            var i = node + 1
            while i < tape.next(node) {
                relay(tape, i, json)
                i = tape.next(i)
            }
            endArray()
        default:
            separate()
            splice(tape.raw(node, in: json))
        }
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        afterValue = false
    }

    private mutating func end(_ bracket: UInt8) {
        depth = max(0, depth - 1)
        if pretty { if afterValue { newLine() } else { bytes.append(0x20) } }
        bytes.append(bracket)
        afterValue = true
    }

    private mutating func separate() {
        if afterKey {
            afterKey = false
        } else {
            if afterValue { bytes.append(UInt8(ascii: ",")) }
            if pretty, depth > 0 { newLine() }
        }
        afterValue = true
    }

    private mutating func colon() {
        if pretty { bytes.append(contentsOf: [0x20, 0x3A, 0x20]) } else { bytes.append(UInt8(ascii: ":")) }
        afterKey = true
    }

    private mutating func newLine() {
        bytes.append(0x0A)
        for _ in 0..<depth { bytes.append(contentsOf: [0x20, 0x20]) }
    }

    private mutating func put(_ literal: StaticString) {
        separate()
        // Safe: a static string's bytes live for ever.
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    private mutating func splice(_ span: RawSpan) {
        // Safe: the pointer is used only inside the closure, within its bounds.
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func quote(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            // Safe: the span lives no longer than the closure's buffer.
            let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(utf8))
            quote(span)
        }
    }

    /// Escapes what JSON demands and nothing else; runs without escapes are copied whole.
    private mutating func quote(_ utf8: RawSpan) {
        bytes.append(0x22)
        // Safe: every read is below the buffer's count; the pointer does not leave the closure.
        unsafe utf8.withUnsafeBytes { p in
            var from = 0, i = 0
            let n = p.count
            while i < n {
                if i &+ 8 <= n {
                    let w = unsafe p.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                    let q = w ^ 0x2222_2222_2222_2222, b = w ^ 0x5C5C_5C5C_5C5C_5C5C
                    let ones: UInt64 = 0x0101_0101_0101_0101
                    if (((q &- ones) & ~q) | ((b &- ones) & ~b) | ((w &- 0x2020_2020_2020_2020) & ~w)) & 0x8080_8080_8080_8080 == 0 {
                        i &+= 8
                        continue
                    }
                }
                let c = unsafe p[i]
                if c < 0x20 || c == 0x22 || c == 0x5C {
                    unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: p[from..<i]))
                    escape(c)
                    from = i &+ 1
                }
                i &+= 1
            }
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: p[from..<n]))
        }
        bytes.append(0x22)
    }

    private mutating func escape(_ c: UInt8) {
        bytes.append(0x5C)
        switch c {
        case 0x22, 0x5C: bytes.append(c)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            let hex = Array("0123456789ABCDEF".utf8)
            bytes.append(contentsOf: [0x75, 0x30, 0x30, hex[Int(c >> 4)], hex[Int(c & 15)]])
        }
    }
}
