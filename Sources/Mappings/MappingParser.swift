// The JSON of a mapping becomes declarations, in the order of the text: objects before what they hold.

internal import Analysis
internal import JSON

struct ObjectDeclaration: Sendable {
    let path: String
    var isNested = false
    var dynamic: Dynamic?
    var enabled: Bool?
    /// nested only; kept to be shown.
    var includeInParent: Bool?
    var includeInRoot: Bool?
    /// Said by name in the text, not by a dot in another's name.
    var isExplicit = true
}

struct MappingParser {
    enum Declaration: Sendable {
        case object(ObjectDeclaration)
        case field(FieldDeclaration)
    }
    let analysis: AnalysisRegistry
    let limits: MappingLimits
    private(set) var root = RootOptions()
    private(set) var declarations: [Declaration] = []

    init(analysis: AnalysisRegistry, limits: MappingLimits) { (self.analysis, self.limits) = (analysis, limits) }

    /// - Throws: mapper_parsing_exception "Failed to parse mapping: ...", with the reason as cause.
    mutating func parse(_ mappings: JSONObject) throws(MappingError) {
        do throws(MappingError) {
            try parseRoot(mappings)
        } catch {
            guard error.type == "mapper_parsing_exception" else { throw error }
            throw MappingError(error.type, "Failed to parse mapping: \(error.reason)", causedBy: error.causedBy ?? error.reason)
        }
    }

    static func kind(_ type: String, field: String) throws(MappingError) -> FieldType.Kind {
        if let kind = FieldType.Kind(rawValue: type) { return kind }
        if FieldType.Kind.unsupported.contains(type) {
            throw FieldDeclaration.wrong(
                "The mapper type [\(type)] declared on field [\(field)] is not supported by Isotherm; use one of [\(FieldType.Kind.supportedNames.joined(separator: ", "))]")
        }
        throw FieldDeclaration.wrong(
            "The mapper type [\(type)] declared on field [\(field)] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.")
    }

    // MARK: - The root

    private mutating func parseRoot(_ given: JSONObject) throws(MappingError) {
        var mappings = given
        // Version 6 clients wrap the mapping in its type.
        if given.count == 1, let inner = given["_doc"]?.object { mappings = inner }
        var unsupported: [(String, JSONValue)] = []
        for (name, value) in mappings {
            switch name {
            case "properties":
                guard let properties = value.object else {
                    if value.array?.isEmpty == true { continue }
                    throw FieldDeclaration.wrong("Expected map for property [properties] but got a class \(JavaText.className(value))")
                }
                try parse(properties, under: "", depth: 1)
            case "dynamic": root.dynamic = try Dynamic(value)
            case "date_detection": root.dateDetection = try flag(value)
            case "numeric_detection": root.numericDetection = try flag(value)
            case "dynamic_date_formats", "dynamic_formats", "date_formats": try dateFormats(value)
            case "dynamic_templates": try templates(value)
            case "_meta": root.meta = value.object
            case "_source": try source(value)
            case "_routing": root.routingRequired = try value["required"].map { v throws(MappingError) in try flag(v) }
            case "runtime":
                guard let runtime = value.object else { throw FieldDeclaration.wrong("Expected map for runtime fields but got a class \(JavaText.className(value))") }
                guard runtime.isEmpty else { throw FieldDeclaration.wrong("Runtime fields are not supported; map the field under [properties] instead") }
            case "_field_names", "_size", "_data_stream_timestamp", "_type", "_index", "_id", "_all": continue
            case "subobjects":
                guard try flag(value) else { throw FieldDeclaration.wrong("[subobjects: false] is not supported; leave it out: names with dots expand to objects") }
            case "enabled": guard try flag(value) else { throw FieldDeclaration.wrong("[enabled: false] at the root is not supported; use [dynamic: false]") }
            default: unsupported.append((name, value))
            }
        }
        guard unsupported.isEmpty else {
            let shown = unsupported.map { "[\($0.0) : \(JavaText.string($0.1))]" }.joined(separator: " ")
            throw FieldDeclaration.wrong("Root mapping definition has unsupported parameters:  \(shown)")
        }
    }

    private func flag(_ value: JSONValue) throws(MappingError) -> Bool {
        switch JavaText.string(value) {
        case "true": return true
        case "false": return false
        default: throw FieldDeclaration.wrong("Failed to parse value [\(JavaText.string(value))] as only [true] or [false] are allowed.")
        }
    }

    private mutating func dateFormats(_ value: JSONValue) throws(MappingError) {
        let formats = (value.array ?? [value]).compactMap(\.string)
        guard !formats.contains(where: { $0.hasPrefix("epoch_") }) else {
            throw FieldDeclaration.wrong("Epoch [\(formats.first { $0.hasPrefix("epoch_") } ?? "")] is not supported as dynamic date format")
        }
        root.dateFormats = formats == ["none"] ? [] : formats
        do throws(MappingError) { try root.bindDateFormats() } catch { throw FieldDeclaration.wrong(error.reason) }
    }

    private mutating func templates(_ value: JSONValue) throws(MappingError) {
        guard let list = value.array else { throw FieldDeclaration.wrong("Dynamic template syntax error. An array of named objects is expected.") }
        var templates: [DynamicTemplate] = []
        for element in list {
            guard let named = element.object, named.count == 1, let (name, body) = named.members.first.map({ ($0.key, $0.value) }), let body = body.object else {
                throw FieldDeclaration.wrong("A dynamic template must be defined with a name")
            }
            let template = try DynamicTemplate(name: name, body: body, definition: named)
            try template.check(analysis: analysis)
            templates.append(template)
        }
        root.templates = templates
    }

