// When a commit began, as Hudi names it: 17 digits, yyyyMMddHHmmssSSS in UTC. Strictly rising over a table; readers compare them as text.

package struct HudiInstant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let milliseconds: Int64

    /// Clamped to the years 1970 to 9999.
    package init(milliseconds: Int64) { self.milliseconds = min(max(0, milliseconds), Calendar.daysMax * 86_400_000 - 1) }

    /// Nil for anything but 17 digits that name a moment.
    package init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 17, digits.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        func number(_ range: Range<Int>) -> Int64 { digits[range].reduce(0) { $0 * 10 + Int64($1 - 48) } }
        guard number(0..<4) >= 1970, (1...12).contains(number(4..<6)), (1...31).contains(number(6..<8)) else { return nil }
        let days = Calendar.days(number(0..<4), number(4..<6), number(6..<8))
        milliseconds = ((days * 24 + number(8..<10)) * 60 + number(10..<12)) * 60_000 + number(12..<17)
        guard description == text else { return nil }
    }

    /// The next of a table: now, or a millisecond after the last where the clock is behind it.
    package static func next(after last: HudiInstant?, nowMicroseconds: Int64) -> HudiInstant {
        let now = HudiInstant(milliseconds: nowMicroseconds / 1_000)
        guard let last, now <= last else { return now }
        return HudiInstant(milliseconds: last.milliseconds + 1)
    }

    package var description: String {
        let date = Calendar.date(milliseconds / 86_400_000), rest = milliseconds % 86_400_000
        func pad(_ value: Int64, _ width: Int) -> String { Calendar.padded(value, width) }
        return pad(date.year, 4) + pad(date.month, 2) + pad(date.day, 2) + pad(rest / 3_600_000, 2) + pad(rest / 60_000 % 60, 2) + pad(rest % 60_000, 5)
    }

    package static func < (a: HudiInstant, b: HudiInstant) -> Bool { a.milliseconds < b.milliseconds }
}
