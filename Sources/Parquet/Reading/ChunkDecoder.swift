// Pages back to entries. Pages are checked against their CRC where they carry one; every count is bounded by `ParquetLimits` or by the
// bytes that must back it; levels and dictionary numbers out of range are damage.

internal import Bytes

struct ChunkDecoder {
    private let leaf: ParquetSchema.Leaf
    private let packer: Packer
    private let limits: ParquetLimits
    private var dictionary: ColumnValues?
    private(set) var values: ColumnValues
    private(set) var rowCount = 0
    /// Bytes of pages so far: many pages without values, or with some behind them, would unpack for ever otherwise.
    private var unpacked = 0

    init(_ leaf: ParquetSchema.Leaf, compression: Int32, limits: ParquetLimits) throws(ParquetError) {
        guard leaf.type.physical != .int96, leaf.type.physical != .float else { throw .unsupported("physical type \(leaf.type.physical) (column \(leaf.name))") }
        guard leaf.maxDefinition < 256, leaf.maxRepetition < 256 else { throw .tooLarge("levels of column \(leaf.name)") }
        guard let known = Compression(rawValue: compression) else { throw .unsupported("codec \(compression) (column \(leaf.name))") }
        self.leaf = leaf
        packer = try Packer(known)
        self.limits = limits
        values = ColumnValues(leaf)
    }

    /// Reads the page that begins at `offset` of `bytes`.
    /// - Parameter base: where `bytes` begin in the file, for errors.
    /// - Returns: the offset behind it.
    mutating func page(_ bytes: [UInt8], at offset: Int, end: Int, base: Int) throws(ParquetError) -> Int {
        var reader = ThriftReader(bytes, at: offset, end: end, base: base)
        let header = try PageHeader(reading: &reader, limits: limits)
        let start = reader.offset
        guard header.packedSize <= end - start else { throw .damaged("page beyond its column chunk", offset: base + start) }
        let stop = start + header.packedSize
        if header.type == PageType.index.rawValue { return stop }
        // Safe: spans and buffers are read during the calls only; so below.
        let packed = unsafe bytes.span.bytes.extracting(start..<stop)
        unpacked += header.unpackedSize
        guard unpacked <= limits.chunkBytesMax else { throw .tooLarge("a column chunk of more than \(limits.chunkBytesMax) bytes unpacked (column \(leaf.name))") }
        if let crc = header.crc, CRC32.of(packed) != crc { throw .damaged("page checksum differs", offset: base + start) }
        let content = try unsafe packed.withUnsafeBytes { (buffer) throws(ParquetError) in try unsafe packer.unpack(buffer, count: header.unpackedSize) }
        do throws(ParquetError) {
            if header.type == PageType.dictionary.rawValue { try dictionaryPage(header, content) } else { try dataPage(header, content) }
        } catch {
            // Offsets within an unpacked page say little: the page's own is given.
            if case .damaged(let what, _) = error { throw .damaged("\(what) (column \(leaf.name))", offset: base + offset) }
            throw error
        }
        return stop
    }

    // MARK: -

    private mutating func dictionaryPage(_ header: PageHeader, _ content: [UInt8]) throws(ParquetError) {
        guard dictionary == nil, values.entryCount == 0 else { throw .damaged("dictionary page out of place", offset: 0) }
        guard header.encoding == Encoding.plain.rawValue || header.encoding == Encoding.plainDictionary.rawValue else { throw .unsupported("dictionary encoding \(header.encoding)") }
        var found = ColumnValues(leaf)
        try Self.plain(content, from: 0, count: header.valueCount, into: &found)
        dictionary = found
    }

    private mutating func dataPage(_ header: PageHeader, _ content: [UInt8]) throws(ParquetError) {
        let count = header.valueCount
        guard values.entryCount + count <= limits.chunkEntriesMax else { throw .tooLarge("a column chunk of more than \(limits.chunkEntriesMax) entries") }
        var at = 0, present = count
        if leaf.maxRepetition > 0 {
            try Self.expectRLE(header.repetitionEncoding)
            let (levels, next) = try Self.levels(content, at, count, max: leaf.maxRepetition)
            guard values.entryCount > 0 || count == 0 || levels[0] == 0 else { throw .damaged("column that begins within a row", offset: at) }
            rowCount += levels.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
            values.repetitions += levels
            at = next
        } else {
            rowCount += count
        }
        if leaf.maxDefinition > 0 {
            try Self.expectRLE(header.definitionEncoding)
            let (levels, next) = try Self.levels(content, at, count, max: leaf.maxDefinition)
            let top = UInt8(leaf.maxDefinition)
            present = levels.reduce(0) { $0 + ($1 == top ? 1 : 0) }
            values.definitions += levels
            at = next
        }
        values.entryCount += count
        switch Encoding(rawValue: header.encoding) {
        case .plain: try Self.plain(content, from: at, count: present, into: &values)
        case .rleDictionary, .plainDictionary: try numbered(content, from: at, count: present)
        case .rle where leaf.type.physical == .boolean: try booleans(content, from: at, count: present)
        case let other?: throw .unsupported("encoding \(other) (column \(leaf.name))")
        case nil: throw .unsupported("encoding \(header.encoding) (column \(leaf.name))")
        }
        guard values.byteCount <= limits.chunkBytesMax else { throw .tooLarge("a column chunk of more than \(limits.chunkBytesMax) bytes") }
    }

