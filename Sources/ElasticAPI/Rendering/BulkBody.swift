// The lines of a bulk request as operations. Action lines go over the tape: a request may have a hundred thousand.

internal import Engine
internal import JSON
internal import QueryDSL

struct BulkBody {
    struct Item: Sendable {
        var action: WriteOperation.Action
        var index: String
        var id: String?
        var operation: Result<WriteOperation, APIError>
        /// For updates: what of the document goes back.
        var source: SourceFilter?
    }

    private let usualIndex: String?, usualRouting: String?, usualSource: SourceFilter?
    private let requiresAlias: Bool
    private var tape = JSONTape()
    private var items: [Item] = []

    static func parse(_ call: APICall) throws -> [Item] {
        guard !call.body.isEmpty else { throw APIError.parse("request body is required") }
        guard call.body.last == 0x0A else { throw APIError.illegal("The bulk request must be terminated by a newline [\\n]") }
        if let pipeline = call.text("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
        var body = try BulkBody(call)
        try body.read(call.body)
        guard !body.items.isEmpty else { throw APIError.validation("no requests added") }
        return body.items
    }

    private init(_ call: APICall) throws {
        usualIndex = call.part("index")
        usualRouting = call.text("routing")
        usualSource = SourceFilter(uri: call.parameters)
        requiresAlias = try call.flag("require_alias") ?? false
    }

    private mutating func read(_ bytes: [UInt8]) throws {
        var lines = JSONLines()
        // Safe: `UInt8` has no padding.
        let span = unsafe bytes.span.bytes
        while let line = lines.next(in: span) {
            if line.isEmpty { continue }
            var item = try action(span.extracting(line), lines.number)
            if item.action != .delete {
                guard let document = lines.next(in: span) else {
                    throw APIError.validation("The bulk request ends after the action on line [\(lines.number)]; its document is missing")
                }
                try finish(&item, Array(bytes[document]))
            }
            items.append(item)
        }
    }

    // MARK: - Action lines

    private mutating func action(_ text: RawSpan, _ line: Int) throws -> Item {
        do { try tape.parse(text) } catch {
            throw APIError.illegal("Malformed action/metadata line [\(line)], it is no valid JSON: \(error)")
        }
        guard tape.kind(tape.root) == .object else { throw Self.malformed(line, "START_OBJECT", try name(tape.root, text)) }
        guard tape.nodes[tape.root].count > 0 else { throw Self.malformed(line, "FIELD_NAME", "END_OBJECT") }
        let key = tape.root + 1, word = tape.string(key, in: text)
        guard tape.kind(key + 1) == .object else { throw Self.malformed(line, "START_OBJECT", try name(key + 1, text)) }
        guard tape.next(key + 1) == tape.next(tape.root) else { throw Self.malformed(line, "END_OBJECT", "FIELD_NAME") }
        guard let action = WriteOperation.Action(rawValue: word) else {
            throw APIError.illegal("Malformed action/metadata line [\(line)], expected field [create], [delete], [index] or [update] but found [\(word)]")
        }
        var operation = WriteOperation(action, index: usualIndex ?? "", routing: usualRouting, requireAlias: requiresAlias)
        var source = usualSource
        var i = key + 2
        let end = tape.next(key + 1)
        while i < end {
            try metadata(tape.string(i, in: text), i + 1, text, line, &operation, &source)
            i = tape.next(i + 1)
        }
        return Item(action: operation.action, index: operation.index, id: operation.id, operation: Self.checked(operation), source: source)
    }

    /// One member of an action's object.
    private func metadata(_ key: String, _ node: Int, _ text: RawSpan, _ line: Int, _ operation: inout WriteOperation, _ source: inout SourceFilter?) throws {
        switch key {
        case "_id": operation.id = try scalar(key, node, text, line)
        case "_index": operation.index = try scalar(key, node, text, line) ?? operation.index
        case "routing", "_routing": operation.routing = try scalar(key, node, text, line)
        case "op_type", "_op_type": if try scalar(key, node, text, line) == "create", operation.action == .index { operation.action = .create }
        case "if_seq_no": operation.ifSeqNo = try number(key, node, text, line)
        case "if_primary_term": operation.ifPrimaryTerm = try number(key, node, text, line)
        case "version", "_version": operation.version = try number(key, node, text, line)
        case "version_type", "_version_type": operation.versionType = try WriteParameters.versionType(try scalar(key, node, text, line))
        case "require_alias": operation.requireAlias = try scalar(key, node, text, line) == "true"
        case "retry_on_conflict", "_retry_on_conflict": operation.retryOnConflict = Int(clamping: max(0, try number(key, node, text, line) ?? 0))
        case "pipeline": if let pipeline = try scalar(key, node, text, line) { try WriteParameters.refuse(pipeline: pipeline) }
        case "_source": source = try SourceFilter(json: JSONValue(tape, node, in: text))
        case "_type", "dynamic_templates": break
        default:
            throw APIError.illegal("Action/metadata line [\(line)] contains an unknown parameter [\(key)]"
                + Suggestion.text(for: key, among: ["_index", "_id", "routing", "if_seq_no", "if_primary_term", "require_alias", "retry_on_conflict"]))
        }
    }

    /// Text, or a number or flag as text; nil for null.
    private func scalar(_ key: String, _ node: Int, _ text: RawSpan, _ line: Int) throws -> String? {
        if tape.nodes[node].isString { return tape.string(node, in: text) }
        let value = try JSONValue(tape, node, in: text)
        if value.isNull { return nil }
        guard let scalar = value.scalar else { throw Self.malformed(line, "a simple value for field [\(key)]", value.tokenName) }
        return scalar
    }

    private func number(_ key: String, _ node: Int, _ text: RawSpan, _ line: Int) throws -> Int64? {
        guard let scalar = try scalar(key, node, text, line) else { return nil }
        guard let number = Int64(scalar) else { throw Self.malformed(line, "a whole number for field [\(key)]", scalar) }
        return number
    }

    private func name(_ node: Int, _ text: RawSpan) throws -> String { try JSONValue(tape, node, in: text).tokenName }

    private static func malformed(_ line: Int, _ expected: String, _ found: String) -> APIError {
        .illegal("Malformed action/metadata line [\(line)], expected \(expected) but found [\(found)]")
    }

    // MARK: - Documents

    private func finish(_ item: inout Item, _ document: [UInt8]) throws {
        guard case .success(var operation) = item.operation else { return }
        operation.source = document
        if item.action == .update {
            item.source = try WriteParameters.sourceWanted(body: document) ?? item.source
            operation.returnsSource = item.source.map { $0 != .none } ?? false
        }
        item.operation = .success(operation)
    }

    private static func checked(_ operation: WriteOperation) -> Result<WriteOperation, APIError> {
        do {
            guard !operation.index.isEmpty else { throw APIError.validation("index is missing") }
            if operation.action == .delete || operation.action == .update, operation.id == nil { throw APIError.validation("id is missing") }
            try WriteParameters.check(operation)
            return .success(operation)
        } catch { return .failure(APIError(error)) }
    }
}
