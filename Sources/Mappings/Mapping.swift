// An index's mapping at one moment: immutable; documents that bring new fields make a new one.

package import Analysis
package import JSON

package struct Mapping: Sendable {
    private var fields: [String: FieldType] = [:]
    private var analyzers: [String: any Analyzer] = [:]

    package init() {}

    /// The field at a full path; aliases are followed. Nil when unmapped.
    package func field(_ path: String) -> FieldType? {
        guard let type = fields[path] else { return nil }
        return type.aliasPath.flatMap { fields[$0] } ?? type
    }

    /// Paths of mapped leaf fields that match a name or a pattern with `*`, sorted.
    package func paths(matching pattern: String) -> [String] { fields.keys.filter { $0 == pattern }.sorted() }

    /// An analyzer of the index's settings, or a built-in one.
    package func analyzer(named name: String) -> (any Analyzer)? { analyzers[name] }
}
