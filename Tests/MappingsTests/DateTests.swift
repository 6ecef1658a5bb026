// Dates read and written, date arithmetic, time zones: examples with answers from java.time and ISO 8601, and
// properties against plain arithmetic.

import IsothermTesting
import Mappings
import Testing

@Suite("Dates")
struct DateTests {
    @Test("reads what the format allows", arguments: [
        ("strict_date_optional_time||epoch_millis", "2024-05-01", 1_714_521_600_000),
        ("strict_date_optional_time||epoch_millis", "2024", 1_704_067_200_000),
        ("strict_date_optional_time||epoch_millis", "2024-02", 1_706_745_600_000),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T", 1_714_521_600_000),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10", 1_714_557_600_000),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10:30Z", 1_714_559_400_000),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10:30:15.5+02:00", 1_714_552_215_500),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10:30:15.123456789", 1_714_559_415_123),
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10:30:15,123", 1_714_559_415_123),
        ("strict_date_optional_time||epoch_millis", "1714521600123", 1_714_521_600_123),
        ("strict_date_optional_time||epoch_millis", "-1", -1),
        ("strict_date_optional_time", "1969-12-31T23:59:59.999Z", -1),
        ("strict_date_optional_time", "-0001-01-01", -62_198_755_200_000),
        ("strict_date_optional_time", "+12024-05-01", 317_284_041_600_000),
        ("date_optional_time", "2024-5-1", 1_714_521_600_000),
        ("epoch_second", "1714521600", 1_714_521_600_000),
        ("epoch_second", "1714521600.25", 1_714_521_600_250),
        ("basic_date", "20240501", 1_714_521_600_000),
        ("basic_date_time", "20240501T103015.500Z", 1_714_559_415_500),
        ("basic_date_time_no_millis", "20240501T103015+0200", 1_714_552_215_000),
        ("date", "2024-05-01", 1_714_521_600_000),
        ("date_hour_minute_second", "2024-05-01T10:30:15", 1_714_559_415_000),
        ("date_time", "2024-05-01T10:30:15.250Z", 1_714_559_415_250),
        ("strict_date_time_no_millis", "2024-05-01T10:30:15-05:30", 1_714_579_215_000),
        ("ordinal_date", "2024-122", 1_714_521_600_000),
        ("week_date", "2024-W18-3", 1_714_521_600_000),
        ("basic_week_date", "2024W183", 1_714_521_600_000),
        ("year_month", "2024-05", 1_714_521_600_000),
        ("yyyy-MM-dd", "2024-05-01", 1_714_521_600_000),
        ("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis", "2024/05/01 10:30:15", 1_714_559_415_000),
        ("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis", "2024/05/01", 1_714_521_600_000),
        ("dd.MM.uuuu", "01.05.2024", 1_714_521_600_000),
        ("d/M/yy", "1/5/24", 1_714_521_600_000),
        ("yyyy-MM-dd['T'HH:mm[:ss]]", "2024-05-01T10:30", 1_714_559_400_000),
        ("yyyy-MM-dd['T'HH:mm[:ss]]", "2024-05-01", 1_714_521_600_000),
        ("EEE, dd MMM yyyy HH:mm:ss Z", "Wed, 01 May 2024 10:30:15 +0000", 1_714_559_415_000),
        ("MMMM d, yyyy h:mm a", "May 1, 2024 1:30 PM", 1_714_570_200_000),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "2024-05-01T10:30:15.123456Z", 1_714_559_415_123),
        ("yyyy-MM-dd HH:mm VV", "2024-05-01 10:30 Europe/Berlin", 1_714_552_200_000),
        ("HH:mm", "10:30", 37_800_000),
        ("yyyyMMddHHmmss", "20240501103015", 1_714_559_415_000),
    ] as [(String, String, Int64)])
    func reads(pattern: String, text: String, expected: Int64) throws {
        #expect(try DateFormat(pattern).milliseconds(text) == expected)
    }

    @Test("refuses what the format does not allow", arguments: [
        ("strict_date_optional_time", ["", "x", "2024-5-1", "2024-13-01", "2023-02-29", "2024-05-32", "2024-05-01T24:00", "2024-05-01T10:60", "2024-05-01 10:30",
            "2024-05-01T10:30:15.1234567890", "12024-01-01", "2024-05-01Z", "2024-05-01T10:30+25:00", "2024-05-01x"]),
        ("basic_date", ["2024051", "2024-05-01", "202405011"]),
        ("strict_date_optional_time", ["+999999999-01-01", "-999999999-01-01"]),
        ("epoch_millis", ["1.5x", "a", "", "-", "99999999999999999999"]),
        ("week_date", ["2024-W54-1", "2024-W18-8"]),
    ] as [(String, [String])])
    func refuses(pattern: String, texts: [String]) throws {
        let format = try DateFormat(pattern)
        for text in texts {
            #expect("\(text)") {
                _ = try format.milliseconds(text)
            } throws: { ($0 as? MappingError)?.reason == "failed to parse date field [\(text)] with format [\(pattern)]" }
        }
    }

    @Test("refuses patterns nobody knows", arguments: ["", "no_such_format", "yyyy-MM-dd'T", "yyyy]", "bb", "{", "a||"])
    func badPattern(pattern: String) {
        #expect(throws: MappingError.self) { try DateFormat(pattern) }
    }

    @Test("rounds up to the last instant that a text stands for", arguments: [
        ("2024", "2024-12-31T23:59:59.999Z"), ("2024-02", "2024-02-29T23:59:59.999Z"), ("2024-05-01", "2024-05-01T23:59:59.999Z"),
        ("2024-05-01T10", "2024-05-01T10:59:59.999Z"), ("2024-05-01T10:30", "2024-05-01T10:30:59.999Z"), ("2024-05-01T10:30:15", "2024-05-01T10:30:15.999Z"),
        ("2024-05-01T10:30:15.5", "2024-05-01T10:30:15.500Z"),
    ])
    func roundsUp(text: String, expected: String) throws {
        let found = try DateFormat.standard.milliseconds(text, roundUp: true)
        #expect(DateFormat.standard.string(found) == expected)
    }

    @Test("writes with the first format", arguments: [
        ("strict_date_optional_time||epoch_millis", "2024-05-01T10:30:15.250Z"), ("epoch_millis", "1714559415250"), ("epoch_second", "1714559415.25"),
        ("basic_date", "20240501"), ("date", "2024-05-01"), ("date_time", "2024-05-01T10:30:15.250Z"), ("week_date", "2024-W18-3"), ("ordinal_date", "2024-122"),
        ("yyyy/M/d H:m", "2024/5/1 10:30"), ("EEEE, MMMM dd yyyy hh:mm a Z", "Wednesday, May 01 2024 10:30 AM +0000"), ("yy", "24"), ("QQ yyyy", "02 2024"),
    ])
    func writes(pattern: String, expected: String) throws {
        #expect(try DateFormat(pattern).string(1_714_559_415_250) == expected)
    }

    @Test("writes and reads in a zone")
    func zones() throws {
        let berlin = try TimeZoneRule("Europe/Berlin")
        #expect(DateFormat.standard.string(1_714_559_415_250, zone: berlin) == "2024-05-01T12:30:15.250+02:00")
        #expect(try DateFormat.standard.milliseconds("2024-05-01T12:30:15.250", zone: berlin) == 1_714_559_415_250)
        // Past the table of the file, by its rule; and before its first entry.
        #expect(berlin.offset(at: try DateFormat.standard.milliseconds("2090-07-01")) == 7_200_000)
        #expect(berlin.offset(at: try DateFormat.standard.milliseconds("2090-12-01")) == 3_600_000)
        #expect(berlin.offset(at: try DateFormat.standard.milliseconds("1800-01-01")) == 3_208_000)
        // 2024-03-31 02:00-03:00 does not exist, 2024-10-27 02:00-03:00 exists twice.
        #expect(DateFormat.standard.string(try DateFormat.standard.milliseconds("2024-03-31T02:30", zone: berlin)) == "2024-03-31T01:30:00.000Z")
        #expect(DateFormat.standard.string(try DateFormat.standard.milliseconds("2024-10-27T02:30", zone: berlin)) == "2024-10-27T00:30:00.000Z")
        let sydney = try TimeZoneRule("Australia/Sydney")
        #expect(sydney.offset(at: try DateFormat.standard.milliseconds("2080-01-15")) == 39_600_000)
        for (id, offset) in [("+01:00", 3_600_000), ("-0530", -19_800_000), ("Z", 0), ("UTC", 0), ("GMT+2", 7_200_000), ("+3", 10_800_000)] as [(String, Int64)] {
            #expect(try TimeZoneRule(id).offset(at: 0) == offset)
        }
        for bad in ["", "Nowhere", "../etc/passwd", "Europe/Berlin/x", "+25:00", "+1:2", "Europe"] { #expect(throws: MappingError.self) { try TimeZoneRule(bad) } }
    }

    @Test("every instant reads back as written", arguments: UInt64(0)..<10)
    func roundTrip(seed: UInt64) throws {
        var rng = Seeded(seed)
        let formats = try ["strict_date_optional_time", "date_time", "epoch_millis", "basic_date_time", "week_date_time", "yyyy-MM-dd HH:mm:ss.SSS", "ordinal_date_time"].map { try DateFormat($0) }
        for _ in 0..<100 {
            let instant = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &rng)
            for format in formats { #expect(try format.milliseconds(format.string(instant)) == instant, "\(instant) \(format.pattern)") }
        }
    }

    @Test("the path by position answers as the patterns do", arguments: UInt64(0)..<25)
    func fastPath(seed: UInt64) throws {
        var rng = Seeded(seed)
        let plain = try DateFormat("epoch_second||strict_date_optional_time"), fast = try DateFormat("strict_date_optional_time")
        let pieces = ["2024", "-", "05", "01", "T", "10", ":", "30", "15", ".", "1", "123", "Z", "+02:00", "+0200", "-05", "31", "99", "-12-31", "x"]
        for _ in 0..<200 {
            let text: String
            if Bool.random(using: &rng) {
                text = "2024-0\(Int.random(in: 0...9, using: &rng))-\(Int.random(in: 10...33, using: &rng))" + (0..<Int.random(in: 0...8, using: &rng)).map { _ in pieces.randomElement(using: &rng) ?? "" }.joined()
            } else {
                text = "2024-05-01T10:30" + ["", ":15", ":15.5", ":61", ":15.123456789", ":1"][Int.random(in: 0..<6, using: &rng)] + ["", "Z", "+02:00", "-0530", "+1", "+19:00", "z"][Int.random(in: 0..<7, using: &rng)]
            }
            for up in [false, true] {
                #expect((try? fast.milliseconds(text, roundUp: up)) == (try? plain.milliseconds(text, roundUp: up)), "\(text)")
            }
        }
    }

    static let now: Int64 = 1_714_559_415_250  // 2024-05-01T10:30:15.250Z, a Wednesday

    @Test("date arithmetic", arguments: [
        ("now", false, "2024-05-01T10:30:15.250Z"), ("now-1d", false, "2024-04-30T10:30:15.250Z"), ("now-1d/d", false, "2024-04-30T00:00:00.000Z"),
        ("now/d", true, "2024-05-01T23:59:59.999Z"), ("now/M", true, "2024-05-31T23:59:59.999Z"), ("now/w", false, "2024-04-29T00:00:00.000Z"),
        ("now/y", false, "2024-01-01T00:00:00.000Z"), ("now/h", true, "2024-05-01T10:59:59.999Z"), ("now+1M-2h+30m", false, "2024-06-01T09:00:15.250Z"),
        ("2020-01-31||+1M", false, "2020-02-29T00:00:00.000Z"), ("2020-01-01||+1M/d", true, "2020-02-01T23:59:59.999Z"), ("2024-05-01", true, "2024-05-01T23:59:59.999Z"),
        ("2024||/M", false, "2024-01-01T00:00:00.000Z"), ("now+1y", false, "2025-05-01T10:30:15.250Z"), ("now-90s", false, "2024-05-01T10:28:45.250Z"),
    ] as [(String, Bool, String)])
    func math(text: String, up: Bool, expected: String) throws {
        #expect(DateFormat.standard.string(try DateMath.milliseconds(text, now: Self.now, roundUp: up)) == expected)
    }

    @Test("refuses wrong arithmetic", arguments: ["now-", "now*1d", "now-1q", "now/2d", "2024-01-01||+", "nowx", "||+1d", "now-99999999999d", "", "x||+1d"])
    func badMath(text: String) {
        #expect { try DateMath.milliseconds(text, now: Self.now) } throws: { ($0 as? MappingError)?.type == "parse_exception" }
    }

    @Test("the floor of a unit is its beginning: nothing between lies in another unit", arguments: ["UTC", "Europe/Berlin", "America/New_York", "+05:30"])
    func floors(zoneID: String) throws {
        let zone = try TimeZoneRule(zoneID)
        var rng = Seeded(7)
        for _ in 0..<150 {
            let t = Int64.random(in: 0...4_000_000_000_000, using: &rng)
            for unit in [DateMath.Unit.year, .quarter, .month, .week, .day, .hour, .minute, .second] {
                let floor = DateMath.floor(t, to: unit, zone: zone)
                let next = DateMath.add(1, unit, to: floor, zone: zone)
                #expect(floor <= t && t < next && DateMath.floor(floor, to: unit, zone: zone) == floor, "\(t) \(unit)")
                #expect(DateMath.floor(next - 1, to: unit, zone: zone) == floor, "\(t) \(unit)")
            }
        }
    }
}
