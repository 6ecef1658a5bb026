// Sixteen-byte identifiers, one Swift type for each kind of record, and the generator of time-ordered ones (UUIDv7).
//
//     bits     field                        RFC 9562, section 5.7
//     48       milliseconds since 1970
//     4        version, 7
//     12       counter within the millisecond, then as random
//     2        variant, 2
//     62       random, or the hash of a source key
//
// Invariants
//     1  Identifiers from one generator strictly rise, also when the clock goes back.
//     2  The same instant and source key give the same identifier for ever: a second import changes nothing.

import Secrets
import Synchronization

/// The plain sixteen bytes, as two big-endian halves: comparing them is comparing the bytes.
package struct Bytes16: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let high: UInt64, low: UInt64

    package init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// Nil unless there are sixteen.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for (at, byte) in bytes.enumerated() {
            if at < 8 { halves.0 = halves.0 << 8 | UInt64(byte) } else { halves.1 = halves.1 << 8 | UInt64(byte) }
        }
        self.init(high: halves.0, low: halves.1)
    }

    package init?(text: some StringProtocol) { self.init(text: String(text)) }

    /// From the form with hyphens or without, either case.
    package init?(text: String) {
        let count = text.utf8.count
        guard count == 36 || count == 32 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0), digits = 0
        for (at, byte) in text.utf8.enumerated() {
            if count == 36, at == 8 || at == 13 || at == 18 || at == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let value: UInt8
            switch byte {
            case 48...57: value = byte - 48
            case 97...102: value = byte - 87
            case 65...70: value = byte - 55
            default: return nil
            }
            if digits < 16 { halves.0 = halves.0 << 4 | UInt64(value) } else { halves.1 = halves.1 << 4 | UInt64(value) }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: halves.0, low: halves.1)
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(16)
        for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: high >> UInt64(shift))) }
        for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: low >> UInt64(shift))) }
        return out
    }

    package static func random() -> Bytes16 {
        var generator = SystemRandomNumberGenerator()
        return Bytes16(high: generator.next(), low: generator.next())
    }

    package static func < (a: Bytes16, b: Bytes16) -> Bool { (a.high, a.low) < (b.high, b.low) }

    /// As UUIDs are written, lower case.
    package var description: String {
        // Safe: 36 bytes are asked for, all of them written, each an ASCII character. Measured: every order names some six identifiers in text.
        unsafe String(unsafeUninitializedCapacity: 36) { out in
            var at = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    unsafe out[at] = UInt8(ascii: "-")
                    at += 1
                }
                let half = digit < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (digit & 15))) & 15
                unsafe out[at] = value < 10 ? 48 + value : 87 + value
                at += 1
            }
            return 36
        }
    }
}

/// An identifier of one kind of record.
package struct ID<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Bytes16
    package init(_ value: Bytes16) { self.value = value }
    package init?(text: some StringProtocol) { self.init(text: String(text)) }
    package init?(text: String) {
        guard let value = Bytes16(text: text) else { return nil }
        self.value = value
    }
    package static func < (a: ID, b: ID) -> Bool { a.value < b.value }
    package var description: String { value.description }
    package var bytes: [UInt8] { value.bytes }
}

package enum OrderKind {}
package enum PersonKind {}
package enum AddressKind {}
package enum PaymentKind {}
package enum ShipmentKind {}
package enum ReturnKind {}
package typealias OrderID = ID<OrderKind>
/// What a person is everywhere but in the table of people: sixteen random bytes.
package typealias PersonRef = ID<PersonKind>
package typealias AddressID = ID<AddressKind>
package typealias PaymentID = ID<PaymentKind>
package typealias ShipmentID = ID<ShipmentKind>
package typealias ReturnID = ID<ReturnKind>

/// What the catalogue calls a product: the document's `_id` in the product index.
package struct ProductID: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }
    package static func < (a: ProductID, b: ProductID) -> Bool { a.text < b.text }
    package var description: String { text }
}

