// UAX #29 word boundaries over UTF-8, from ICU's property data: a hand-written machine instead of compiled
// ICU rules. It reads UTF-8 without converting, tells token types as it goes, and differs from ICU's root
// rules where those are tailored (a colon joins letters; '@' separates).
//
// Two readings share the rules: `boundary` is the annex to the letter, every segment; `token` is what Lucene's
// StandardTokenizer returns from a position: nil where no token starts.

import CIsothermICU

package enum WordBreaks {
    /// The end of the segment that starts at `start` (which must be a boundary; < text.count).
    package static func boundary(_ text: Span<UInt8>, _ start: Int) -> Int {
        var scan = Scan(text, start, limit: text.count)
        var c = scan.read()
        if c == CR { return scan.peek() == LF ? scan.readEnd() : scan.end }
        if c == LF || c == NEWLINE { return scan.end }
        if c == SPACE { // WB3d
            while scan.peek() == SPACE { _ = scan.read() }
            if scan.peek() != EXTEND && scan.peek() != ZWJ { return scan.end }
            c = OTHER
        }
        var zwjBefore = c == ZWJ
        if c == EXTEND || c == ZWJ { c = OTHER }
        while scan.end < text.count {
            if let joined = scan.joins(c, crossing: &zwjBefore) { c = joined } else { break }
        }
        return scan.end
    }

    /// The token that starts at `start`, no longer than `lengthMax` UTF-16 units, or nil when none does.
    static func token(_ text: Span<UInt8>, _ start: Int, lengthMax: Int) -> (end: Int, type: TokenType)? {
        // A window of lengthMax units: a UTF-16 unit takes at most three bytes of UTF-8.
        var limit = text.count
        if limit - start > lengthMax { limit = window(text, start, lengthMax) }
        let (raw, _) = decodeScalar(text, start)
        let flags = isotherm_scalar_class(raw)
        let c = flags & CLASS
        var best: (end: Int, type: TokenType)?
        if flags & PICTOGRAPHIC != 0 || c == REGIONAL || c == ZWJ || raw == 0x23 || raw == 0x2A || (0x30...0x39).contains(raw) {
            if let end = emoji(text, start, limit, c, raw) { best = (end, .emoji) }
        }
        if let word = word(text, start, limit), word.end > best?.end ?? start { best = word }
        if best == nil {
            if flags & SOUTHEAST_ASIAN != 0 { return (southeastAsianEnd(text, start, limit), .southeastAsian) }
            if flags & HAN != 0 { return (extendedEnd(text, start, limit), .ideographic) }
            if flags & HIRAGANA != 0 { return (extendedEnd(text, start, limit), .hiragana) }
        }
        return best
    }

    // MARK: -

    private static func window(_ text: Span<UInt8>, _ start: Int, _ lengthMax: Int) -> Int {
        var i = start, units = 0
        while i < text.count {
            let (c, n) = decodeScalar(text, i)
            units += c >= 0x10000 ? 2 : 1
            if units > lengthMax { break }
            i += n
        }
        return i == start ? start + decodeScalar(text, start).length : i
    }

    private static func word(_ text: Span<UInt8>, _ start: Int, _ limit: Int) -> (end: Int, type: TokenType)? {
        var scan = Scan(text, start, limit: limit)
        var c = scan.read()
        guard c == LETTER || c == HEBREW || c == NUMERIC || c == KATAKANA || c == EXTEND_NUM_LET else { return nil }
        scan.crossesZWJ = false
        var ignored = false
        while scan.end < limit {
            guard let joined = scan.joins(c, crossing: &ignored) else { break }
            c = joined
        }
        let seen = scan.seen
        if seen & (1 << LETTER | 1 << HEBREW | 1 << NUMERIC | 1 << KATAKANA) == 0 { return nil }
        if seen & (1 << LETTER | 1 << HEBREW | 1 << KATAKANA) == 0 { return (scan.end, .num) }
        if seen == 1 << LETTER && scan.allHangul && !scan.joinedByMiddle { return (scan.end, .hangul) }
        if seen == 1 << KATAKANA { return (scan.end, .katakana) }
        return (scan.end, .alphanum)
    }

    /// An emoji sequence (UTS #51: ED-13 to ED-17, flags and keycaps).
    private static func emoji(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ c: UInt16, _ raw: UInt32) -> Int? {
        if c == REGIONAL {
            let first = extendedEnd(text, start, limit)
            guard first < limit, isotherm_scalar_class(decodeScalar(text, first).scalar) & CLASS == REGIONAL else { return nil }
            return extendedEnd(text, first, limit)
        }
        if raw < 0x80 { // keycap: a base, marks, U+20E3
            let end = extendedEnd(text, start, limit)
            var i = start + 1
            while i < end {
                let (s, n) = decodeScalar(text, i)
                if s == 0x20E3 { return end }
                i += n
            }
            return nil
        }
        var i = start
        while i < limit { // ZWJ* before the first element
            let (s, n) = decodeScalar(text, i)
            guard s == 0x200D else { break }
            i += n
        }
        var end: Int?
        while i < limit, isotherm_scalar_class(decodeScalar(text, i).scalar) & PICTOGRAPHIC != 0 {
            i = extendedEnd(text, i, limit)
            end = i
            guard decodeScalar(text, scalarStart(text, before: i)).scalar == 0x200D else { break }
        }
        return end
    }

    /// One scalar and the Extend, Format and ZWJ that follow (WB4).
    private static func extendedEnd(_ text: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var i = start + decodeScalar(text, start).length
        while i < limit {
            let (s, n) = decodeScalar(text, i)
            let c = isotherm_scalar_class(s) & CLASS
            guard c == EXTEND || c == ZWJ else { break }
            i += n
        }
        return min(i, limit)
    }

    private static func southeastAsianEnd(_ text: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var i = start
        while i < limit, isotherm_scalar_class(decodeScalar(text, i).scalar) & SOUTHEAST_ASIAN != 0 { i = extendedEnd(text, i, limit) }
        return i
    }
}

