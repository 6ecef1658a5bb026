// The structures of parquet.thrift that we write and read, under their names there, without the fields that neither does.
// Each has its `write(to:)` and `init(reading:)` in Metadata+Writing.swift and Metadata+Reading.swift.

package enum Encoding: Int32, Sendable { case plain = 0, plainDictionary = 2, rle = 3, bitPacked = 4, deltaBinaryPacked = 5, deltaLengthByteArray = 6, deltaByteArray = 7, rleDictionary = 8, byteStreamSplit = 9 }

/// How pages are packed.
package enum Compression: Int32, Sendable, CaseIterable { case uncompressed = 0, snappy = 1, gzip = 2, lzo = 3, brotli = 4, lz4 = 5, zstd = 6, lz4Raw = 7 }

package struct Statistics: Sendable, Equatable {
    package var nullCount: Int?
    package var nanCount: Int?
    package var min: [UInt8]?
    package var max: [UInt8]?
    package var minIsExact: Bool?
    package var maxIsExact: Bool?
    package init() {}
}

enum PageType: Int32 { case data = 0, index = 1, dictionary = 2, dataV2 = 3 }

struct PageHeader {
    var type: Int32 = 0
    var unpackedSize = 0
    var packedSize = 0
    var crc: UInt32?
    /// Of the data page or dictionary page.
    var valueCount = 0
    var encoding: Int32 = 0
    var definitionEncoding: Int32 = Encoding.rle.rawValue
    var repetitionEncoding: Int32 = Encoding.rle.rawValue
    init() {}
}

package struct ColumnChunk: Sendable, Equatable {
    package var type: Int32 = 0
    package var encodings: [Int32] = []
    package var path: [String] = []
    package var compression: Int32 = 0
    package var valueCount = 0
    package var unpackedSize = 0
    package var packedSize = 0
    package var dataPageOffset = 0
    package var dictionaryPageOffset: Int?
    package var statistics: Statistics?
    package var bloomFilter: Range<Int>?
    package var offsetIndex: Range<Int>?
    package var columnIndex: Range<Int>?
    /// Pages of data, by encoding: for readers that look whether all are dictionary encoded.
    package var dataPages = 0

    /// Where the chunk's pages lie in the file.
    package var range: Range<Int> {
        let start = dictionaryPageOffset.map { Swift.min($0, dataPageOffset) } ?? dataPageOffset
        return start..<start + packedSize
    }
}

package struct SortingColumn: Sendable, Equatable {
    package var leaf: Int
    package var descending = false
    package var nullsFirst = false
    package init(leaf: Int, descending: Bool = false, nullsFirst: Bool = false) { (self.leaf, self.descending, self.nullsFirst) = (leaf, descending, nullsFirst) }
}

package struct RowGroup: Sendable, Equatable {
    package var columns: [ColumnChunk] = []
    package var unpackedSize = 0
    package var packedSize = 0
    package var rowCount = 0
    package var sorting: [SortingColumn] = []
    package var fileOffset: Int?
}

package struct KeyValue: Sendable, Equatable {
    package var key: String
    package var value: String
    package init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}

/// What the footer says.
package struct FileMetadata: Sendable {
    package var schema = ParquetSchema([])
    package var rootName = "schema"
    package var rowCount = 0
    package var rowGroups: [RowGroup] = []
    package var keyValues: [KeyValue] = []
    package var createdBy: String?
    /// Whether column i orders its statistics as its type does: those of the others are not used.
    package var typeOrdered: [Bool] = []

    package func value(_ key: String) -> String? { keyValues.first { $0.key == key }?.value }
}

package struct PageLocation: Sendable, Equatable {
    package var offset: Int
    package var size: Int
    package var firstRow: Int
}

package struct ColumnIndex: Sendable, Equatable {
    package enum Order: Int32, Sendable { case unordered, ascending, descending }

    package var nullPages: [Bool] = []
    package var min: [[UInt8]] = []
    package var max: [[UInt8]] = []
    package var order = Order.unordered
    package var nullCounts: [Int] = []
}
