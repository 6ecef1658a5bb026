// Counts the terms of one segment's documents by ordinal. While few documents came, the ordinals seen are listed as well,
// so that neither reading nor clearing the counters costs as much as the dictionary is long.
//
// Invariants
//     1  Arrays in the pool are all zeros.
//     2  `touched` lists exactly the ordinals whose counter is not zero, each once; nil once documents were many.

internal import Bytes
internal import Segments
import Synchronization

final class OrdinalCounters {
    private(set) var counters: [UInt32]
    private(set) var touched: [UInt32]? = []
    private var docCount = 0
    private let docsFew: Int

    /// A guess at where listing stops being worth it: searches with some 260 documents and 5,000 terms gained by it, the border was not measured.
    private static let termsByDocument = 4

    init(for column: KeywordColumn) {
        counters = CounterPool.borrow(column.ordinalBound)
        docsFew = column.termCount / Self.termsByDocument
    }

    /// - Parameter batch: room of the caller's, overwritten.
    func count(_ docs: UnsafeBufferPointer<DocID>, of column: KeywordColumn, _ batch: ValueBatch) {
        docCount += docs.count
        guard docCount <= docsFew, var list = touched.take() else {
            touched = nil
            _ = unsafe counters.withUnsafeMutableBufferPointer { unsafe column.count(docs, into: $0) }
            return
        }
        unsafe column.gather(docs, into: batch)
        let n = batch.count, values = unsafe batch.values
        unsafe counters.withUnsafeMutableBufferPointer { counters in
            for i in 0..<n {
                // Safe: `gather` gives ordinals below termCount, at most ordinalBound, the size of `counters`.
                let ordinal = unsafe Int(values[i])
                if unsafe counters[ordinal] == 0 { list.append(UInt32(truncatingIfNeeded: ordinal)) }
                unsafe counters[ordinal] &+= 1
            }
        }
        touched = list
    }

    /// Not to be used afterwards.
    func giveBack() {
        if let touched {
            for ordinal in touched { counters[Int(ordinal)] = 0 }
        } else {
            for i in counters.indices { counters[i] = 0 }
        }
        CounterPool.giveBack(&counters)
    }
}

/// Arrays of zeros, kept from one search to the next: a dictionary of a million terms is 4 MB to clear.
private enum CounterPool {
    private static let kept = Mutex<[[UInt32]]>([])
    private static let arraysMax = 8, countersMax = 1 << 20

    static func borrow(_ count: Int) -> [UInt32] {
        let found = kept.withLock { arrays -> [UInt32]? in
            guard let place = arrays.firstIndex(where: { $0.count >= count }) else { return nil }
            return arrays.remove(at: place)
        }
        return found ?? [UInt32](repeating: 0, count: count)
    }

    /// - Parameter array: all zeros; taken, so that whoever borrows it next holds the only reference.
    static func giveBack(_ array: inout [UInt32]) {
        var own: [UInt32] = []
        swap(&own, &array)
        if own.count > countersMax { return }
        kept.withLock { arrays in
            if arrays.count == arraysMax { arrays.removeFirst() }
            arrays.append(own)
        }
    }
}
