// The files of a data folder, each with what it is, as ARCHITECTURE.md lays them out:
//
//     cold/orders/year=<y>/month=<m>/<slice>.parquet
//     indexes/<uuid>/index.json, indexes/<uuid>/<shard>/{commit-<gen>, <seg>.seg, <seg>.<gen>.live, <seg>.<gen>.upd}, .../translog/<gen>

import Bytes
import Glibc
import Indexing
import Segments
import Storage

/// What a file is, by its first bytes where it has an envelope, else by its name.
enum FileForm: Sendable, Equatable {
    case segment, commit, liveDocs, patches, translog, definition, parquet, unknown(String)

    init(head: [UInt8], name: String) {
        let magic = Array("ISOTHERM".utf8)
        if head.starts(with: "PAR1".utf8) {
            self = .parquet
            return
        }
        guard head.count >= 12, Array(head[..<8]) == magic else {
            self = name.hasSuffix(".json") ? .definition : .unknown(name)
            return
        }
        switch String(decoding: head[8..<12], as: UTF8.self) {
        case "SEG ": self = .segment
        case "CMT ": self = .commit
        case "LIVE": self = .liveDocs
        case "UPD ": self = .patches
        case "TLOG": self = .translog
        case let other: self = .unknown(other)
        }
    }
}

/// A path as the folder that holds it and its name there.
struct FilePlace {
    let directory: FileDirectory
    let name: String

    init(_ path: String) throws(StorageError) {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        let slash = trimmed.lastIndex(of: "/")
        name = String(slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed)
        directory = try FileDirectory(slash.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? ".", create: false)
    }

    func bytes() throws(StorageError) -> [UInt8] { try directory.read(name) }

    func form() throws(StorageError) -> FileForm {
        let mapped = try directory.map(name)
        let head = mapped.withBytes { span in (0..<min(16, span.byteCount)).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
        return FileForm(head: head, name: name)
    }
}
