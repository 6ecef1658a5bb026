// histogram and date_histogram: a bucket for each interval of a number line or calendar, in order of key,
// the empty ones between too unless `min_doc_count` says otherwise.

internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments

/// histogram: key = floor((value - offset) / interval) * interval + offset.
final class HistogramAggregator: KeyedAggregator {
    private let request: Aggregation.Histogram
    private let binding: FieldBinding
    private let format: ValueFormat
    private let missing: Double?
    private var window = KeyWindow()
    private var column: BoundNumbers?

    init(_ aggregation: Aggregation, _ request: Aggregation.Histogram, _ binding: FieldBinding, now: Int64, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        guard request.interval > 0, request.interval.isFinite else {
            throw QueryError("illegal_argument_exception", "[interval] must be >0 for histogram aggregation [\(aggregation.name)]")
        }
        self.request = request
        self.binding = binding
        format = try ValueFormat(binding, format: request.format, timeZone: nil)
        missing = try request.missing.map { binding.meaning.double(try binding.encode($0, format: nil, now: now)) }
        super.init(aggregation, children, budget)
    }

    override var keyCount: Int { window.count }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        column = try binding.columns(in: segment.view, mapping: segment.index.mapping).numbers
        if let column { window.begin(bin(binding.meaning.double(column.min)), bin(binding.meaning.double(column.max))) }
    }

    override func fillKeys(_ docs: UnsafeBufferPointer<DocID>) throws {
        if let column { unsafe column.gatherDoubles(docs, into: batch) } else { batch.clear() }
        if let missing { batch.fill(docs: docs.count, value: Int64(bitPattern: missing.bitPattern)) }
        let n = batch.count, values = unsafe batch.values, doubles = unsafe batch.doubles
        let offset = request.offset, interval = request.interval
        for i in 0..<n {
            let place = unsafe (doubles[i] - offset) / interval
            guard place.magnitude < 9e18 else {
                unsafe values[i] = place < 0 ? -Int64.max : place > 0 ? .max : 0
                continue
            }
            // Rounded down by hand: `rounded(.down)` is a call, for want of an instruction in the baseline.
            let toZero = Int64(place)
            unsafe values[i] = Double(toZero) > place ? toZero &- 1 : toZero
        }
        if let bounds = request.hardBounds {
            // A key counts when it lies within the bounds.
            for i in 0..<n where unsafe key(values[i]) < bounds.min || key(values[i]) > bounds.max { unsafe values[i] = .min }
        }
        unsafe window.number(values, n)
    }

    private func bin(_ value: Double) -> Int64 {
        let bin = ((value - request.offset) / request.interval).rounded(.down)
        return bin.magnitude < 9e18 ? Int64(bin) : bin < 0 ? -Int64.max : bin > 0 ? .max : 0
    }

    private func key(_ bin: Int64) -> Double { Double(bin) * request.interval + request.offset }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        var rows = try entries(bucket).map { (bin: window.key($0.key), count: $0.count, bucket: $0.bucket) }.sorted { $0.bin < $1.bin }
        if request.minDocCount == 0 {
            var first = rows.first?.bin, last = rows.last?.bin
            if let bounds = request.extendedBounds {
                if bounds.min.isFinite, bounds.min <= bounds.max || !bounds.max.isFinite { first = min(first ?? .max, bin(bounds.min)) }
                if bounds.max.isFinite, bounds.min <= bounds.max || !bounds.min.isFinite { last = max(last ?? .min, bin(bounds.max)) }
                first = first ?? last
                last = last ?? first
            }
            if let first, let last, first <= last {
                let (gap, overflow) = last.subtractingReportingOverflow(first)
                try budget.show(overflow || gap >= Int64(budget.bucketsMax) ? budget.bucketsMax + 1 : 0)
                var filled: [(bin: Int64, count: Int, bucket: UInt32)] = [], i = 0
                for bin in first...last {
                    if i < rows.count, rows[i].bin == bin {
                        filled.append(rows[i])
                        i += 1
                    } else { filled.append((bin, 0, Self.nowhere)) }
                }
                rows = filled
            }
        } else { rows.removeAll { $0.count < request.minDocCount } }
        try budget.show(rows.count)
        return try histogramResult(
            rows.map { row in
                let key = key(row.bin)
                var members = JSONObject()
                let text = format.string(key)
                if let text { members["key_as_string"] = .string(text) }
                members["key"] = .number(key)
                members["doc_count"] = .integer(Int64(row.count))
                return (name: text ?? javaDouble(key), members: members, row: (Int(truncatingIfNeeded: row.bin), row.count, row.bucket))
            }, type: "histogram", keyed: request.keyed, order: request.order)
    }
}

/// date_histogram: key = the beginning of the unit or of the fixed interval, by the zone's clocks.
final class DateHistogramAggregator: KeyedAggregator {
    private enum Step {
        case unit(DateMath.Unit)
        case fixed(Int64)
    }
    private let request: Aggregation.DateHistogram
    private let binding: FieldBinding
    private let format: ValueFormat
    private let zone: TimeZoneRule
    private let step: Step
    private let missing: Int64?
    private let hardBounds: (min: Int64, max: Int64)?
    private let extendedBounds: (min: Int64, max: Int64)?
    private var window = KeyWindow()
    private var column: BoundNumbers?
    /// The interval of the value before: neighbours mostly share it.
    private var last: Range<Int64> = 0..<0

