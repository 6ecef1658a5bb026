// Local time of America/Sao_Paulo to UTC, for the years a shop's history can come from: three hours behind, two in summer.
//
// Summer time, by the decrees 6.558/2008, 8.112/2013 and 9.242/2017 as the time zone database has them: from the third Sunday of October (from 2018 the
// first of November) at midnight to the third Sunday of February at midnight, a week later where that is carnival's; none since 2019.
//
// When clocks go back at midnight, 23:00 to 23:59 comes twice: the first is meant. When they go forward, 00:00 to 00:59 does not exist: it is read as
// if they had not.

import Orders

package enum SaoPauloTime {
    /// 2008 to 2030; nil outside.
    package static func instant(local date: CivilDate, secondOfDay: Int64) -> Instant? {
        guard (2008...2030).contains(date.year) else { return nil }
        let local = date.daysSince1970 * 86_400 + secondOfDay
        return Instant(seconds: local + (isSummer(local, date.year) ? 2 : 3) * 3_600)
    }

    /// From "YYYY-MM-DD hh:mm:ss"; nil for anything else.
    package static func instant(_ text: some StringProtocol) -> Instant? {
        guard text.utf8.count == 19, let utc = Instant(text: "\(text)Z") else { return nil }
        let second = utc.microseconds / 1_000_000
        return instant(local: utc.date, secondOfDay: second.modulo(86_400))
    }

    // MARK: -

    /// `local` in seconds as if it were UTC.
    private static func isSummer(_ local: Int64, _ year: Int64) -> Bool {
        // It ends when the summer clock says 24:00 of the Saturday before: up to then, also the first of the hours that come twice, it is summer.
        if let end = end(year), local < end { return true }
        // It begins when the winter clock says 0:00; the hour that is skipped is read by the winter clock.
        if let start = start(year), local >= start + 3_600 { return true }
        return false
    }

    private static func start(_ year: Int64) -> Int64? {
        switch year {
        case 2008...2017: sunday(3, 10, year)
        case 2018: sunday(1, 11, year)
        default: nil
        }
    }

    private static func end(_ year: Int64) -> Int64? {
        switch year {
        case 2012, 2015: sunday(4, 2, year)
        case 2008...2019: sunday(3, 2, year)
        default: nil
        }
    }

    /// Midnight at the beginning of the n-th Sunday of a month.
    private static func sunday(_ n: Int64, _ month: Int64, _ year: Int64) -> Int64? {
        guard let first = CivilDate(year: year, month: month, day: 1) else { return nil }
        // 1970-01-01 was a Thursday: day 3 was the first Sunday.
        let toSunday = (3 - first.daysSince1970).modulo(7)
        return (first.daysSince1970 + toSunday + 7 * (n - 1)) * 86_400
    }
}
