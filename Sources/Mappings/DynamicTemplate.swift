// A rule for fields that documents bring along: when a name, a path or a JSON type matches, the new field gets
// this mapping instead of the detected one.

internal import Analysis
internal import JSON

/// What a JSON value is for `match_mapping_type`, and what the field becomes without a template.
enum DynamicType: String, Sendable, CaseIterable {
    case string, long, double, boolean, date, object, binary

    /// {dynamic_type}, and the type of a template's mapping that names none.
    var fieldType: String { self == .string ? "text" : self == .double ? "float" : rawValue }
}

struct DynamicTemplate: Sendable {
    let name: String
    private let match: [Pattern]
    private let unmatch: [Pattern]
    private let pathMatch: [Pattern]
    private let pathUnmatch: [Pattern]
    /// Nil: any.
    private let types: [DynamicType]?
    private let notTypes: [DynamicType]
    private let mapping: JSONObject
    /// The template makes a runtime field: nothing is indexed.
    let isRuntime: Bool
    /// `{"name": {...}}` as given.
    let definition: JSONObject

    struct Pattern: Sendable {
        let glob: Glob?
        nonisolated(unsafe) let regex: Regex<AnyRegexOutput>?

        func matches(_ text: String) -> Bool {
            if let glob { return glob.matches(text) }
            // Safe: a compiled regex is never changed; its type just does not say so.
            guard let regex = unsafe regex, let match = try? regex.wholeMatch(in: text) else { return false }
            return !match.range.isEmpty || text.isEmpty
        }
    }

    init(name: String, body: JSONObject, definition: JSONObject) throws(MappingError) {
        self.name = name
        self.definition = definition
        let isRegex = body["match_pattern"]?.string == "regex"
        var (match, unmatch, pathMatch, pathUnmatch): ([Pattern], [Pattern], [Pattern], [Pattern]) = ([], [], [], [])
        var types: [DynamicType]?, notTypes: [DynamicType] = [], mapping: JSONObject?, isRuntime = false
        for (key, value) in body {
            switch key {
            case "match": match = try Self.patterns(value, name, isRegex)
            case "unmatch": unmatch = try Self.patterns(value, name, isRegex)
            case "path_match": pathMatch = try Self.patterns(value, name, isRegex)
            case "path_unmatch": pathUnmatch = try Self.patterns(value, name, isRegex)
            case "match_mapping_type": types = try Self.types(value)
            case "unmatch_mapping_type": notTypes = try Self.types(value) ?? []
            case "match_pattern":
                guard ["simple", "regex"].contains(JavaText.string(value)) else {
                    throw FieldDeclaration.wrong("No matching pattern matched on [\(JavaText.string(value))]")
                }
            case "mapping", "runtime":
                guard let object = value.object else { throw FieldDeclaration.wrong("[\(key)] of dynamic template [\(name)] must be an object") }
                mapping = object
                isRuntime = key == "runtime"
            default: throw FieldDeclaration.wrong("Illegal dynamic template parameter: [\(key)]")
            }
        }
        guard let mapping else { throw FieldDeclaration.wrong("template [\(name)] must have either mapping or runtime set") }
        guard body["match"] != nil || body["path_match"] != nil || body["match_mapping_type"] != nil || body["unmatch_mapping_type"] != nil else {
            throw FieldDeclaration.wrong("template [\(name)] must have match, path_match or match_mapping_type set")
        }
        (self.match, self.unmatch, self.pathMatch, self.pathUnmatch, self.types, self.notTypes) = (match, unmatch, pathMatch, pathUnmatch, types, notTypes)
        (self.mapping, self.isRuntime) = (mapping, isRuntime)
    }

    func matches(name: String, path: String, type: DynamicType) -> Bool {
        if let types, !types.contains(type) { return false }
        return !notTypes.contains(type)
            && (match.isEmpty || match.contains { $0.matches(name) }) && !unmatch.contains { $0.matches(name) }
            && (pathMatch.isEmpty || pathMatch.contains { $0.matches(path) }) && !pathUnmatch.contains { $0.matches(path) }
    }

    /// The mapping of a new field: placeholders filled, a type put in where none is named.
    func body(name: String, type: DynamicType) -> JSONObject {
        var body = fill(mapping, name: name, type: type)
        if body["type"] == nil {
            // A string's template without a type means what detection makes of strings.
            body["type"] = .string(type == .object && body["properties"] == nil ? "object" : type.fieldType)
        }
        return body
    }

    /// Throws what the template's mapping would throw for any field it matches.
    func check(analysis: AnalysisRegistry) throws(MappingError) {
        guard !isRuntime else { return }
        let type = types?.first ?? .string
        let body = body(name: "__dynamic__\(name)", type: type)
        guard let typeName = body["type"]?.string, !typeName.contains("{"), typeName != "object", typeName != "nested" else { return }
        do throws(MappingError) {
            _ = try FieldDeclaration(path: "__dynamic__" + name, kind: try MappingParser.kind(typeName, field: name), body: body, analysis: analysis)
        } catch {
            throw MappingError(
                "mapper_parsing_exception", "dynamic template [\(name)] has invalid content [\(JSONValue.object(self.definition).text)]: \(error.reason)",
                causedBy: error.reason)
        }
    }

    // MARK: -

    private func fill(_ object: JSONObject, name: String, type: DynamicType) -> JSONObject {
        func filled(_ text: String) -> String {
            guard text.contains("{") else { return text }
            return text.replacing("{name}", with: name).replacing("{dynamic_type}", with: type.fieldType).replacing("{dynamicType}", with: type.fieldType)
        }
        func value(_ v: JSONValue) -> JSONValue {
            switch v {
            case .string(let s): .string(filled(s))
            case .object(let o): .object(fill(o, name: name, type: type))
            case .array(let a): .array(a.map(value))
            default: v
            }
        }
        return JSONObject(object.map { (filled($0.key), value($0.value)) })
    }

    private static func patterns(_ value: JSONValue, _ name: String, _ isRegex: Bool) throws(MappingError) -> [Pattern] {
        let texts = value.array.map { $0.map(JavaText.string) } ?? [JavaText.string(value)]
        var patterns: [Pattern] = []
        for text in texts {
            if isRegex {
                guard text.utf8.count <= 1_000, let regex = try? Regex(text) else {
                    throw FieldDeclaration.wrong("Pattern [\(text)] of type [regex] is invalid. Cannot create dynamic template [\(name)].")
                }
                patterns.append(Pattern(glob: nil, regex: regex))
            } else {
                patterns.append(Pattern(glob: Glob(text), regex: nil))
            }
        }
        return patterns
    }

    private static func types(_ value: JSONValue) throws(MappingError) -> [DynamicType]? {
        var types: [DynamicType] = []
        for element in value.array ?? [value] {
            let text = JavaText.string(element)
            if text == "*" { return nil }
            guard let type = DynamicType(rawValue: text) else {
                throw FieldDeclaration.wrong(
                    "No field type matched on [\(text)], possible values are [object, string, long, double, boolean, date, binary]")
            }
            types.append(type)
        }
        return types
    }
}
