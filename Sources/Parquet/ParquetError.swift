// What can go wrong with a Parquet file. Never quotes values: they may be personal.

/// Three families: the caller erred (`misuse`), the world failed (`unreadable`), the bytes are wrong or beyond us (the others).
package enum ParquetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes that no writer of the format produces, or whose checksum differs; the offset is in the file, or in the structure named.
    case damaged(String, offset: Int)
    /// A feature of the format that this reader does not know; names it.
    case unsupported(String)
    /// A count or size that passes `ParquetLimits`; names it.
    case tooLarge(String)
    /// Rows that do not fit the schema, a column that is not there: says what was expected.
    case misuse(String)
    /// The source could not be read.
    case unreadable(String)

    package var description: String {
        switch self {
        case .damaged(let what, let offset): "damaged Parquet file: \(what) at offset \(offset)"
        case .unsupported(let what): "unsupported in a Parquet file: \(what)"
        case .tooLarge(let what): "Parquet file refused: \(what)"
        case .misuse(let what): what
        case .unreadable(let what): "Parquet file unreadable: \(what)"
        }
    }
}

/// Bounds on what a file may make a reader allocate.
package struct ParquetLimits: Sendable {
    /// Of one page, unpacked.
    package var pageBytesMax = 64 << 20
    /// Entries (values and nulls) of one column chunk.
    package var chunkEntriesMax = 16 << 20
    /// Bytes of one column chunk's values in memory.
    package var chunkBytesMax = 512 << 20
    /// Of all columns of a row group that are held together.
    package var groupBytesMax = 1 << 30
    /// Column chunks of a file: some bytes of its footer are hundreds in memory.
    package var chunksMax = 1 << 20
    package var footerBytesMax = 64 << 20
    package var schemaElementsMax = 10_000
    package var schemaDepthMax = 32
    package init() {}

    /// For the next column of a row group of which so many bytes are held.
    func after(_ held: Int) -> ParquetLimits {
        var limits = self
        limits.chunkBytesMax = min(chunkBytesMax, max(0, groupBytesMax - held))
        return limits
    }
}
