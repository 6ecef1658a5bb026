// Index settings in the shapes callers write them: nested objects, dotted keys, with or without "index.".

package import Analysis
package import JSON

package enum IndexSettings {
    /// Dotted keys without "index." -> leaf values (arrays are leaves), in the order of the text.
    package static func flat(_ settings: JSONObject) -> JSONObject {
        var flat = JSONObject()
        func walk(_ object: JSONObject, _ prefix: String) {
            for (key, value) in object {
                let path = prefix.isEmpty ? key : prefix + "." + key
                if let inner = value.object { walk(inner, path) } else { flat[path.hasPrefix("index.") ? String(path.dropFirst(6)) : path] = value }
            }
        }
        walk(settings, "")
        return flat
    }

    /// The object under `index.analysis`, nil when there is none.
    package static func analysis(_ settings: JSONObject) -> AnalysisSetting? {
        var tree = AnalysisTree()
        var found = false
        for (key, value) in flat(settings) where key.hasPrefix("analysis.") {
            tree.insert(AnalysisSetting(value), at: key.dropFirst(9).split(separator: ".").map(String.init)[...])
            found = true
        }
        return found ? tree.setting : nil
    }
}

extension AnalysisRegistry {
    /// The registry of an index with these settings (nested or flat).
    package convenience init(indexSettings: JSONObject) throws(AnalysisError) {
        var limits = AnalysisLimits()
        let flat = IndexSettings.flat(indexSettings)
        func count(_ key: String) -> Int? { flat[key].flatMap { $0.integer ?? $0.string.flatMap { Int64($0) } }.flatMap { Int(exactly: $0) } }
        limits.ngramDifferenceMax = count("max_ngram_diff") ?? limits.ngramDifferenceMax
        limits.shingleDifferenceMax = count("max_shingle_diff") ?? limits.shingleDifferenceMax
        limits.analyzeTokensMax = count("analyze.max_token_count") ?? limits.analyzeTokensMax
        try self.init(settings: IndexSettings.analysis(indexSettings), limits: limits)
    }
}

extension AnalysisSetting {
    package init(_ value: JSONValue) {
        switch value {
        case .null: self = .string("")
        case .bool(let v): self = .bool(v)
        case .integer(let v): self = .number(Double(v))
        case .number(let v): self = .number(v)
        case .string(let v): self = .string(v)
        case .array(let elements): self = .list(elements.map(AnalysisSetting.init))
        case .object(let members): self = .object(Dictionary(members.map { ($0.key, AnalysisSetting($0.value)) }, uniquingKeysWith: { $1 }))
        }
    }
}

/// Nested objects while they are put together from dotted keys.
private struct AnalysisTree {
    private var leaf: AnalysisSetting?
    private var children: [String: AnalysisTree] = [:]

    mutating func insert(_ value: AnalysisSetting, at path: ArraySlice<String>) {
        guard let first = path.first else { return leaf = value }
        children[first, default: AnalysisTree()].insert(value, at: path.dropFirst())
    }

    var setting: AnalysisSetting { leaf ?? .object(children.mapValues(\.setting)) }
}
