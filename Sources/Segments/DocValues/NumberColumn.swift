// stub
package import Bytes
package final class NumberColumn: Sendable {
    package let min: Int64 = 0, max: Int64 = 0
    /// The (lowest) value; nil when the document has none.
    package func value(of doc: DocID) -> Int64? { nil }
    /// All values, rising.
    package func values(of doc: DocID) -> [Int64] { [] }
}
