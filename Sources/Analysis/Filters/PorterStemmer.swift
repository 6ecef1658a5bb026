// Porter's stemmer for English as Lucene's PorterStemFilter runs it, which Elasticsearch's `english` analyzer
// uses: the algorithm of 1980 with Porter's own two later departures (-bli and -logi), words of two letters
// and fewer left alone. (Snowball's "porter" has no -logi and reads -abli, so it is not the same.)
//
// Works on UTF-8 bytes: a byte past ASCII counts as a consonant, as every letter but aeiou(y) does there.
//
// Source: M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), and the author's notes on
// his published C version.

final class PorterStemFilter: TokenFilter {
    private let caches = Pool<StemCache>()

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        var word = PorterWord()
        var cache = caches.take() ?? StemCache()
        tokens.rewriteTerms(&scratch, keepingKeywords: true) { term, out in
            guard term.count > 2 else { return out.append(span: term) }
            cache.append(term, to: &out) { term, out in
                word.stem(term)
                out.append(contentsOf: word.letters)
            }
        }
        caches.give(cache)
    }
}

extension TokenBuffer {
    /// As `rewriteTerms`, but tokens marked as keywords keep theirs.
    @inline(__always)
    mutating func rewriteTerms(_ scratch: inout TokenBuffer, keepingKeywords: Bool, _ rewrite: (_ term: Span<UInt8>, _ out: inout [UInt8]) -> Void) {
        guard keepingKeywords && !keywords.isEmpty else { return rewriteTerms(&scratch, rewrite) }
        let marked = keywords
        var i = 0
        rewriteTerms(&scratch) { term, out in
            if marked[i] { out.append(span: term) } else { rewrite(term, &out) }
            i += 1
        }
    }
}

/// One word being stemmed.
struct PorterWord {
    private(set) var letters: [UInt8] = []
    /// Letters before the suffix last matched.
    private var stemEnd = 0

    mutating func stem(_ term: Span<UInt8>) {
        letters.removeAll(keepingCapacity: true)
        letters.append(span: term)
        guard utf16Length(term) > 2 else { return }
        plurals()
        pastAndParticiple()
        finalY()
        doubleSuffixes()
        singleSuffixes()
        residualSuffixes()
        finalE()
    }

    // MARK: - The steps of the paper

    /// 1a
    private mutating func plurals() {
        guard letters.last == UInt8(ascii: "s") else { return }
        if ends("sses") || ends("ies") {
            letters.removeLast(2)
        } else if letters.count < 2 || letters[letters.count - 2] != UInt8(ascii: "s") {
            letters.removeLast()
        }
    }

    /// 1b
    private mutating func pastAndParticiple() {
        if ends("eed") {
            if measure > 0 { letters.removeLast() }
            return
        }
        guard (ends("ed") && hasVowel) || (ends("ing") && hasVowel) else { return }
        letters.removeLast(letters.count - stemEnd)
        if ends("at") || ends("bl") || ends("iz") {
            letters.append(UInt8(ascii: "e"))
        } else if endsInDoubleConsonant {
            let c = letters[letters.count - 1]
            if c != UInt8(ascii: "l") && c != UInt8(ascii: "s") && c != UInt8(ascii: "z") { letters.removeLast() }
        } else {
            stemEnd = letters.count
            if measure == 1 && endsConsonantVowelConsonant(letters.count) { letters.append(UInt8(ascii: "e")) }
        }
    }

    /// 1c
    private mutating func finalY() {
        if ends("y") && hasVowel { letters[letters.count - 1] = UInt8(ascii: "i") }
    }

    /// 2
    private mutating func doubleSuffixes() {
        guard letters.count > 1 else { return }
        switch letters[letters.count - 2] {
        case UInt8(ascii: "a"): _ = replace("ational", "ate") || replace("tional", "tion")
        case UInt8(ascii: "c"): _ = replace("enci", "ence") || replace("anci", "ance")
        case UInt8(ascii: "e"): _ = replace("izer", "ize")
        case UInt8(ascii: "l"):
            _ = replace("bli", "ble") || replace("alli", "al") || replace("entli", "ent") || replace("eli", "e") || replace("ousli", "ous")
        case UInt8(ascii: "o"): _ = replace("ization", "ize") || replace("ation", "ate") || replace("ator", "ate")
        case UInt8(ascii: "s"):
            _ = replace("alism", "al") || replace("iveness", "ive") || replace("fulness", "ful") || replace("ousness", "ous")
        case UInt8(ascii: "t"): _ = replace("aliti", "al") || replace("iviti", "ive") || replace("biliti", "ble")
        case UInt8(ascii: "g"): _ = replace("logi", "log")
        default: break
        }
    }

