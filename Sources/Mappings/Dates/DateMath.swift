// Dates with arithmetic, as Elasticsearch's queries and date_range take them: `now-1d/d`, `2020-01-01||+1M/d`.
// An anchor (`now`, or a date and `||`), then steps: +nU, -nU, /U, with U one of y M w d h H m s.

package enum DateMath {
    package enum Unit: UInt8, Sendable {
        case year, quarter, month, week, day, hour, minute, second, millisecond

        init?(letter: UInt8) {
            switch letter {
            case UInt8(ascii: "y"): self = .year
            case UInt8(ascii: "M"): self = .month
            case UInt8(ascii: "w"): self = .week
            case UInt8(ascii: "d"): self = .day
            case UInt8(ascii: "h"), UInt8(ascii: "H"): self = .hour
            case UInt8(ascii: "m"): self = .minute
            case UInt8(ascii: "s"): self = .second
            default: return nil
            }
        }

        /// Milliseconds of the units that are always as long; nil for calendar units.
        package var fixedLength: Int64? {
            switch self {
            case .hour: 3_600_000
            case .minute: 60_000
            case .second: 1_000
            case .millisecond: 1
            default: nil
            }
        }
    }

    /// - Parameter roundUp: a rounding `/d` goes to the end of the unit (gt, lte) instead of its beginning (gte, lt),
    ///   and a date's open parts are filled with their last.
    /// - Parameter zone: of dates that name none, and of the rounding.
    /// - Throws: parse_exception.
    package static func milliseconds(
        _ text: String, format: DateFormat = .standard, now: Int64, roundUp: Bool = false, zone: TimeZoneRule = .utc
    ) throws(MappingError) -> Int64 {
        let utf8 = Array(text.utf8)
        if text.hasPrefix("now") { return try apply(utf8[3...], to: now, text, roundUp: roundUp, zone: zone) }
        guard let bars = text.firstRange(of: "||") else { return try date(text, format, roundUp: roundUp, zone) }
        let steps = utf8[text.utf8.distance(from: text.utf8.startIndex, to: bars.upperBound)...]
        // With arithmetic, open parts are filled with their first; only a last rounding looks up.
        let anchor = try date(String(text[..<bars.lowerBound]), format, roundUp: false, zone)
        return try apply(steps, to: anchor, text, roundUp: roundUp, zone: zone)
    }

    /// Whether a text depends on the moment it is read.
    package static func usesNow(_ text: String) -> Bool { text.hasPrefix("now") }

    /// The beginning of the unit in which an instant lies, by the zone's clocks: date_histogram's calendar intervals.
    package static func floor(_ milliseconds: Int64, to unit: Unit, zone: TimeZoneRule = .utc) -> Int64 {
        let local = zone.local(milliseconds)
        if let length = unit.fixedLength {
            if zone.fixedOffset != nil || unit == .millisecond { return milliseconds &- floorRemainder(local, length) }
            // The hour that clocks show twice is rounded within itself.
            return milliseconds &- floorRemainder(local, length)
        }
        let day = floorDivide(local, millisecondsPerDay)
        var date = CivilDate(days: day)
        switch unit {
        case .year: (date.month, date.day) = (1, 1)
        case .quarter: (date.month, date.day) = ((date.month - 1) / 3 * 3 + 1, 1)
        case .month: date.day = 1
        case .week: date = CivilDate(days: day &- CivilDate.weekday(days: day) &+ 1)
        default: break
        }
        return zone.instant(ofLocal: date.days &* millisecondsPerDay)
    }

    /// Calendar arithmetic by a zone's clocks: months and years keep the day where they can (31 January + 1 month is the last
    /// of February); days keep the hour. Clamped where 64 bits end.
    package static func add(_ count: Int64, _ unit: Unit, to milliseconds: Int64, zone: TimeZoneRule = .utc) -> Int64 {
        if let length = unit.fixedLength {
            let (product, o1) = count.multipliedReportingOverflow(by: length)
            let (sum, o2) = milliseconds.addingReportingOverflow(product)
            return o1 || o2 ? (count < 0 ? .min : .max) : sum
        }
        let bounded = max(-4_000_000_000, min(4_000_000_000, count))
        let local = zone.local(milliseconds)
        let day = floorDivide(local, millisecondsPerDay), time = floorRemainder(local, millisecondsPerDay)
        var date = CivilDate(days: day)
        switch unit {
        case .week, .day: date = CivilDate(days: day &+ bounded &* (unit == .week ? 7 : 1))
        default:
            let months = date.year &* 12 &+ date.month &- 1 &+ bounded &* (unit == .year ? 12 : unit == .quarter ? 3 : 1)
            date.year = floorDivide(months, 12)
            date.month = floorRemainder(months, 12) &+ 1
            date.day = min(date.day, CivilDate.length(ofMonth: date.month, in: date.year))
        }
        let (dayStart, overflow) = date.days.multipliedReportingOverflow(by: millisecondsPerDay)
        let (sum, o2) = dayStart.addingReportingOverflow(time)
        return overflow || o2 ? (count < 0 ? .min : .max) : zone.instant(ofLocal: sum)
    }

    // MARK: -

    private static func date(_ text: String, _ format: DateFormat, roundUp: Bool, _ zone: TimeZoneRule) throws(MappingError) -> Int64 {
        guard !text.isEmpty else { throw MappingError("parse_exception", "cannot parse empty datetime") }
        do throws(MappingError) {
            return try format.milliseconds(text, roundUp: roundUp, zone: zone)
        } catch {
            throw MappingError("parse_exception", "\(error.reason): [\(error.causedBy ?? "")]", causedBy: error.reason)
        }
    }

    private static func apply(
        _ steps: ArraySlice<UInt8>, to start: Int64, _ whole: String, roundUp: Bool, zone: TimeZoneRule
    ) throws(MappingError) -> Int64 {
        let text = String(decoding: steps, as: UTF8.self)
        func wrong(_ why: String) -> MappingError { MappingError("parse_exception", "\(why) [\(text)]") }
        var time = start
        var rest = steps
        while let operation = rest.popFirst() {
            let isRounding = operation == UInt8(ascii: "/")
            guard isRounding || operation == UInt8(ascii: "+") || operation == UInt8(ascii: "-") else {
                throw wrong("operator not supported for date math")
            }
            guard !rest.isEmpty else { throw wrong("truncated date math") }
            let digits = rest.prefix { $0 &- 0x30 < 10 }
            guard digits.count <= 10 else { throw wrong("the number is too large in date math") }
            rest = rest.dropFirst(digits.count)
            let number = digits.isEmpty ? 1 : digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
            guard let letter = rest.popFirst() else { throw wrong("truncated date math") }
            guard let unit = Unit(letter: letter) else {
                throw wrong("unit [\(Character(Unicode.Scalar(letter)))] not supported for date math")
            }
            if isRounding {
                guard number == 1 else { throw wrong("rounding `/` can only be used on single unit types") }
                time = floor(time, to: unit, zone: zone)
                if roundUp { time = add(1, unit, to: time, zone: zone) &- 1 }
            } else {
                time = add(operation == UInt8(ascii: "-") ? -number : number, unit, to: time, zone: zone)
            }
        }
        return time
    }
}
