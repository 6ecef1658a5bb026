// The proleptic Gregorian calendar as arithmetic: days since 1970-01-01 to year, month, day and back.
// After Howard Hinnant, "chrono-compatible low-level date algorithms" (2013): eras of 400 years, years from March.

struct CivilDate: Equatable {
    var year: Int64
    /// 1...12
    var month: Int64
    /// 1...31
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) { (self.year, self.month, self.day) = (year, month, day) }

    init(days: Int64) {
        let z = days &+ 719_468
        let era = floorDivide(z, 146_097)
        let dayOfEra = z &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let m = (5 &* dayOfYear &+ 2) / 153
        day = dayOfYear &- (153 &* m &+ 2) / 5 &+ 1
        month = m < 10 ? m &+ 3 : m &- 9
        year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    }

    /// Since 1970-01-01.
    var days: Int64 {
        let y = month <= 2 ? year &- 1 : year
        let era = floorDivide(y, 400)
        let yearOfEra = y &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func length(ofMonth month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Monday is 1, Sunday 7.
    static func weekday(days: Int64) -> Int64 { floorRemainder(days &+ 3, 7) &+ 1 }

    /// From 1.
    var dayOfYear: Int64 { days &- CivilDate(year: year, month: 1, day: 1).days &+ 1 }

    /// ISO 8601: week 1 has the year's first Thursday.
    static func isoWeek(days: Int64) -> (year: Int64, week: Int64) {
        let thursday = CivilDate(days: days &- weekday(days: days) &+ 4)
        return (thursday.year, (thursday.dayOfYear &- 1) / 7 &+ 1)
    }

    /// The Monday of an ISO week.
    static func monday(ofWeek week: Int64, in year: Int64) -> Int64 {
        let fourth = CivilDate(year: year, month: 1, day: 4).days
        return fourth &- weekday(days: fourth) &+ 1 &+ (week &- 1) &* 7
    }
}

let millisecondsPerDay: Int64 = 86_400_000

@inline(__always) func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let q = a / b
    return a % b < 0 ? q &- 1 : q
}

@inline(__always) func floorRemainder(_ a: Int64, _ b: Int64) -> Int64 {
    let r = a % b
    return r < 0 ? r &+ b : r
}
