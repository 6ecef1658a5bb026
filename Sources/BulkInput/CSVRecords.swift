// CSV (RFC 4180) with a head line becomes JSON objects: fields in double quotes may have delimiters, line ends and
// doubled quotes; empty fields are left out.
//
// What a column holds is decided once, by its values in the first records: all true or false: booleans; all JSON
// numbers: numbers; anything else, leading zeros too ("007" is a name): strings. A later value that is no number goes
// as a string, and the mapping judges it.

internal import JSON

struct CSVRecords {
    private enum Column { case undecided, boolean, number, string }
    struct Row {
        var fields: [[UInt8]] = []
        var line: Int
        var raw: [UInt8] = []
        var wrong: String?
        var json: [UInt8] = []
    }

    private let names: [String]
    private var columns: [Column]
    private let delimiter: UInt8
    private let recordBytesMax: Int
    /// Records read to decide by, not given yet.
    private var sample: [Row] = []
    private var given = 0
    private var writer = JSONWriter()

    init(_ input: inout InputBuffer, _ options: BulkInputOptions) throws(BulkInputError) {
        recordBytesMax = options.recordBytesMax
        if let given = options.delimiter { delimiter = given } else { delimiter = try Self.guess(&input) }
        guard let head = try Self.row(&input, delimiter, recordBytesMax) else { throw BulkInputError("line 1: a head line with column names was expected") }
        names = head.fields.map { String(decoding: $0, as: UTF8.self) }
        guard head.wrong == nil, names.allSatisfy({ !$0.isEmpty }), Set(names).count == names.count else {
            throw BulkInputError("line 1: the CSV head line needs a name for each column, each another; or this is in none of the known formats")
        }
        columns = [Column](repeating: .undecided, count: names.count)
        var bytes = 0
        while sample.count < options.sampledRecords, bytes < recordBytesMax, let row = try Self.row(&input, delimiter, recordBytesMax) {
            bytes += row.raw.count
            if row.wrong == nil, row.fields.count == names.count { for (i, field) in row.fields.enumerated() { observe(field, i) } }
            sample.append(row)
        }
    }

    mutating func next(_ input: inout InputBuffer) throws(BulkInputError) -> Row? {
        var row: Row
        if given < sample.count {
            row = sample[given]
            given += 1
            if given == sample.count { (sample, given) = ([], 0) }
        } else {
            guard let read = try Self.row(&input, delimiter, recordBytesMax) else { return nil }
            row = read
        }
        if row.wrong == nil, row.fields.count != names.count { row.wrong = "the record has \(row.fields.count) fields, the head line \(names.count)" }
        if row.wrong == nil { row.json = object(row.fields) }
        return row
    }

    // MARK: - Columns

    private mutating func observe(_ field: [UInt8], _ i: Int) {
        guard !field.isEmpty else { return }
        let kind: Column = Self.isBoolean(field) ? .boolean : Self.isNumber(field) ? .number : .string
        columns[i] = columns[i] == .undecided || columns[i] == kind ? kind : .string
    }

    private static func isBoolean(_ field: [UInt8]) -> Bool { field.elementsEqual("true".utf8) || field.elementsEqual("false".utf8) }

    /// In JSON's grammar, and no longer than a number with a meaning is.
    private static func isNumber(_ field: [UInt8]) -> Bool {
        guard field.count <= 24, let first = field.first, first == UInt8(ascii: "-") || first &- 0x30 < 10 else { return false }
        switch try? JSONValue.parse(field) {
        case .integer, .number: return true
        default: return false
        }
    }

    private mutating func object(_ fields: [[UInt8]]) -> [UInt8] {
        writer.removeAll()
        writer.beginObject()
        for (i, field) in fields.enumerated() where !field.isEmpty {
            writer.key(names[i])
            // Safe: `UInt8` has no padding.
            let span = unsafe field.span.bytes
            switch columns[i] {
            case .boolean where Self.isBoolean(field), .number where Self.isNumber(field): writer.raw(span)
            default: writer.string(span)
            }
        }
        writer.endObject()
        return writer.bytes
    }

    // MARK: - Records

    /// The delimiter that the head line has most of, outside quotes.
    private static func guess(_ input: inout InputBuffer) throws(BulkInputError) -> UInt8 {
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09, UInt8(ascii: "|")]
        var counts = [Int](repeating: 0, count: candidates.count), ahead = 0, inQuotes = false
        while let c = try input.peek(ahead), ahead < 65_536, c != 0x0A || inQuotes {
            if c == 0x22 { inQuotes.toggle() } else if !inQuotes, let i = candidates.firstIndex(of: c) { counts[i] += 1 }
            ahead += 1
        }
        let most = counts.max() ?? 0
        return candidates[counts.firstIndex(of: most) ?? 0]
    }

    /// The next record; empty lines are passed over.
    private static func row(_ input: inout InputBuffer, _ delimiter: UInt8, _ max: Int) throws(BulkInputError) -> Row? {
        while let c = try input.peek(), c == 0x0A || c == 0x0D { _ = input.take(1) }
        guard try input.peek() != nil else { return nil }
        var row = Row(line: input.line)
        guard let length = try recordLength(&input, max) else {
            row.raw = Array(input.bytes[input.start..<input.start + min(input.available, BulkRejection.bytesMax)])
            row.wrong = "the record is longer than \(max) bytes, or a quote is not closed"
            try input.skipLine()
            return row
        }
        row.raw = Array(input.take(length))
        row.wrong = split(row.raw, delimiter, &row.fields)
        return row
    }

    /// Up to and with the line feed that is not in quotes; nil when that is too far.
    private static func recordLength(_ input: inout InputBuffer, _ max: Int) throws(BulkInputError) -> Int? {
        var length = 0, inQuotes = false
        while true {
            while length < input.available {
                let c = input.bytes[input.start + length]
                length += 1
                if c == 0x22 { inQuotes.toggle() } else if c == 0x0A, !inQuotes { return length }
                if length > max { return nil }
            }
            guard try input.fill() else { return inQuotes ? nil : length }
        }
    }

    /// What is wrong with the record, nil when nothing is.
    private static func split(_ raw: [UInt8], _ delimiter: UInt8, _ fields: inout [[UInt8]]) -> String? {
        var end = raw.count
        if end > 0, raw[end - 1] == 0x0A { end -= 1 }
        if end > 0, raw[end - 1] == 0x0D { end -= 1 }
        var i = 0
        while true {
            var field: [UInt8] = []
            if i < end, raw[i] == 0x22 {
                i += 1
                while i < end {
                    if raw[i] == 0x22 {
                        guard i + 1 < end, raw[i + 1] == 0x22 else { break }
                        i += 1
                    }
                    field.append(raw[i])
                    i += 1
                }
                i += 1
                guard i >= end || raw[i] == delimiter else { return "text after a closing quote in field \(fields.count + 1)" }
            } else {
                while i < end, raw[i] != delimiter {
                    field.append(raw[i])
                    i += 1
                }
            }
            fields.append(field)
            guard i < end else { return nil }
            i += 1
        }
    }
}