    private mutating func source(_ value: JSONValue) throws(MappingError) {
        guard let body = value.object else { throw FieldDeclaration.wrong("[_source] config must be an object") }
        var rule = SourceRule()
        for (name, value) in body {
            switch name {
            case "enabled": rule.enabled = try flag(value)
            case "includes": rule.includes = (value.array ?? [value]).map(JavaText.string)
            case "excludes": rule.excludes = (value.array ?? [value]).map(JavaText.string)
            case "mode":
                guard value.string == "stored" else { throw FieldDeclaration.wrong("[_source.mode] must be [stored]") }
            default: throw FieldDeclaration.wrong("unknown parameter [\(name)] on metadata field [_source]")
            }
        }
        root.source = rule
    }

    // MARK: - Objects and fields

    private mutating func parse(_ properties: JSONObject, under parent: String, depth: Int) throws(MappingError) {
        for (name, value) in properties {
            guard let body = value.object else {
                if value.array?.isEmpty == true { continue }
                throw FieldDeclaration.wrong("Expected map for property [fields] on field [\(name)] but got a class \(JavaText.className(value))")
            }
            let leafPath = try expand(name, under: parent, depth: depth)
            try declare(name, body, at: leafPath.path, depth: leafPath.depth)
        }
    }

    /// "a.b.c" declares a and a.b as objects.
    private mutating func expand(_ name: String, under parent: String, depth: Int) throws(MappingError) -> (path: String, depth: Int) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard !name.isEmpty else { throw MappingError("illegal_argument_exception", "field name cannot be an empty string") }
        guard parts.allSatisfy({ !$0.isEmpty && $0.contains { $0 != " " } }) else {
            throw MappingError("illegal_argument_exception", "field name cannot contain only whitespace, or start or end with a dot: [\(name)]")
        }
        var path = parent, depth = depth
        for (k, part) in parts.enumerated() {
            guard part.utf8.count <= limits.nameLengthMax else {
                throw MappingError("illegal_argument_exception", "Field name [\(part)] is longer than the limit of [\(limits.nameLengthMax)] characters")
            }
            path = path.isEmpty ? String(part) : path + "." + part
            if k < parts.count - 1 {
                declarations.append(.object(ObjectDeclaration(path: path, isExplicit: false)))
                depth += 1
            }
            guard depth <= limits.depthMax else {
                throw MappingError("illegal_argument_exception", "Limit of mapping depth [\(limits.depthMax)] has been exceeded due to object field [\(path)]")
            }
        }
        return (path, depth)
    }

    private mutating func declare(_ name: String, _ body: JSONObject, at path: String, depth: Int) throws(MappingError) {
        let type: String
        if let given = body["type"] {
            guard let text = given.string else { throw FieldDeclaration.wrong("[type] of field [\(name)] must be a string") }
            type = text
        } else if body["properties"] != nil || (body.count == 1 && body["enabled"] != nil) || (!body.isEmpty && body.keys.allSatisfy { Self.objectParameters.contains($0) }) {
            type = "object"
        } else {
            throw FieldDeclaration.wrong("No type specified for field [\(name)]")
        }
        switch try Self.kind(type, field: name) {
        case .object: try object(name, body, at: path, isNested: false, depth: depth)
        case .nested: try object(name, body, at: path, isNested: true, depth: depth)
        case let kind: declarations.append(.field(try FieldDeclaration(path: path, kind: kind, body: body, analysis: analysis)))
        }
    }

    private static let objectParameters: Set<String> = ["dynamic", "enabled", "properties", "subobjects"]

    private mutating func object(_ name: String, _ body: JSONObject, at path: String, isNested: Bool, depth: Int) throws(MappingError) {
        var declared = ObjectDeclaration(path: path, isNested: isNested)
        var properties: JSONObject?, unsupported: [(String, JSONValue)] = []
        for (key, value) in body {
            switch key {
            case "type": continue
            case "dynamic": declared.dynamic = try Dynamic(value)
            case "enabled" where !isNested: declared.enabled = try flag(value)
            case "include_in_parent" where isNested: declared.includeInParent = try flag(value)
            case "include_in_root" where isNested: declared.includeInRoot = try flag(value)
            case "subobjects":
                guard try flag(value) else { throw FieldDeclaration.wrong("[subobjects: false] on [\(path)] is not supported; leave it out") }
            case "properties":
                guard value.object != nil || value.array?.isEmpty == true else {
                    throw FieldDeclaration.wrong("properties must be a map type")
                }
                properties = value.object
            default: unsupported.append((key, value))
            }
        }
        guard unsupported.isEmpty else {
            let shown = unsupported.map { "[\($0.0) : \(JavaText.string($0.1))]" }.joined(separator: " ")
            throw FieldDeclaration.wrong("Mapping definition for [\(name)] has unsupported parameters:  \(shown)")
        }
        declarations.append(.object(declared))
        if let properties {
            guard depth < limits.depthMax || properties.isEmpty else {
                throw MappingError("illegal_argument_exception", "Limit of mapping depth [\(limits.depthMax)] has been exceeded due to object field [\(path)]")
            }
            try parse(properties, under: path, depth: depth + 1)
        }
    }
}
