// A translog file in words: its head, then its operations with sequence number, version and id. Documents themselves are not
// shown but for their size.

internal import Engine
import Storage

struct TranslogInspection {
    private let place: FilePlace
    private let rows: Int

    init(_ place: FilePlace, rows: Int) { (self.place, self.rows) = (place, rows) }

    func print() throws {
        let mapped = try place.directory.map(place.name)
        let header = try TranslogFile.header(mapped)
        Terminal.line("translog, format version \(TranslogFile.version), generation \(header.generation), \(grouped(mapped.count)) bytes")
        Terminal.line("valid bytes of the generation before: \(header.previousLength == 0 ? "none to replay" : grouped(header.previousLength))")
        Terminal.line("\n" + "sequence".padded(12, left: true) + "version".padded(10, left: true) + "bytes".padded(10, left: true) + "  operation")
        var shown = 0
        let (end, operations) = try TranslogFile.replay(mapped, generation: header.generation, end: nil) { operation in
            shown += 1
            if shown <= rows { Terminal.line(line(operation)) }
        }
        if operations > rows { Terminal.line("… and \(grouped(operations - rows)) more; --rows \(operations) shows all") }
        Terminal.line("\n\(grouped(operations)) operations, valid up to offset \(end)" + (end < mapped.count ? "; what follows is the trace of a crash" : ""))
    }

    // MARK: -

    private func line(_ operation: LoggedOperation) -> String {
        func row(_ seqNo: Int64?, _ version: Int64?, _ bytes: Int?, _ text: String) -> String {
            let numbers = [(seqNo.map(String.init), 12), (version.map(String.init), 10), (bytes.map(grouped), 10)]
            return numbers.map { ($0.0 ?? "").padded($0.1, left: true) }.joined() + "  " + text
        }
        switch operation {
        case .index(let id, let routing, let source, let version, let seqNo, _):
            return row(seqNo, version, source.count, "index \(id)" + (routing.map { ", routing \($0)" } ?? ""))
        case .delete(let id, let version, let seqNo, _): return row(seqNo, version, nil, "delete \(id)")
        case .patch(let id, let values, let version, let seqNo, _):
            return row(seqNo, version, nil, "patch \(id): \(values.map(\.path).joined(separator: ", "))")
        case .position(let version): return row(nil, nil, nil, "followed up to \(version)")
        case .mapping(let definition): return row(nil, nil, definition.count, "new fields")
        case .marker: return row(nil, nil, nil, "durable up to here")
        }
    }
}

/// Every record of every generation, as recovery would read them.
enum TranslogCheck {
    static func run(_ directory: any Directory) throws(StorageError) {
        let generations = try directory.list().compactMap(UInt64.init).sorted()
        for (place, generation) in generations.enumerated() {
            let file = try directory.map(String(generation))
            let header = try TranslogFile.header(file)
            guard header.generation == generation else {
                throw StorageError(.corrupt, path: file.path, "holds generation \(header.generation)", at: 16)
            }
            var end: Int?
            if place + 1 < generations.count {
                let next = try TranslogFile.header(try directory.map(String(generations[place + 1]))).previousLength
                // 0: nothing of this generation needs replaying; it is on its way out.
                if next == 0 { continue }
                end = next
            }
            do throws(EngineError) { _ = try TranslogFile.replay(file, generation: generation, end: end) { _ throws(EngineError) in } } catch {
                throw StorageError(.corrupt, path: file.path, error.reason)
            }
        }
    }
}
