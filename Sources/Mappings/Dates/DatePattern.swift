// A pattern of java.time's DateTimeFormatter, compiled: literals, fields and optional parts. Reads texts
// into `DateFields` and writes instants.
//
//     y u   year             M L  month (MMM, MMMM: name)   d  day           D  day of year
//     Y x   week year        w    ISO week                  e c E  weekday   Q q  quarter (written only)
//     H k   hour 0-23, 1-24  h K  hour 1-12, 0-11           m s  minute, second
//     S     fraction         A n N  milli- and nanoseconds  a  AM or PM
//     X x Z VV z  offset or zone     'text' ''     [ ] optional
//
// Letters repeated say the width: one letter, as many digits as there are; more, exactly so many (a year of four letters: at
// least four). A number before other numbers leaves them their digits (yyyyMMdd).

struct DatePattern: Sendable {
    enum Field: UInt8, Sendable {
        case year, weekYear, month, day, dayOfYear, week, weekday, quarter, hour, hour24, hour12, hour0to11, minute, second, nano, milliOfDay, nanoOfDay
    }
    enum Text: UInt8, Sendable { case month, shortMonth, weekday, shortWeekday, amPm, era }

    indirect enum Element: Sendable {
        case literal([UInt8])
        case number(Field, min: Int, max: Int)
        /// Two digits from 2000.
        case shortYear
        /// `point`: reads and writes a leading '.' (or ',' when reading).
        case fraction(min: Int, max: Int, point: Bool)
        case text(Text)
        /// How it is written; any offset or name is read.
        case offset(colon: Bool, zulu: Bool, short: Bool)
        case zoneName
        case optional([Element])
    }

    let elements: [Element]

    init(elements: [Element]) { self.elements = elements }

    /// - Parameter lenient: numbers may have fewer digits than letters.
    init(_ pattern: String, lenient: Bool = false) throws(MappingError) {
        var compiler = PatternCompiler(pattern: pattern, lenient: lenient)
        elements = try compiler.compile()
    }
}

/// What a text said. Nil: nothing.
struct DateFields {
    var year: Int64?, weekYear: Int64?, month: Int64?, day: Int64?, dayOfYear: Int64?, week: Int64?, weekday: Int64?, quarter: Int64?
    var hour: Int64?, hour12: Int64?, minute: Int64?, second: Int64?, nano: Int64?, isPM: Bool?, nanoOfDay: Int64?
    var zone: TimeZoneRule?

    mutating func set(_ field: DatePattern.Field, _ value: Int64) {
        switch field {
        case .year: year = value
        case .weekYear: weekYear = value
        case .month: month = value
        case .day: day = value
        case .dayOfYear: dayOfYear = value
        case .week: week = value
        case .weekday: weekday = value
        case .quarter: quarter = value
        case .hour: hour = value
        case .hour24: hour = value == 24 ? 0 : value == 0 ? 99 : value
        case .hour12: hour12 = value == 12 ? 0 : value == 0 ? 99 : value
        case .hour0to11: hour12 = value
        case .minute: minute = value
        case .second: second = value
        case .nano: nano = value
        case .milliOfDay: nanoOfDay = value < 86_400_000 ? value &* 1_000_000 : -1
        case .nanoOfDay: nanoOfDay = value
        }
    }

    /// The instant in (days, nanoseconds of the day) of local time; nil when a field is out of range.
    func resolve(roundUp: Bool) -> (days: Int64, nanos: Int64)? {
        guard let days = resolveDays(roundUp: roundUp), let nanos = resolveTime(roundUp: roundUp) else { return nil }
        return (days, nanos)
    }

    private func resolveDays(roundUp: Bool) -> Int64? {
        if let weekYear {
            let week = self.week ?? 1, weekday = self.weekday ?? 1
            guard weekYear.magnitude <= 999_999_999, (1...53).contains(week), (1...7).contains(weekday) else { return nil }
            return CivilDate.monday(ofWeek: week, in: weekYear) &+ weekday &- 1
        }
        let year = self.year ?? 1970
        guard year.magnitude <= 999_999_999 else { return nil }
        if let dayOfYear {
            guard dayOfYear >= 1, dayOfYear <= (CivilDate.isLeap(year) ? 366 : 365) else { return nil }
            return CivilDate(year: year, month: 1, day: 1).days &+ dayOfYear &- 1
        }
        // A text of time only stands for a time on the first day, whatever the rounding.
        let wholeDay = roundUp && self.year != nil
        let month = self.month ?? (wholeDay ? 12 : 1)
        guard (1...12).contains(month) else { return nil }
        let length = CivilDate.length(ofMonth: month, in: year)
        let day = self.day ?? (wholeDay ? length : 1)
        guard day >= 1, day <= length else { return nil }
        return CivilDate(year: year, month: month, day: day).days
    }

    private func resolveTime(roundUp: Bool) -> Int64? {
        if let nanoOfDay { return nanoOfDay >= 0 && nanoOfDay < 86_400_000_000_000 ? nanoOfDay : nil }
        var hour = self.hour
        if let hour12 {
            guard hour12 <= 11 else { return nil }
            hour = hour12 + (isPM == true ? 12 : 0)
        }
        let h = hour ?? (roundUp ? 23 : 0), m = minute ?? (roundUp ? 59 : 0), s = second ?? (roundUp ? 59 : 0)
        guard (0...23).contains(h), (0...59).contains(m), (0...59).contains(s) else { return nil }
        return ((h * 60 + m) * 60 + s) * 1_000_000_000 + (nano ?? (roundUp ? 999_999_999 : 0))
    }
}

// MARK: - Compiling

