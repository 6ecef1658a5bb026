// Doubles that were written as decimals are kept as the integers they are: 12.34 as 1234 with two places.
// A price column then packs to 2-3 bytes a value, where the bits of doubles hardly pack at all. Used only
// where every value comes back bit by bit; the order of the integers is the order of the doubles.

package enum NumberCoding: Sendable, Equatable {
    /// The column's values as they are.
    case plain
    /// Double(raw) / 10^places, as sortable bits.
    case decimal(places: Int)
    /// Float(raw / 10^places) widened to a double, as sortable bits: float fields.
    case floatDecimal(places: Int)

    static let placesMax = 6
    static let powers: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

    /// The best coding for doubles given as sortable bits, and the integers to store.
    package static func choose(_ values: [Int64]) -> (NumberCoding, [Int64]) {
        for float in [false, true] {
            if let (places, raws) = decimals(values, float: float) { return (float ? .floatDecimal(places: places) : .decimal(places: places), raws) }
        }
        return (.plain, values)
    }

    var byte: UInt8 {
        switch self {
        case .plain: 0
        case .decimal(let places): UInt8(0x10 + places)
        case .floatDecimal(let places): UInt8(0x20 + places)
        }
    }

    init?(byte: UInt8) {
        let places = Int(byte & 15)
        guard places <= Self.placesMax else { return nil }
        switch (byte >> 4, places) {
        case (0, 0): self = .plain
        case (1, _): self = .decimal(places: places)
        case (2, _): self = .floatDecimal(places: places)
        default: return nil
        }
    }

    /// The value that `raw` stands for.
    @inline(__always)
    func value(_ raw: Int64) -> Int64 {
        switch self {
        case .plain: raw
        case .decimal(let places): OrderedDouble.encode(Double(raw) / Self.powers[places])
        case .floatDecimal(let places): OrderedDouble.encode(Double(Float(Double(raw) / Self.powers[places])))
        }
    }

    /// What stands for `value`; nil when nothing does in this coding.
    func raw(of value: Int64) -> Int64? {
        switch self {
        case .plain: value
        case .decimal(let places): Self.raw(value, places, false)
        case .floatDecimal(let places): Self.raw(value, places, true)
        }
    }

    /// The raw values of `low...high` that stand for values in `range`; nil when none does.
    func raws(_ range: ClosedRange<Int64>, low: Int64, high: Int64) -> ClosedRange<Int64>? {
        guard low <= high else { return nil }
        let first = Self.partition(low, high) { value($0) >= range.lowerBound }
        let end = Self.partition(low, high) { value($0) > range.upperBound }
        guard let first else { return nil }
        guard let end else { return first...high }
        return end > first ? first...(end - 1) : nil
    }

    // MARK: -

    /// The first of `low...high` for which the rising predicate holds.
    private static func partition(_ low: Int64, _ high: Int64, _ holds: (Int64) -> Bool) -> Int64? {
        if holds(low) { return low }
        if !holds(high) { return nil }
        var fails = low, good = high
        while UInt64(bitPattern: good &- fails) > 1 {
            let middle = fails &+ Int64(bitPattern: UInt64(bitPattern: good &- fails) / 2)
            if holds(middle) { good = middle } else { fails = middle }
        }
        return good
    }

    private static func decimals(_ values: [Int64], float: Bool) -> (places: Int, raws: [Int64])? {
        var places = 0
        for v in values {
            while raw(v, places, float) == nil {
                places += 1
                if places > placesMax { return nil }
            }
        }
        var raws: [Int64] = []
        raws.reserveCapacity(values.count)
        for v in values {
            guard let r = raw(v, places, float) else { return nil }
            raws.append(r)
        }
        return (places, raws)
    }

    @inline(__always)
    private static func raw(_ value: Int64, _ places: Int, _ float: Bool) -> Int64? {
        let scaled = (OrderedDouble.decode(value) * powers[places]).rounded()
        guard scaled.magnitude < 9e15 else { return nil }
        let raw = Int64(scaled)
        let coding: NumberCoding = float ? .floatDecimal(places: places) : .decimal(places: places)
        return coding.value(raw) == value ? raw : nil
    }
}