    init(_ aggregation: Aggregation, _ request: Aggregation.DateHistogram, _ binding: FieldBinding, now: Int64, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        self.request = request
        self.binding = binding
        let zone = try Search.zone(request.timeZone)
        self.zone = zone
        format = binding.source == .unmapped ? .date(.standard, zone) : try ValueFormat(binding, format: request.format, timeZone: request.timeZone)
        switch request.interval {
        case .fixed(let milliseconds):
            guard milliseconds > 0 else { throw QueryError("illegal_argument_exception", "Zero or negative time interval not supported") }
            step = .fixed(milliseconds)
        case .calendar(let name): step = try Self.step(name)
        }
        missing = try request.missing.map { try binding.encode($0, format: nil, now: now) }
        let dates = binding.isDate ? try binding.dateFormat(request.format) : nil
        func bounds(_ pair: (min: JSONValue, max: JSONValue)?) throws(QueryError) -> (min: Int64, max: Int64)? {
            guard let pair else { return nil }
            return (
                pair.min.isNull ? .min : try binding.encode(pair.min, format: dates, now: now, zone: zone),
                pair.max.isNull ? .max : try binding.encode(pair.max, format: dates, now: now, zone: zone)
            )
        }
        (hardBounds, extendedBounds) = (try bounds(request.hardBounds), try bounds(request.extendedBounds))
        super.init(aggregation, children, budget)
    }

    override var keyCount: Int { window.count }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        column = try binding.columns(in: segment.view, mapping: segment.index.mapping).numbers
    }

    override func fillKeys(_ docs: UnsafeBufferPointer<DocID>) throws {
        if let column { unsafe column.gather(docs, into: batch) } else { batch.clear() }
        if let missing { batch.fill(docs: docs.count, value: missing) }
        let n = batch.count, values = unsafe batch.values, nanos = binding.type?.kind == .dateNanos
        var interval = last
        for i in 0..<n {
            let value = unsafe nanos ? values[i] / 1_000_000 : values[i]
            if !interval.contains(value) {
                let start = floor(value)
                interval = start..<max(value &+ 1, next(start))
            }
            unsafe values[i] = interval.lowerBound
        }
        last = interval
        if let hardBounds { for i in 0..<n where unsafe values[i] < hardBounds.min || values[i] > hardBounds.max { unsafe values[i] = .min } }
        unsafe window.number(values, n)
    }

    private func floor(_ value: Int64) -> Int64 {
        let value = value &- request.offsetMilliseconds
        switch step {
        case .unit(let unit): return DateMath.floor(value, to: unit, zone: zone) &+ request.offsetMilliseconds
        case .fixed(let size):
            let local = zone.local(value)
            let start = local &- ((local % size) &+ size) % size
            return zone.instant(ofLocal: start) &+ request.offsetMilliseconds
        }
    }

    /// Where the interval after the one that starts at `start` starts.
    private func next(_ start: Int64) -> Int64 {
        let bare = start &- request.offsetMilliseconds
        switch step {
        case .unit(let unit):
            // Rounded anew: a day of 23 or 25 hours ends where the clocks say.
            let guess = DateMath.add(1, unit, to: bare, zone: zone), floor = DateMath.floor(guess, to: unit, zone: zone)
            return (floor > bare ? floor : guess) &+ request.offsetMilliseconds
        case .fixed(let size):
            let guess = zone.instant(ofLocal: zone.local(bare) &+ size)
            return (guess > bare ? guess : bare &+ size) &+ request.offsetMilliseconds
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        var rows = try entries(bucket).map { (start: window.key($0.key), count: $0.count, bucket: $0.bucket) }.sorted { $0.start < $1.start }
        if request.minDocCount == 0 {
            var first = rows.first?.start, last = rows.last?.start
            if let bounds = extendedBounds {
                if bounds.min != .min { first = min(first ?? .max, floor(bounds.min)) }
                if bounds.max != .max { last = max(last ?? .min, floor(bounds.max)) }
                first = first ?? last
                last = last ?? first
            }
            if let first, let last, first <= last {
                var filled: [(start: Int64, count: Int, bucket: UInt32)] = [], i = 0, start = first
                while start <= last {
                    if i < rows.count, rows[i].start <= start {
                        start = rows[i].start
                        filled.append(rows[i])
                        i += 1
                    } else { filled.append((start, 0, Self.nowhere)) }
                    if filled.count > budget.bucketsMax { try budget.show(filled.count) }
                    let following = next(start)
                    if following <= start { break }
                    start = following
                }
                if i < rows.count { filled += rows[i...] }
                rows = filled
            }
        } else { rows.removeAll { $0.count < request.minDocCount } }
        try budget.show(rows.count)
        return try histogramResult(
            rows.map { row in
                let text = format.string(Double(row.start))
                var members = JSONObject()
                if let text { members["key_as_string"] = .string(text) }
                members["key"] = .integer(row.start)
                members["doc_count"] = .integer(Int64(row.count))
                return (name: text ?? String(row.start), members: members, row: (Int(row.start), row.count, row.bucket))
            }, type: "date_histogram", keyed: request.keyed, order: request.order)
    }

    private static func step(_ name: String) throws(QueryError) -> Step {
        switch name {
        case "second", "1s": .fixed(1000)
        case "minute", "1m": .unit(.minute)
        case "hour", "1h": .unit(.hour)
        case "day", "1d": .unit(.day)
        case "week", "1w": .unit(.week)
        case "month", "1M": .unit(.month)
        case "quarter", "1q": .unit(.quarter)
        case "year", "1y": .unit(.year)
        default:
            throw QueryError(
                "illegal_argument_exception", "The supplied interval [\(name)] could not be parsed as a calendar interval. Use fixed_interval for multiples.")
        }
    }
}

