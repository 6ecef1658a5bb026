// Reading and writing UTF-8 scalar by scalar. Text is made valid once, at the entrance of a chain; behind
// it every reader may lean on that.

/// The scalar at `i` of valid UTF-8 and its length in bytes.
@inline(__always)
func decodeScalar(_ text: Span<UInt8>, _ i: Int) -> (scalar: UInt32, length: Int) {
    let b0 = UInt32(text[i])
    if b0 < 0x80 { return (b0, 1) }
    func next(_ k: Int) -> UInt32 { i + k < text.count ? UInt32(text[i + k] & 0x3F) : 0 }
    if b0 < 0xE0 { return ((b0 & 0x1F) << 6 | next(1), min(2, text.count - i)) }
    if b0 < 0xF0 { return ((b0 & 0x0F) << 12 | next(1) << 6 | next(2), min(3, text.count - i)) }
    return ((b0 & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), min(4, text.count - i))
}

/// Where the scalar before `i` begins. `i` > 0.
@inline(__always)
func scalarStart(_ text: Span<UInt8>, before i: Int) -> Int {
    var k = i - 1
    while k > 0 && text[k] & 0xC0 == 0x80 { k -= 1 }
    return k
}

extension Array where Element == UInt8 {
    @inline(__always)
    mutating func append(scalar c: UInt32) {
        if c < 0x80 {
            append(UInt8(truncatingIfNeeded: c))
        } else if c < 0x800 {
            append(UInt8(truncatingIfNeeded: 0xC0 | c >> 6))
            append(UInt8(truncatingIfNeeded: 0x80 | c & 0x3F))
        } else if c < 0x10000 {
            append(UInt8(truncatingIfNeeded: 0xE0 | c >> 12))
            append(UInt8(truncatingIfNeeded: 0x80 | c >> 6 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | c & 0x3F))
        } else {
            append(UInt8(truncatingIfNeeded: 0xF0 | c >> 18))
            append(UInt8(truncatingIfNeeded: 0x80 | c >> 12 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | c >> 6 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | c & 0x3F))
        }
    }

    mutating func append(span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) } // Safe: the pointer does not outlive the call.
    }

    /// The scalars of valid UTF-8.
    var scalars: [UInt32] {
        var out: [UInt32] = []
        out.reserveCapacity(count)
        var i = 0
        while i < count {
            let (c, n) = decodeScalar(span, i)
            out.append(c)
            i += n
        }
        return out
    }
}

/// How many UTF-16 code units a piece of valid UTF-8 takes: Java's length, which Elasticsearch counts in.
func utf16Length(_ text: Span<UInt8>) -> Int {
    var n = 0
    for i in 0..<text.count {
        let b = text[i]
        if b & 0xC0 != 0x80 { n += b >= 0xF0 ? 2 : 1 }
    }
    return n
}

@inline(__always)
func isASCII(_ text: Span<UInt8>) -> Bool {
    // Safe: indices below the count; without bounds checks the loop runs on vectors.
    unsafe text.withUnsafeBufferPointer { p in
        var all: UInt8 = 0
        for i in 0..<p.count { unsafe all |= p[i] }
        return all < 0x80
    }
}

/// The length of the well-formed sequence at `i`, or nil (Unicode 15, table 3-7).
private func wellFormed(_ text: Span<UInt8>, _ i: Int) -> Int? {
    let b0 = text[i]
    func tail(_ k: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool { i + k < text.count && range.contains(text[i + k]) }
    switch b0 {
    case 0...0x7F: return 1
    case 0xC2...0xDF: return tail(1) ? 2 : nil
    case 0xE0: return tail(1, 0xA0...0xBF) && tail(2) ? 3 : nil
    case 0xED: return tail(1, 0x80...0x9F) && tail(2) ? 3 : nil
    case 0xE1...0xEF: return tail(1) && tail(2) ? 3 : nil
    case 0xF0: return tail(1, 0x90...0xBF) && tail(2) && tail(3) ? 4 : nil
    case 0xF1...0xF3: return tail(1) && tail(2) && tail(3) ? 4 : nil
    case 0xF4: return tail(1, 0x80...0x8F) && tail(2) && tail(3) ? 4 : nil
    default: return nil
    }
}

func isValidUTF8(_ text: Span<UInt8>) -> Bool {
    if isASCII(text) { return true }
    var i = 0
    while i < text.count {
        if text[i] < 0x80 {
            i += 1
            continue
        }
        guard let n = wellFormed(text, i) else { return false }
        i += n
    }
    return true
}

/// The text with every byte that belongs to no well-formed sequence replaced by U+FFFD.
func repaired(_ text: Span<UInt8>) -> MappedText {
    var out = MappedText.Builder(capacity: text.count + 16)
    var i = 0
    while i < text.count {
        if let n = wellFormed(text, i) {
            for k in i..<(i + n) { out.bytes.append(text[k]) }
            i += n
        } else {
            out.replace(sourceStart: i, sourceEnd: i + 1, with: [0xEF, 0xBF, 0xBD])
            i += 1
        }
    }
    return MappedText(bytes: out.bytes, maps: [out.map])
}
