// What a mapping's text says of one field: its kind and the parameters given, checked and in one spelling, but not yet
// bound to an index. Declarations are what merging compares.

internal import Analysis
internal import JSON

struct FieldDeclaration: Sendable {
    let path: String
    let kind: FieldType.Kind
    /// Only those given, fallbacks left out; booleans and numbers as such, however they were spelt.
    let parameters: JSONObject
    let copyTo: [String]
    /// Declarations of "fields", by name.
    let multiFields: [FieldDeclaration]

    /// A parameter's value or its fallback; nil when neither.
    func value(_ name: String) -> JSONValue? {
        parameters[name] ?? kind.parameters.first { $0.name == name }?.fallback
    }

    /// As GET _mapping shows it, without the multi-fields.
    var definition: JSONObject {
        var definition = JSONObject()
        definition["type"] = .string(kind.rawValue)
        for (name, value) in parameters { definition[name] = value }
        if !copyTo.isEmpty { definition["copy_to"] = .array(copyTo.map { .string($0) }) }
        return definition
    }

    init(path: String, kind: FieldType.Kind, parameters: JSONObject = JSONObject(), copyTo: [String] = [], multiFields: [FieldDeclaration] = []) {
        (self.path, self.kind, self.parameters, self.copyTo, self.multiFields) = (path, kind, parameters, copyTo, multiFields)
    }

    /// - Parameter isMultiField: no copy_to, no fields below.
    init(path: String, kind: FieldType.Kind, body: JSONObject, isMultiField: Bool = false, analysis: AnalysisRegistry) throws(MappingError) {
        var parameters = JSONObject(), copyTo: [String] = [], multiFields: [FieldDeclaration] = []
        let known = kind.parameters
        for (name, value) in body {
            switch name {
            case "type": continue
            case "copy_to" where kind != .alias:
                guard !isMultiField else { throw Self.wrong("copy_to in multi fields is not allowed. Found the copy_to in field [\(path)] which is within a multi field.") }
                copyTo = try Self.copyTo(value, path)
            case "fields" where kind != .alias:
                multiFields = try Self.multiFields(value, path: path, isMultiField: isMultiField, analysis: analysis)
            default:
                guard let parameter = known.first(where: { $0.name == name }) else {
                    if name == "updatable" {
                        throw Self.wrong(
                            "[updatable] on field [\(path)] of type [\(kind.rawValue)] is not supported: only numeric, boolean and date fields can be updatable; leave it out")
                    }
                    throw Self.wrong("unknown parameter [\(name)] on mapper [\(Self.leaf(path))] of type [\(kind.rawValue)]")
                }
                if case .any = parameter.shape, value.isNull { continue }
                guard !value.isNull else {
                    throw Self.wrong("[\(name)] on mapper [\(Self.leaf(path))] of type [\(kind.rawValue)] must not have a [null] value")
                }
                let normal = try Self.normalized(value, parameter, path: path, kind: kind, analysis: analysis)
                if normal != parameter.fallback { parameters[name] = normal }
            }
        }
        self.init(path: path, kind: kind, parameters: parameters, copyTo: copyTo, multiFields: multiFields)
        try checkWhole()
        try checkUpdatable(isMultiField: isMultiField)
    }

    // MARK: -

    static func wrong(_ reason: String) -> MappingError { MappingError("mapper_parsing_exception", reason) }
    static func leaf(_ path: String) -> String { path.split(separator: ".").last.map(String.init) ?? path }

