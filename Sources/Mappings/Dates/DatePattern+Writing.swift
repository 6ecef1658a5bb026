// Writes an instant as a pattern lays it out.

extension DatePattern {
    /// - Parameter nanos: within the millisecond, 0..<1,000,000.
    func append(_ milliseconds: Int64, nanos: Int64 = 0, zone: TimeZoneRule, to bytes: inout [UInt8]) {
        let offset = zone.offset(at: milliseconds)
        let local = milliseconds &+ offset
        let days = floorDivide(local, millisecondsPerDay)
        let moment = Moment(
            date: CivilDate(days: days), days: days, nanoOfDay: floorRemainder(local, millisecondsPerDay) &* 1_000_000 &+ nanos,
            offset: offset, zone: zone)
        append(elements, moment, &bytes)
    }

    private struct Moment {
        let date: CivilDate
        let days: Int64
        let nanoOfDay: Int64
        let offset: Int64
        let zone: TimeZoneRule
        var secondOfDay: Int64 { nanoOfDay / 1_000_000_000 }
        var nano: Int64 { nanoOfDay % 1_000_000_000 }
    }

    private func append(_ elements: [Element], _ moment: Moment, _ bytes: inout [UInt8]) {
        for element in elements {
            switch element {
            case .literal(let text): bytes.append(contentsOf: text)
            case .number(let field, let min, let max):
                // One letter for the year says nothing of its width; four let it grow.
                Self.append(Self.value(field, moment), min: Swift.min(min, max), signed: min >= 4, &bytes)
            case .shortYear: Self.append(floorRemainder(moment.date.year, 100), min: 2, signed: false, &bytes)
            case .fraction(let min, let max, let point): Self.fraction(moment.nano, min, max, point, &bytes)
            case .text(let kind): bytes.append(contentsOf: Self.text(kind, moment).utf8)
            case .offset(let colon, let zulu, let short):
                bytes.append(contentsOf: TimeZoneRule.name(moment.offset, colon: colon, zulu: zulu, short: short).utf8)
            case .zoneName: bytes.append(contentsOf: moment.zone.id.utf8)
            case .optional(let inner): append(inner, moment, &bytes)
            }
        }
    }

    private static func value(_ field: Field, _ m: Moment) -> Int64 {
        let hour = m.secondOfDay / 3_600
        switch field {
        case .year: return m.date.year
        case .weekYear: return CivilDate.isoWeek(days: m.days).year
        case .month: return m.date.month
        case .day: return m.date.day
        case .dayOfYear: return m.date.dayOfYear
        case .week: return CivilDate.isoWeek(days: m.days).week
        case .weekday: return CivilDate.weekday(days: m.days)
        case .quarter: return (m.date.month - 1) / 3 + 1
        case .hour: return hour
        case .hour24: return hour == 0 ? 24 : hour
        case .hour12: return hour % 12 == 0 ? 12 : hour % 12
        case .hour0to11: return hour % 12
        case .minute: return m.secondOfDay / 60 % 60
        case .second: return m.secondOfDay % 60
        case .nano: return m.nano
        case .milliOfDay: return m.nanoOfDay / 1_000_000
        case .nanoOfDay: return m.nanoOfDay
        }
    }

    private static func append(_ value: Int64, min: Int, signed: Bool, _ bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let digits = Array(String(value.magnitude).utf8)
        if signed, value > 0, digits.count > min { bytes.append(UInt8(ascii: "+")) }
        bytes.append(contentsOf: repeatElement(0x30, count: max(0, min - digits.count)))
        bytes.append(contentsOf: digits)
    }

    private static func fraction(_ nano: Int64, _ min: Int, _ max: Int, _ point: Bool, _ bytes: inout [UInt8]) {
        var digits = [UInt8](repeating: 0x30, count: 9)
        var rest = nano
        for k in stride(from: 8, through: 0, by: -1) {
            digits[k] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        var count = Swift.min(max, 9)
        while count > min, digits[count - 1] == 0x30 { count -= 1 }
        if count > 0, point { bytes.append(UInt8(ascii: ".")) }
        bytes.append(contentsOf: digits[..<count])
    }

    private static func text(_ kind: Text, _ m: Moment) -> String {
        let month = months[Int(m.date.month) - 1], weekday = weekdays[Int(CivilDate.weekday(days: m.days)) - 1]
        switch kind {
        case .month: return month
        case .shortMonth: return String(month.prefix(3))
        case .weekday: return weekday
        case .shortWeekday: return String(weekday.prefix(3))
        case .amPm: return m.secondOfDay < 43_200 ? "AM" : "PM"
        case .era: return m.date.year > 0 ? "AD" : "BC"
        }
    }
}
