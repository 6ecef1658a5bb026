// What a query looks for in each field, for highlighting: single terms, patterns of terms, phrases. Clauses
// under must_not are left out.

package struct QueryTerms: Sendable {
    package struct Phrase: Sendable, Equatable {
        /// As in `PhrasePlan`: the terms that may stand at each position.
        package var places: [(terms: [[UInt8]], position: Int)]
        package var slop: Int
        package init(places: [(terms: [[UInt8]], position: Int)], slop: Int) { (self.places, self.slop) = (places, slop) }
        package static func == (a: Phrase, b: Phrase) -> Bool {
            a.slop == b.slop && a.places.elementsEqual(b.places) { $0.terms == $1.terms && $0.position == $1.position }
        }
    }

    package enum Pattern: Sendable {
        case prefix([UInt8])
        case automaton(ByteAutomaton)
        /// Bounds included where not nil.
        case range(from: [UInt8]?, through: [UInt8]?)
        case fuzzy(String, edits: Int, prefixLength: Int, transpositions: Bool)

        package func matches(_ term: [UInt8]) -> Bool {
            switch self {
            case .prefix(let prefix): return term.starts(with: prefix)
            case .automaton(let automaton): return automaton.matches(term)
            case .range(let low, let high):
                return !(low.map { term.lexicographicallyPrecedes($0) } ?? false) && !(high.map { $0.lexicographicallyPrecedes(term) } ?? false)
            case .fuzzy(let word, let edits, let prefixLength, let transpositions):
                var matcher = FuzzyMatcher(word, editsMax: edits, prefixLength: prefixLength, transpositions: transpositions)
                guard term.starts(with: matcher.prefix), case .match = matcher.verdict(term) else { return false }
                return true
            }
        }
    }

    package struct Field: Sendable {
        package var terms: Set<[UInt8]> = []
        package var patterns: [Pattern] = []
        package var phrases: [Phrase] = []
        package init() {}
        package var isEmpty: Bool { terms.isEmpty && patterns.isEmpty && phrases.isEmpty }
    }

    /// By full path.
    package var fields: [String: Field] = [:]

    package init() {}

    /// Of all fields together: `require_field_match: false`.
    package var everyField: Field {
        var all = Field()
        for field in fields.values {
            all.terms.formUnion(field.terms)
            all.patterns += field.patterns
            all.phrases += field.phrases
        }
        return all
    }
}
