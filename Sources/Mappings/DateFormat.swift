// Dates as Elasticsearch spells them: a list of formats tried in turn to read ("strict_date_optional_time||
// epoch_millis"), of which the first writes. Instants are milliseconds since 1970-01-01T00:00:00Z.

package struct DateFormat: Sendable {
    /// As given: "a||b".
    package let pattern: String

    /// - Throws: illegal_argument_exception for a pattern nobody knows.
    package init(_ pattern: String) throws(MappingError) { self.pattern = pattern }

    /// Elasticsearch's default for `date` fields.
    package static let standard = (try? DateFormat("strict_date_optional_time||epoch_millis")) ?? DateFormat(unchecked: "")

    private init(unchecked pattern: String) { self.pattern = pattern }

    /// - Parameter roundUp: fills what the text leaves open with the last instant instead of the first (`lte: "2024"`).
    /// - Parameter zone: of texts that name none.
    /// - Throws: illegal_argument_exception "failed to parse date field [x] with format [y]".
    package func milliseconds(_ text: String, roundUp: Bool = false, zone: TimeZoneRule = .utc) throws(MappingError) -> Int64 { 0 }

    /// The instant as the first format writes it.
    package func string(_ milliseconds: Int64, zone: TimeZoneRule = .utc) -> String { "" }
}

/// "now-1d/d", "2020-01-01||+1M/d".
package enum DateMath {
    package enum Unit: UInt8, Sendable { case year, quarter, month, week, day, hour, minute, second, millisecond }

    /// - Parameter roundUp: a rounding `/d` goes to the end of the unit (gt, lte) instead of its beginning (gte, lt).
    package static func milliseconds(
        _ text: String, format: DateFormat = .standard, now: Int64, roundUp: Bool = false, zone: TimeZoneRule = .utc
    ) throws(MappingError) -> Int64 { 0 }

    /// The beginning of the unit in which an instant lies: date_histogram's calendar intervals.
    package static func floor(_ milliseconds: Int64, to unit: Unit, zone: TimeZoneRule = .utc) -> Int64 { 0 }

    /// Calendar arithmetic in a zone: months keep the day where they can.
    package static func add(_ count: Int64, _ unit: Unit, to milliseconds: Int64, zone: TimeZoneRule = .utc) -> Int64 { 0 }
}

/// "Z", "UTC", "+01:00", "Europe/Berlin".
package struct TimeZoneRule: Sendable {
    package static let utc = TimeZoneRule()
    private init() {}
    /// - Throws: illegal_argument_exception for a zone nobody knows.
    package init(_ id: String) throws(MappingError) {}
    /// Milliseconds east of Greenwich at an instant.
    package func offset(at milliseconds: Int64) -> Int64 { 0 }
    /// The instant at which clocks show a local time; in a gap, past it; in an overlap, the earlier.
    package func instant(ofLocal milliseconds: Int64) -> Int64 { milliseconds }
}
