// A JSON text as a flat array of nodes in document order: one 16-byte node per value and per key, no
// allocation per value, reused from text to text. The text itself stays where it is; whoever reads a
// string or a number passes the same bytes again.
//
//     {"a": [1, "x\n"], "b": null}
//
//     node   kind            start..<end     payload             count
//     0      object          the whole       7 (past the last)   2 members
//     1      string          "a"
//     2      array           [1, "x\n"]      5                   2 elements
//     3      integer         1
//     4      escapedString   "x\n"           offset in `arena`   2 bytes there
//     5      string          "b"
//     6      null            null
//
// Invariants (of a tape whose parse did not throw)
//     1  Node 0 is the one value of the text; a container's descendants are the nodes up to its payload.
//     2  In an object, keys (string or escapedString) and values alternate.
//     3  Strings are valid UTF-8, in the text or, where they had escapes, in the arena.
//     4  An integer has neither fraction nor exponent and fits in 64 bits; every other number is `number`.
//
// Strict RFC 8259, with two choices the RFC leaves open: a lone surrogate escape becomes U+FFFD (as
// Elasticsearch indexes it), and a byte order mark is refused. The grammar walk is in `TapeBuilder`.

public struct JSONTape: Sendable {
    /// 28 bits of a node count bytes.
    public static let bytesMax = 1 << 28 - 1

    public enum Kind: UInt8, Sendable {
        case null, `false`, `true`, integer, number, string, escapedString, object, array
    }

    public struct Node: Sendable {
        /// The first byte of the value: a string's opening quote.
        @usableFromInline let first: UInt32
        @usableFromInline var past: UInt32
        @usableFromInline var payload: UInt32
        /// kind | count << 4
        @usableFromInline var tag: UInt32

        @inlinable init(_ kind: Kind, _ first: Int, _ past: Int) {
            self.first = UInt32(truncatingIfNeeded: first)
            self.past = UInt32(truncatingIfNeeded: past)
            payload = 0
            tag = UInt32(kind.rawValue)
        }

        @inlinable public var kind: Kind { Kind(rawValue: UInt8(truncatingIfNeeded: tag & 15)) ?? .null }
        /// Members or elements of a container.
        @inlinable public var count: Int { Int(tag >> 4) }
        /// Where the value stands in the text, quotes included.
        @inlinable public var range: Range<Int> {
            // Safe: the builder sets `past` no lower than `first`.
            unsafe Range(uncheckedBounds: (Int(first), Int(past)))
        }
        @inlinable public var isString: Bool { kind == .string || kind == .escapedString }
    }

    public internal(set) var nodes: [Node] = []
    /// Strings that had escapes, without them.
    public internal(set) var arena: [UInt8] = []
    var stack: [UInt32] = []

    public init() {}

    /// Replaces what the tape held. After a throw it holds nothing.
    public mutating func parse(_ bytes: RawSpan, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        var builder = TapeBuilder(taking: &self, limits: limits)
        do throws(JSONError) {
            try builder.run(bytes)
            builder.giveBack(to: &self)
            if limits.refusesDuplicateKeys { try refuseDuplicateKeys(bytes) }
        } catch {
            builder.giveBack(to: &self)
            nodes.removeAll(keepingCapacity: true)
            arena.removeAll(keepingCapacity: true)
            throw error
        }
    }

    /// - Precondition: the tape is of a text that parsed.
    @inlinable public var root: Int { 0 }
    @inlinable public func kind(_ node: Int) -> Kind { nodes[node].kind }

    /// The node past a value and all it contains: its next sibling, if the container goes on.
    @inlinable public func next(_ node: Int) -> Int {
        let n = nodes[node]
        return n.tag & 15 >= UInt32(Kind.object.rawValue) ? Int(n.payload) : node + 1
    }

    /// The bytes of a string, unescaped. `bytes` is the text that was parsed.
    @inlinable @_lifetime(borrow self, copy bytes)
    public func text(_ node: Int, in bytes: RawSpan) -> RawSpan {
        let n = nodes[node]
        switch n.kind {
        case .string: return bytes.extracting(Int(n.first) + 1..<Int(n.past) - 1)
        // Safe: `UInt8` has no padding, so its bytes may be read raw.
        case .escapedString: return unsafe arena.span.bytes.extracting(Int(n.payload)..<Int(n.payload) + n.count)
        default: return bytes.extracting(0..<0)
        }
    }

    public func string(_ node: Int, in bytes: RawSpan) -> String { String(copying: text(node, in: bytes)) }

    /// The value as it is written.
    @inlinable @_lifetime(copy bytes)
    public func raw(_ node: Int, in bytes: RawSpan) -> RawSpan { bytes.extracting(nodes[node].range) }

    /// Of an `integer` node.
    @inlinable public func integer(_ node: Int, in bytes: RawSpan) -> Int64 {
        var i = Int(nodes[node].first)
        let end = Int(nodes[node].past)
        guard i < end else { return 0 }
        let negative = bytes.byte(i) == 0x2D
        if negative { i += 1 }
        var value: Int64 = 0
        // Invariant 4: it fits. Counting downwards reaches Int64.min too.
        while i < end {
            value = value &* 10 &- Int64(bytes.byte(i) &- 0x30)
            i += 1
        }
        return negative ? value : 0 &- value
    }

    /// Of an `integer` or `number` node: the nearest double, infinite when out of range.
    public func double(_ node: Int, in bytes: RawSpan) -> Double { JSONNumber.double(raw(node, in: bytes)) }

    /// The value of a member. O(members); of equal keys the last.
    public func member(_ key: String, of object: Int, in bytes: RawSpan) -> Int? {
        let utf8 = Array(key.utf8)
        // Safe: `UInt8` has no padding.
        return unsafe member(utf8.span.bytes, of: object, in: bytes)
    }

    public func member(_ key: RawSpan, of object: Int, in bytes: RawSpan) -> Int? {
        guard kind(object) == .object else { return nil }
        var found: Int?
        var i = object + 1
        let end = next(object)
        while i < end {
            if text(i, in: bytes).equals(key) { found = i + 1 }
            i = next(i + 1)
        }
        return found
    }

    private func refuseDuplicateKeys(_ bytes: RawSpan) throws(JSONError) {
        for object in nodes.indices where nodes[object].kind == .object && nodes[object].count > 1 {
            var seen = Set<String>(minimumCapacity: nodes[object].count)
            var i = object + 1
            let end = next(object)
            while i < end {
                let key = string(i, in: bytes)
                guard seen.insert(key).inserted else { throw JSONError("Duplicate field '\(key)'", at: Int(nodes[i].first)) }
                i = next(i + 1)
            }
        }
    }
}

extension RawSpan {
    @inlinable public func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var i = 0
        let n = byteCount
        while i &+ 8 <= n {
            // Safe: i + 8 is within both, which are of one length; any bits are a UInt64.
            let a = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
            let b = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
            if a != b { return false }
            i &+= 8
        }
        while i < n {
            if byte(i) != other.byte(i) { return false }
            i &+= 1
        }
        return true
    }
}

extension String {
    /// UTF-8, repaired where it is not.
    public init(copying bytes: RawSpan) {
        // Safe: the pointer is used only inside the closure, within its bounds.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
