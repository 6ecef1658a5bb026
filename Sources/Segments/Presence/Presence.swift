// stub
package import Bytes
package struct Presence: Sendable {
    package let count: Int = 0
    package func contains(_ doc: DocID) -> Bool { false }
    package func bitSet() -> BitSet { BitSet(count: 0) }
}
