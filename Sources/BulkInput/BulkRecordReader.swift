// Reads records from one input, in whatever known form it has, one at a time. What is not a record is given as a
// rejection, with line and reason, and reading goes on behind it.
//
//     begins with         is
//     1F 8B, PK           gzip, zip: unpacked by ByteSource
//     [                   a JSON array of objects
//     {"index": {...}}    an Elasticsearch bulk body (also create, update, delete)
//     {                   NDJSON
//     anything else       CSV with a head line

internal import JSON

package struct BulkRecordReader: ~Copyable {
    private enum Records {
        case ndjson, bulk
        case array(ArrayRecords)
        case csv(CSVRecords)
    }

    private var input: InputBuffer
    private var records: Records?
    private let options: BulkInputOptions
    private var check: RecordCheck

    package init(_ source: ByteSource, options: BulkInputOptions = BulkInputOptions()) {
        input = InputBuffer(source)
        self.options = options
        check = RecordCheck(idField: options.idField)
    }

    /// Nil until the first record was asked for.
    package var format: BulkFormat? {
        switch records {
        case .ndjson: .ndjson
        case .bulk: .bulk
        case .array: .array
        case .csv: .csv
        case nil: nil
        }
    }

    /// The next record or rejection; nil at the end.
    /// - Throws: what cannot be read past: the source failed, or an array's text between its elements is wrong.
    package mutating func next() throws(BulkInputError) -> BulkInputItem? {
        if records == nil { try detect() }
        switch records {
        case nil: return nil
        case .ndjson: return try nextLine()
        case .bulk: return try nextAction()
        case .array(var array):
            defer { records = .array(array) }
            guard let (bytes, line, wrong) = try array.next(&input, max: options.recordBytesMax) else { return nil }
            if let wrong { return .rejected(BulkRejection(line: line, reason: wrong, bytes: bytes)) }
            return check.item(bytes, line: line)
        case .csv(var csv):
            records = nil
            defer { records = .csv(csv) }
            guard let row = try csv.next(&input) else { return nil }
            if let wrong = row.wrong { return .rejected(BulkRejection(line: row.line, reason: wrong, bytes: row.raw)) }
            return check.item(row.json, line: row.line)
        }
    }

    // MARK: -

    private mutating func detect() throws(BulkInputError) {
        if try input.peek() == 0xEF, try input.peek(1) == 0xBB, try input.peek(2) == 0xBF { _ = input.take(3) }
        while let c = try input.peek(), [0x20, 0x09, 0x0A, 0x0D].contains(c), options.format != .csv { _ = input.take(1) }
        guard let first = try input.peek() else { return }
        let format: BulkFormat
        if let given = options.format { format = given } else if first == UInt8(ascii: "[") { format = .array } else if first == UInt8(ascii: "{") {
            format = try beginsWithAction() ? .bulk : .ndjson
        } else {
            format = .csv
        }
        switch format {
        case .ndjson: records = .ndjson
        case .bulk: records = .bulk
        case .array: records = .array(ArrayRecords())
        case .csv: records = .csv(try CSVRecords(&input, options))
        }
    }

    /// Whether the first line is an action and not a document.
    private mutating func beginsWithAction() throws(BulkInputError) -> Bool {
        var length = 0
        while let c = try input.peek(length), c != 0x0A, length < 4_096 { length += 1 }
        let line = Array(input.bytes[input.start..<input.start + length])
        return (try? ActionLine.parse(line)) != nil
    }

    private mutating func nextLine() throws(BulkInputError) -> BulkInputItem? {
        while true {
            let line = input.line
            guard let (bytes, isWhole) = try input.takeLine(max: options.recordBytesMax) else { return nil }
            guard isWhole else { return .rejected(tooLong(bytes, line)) }
            let text = RecordCheck.trimmed(bytes)
            if !text.isEmpty { return check.item(text, line: line) }
        }
    }

    private mutating func nextAction() throws(BulkInputError) -> BulkInputItem? {
        while true {
            let line = input.line
            guard let (bytes, isWhole) = try input.takeLine(max: options.recordBytesMax) else { return nil }
            guard isWhole else { return .rejected(tooLong(bytes, line)) }
            let text = RecordCheck.trimmed(bytes)
            if text.isEmpty { continue }
            let action: ActionLine
            do throws(BulkInputError) { action = try ActionLine.parse(Array(text)) } catch {
                return .rejected(BulkRejection(line: line, reason: error.reason, bytes: text))
            }
            guard action.action != .delete else { return .record(action.record([], line: line)) }
            guard let (source, isWhole) = try input.takeLine(max: options.recordBytesMax) else {
                return .rejected(BulkRejection(line: line, reason: "the action line has no source line after it", bytes: text))
            }
            guard isWhole else { return .rejected(tooLong(source, line + 1)) }
            switch check.item(RecordCheck.trimmed(source), line: line + 1) {
            case .rejected(let rejection): return .rejected(rejection)
            case .record(let document):
                var record = action.record(document.source, line: line)
                if record.id == nil, action.action != .update { record.id = document.id }
                return .record(record)
            }
        }
    }

    private func tooLong(_ bytes: ArraySlice<UInt8>, _ line: Int) -> BulkRejection {
        BulkRejection(line: line, reason: "the record is longer than \(options.recordBytesMax) bytes", bytes: bytes)
    }
}

