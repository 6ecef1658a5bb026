// The common forms of ISO 8601 by position:
//
//     YYYY-MM-DD   YYYY-MM-DDTHH:MM   ...:SS   ...:SS.f (1 to 9 digits)   each with Z, +hh:mm, +hhmm or +hh
//
// Anything else, years of other widths and fields out of range too, is left to the patterns.

struct ISODate {
    private var date: CivilDate
    private var hour: Int64 = -1, minute: Int64 = -1, second: Int64 = -1, millisecond: Int64 = -1
    /// Milliseconds, if the text names a zone.
    private(set) var offset: Int64?

    @inline(__always) private static func two(_ text: Span<UInt8>, _ i: Int) -> Int64 {
        let a = text[i] &- 0x30, b = text[i + 1] &- 0x30
        return a < 10 && b < 10 ? Int64(a) * 10 + Int64(b) : -1
    }

    static func read(_ text: Span<UInt8>) -> ISODate? {
        let n = text.count
        guard n >= 10, text[4] == 0x2D, text[7] == 0x2D else { return nil }
        let century = two(text, 0), year = two(text, 2), month = two(text, 5), day = two(text, 8)
        guard century >= 0, year >= 0, month >= 1, month <= 12, day >= 1 else { return nil }
        let full = century * 100 + year
        guard day <= 28 || day <= CivilDate.length(ofMonth: month, in: full) else { return nil }
        var result = ISODate(date: CivilDate(year: full, month: month, day: day))
        if n == 10 { return result }
        guard n >= 16, text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":") else { return nil }
        (result.hour, result.minute) = (two(text, 11), two(text, 14))
        guard result.hour >= 0, result.hour < 24, result.minute >= 0, result.minute < 60 else { return nil }
        var i = 16
        if i < n, text[i] == UInt8(ascii: ":") {
            guard n >= 19 else { return nil }
            result.second = two(text, 17)
            guard result.second >= 0, result.second < 60 else { return nil }
            i = 19
            if i < n, text[i] == UInt8(ascii: ".") {
                guard let end = result.fraction(text, i + 1) else { return nil }
                i = end
            }
        }
        if i == n { return result }
        return result.zone(text, i) ? result : nil
    }

    private mutating func fraction(_ text: Span<UInt8>, _ start: Int) -> Int? {
        var i = start
        var value: Int64 = 0
        while i < text.count, text[i] &- 0x30 < 10 {
            if i - start < 3 { value = value * 10 + Int64(text[i] &- 0x30) }
            i += 1
        }
        guard i > start, i - start <= 9 else { return nil }
        for _ in min(i - start, 3)..<3 { value *= 10 }
        millisecond = value
        return i
    }

    private mutating func zone(_ text: Span<UInt8>, _ i: Int) -> Bool {
        let n = text.count
        if text[i] == UInt8(ascii: "Z") {
            offset = 0
            return i + 1 == n
        }
        guard text[i] == UInt8(ascii: "+") || text[i] == UInt8(ascii: "-"), i + 3 <= n else { return false }
        let hours = Self.two(text, i + 1)
        var minutes: Int64 = 0
        switch n - i {
        case 3: break
        case 5: minutes = Self.two(text, i + 3)
        case 6 where text[i + 3] == UInt8(ascii: ":"): minutes = Self.two(text, i + 4)
        default: return false
        }
        guard hours >= 0, hours <= 18, minutes >= 0, minutes < 60 else { return false }
        offset = (text[i] == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
        return true
    }

    private init(date: CivilDate) { self.date = date }

    /// Milliseconds of local time. Nil when rounding up would need more than milliseconds say.
    func local(roundUp: Bool) -> Int64? {
        let h = hour >= 0 ? hour : roundUp ? 23 : 0, m = minute >= 0 ? minute : roundUp ? 59 : 0
        let s = second >= 0 ? second : roundUp ? 59 : 0, ms = millisecond >= 0 ? millisecond : roundUp ? 999 : 0
        return date.days &* millisecondsPerDay &+ ((h &* 60 &+ m) &* 60 &+ s) &* 1_000 &+ ms
    }
}
