// What a commit does to the orders of one file group, in the order of their keys. Orders are large: they stay where they were put, and what is sorted is where.

/// What a commit does to one order.
enum RowChange: Sendable {
    case put(ArchivedOrder)
    /// At most this version.
    case delete(upTo: Int64)
}

struct RowChanges: Sendable {
    private var keys: [RowKey] = [], changes: [RowChange] = []
    private var places: [Place] = []
    /// Whether some order is put, so that there is something to write even where there was nothing.
    private(set) var puts = false

    /// The first sixteen bytes of the person, and where key and change stand.
    private struct Place {
        let high: UInt64, low: UInt64, at: Int
    }

    var count: Int { places.count }
    func key(_ i: Int) -> RowKey { keys[places[i].at] }
    func change(_ i: Int) -> RowChange { changes[places[i].at] }

    mutating func add(_ key: RowKey, _ change: RowChange) {
        if case .put = change { puts = true }
        places.append(Place(high: Self.number(key.person, 0), low: Self.number(key.person, 8), at: keys.count))
        keys.append(key)
        changes.append(change)
    }

    /// Sorts, and leaves one change a key: of two orders the larger version, of equals and of deletes the later.
    mutating func sort() {
        let keys = keys
        places.sort { a, b in
            if a.high != b.high { return a.high < b.high }
            if a.low != b.low { return a.low < b.low }
            let (x, y) = (keys[a.at], keys[b.at])
            return x == y ? a.at < b.at : x < y
        }
        var kept = 0
        for place in places {
            if kept > 0, keys[places[kept - 1].at] == keys[place.at] {
                if !isOlder(place.at, than: places[kept - 1].at) { places[kept - 1] = place }
            } else {
                places[kept] = place
                kept += 1
            }
        }
        places.removeLast(places.count - kept)
    }

    // MARK: -

    private func isOlder(_ a: Int, than b: Int) -> Bool {
        if case .put(let new) = changes[a], case .put(let old) = changes[b] { return new.version < old.version }
        return false
    }

    private static func number(_ bytes: [UInt8], _ from: Int) -> UInt64 {
        var number: UInt64 = 0
        for k in from..<from + 8 { number = number << 8 | (k < bytes.count ? UInt64(bytes[k]) : 0) }
        return number
    }
}
