// A JSON document as a tree of values: for requests, settings and mappings, which are small. Documents
// to be indexed go through the tape (`JSONTape`), which allocates nothing per value.

package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits in 64 bits.
    case integer(Int64)
    /// Every other number.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// Members in the order of the text. Of two members with one key the later wins, as in Elasticsearch's
/// lenient readers; the strict parser refuses them before.
package struct JSONObject: Sendable, Equatable, Sequence {
    package private(set) var members: [(key: String, value: JSONValue)]
    /// Of every member, once there are more than `scannedMax`.
    private var places: [String: Int]

    /// Up to so many members are found by comparing keys: making a dictionary was 7 % of a search with facets, whose buckets are objects of two.
    private static let scannedMax = 8

    package init() { (members, places) = ([], [:]) }

    package init(_ members: [(String, JSONValue)]) {
        self.init()
        // Room for what is usually added after.
        self.members.reserveCapacity(Swift.max(4, members.count))
        for (key, value) in members { self[key] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    /// Setting nil removes the member (O(members)).
    package subscript(key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            let place = place(of: key)
            if let newValue {
                if let place { members[place].value = newValue } else {
                    if members.isEmpty { members.reserveCapacity(4) }
                    members.append((key, newValue))
                    if members.count == Self.scannedMax + 1 { index() } else if members.count > Self.scannedMax { places[key] = members.count - 1 }
                }
            } else if let place {
                members.remove(at: place)
                index()
            }
        }
    }

    private func place(of key: String) -> Int? {
        members.count > Self.scannedMax ? places[key] : members.firstIndex { $0.key == key }
    }

    private mutating func index() {
        places = [:]
        if members.count > Self.scannedMax { for (i, member) in members.enumerated() { places[member.key] = i } }
    }

    package func makeIterator() -> IndexingIterator<[(key: String, value: JSONValue)]> { members.makeIterator() }

    /// Equal when the members are, in any order.
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.count == b.count && a.members.allSatisfy { b[$0.key] == $0.value }
    }
}

extension JSONValue {
    package var isNull: Bool { self == .null }
    package var boolean: Bool? { if case .bool(let v) = self { v } else { nil } }
    /// An integer, or a number with no fraction that fits.
    package var integer: Int64? {
        switch self {
        case .integer(let v): v
        case .number(let v): Int64(exactly: v)
        default: nil
        }
    }
    package var number: Double? {
        switch self {
        case .integer(let v): Double(v)
        case .number(let v): v
        default: nil
        }
    }
    package var string: String? { if case .string(let v) = self { v } else { nil } }
    package var array: [JSONValue]? { if case .array(let v) = self { v } else { nil } }
    package var object: JSONObject? { if case .object(let v) = self { v } else { nil } }
    package subscript(key: String) -> JSONValue? { object?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral v: String) { self = .string(v) }
    package init(integerLiteral v: Int64) { self = .integer(v) }
    package init(floatLiteral v: Double) { self = .number(v) }
    package init(booleanLiteral v: Bool) { self = .bool(v) }
    package init(arrayLiteral v: JSONValue...) { self = .array(v) }
    package init(dictionaryLiteral v: (String, JSONValue)...) { self = .object(JSONObject(v)) }
    package init(nilLiteral: ()) { self = .null }
}
