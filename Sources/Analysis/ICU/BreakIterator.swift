// ICU's word and sentence boundaries over UTF-8, pooled: an iterator belongs to one thread at a time.

import CIsothermICU

package final class BreakIterator: Sendable {
    package enum Kind: Sendable { case word, sentence }

    package static let words = BreakIterator(.word)
    package static let sentences = BreakIterator(.sentence)

    private let kind: Kind
    private let locale: String
    private let pool = Pool<Handle>()

    package init(_ kind: Kind, locale: String = "") {
        self.kind = kind
        self.locale = locale
    }

    /// The segments in order: each one's end and ICU's rule status. The whole text as one where ICU has no data.
    package func forEach(in text: Span<UInt8>, _ body: (_ end: Int, _ status: Int32) -> Void) {
        guard text.count > 0 else { return }
        guard let handle = pool.take() ?? Handle(kind == .word ? ISOTHERM_BREAK_WORD : ISOTHERM_BREAK_SENTENCE, locale) else {
            return body(text.count, 200)
        }
        // Safe: the text stays where it is until the last boundary is read.
        unsafe text.withUnsafeBufferPointer { p in
            guard let base = p.baseAddress, unsafe isotherm_breaks_set_text(handle.iterator, base, p.count) != 0 else { return body(text.count, 200) }
            while true {
                let end = unsafe isotherm_breaks_next(handle.iterator)
                if end < 0 { break }
                unsafe body(Int(end), isotherm_breaks_status(handle.iterator))
            }
        }
        pool.give(handle)
    }

    @safe private final class Handle {
        let iterator: OpaquePointer
        init?(_ kind: isotherm_break_kind, _ locale: String) {
            guard let opened = unsafe isotherm_breaks_open(kind, locale) else { return nil }
            unsafe iterator = opened
        }
        deinit { unsafe isotherm_breaks_close(iterator) }
    }
}