// MARK: -

private let CLASS: UInt16 = 31
private let HAN: UInt16 = 0x20, HIRAGANA: UInt16 = 0x40, HANGUL: UInt16 = 0x80, SOUTHEAST_ASIAN: UInt16 = 0x100, PICTOGRAPHIC: UInt16 = 0x200
private let OTHER: UInt16 = 0, CR: UInt16 = 1, LF: UInt16 = 2, NEWLINE: UInt16 = 3, EXTEND: UInt16 = 4, ZWJ: UInt16 = 5, REGIONAL: UInt16 = 6
private let KATAKANA: UInt16 = 7, HEBREW: UInt16 = 8, LETTER: UInt16 = 9, SINGLE_QUOTE: UInt16 = 10, DOUBLE_QUOTE: UInt16 = 11
private let MID_NUM_LET: UInt16 = 12, MID_LETTER: UInt16 = 13, MID_NUM: UInt16 = 14, NUMERIC: UInt16 = 15, EXTEND_NUM_LET: UInt16 = 16, SPACE: UInt16 = 17
/// A regional indicator that closed a pair: the next one starts afresh (WB15).
private let REGIONAL_PAIRED: UInt16 = 18

/// A place in the text and what was joined so far.
private struct Scan: ~Escapable {
    let text: Span<UInt8>
    let limit: Int
    /// Behind the last scalar that belongs to the segment.
    var end: Int
    /// Bit per class joined (marks not counted).
    var seen: UInt32 = 0
    var allHangul = true
    var joinedByMiddle = false
    /// WB3c applies.
    var crossesZWJ = true

    @_lifetime(copy text)
    init(_ text: Span<UInt8>, _ start: Int, limit: Int) {
        self.text = text
        self.limit = limit
        end = start
    }

