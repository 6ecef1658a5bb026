// Values of one document's fields as an answer shows them: from columns (docvalue_fields), or from the source
// (fields, stored_fields), formatted by the field's type.

internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

struct FieldValues {
    let mapping: Mapping
    let view: SegmentView
    let doc: DocID

    /// docvalue_fields: every value of the column, rising.
    func addColumns(_ wanted: FieldAndFormat, to result: inout JSONObject) throws {
        for path in mapping.paths(matching: wanted.field) {
            guard let type = mapping.field(path), let info = view.segment.fields[type.path] else { continue }
            var values: [JSONValue] = []
            if let column = try view.segment.columns.numbers(info.ordinal) {
                values = try column.values(of: doc).map { try Self.shown($0, type, wanted.format) }
            } else if let column = try view.segment.columns.keywords(info.ordinal) {
                values = try column.ordinals(of: doc).map { .string(String(decoding: try column.term($0), as: UTF8.self)) }
            }
            if !values.isEmpty { result[path] = .array(values) }
        }
    }

    /// fields: what the source has, as the mapping reads it.
    func addSourceValues(_ wanted: FieldAndFormat, from source: JSONValue, to result: inout JSONObject) throws {
        for path in mapping.paths(matching: wanted.field) {
            guard let type = mapping.field(path) else { continue }
            let values = SourcePath.values(of: path, in: source, orParentOf: type)
            let shown = try values.compactMap { try Self.shown($0, type, wanted.format) }
            if !shown.isEmpty { result[path] = .array(shown) }
        }
    }

    /// A column's code as a value.
    static func shown(_ code: Int64, _ type: FieldType, _ format: String?) throws -> JSONValue {
        switch type.kind {
        case .date, .dateNanos: return .string(try dateFormat(type, format).string(code))
        case .boolean: return .bool(code != 0)
        case .unsignedLong:
            let value = UInt64(bitPattern: code) ^ (1 << 63)
            return Int64(exactly: value).map { .integer($0) } ?? .number(Double(value))
        case .long, .integer, .short, .byte: return .integer(code)
        default: return .number(type.columnReader(code))
        }
    }

    // MARK: -

    /// Nil for what the field's type cannot read (ignore_malformed) or leaves out (ignore_above).
    private static func shown(_ value: JSONValue, _ type: FieldType, _ format: String?) throws -> JSONValue? {
        switch type.kind {
        case .date, .dateNanos:
            let own = try type.format.map { try DateFormat($0) } ?? .standard
            guard let at = try? own.milliseconds(value.queryText) else { return nil }
            return .string(try dateFormat(type, format).string(at))
        case .long, .integer, .short, .byte:
            if let integer = value.integer ?? value.string.flatMap({ Int64($0) }) { return .integer(integer) }
            return (value.number ?? value.string.flatMap { Double($0) }).flatMap { Int64(exactly: $0.rounded(.towardZero)) }.map { .integer($0) }
        case .double, .float, .halfFloat, .scaledFloat: return (value.number ?? value.string.flatMap { Double($0) }).map { .number($0) }
        case .boolean:
            if let b = value.boolean { return .bool(b) }
            return value.string == "true" ? .bool(true) : value.string == "false" || value.string == "" ? .bool(false) : nil
        case .keyword:
            let text = value.queryText
            if let most = type.ignoreAbove, text.unicodeScalars.count > most { return nil }
            return .string(text)
        case .text: return .string(value.queryText)
        default: return value
        }
    }

    private static func dateFormat(_ type: FieldType, _ format: String?) throws -> DateFormat {
        try (format ?? type.format).map { try DateFormat($0) } ?? .standard
    }
}

/// Values at a dotted path of a source, through arrays and through keys that have dots themselves.
enum SourcePath {
    private static let depthMax = 64

    static func values(of path: String, in source: JSONValue, orParentOf type: FieldType? = nil) -> [JSONValue] {
        var result: [JSONValue] = []
        collect(path.split(separator: ".", omittingEmptySubsequences: false)[...], source, 0, &result)
        // A multi-field's value is its parent's.
        if result.isEmpty, type != nil, let dot = path.lastIndex(of: ".") {
            return values(of: String(path[..<dot]), in: source)
        }
        return result
    }

    // MARK: -

    private static func collect(_ path: ArraySlice<Substring>, _ value: JSONValue, _ depth: Int, _ result: inout [JSONValue]) {
        guard depth < depthMax else { return }
        switch value {
        case .array(let values): for v in values { collect(path, v, depth + 1, &result) }
        case .object(let object):
            var end = path.startIndex
            while end < path.endIndex {
                end += 1
                let key = path[path.startIndex..<end].joined(separator: ".")
                if let inner = object[key] { collect(path[end...], inner, depth + 1, &result) }
            }
        case .null: break
        default: if path.isEmpty { result.append(value) }
        }
    }
}
