// A time zone: a fixed offset, or the history and the standing rule of a place, read once from the
// system's time zone database (package tzdata).

package struct TimeZoneRule: Sendable {
    private enum Rule: Sendable {
        case fixed(Int64)
        case place(ZoneFile)
    }
    /// As given.
    package let id: String
    private let rule: Rule

    package static let utc = TimeZoneRule(id: "UTC", rule: .fixed(0))

    private init(id: String, rule: Rule) { (self.id, self.rule) = (id, rule) }

    /// A fixed offset east of Greenwich.
    package init(offsetSeconds: Int64) {
        self.init(id: TimeZoneRule.name(offsetSeconds * 1_000, colon: true, zulu: true), rule: .fixed(offsetSeconds * 1_000))
    }

    /// "Z", "UTC", "+01:00", "UTC+1", "Europe/Berlin".
    /// - Throws: illegal_argument_exception for a zone nobody knows.
    package init(_ id: String) throws(MappingError) {
        var text = id[...]
        for prefix in ["UTC", "GMT", "UT"] where text.hasPrefix(prefix) && !text.hasPrefix("GMT0") {
            text = text.dropFirst(prefix.count)
            break
        }
        if text.isEmpty, !id.isEmpty {
            self.init(id: id, rule: .fixed(0))
        } else if let offset = TimeZoneRule.offset(text) {
            self.init(id: id, rule: .fixed(offset))
        } else if let file = ZoneFile(named: id) {
            self.init(id: id, rule: .place(file))
        } else {
            throw MappingError("illegal_argument_exception", "Unknown time-zone ID: [\(id)]; use an offset like +01:00 or a name like Europe/Berlin")
        }
    }

    /// Milliseconds, if the same at all times.
    package var fixedOffset: Int64? { if case .fixed(let offset) = rule { offset } else { nil } }

    /// Milliseconds east of Greenwich at an instant.
    package func offset(at milliseconds: Int64) -> Int64 {
        switch rule {
        case .fixed(let offset): offset
        case .place(let file): file.offsetSeconds(at: floorDivide(milliseconds, 1_000)) &* 1_000
        }
    }

    /// What clocks show, as milliseconds of a day count without zones.
    package func local(_ milliseconds: Int64) -> Int64 { milliseconds &+ offset(at: milliseconds) }

    /// The instant at which clocks show a local time. In a gap: moved on by the gap's length; in an overlap: the
    /// earlier one (java.time's ZonedDateTime.ofLocal).
    package func instant(ofLocal local: Int64) -> Int64 {
        if let fixedOffset { return local &- fixedOffset }
        let before = offset(at: local &- millisecondsPerDay), after = offset(at: local &+ millisecondsPerDay)
        // The offset before a change is tried first: right outside changes, in a gap and for the earlier of two.
        for candidate in [before, after] where offset(at: local &- candidate) == candidate { return local &- candidate }
        return local &- before
    }

    // MARK: Offsets as text

    /// "Z", "+1", "+01", "+0100", "+01:00", "-01:30:15" in milliseconds.
    static func offset(_ text: Substring) -> Int64? {
        if text == "Z" || text == "z" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let body = text.dropFirst()
        let digits = body.filter { $0 != ":" }
        guard digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), [1, 2, 4, 6].contains(digits.utf8.count) else { return nil }
        if body.contains(":") {
            let parts = body.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.dropFirst().allSatisfy({ $0.count == 2 }), let first = parts.first, (1...2).contains(first.count) else { return nil }
        }
        let padded = digits.count == 1 ? "0" + digits : String(digits)
        let numbers = stride(from: 0, to: padded.count, by: 2).map { Int64(padded.dropFirst($0).prefix(2)) ?? 99 }
        let (h, m, s) = (numbers[0], numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : 0)
        guard h <= 18, m <= 59, s <= 59 else { return nil }
        return (sign == "-" ? -1 : 1) * ((h * 60 + m) * 60 + s) * 1_000
    }

    static func name(_ offset: Int64, colon: Bool, zulu: Bool, short: Bool = false) -> String {
        if offset == 0, zulu { return "Z" }
        let seconds = abs(offset / 1_000), separator = colon ? ":" : ""
        func two(_ v: Int64) -> String { v < 10 ? "0\(v)" : "\(v)" }
        var text = (offset < 0 ? "-" : "+") + two(seconds / 3_600)
        if !short || seconds / 60 % 60 != 0 { text += separator + two(seconds / 60 % 60) }
        if seconds % 60 != 0 { text += separator + two(seconds % 60) }
        return text
    }
}
