// A second JSON parser, as plain as the grammar: the oracle of the tape.

import JSON

/// Nil when the text is not JSON. Recursive, for small texts.
func naiveParse(_ text: [UInt8]) -> JSONValue? {
    var parser = NaiveJSON(text: text)
    guard let value = parser.value(), parser.atEnd() else { return nil }
    return value
}

private struct NaiveJSON {
    let text: [UInt8]
    var i = 0
    init(text: [UInt8]) { self.text = text }

    var peek: UInt8? { i < text.count ? text[i] : nil }

    mutating func space() { while let c = peek, [0x20, 0x09, 0x0A, 0x0D].contains(c) { i += 1 } }
    mutating func atEnd() -> Bool { space(); return i == text.count }
    mutating func take(_ s: String) -> Bool {
        let utf8 = Array(s.utf8)
        guard text.count - i >= utf8.count, Array(text[i..<i + utf8.count]) == utf8 else { return false }
        i += utf8.count
        return true
    }

    mutating func value() -> JSONValue? {
        space()
        if take("null") { return .null }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if peek == UInt8(ascii: "\"") { return string().map { .string($0) } }
        if take("[") { return array() }
        if take("{") { return object() }
        return number()
    }

    mutating func array() -> JSONValue? {
        var elements: [JSONValue] = []
        space()
        if take("]") { return .array([]) }
        while true {
            guard let v = value() else { return nil }
            elements.append(v)
            space()
            if take("]") { return .array(elements) }
            guard take(",") else { return nil }
        }
    }

    mutating func object() -> JSONValue? {
        var members = JSONObject()
        space()
        if take("}") { return .object(members) }
        while true {
            space()
            guard let key = string() else { return nil }
            space()
            guard take(":"), let v = value() else { return nil }
            members[key] = v
            space()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    mutating func number() -> JSONValue? {
        let start = i
        _ = take("-")
        if !take("0") { guard digits() else { return nil } }
        var whole = true
        if take(".") { whole = false; guard digits() else { return nil } }
        if take("e") || take("E") {
            whole = false
            if !take("+") { _ = take("-") }
            guard digits() else { return nil }
        }
        let s = String(decoding: text[start..<i], as: UTF8.self)
        if whole, let v = Int64(s) { return .integer(v) }
        guard let d = Double(s), d.isFinite else { return nil }
        return .number(d)
    }

    mutating func digits() -> Bool {
        let start = i
        while let c = peek, (0x30...0x39).contains(c) { i += 1 }
        return i > start
    }

    mutating func hex() -> UInt32? {
        guard text.count - i >= 4 else { return nil }
        let s = String(decoding: text[i..<i + 4], as: UTF8.self)
        guard s.utf8.count == 4, s.utf8.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { return nil }
        i += 4
        return UInt32(s, radix: 16)
    }

    mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let c = peek {
            i += 1
            if c == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
            if c < 0x20 { return nil }
            guard c == UInt8(ascii: "\\") else { bytes.append(c); continue }
            guard let e = peek else { return nil }
            i += 1
            switch e {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "b"): bytes.append(8)
            case UInt8(ascii: "f"): bytes.append(12)
            case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes.append(e)
            case UInt8(ascii: "u"):
                guard var code = hex() else { return nil }
                if (0xD800..<0xDC00).contains(code), take("\\u") {
                    let back = i
                    guard let low = hex() else { return nil }
                    if (0xDC00..<0xE000).contains(low) { code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00) } else { i = back - 2 }
                }
                bytes += Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
            default: return nil
            }
        }
        return nil
    }
}