extension KeyedAggregator {
    typealias Row = (name: String, members: JSONObject, row: (key: Int, count: Int, bucket: UInt32))

    /// Rows come by key; another order is made here.
    func histogramResult(_ rows: [Row], type: String, keyed: Bool, order: [Aggregation.Terms.Order]) throws -> AggregationResult {
        var rows = rows
        if !order.isEmpty, order != [.key(ascending: true)] {
            var places: [Int: Int] = [:]
            for (i, r) in rows.enumerated() { places[r.row.key] = i }
            var entries = rows.map(\.row)
            try sort(&entries, order) { $0 < $1 }
            rows = entries.compactMap { places[$0.key].map { rows[$0] } }
        }
        var result = AggregationResult.Buckets()
        result.keyed = keyed
        for r in rows { result.buckets.append(AggregationResult.Bucket(name: r.name, members: r.members, children: try childResults(r.row.bucket))) }
        return AggregationResult(name: name, type: type, meta: meta, body: .buckets(result))
    }
}

/// Numbers for keys: by an array over the keys a segment can have where these are few, else by hashing.
struct KeyWindow {
    private var table = KeyTable()
    private var low: Int64 = 0
    /// Key - low -> number + 1.
    private var window: [UInt32] = []
    private static let windowMax = 1 << 16

    var count: Int { table.count }
    func key(_ number: Int) -> Int64 { Int64(bitPattern: table.keys[number]) }

    /// A segment whose keys lie in low...high begins.
    mutating func begin(_ low: Int64, _ high: Int64) {
        window.removeAll(keepingCapacity: true)
        let (span, overflow) = high.subtractingReportingOverflow(low)
        if overflow || span < 0 || span >= Int64(Self.windowMax) { return }
        self.low = low
        window.append(contentsOf: repeatElement(0, count: Int(span) + 1))
    }

    /// Replaces keys by their numbers; `Int64.min` becomes -1.
    mutating func number(_ keys: UnsafeMutablePointer<Int64>, _ n: Int) {
        let size = Int64(window.count), low = low
        var i = 0
        while i < n {
            // The run of keys that were seen before in this segment: an array look-up each.
            i = window.withUnsafeBufferPointer { window in
                var i = i
                while i < n {
                    let place = unsafe keys[i] &- low
                    // Safe: 0 <= place < size was just checked.
                    guard place >= 0, place < size, case let known = unsafe window[Int(place)], known != 0 else { break }
                    unsafe keys[i] = Int64(known) - 1
                    i &+= 1
                }
                return i
            }
            if i == n { return }
            let key = unsafe keys[i], place = key &- low
            if key == .min { unsafe keys[i] = -1 } else {
                let number = table.place(of: UInt64(bitPattern: key))
                if place >= 0, place < size { window[Int(place)] = number + 1 }
                unsafe keys[i] = Int64(number)
            }
            i += 1
        }
    }
}

/// A double as Java writes it in keys: "50.0".
func javaDouble(_ value: Double) -> String {
    // The usual bounds of ranges, without the search for the shortest digits.
    if value == value.rounded(), value.magnitude < 1e7 { return value == 0 && value.sign == .minus ? "-0.0" : "\(Int(value)).0" }
    if value.magnitude >= 1e7 || (value != 0 && value.magnitude < 1e-3) {
        // Java: d.dddE±x, without plus sign.
        return scientific(value)
    }
    return "\(value)"
}

private func scientific(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity" }
    var digits: [Character] = [], exponent = 0
    let text = "\(value.magnitude)"
    let parts = text.split(separator: "e"), mantissa = parts[0]
    exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let point = mantissa.firstIndex(of: ".") ?? mantissa.endIndex
    let whole = mantissa[..<point], fraction = point == mantissa.endIndex ? "" : mantissa[mantissa.index(after: point)...]
    digits = Array(whole) + Array(fraction)
    exponent += whole.count - 1
    while digits.count > 1, digits[0] == "0" {
        digits.removeFirst()
        exponent -= 1
    }
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return (value < 0 ? "-" : "") + String(digits[0]) + "." + (digits.count > 1 ? String(digits[1...]) : "0") + "E\(exponent)"
}
