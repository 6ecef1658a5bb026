// ICU regular expressions over UTF-8. Compiled once; every use takes a clone from a pool, since a matcher
// belongs to one thread. Matching is bounded in time and stack.

import CIsothermICU

@safe final class Regex: @unchecked Sendable {
    /// Safe: only cloned after init, which ICU allows from any thread.
    private let compiled: OpaquePointer
    private let clones = Pool<Matcher>()
    let groupCount: Int
    let pattern: String

    init(_ pattern: String, flags: UInt32 = 0, in name: String) throws(AnalysisError) {
        let bytes = Array(pattern.utf8)
        var error = [CChar](repeating: 0, count: 64)
        // Safe: both buffers outlive the call.
        let opened = unsafe bytes.withUnsafeBufferPointer { p in
            unsafe error.withUnsafeMutableBufferPointer { e in unsafe isotherm_regex_open(p.baseAddress, bytes.count, flags, e.baseAddress) }
        }
        guard let opened = unsafe opened else {
            let reason = String(decoding: error.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw AnalysisError("the pattern [\(pattern)] of [\(name)] is no regular expression: \(reason)")
        }
        unsafe compiled = opened
        groupCount = unsafe Int(isotherm_regex_group_count(opened))
        self.pattern = pattern
    }

    deinit { unsafe isotherm_regex_close(compiled) }

    /// Java's flags by name, joined with '|', as Elasticsearch writes them.
    static func flags(_ text: String?, in name: String) throws(AnalysisError) -> UInt32 {
        var out: UInt32 = 0
        for flag in (text ?? "").split(separator: "|") {
            switch trimmed(String(flag)).uppercased() {
            case "CASE_INSENSITIVE": out |= UInt32(ISOTHERM_REGEX_CASE)
            case "MULTILINE": out |= UInt32(ISOTHERM_REGEX_MULTILINE)
            case "DOTALL": out |= UInt32(ISOTHERM_REGEX_DOTALL)
            case "COMMENTS": out |= UInt32(ISOTHERM_REGEX_COMMENTS)
            case "LITERAL": out |= UInt32(ISOTHERM_REGEX_LITERAL)
            case "UNICODE_CASE", "CANON_EQ", "UNIX_LINES", "UNICODE_CHARACTER_CLASS", "UNICODE_CHAR_CLASS": break
            default: throw AnalysisError("Unknown regex flag [\(flag)] of [\(name)]")
            }
        }
        return out
    }

    /// Calls `body` for each match, from left to right, until it returns false.
    func matches(in text: Span<UInt8>, _ body: (Matcher) -> Bool) throws(AnalysisError) {
        guard let matcher = unsafe clones.take() ?? Matcher(cloneOf: compiled) else { throw AnalysisError("no memory for the pattern [\(pattern)]") }
        // Safe: the text stays where it is until the last match is read.
        let outcome = unsafe text.withUnsafeBufferPointer { p -> Int32 in
            guard unsafe isotherm_regex_set_text(matcher.handle, p.baseAddress, p.count) != 0 else { return -1 }
            while true {
                let found = unsafe isotherm_regex_next(matcher.handle)
                if found != 1 { return found }
                if !body(matcher) { return 0 }
            }
        }
        _ = unsafe isotherm_regex_set_text(matcher.handle, nil, 0)
        clones.give(matcher)
        if outcome < 0 { throw AnalysisError("the pattern [\(pattern)] takes too long on this text: make it simpler or the text shorter") }
    }

    @safe final class Matcher {
        fileprivate let handle: OpaquePointer
        fileprivate init?(cloneOf compiled: OpaquePointer) {
            guard let copy = unsafe isotherm_regex_clone(compiled) else { return nil }
            unsafe handle = copy
        }
        deinit { unsafe isotherm_regex_close(handle) }

        var range: Range<Int> { group(0) ?? 0..<0 }
        /// Nil when the group took no part in the match.
        func group(_ n: Int) -> Range<Int>? {
            let start = unsafe isotherm_regex_start(handle, Int32(clamping: n)), end = unsafe isotherm_regex_end(handle, Int32(clamping: n))
            return start < 0 || end < start ? nil : Int(start)..<Int(end)
        }
        func number(ofGroup name: String) -> Int? {
            let n = unsafe isotherm_regex_group(handle, name)
            return n < 0 ? nil : Int(n)
        }
    }
}