    /// Joins the next scalar, whatever it is.
    @_lifetime(self: copy self)
    mutating func read() -> UInt16 {
        let (s, n) = decodeScalar(text, end)
        let flags = isotherm_scalar_class(s)
        end += n
        note(flags)
        return flags & CLASS
    }

    @_lifetime(self: copy self)
    mutating func readEnd() -> Int {
        _ = read()
        return end
    }

    func peek() -> UInt16? { end < limit ? isotherm_scalar_class(decodeScalar(text, end).scalar) & CLASS : nil }

    @_lifetime(self: copy self)
    private mutating func note(_ flags: UInt16) {
        let c = flags & CLASS
        if c == EXTEND || c == ZWJ { return }
        seen |= 1 << UInt32(c)
        if flags & HANGUL == 0 { allHangul = false }
    }

    /// Joins what follows a scalar of class `c` when no rule breaks there; the class that the next rule sees.
    @_lifetime(self: copy self)
    mutating func joins(_ c: UInt16, crossing zwjBefore: inout Bool) -> UInt16? {
        let (s, n) = decodeScalar(text, end)
        let flags = isotherm_scalar_class(s), next = flags & CLASS
        if next == EXTEND || next == ZWJ { // WB4
            end += n
            zwjBefore = next == ZWJ
            return c
        }
        if zwjBefore && crossesZWJ && flags & PICTOGRAPHIC != 0 && next == OTHER { // WB3c
            end += n
            zwjBefore = false
            note(flags)
            return OTHER
        }
        if zwjBefore && crossesZWJ && flags & PICTOGRAPHIC != 0 {
            end += n
            zwjBefore = false
            note(flags)
            return next
        }
        zwjBefore = false
        let isLetter = c == LETTER || c == HEBREW, nextIsLetter = next == LETTER || next == HEBREW
        let joined: Bool
        switch (c, next) {
        case _ where isLetter && (nextIsLetter || next == NUMERIC): joined = true // WB5, WB9
        case _ where c == NUMERIC && (nextIsLetter || next == NUMERIC): joined = true // WB8, WB10
        case (KATAKANA, KATAKANA): joined = true // WB13
        case _ where next == EXTEND_NUM_LET: joined = isLetter || c == NUMERIC || c == KATAKANA || c == EXTEND_NUM_LET // WB13a
        case (EXTEND_NUM_LET, _): joined = nextIsLetter || next == NUMERIC || next == KATAKANA // WB13b
        case (REGIONAL, REGIONAL): // WB15, WB16
            end += n
            return REGIONAL_PAIRED
        default: joined = false
        }
        if joined {
            end += n
            note(flags)
            return next
        }
        let isMiddle = next == MID_NUM_LET || next == SINGLE_QUOTE
        if isLetter && (isMiddle || next == MID_LETTER), let after = after(end + n), after.c == LETTER || after.c == HEBREW { // WB6, WB7
            return take(after)
        }
        if c == HEBREW && next == SINGLE_QUOTE { // WB7a
            end += n
            return SINGLE_QUOTE
        }
        if c == HEBREW && next == DOUBLE_QUOTE, let after = after(end + n), after.c == HEBREW { return take(after) } // WB7b, WB7c
        if c == NUMERIC && (isMiddle || next == MID_NUM), let after = after(end + n), after.c == NUMERIC { return take(after) } // WB11, WB12
        return nil
    }

    /// The scalar at or after `i` that is no mark.
    private func after(_ i: Int) -> (c: UInt16, flags: UInt16, end: Int)? {
        var i = i
        while i < limit {
            let (s, n) = decodeScalar(text, i)
            let flags = isotherm_scalar_class(s), c = flags & CLASS
            i += n
            if c != EXTEND && c != ZWJ { return (c, flags, i) }
        }
        return nil
    }

    @_lifetime(self: copy self)
    private mutating func take(_ after: (c: UInt16, flags: UInt16, end: Int)) -> UInt16 {
        end = after.end
        joinedByMiddle = true
        note(after.flags)
        return after.c
    }
}