/// What an imported record is called where it came from, as `ref:olist:0123…`.
package struct SourceKey: Hashable, Sendable, CustomStringConvertible {
    package let source: String, key: String
    package init(source: String, key: String) { (self.source, self.key) = (source, key) }
    /// From `ref:SOURCE:KEY`.
    package init?(text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ref", !parts[1].isEmpty, !parts[2].isEmpty, text.utf8.count <= 300 else { return nil }
        (source, key) = (String(parts[1]), String(parts[2]))
    }
    package var description: String { "ref:\(source):\(key)" }
}

/// A record by its identifier or by its source's name for it.
package enum Key<Kind>: Hashable, Sendable {
    case id(ID<Kind>)
    case source(SourceKey)

    /// From a path segment: a UUID, or `ref:SOURCE:KEY`.
    package init?(text: some StringProtocol) {
        if let id = ID<Kind>(text: text) {
            self = .id(id)
        } else if let source = SourceKey(text: text) {
            self = .source(source)
        } else {
            return nil
        }
    }
}
package typealias OrderKey = Key<OrderKind>
package typealias PersonKey = Key<PersonKind>

/// Makes UUIDv7s that strictly rise.
package final class IdentifierGenerator: Sendable {
    private let last = Mutex(Bytes16(high: 0, low: 0))
    package init() {}

    package func next(at instant: Instant) -> Bytes16 {
        var generator = SystemRandomNumberGenerator()
        let fresh = UUIDv7.make(instant, counter: UInt64(instant.microseconds.modulo(1_000)) << 2, random: generator.next())
        return last.withLock { last in
            if fresh.high > last.high {
                last = fresh
            } else {
                // The 60 free bits of the upper half count on; within the low half the random bits stay random.
                last = UUIDv7.make(UUIDv7.milliseconds(last), counter: (last.high & 0xFFF) + 1, random: fresh.low)
            }
            return last
        }
    }
}

package enum UUIDv7 {
    /// The identifier of a record made at `instant` and called `key` by its source.
    package static func make(_ instant: Instant, source key: SourceKey) -> Bytes16 {
        let hash = SHA256.hash("\(key.source)\u{0}\(key.key)")
        let halves = (Bytes16(hash[..<16]) ?? Bytes16(high: 0, low: 0))
        return make(instant, counter: halves.high & 0xFFF, random: halves.low)
    }

    /// The millisecond it was made in.
    package static func instant(_ id: Bytes16) -> Instant { Instant(microseconds: Int64(id.high >> 16) * 1_000) }

    static func milliseconds(_ id: Bytes16) -> UInt64 { id.high >> 16 }

    static func make(_ instant: Instant, counter: UInt64, random: UInt64) -> Bytes16 {
        make(UInt64(clamping: instant.microseconds.floorDivided(by: 1_000)), counter: counter & 0xFFF, random: random)
    }

    /// A counter past its 12 bits runs over into the next millisecond.
    static func make(_ milliseconds: UInt64, counter: UInt64, random: UInt64) -> Bytes16 {
        let time = (milliseconds &+ counter >> 12) & 0xFFFF_FFFF_FFFF
        return Bytes16(high: time << 16 | 7 << 12 | counter & 0xFFF, low: 2 << 62 | random & (1 << 62 - 1))
    }
}

/// What people read to each other on the telephone: twelve characters, made from the order's identifier, that say nothing about how many orders there are.
package enum OrderReference {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    package static func make(_ order: OrderID) -> String {
        let hash = SHA256.hash(order.bytes)
        var bits = hash[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var out: [UInt8] = []
        for at in 0..<12 {
            if at == 4 || at == 8 { out.append(UInt8(ascii: "-")) }
            out.append(alphabet[Int(bits >> 59)])
            bits <<= 5
        }
        return String(decoding: out, as: UTF8.self)
    }
}
