// The settings of an index's analysis as a plain tree: what a JSON object says, without a JSON parser here.

package indirect enum AnalysisSetting: Sendable, Equatable {
    case string(String)
    case number(Double)
    case bool(Bool)
    case list([AnalysisSetting])
    case object([String: AnalysisSetting])

    package subscript(_ key: String) -> AnalysisSetting? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// As Elasticsearch keeps settings: every scalar as text.
    package var text: String? {
        switch self {
        case .string(let s): s
        case .number(let n): Int(exactly: n).map(String.init) ?? String(n)
        case .bool(let b): b ? "true" : "false"
        default: nil
        }
    }
}

/// One component's definition, with typed reading. Numbers and booleans may be written as strings, lists as
/// one comma-separated string, as Elasticsearch accepts them.
struct Definition: Sendable {
    let name: String
    let type: String
    var members: [String: AnalysisSetting] = [:]

    func has(_ key: String) -> Bool { members[key] != nil }

    func string(_ key: String) -> String? { members[key]?.text }

    func int(_ key: String, _ fallback: Int, _ range: ClosedRange<Int> = 0...Int(Int32.max)) throws(AnalysisError) -> Int {
        guard let setting = members[key] else { return fallback }
        guard let text = setting.text, let value = Int(text) else {
            throw AnalysisError("Failed to parse value [\(setting.text ?? "a list or an object")] for setting [\(key)] of [\(name)]: give an integer")
        }
        guard range.contains(value) else {
            throw AnalysisError("Failed to parse value [\(value)] for setting [\(key)] of [\(name)] must be >= \(range.lowerBound) and <= \(range.upperBound)")
        }
        return value
    }

    func bool(_ key: String, _ fallback: Bool) throws(AnalysisError) -> Bool {
        guard let setting = members[key] else { return fallback }
        switch setting.text {
        case "true": return true
        case "false", "": return false
        default: throw AnalysisError("Failed to parse value [\(setting.text ?? "a list or an object")] as only [true] or [false] are allowed.")
        }
    }

    func strings(_ key: String) throws(AnalysisError) -> [String]? {
        guard let setting = members[key] else { return nil }
        if case .list(let items) = setting {
            var out: [String] = []
            for item in items {
                guard let text = item.text else { throw AnalysisError("[\(key)] of [\(name)] must be a list of strings") }
                out.append(text)
            }
            return out
        }
        guard let text = setting.text else { throw AnalysisError("[\(key)] of [\(name)] must be a list of strings") }
        return text.split(separator: ",").map { trimmed(String($0)) }
    }

    /// A list of which no member may be split at commas (patterns, synonym rules).
    func lines(_ key: String) throws(AnalysisError) -> [String]? {
        guard let setting = members[key] else { return nil }
        if case .list = setting { return try strings(key) }
        return setting.text.map { [$0] }
    }
}

func trimmed(_ s: String) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }
    var piece = s[...]
    while let c = piece.first, isSpace(c) { piece.removeFirst() }
    while let c = piece.last, isSpace(c) { piece.removeLast() }
    return String(piece)
}
