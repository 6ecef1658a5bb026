// Reads a whole term dictionary in order, a block at a time, term after term as the caller asks: what merging pulls
// from each of its sources.

package import Storage
internal import Bytes

package struct TermScan {
    private let dictionary: TermDictionary
    private var block = -1
    private var terms: [(key: [UInt8], entry: TermEntry)] = []
    private var place = 0

    package init(_ dictionary: TermDictionary) { self.dictionary = dictionary }

    /// Field ordinal (4 bytes, big-endian) and term; empty before the first `next`.
    package private(set) var key: [UInt8] = []
    package private(set) var entry: TermEntry?

    /// Moves to the next term; false when there is none.
    package mutating func next() throws(StorageError) -> Bool {
        while place == terms.count {
            block += 1
            place = 0
            if block >= dictionary.blockCount {
                terms = []
                entry = nil
                return false
            }
            terms = try dictionary.terms(ofBlock: block)
        }
        (key, entry) = (terms[place].key, terms[place].entry)
        place += 1
        return true
    }

    package var field: UInt32 { key.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}
