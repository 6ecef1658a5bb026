// The columns of a row group, handed out one by one to the tasks that encode them: large ones take long, so none waits for another.

internal import Synchronization

final class SharedColumns: Sendable {
    private let columns: [ColumnValues]
    private let options: ParquetWriter.Options
    private let next = Atomic<Int>(0)

    init(_ columns: [ColumnValues], _ options: ParquetWriter.Options) { (self.columns, self.options) = (columns, options) }

    /// Encodes columns until none is left.
    func encodeSome() -> [(Int, Result<EncodedChunk, ParquetError>)] {
        var done: [(Int, Result<EncodedChunk, ParquetError>)] = []
        do throws(ParquetError) {
            let packer = try Packer(options.compression, level: options.compressionLevel)
            while true {
                let i = next.add(1, ordering: .relaxed).oldValue
                guard i < columns.count else { return done }
                done.append((i, .success(try ChunkEncoder.encode(columns[i], options: options, packer: packer))))
            }
        } catch {
            done.append((-1, .failure(error)))
            return done
        }
    }
}
