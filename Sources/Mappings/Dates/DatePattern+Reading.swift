// Matches a text against a pattern: one pass, optional parts are tried and left when they do not fit.

extension DatePattern {
    /// Nil when the whole text does not match.
    func fields(_ text: Span<UInt8>) -> DateFields? {
        var fields = DateFields()
        guard let end = match(elements, text, 0, &fields, reserved: 0), end == text.count else { return nil }
        return fields
    }

    private func match(_ elements: [Element], _ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields, reserved: Int) -> Int? {
        var i = start
        for (k, element) in elements.enumerated() {
            if case .optional(let inner) = element {
                var attempt = fields
                if let end = match(inner, text, i, &attempt, reserved: 0) { (fields, i) = (attempt, end) }
                continue
            }
            guard let end = match(element, text, i, &fields, digitsAfter: Self.fixedDigits(elements[(k + 1)...])) else { return nil }
            i = end
        }
        return i
    }

    /// Digits that numbers right after a number need.
    private static func fixedDigits(_ elements: ArraySlice<Element>) -> Int {
        var sum = 0
        for element in elements {
            switch element {
            case .number(_, let min, let max) where min == max: sum += min
            case .fraction(let min, let max, false) where min == max: sum += min
            case .shortYear: sum += 2
            default: return sum
            }
        }
        return sum
    }

    private func match(_ element: Element, _ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields, digitsAfter: Int) -> Int? {
        switch element {
        case .literal(let bytes):
            guard start + bytes.count <= text.count else { return nil }
            for k in bytes.indices where text[start + k] != bytes[k] { return nil }
            return start + bytes.count
        case .number(let field, let min, let max):
            return number(text, start, &fields, field, min, max, digitsAfter)
        case .shortYear:
            guard let (value, end) = Self.digits(text, start, 2, 2) else { return nil }
            fields.year = 2000 + value
            return end
        case .fraction(let min, let max, let point):
            return Self.fraction(text, start, &fields, min, max, point)
        case .text(let kind): return Self.name(text, start, &fields, kind)
        case .offset, .zoneName: return Self.zone(text, start, &fields)
        case .optional: return start
        }
    }

    private func number(
        _ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields, _ field: Field, _ min: Int, _ max: Int, _ digitsAfter: Int
    ) -> Int? {
        var i = start, sign: Int64 = 1
        var most = max
        if field == .year || field == .weekYear, i < text.count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") {
            sign = text[i] == UInt8(ascii: "-") ? -1 : 1
            i += 1
        } else if field == .year || field == .weekYear, min == 4 {
            // Years past four digits carry a sign.
            most = 4
        }
        if most > min, digitsAfter > 0 {
            var run = i
            while run < text.count, text[run] &- 0x30 < 10 { run += 1 }
            most = Swift.max(min, Swift.min(most, run - i - digitsAfter))
        }
        guard let (value, end) = Self.digits(text, i, min, most) else { return nil }
        fields.set(field, sign * value)
        return end
    }

    private static func digits(_ text: Span<UInt8>, _ start: Int, _ min: Int, _ max: Int) -> (Int64, Int)? {
        var i = start
        var value: Int64 = 0
        while i < text.count, i - start < max, text[i] &- 0x30 < 10 {
            let (tens, o1) = value.multipliedReportingOverflow(by: 10)
            let (sum, o2) = tens.addingReportingOverflow(Int64(text[i] &- 0x30))
            if o1 || o2 { return nil }
            value = sum
            i += 1
        }
        return i - start >= min && i > start ? (value, i) : nil
    }

    private static func fraction(_ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields, _ min: Int, _ max: Int, _ point: Bool) -> Int? {
        var i = start
        if point {
            guard i < text.count, text[i] == UInt8(ascii: ".") || text[i] == UInt8(ascii: ",") else { return nil }
            i += 1
        }
        guard let (value, end) = digits(text, i, min, max) else { return nil }
        var nanos = value
        for _ in (end - i)..<9 { nanos *= 10 }
        fields.nano = nanos
        return end
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    private static func name(_ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields, _ kind: Text) -> Int? {
        let names: [String]
        switch kind {
        case .month: names = months
        case .shortMonth: names = months.map { String($0.prefix(3)) }
        case .weekday: names = weekdays
        case .shortWeekday: names = weekdays.map { String($0.prefix(3)) }
        case .amPm: names = ["AM", "PM"]
        case .era: names = ["AD", "BC"]
        }
        for (k, name) in names.enumerated() {
            let utf8 = Array(name.utf8)
            guard start + utf8.count <= text.count, utf8.indices.allSatisfy({ text[start + $0] | 0x20 == utf8[$0] | 0x20 }) else { continue }
            switch kind {
            case .month, .shortMonth: fields.month = Int64(k + 1)
            case .weekday, .shortWeekday: break
            case .amPm: fields.isPM = k == 1
            case .era: if k == 1 { return nil }
            }
            return start + utf8.count
        }
        return nil
    }

    private static func zone(_ text: Span<UInt8>, _ start: Int, _ fields: inout DateFields) -> Int? {
        guard start < text.count else { return nil }
        let c = text[start]
        var end = start + 1
        if c == UInt8(ascii: "Z") && (end == text.count || !isZoneByte(text[end])) {
            fields.zone = .utc
            return end
        }
        if c == UInt8(ascii: "+") || c == UInt8(ascii: "-") {
            while end < text.count, text[end] &- 0x30 < 10 || text[end] == UInt8(ascii: ":") { end += 1 }
        } else {
            while end < text.count, isZoneByte(text[end]) { end += 1 }
        }
        guard end - start < 64 else { return nil }
        var id: [UInt8] = []
        for k in start..<end { id.append(text[k]) }
        guard let zone = try? TimeZoneRule(String(decoding: id, as: UTF8.self)) else { return nil }
        fields.zone = zone
        return end
    }

    private static func isZoneByte(_ c: UInt8) -> Bool {
        (c | 0x20 >= 0x61 && c | 0x20 <= 0x7A) || c &- 0x30 < 10 || [0x2F, 0x5F, 0x2B, 0x2D, 0x3A].contains(c)
    }
}
