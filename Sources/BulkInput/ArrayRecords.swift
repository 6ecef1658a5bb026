// The elements of a JSON array, one at a time: brackets are counted outside strings, so that an element's end is known
// before it is parsed; the array is never in memory whole.

struct ArrayRecords {
    private enum State { case beforeArray, beforeFirst, afterElement, ended }
    private var state = State.beforeArray

    /// The element's bytes and first line; `wrong` when it is too long to be kept.
    mutating func next(_ input: inout InputBuffer, max: Int) throws(BulkInputError) -> (bytes: ArraySlice<UInt8>, line: Int, wrong: String?)? {
        if state == .beforeArray {
            try expect(UInt8(ascii: "["), &input, "a JSON array was expected")
            state = .beforeFirst
        }
        guard state != .ended, let c = try skipSpace(&input) else {
            guard state == .ended else { throw BulkInputError("line \(input.line): the JSON array is not closed") }
            return nil
        }
        if c == UInt8(ascii: "]") {
            _ = input.take(1)
            state = .ended
            if try skipSpace(&input) != nil { throw BulkInputError("line \(input.line): text after the JSON array") }
            return nil
        }
        if state == .afterElement {
            try expect(UInt8(ascii: ","), &input, "',' or ']' was expected after an element of the array")
            _ = try skipSpace(&input)
        }
        state = .afterElement
        return try element(&input, max: max)
    }

    // MARK: -

    private func skipSpace(_ input: inout InputBuffer) throws(BulkInputError) -> UInt8? {
        while let c = try input.peek() {
            guard c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 else { return c }
            _ = input.take(1)
        }
        return nil
    }

    private func expect(_ c: UInt8, _ input: inout InputBuffer, _ what: String) throws(BulkInputError) {
        guard try skipSpace(&input) == c else { throw BulkInputError("line \(input.line): \(what)") }
        _ = input.take(1)
    }

    private func element(_ input: inout InputBuffer, max: Int) throws(BulkInputError) -> (bytes: ArraySlice<UInt8>, line: Int, wrong: String?) {
        let line = input.line
        var depth = 0, inString = false, escaped = false, length = 0
        var head: [UInt8]?
        scan: while true {
            if length >= input.available {
                if length > max {
                    // Too long: forget it as it is read.
                    if head == nil { head = Array(input.bytes[input.start..<input.start + min(length, BulkRejection.bytesMax)]) }
                    _ = input.take(length)
                    length = 0
                }
                guard try input.fill() else { break }
                continue
            }
            let c = input.bytes[input.start + length]
            if inString {
                if escaped { escaped = false } else if c == 0x5C { escaped = true } else if c == 0x22 { inString = false }
            } else {
                switch c {
                case 0x22: inString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { break scan }
                    depth -= 1
                    if depth == 0 {
                        length += 1
                        break scan
                    }
                case UInt8(ascii: ","): if depth == 0 { break scan }
                default: break
                }
            }
            length += 1
        }
        let bytes = input.take(length)
        if head == nil, length > max { head = Array(bytes.prefix(BulkRejection.bytesMax)) }
        if let head { return (head[...], line, "the record is longer than \(max) bytes") }
        return (RecordCheck.trimmed(bytes), line, nil)
    }
}