private struct PatternCompiler {
    let pattern: String
    let letters: [UInt8]
    let lenient: Bool
    var i = 0

    init(pattern: String, lenient: Bool) {
        (self.pattern, self.lenient) = (pattern, lenient)
        letters = Array(pattern.utf8)
    }

    mutating func compile() throws(MappingError) -> [DatePattern.Element] {
        guard !letters.isEmpty, letters.count <= 200 else { throw wrong("it is empty or longer than 200 characters") }
        let elements = try sequence(depth: 0)
        guard i == letters.count else { throw wrong("Pattern invalid as it contains ] without previous [") }
        return elements
    }

    private func wrong(_ why: String) -> MappingError {
        MappingError("illegal_argument_exception", "Invalid format: [\(pattern)]: \(why)")
    }

    private mutating func sequence(depth: Int) throws(MappingError) -> [DatePattern.Element] {
        var elements: [DatePattern.Element] = []
        var text: [UInt8] = []
        func flush() { if !text.isEmpty { elements.append(.literal(text)); text = [] } }
        while i < letters.count, letters[i] != UInt8(ascii: "]") {
            let c = letters[i]
            switch c {
            case UInt8(ascii: "'"): try quoted(into: &text)
            case UInt8(ascii: "["):
                flush()
                guard depth < 16 else { throw wrong("optional parts nest too deep") }
                i += 1
                elements.append(.optional(try sequence(depth: depth + 1)))
                if i < letters.count { i += 1 }
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                flush()
                let start = i
                while i < letters.count, letters[i] == c { i += 1 }
                elements.append(try element(c, i - start))
            case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "#"): throw wrong("Pattern includes reserved character: '\(Character(Unicode.Scalar(c)))'")
            default:
                text.append(c)
                i += 1
            }
        }
        flush()
        return elements
    }

    private mutating func quoted(into text: inout [UInt8]) throws(MappingError) {
        i += 1
        if i < letters.count, letters[i] == UInt8(ascii: "'") {
            text.append(letters[i])
            i += 1
            return
        }
        while i < letters.count {
            let c = letters[i]
            i += 1
            if c == UInt8(ascii: "'") {
                guard i < letters.count, letters[i] == UInt8(ascii: "'") else { return }
                i += 1
            }
            text.append(c)
        }
        throw wrong("Pattern ends with an incomplete string literal")
    }

    private func element(_ c: UInt8, _ count: Int) throws(MappingError) -> DatePattern.Element {
        func number(_ field: DatePattern.Field, upTo most: Int = 2) throws(MappingError) -> DatePattern.Element {
            guard count <= most else { throw wrong("Too many pattern letters: \(Character(Unicode.Scalar(c)))") }
            return .number(field, min: lenient ? 1 : count, max: count == 1 ? 19 : count)
        }
        switch c {
        case UInt8(ascii: "y"), UInt8(ascii: "u"): return year(.year, count)
        case UInt8(ascii: "Y"): return year(.weekYear, count)
        case UInt8(ascii: "M"), UInt8(ascii: "L"): return count >= 4 ? .text(.month) : count == 3 ? .text(.shortMonth) : try number(.month)
        case UInt8(ascii: "d"): return try number(.day)
        case UInt8(ascii: "D"): return try number(.dayOfYear, upTo: 3)
        case UInt8(ascii: "w"): return try number(.week)
        case UInt8(ascii: "E"): return .text(count >= 4 ? .weekday : .shortWeekday)
        case UInt8(ascii: "e"), UInt8(ascii: "c"): return count >= 4 ? .text(.weekday) : count == 3 ? .text(.shortWeekday) : try number(.weekday)
        case UInt8(ascii: "Q"), UInt8(ascii: "q"): return try number(.quarter)
        case UInt8(ascii: "H"): return try number(.hour)
        case UInt8(ascii: "k"): return try number(.hour24)
        case UInt8(ascii: "h"): return try number(.hour12)
        case UInt8(ascii: "K"): return try number(.hour0to11)
        case UInt8(ascii: "m"): return try number(.minute)
        case UInt8(ascii: "s"): return try number(.second)
        case UInt8(ascii: "S"):
            guard count <= 9 else { throw wrong("Too many pattern letters: S") }
            return .fraction(min: count, max: count, point: false)
        case UInt8(ascii: "n"): return .number(.nano, min: count, max: 9)
        case UInt8(ascii: "A"): return .number(.milliOfDay, min: count, max: 19)
        case UInt8(ascii: "N"): return .number(.nanoOfDay, min: count, max: 19)
        case UInt8(ascii: "a"): return .text(.amPm)
        case UInt8(ascii: "G"): return .text(.era)
        case UInt8(ascii: "X"), UInt8(ascii: "x"):
            guard count <= 5 else { throw wrong("Too many pattern letters: X") }
            return .offset(colon: count == 3 || count == 5, zulu: c == UInt8(ascii: "X"), short: count == 1)
        case UInt8(ascii: "Z"):
            guard count <= 5 else { throw wrong("Too many pattern letters: Z") }
            return .offset(colon: count == 5, zulu: count == 5, short: false)
        case UInt8(ascii: "V"):
            guard count == 2 else { throw wrong("Pattern letter count must be 2: V") }
            return .zoneName
        case UInt8(ascii: "z"), UInt8(ascii: "v"), UInt8(ascii: "O"): return .zoneName
        default: throw wrong("Unknown pattern letter: \(Character(Unicode.Scalar(c)))")
        }
    }

    private func year(_ field: DatePattern.Field, _ count: Int) -> DatePattern.Element {
        if count == 2, field == .year { return .shortYear }
        return .number(field, min: lenient ? 1 : count, max: count == 4 || count == 1 ? 9 : count)
    }
}