    private func checkWhole() throws(MappingError) {
        if kind == .scaledFloat {
            guard let factor = parameters["scaling_factor"]?.number else { throw Self.wrong("Field [scaling_factor] is required") }
            guard factor > 0, factor.isFinite else {
                throw Self.wrong("[scaling_factor] must be a positive number, got [\(JSONNumber.string(factor))] for field [\(path)]")
            }
        }
        if kind == .alias, parameters["path"] == nil { throw Self.wrong("The [path] property must be specified for field [\(path)].") }
        if parameters["search_quote_analyzer"] != nil, parameters["search_analyzer"] == nil {
            throw Self.wrong("analyzer on field [\(Self.leaf(path))] must be set when search_analyzer is set")
        }
        if parameters["index_phrases"] == true, parameters["index"] == false { throw Self.wrong("Cannot set index_phrases on unindexed field [\(Self.leaf(path))]") }
        if let gap = parameters["position_increment_gap"]?.integer, gap < 0 { throw Self.wrong("[position_increment_gap] must be positive, got [\(gap)]") }
        if let above = parameters["ignore_above"]?.integer, above < 0 { throw Self.wrong("[ignore_above] must be positive, got [\(above)]") }
        if parameters["time_series_dimension"] == true || parameters["time_series_metric"] != nil {
            throw Self.wrong("[time_series_dimension] and [time_series_metric] on field [\(path)] are not supported; leave them out")
        }
    }

    /// A patched value must be in one column and in one place of the source.
    private func checkUpdatable(isMultiField: Bool) throws(MappingError) {
        func refuse(_ why: String) -> MappingError { Self.wrong("[updatable] on field [\(path)]: \(why)") }
        if let sub = multiFields.first(where: \.isUpdatable) { throw refuse("its multi-field [\(sub.path)] cannot be updatable; declare a field of its own") }
        guard isUpdatable else { return }
        if isMultiField { throw refuse("a multi-field cannot be updatable; declare a field of its own") }
        if !multiFields.isEmpty { throw refuse("an updatable field has no [fields]; they would keep the old value") }
        if !copyTo.isEmpty { throw refuse("an updatable field has no [copy_to]; the copies would keep the old value") }
        if parameters["doc_values"] == false { throw refuse("it needs its column; leave [doc_values] out") }
        if parameters["store"] == true { throw refuse("[store] would keep the old value; leave it out") }
    }

    var isUpdatable: Bool { parameters["updatable"] == true }

    private static func copyTo(_ value: JSONValue, _ path: String) throws(MappingError) -> [String] {
        if let one = value.string { return [one] }
        guard let list = value.array else { throw wrong("[copy_to] of field [\(path)] must be a field name or a list of them") }
        var names: [String] = []
        for element in list {
            guard let name = element.string else { throw wrong("[copy_to] of field [\(path)] must be a field name or a list of them") }
            names.append(name)
        }
        return names
    }

    private static func multiFields(
        _ value: JSONValue, path: String, isMultiField: Bool, analysis: AnalysisRegistry
    ) throws(MappingError) -> [FieldDeclaration] {
        if let empty = value.array, empty.isEmpty { return [] }
        guard let fields = value.object else {
            throw wrong("expected map for property [fields] on field [\(leaf(path))] or [fields] but got a class \(JavaText.className(value))")
        }
        guard !isMultiField else { throw wrong("Encountered a multi-field [\(path)] which itself contains a multi-field. Defining chained multi-fields is not supported.") }
        var declared: [FieldDeclaration] = []
        for (name, body) in fields {
            guard !name.isEmpty, !name.contains(".") else { throw wrong("Field name [\(name)] which is a multi field of [\(leaf(path))] cannot contain '.'") }
            guard let body = body.object else { throw wrong("illegal field [\(name)], only fields can be specified inside fields") }
            guard let type = body["type"]?.string else { throw wrong("no type specified for property [\(name)]") }
            guard type != "object", type != "nested", type != "alias" else { throw wrong("Type [\(type)] cannot be used in multi field") }
            let kind = try MappingParser.kind(type, field: name)
            declared.append(try FieldDeclaration(path: path + "." + name, kind: kind, body: body, isMultiField: true, analysis: analysis))
        }
        return declared
    }

