// Walks the grammar once, left to right, and writes the tape. No recursion: open containers are a stack
// of node numbers, bounded by the depth limit. Strings are scanned eight bytes at a time until a quote, a
// backslash, a control character or a byte past ASCII.
//
// Works on a raw pointer: `RawSpan` with its checks read 0.6 of the speed. Every read is preceded by a
// comparison with `count`.

struct TapeBuilder {
    private var nodes: [JSONTape.Node]
    private var arena: [UInt8]
    private var stack: [UInt32]
    private let limits: JSONLimits

    /// Takes the tape's arrays, so that nothing is copied; `giveBack` returns them.
    init(taking tape: inout JSONTape, limits: JSONLimits) {
        (nodes, arena, stack, self.limits) = (tape.nodes, tape.arena, tape.stack, limits)
        (tape.nodes, tape.arena, tape.stack) = ([], [], [])
        nodes.removeAll(keepingCapacity: true)
        arena.removeAll(keepingCapacity: true)
        stack.removeAll(keepingCapacity: true)
    }

    mutating func giveBack(to tape: inout JSONTape) {
        (tape.nodes, tape.arena, tape.stack) = (nodes, arena, stack)
        (nodes, arena, stack) = ([], [], [])
    }

    mutating func run(_ bytes: RawSpan) throws(JSONError) {
        guard bytes.byteCount <= limits.bytesMax else {
            throw JSONError("The text has \(bytes.byteCount) bytes, more than the limit of \(limits.bytesMax)", at: limits.bytesMax)
        }
        // Safe: the pointer lives as long as the closure, and `Input` never reads at or past `count`.
        try unsafe bytes.withUnsafeBytes { buffer throws(JSONError) in
            guard let base = buffer.baseAddress else { throw JSONError("The text is empty; a JSON value was expected", at: 0) }
            unsafe try walk(Input(p: base.assumingMemoryBound(to: UInt8.self), count: buffer.count))
        }
    }

    // MARK: - The grammar

