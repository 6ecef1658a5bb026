// One column of a row group as pages: a dictionary page where it pays, data pages cut at row boundaries, statistics, page index, bloom
// filter. Offsets are from the chunk's first byte; the writer moves them to their place. Columns do not depend on each other, so several
// tasks may each encode some.
//
// A data page (parquet-format README, "Data Pages"; version 1), packed as a whole:
//
//     repetition levels   u32 length, then hybrid runs; only for leaves with lists
//     definition levels   u32 length, then hybrid runs; only for leaves that may be absent
//     values              PLAIN, or (RLE_DICTIONARY) a byte with the bits a number takes, then hybrid runs

internal import Bytes

struct EncodedChunk: Sendable {
    var bytes: [UInt8] = []
    var metadata = ColumnChunk()
    var pages: [PageLocation] = []
    /// Nil where some page has no bounds to give.
    var columnIndex: ColumnIndex?
    var bloomFilter: BloomFilter?
}

struct ChunkEncoder {
    private let values: ColumnValues
    private let options: ParquetWriter.Options
    private let packer: Packer
    private let order: ValueOrder
    private let dictionary: ValueDictionary?
    private var chunk = EncodedChunk()
    private var scratch: [UInt8] = []

    static func encode(_ values: ColumnValues, options: ParquetWriter.Options, packer: Packer) throws(ParquetError) -> EncodedChunk {
        var encoder = ChunkEncoder(values, options, packer)
        return try encoder.run()
    }

    private init(_ values: ColumnValues, _ options: ParquetWriter.Options, _ packer: Packer) {
        self.values = values
        self.options = options
        self.packer = packer
        order = ValueOrder(values.leaf.type)
        let plain = options.plainColumns.contains(values.leaf.name)
        dictionary = plain ? nil : ValueDictionary(values, bytesMax: options.dictionaryBytesMax)
    }

    /// Entries, values and rows of one page.
    private struct Cut {
        var entries = 0..<0
        var values = 0..<0
        var firstRow = 0
    }

    private mutating func run() throws(ParquetError) -> EncodedChunk {
        let leaf = values.leaf
        chunk.metadata.type = leaf.type.physical.rawValue
        chunk.metadata.path = leaf.path
        chunk.metadata.compression = options.compression.rawValue
        chunk.metadata.valueCount = values.entryCount
        chunk.metadata.encodings = dictionary == nil ? [Encoding.plain.rawValue, Encoding.rle.rawValue] : [Encoding.plain.rawValue, Encoding.rle.rawValue, Encoding.rleDictionary.rawValue]
        if let dictionary { try dictionaryPage(dictionary) }
        chunk.metadata.dataPageOffset = chunk.bytes.count
        let cuts = self.cuts()
        for cut in cuts { try dataPage(cut) }
        chunk.metadata.dataPages = cuts.count
        statistics(cuts)
        if options.bloomColumns.contains(leaf.name) { chunk.bloomFilter = bloomFilter() }
        chunk.metadata.packedSize = chunk.bytes.count
        return chunk
    }

    // MARK: - Pages

    private func cuts() -> [Cut] {
        let leaf = values.leaf, width = leaf.type.width
        let bits = dictionary.map { HybridEncoding.bits(for: $0.firsts.count - 1) }
        func bytes(to value: Int) -> Int {
            if let bits { return value * bits / 8 }
            if leaf.type.physical == .byteArray { return value == 0 ? 0 : values.ends[value - 1] }
            return value * width
        }
        if leaf.maxRepetition == 0, values.entryCount <= options.pageRowsMax, bytes(to: values.valueCount) <= options.pageBytesMax {
            return [Cut(entries: 0..<values.entryCount, values: 0..<values.valueCount)]
        }
        var cuts: [Cut] = [], cut = Cut(), value = 0, row = 0
        for entry in 0..<values.entryCount {
            if leaf.maxRepetition == 0 || values.repetitions[entry] == 0 {
                if row - cut.firstRow >= options.pageRowsMax || (row > cut.firstRow && bytes(to: value) - bytes(to: cut.values.lowerBound) >= options.pageBytesMax) {
                    cut.entries = cut.entries.lowerBound..<entry
                    cut.values = cut.values.lowerBound..<value
                    cuts.append(cut)
                    cut = Cut(entries: entry..<entry, values: value..<value, firstRow: row)
                }
                row += 1
            }
            if leaf.maxDefinition == 0 || values.definitions[entry] == UInt8(leaf.maxDefinition) { value += 1 }
        }
        cut.entries = cut.entries.lowerBound..<values.entryCount
        cut.values = cut.values.lowerBound..<value
        cuts.append(cut)
        return cuts
    }