/// One JSON object, with its id.
struct RecordCheck {
    private let idField: String?
    private var tape = JSONTape()

    init(idField: String?) { self.idField = idField }

    mutating func item(_ bytes: some Collection<UInt8>, line: Int) -> BulkInputItem {
        let source = Array(bytes)
        // Safe: `UInt8` has no padding.
        let span = unsafe source.span.bytes
        do throws(JSONError) { try tape.parse(span) } catch {
            return .rejected(BulkRejection(line: line, reason: "not JSON: \(error)", bytes: source))
        }
        guard tape.kind(tape.root) == .object else {
            return .rejected(BulkRejection(line: line, reason: "a document has to be a JSON object", bytes: source))
        }
        var record = BulkRecord(source: source, line: line)
        record.id = id(span)
        return .record(record)
    }

    /// Strings and numbers make ids; the latter as they are written.
    private func id(_ span: RawSpan) -> String? {
        guard let idField, let node = tape.member(idField, of: tape.root, in: span) else { return nil }
        switch tape.kind(node) {
        case .string, .escapedString:
            let text = tape.string(node, in: span)
            return text.isEmpty ? nil : text
        case .integer, .number: return String(copying: tape.raw(node, in: span))
        default: return nil
        }
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var slice = bytes
        while let c = slice.last, c == 0x0A || c == 0x0D || c == 0x20 || c == 0x09 { slice = slice.dropLast() }
        while let c = slice.first, c == 0x20 || c == 0x09 { slice = slice.dropFirst() }
        return slice
    }
}

/// `{"index": {"_id": "1", "_index": "shop"}}`
struct ActionLine {
    let action: BulkRecord.Action
    private let metadata: JSONObject

    static func parse(_ bytes: [UInt8]) throws(BulkInputError) -> ActionLine {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue.parse(bytes, limits: JSONLimits(depthMax: 20)) } catch {
            throw BulkInputError("not an action line: \(error)")
        }
        guard let object = value.object, object.count == 1, let member = object.members.first, let action = BulkRecord.Action(rawValue: member.key),
            let metadata = member.value.object
        else { throw BulkInputError("not an action line: {\"index\": {...}}, or create, update or delete, was expected") }
        for (key, value) in metadata where value.object != nil || (value.array != nil) {
            throw BulkInputError("the action line's [\(key)] must be a string, number or boolean")
        }
        return ActionLine(action: action, metadata: metadata)
    }

    func record(_ source: [UInt8], line: Int) -> BulkRecord {
        var record = BulkRecord(source: source, line: line)
        record.action = action
        for (key, value) in metadata {
            let text = value.string ?? value.text
            switch key {
            case "_id": record.id = value.isNull ? nil : text
            case "_index": record.index = text
            case "routing", "_routing": record.routing = value.isNull ? nil : text
            default: record.metadata[key] = text
            }
        }
        return record
    }
}
