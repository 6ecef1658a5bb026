// Elasticsearch's named formats as patterns. A name with `strict_` wants every digit; without it, numbers
// may be shorter. A name nobody knows is a pattern.

enum NamedDateFormats {
    typealias Named = (reader: DateFormat.Reader, writer: DateFormat.Reader, isISO: Bool)

    static func format(_ name: String) throws(MappingError) -> Named {
        switch name {
        case "epoch_millis": return (.epochMillis, .epochMillis, false)
        case "epoch_second": return (.epochSecond, .epochSecond, false)
        case "strict_date_optional_time", "strict_date_optional_time_nanos", "iso8601", "strictDateOptionalTime":
            return (.pattern(optionalTime(strict: true)), .pattern(optionalTimeWriter), true)
        case "date_optional_time", "dateOptionalTime":
            return (.pattern(optionalTime(strict: false)), .pattern(optionalTimeWriter), true)
        case "": throw MappingError("illegal_argument_exception", "No date pattern provided")
        default: break
        }
        let strict = name.hasPrefix("strict_")
        let plain = strict ? String(name.dropFirst(7)) : name
        if let pattern = patterns[plain] {
            let basic = plain.hasPrefix("basic_")
            return (.pattern(try DatePattern(pattern, lenient: !strict && !basic)), .pattern(try DatePattern(pattern)), false)
        }
        let custom = try DatePattern(name)
        return (.pattern(custom), .pattern(custom), false)
    }

    /// yyyy[-MM[-dd]]['T'[HH[:mm[:ss[.fraction]]]]][zone], a zone only after a time.
    static func optionalTime(strict: Bool) -> DatePattern {
        func number(_ field: DatePattern.Field) -> DatePattern.Element { .number(field, min: strict ? 2 : 1, max: 2) }
        func literal(_ c: Unicode.Scalar) -> DatePattern.Element { .literal([UInt8(ascii: c)]) }
        let zone = DatePattern.Element.optional([.offset(colon: true, zulu: true, short: false)])
        let fraction = DatePattern.Element.optional([.fraction(min: 1, max: 9, point: true)])
        let seconds = DatePattern.Element.optional([literal(":"), number(.second), fraction])
        let minutes = DatePattern.Element.optional([literal(":"), number(.minute), seconds])
        let time = DatePattern.Element.optional([literal("T"), .optional([number(.hour), minutes, zone])])
        let day = DatePattern.Element.optional([literal("-"), number(.day), time])
        let month = DatePattern.Element.optional([literal("-"), number(.month), day])
        return DatePattern(elements: [.number(.year, min: strict ? 4 : 1, max: 9), month])
    }

    /// yyyy-MM-dd'T'HH:mm:ss.SSS up to nine digits, and the offset.
    static let optionalTimeWriter = DatePattern(elements: [
        .number(.year, min: 4, max: 9), .literal([0x2D]), .number(.month, min: 2, max: 2), .literal([0x2D]), .number(.day, min: 2, max: 2),
        .literal([UInt8(ascii: "T")]), .number(.hour, min: 2, max: 2), .literal([0x3A]), .number(.minute, min: 2, max: 2), .literal([0x3A]),
        .number(.second, min: 2, max: 2), .fraction(min: 3, max: 9, point: true), .offset(colon: true, zulu: true, short: false),
    ])

    private static let patterns = [
        "basic_date": "yyyyMMdd",
        "basic_date_time": "yyyyMMdd'T'HHmmss.SSSX",
        "basic_date_time_no_millis": "yyyyMMdd'T'HHmmssX",
        "basic_ordinal_date": "yyyyDDD",
        "basic_ordinal_date_time": "yyyyDDD'T'HHmmss.SSSX",
        "basic_ordinal_date_time_no_millis": "yyyyDDD'T'HHmmssX",
        "basic_time": "HHmmss.SSSX",
        "basic_time_no_millis": "HHmmssX",
        "basic_t_time": "'T'HHmmss.SSSX",
        "basic_t_time_no_millis": "'T'HHmmssX",
        "basic_week_date": "YYYY'W'wwe",
        "basic_week_date_time": "YYYY'W'wwe'T'HHmmss.SSSX",
        "basic_week_date_time_no_millis": "YYYY'W'wwe'T'HHmmssX",
        "date": "yyyy-MM-dd",
        "date_hour": "yyyy-MM-dd'T'HH",
        "date_hour_minute": "yyyy-MM-dd'T'HH:mm",
        "date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss",
        "date_hour_minute_second_fraction": "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "date_hour_minute_second_millis": "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "date_time": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssXXX",
        "hour": "HH",
        "hour_minute": "HH:mm",
        "hour_minute_second": "HH:mm:ss",
        "hour_minute_second_fraction": "HH:mm:ss.SSS",
        "hour_minute_second_millis": "HH:mm:ss.SSS",
        "ordinal_date": "yyyy-DDD",
        "ordinal_date_time": "yyyy-DDD'T'HH:mm:ss.SSSXXX",
        "ordinal_date_time_no_millis": "yyyy-DDD'T'HH:mm:ssXXX",
        "time": "HH:mm:ss.SSSXXX",
        "time_no_millis": "HH:mm:ssXXX",
        "t_time": "'T'HH:mm:ss.SSSXXX",
        "t_time_no_millis": "'T'HH:mm:ssXXX",
        "week_date": "YYYY-'W'ww-e",
        "week_date_time": "YYYY-'W'ww-e'T'HH:mm:ss.SSSXXX",
        "week_date_time_no_millis": "YYYY-'W'ww-e'T'HH:mm:ssXXX",
        "weekyear": "YYYY",
        "week_year": "YYYY",
        "weekyear_week": "YYYY-'W'ww",
        "weekyear_week_day": "YYYY-'W'ww-e",
        "year": "yyyy",
        "year_month": "yyyy-MM",
        "year_month_day": "yyyy-MM-dd",
    ]
}
