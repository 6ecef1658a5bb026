// `rename_pattern` and `rename_replacement` of a restore: every match of a regular expression in an index's name is replaced, `$1` standing for its first group, as
// Java's `String.replaceAll` does it. A backtracking matcher over a small tree, with a budget of steps: no pattern can hold a thread up.
//
// Known: literals, `.`, `[a-z]`, `[^…]`, `\d \w \s` and their opposites, `\` before any sign, `(…)`, `(?:…)`, `|`, `^`, `$`, `* + ? {n} {n,} {n,m}` and their lazy kinds.
// Others (look-around, references back, named groups) are refused.

package import Engine

package struct RenamePattern: Sendable {
    fileprivate indirect enum Node: Sendable {
        case set([ClosedRange<UInt32>], negated: Bool)
        case start, end
        case group(Node, Int?)
        case sequence([Node])
        case alternatives([Node])
        case repeated(Node, least: Int, most: Int, isLazy: Bool)
    }
    fileprivate enum Piece: Sendable { case text(String), group(Int) }

    private let root: Node
    private let pieces: [Piece]
    private let groups: Int
    private static let stepsMax = 200_000

    package init(_ pattern: String, replacement: String) throws(APIError) {
        var parser = PatternParser(pattern)
        root = try parser.whole()
        groups = parser.groups
        pieces = try Self.pieces(replacement, groups)
    }

    package func apply(to name: String) throws(APIError) -> String {
        let text = Array(name.unicodeScalars)
        let run = Run(text, groups: groups, steps: Self.stepsMax)
        var out = "", at = 0
        while at <= text.count {
            let match = run.match(root, at)
            // What was found then may be a shorter match than the pattern's.
            if run.isSpent { throw .illegal("rename_pattern needs more than \(Self.stepsMax) steps, or is nested too deeply, for [\(name)]; write a simpler one") }
            guard let end = match else {
                if at < text.count { out.unicodeScalars.append(text[at]) }
                at += 1
                continue
            }
            for piece in pieces {
                switch piece {
                case .text(let t): out += t
                case .group(let n): if let range = n == 0 ? at..<end : run.captures[n - 1] { out.unicodeScalars.append(contentsOf: text[range]) }
                }
            }
            // A match of nothing: one sign on, so that it ends.
            if end == at {
                if at < text.count { out.unicodeScalars.append(text[at]) }
                at += 1
            } else { at = end }
        }
        return out
    }

    private static func pieces(_ replacement: String, _ groups: Int) throws(APIError) -> [Piece] {
        var pieces: [Piece] = [], literal = "", rest = replacement.unicodeScalars[...]
        while let c = rest.popFirst() {
            if c == "\\" {
                guard let next = rest.popFirst() else { throw .illegal("character to be escaped is missing in rename_replacement") }
                literal.unicodeScalars.append(next)
            } else if c == "$" {
                guard let digit = rest.first.flatMap(Self.digit) else { throw .illegal("Illegal group reference in rename_replacement: $ is followed by a group's number; write \\$ for the sign itself") }
                rest.removeFirst()
                var number = digit
                // As many digits as there are groups for.
                while let digit = rest.first.flatMap(Self.digit), number * 10 + digit <= groups {
                    number = number * 10 + digit
                    rest.removeFirst()
                }
                guard number <= groups else { throw .illegal("No group \(number) in rename_pattern, which rename_replacement refers to") }
                if !literal.isEmpty { pieces.append(.text(literal)) }
                literal = ""
                pieces.append(.group(number))
            } else { literal.unicodeScalars.append(c) }
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
        return pieces
    }

    fileprivate static func digit(_ c: Unicode.Scalar) -> Int? { ("0"..."9").contains(c) ? Int(c.value - 48) : nil }
}

extension RestoreRequest {
    package mutating func rename(_ pattern: String, to replacement: String) throws(APIError) {
        let renaming = try RenamePattern(pattern, replacement: replacement)
        rename = { name throws(EngineError) in
            do throws(APIError) { return try renaming.apply(to: name) } catch { throw EngineError.illegalArgument(error.reason) }
        }
    }
}

/// One matching; what has to follow is a closure.
private final class Run {
    private let text: [Unicode.Scalar]
    private(set) var captures: [Range<Int>?]
    private var steps: Int
    private(set) var isSpent = false
    /// How far what has to follow is nested: each level is a few frames of the thread's stack.
    private var depth = 0
    private static let depthMax = 2_000

    init(_ text: [Unicode.Scalar], groups: Int, steps: Int) { (self.text, captures, self.steps) = (text, Array(repeating: nil, count: groups), steps) }

    /// Where the match that begins at `start` ends.
    func match(_ node: RenamePattern.Node, _ start: Int) -> Int? {
        for i in captures.indices { captures[i] = nil }
        var end: Int?
        return step(node, start) { end = $0; return true } ? end : nil
    }

    private func step(_ node: RenamePattern.Node, _ i: Int, _ then: (Int) -> Bool) -> Bool {
        steps -= 1
        depth += 1
        defer { depth -= 1 }
        guard steps > 0, depth < Self.depthMax else {
            isSpent = true
            return false
        }
        switch node {
        case .set(let ranges, let negated):
            guard i < text.count, ranges.contains(where: { $0.contains(text[i].value) }) != negated else { return false }
            return then(i + 1)
        case .start: return i == 0 && then(i)
        case .end: return i == text.count && then(i)
        case .group(let inner, let number):
            guard let number else { return step(inner, i, then) }
            return step(inner, i) { j in
                let before = captures[number]
                captures[number] = i..<j
                if then(j) { return true }
                captures[number] = before
                return false
            }
        case .sequence(let nodes): return sequence(nodes[...], i, then)
        case .alternatives(let nodes): return nodes.contains { step($0, i, then) }
        case .repeated(let inner, let least, let most, let isLazy): return again(inner, least, most, isLazy, 0, i, then)
        }
    }

    private func sequence(_ nodes: ArraySlice<RenamePattern.Node>, _ i: Int, _ then: (Int) -> Bool) -> Bool {
        guard let first = nodes.first else { return then(i) }
        return step(first, i) { sequence(nodes.dropFirst(), $0, then) }
    }

    private func again(_ inner: RenamePattern.Node, _ least: Int, _ most: Int, _ isLazy: Bool, _ count: Int, _ i: Int, _ then: (Int) -> Bool) -> Bool {
        if isLazy, count >= least, then(i) { return true }
        // A round of nothing is as good as all that are still asked for.
        if count < most, step(inner, i, { j in j == i ? count < least && then(j) : again(inner, least, most, isLazy, count + 1, j, then) }) { return true }
        return !isLazy && count >= least && then(i)
    }
}

private struct PatternParser {
    private var rest: ArraySlice<Unicode.Scalar>
    private(set) var groups = 0
    private var depth = 0
    private static let lengthMax = 1000, depthMax = 20, timesMax = 1000

    init(_ pattern: String) { rest = Array(pattern.unicodeScalars)[...] }

    mutating func whole() throws(APIError) -> RenamePattern.Node {
        guard rest.count <= Self.lengthMax else { throw .illegal("rename_pattern is longer than \(Self.lengthMax) signs") }
        let node = try alternatives()
        if !rest.isEmpty { throw .illegal("rename_pattern has a ) without a (") }
        return node
    }

    private mutating func alternatives() throws(APIError) -> RenamePattern.Node {
        var nodes = [try sequence()]
        while rest.first == "|" {
            rest.removeFirst()
            nodes.append(try sequence())
        }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence() throws(APIError) -> RenamePattern.Node {
        var nodes: [RenamePattern.Node] = []
        while let c = rest.first, c != "|", c != ")" { nodes.append(try repeated(try atom())) }
        return .sequence(nodes)
    }

    private mutating func atom() throws(APIError) -> RenamePattern.Node {
        let c = rest.removeFirst()
        switch c {
        case ".": return .set([10...10], negated: true)
        case "^": return .start
        case "$": return .end
        case "[": return try brackets()
        case "\\":
            guard let next = rest.popFirst() else { throw .illegal("rename_pattern ends with a \\") }
            return try escaped(next)
        case "(": return try group()
        case "*", "+", "?", "{": throw .illegal("rename_pattern has a \(c) with nothing to repeat before it")
        default: return .set([c.value...c.value], negated: false)
        }
    }

    private mutating func group() throws(APIError) -> RenamePattern.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw .illegal("rename_pattern has more than \(Self.depthMax) groups in one another") }
        var number: Int?
        if rest.first == "?" {
            guard rest.dropFirst().first == ":" else { throw .illegal("rename_pattern: of groups that begin with (? only (?: is known") }
            rest.removeFirst(2)
        } else {
            number = groups
            groups += 1
        }
        let inner = try alternatives()
        guard rest.popFirst() == ")" else { throw .illegal("rename_pattern has a ( without a )") }
        return .group(inner, number)
    }

    private mutating func repeated(_ node: RenamePattern.Node) throws(APIError) -> RenamePattern.Node {
        var node = node
        while let c = rest.first, let (least, most) = try times(c) {
            let isLazy = rest.first == "?"
            if isLazy { rest.removeFirst() }
            if rest.first == "+" { throw .illegal("rename_pattern: repetitions that give nothing back (a second +) are not known") }
            node = .repeated(node, least: least, most: most, isLazy: isLazy)
        }
        return node
    }

    private mutating func times(_ c: Unicode.Scalar) throws(APIError) -> (Int, Int)? {
        switch c {
        case "*": rest.removeFirst(); return (0, .max)
        case "+": rest.removeFirst(); return (1, .max)
        case "?": rest.removeFirst(); return (0, 1)
        case "{":
            guard let close = rest.firstIndex(of: "}") else { throw .illegal("rename_pattern has a { without a }") }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: rest[rest.startIndex + 1..<close])
            let parts = String(text).split(separator: ",", omittingEmptySubsequences: false)
            rest = rest[(close + 1)...]
            guard (1...2).contains(parts.count), let least = Int(parts[0]), (0...Self.timesMax).contains(least) else { throw .illegal("rename_pattern: {n}, {n,} and {n,m} are known, up to \(Self.timesMax)") }
            let most = parts.count == 1 ? least : parts[1].isEmpty ? .max : Int(parts[1]) ?? -1
            guard most >= least, most == .max || most <= Self.timesMax else { throw .illegal("rename_pattern: {n}, {n,} and {n,m} are known, up to \(Self.timesMax)") }
            return (least, most)
        default: return nil
        }
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let words: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let spaces: [ClosedRange<UInt32>] = [9...13, 32...32]

    private func escaped(_ c: Unicode.Scalar) throws(APIError) -> RenamePattern.Node {
        switch c {
        case "d", "D": return .set(Self.digits, negated: c == "D")
        case "w", "W": return .set(Self.words, negated: c == "W")
        case "s", "S": return .set(Self.spaces, negated: c == "S")
        default:
            if c.properties.isAlphabetic || RenamePattern.digit(c) != nil { throw .illegal("rename_pattern: \\\(c) is not known; \\d, \\w, \\s and their opposites are") }
            return .set([c.value...c.value], negated: false)
        }
    }

    private mutating func brackets() throws(APIError) -> RenamePattern.Node {
        var ranges: [ClosedRange<UInt32>] = [], isFirst = true
        let negated = rest.first == "^"
        if negated { rest.removeFirst() }
        while let c = rest.popFirst() {
            if c == "]", !isFirst { return .set(ranges, negated: negated) }
            isFirst = false
            var low = c
            if c == "\\" {
                guard let next = rest.popFirst() else { break }
                guard case .set(let some, false) = try escaped(next) else { throw .illegal("rename_pattern: \\\(next) is not known within []") }
                guard some.count == 1, some[0].count == 1, let one = Unicode.Scalar(some[0].lowerBound) else {
                    ranges += some
                    continue
                }
                low = one
            }
            var high = low
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                rest.removeFirst(2)
                high = end
                if end == "\\" {
                    guard let next = rest.popFirst() else { break }
                    high = next
                }
            }
            guard low <= high else { throw .illegal("rename_pattern: a range in [] runs backwards") }
            ranges.append(low.value...high.value)
        }
        throw .illegal("rename_pattern has a [ without a ]")
    }
}
