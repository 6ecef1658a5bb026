// stub
package import Bytes
package final class KeywordColumn: Sendable {
    package let termCount: Int = 0
    package func ordinals(of doc: DocID) -> [UInt32] { [] }
    package func term(_ ordinal: UInt32) -> [UInt8] { [] }
    /// The ordinal of a term, nil when no document has it.
    package func ordinal(of term: [UInt8]) -> UInt32? { nil }
}