    private mutating func walk(_ input: Input) throws(JSONError) {
        var i = unsafe input.skipSpace(0)
        var inObject = false
        value: while true {
            // A value begins at i.
            guard unsafe i < input.count else { throw JSONError("Unexpected end of text; a value was expected", at: i) }
            switch unsafe input.p[i] {
            case UInt8(ascii: "\""):
                i = try unsafe string(input, i)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = unsafe input.p[i] == UInt8(ascii: "{")
                guard stack.count < limits.depthMax else {
                    throw JSONError("The text nests deeper than the limit of \(limits.depthMax)", at: i)
                }
                stack.append(UInt32(truncatingIfNeeded: nodes.count))
                nodes.append(JSONTape.Node(isObject ? .object : .array, i, i))
                inObject = isObject
                i = unsafe input.skipSpace(i + 1)
                guard unsafe i < input.count else { throw JSONError("Unexpected end of text in a container", at: i) }
                if unsafe input.p[i] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { i = try unsafe key(input, i) }
                    continue value
                }
                i = close(i)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                i = try unsafe number(input, i)
            case UInt8(ascii: "t"): i = try unsafe literal(input, i, 0x6575_7274, 4, .true)
            case UInt8(ascii: "n"): i = try unsafe literal(input, i, 0x6C6C_756E, 4, .null)
            case UInt8(ascii: "f"): i = try unsafe literal(input, i + 1, 0x6573_6C61, 4, .false)
            default: throw unsafe input.unexpected(i, "a value was expected")
            }

            // A value ended before i.
            while true {
                guard let top = stack.last else {
                    i = unsafe input.skipSpace(i)
                    guard unsafe i == input.count else { throw unsafe input.unexpected(i, "the end of the text was expected") }
                    return
                }
                nodes[Int(top)].tag &+= 16
                inObject = nodes[Int(top)].kind == .object
                i = unsafe input.skipSpace(i)
                guard unsafe i < input.count else { throw JSONError("Unexpected end of text in a container", at: i) }
                let c = unsafe input.p[i]
                if c == UInt8(ascii: ",") {
                    i = unsafe input.skipSpace(i + 1)
                    if inObject { i = try unsafe key(input, i) }
                    continue value
                }
                guard c == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw unsafe input.unexpected(i, inObject ? "',' or '}' was expected" : "',' or ']' was expected")
                }
                i = close(i)
            }
        }
    }

    private mutating func close(_ i: Int) -> Int {
        if let top = stack.popLast() {
            nodes[Int(top)].past = UInt32(truncatingIfNeeded: i + 1)
            nodes[Int(top)].payload = UInt32(truncatingIfNeeded: nodes.count)
        }
        return i + 1
    }

    /// A key, its colon and the space after; the offset of the value.
    private mutating func key(_ input: Input, _ i: Int) throws(JSONError) -> Int {
        guard unsafe i < input.count, unsafe input.p[i] == UInt8(ascii: "\"") else {
            throw unsafe input.unexpected(i, "a double quote to start a field name was expected")
        }
        var i = try unsafe string(input, i)
        i = unsafe input.skipSpace(i)
        guard unsafe i < input.count, unsafe input.p[i] == UInt8(ascii: ":") else {
            throw unsafe input.unexpected(i, "a colon between a field name and its value was expected")
        }
        return unsafe input.skipSpace(i + 1)
    }

    /// Four bytes at `i`; "false" is told by its last four.
    private mutating func literal(_ input: Input, _ i: Int, _ word: UInt32, _ length: Int, _ kind: JSONTape.Kind) throws(JSONError) -> Int {
        let first = kind == .false ? i - 1 : i
        guard unsafe i + 4 <= input.count, unsafe input.word32(i) == word else {
            throw unsafe input.unexpected(first, "'true', 'false' or 'null' was expected")
        }
        nodes.append(JSONTape.Node(kind, first, i + 4))
        return i + 4
    }

    private mutating func number(_ input: Input, _ start: Int) throws(JSONError) -> Int {
        var i = start
        if unsafe input.p[i] == UInt8(ascii: "-") { i += 1 }
        let digits = i
        i = unsafe input.skipDigits(i)
        guard i > digits else { throw unsafe input.unexpected(i, "a digit was expected") }
        if i - digits > 1, unsafe input.p[digits] == UInt8(ascii: "0") {
            throw JSONError("Invalid number: leading zeros are not allowed", at: digits)
        }
        let digitCount = i - digits
        var isInteger = true
        if unsafe i < input.count, unsafe input.p[i] == UInt8(ascii: ".") {
            isInteger = false
            let fraction = i + 1
            i = unsafe input.skipDigits(fraction)
            guard i > fraction else { throw unsafe input.unexpected(i, "a digit after the decimal point was expected") }
        }
        if unsafe i < input.count, unsafe input.p[i] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            i += 1
            if unsafe i < input.count, unsafe input.p[i] == UInt8(ascii: "+") || input.p[i] == UInt8(ascii: "-") { i += 1 }
            let exponent = i
            i = unsafe input.skipDigits(i)
            guard i > exponent else { throw unsafe input.unexpected(i, "a digit of an exponent was expected") }
        }
        if isInteger, digitCount > 18 { isInteger = unsafe input.fitsInt64(start, i) }
        nodes.append(JSONTape.Node(isInteger ? .integer : .number, start, i))
        return i
    }

    /// From the opening quote; the offset past the closing one.
    private mutating func string(_ input: Input, _ start: Int) throws(JSONError) -> Int {
        let i = try unsafe input.skipPlain(start + 1)
        guard unsafe i < input.count else { throw JSONError("Unexpected end of text in a string", at: i) }
        if unsafe input.p[i] == UInt8(ascii: "\"") {
            nodes.append(JSONTape.Node(.string, start, i + 1))
            return i + 1
        }
        return try unsafe escapedString(input, start, i)
    }

    /// - Parameter stop: where the first backslash is.
    private mutating func escapedString(_ input: Input, _ start: Int, _ stop: Int) throws(JSONError) -> Int {
        let home = arena.count
        var from = start + 1, i = stop
        while true {
            unsafe arena.append(contentsOf: UnsafeBufferPointer(start: input.p + from, count: i - from))
            guard unsafe i < input.count else { throw JSONError("Unexpected end of text in a string", at: i) }
            if unsafe input.p[i] == UInt8(ascii: "\"") { break }
            i = try unsafe escape(input, i)
            from = i
            i = try unsafe input.skipPlain(i)
        }
        var node = JSONTape.Node(.escapedString, start, i + 1)
        node.payload = UInt32(truncatingIfNeeded: home)
        node.tag |= UInt32(truncatingIfNeeded: arena.count - home) << 4
        nodes.append(node)
        return i + 1
    }

    /// From a backslash; the offset past the escape.
    private mutating func escape(_ input: Input, _ i: Int) throws(JSONError) -> Int {
        guard unsafe i + 1 < input.count else { throw JSONError("Unexpected end of text in an escape", at: i) }
        switch unsafe input.p[i + 1] {
        case UInt8(ascii: "\""): arena.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): arena.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): arena.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): arena.append(0x08)
        case UInt8(ascii: "f"): arena.append(0x0C)
        case UInt8(ascii: "n"): arena.append(0x0A)
        case UInt8(ascii: "r"): arena.append(0x0D)
        case UInt8(ascii: "t"): arena.append(0x09)
        case UInt8(ascii: "u"): return try unsafe unicodeEscape(input, i)
        default: throw JSONError("Unrecognized character escape", at: i + 1)
        }
        return i + 2
    }

    private mutating func unicodeEscape(_ input: Input, _ i: Int) throws(JSONError) -> Int {
        var code = try unsafe input.hex4(i + 2)
        var past = i + 6
        if code & 0xFC00 == 0xD800, unsafe past + 1 < input.count, unsafe input.p[past] == UInt8(ascii: "\\"),
            unsafe input.p[past + 1] == UInt8(ascii: "u")
        {
            let low = try unsafe input.hex4(past + 2)
            if low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
                past += 6
            }
        }
        // A surrogate left alone has no UTF-8.
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        arena.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        return past
    }
}