    private static func expectRLE(_ encoding: Int32) throws(ParquetError) {
        guard encoding == Encoding.rle.rawValue else { throw .unsupported("levels in encoding \(encoding)") }
    }

    private static func levels(_ content: [UInt8], _ at: Int, _ count: Int, max: Int) throws(ParquetError) -> ([UInt8], Int) {
        guard content.count - at >= 4 else { throw .damaged("levels truncated", offset: at) }
        let length = (0..<4).reduce(0) { $0 | Int(content[at + $1]) << (8 * $1) }, start = at + 4
        guard length <= content.count - start else { throw .damaged("levels beyond the page", offset: at) }
        var levels: [UInt8] = []
        levels.reserveCapacity(count)
        try unsafe content.span.bytes.extracting(start..<start + length).withUnsafeBytes { (bytes) throws(ParquetError) in
            _ = try unsafe HybridEncoding.decode(bytes, from: 0, bits: HybridEncoding.bits(for: max), count: count, max: UInt32(max)) { value, times in
                if times == 1 { levels.append(UInt8(truncatingIfNeeded: value)) } else { levels.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: value), count: times)) }
            }
        }
        return (levels, start + length)
    }

    private static func plain(_ content: [UInt8], from start: Int, count: Int, into values: inout ColumnValues) throws(ParquetError) {
        switch values.leaf.type.physical {
        case .boolean:
            guard content.count - start >= (count + 7) / 8 else { throw .damaged("values truncated", offset: start) }
            for i in 0..<count { values.plain.append(content[start + i / 8] >> UInt8(i % 8) & 1) }
        case .byteArray:
            var at = start
            let shift = values.plain.count - start
            guard count <= (content.count - start) / 4 else { throw .damaged("values truncated", offset: start) }
            values.ends.reserveCapacity(values.ends.count + count)
            for _ in 0..<count {
                guard content.count - at >= 4 else { throw .damaged("value truncated", offset: at) }
                let length = Int(content[at]) | Int(content[at + 1]) << 8 | Int(content[at + 2]) << 16 | Int(content[at + 3]) << 24
                guard length <= content.count - at - 4 else { throw .damaged("value truncated", offset: at) }
                at += 4 + length
                values.ends.append(at + shift)
            }
            values.plain += content[start..<at]
        default:
            let (size, over) = count.multipliedReportingOverflow(by: values.leaf.type.width)
            guard !over, content.count - start >= size else { throw .damaged("values truncated", offset: start) }
            values.plain += content[start..<start + size]
        }
        values.valueCount += count
    }

    private mutating func numbered(_ content: [UInt8], from start: Int, count: Int) throws(ParquetError) {
        if count == 0 { return }
        guard let dictionary else { throw .damaged("numbers without a dictionary", offset: start) }
        guard start < content.count, content[start] <= 32 else { throw .damaged("numbers of more than 32 bits", offset: start) }
        guard dictionary.valueCount > 0 else { throw .damaged("numbers into an empty dictionary", offset: start) }
        // The bound is checked before memory is taken: few bytes may repeat a long value often.
        let room = limits.chunkBytesMax - values.byteCount, isVariable = leaf.type.physical == .byteArray, width = leaf.type.width
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count)
        try unsafe content.span.bytes.withUnsafeBytes { (bytes) throws(ParquetError) in
            _ = try unsafe HybridEncoding.decode(bytes, from: start + 1, bits: Int(content[start]), count: count, max: UInt32(clamping: dictionary.valueCount - 1)) { value, times in
                if times == 1 { numbers.append(value) } else { numbers.append(contentsOf: repeatElement(value, count: times)) }
            }
        }
        let size = isVariable ? numbers.reduce(0) { $0 + dictionary.range(Int($1)).count + 12 } : count * width
        guard size <= room else { throw .tooLarge("a column chunk of more than \(limits.chunkBytesMax) bytes") }
        values.plain.reserveCapacity(values.plain.count + size)
        for number in numbers {
            let range = dictionary.range(Int(number))
            values.plain.append(contentsOf: dictionary.plain[(isVariable ? range.lowerBound - 4 : range.lowerBound)..<range.upperBound])
            if isVariable { values.ends.append(values.plain.count) }
        }
        values.valueCount += count
    }

    private mutating func booleans(_ content: [UInt8], from start: Int, count: Int) throws(ParquetError) {
        guard content.count - start >= 4 else { throw .damaged("values truncated", offset: start) }
        var found: [UInt8] = []
        try unsafe content.span.bytes.withUnsafeBytes { (bytes) throws(ParquetError) in
            _ = try unsafe HybridEncoding.decode(bytes, from: start + 4, bits: 1, count: count, max: 1) { value, times in
                found.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: value), count: times))
            }
        }
        values.plain += found
        values.valueCount += count
    }
}
