// Reads the files of a bulk load one after another, in batches: records as operations, and what is no record as rejects.

internal import BulkInput
internal import Engine

final class BulkReader {
    struct Batch {
        var items: [BulkItem] = []
        var rejects: [BulkReject] = []
    }

    /// Of all files together, packed as they are; nil when one's size cannot be known.
    let bytesTotal: Int?
    /// Of the files, packed as they are.
    private(set) var bytesRead = 0
    private let index: String
    private let options: BulkInputOptions
    private var waiting: [String]
    private var current: OpenFile?

    /// Holds a reader that cannot be copied.
    private final class OpenFile {
        let name: String
        var records: BulkRecordReader
        init(_ name: String, _ records: consuming BulkRecordReader) {
            self.name = name
            self.records = records
        }
    }

    init(_ files: [String], index: String, idField: String, format: BulkFormat? = nil) {
        (waiting, self.index) = (files, index)
        options = BulkInputOptions(format: format, idField: idField)
        let sizes = files.map(ByteSource.size)
        bytesTotal = sizes.contains { $0 == nil } ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
    }

    /// About `bytesMax` bytes of documents; nil after the last.
    func next(bytesMax: Int) throws(CommandError) -> Batch? {
        var batch = Batch(), bytes = 0
        while bytes < bytesMax, batch.rejects.count < 1000 {
            guard let file = try openFile() else { break }
            let item: BulkInputItem?
            do { item = try file.records.next() } catch { throw CommandError("\(file.name): \(error)") }
            guard let item else {
                current = nil
                continue
            }
            switch item {
            case .rejected(let reject): batch.rejects.append(BulkReject(origin: .init(file: file.name, line: reject.line), reason: reject.reason, document: reject.bytes))
            case .record(let record):
                bytes += record.source.count + 64
                add(record, file.name, to: &batch)
            }
        }
        return batch.items.isEmpty && batch.rejects.isEmpty ? nil : batch
    }

    // MARK: -

    private func openFile() throws(CommandError) -> OpenFile? {
        if let current { return current }
        guard !waiting.isEmpty else { return nil }
        let name = waiting.removeFirst()
        let source: ByteSource
        do { source = try ByteSource.file(name) { [weak self] count in self?.bytesRead += count } } catch { throw CommandError("\(error)") }
        current = OpenFile(name, BulkRecordReader(source, options: options))
        return current
    }

    private func add(_ record: BulkRecord, _ file: String, to batch: inout Batch) {
        let origin = BulkOrigin(file: file, line: record.line)
        let action = WriteOperation.Action(rawValue: record.action.rawValue) ?? .index
        var operation = WriteOperation(action, index: record.index ?? index, id: record.id, source: record.source, routing: record.routing)
        if let unknown = BulkReader.apply(record.metadata, to: &operation) {
            batch.rejects.append(BulkReject(origin: origin, reason: "`\(unknown)` of the action line is not understood here", document: record.source))
        } else {
            batch.items.append(BulkItem(operation: operation, origin: origin))
        }
    }

    /// The first member that cannot be applied, nil when all were.
    private static func apply(_ metadata: [String: String], to operation: inout WriteOperation) -> String? {
        for (name, json) in metadata.sorted(by: { $0.key < $1.key }) {
            let text = json.first == "\"" ? String(json.dropFirst().dropLast()) : json
            switch name {
            case "_type": continue
            case "if_seq_no": operation.ifSeqNo = Int64(text)
            case "if_primary_term": operation.ifPrimaryTerm = Int64(text)
            case "version": operation.version = Int64(text)
            case "retry_on_conflict": operation.retryOnConflict = Int(text) ?? 0
            case "require_alias": operation.requireAlias = text == "true"
            case "version_type":
                guard let type = WriteOperation.VersionType(rawValue: text) else { return name }
                operation.versionType = type
            default: return name
            }
        }
        return nil
    }
}
