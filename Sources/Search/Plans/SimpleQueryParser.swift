// simple_query_string's own little language, which never fails: what makes no sense is left out.
//
//     a b        either, or both (default_operator)      +      and        |      or
//     -a         not a                                   "a b"  phrase     "a b"~2  with slop
//     a*         prefix                                  a~1    fuzzy      ( )      grouping     \ next one plain
//
// The tree it makes holds whole texts; fields and analysis come with the binding.
//
// Source: Elasticsearch reference, "Simple query string query"; Lucene's SimpleQueryParser for how operators group.

internal import QueryDSL

indirect enum SimpleQuery: Equatable {
    case text(String), phrase(String, slop: Int), prefix(String), fuzzy(String, edits: Int)
    case not(SimpleQuery)
    case all([SimpleQuery]), any([SimpleQuery])
}

struct SimpleQueryParser {
    private let text: [Character]
    private let flags: Set<String>?
    private let defaultOperator: Query.Operator
    private var i = 0
    private var depth = 0
    private var clauses = 0
    /// Levels of brackets; changes of operator within one level; clauses in all. What is past them joins the last level
    /// or is not read (more clauses than `clausesMax` allows are refused by the binding anyway).
    private static let depthMax = 10, changesMax = 10, clausesMax = 5000

    init(_ text: String, flags: Set<String>?, defaultOperator: Query.Operator) {
        (self.text, self.flags, self.defaultOperator) = (Array(text), flags, defaultOperator)
    }

    mutating func parse() -> SimpleQuery? { group(until: nil) }

    // MARK: -

    private func allows(_ flag: String) -> Bool { flags.map { $0.contains(flag) || $0.contains("ALL") } ?? true }

    /// Operators bind left to right: a change of operator wraps what is there.
    private mutating func group(until end: Character?) -> SimpleQuery? {
        var top: SimpleQuery?, pending: Query.Operator?, last: Query.Operator?
        var isNegated = false, changes = 0
        while i < text.count, clauses < Self.clausesMax {
            let c = text[i]
            if c == end {
                i += 1
                return top
            }
            var clause: SimpleQuery?
            switch c {
            case "(" where allows("PRECEDENCE") && depth < Self.depthMax:
                i += 1
                depth += 1
                clause = group(until: ")")
                depth -= 1
            case ")" where allows("PRECEDENCE"): i += 1
            case "\"" where allows("PHRASE"): clause = phrase()
            case "+" where allows("AND"):
                i += 1
                if top != nil, pending == nil { pending = .and }
            case "|" where allows("OR"):
                i += 1
                if top != nil, pending == nil { pending = .or }
            case "-" where allows("NOT"):
                i += 1
                isNegated.toggle()
                continue
            case " ", "\t", "\n", "\r": i += 1
            default:
                let from = i
                clause = word()
                // An operator that may not stand here (brackets past the bound) is passed over.
                if i == from { i += 1 }
            }
            guard var clause else {
                if c != " ", c != "\t", c != "\n", c != "\r" { isNegated = false }
                continue
            }
            if isNegated { clause = .not(clause) }
            isNegated = false
            clauses += 1
            var op = pending ?? defaultOperator
            if let last, op != last {
                changes += 1
                if changes > Self.changesMax { op = last }
            }
            top = Self.join(top, clause, op, last)
            if last != nil || pending != nil || Self.isGroup(top) { last = op }
            pending = nil
        }
        return top
    }

    private static func isGroup(_ q: SimpleQuery?) -> Bool {
        switch q {
        case .all, .any: true
        default: false
        }
    }

    private static func join(_ top: SimpleQuery?, _ clause: SimpleQuery, _ op: Query.Operator, _ last: Query.Operator?) -> SimpleQuery {
        guard let top else { return clause }
        if last == op {
            if op == .and, case .all(let parts) = top { return .all(parts + [clause]) }
            if op == .or, case .any(let parts) = top { return .any(parts + [clause]) }
        }
        return op == .and ? .all([top, clause]) : .any([top, clause])
    }

    private mutating func phrase() -> SimpleQuery? {
        let from = i
        i += 1
        var content = "", isEscaped = false
        while i < text.count {
            let c = text[i]
            i += 1
            if isEscaped {
                content.append(c)
                isEscaped = false
            } else if c == "\\", allows("ESCAPE") { isEscaped = true } else if c == "\"" {
                let slop = allows("NEAR") || allows("SLOP") ? tilde() ?? 0 : 0
                return content.isEmpty ? nil : .phrase(content, slop: slop)
            } else { content.append(c) }
        }
        // No closing quote: the quote counts for nothing.
        i = from + 1
        return nil
    }

    private mutating func word() -> SimpleQuery? {
        var content = "", isEscaped = false, isPrefix = false
        while i < text.count {
            let c = text[i]
            if isEscaped {
                content.append(c)
                isEscaped = false
                i += 1
                continue
            }
            if c == "\\", allows("ESCAPE") {
                isEscaped = true
                i += 1
                continue
            }
            if isBreak(c) { break }
            if c == "*", allows("PREFIX"), !content.isEmpty, i + 1 == text.count || isBreak(text[i + 1]) {
                isPrefix = true
                i += 1
                break
            }
            if c == "~", allows("FUZZY"), !content.isEmpty {
                let from = i
                if let edits = tilde(), i == text.count || isBreak(text[i]) { return edits == 0 ? .text(content) : .fuzzy(content, edits: min(2, edits)) }
                i = from
            }
            content.append(c)
            i += 1
        }
        if content.isEmpty { return nil }
        return isPrefix ? .prefix(content) : .text(content)
    }

    private func isBreak(_ c: Character) -> Bool {
        switch c {
        case " ", "\t", "\n", "\r": true
        case "\"": allows("PHRASE")
        case "|": allows("OR")
        case "+": allows("AND")
        case "(", ")": allows("PRECEDENCE")
        default: false
        }
    }

    /// "~" with digits; alone it means 2.
    private mutating func tilde() -> Int? {
        guard i < text.count, text[i] == "~" else { return nil }
        i += 1
        var digits = ""
        while i < text.count, text[i].isASCII, text[i].isNumber, digits.count < 6 {
            digits.append(text[i])
            i += 1
        }
        return digits.isEmpty ? 2 : Int(digits)
    }
}