    /// 3
    private mutating func singleSuffixes() {
        switch letters.last {
        case UInt8(ascii: "e"): _ = replace("icate", "ic") || replace("ative", "") || replace("alize", "al")
        case UInt8(ascii: "i"): _ = replace("iciti", "ic")
        case UInt8(ascii: "l"): _ = replace("ical", "ic") || replace("ful", "")
        case UInt8(ascii: "s"): _ = replace("ness", "")
        default: break
        }
    }

    /// 4
    private mutating func residualSuffixes() {
        guard letters.count > 1 else { return }
        let found: Bool
        switch letters[letters.count - 2] {
        case UInt8(ascii: "a"): found = ends("al")
        case UInt8(ascii: "c"): found = ends("ance") || ends("ence")
        case UInt8(ascii: "e"): found = ends("er")
        case UInt8(ascii: "i"): found = ends("ic")
        case UInt8(ascii: "l"): found = ends("able") || ends("ible")
        case UInt8(ascii: "n"): found = ends("ant") || ends("ement") || ends("ment") || ends("ent")
        case UInt8(ascii: "o"):
            if ends("ion") {
                found = stemEnd > 0 && (letters[stemEnd - 1] == UInt8(ascii: "s") || letters[stemEnd - 1] == UInt8(ascii: "t"))
            } else {
                found = ends("ou")
            }
        case UInt8(ascii: "s"): found = ends("ism")
        case UInt8(ascii: "t"): found = ends("ate") || ends("iti")
        case UInt8(ascii: "u"): found = ends("ous")
        case UInt8(ascii: "v"): found = ends("ive")
        case UInt8(ascii: "z"): found = ends("ize")
        default: found = false
        }
        if found && measure > 1 { letters.removeLast(letters.count - stemEnd) }
    }

    /// 5a and 5b
    private mutating func finalE() {
        guard let last = letters.last else { return }
        stemEnd = letters.count - 1
        // The measure of the whole word; a final e adds nothing to it but the consonants before it.
        if last == UInt8(ascii: "e") {
            let m = measure
            if m > 1 || (m == 1 && !endsConsonantVowelConsonant(letters.count - 1)) { letters.removeLast() }
        }
        if letters.last == UInt8(ascii: "l") && endsInDoubleConsonant {
            stemEnd = letters.count
            if measure > 1 { letters.removeLast() }
        }
    }

    // MARK: - The conditions of the paper

    private mutating func ends(_ suffix: StaticString) -> Bool {
        let n = suffix.utf8CodeUnitCount
        guard n <= letters.count else { return false }
        let start = letters.count - n
        // Safe: a static string's bytes live for ever, and n of them are read.
        let same = suffix.withUTF8Buffer { bytes in
            for k in 0..<n where unsafe bytes[k] != letters[start + k] { return false }
            return true
        }
        if same { stemEnd = start }
        return same
    }

    /// True when the suffix was found, replaced or not.
    private mutating func replace(_ suffix: StaticString, _ replacement: StaticString) -> Bool {
        guard ends(suffix) else { return false }
        if measure > 0 {
            letters.removeLast(letters.count - stemEnd)
            // Safe: as above.
            replacement.withUTF8Buffer { unsafe letters.append(contentsOf: $0) }
        }
        return true
    }

    private func isConsonant(_ i: Int) -> Bool {
        switch letters[i] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): return false
        case UInt8(ascii: "y"):
            // y is a consonant at the start and after a vowel: look back over the run of y.
            var k = i
            while k > 0 && letters[k - 1] == UInt8(ascii: "y") { k -= 1 }
            let first = k == 0 || !isConsonant(k - 1)
            return (i - k) % 2 == 0 ? first : !first
        default: return true
        }
    }

    /// How many times a vowel is followed by a consonant in the stem.
    private var measure: Int {
        var n = 0, afterVowel = false
        for i in 0..<stemEnd {
            if isConsonant(i) {
                if afterVowel { n += 1 }
                afterVowel = false
            } else {
                afterVowel = true
            }
        }
        return n
    }

    private var hasVowel: Bool {
        for i in 0..<stemEnd where !isConsonant(i) { return true }
        return false
    }

    private var endsInDoubleConsonant: Bool {
        let n = letters.count
        return n > 1 && letters[n - 1] == letters[n - 2] && isConsonant(n - 1)
    }

    /// Among the first `count` letters; the last not w, x or y.
    private func endsConsonantVowelConsonant(_ count: Int) -> Bool {
        guard count > 2, isConsonant(count - 1), !isConsonant(count - 2), isConsonant(count - 3) else { return false }
        let c = letters[count - 1]
        return c != UInt8(ascii: "w") && c != UInt8(ascii: "x") && c != UInt8(ascii: "y")
    }
}
