// An analyzer turns a text into tokens: character filters, one tokenizer, token filters. Immutable and
// shared; whatever a run needs to remember is pooled inside.

package protocol Analyzer: AnyObject, Sendable {
    var name: String { get }
    /// How many positions lie between two values of one field. 100 unless set.
    var positionIncrementGap: Int { get }
    /// Appends nothing: `tokens` is emptied, then filled.
    /// - Parameter text: any bytes; invalid UTF-8 is read as U+FFFD.
    func analyze(_ text: Span<UInt8>, into tokens: inout TokenBuffer) throws(AnalysisError)
    /// The keyword normalizer's use: the text as one term. Analyzers that tokenize use it for prefixes,
    /// wildcards and fuzzy terms (their character-wise filters only, as Elasticsearch's `normalize`).
    func normalize(_ text: Span<UInt8>, into term: inout [UInt8]) throws(AnalysisError)
}

extension Analyzer {
    package func tokens(of text: String) throws(AnalysisError) -> TokenBuffer {
        var buffer = TokenBuffer()
        let utf8 = Array(text.utf8)
        try analyze(utf8.span, into: &buffer)
        return buffer
    }
}

/// The caller erred: an analyzer's definition is wrong, or a text is past a bound.
package struct AnalysisError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
    package var description: String { reason }
}
