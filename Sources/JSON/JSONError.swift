// What is wrong with a text that should be JSON, and the bounds such a text is read under.

/// The caller erred: the bytes are not one JSON value, or exceed a bound.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Says what was found and what was expected; never quotes more than one byte of the text.
    public let message: String
    /// Of the offending byte, from the first byte of the text.
    public let offset: Int
    public init(_ message: String, at offset: Int) { (self.message, self.offset) = (message, offset) }
    public var description: String { "\(message) at offset \(offset)" }

    /// Line and column, both from 1, columns in bytes.
    public func position(in bytes: RawSpan) -> (line: Int, column: Int) {
        var line = 1, start = 0
        for i in 0..<min(offset, bytes.byteCount) where bytes.byte(i) == 0x0A { (line, start) = (line + 1, i + 1) }
        return (line, offset - start + 1)
    }
}

public struct JSONLimits: Sendable {
    /// How deep objects and arrays may nest.
    public var depthMax: Int
    /// Whether a second member with the key of an earlier one is an error. Without it the later wins in trees.
    public var refusesDuplicateKeys: Bool
    /// Of one text. No more than 2^28 - 1, which the tape's nodes can address.
    public var bytesMax: Int

    public init(depthMax: Int = 1_000, refusesDuplicateKeys: Bool = false, bytesMax: Int = JSONTape.bytesMax) {
        self.depthMax = depthMax
        self.refusesDuplicateKeys = refusesDuplicateKeys
        self.bytesMax = min(bytesMax, JSONTape.bytesMax)
    }
}

extension RawSpan {
    /// The byte at an offset, checked.
    @inlinable public func byte(_ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // Safe: the offset was just checked, and any byte is a valid UInt8.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}
