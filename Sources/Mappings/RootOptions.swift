// What a mapping says besides its fields: dynamic rules, date and number detection, templates, metadata fields.
// Each part is nil until given, so that a later mapping changes only what it names.

internal import Analysis
internal import JSON

enum Dynamic: String, Sendable {
    case `true`, `false`, strict, runtime

    init(_ value: JSONValue) throws(MappingError) {
        guard let dynamic = Dynamic(rawValue: JavaText.string(value)) else {
            throw FieldDeclaration.wrong("Could not convert [dynamic] to boolean: Failed to parse value [\(JavaText.string(value))] as only [true], [false], [strict] or [runtime] are allowed.")
        }
        self = dynamic
    }
}

/// `_source` of a mapping.
package struct SourceRule: Sendable, Equatable {
    package var enabled = true
    package var includes: [String] = []
    package var excludes: [String] = []
    package init() {}
}

struct RootOptions: Sendable {
    var dynamic: Dynamic?
    var dateDetection: Bool?
    var numericDetection: Bool?
    var dateFormats: [String]?
    var templates: [DynamicTemplate]?
    var source: SourceRule?
    var routingRequired: Bool?
    var meta: JSONObject?
    var runtime: JSONObject?

    /// Ready to detect by; from `dateFormats`.
    private(set) var dateReaders: [DateFormat] = RootOptions.standardDateReaders
    private static let standardDateReaders = [DateFormat.standard] + ((try? [DateFormat("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis")]) ?? [])

    mutating func bindDateFormats() throws(MappingError) {
        guard let dateFormats else { return dateReaders = Self.standardDateReaders }
        var readers: [DateFormat] = []
        for format in dateFormats { readers.append(try DateFormat(format)) }
        dateReaders = readers
    }

    /// With a later mapping's parts over it.
    func merging(_ later: RootOptions) throws(MappingError) -> RootOptions {
        var merged = self
        merged.dynamic = later.dynamic ?? dynamic
        merged.dateDetection = later.dateDetection ?? dateDetection
        merged.numericDetection = later.numericDetection ?? numericDetection
        merged.dateFormats = later.dateFormats ?? dateFormats
        merged.meta = later.meta ?? meta
        merged.routingRequired = later.routingRequired ?? routingRequired
        merged.runtime = later.runtime ?? runtime
        if let laterSource = later.source {
            if let source, source.enabled != laterSource.enabled {
                throw MappingError(
                    "illegal_argument_exception",
                    "Mapper for [_source] conflicts with existing mapper:\n\tCannot update parameter [enabled] from [\(source.enabled)] to [\(laterSource.enabled)]")
            }
            merged.source = laterSource
        }
        if let laterTemplates = later.templates { merged.templates = Self.merge(templates ?? [], laterTemplates) }
        try merged.bindDateFormats()
        return merged
    }

    /// By name: a later template takes the place of its namesake, new ones go to the end.
    private static func merge(_ old: [DynamicTemplate], _ new: [DynamicTemplate]) -> [DynamicTemplate] {
        var merged = old
        for template in new {
            if let i = merged.firstIndex(where: { $0.name == template.name }) { merged[i] = template } else { merged.append(template) }
        }
        return merged
    }

    /// The members of GET _mapping before "properties".
    func render(into out: inout JSONObject) {
        if let dynamic { out["dynamic"] = .string(dynamic.rawValue) }
        if let meta { out["_meta"] = .object(meta) }
        if routingRequired == true { out["_routing"] = ["required": true] }
        if let source, source != SourceRule() {
            var rule = JSONObject()
            if !source.enabled { rule["enabled"] = false }
            if !source.includes.isEmpty { rule["includes"] = .array(source.includes.map { .string($0) }) }
            if !source.excludes.isEmpty { rule["excludes"] = .array(source.excludes.map { .string($0) }) }
            out["_source"] = .object(rule)
        }
        if let dateFormats { out["dynamic_date_formats"] = .array(dateFormats.map { .string($0) }) }
        if let templates { out["dynamic_templates"] = .array(templates.map { .object($0.definition) }) }
        if let dateDetection { out["date_detection"] = .bool(dateDetection) }
        if let numericDetection { out["numeric_detection"] = .bool(numericDetection) }
        if let runtime, !runtime.isEmpty { out["runtime"] = .object(runtime) }
    }
}
