// Values of a batch of documents, gathered from a column in one call: the unit in which columns are read
// across modules. Reused from batch to batch.
//
// Value i belongs to document `positions[i]` of the batch; positions rise, a document without a value has
// none, one with several has several neighbours.

@safe public final class ValueBatch {
    /// Documents in the largest batch.
    public static let docsMax = 4096

    package internal(set) var count = 0
    /// Each document has exactly one value: position i is i.
    package internal(set) var isIdentity = false
    public private(set) var capacity: Int
    private var ownPositions: UnsafeMutablePointer<UInt32>
    private let identity: UnsafeMutablePointer<UInt32>
    /// In the column's encoding; ordinals of keywords.
    public private(set) var values: UnsafeMutablePointer<Int64>

    /// Nothing is written to the memory yet: a search of few documents touches little of it.
    public init() {
        capacity = Self.docsMax
        unsafe ownPositions = .allocate(capacity: capacity)
        unsafe values = .allocate(capacity: capacity)
        unsafe identity = Self.identities.pointer
    }

    deinit {
        unsafe ownPositions.deallocate()
        unsafe values.deallocate()
    }

    /// 0, 1, 2, ...: shared by all batches, never written again, never freed.
    private struct Identities: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<UInt32>
        init() {
            unsafe pointer = .allocate(capacity: ValueBatch.docsMax)
            for i in 0..<ValueBatch.docsMax { unsafe pointer[i] = UInt32(i) }
        }
    }
    private static let identities = Identities()

    public var positions: UnsafePointer<UInt32> { isIdentity ? unsafe UnsafePointer(identity) : unsafe UnsafePointer(ownPositions) }
    var mutablePositions: UnsafeMutablePointer<UInt32> { unsafe ownPositions }

    /// The same memory, after `NumberColumn.gatherDoubles`.
    public var doubles: UnsafeMutablePointer<Double> {
        // Safe: both are 8 trivial bytes, and the caller reads what was last written.
        unsafe UnsafeMutableRawPointer(values).assumingMemoryBound(to: Double.self)
    }

    /// Keeps the first `used` values.
    func grow(to wanted: Int, used: Int) {
        if wanted <= capacity { return }
        let size = max(wanted, 2 * capacity)
        let newPositions = UnsafeMutablePointer<UInt32>.allocate(capacity: size), newValues = UnsafeMutablePointer<Int64>.allocate(capacity: size)
        unsafe newPositions.update(from: ownPositions, count: used)
        unsafe newValues.update(from: values, count: used)
        unsafe ownPositions.deallocate()
        unsafe values.deallocate()
        unsafe (ownPositions, values, capacity) = (newPositions, newValues, size)
    }
}

/// How a field's numbers are to be read from their encoding (`SortableDouble` in Mappings).
public enum NumberMeaning: Sendable, Equatable {
    /// long, integer, date, boolean.
    case integer
    /// Sortable bits of a double.
    case double
    /// Divided by the scaling factor.
    case scaled(Double)
    /// The sign bit is flipped.
    case unsigned

    public func double(_ value: Int64) -> Double {
        switch self {
        case .integer: Double(value)
        case .double: OrderedDouble.decode(value)
        case .scaled(let factor): Double(value) / factor
        case .unsigned: Double(UInt64(bitPattern: value) ^ (1 << 63))
        }
    }
}

/// Mappings' `SortableDouble`, for this layer below it.
public enum OrderedDouble {
    @inlinable @inline(__always) public static func encode(_ value: Double) -> Int64 {
        let bits = Int64(bitPattern: value.bitPattern)
        return bits ^ ((bits >> 63) & Int64.max)
    }
    @inlinable @inline(__always) public static func decode(_ ordered: Int64) -> Double {
        Double(bitPattern: UInt64(bitPattern: ordered ^ ((ordered >> 63) & Int64.max)))
    }
}

extension ValueBatch {
    /// No values.
    public func clear() { (count, isIdentity) = (0, false) }

    /// Gives `value` to each of the batch's first `docs` documents that has none.
    public func fill(docs: Int, value: Int64) {
        if isIdentity { return }
        var filled: [(position: UInt32, value: Int64)] = [], i = 0
        filled.reserveCapacity(count + docs)
        for position in 0..<UInt32(docs) {
            if i == count || (unsafe positions[i]) != position { filled.append((position, value)) }
            while i < count, unsafe positions[i] == position {
                filled.append((position, unsafe values[i]))
                i += 1
            }
        }
        grow(to: filled.count, used: 0)
        for (i, f) in filled.enumerated() {
            unsafe mutablePositions[i] = f.position
            unsafe values[i] = f.value
        }
        count = filled.count
    }
}