    private static func normalized(
        _ value: JSONValue, _ parameter: FieldParameter, path: String, kind: FieldType.Kind, analysis: AnalysisRegistry
    ) throws(MappingError) -> JSONValue {
        let shown = JavaText.string(value)
        switch parameter.shape {
        case .any: return value
        case .bool:
            if let v = value.boolean { return .bool(v) }
            switch value.string {
            case "true": return true
            case "false": return false
            default: throw wrong("Failed to parse value [\(shown)] as only [true] or [false] are allowed.")
            }
        case .integer:
            if let v = value.integer ?? value.string.flatMap({ Int64($0) }), Int32(exactly: v) != nil { return .integer(v) }
            throw wrong("Failed to parse [\(parameter.name)] of field [\(path)]: an integer was expected, but got [\(shown)]")
        case .number:
            if let v = value.number ?? value.string.flatMap({ Double($0) }) { return .number(v) }
            throw wrong("Failed to parse [\(parameter.name)] of field [\(path)]: a number was expected, but got [\(shown)]")
        case .string:
            guard value.array == nil, value.object == nil else { throw wrong("[\(parameter.name)] of field [\(path)] must be a string") }
            return .string(shown)
        case .object:
            guard value.object != nil else { throw wrong("[\(parameter.name)] must be an object, got \(JavaText.className(value))[\(shown)] for field [\(path)]") }
            return value
        case .oneOf(let allowed):
            guard let v = value.string, allowed.contains(v) else {
                throw wrong("Unknown value [\(shown)] for field [\(parameter.name)] - accepted values are [\(allowed.joined(separator: ", "))]")
            }
            return value
        case .analyzer:
            guard shown == "default" || analysis.analyzer(named: shown) != nil else { throw wrong("analyzer [\(shown)] has not been configured in mappings") }
            return .string(shown)
        case .normalizer:
            guard analysis.normalizer(named: shown) != nil else { throw wrong("normalizer [\(shown)] not found for field [\(leaf(path))]") }
            return .string(shown)
        case .dateFormat:
            do throws(MappingError) {
                _ = try DateFormat(shown)
            } catch {
                throw MappingError("mapper_parsing_exception", error.reason, causedBy: error.reason)
            }
            return .string(shown)
        }
    }
}

extension FieldType {
    /// The field bound to an index's analyzers. Names were checked when the declaration was read.
    convenience init(_ declared: FieldDeclaration, number: UInt32, analysis: AnalysisRegistry, limits: MappingLimits) {
        func flag(_ name: String, else fallback: Bool = false) -> Bool { declared.value(name)?.boolean ?? fallback }
        func analyzer(_ name: String) -> (any Analyzer)? {
            declared.parameters[name]?.string.flatMap { $0 == "default" ? analysis.defaultAnalyzer : analysis.analyzer(named: $0) }
        }
        let kind = declared.kind, isText = kind == .text
        let own = analyzer("analyzer")
        let options: FieldType.IndexOptions =
            switch declared.value("index_options")?.string {
            case "freqs": .frequencies
            case "positions": .positions
            case "offsets": .offsets
            default: .docs
            }
        self.init(
            path: declared.path, kind: kind, index: flag("index", else: kind != .binary), docValues: isText ? flag("fielddata") : flag("doc_values", else: kind != .binary),
            store: flag("store"), norms: flag("norms"), indexOptions: options,
            analyzer: isText ? own ?? analysis.defaultAnalyzer : nil,
            searchAnalyzer: isText ? analyzer("search_analyzer") ?? (own == nil ? analysis.defaultSearchAnalyzer : nil) : nil,
            searchQuoteAnalyzer: isText ? analyzer("search_quote_analyzer") : nil,
            positionIncrementGap: declared.parameters["position_increment_gap"]?.integer.map { Int($0) },
            normalizer: declared.parameters["normalizer"]?.string.flatMap { analysis.normalizer(named: $0) },
            ignoreAbove: declared.parameters["ignore_above"]?.integer.map { Int($0) },
            nullValue: declared.parameters[kind == .constantKeyword ? "value" : "null_value"], copyTo: declared.copyTo,
            scalingFactor: declared.parameters["scaling_factor"]?.number ?? 1,
            format: kind == .date || kind == .dateNanos ? declared.value("format")?.string : nil,
            coerce: declared.parameters["coerce"]?.boolean ?? limits.coerce,
            ignoreMalformed: declared.parameters["ignore_malformed"]?.boolean ?? limits.ignoreMalformed,
            aliasPath: declared.parameters["path"]?.string, updatable: declared.isUpdatable, definition: declared.definition, number: number)
    }
}