    private mutating func dictionaryPage(_ dictionary: ValueDictionary) throws(ParquetError) {
        scratch.removeAll(keepingCapacity: true)
        let head = values.leaf.type.physical == .byteArray ? 4 : 0
        for first in dictionary.firsts {
            let range = values.range(first)
            scratch.append(contentsOf: values.plain[range.lowerBound - head..<range.upperBound])
        }
        chunk.metadata.dictionaryPageOffset = 0
        var header = PageHeader()
        header.type = PageType.dictionary.rawValue
        header.valueCount = dictionary.firsts.count
        header.encoding = Encoding.plain.rawValue
        try page(&header)
    }

    private mutating func dataPage(_ cut: Cut) throws(ParquetError) {
        let leaf = values.leaf
        scratch.removeAll(keepingCapacity: true)
        if leaf.maxRepetition > 0 { levels(values.repetitions, cut.entries, max: leaf.maxRepetition) }
        if leaf.maxDefinition > 0 { levels(values.definitions, cut.entries, max: leaf.maxDefinition) }
        if let dictionary {
            let bits = HybridEncoding.bits(for: dictionary.firsts.count - 1)
            scratch.append(UInt8(bits))
            // Safe: the range is one of the numbers'.
            unsafe dictionary.numbers.withUnsafeBufferPointer { unsafe HybridEncoding.encode(UnsafeBufferPointer(rebasing: $0[cut.values]), bits: bits, to: &scratch) }
        } else {
            plain(cut.values)
        }
        var header = PageHeader()
        header.valueCount = cut.entries.count
        header.encoding = (dictionary == nil ? Encoding.plain : .rleDictionary).rawValue
        let start = chunk.bytes.count
        try page(&header)
        chunk.pages.append(PageLocation(offset: start, size: chunk.bytes.count - start, firstRow: cut.firstRow))
    }

    private mutating func levels(_ levels: [UInt8], _ entries: Range<Int>, max: Int) {
        let start = scratch.count
        scratch.append(contentsOf: [0, 0, 0, 0])
        // Safe: the range is one of the levels'.
        unsafe levels.withUnsafeBufferPointer { unsafe HybridEncoding.encode(UnsafeBufferPointer(rebasing: $0[entries]), bits: HybridEncoding.bits(for: max), to: &scratch) }
        let length = scratch.count - start - 4
        for k in 0..<4 { scratch[start + k] = UInt8(truncatingIfNeeded: length >> (8 * k)) }
    }

