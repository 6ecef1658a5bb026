// An immutable set of terms for stop words, stem exclusions and the like, probed with bytes: open addressing
// over one flat array, so a look-up allocates nothing.

package struct TermSet: Sendable {
    private var bytes: [UInt8] = []
    private var starts: [Int32] = [0]
    private var table: [Int32] = []
    private var longest = 0
    private var folds = false

    package var count: Int { starts.count - 1 }

    /// - Parameter ignoringCase: words and what is looked up are compared in lower case.
    package init(_ words: some Sequence<String>, ignoringCase: Bool = false) {
        folds = ignoringCase
        var seen = Set<[UInt8]>()
        for word in words {
            let term = ignoringCase ? Self.lowered(Array(word.utf8)) : Array(word.utf8)
            guard seen.insert(term).inserted else { continue }
            bytes.append(contentsOf: term)
            starts.append(Int32(clamping: bytes.count))
            longest = max(longest, term.count)
        }
        var size = 8
        while size < count * 3 { size *= 2 }
        table = [Int32](repeating: -1, count: size)
        for i in 0..<count {
            var slot = Self.hash(bytes.span.extracting(Int(starts[i])..<Int(starts[i + 1]))) & (size - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = Int32(clamping: i)
        }
    }

    package func contains(_ term: Span<UInt8>) -> Bool {
        if folds { return containsExactly(Self.lowered(Array(copying: term)).span) }
        return containsExactly(term)
    }

    private func containsExactly(_ term: Span<UInt8>) -> Bool {
        guard term.count <= longest, count > 0 else { return false }
        // Safe: slots are masked by the table's size, entries point into `bytes`.
        return unsafe table.withUnsafeBufferPointer { table in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                var slot = Self.hash(term) & (table.count &- 1)
                while unsafe table[slot] >= 0 {
                    let i = unsafe Int(table[slot])
                    let start = Int(starts[i])
                    if Int(starts[i &+ 1]) &- start == term.count {
                        var k = 0
                        while unsafe k < term.count && bytes[start &+ k] == term[k] { k &+= 1 }
                        if k == term.count { return true }
                    }
                    slot = (slot &+ 1) & (table.count &- 1)
                }
                return false
            }
        }
    }

    private static func hash(_ term: Span<UInt8>) -> Int {
        var h: UInt32 = 2_166_136_261 // FNV-1a
        for i in 0..<term.count { h = (h ^ UInt32(term[i])) &* 16_777_619 }
        return Int(truncatingIfNeeded: h ^ h >> 15)
    }

    private static func lowered(_ term: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        LowercaseFilter.lower(term.span, into: &out)
        return out
    }
}

extension Array where Element == UInt8 {
    init(copying span: Span<UInt8>) {
        self = []
        append(span: span)
    }
}
