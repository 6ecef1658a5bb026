// Days to civil dates and back (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013), for the years 1970 to 9999.

enum Calendar {
    /// Days from 1970-01-01 to the first day of the year 10000.
    static let daysMax: Int64 = 2_932_897

    static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468, era = z / 146_097, dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100), shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year, era = y / 400, yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// The month an order was placed in, UTC: a folder of the table.
package struct Partition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let year: Int32, month: Int32

    package init?(year: Int, month: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), let y = Int32(exactly: year), let m = Int32(exactly: month) else { return nil }
        (self.year, self.month) = (y, m)
    }

    /// - Parameter placedAt: microseconds since 1970.
    package init?(placedAt: Int64) {
        guard placedAt >= 0, placedAt / 86_400_000_000 < Calendar.daysMax else { return nil }
        let date = Calendar.date(placedAt / 86_400_000_000)
        self.init(year: Int(date.year), month: Int(date.month))
    }

    /// From "year=2026/month=3".
    package init?(path: some StringProtocol) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("year="), parts[1].hasPrefix("month="), let year = Int(parts[0].dropFirst(5)), let month = Int(parts[1].dropFirst(6)) else { return nil }
        self.init(year: year, month: month)
        guard self.path == path else { return nil }
    }

    /// Without leading zeros, so that the folder's text is the column's.
    package var path: String { "year=\(year)/month=\(month)" }
    package var description: String { path }
    package static func < (a: Partition, b: Partition) -> Bool { (a.year, a.month) < (b.year, b.month) }
}
