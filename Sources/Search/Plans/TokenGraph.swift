// The tokens of a query text as a graph of positions: where only one token stands, where synonyms share a place,
// and where ways part (multi-word synonyms, word_delimiter_graph) and meet again.
//
//     positions      0     1      2        3
//     tokens         wifi ────────┐        router
//                    wi ── fi ────┘
//     stretches      [0, 2) with two ways     [2, 3) one token
//
// Source: Lucene's QueryBuilder and GraphTokenStreamFiniteStrings (which cut at articulation points as well).

internal import Analysis
internal import QueryDSL

struct TokenGraph {
    struct Token { var term: [UInt8]; var position: Int; var end: Int }

    let tokens: [Token]
    /// Ways through one stretch that are followed; more are refused.
    static let waysMax = 64

    init(_ buffer: TokenBuffer) {
        var tokens: [Token] = []
        tokens.reserveCapacity(buffer.count)
        for i in 0..<buffer.count {
            let position = Int(buffer.positions[i])
            let length = i < buffer.positionLengths.count ? max(1, Int(buffer.positionLengths[i])) : 1
            tokens.append(Token(term: Array(buffer.terms[buffer.range(i)]), position: position, end: position + length))
        }
        self.tokens = tokens
    }

    init(single term: [UInt8]) { tokens = [Token(term: term, position: 0, end: 1)] }

    var isEmpty: Bool { tokens.isEmpty }
    var isGraph: Bool { tokens.contains { $0.end - $0.position > 1 } }

    /// The terms of each position that has one, in order; repeats of a term at one position go.
    var places: [(terms: [[UInt8]], position: Int)] { Self.places(tokens) }

    static func places(_ tokens: [Token]) -> [(terms: [[UInt8]], position: Int)] {
        var result: [(terms: [[UInt8]], position: Int)] = []
        for token in tokens {
            if let last = result.last, last.position == token.position {
                if !last.terms.contains(token.term) { result[result.count - 1].terms.append(token.term) }
            } else { result.append(([token.term], token.position)) }
        }
        return result
    }

    /// Tokens between two positions that no token spans.
    func stretches() -> [[Token]] {
        var result: [[Token]] = [], open: [Token] = [], reach = Int.min
        for token in tokens {
            if token.position >= reach, !open.isEmpty {
                result.append(open)
                open = []
            }
            open.append(token)
            reach = max(reach, token.end)
        }
        if !open.isEmpty { result.append(open) }
        return result
    }

    /// Every way through `tokens`, each a run of tokens that follow each other (over gaps where no token starts).
    static func ways(_ tokens: [Token]) throws(QueryError) -> [[Token]] {
        guard let first = tokens.first else { return [] }
        let last = tokens.map(\.end).max() ?? first.end
        let starts = Set(tokens.map(\.position))
        var done: [[Token]] = [], open: [(at: Int, way: [Token])] = [(first.position, [])]
        var steps = 0
        while let (position, way) = open.popLast() {
            steps += 1
            guard done.count < waysMax, steps < 100 * waysMax else {
                throw QueryError("too_many_clauses", "the text has more than \(waysMax) readings in a row of synonyms: use fewer synonyms or a shorter text")
            }
            var at = position
            while at < last, !starts.contains(at) { at += 1 }
            if at >= last {
                done.append(way)
                continue
            }
            for token in tokens.reversed() where token.position == at { open.append((token.end, way + [token])) }
        }
        return done
    }
}
