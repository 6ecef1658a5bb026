// A row group on its way: taken out of the writer with its rows, encoded by any task, put back in turn. So one task gathers the next rows while others encode.
//
//     writer.columns -> sealRowGroup -> SealedGroup -> encoded() -> EncodedGroup -> writer.add
//
// The bytes are those that `endRowGroup` makes.

package struct SealedGroup: Sendable {
    let columns: [ColumnValues], rows: Int, options: ParquetWriter.Options
    /// The first value of the look-up column, and whether the row group before ends with the same.
    let firstKey: [UInt8], continues: Bool

    package func encoded() throws(ParquetError) -> EncodedGroup { try encoded(Packer(options.compression, level: options.compressionLevel)) }

    func encoded(_ packer: Packer) throws(ParquetError) -> EncodedGroup {
        var chunks: [EncodedChunk] = []
        chunks.reserveCapacity(columns.count)
        for column in columns { chunks.append(try ChunkEncoder.encode(column, options: options, packer: packer)) }
        return EncodedGroup(chunks: chunks, group: self)
    }
}

package struct EncodedGroup: Sendable {
    var chunks: [EncodedChunk]
    let group: SealedGroup

    /// Columns without entries, with their memory, for a row group to come; this one's are gone then.
    package consuming func emptied() -> [ColumnValues] {
        var columns = group.columns
        self = EncodedGroup(chunks: [], group: SealedGroup(columns: [], rows: 0, options: group.options, firstKey: [], continues: false))
        for i in columns.indices { columns[i].removeAll() }
        return columns
    }
}
