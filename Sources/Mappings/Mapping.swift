// An index's mapping at one moment: immutable to its readers; documents that bring new fields make a new one, which
// shares nearly all of the old.
//
//     "products"                     fields                          objects
//     { "title": text,               title            text           brand
//       "brand": { "name":           title.raw        keyword  (multi-field of title)
//         keyword } }                brand.name       keyword
//
// Invariants
//     1  Every field's parent path is an object or the root, or, for a multi-field, a field.
//     2  A path is a field or an object, never both.
//     3  Numbers of fields are dense and never used twice.

package import Analysis
package import JSON
import Synchronization

package struct Mapping: Sendable {
    /// Who differs in anything differs in this.
    private(set) var generation: UInt64
    private(set) var fields = ShardedTable<MappedField>()
    private(set) var objects = ShardedTable<ObjectDeclaration>()
    /// In a box: a mapping is copied for every document.
    private var boxedRoot: Boxed<RootOptions>
    var root: RootOptions { boxedRoot.value }
    private(set) var nextNumber: UInt32 = 0
    /// Paths of constant_keyword fields, which every document has.
    private(set) var constants: [String] = []
    let analysis: AnalysisRegistry
    let limits: MappingLimits

    package init() { self.init(analysis: .builtIn, limits: MappingLimits()) }

    private init(analysis: AnalysisRegistry, limits: MappingLimits) {
        (self.analysis, self.limits, boxedRoot, generation) = (analysis, limits, Boxed(RootOptions()), Mapping.nextGeneration())
    }

    /// From the `mappings` of an index creation; empty for none.
    /// - Throws: mapper_parsing_exception and others, in Elasticsearch's words.
    package init(
        _ mappings: JSONObject, analysis: AnalysisRegistry = .builtIn, limits: MappingLimits = MappingLimits()
    ) throws(MappingError) {
        self.init(analysis: analysis, limits: limits)
        self = try merging(mappings)
    }

    // MARK: Look-ups

    /// The field at a full path; aliases are followed, and a path below a flattened field is a keyword. Nil when unmapped.
    package func field(_ path: String) -> FieldType? {
        guard let entry = fields[path] else { return flattenedKey(path) }
        return entry.type.aliasPath.flatMap { field($0) } ?? entry.type
    }

    /// Paths of mapped leaf fields (multi-fields and aliases too, objects not) that match a name or a pattern with `*`, sorted.
    package func paths(matching pattern: String) -> [String] {
        let glob = Glob(pattern)
        if glob.isLiteral { return field(pattern) == nil ? [] : [pattern] }
        return select { glob.matches($0) }
    }

    /// Leaf fields below an object, sorted; empty when the path is not an object. `exists` on an object asks for any of them.
    package func paths(below object: String) -> [String] {
        guard hasObject(object) else { return [] }
        let prefix = object + "."
        return select { $0.hasPrefix(prefix) }
    }

    package func hasObject(_ path: String) -> Bool { objects[path] != nil }

    /// Fields, multi-fields and objects: what index.mapping.total_fields.limit counts.
    package var fieldCount: Int { fields.count + objects.count }

    /// An analyzer of the index's settings, or a built-in one.
    package func analyzer(named name: String) -> (any Analyzer)? {
        name == "default" ? analysis.defaultAnalyzer : analysis.analyzer(named: name)
    }

    /// Names and definitions of all the index's analyzers.
    package var registry: AnalysisRegistry { analysis }

    /// `_source`: whether documents keep theirs, and what of it.
    package var source: SourceRule { boxedRoot.value.source ?? SourceRule() }
    /// `_routing.required`.
    package var routingRequired: Bool { boxedRoot.value.routingRequired ?? false }

    // MARK: -

    private func select(_ keep: (String) -> Bool) -> [String] {
        var found: [String] = []
        fields.forEach { path, entry in if !entry.isHidden, keep(path) { found.append(path) } }
        return found.sorted()
    }

    /// "attributes.colour" where attributes is flattened.
    private func flattenedKey(_ path: String) -> FieldType? {
        var end = path.startIndex
        while let dot = path[end...].firstIndex(of: ".") {
            if let parent = fields[String(path[..<dot])]?.type, parent.kind == .flattened { return parent.flattenedKey(path) }
            end = path.index(after: dot)
        }
        return nil
    }

    private static let generations = Atomic<UInt64>(0)
    static func nextGeneration() -> UInt64 { generations.add(1, ordering: .relaxed).newValue }

    // MARK: Changing (by Mapping+Merging and the document parser)

    mutating func setRoot(_ options: RootOptions) {
        boxedRoot = Boxed(options)
        generation = Mapping.nextGeneration()
    }

    mutating func set(_ object: ObjectDeclaration) throws(MappingError) {
        if objects[object.path] == nil { try checkLimit(adding: 1) }
        objects[object.path] = object
        generation = Mapping.nextGeneration()
    }

    /// Adds a field and its multi-fields, or puts them in their namesakes' places.
    mutating func set(_ declared: FieldDeclaration) throws(MappingError) {
        let old = fields[declared.path]
        if old == nil { try checkLimit(adding: 1 + declared.multiFields.count) }
        let multiFields = declared.multiFields.map { sub in
            let type = FieldType(sub, number: number(sub.path), analysis: analysis, limits: limits)
            fields[sub.path] = MappedField(type: type, declaration: sub, multiFields: [], isMultiField: true)
            return type
        }
        let type = FieldType(declared, number: number(declared.path), analysis: analysis, limits: limits)
        fields[declared.path] = MappedField(type: type, declaration: declared, multiFields: multiFields)
        if declared.kind == .constantKeyword, !constants.contains(declared.path) { constants.append(declared.path) }
        generation = Mapping.nextGeneration()
    }

    /// A key of a flattened field, so that it has a number; not shown.
    mutating func addHidden(_ path: String, below parent: FieldType) -> FieldType {
        let type = parent.flattenedKey(path, number: number(path))
        fields[path] = MappedField(type: type, declaration: FieldDeclaration(path: path, kind: .keyword), multiFields: [], isHidden: true)
        generation = Mapping.nextGeneration()
        return type
    }

    private mutating func number(_ path: String) -> UInt32 {
        if let old = fields[path] { return old.type.number }
        defer { nextNumber += 1 }
        return nextNumber
    }

    private func checkLimit(adding count: Int) throws(MappingError) {
        guard fieldCount + count <= limits.fieldsMax else {
            throw MappingError(
                "illegal_argument_exception", "Limit of total fields [\(limits.fieldsMax)] has been exceeded while adding new fields [\(count)]")
        }
    }
}

private final class Boxed<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// A field with what hangs on it.
final class MappedField: Sendable {
    let type: FieldType
    let declaration: FieldDeclaration
    let multiFields: [FieldType]
    let isMultiField: Bool
    /// A key of a flattened field.
    let isHidden: Bool

    init(type: FieldType, declaration: FieldDeclaration, multiFields: [FieldType], isMultiField: Bool = false, isHidden: Bool = false) {
        (self.type, self.declaration, self.multiFields) = (type, declaration, multiFields)
        (self.isMultiField, self.isHidden) = (isMultiField, isHidden)
    }
}

extension FieldType {
    /// The keyword field of one key of a flattened field.
    func flattenedKey(_ path: String, number: UInt32 = .max) -> FieldType {
        FieldType(path: path, kind: .keyword, index: index, docValues: docValues, ignoreAbove: ignoreAbove, definition: ["type": "keyword"], number: number)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) { self.init(members) }
}