    private mutating func plain(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        switch values.leaf.type.physical {
        case .boolean:
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                var byte: UInt8 = 0
                for i in start..<min(start + 8, range.upperBound) { byte |= values.plain[i] << UInt8(i - start) }
                scratch.append(byte)
            }
        case .byteArray: scratch.append(contentsOf: values.plain[values.range(range.lowerBound).lowerBound - 4..<values.ends[range.upperBound - 1]])
        default: scratch.append(contentsOf: values.plain[values.range(range.lowerBound).lowerBound..<values.range(range.upperBound - 1).upperBound])
        }
    }

    /// Packs `scratch` and appends header and page.
    private mutating func page(_ header: inout PageHeader) throws(ParquetError) {
        guard scratch.count <= Int(Int32.max) else { throw .tooLarge("a page of 2 GiB: fewer rows in a row group, or smaller values") }
        var packed: [UInt8] = []
        // Safe: the buffer is read during the call only.
        try unsafe scratch.span.bytes.withUnsafeBytes { (bytes) throws(ParquetError) in unsafe try packer.pack(bytes, to: &packed) }
        header.unpackedSize = scratch.count
        header.packedSize = packed.count
        header.crc = CRC32.of(packed)
        let head = header.serialized
        chunk.bytes.append(contentsOf: head)
        chunk.bytes.append(contentsOf: packed)
        chunk.metadata.unpackedSize += head.count + scratch.count
    }

    // MARK: - Statistics

    private mutating func statistics(_ cuts: [Cut]) {
        var statistics = Statistics()
        statistics.nullCount = values.entryCount - values.valueCount
        if order == .double {
            statistics.nanCount = (0..<values.valueCount).reduce(0) { $0 + (values.double($1).isNaN ? 1 : 0) }
        }
        if let wanted = options.statisticsColumns, !wanted.contains(values.leaf.name) {
            chunk.metadata.statistics = statistics
            return
        }
        let perPage = options.pageIndex && cuts.count > 0 ? pageExtremes(cuts) : []
        let whole = perPage.isEmpty ? extremesOfAll() : values.extremes(perPage.compactMap { $0 }.flatMap { [$0.min, $0.max] }, order: order)
        if let whole { bounds(whole, into: &statistics) }
        chunk.metadata.statistics = statistics
        if options.pageIndex { chunk.columnIndex = columnIndex(cuts, perPage) }
    }

    private func extremesOfAll() -> (min: Int, max: Int)? {
        if let dictionary { return values.extremes(dictionary.firsts, order: order) }
        return values.extremes(0..<values.valueCount, order: order)
    }

    private func pageExtremes(_ cuts: [Cut]) -> [(min: Int, max: Int)?] {
        if cuts.count == 1 { return [extremesOfAll()] }
        return cuts.map { values.extremes($0.values, order: order) }
    }

    private func bounds(_ found: (min: Int, max: Int), into statistics: inout Statistics) {
        let min = bound(found.min, upper: false), max = bound(found.max, upper: true)
        let low = BoundTruncation.min(min, text: isText)
        statistics.min = low
        statistics.minIsExact = low.count == min.count
        if let high = BoundTruncation.max(max, text: isText) {
            statistics.max = high
            statistics.maxIsExact = high == max
        }
    }

    /// A zero stands for both zeros (ColumnOrder: +0.0 above, -0.0 below).
    private func bound(_ i: Int, upper: Bool) -> [UInt8] {
        if order == .double, values.double(i) == 0 { return upper ? [0, 0, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 0x80] }
        return values.statistic(i)
    }

    private var isText: Bool { values.leaf.type.logical == .string }

    private func columnIndex(_ cuts: [Cut], _ extremes: [(min: Int, max: Int)?]) -> ColumnIndex? {
        guard order != .none else { return nil }
        var index = ColumnIndex()
        for (cut, found) in zip(cuts, extremes) {
            index.nullPages.append(cut.values.isEmpty)
            index.nullCounts.append(cut.entries.count - cut.values.count)
            if let found {
                let max = bound(found.max, upper: true)
                index.min.append(BoundTruncation.min(bound(found.min, upper: false), text: isText))
                index.max.append(BoundTruncation.max(max, text: isText) ?? max)
            } else {
                // All NaN: TYPE_ORDER allows no bounds, so no column index.
                guard cut.values.isEmpty else { return nil }
                index.min.append([])
                index.max.append([])
            }
        }
        index.order = boundaryOrder(index)
        return index
    }

    private func boundaryOrder(_ index: ColumnIndex) -> ColumnIndex.Order {
        let filled = index.nullPages.indices.filter { !index.nullPages[$0] }
        var rising = true, falling = true
        for (a, b) in zip(filled, filled.dropFirst()) {
            if order.less(index.min[b], index.min[a]) || order.less(index.max[b], index.max[a]) { rising = false }
            if order.less(index.min[a], index.min[b]) || order.less(index.max[a], index.max[b]) { falling = false }
        }
        return rising ? .ascending : falling ? .descending : .unordered
    }

    private func bloomFilter() -> BloomFilter {
        let numbers = dictionary?.firsts ?? Array(0..<values.valueCount)
        var filter = BloomFilter(distinct: numbers.count)
        unsafe values.plain.withUnsafeBytes { bytes in
            // Safe: the ranges lie within `plain`.
            for i in numbers { unsafe filter.insert(XXHash64.of(UnsafeRawBufferPointer(rebasing: bytes[values.range(i)]))) }
        }
        return filter
    }
}