// MARK: - Scanning

/// The text while it is walked.
@unsafe private struct Input {
    let p: UnsafePointer<UInt8>
    let count: Int

    @inline(__always) func skipSpace(_ start: Int) -> Int {
        var i = start
        while unsafe i < count {
            let c = unsafe p[i]
            if c > 0x20 { return i }
            guard c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 else { return i }
            i &+= 1
        }
        return i
    }

    @inline(__always) func skipDigits(_ start: Int) -> Int {
        var i = start
        while unsafe i < count, unsafe p[i] &- 0x30 < 10 { i &+= 1 }
        return i
    }

    @inline(__always) func word64(_ i: Int) -> UInt64 {
        unsafe UInt64(littleEndian: UnsafeRawPointer(p + i).loadUnaligned(as: UInt64.self))
    }

    @inline(__always) func word32(_ i: Int) -> UInt32 {
        unsafe UInt32(littleEndian: UnsafeRawPointer(p + i).loadUnaligned(as: UInt32.self))
    }

    /// To the next quote or backslash (or the end), over valid UTF-8 without control characters.
    func skipPlain(_ start: Int) throws(JSONError) -> Int {
        var i = start
        while true {
            // Bytes below 0x20, a quote or a backslash borrow from their top bit; the lowest flagged one is exact.
            while unsafe i &+ 8 <= count {
                let w = unsafe word64(i)
                let q = w ^ 0x2222_2222_2222_2222, b = w ^ 0x5C5C_5C5C_5C5C_5C5C
                let ones: UInt64 = 0x0101_0101_0101_0101
                let hits = (((q &- ones) & ~q) | ((b &- ones) & ~b) | ((w &- 0x2020_2020_2020_2020) & ~w) | w) & 0x8080_8080_8080_8080
                if hits != 0 {
                    i &+= hits.trailingZeroBitCount >> 3
                    break
                }
                i &+= 8
            }
            guard unsafe i < count else { return i }
            let c = unsafe p[i]
            if c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") { return i }
            if c >= 0x80 {
                repeat { i = try unsafe skipSequence(i) } while unsafe i < count && p[i] >= 0x80
            } else if c < 0x20 {
                throw JSONError("Illegal unquoted control character (code \(c)) in a string; it has to be escaped", at: i)
            } else {
                i &+= 1
            }
        }
    }

    /// Past one multi-byte sequence (Unicode 15, table 3-7).
    @inline(__always) private func skipSequence(_ i: Int) throws(JSONError) -> Int {
        let c = unsafe p[i]
        let length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2
        guard c >= 0xC2, c <= 0xF4, unsafe i &+ length <= count else { throw JSONError("Invalid UTF-8", at: i) }
        let second = unsafe p[i &+ 1]
        let low: UInt8 = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF
        guard second >= low, second <= high else { throw JSONError("Invalid UTF-8", at: i) }
        for k in 2..<max(length, 2) {
            guard unsafe p[i &+ k] & 0xC0 == 0x80 else { throw JSONError("Invalid UTF-8", at: i) }
        }
        return i &+ length
    }

    func hex4(_ i: Int) throws(JSONError) -> UInt32 {
        guard unsafe i + 4 <= count else { throw unsafe JSONError("Unexpected end of text in an escape", at: count) }
        var value: UInt32 = 0
        for k in i..<i + 4 {
            let c = unsafe p[k]
            let digit: UInt8
            switch c {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = c - 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = c - 0x57
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = c - 0x37
            default: throw JSONError("A hexadecimal digit of an escape was expected", at: k)
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    func fitsInt64(_ start: Int, _ end: Int) -> Bool {
        var i = start
        let negative = unsafe p[i] == UInt8(ascii: "-")
        if negative { i += 1 }
        var value: Int64 = 0
        while i < end {
            let (tens, o1) = value.multipliedReportingOverflow(by: 10)
            let (sum, o2) = unsafe tens.subtractingReportingOverflow(Int64(p[i] &- 0x30))
            if o1 || o2 { return false }
            value = sum
            i += 1
        }
        return negative || value != Int64.min
    }

    func unexpected(_ i: Int, _ expected: String) -> JSONError {
        guard unsafe i < count else { return JSONError("Unexpected end of text; \(expected)", at: i) }
        let c = unsafe p[i]
        let shown = c > 0x20 && c < 0x7F ? "'\(Character(Unicode.Scalar(c)))' (code \(c))" : "(code \(c))"
        return JSONError("Unexpected character \(shown); \(expected)", at: i)
    }
}
