// The three parts of an analysis chain. Each is immutable and shared between threads and works on a whole
// text at once, so the calls through existentials are per text and not per token.

/// Changes the text before it is tokenized, remembering how offsets lead back.
package protocol CharacterFilter: Sendable {
    func apply(to text: inout MappedText) throws(AnalysisError)
    /// May take part in a normalizer: changes characters one by one.
    var isNormalizing: Bool { get }
}

/// Cuts a text into tokens. Offsets are those in `text`, valid UTF-8.
package protocol Tokenizer: Sendable {
    func tokenize(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError)
}

/// Rewrites the tokens of one text.
package protocol TokenFilter: Sendable {
    /// - Parameter scratch: empty; filters that cannot work in place build the result there and swap.
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError)
    /// May take part in a normalizer: changes terms one by one and drops or adds none.
    var isNormalizing: Bool { get }
}

extension CharacterFilter { package var isNormalizing: Bool { false } }
extension TokenFilter { package var isNormalizing: Bool { false } }

/// Bounds on what one text may become.
enum AnalysisBounds {
    /// Tokens of one text. A filter that would pass it throws; nothing grows without end.
    static let tokensMax = 10_000_000
    /// Bytes of a term that a tokenizer without a limit of its own may make.
    static let termBytesMax = 1 << 24
    /// Bytes that a character filter may turn a text into.
    static let textBytesMax = 1 << 30
}

/// What a name or an inline definition may be that has more than one name in chains, as `_analyze` shows it.
struct Named<Component: Sendable>: Sendable {
    var name: String
    var component: Component
}
