// One zone of the time zone database: instants at which the offset changed, and the rule for all time
// after them. Format: RFC 8536 (TZif version 2 or later: 64-bit data after the 32-bit block, then a POSIX TZ string).
// The only file read in this layer: the database is part of the system, as a table would be.

import Glibc

final class ZoneFile: Sendable {
    /// Seconds since 1970, rising, and the offset in seconds from each on.
    private let changes: [Int64]
    private let offsets: [Int64]
    private let first: Int64
    private let rule: PosixZone?

    /// Nil when there is no such zone.
    init?(named name: String) {
        let allowed = name.utf8.allSatisfy { c in
            (c >= 0x30 && c <= 0x39) || (c | 0x20 >= 0x61 && c | 0x20 <= 0x7A) || [0x2D, 0x2B, 0x2F, 0x5F].contains(c)
        }
        guard allowed, !name.isEmpty, name.utf8.count < 100, !name.hasPrefix("/"), !name.hasPrefix("posix"), !name.hasPrefix("right"),
            let bytes = ZoneFile.read("/usr/share/zoneinfo/" + name), let parsed = ZoneFile.parse(bytes)
        else { return nil }
        (changes, offsets, first, rule) = parsed
    }

    func offsetSeconds(at second: Int64) -> Int64 {
        guard let last = changes.last else { return rule?.offset(at: second) ?? first }
        if second >= last, let rule { return rule.offset(at: second) }
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low - 1]
    }

    // MARK: -

    private static func read(_ path: String) -> [UInt8]? {
        // Safe: C calls on a descriptor of our own; the buffer is written within its capacity.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let capacity = 65_536
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            count = unsafe max(0, Glibc.read(file, buffer.baseAddress, capacity))
        }
        return bytes.isEmpty ? nil : bytes
    }

    private static func parse(_ bytes: [UInt8]) -> ([Int64], [Int64], Int64, PosixZone?)? {
        func number(_ at: Int, _ width: Int) -> Int64 {
            guard at >= 0, at + width <= bytes.count else { return 0 }
            var value: Int64 = width > 0 && bytes[at] >= 0x80 ? -1 : 0
            for i in at..<at + width { value = value << 8 | Int64(bytes[i]) }
            return value
        }
        func counts(_ at: Int) -> [Int]? {
            guard at + 44 <= bytes.count, bytes[at..<at + 4].elementsEqual("TZif".utf8) else { return nil }
            let all = (0..<6).map { Int(number(at + 20 + 4 * $0, 4)) }
            return all.allSatisfy { $0 >= 0 && $0 < 65_536 } ? all : nil
        }
        // isutc, isstd, leap, time, type, char
        guard let old = counts(0), bytes[4] >= 0x32 else { return nil }
        let second = 44 + old[3] * 5 + old[4] * 6 + old[5] + old[2] * 8 + old[1] + old[0]
        guard let n = counts(second) else { return nil }
        let times = second + 44, indexes = times + n[3] * 8, types = indexes + n[3]
        let footer = types + n[4] * 6 + n[5] + n[2] * 12 + n[1] + n[0]
        guard footer <= bytes.count, n[4] > 0 else { return nil }
        let changes = (0..<n[3]).map { number(times + 8 * $0, 8) }
        let offsets = (0..<n[3]).map { number(types + 6 * min(Int(bytes[indexes + $0]), n[4] - 1), 4) }
        let text = String(decoding: bytes[footer...].drop { $0 == 0x0A }.prefix { $0 != 0x0A }, as: UTF8.self)
        return (changes, offsets, number(types, 4), PosixZone(text))
    }
}

/// "CET-1CEST,M3.5.0,M10.5.0/3": standard time, and between two dates of each year summer time.
struct PosixZone: Sendable {
    private struct Change: Sendable {
        var month: Int64 = 0, week: Int64 = 0, weekday: Int64 = 0
        /// Day of the year, where the rule is not by month: from 0, or 1...365 without leap days.
        var day: Int64?
        var countsLeapDays = true
        var time: Int64 = 7_200

        /// In seconds of local time since 1970.
        func second(in year: Int64) -> Int64 {
            let first = CivilDate(year: year, month: max(month, 1), day: 1)
            if let day {
                let leap: Int64 = !countsLeapDays && CivilDate.isLeap(year) && day >= 60 ? 1 : 0
                return (CivilDate(year: year, month: 1, day: 1).days + day - (countsLeapDays ? 0 : 1) + leap) * 86_400 + time
            }
            let start = first.days
            var at = start + floorRemainder(weekday - CivilDate.weekday(days: start) % 7, 7) + (week - 1) * 7
            if at >= start + CivilDate.length(ofMonth: month, in: year) { at -= 7 }
            return at * 86_400 + time
        }
    }

    private let standard: Int64
    private let summer: Int64
    private let from: Change?
    private let to: Change?

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard PosixZone.skipName(&rest), let west = PosixZone.time(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else {
            (summer, from, to) = (standard, nil, nil)
            return
        }
        guard PosixZone.skipName(&rest) else { return nil }
        summer = rest.first == UInt8(ascii: ",") ? standard + 3_600 : PosixZone.time(&rest).map { -$0 } ?? standard + 3_600
        guard let a = PosixZone.change(&rest), let b = PosixZone.change(&rest) else { return nil }
        (from, to) = (a, b)
    }

    func offset(at second: Int64) -> Int64 {
        guard let from, let to else { return standard }
        let year = CivilDate(days: floorDivide(second &+ standard, 86_400)).year
        let start = from.second(in: year) &- standard, end = to.second(in: year) &- summer
        let isSummer = start < end ? second >= start && second < end : second >= start || second < end
        return isSummer ? summer : standard
    }

    private static func skipName(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let before = rest.count
        if rest.first == UInt8(ascii: "<") {
            rest = rest.drop { $0 != UInt8(ascii: ">") }.dropFirst()
        } else {
            rest = rest.drop { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
        }
        return rest.count < before
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let run = rest.prefix { $0 &- 0x30 < 10 }
        guard !run.isEmpty, run.count < 6 else { return nil }
        rest = rest.dropFirst(run.count)
        return run.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// [+-]h[:m[:s]] in seconds.
    private static func time(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        var sign: Int64 = 1
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { sign = rest.removeFirst() == UInt8(ascii: "-") ? -1 : 1 }
        guard var total = digits(&rest).map({ $0 * 3_600 }) else { return nil }
        for unit: Int64 in [60, 1] where rest.first == UInt8(ascii: ":") {
            rest.removeFirst()
            guard let v = digits(&rest) else { return nil }
            total += v * unit
        }
        return sign * total
    }

    private static func change(_ rest: inout ArraySlice<UInt8>) -> Change? {
        guard rest.popFirst() == UInt8(ascii: ",") else { return nil }
        var change = Change()
        if rest.first == UInt8(ascii: "M") {
            rest.removeFirst()
            guard let m = digits(&rest), rest.popFirst() == UInt8(ascii: "."), let w = digits(&rest), rest.popFirst() == UInt8(ascii: "."),
                let d = digits(&rest), (1...12).contains(m), (1...5).contains(w), d <= 6
            else { return nil }
            (change.month, change.week, change.weekday) = (m, w, d)
        } else {
            if rest.first == UInt8(ascii: "J") {
                rest.removeFirst()
                change.countsLeapDays = false
            }
            guard let d = digits(&rest), d <= 366 else { return nil }
            change.day = d
        }
        if rest.first == UInt8(ascii: "/") {
            rest.removeFirst()
            guard let t = time(&rest) else { return nil }
            change.time = t
        }
        return change
    }
}
