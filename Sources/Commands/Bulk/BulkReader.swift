// Reads the files of a bulk load one after another, in batches.

internal import Engine
import Glibc
internal import JSON

final class BulkReader {
    struct Batch {
        var items: [BulkItem] = []
        var rejects: [BulkReject] = []
    }

    /// Nil when a file's size cannot be known.
    let bytesTotal: Int?
    private(set) var bytesRead = 0
    private let index: String
    private let idField: String
    private var waiting: [String]
    private var current: (name: String, lines: LineFile, line: Int)?

    init(_ files: [String], index: String, idField: String) throws(CommandError) {
        (waiting, self.index, self.idField) = (files, index, idField)
        bytesTotal = nil
    }

    func next(bytesMax: Int) throws(CommandError) -> Batch? {
        while true {
            if current == nil {
                guard !waiting.isEmpty else { return nil }
                let name = waiting.removeFirst()
                current = (name, try LineFile(name), 0)
            }
            guard let file = current else { return nil }
            guard let lines = try file.lines.next(bytesMax: bytesMax) else {
                current = nil
                continue
            }
            var batch = Batch(), line = file.line
            for bytes in lines {
                line += 1
                bytesRead += bytes.count
                batch.items.append(BulkItem(operation: WriteOperation(.index, index: index, id: BenchMapping.id(of: bytes), source: bytes), origin: BulkOrigin(file: file.name, line: line)))
            }
            current?.line = line
            return batch
        }
    }
}
