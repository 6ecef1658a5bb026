// Synonym rules in Solr's format, as a map from term sequences to what they become.
//
//     i-pod, i pod => ipod          the left ones become the right ones
//     sea biscuit, seabiscuit       each becomes all (expand), or all become the first (expand: false)
//     # a comment; \, \= \> and \\ are escapes
//
// Each side is analyzed by the part of the chain before the filter. WordNet's format: s(...) facts of one synset.

struct SynonymRules: Sendable {
    struct Entry: Sendable {
        var outputs: [[[UInt8]]] = []
        var keepsOriginal = false
    }
    private(set) var entries: [[[UInt8]]: Entry] = [:]
    /// The longest left side that starts with a term.
    private(set) var longest: [[UInt8]: Int] = [:]

    private let analyzer: AnalysisChain
    private let expand: Bool
    private let lenient: Bool

    init(_ lines: [String], wordNet: Bool, expand: Bool, lenient: Bool, analyzer: AnalysisChain) throws(AnalysisError) {
        self.analyzer = analyzer
        self.expand = expand
        self.lenient = lenient
        if wordNet {
            try addWordNet(lines)
        } else {
            for (number, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") { try add(line, number: number + 1) }
        }
    }

    private mutating func add(_ line: String, number: Int) throws(AnalysisError) {
        let sides = Self.split(line, at: "=>")
        guard sides.count <= 2 else { throw AnalysisError("Invalid synonym rule at line \(number): more than one explicit mapping specified on the same line") }
        var inputs: [[[UInt8]]] = []
        for word in Self.split(sides[0], at: ",") { if let terms = try analyzed(word, number) { inputs.append(terms) } }
        if sides.count == 2 {
            var outputs: [[[UInt8]]] = []
            for word in Self.split(sides[1], at: ",") { if let terms = try analyzed(word, number) { outputs.append(terms) } }
            for input in inputs { for output in outputs { add(input, output, keepsOriginal: false) } }
        } else if expand {
            for (i, input) in inputs.enumerated() { for (j, output) in inputs.enumerated() where i != j { add(input, output, keepsOriginal: true) } }
        } else if let first = inputs.first {
            for input in inputs { add(input, first, keepsOriginal: false) }
        }
    }

    private mutating func addWordNet(_ lines: [String]) throws(AnalysisError) {
        var synset = "", members: [[[UInt8]]] = []
        func pairs(_ members: [[[UInt8]]], _ rules: inout SynonymRules) {
            if rules.expand {
                for a in members { for b in members where a != b { rules.add(a, b, keepsOriginal: true) } }
            } else if let first = members.first {
                for a in members { rules.add(a, first, keepsOriginal: false) }
            }
        }
        for (number, line) in lines.enumerated() where line.hasPrefix("s(") {
            guard let open = line.firstIndex(of: "'"), let close = line.lastIndex(of: "'"), open < close else { throw AnalysisError("Invalid synonym rule at line \(number + 1)") }
            let id = String(line.dropFirst(2).prefix { $0 != "," })
            if id != synset {
                pairs(members, &self)
                (synset, members) = (id, [])
            }
            let word = String(line[line.index(after: open)..<close])
            if let terms = try analyzed((splitOnce(word, "''").map { $0.0 + "'" + $0.1 }) ?? word, number + 1) { members.append(terms) }
        }
        pairs(members, &self)
    }

    private mutating func add(_ input: [[UInt8]], _ output: [[UInt8]], keepsOriginal: Bool) {
        guard let first = input.first else { return }
        longest[first] = max(longest[first] ?? 0, input.count)
        var entry = entries[input] ?? Entry()
        if !entry.outputs.contains(output) { entry.outputs.append(output) }
        entry.keepsOriginal = entry.keepsOriginal || keepsOriginal
        entries[input] = entry
    }

    private func analyzed(_ word: String, _ number: Int) throws(AnalysisError) -> [[UInt8]]? {
        let text = Self.withoutEscapes(trimmed(word))
        guard !text.isEmpty else {
            if lenient { return nil }
            throw AnalysisError("Invalid synonym rule at line \(number): term: \(text) was completely eliminated by analyzer")
        }
        let tokens = try analyzer.tokens(of: text)
        var terms: [[UInt8]] = []
        for i in 0..<tokens.count {
            let step = tokens.positions[i] - (i == 0 ? -1 : tokens.positions[i - 1])
            if step != 1 {
                if lenient { return nil }
                throw AnalysisError("Invalid synonym rule at line \(number): term: \(text) analyzed to a token (\(tokens.term(i))) with position increment != 1 (got: \(step))")
            }
            terms.append(Array(tokens.terms[tokens.range(i)]))
        }
        if terms.isEmpty && !lenient { throw AnalysisError("Invalid synonym rule at line \(number): term: \(text) was completely eliminated by analyzer") }
        return terms.isEmpty ? nil : terms
    }

    /// Splits at a separator that no backslash escapes.
    private static func split(_ text: String, at separator: String) -> [String] {
        let bytes = Array(text.utf8), mark = Array(separator.utf8)
        var parts: [String] = [], start = 0, i = 0
        while i < bytes.count {
            if bytes[i] == UInt8(ascii: "\\") {
                i += 2
            } else if i + mark.count <= bytes.count, Array(bytes[i..<(i + mark.count)]) == mark {
                parts.append(String(decoding: bytes[start..<i], as: UTF8.self))
                i += mark.count
                start = i
            } else {
                i += 1
            }
        }
        parts.append(String(decoding: bytes[min(start, bytes.count)...], as: UTF8.self))
        return parts
    }

    private static func withoutEscapes(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var out: [UInt8] = [], bytes = Array(text.utf8)[...]
        while let b = bytes.popFirst() { out.append(b == UInt8(ascii: "\\") ? bytes.popFirst() ?? b : b) }
        return String(decoding: out, as: UTF8.self)
    }
}
