// Dates as Elasticsearch spells them: a list of formats tried in turn to read ("strict_date_optional_time||
// epoch_millis"), of which the first writes. Instants are milliseconds since 1970-01-01T00:00:00Z.
//
// The common ISO forms (2024-05-01, 2024-05-01T10:00:00Z, with milliseconds or an offset) are read by position, without
// running a pattern: 20 times as fast, and the same answers.

package struct DateFormat: Sendable {
    /// As given: "a||b".
    package let pattern: String
    private let readers: [Reader]
    private let writer: Reader
    /// The first reader takes ISO dates, so that the fast path answers as it would.
    private let startsISO: Bool

    enum Reader: Sendable {
        case pattern(DatePattern)
        case epochMillis, epochSecond
    }

    /// - Throws: illegal_argument_exception for a pattern nobody knows.
    package init(_ pattern: String) throws(MappingError) {
        self.pattern = pattern
        var readers: [Reader] = [], writer: Reader?
        var startsISO = false
        var rest = pattern[...]
        while true {
            let bar = rest.firstRange(of: "||")
            let name = String(rest[..<(bar?.lowerBound ?? rest.endIndex)])
            let format = try NamedDateFormats.format(name)
            if readers.isEmpty { startsISO = format.isISO }
            readers.append(format.reader)
            writer = writer ?? format.writer
            guard let bar else { break }
            rest = rest[bar.upperBound...]
        }
        (self.readers, self.writer, self.startsISO) = (readers, writer ?? .epochMillis, startsISO)
    }

    private init(reader: DatePattern, writer: DatePattern) {
        pattern = "strict_date_optional_time||epoch_millis"
        (readers, self.writer, startsISO) = ([.pattern(reader), .epochMillis], .pattern(writer), true)
    }

    /// Elasticsearch's default for `date` fields.
    package static let standard = DateFormat(reader: NamedDateFormats.optionalTime(strict: true), writer: NamedDateFormats.optionalTimeWriter)

    /// Reads a text.
    ///
    /// - Parameter roundUp: fills what the text leaves open with the last instant instead of the first (`lte: "2024"`).
    /// - Parameter zone: of texts that name none.
    /// - Throws: illegal_argument_exception "failed to parse date field [x] with format [y]".
    package func milliseconds(_ text: String, roundUp: Bool = false, zone: TimeZoneRule = .utc) throws(MappingError) -> Int64 {
        let utf8 = Array(text.utf8)
        return try milliseconds(utf8.span, roundUp: roundUp, zone: zone)
    }

    package func milliseconds(_ text: Span<UInt8>, roundUp: Bool = false, zone: TimeZoneRule = .utc) throws(MappingError) -> Int64 {
        if startsISO, let fast = ISODate.read(text), let local = fast.local(roundUp: roundUp) {
            return fast.offset.map { local &- $0 } ?? zone.instant(ofLocal: local)
        }
        guard let (seconds, nanos) = instant(text, roundUp: roundUp, zone: zone) else { throw failure(text) }
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { throw failure(text) }
        return scaled &+ nanos / 1_000_000
    }

    /// For date_nanos: from 1970 to 2262.
    package func nanoseconds(_ text: Span<UInt8>, roundUp: Bool = false, zone: TimeZoneRule = .utc) throws(MappingError) -> Int64 {
        guard let (seconds, nanos) = instant(text, roundUp: roundUp, zone: zone) else { throw failure(text) }
        let (scaled, o1) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, o2) = scaled.addingReportingOverflow(nanos)
        guard !o1, !o2, sum >= 0 else {
            throw MappingError(
                "illegal_argument_exception",
                "date[\(String(copyingBytes: text))] is outside of 1970-01-01 to 2262-04-11 and cannot be stored in nanosecond resolution")
        }
        return sum
    }

    /// The instant as the first format writes it.
    package func string(_ milliseconds: Int64, zone: TimeZoneRule = .utc) -> String {
        var bytes: [UInt8] = []
        append(milliseconds, zone: zone, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package func append(_ milliseconds: Int64, zone: TimeZoneRule = .utc, to bytes: inout [UInt8]) {
        write(milliseconds, nanos: 0, zone, &bytes)
    }

    package func string(nanoseconds: Int64, zone: TimeZoneRule = .utc) -> String {
        var bytes: [UInt8] = []
        write(floorDivide(nanoseconds, 1_000_000), nanos: floorRemainder(nanoseconds, 1_000_000), zone, &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: -

    private func write(_ milliseconds: Int64, nanos: Int64, _ zone: TimeZoneRule, _ bytes: inout [UInt8]) {
        switch writer {
        case .pattern(let pattern): pattern.append(milliseconds, nanos: nanos, zone: zone, to: &bytes)
        case .epochMillis: bytes.append(contentsOf: String(milliseconds).utf8)
        case .epochSecond:
            bytes.append(contentsOf: String(floorDivide(milliseconds, 1_000)).utf8)
            let rest = floorRemainder(milliseconds, 1_000)
            if rest != 0 {
                var fraction = String(rest + 1_000).dropFirst()
                while fraction.last == "0" { fraction = fraction.dropLast() }
                bytes.append(contentsOf: ".\(fraction)".utf8)
            }
        }
    }

    private func instant(_ text: Span<UInt8>, roundUp: Bool, zone: TimeZoneRule) -> (seconds: Int64, nanos: Int64)? {
        for reader in readers {
            switch reader {
            case .epochMillis:
                if let found = EpochText.read(text, digitsOfFraction: 6, unit: 1_000, roundUp: roundUp) { return found }
            case .epochSecond:
                if let found = EpochText.read(text, digitsOfFraction: 9, unit: 1, roundUp: roundUp) { return found }
            case .pattern(let pattern):
                guard let fields = pattern.fields(text), let (days, nanoOfDay) = fields.resolve(roundUp: roundUp) else { continue }
                // 64 bits of milliseconds reach 292 million years; beyond, the text is no date.
                guard days.magnitude <= 106_000_000_000 else { continue }
                let localMillis = days &* millisecondsPerDay &+ nanoOfDay / 1_000_000
                let millis = (fields.zone ?? zone).instant(ofLocal: localMillis)
                return (floorDivide(millis, 1_000), floorRemainder(millis, 1_000) &* 1_000_000 &+ nanoOfDay % 1_000_000)
            }
        }
        return nil
    }

    private func failure(_ text: Span<UInt8>) -> MappingError {
        MappingError(
            "illegal_argument_exception", "failed to parse date field [\(String(copyingBytes: text))] with format [\(pattern)]",
            causedBy: "Failed to parse with all enclosed parsers")
    }
}

extension String {
    init(copyingBytes text: Span<UInt8>) {
        var bytes: [UInt8] = []
        for i in 0..<text.count { bytes.append(text[i]) }
        self.init(decoding: bytes, as: UTF8.self)
    }
}

// MARK: - Reading numbers since the epoch

private enum EpochText {
    /// [-]digits[.digits] in units of 1 / `unit` seconds.
    static func read(_ text: Span<UInt8>, digitsOfFraction: Int, unit: Int64, roundUp: Bool) -> (seconds: Int64, nanos: Int64)? {
        var i = 0
        var negative = false
        if i < text.count, text[i] == UInt8(ascii: "-") { (negative, i) = (true, 1) }
        let start = i
        var value: Int64 = 0
        while i < text.count, text[i] &- 0x30 < 10 {
            let (tens, o1) = value.multipliedReportingOverflow(by: 10)
            let (sum, o2) = tens.addingReportingOverflow(Int64(text[i] &- 0x30))
            if o1 || o2 { return nil }
            value = sum
            i += 1
        }
        guard i > start else { return nil }
        let nanosPerUnit = 1_000_000_000 / unit
        var fraction: Int64 = roundUp ? nanosPerUnit - 1 : 0
        if i < text.count {
            guard text[i] == UInt8(ascii: ".") else { return nil }
            i += 1
            let first = i
            fraction = 0
            while i < text.count, text[i] &- 0x30 < 10, i - first < digitsOfFraction {
                fraction = fraction * 10 + Int64(text[i] &- 0x30)
                i += 1
            }
            guard i == text.count, i > first else { return nil }
            for _ in (i - first)..<digitsOfFraction { fraction *= 10 }
        }
        // Rounding up a negative text goes towards zero too: the last instant it stands for.
        if negative {
            let whole = floorDivide(-value, unit), rest = floorRemainder(-value, unit)
            let nanos = rest * nanosPerUnit + (roundUp ? fraction : -fraction)
            return (whole &+ floorDivide(nanos, 1_000_000_000), floorRemainder(nanos, 1_000_000_000))
        }
        return (value / unit, value % unit * nanosPerUnit + fraction)
    }
}
