// Adding entries to a column. The writer checks at the end of a row group that every column has its rows.
//
// Levels: `repetition` 0 begins a row. A value has the highest definition level of its leaf; `appendNull` says how far the path goes.

extension ColumnValues {
    package mutating func append(_ value: Bool, repetition: UInt8 = 0) {
        precondition(leaf.type.physical == .boolean, "not a BOOLEAN column")
        entry(UInt8(leaf.maxDefinition), repetition)
        plain.append(value ? 1 : 0)
        valueCount += 1
    }

    package mutating func append(_ value: Int32, repetition: UInt8 = 0) {
        precondition(leaf.type.physical == .int32, "not an INT32 column")
        entry(UInt8(leaf.maxDefinition), repetition)
        fixed(UInt64(UInt32(bitPattern: value)), 4)
        valueCount += 1
    }

    package mutating func append(_ value: Int64, repetition: UInt8 = 0) {
        precondition(leaf.type.physical == .int64, "not an INT64 column")
        entry(UInt8(leaf.maxDefinition), repetition)
        fixed(UInt64(bitPattern: value), 8)
        valueCount += 1
    }

    package mutating func append(_ value: Double, repetition: UInt8 = 0) {
        precondition(leaf.type.physical == .double, "not a DOUBLE column")
        entry(UInt8(leaf.maxDefinition), repetition)
        fixed(value.bitPattern, 8)
        valueCount += 1
    }

    /// The unscaled number of a DECIMAL.
    /// - Precondition: it fits the column's bytes, which the precision promises.
    package mutating func append(decimal value: Int64, repetition: UInt8 = 0) {
        let length = leaf.type.length
        precondition(leaf.type.physical == .fixedLengthByteArray && length <= 8, "not a DECIMAL column")
        precondition(length == 8 || (value >> Int64(8 * length - 1) == 0 || value >> Int64(8 * length - 1) == -1), "a decimal beyond its precision")
        entry(UInt8(leaf.maxDefinition), repetition)
        fixed(UInt64(bitPattern: value).byteSwapped >> UInt64(8 * (8 - length)), length)
        valueCount += 1
    }

    package mutating func append(_ value: String, repetition: UInt8 = 0) {
        var value = value
        // Safe: the buffer is read during the call only.
        value.withUTF8 { utf8 in unsafe append(bytes: UnsafeRawBufferPointer(utf8), repetition: repetition) }
    }

    package mutating func append(_ value: [UInt8], repetition: UInt8 = 0) {
        // Safe: as above.
        unsafe value.withUnsafeBytes { unsafe append(bytes: $0, repetition: repetition) }
    }

    package mutating func append(_ value: ArraySlice<UInt8>, repetition: UInt8 = 0) {
        // Safe: as above.
        unsafe value.withUnsafeBytes { unsafe append(bytes: $0, repetition: repetition) }
    }

    /// A value of a BYTE_ARRAY or FIXED_LEN_BYTE_ARRAY column.
    package mutating func append(bytes: UnsafeRawBufferPointer, repetition: UInt8 = 0) {
        entry(UInt8(leaf.maxDefinition), repetition)
        if leaf.type.physical == .byteArray {
            precondition(bytes.count < 1 << 30, "a value of 1 GiB or more")
            fixed(UInt64(bytes.count), 4)
            unsafe plain.append(contentsOf: bytes)
            ends.append(plain.count)
        } else {
            precondition(leaf.type.physical == .fixedLengthByteArray && bytes.count == leaf.type.length, "not \(leaf.type.length) bytes")
            unsafe plain.append(contentsOf: bytes)
        }
        valueCount += 1
    }

    /// No value: a null, or (with a lower definition level) a null or empty list on the path.
    package mutating func appendNull(definition: Int = 0, repetition: UInt8 = 0) {
        precondition(definition >= 0 && definition < leaf.maxDefinition, "a null in a required column")
        entry(UInt8(definition), repetition)
    }

    /// Numbers in bulk, none null, one a row: for flat columns.
    package mutating func append(contentsOf values: Span<Int64>) {
        precondition(leaf.type.physical == .int64 && leaf.maxRepetition == 0, "not a flat INT64 column")
        // Safe: little-endian machines keep an Int64 as PLAIN does; the buffer is read during the call only.
        unsafe values.bytes.withUnsafeBytes { unsafe plain.append(contentsOf: $0) }
        if leaf.maxDefinition > 0 { definitions.append(contentsOf: repeatElement(UInt8(leaf.maxDefinition), count: values.count)) }
        entryCount += values.count
        valueCount += values.count
    }

    /// The entries `range` of another column of the same type and levels (a row's, say, when a file is rewritten). `value` is the number
    /// of the first value among them; gives the number behind the last.
    @discardableResult
    package mutating func append(entries range: Range<Int>, firstValue value: Int, of other: ColumnValues) -> Int {
        precondition(leaf.type == other.leaf.type && leaf.maxDefinition == other.leaf.maxDefinition && leaf.maxRepetition == other.leaf.maxRepetition, "columns differ")
        var present = range.count
        if leaf.maxDefinition > 0 {
            let levels = other.definitions[range]
            definitions.append(contentsOf: levels)
            present = levels.reduce(0) { $0 + ($1 == UInt8(leaf.maxDefinition) ? 1 : 0) }
        }
        if leaf.maxRepetition > 0 { repetitions.append(contentsOf: other.repetitions[range]) }
        if present > 0 {
            let from = leaf.type.physical == .byteArray ? other.range(value).lowerBound - 4 : other.range(value).lowerBound
            let shift = plain.count - from
            plain.append(contentsOf: other.plain[from..<other.range(value + present - 1).upperBound])
            if leaf.type.physical == .byteArray { for end in other.ends[value..<value + present] { ends.append(end + shift) } }
        }
        entryCount += range.count
        valueCount += present
        return value + present
    }

    // MARK: -

    @inline(__always)
    private mutating func entry(_ definition: UInt8, _ repetition: UInt8) {
        if leaf.maxDefinition > 0 { definitions.append(definition) }
        if leaf.maxRepetition > 0 { repetitions.append(repetition) }
        precondition(Int(repetition) <= leaf.maxRepetition, "a repetition level beyond the column's")
        entryCount += 1
    }

    /// The lowest `count` bytes.
    @inline(__always)
    private mutating func fixed(_ value: UInt64, _ count: Int) {
        // Safe: at most 8 bytes of the local value are read.
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe plain.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
