// A moment: microseconds since 1970 in UTC, and the calendar needed to read and write it (proleptic Gregorian; no leap seconds).
//
// Days from and to civil dates: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.

import Glibc

package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(seconds: Int64) { microseconds = seconds.multipliedClamping(by: 1_000_000) }

    package static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }

    package static func now() -> Instant {
        var time = timespec()
        // Safe: the clock writes the struct it is given.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000)
    }

    /// Later by so many; clamped at the ends of time.
    package func adding(seconds: Int64) -> Instant {
        let (sum, over) = microseconds.addingReportingOverflow(seconds.multipliedClamping(by: 1_000_000))
        return Instant(microseconds: over ? (seconds < 0 ? .min : .max) : sum)
    }
    package func adding(days: Int64) -> Instant { adding(seconds: days.multipliedClamping(by: 86_400)) }

    package var date: CivilDate { CivilDate(daysSince1970: microseconds.floorDivided(by: 86_400_000_000)) }

    /// As RFC 3339 has it, in UTC: with six decimals where there are microseconds, none where there are not.
    package var description: String {
        let rest = microseconds.modulo(86_400_000_000), date = date
        let second = rest / 1_000_000, fraction = rest % 1_000_000
        guard (0...9_999).contains(date.year) else {
            let clock = "\(pad(second / 3_600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
            return "\(date)T\(clock)\(fraction == 0 ? "" : "." + pad(fraction, 6))Z"
        }
        // Safe: 27 bytes are asked for, the first `count` of them written, each an ASCII character. Measured: an order's document has some ten of them.
        return unsafe String(unsafeUninitializedCapacity: 27) { out in
            var count = 0
            func put(_ value: Int64, _ width: Int, then mark: Unicode.Scalar) {
                var rest = value
                for at in stride(from: count + width - 1, through: count, by: -1) {
                    unsafe out[at] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                unsafe out[count + width] = UInt8(ascii: mark)
                count += width + 1
            }
            put(date.year, 4, then: "-")
            put(date.month, 2, then: "-")
            put(date.day, 2, then: "T")
            put(second / 3_600, 2, then: ":")
            put(second / 60 % 60, 2, then: ":")
            put(second % 60, 2, then: fraction == 0 ? "Z" : ".")
            if fraction != 0 { put(fraction, 6, then: "Z") }
            return count
        }
    }

    /// What RFC 3339 can say in UTC: years 0000 to 9999.
    package static let writable = Instant(microseconds: -62_167_219_200_000_000)...Instant(microseconds: 253_402_300_799_999_999)

    /// From RFC 3339, or a date alone (its midnight in UTC). Nil for a moment that could not be written again (`writable`), as some offsets make.
    package init?(text: some StringProtocol) {
        var scan = Scanner(text.utf8)
        guard let date = scan.date() else { return nil }
        var total = date.daysSince1970 * 86_400_000_000
        if !scan.isAtEnd {
            guard scan.take("T") || scan.take("t") || scan.take(" "), let time = scan.time() else { return nil }
            total += time
            if !scan.take("Z"), !scan.take("z") {
                guard let offset = scan.offset() else { return nil }
                total -= offset
            }
        }
        guard scan.isAtEnd, Instant.writable.contains(Instant(microseconds: total)) else { return nil }
        microseconds = total
    }
}

package struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let year: Int64, month: Int64, day: Int64

    /// Nil for a day the month has not.
    package init?(year: Int64, month: Int64, day: Int64) {
        guard (-9_999...9_999).contains(year), (1...12).contains(month), day >= 1, day <= CivilDate.days(year, month) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    package init(daysSince1970 days: Int64) {
        let z = days + 719_468
        let era = z.floorDivided(by: 146_097), dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y.floorDivided(by: 400), yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Its midnight in UTC.
    package var instant: Instant { Instant(microseconds: daysSince1970 * 86_400_000_000) }

    /// Months since year 0, January: the unit that kept counts go by.
    package var monthNumber: Int64 { year * 12 + month - 1 }

    /// The first day of a month by its number.
    package static func first(ofMonth number: Int64) -> CivilDate {
        CivilDate(unchecked: number.floorDivided(by: 12), number.modulo(12) + 1, 1)
    }

    /// So many months earlier or later, on the same day or the month's last.
    package func adding(months: Int64) -> CivilDate {
        let first = CivilDate.first(ofMonth: monthNumber + months)
        return CivilDate(unchecked: first.year, first.month, min(day, CivilDate.days(first.year, first.month)))
    }

    package static func < (a: CivilDate, b: CivilDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }
    package var description: String { "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))" }

    private init(unchecked year: Int64, _ month: Int64, _ day: Int64) { (self.year, self.month, self.day) = (year, month, day) }

    private static func days(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

// MARK: -

extension Int64 {
    package func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
    package func modulo(_ divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
    fileprivate func multipliedClamping(by other: Int64) -> Int64 {
        let (product, over) = multipliedReportingOverflow(by: other)
        return over ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

private func pad(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
}

/// Reads the parts of RFC 3339.
private struct Scanner<Text: Collection> where Text.Element == UInt8 {
    private var rest: Text.SubSequence
    init(_ text: Text) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let byte = rest.first, byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int64(byte - 48)
            rest = rest.dropFirst()
        }
        return value
    }

    mutating func date() -> CivilDate? {
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    mutating func time() -> Int64? {
        guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60, take(":"), let second = digits(2), second < 60 else {
            return nil
        }
        var fraction: Int64 = 0
        if take(".") {
            var unit: Int64 = 100_000, seen = false
            while let digit = digits(1) {
                fraction += digit * unit
                unit /= 10
                seen = true
            }
            guard seen else { return nil }
        }
        return (hour * 3_600 + minute * 60 + second) * 1_000_000 + fraction
    }

    mutating func offset() -> Int64? {
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else { return nil }
        return sign * (hour * 3_600 + minute * 60) * 1_000_000
    }
}
