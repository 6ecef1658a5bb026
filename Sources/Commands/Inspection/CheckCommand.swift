// `isotherm check --data DIR`: reads everything in a data folder and compares every checksum and count. Writes nothing.
//
// Exit code: 0 when all is sound, 1 when something is damaged or missing; each damage is a line with file and offset.

package import ArgumentParser
import Indexing
import Segments
import Storage

package struct CheckCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Verify every checksum and structure of a data folder.")

    @Option(help: "The data folder.") var data: String
    @Flag(help: "Checksums only; do not walk terms, postings and documents.") var quick = false

    package init() {}

    package func run() throws {
        let check = FolderCheck(quick: quick)
        try check.run(try FileDirectory(data, create: false))
        for damage in check.damages { Terminal.line("DAMAGED \(damage)") }
        Terminal.line("\(check.files) files, \(check.segments) segments, \(grouped(check.documents)) documents in commits, \(grouped(check.bytes)) bytes: "
            + (check.damages.isEmpty ? "sound" : "\(check.damages.count) damaged"))
        if !check.damages.isEmpty { throw ExitCode(1) }
    }
}

/// Walks the folders and goes on after damage, so that one run names all of it.
final class FolderCheck {
    private let quick: Bool
    private(set) var damages: [String] = []
    private(set) var files = 0, segments = 0, documents = 0, bytes = 0

    init(quick: Bool) { self.quick = quick }

    func run(_ root: FileDirectory) throws(StorageError) {
        guard try root.listDirectories().contains("indexes") else {
            throw StorageError(.notFound, path: root.path, "no `indexes` folder here; this is not a data folder")
        }
        let indexes = try root.directory("indexes")
        for uuid in try indexes.listDirectories() {
            let index = try indexes.directory(uuid)
            for name in try index.list() { noting { () throws(StorageError) in try self.small(index, name) } }
            for shard in try index.listDirectories() { noting { () throws(StorageError) in try self.shard(try index.directory(shard)) } }
        }
    }

    // MARK: -

    private func noting(_ body: () throws(StorageError) -> Void) {
        do { try body() } catch { damages.append(error.description) }
    }

    /// Counts a file that has no structure of its own to verify, or whose reader verifies it elsewhere.
    private func small(_ directory: any Directory, _ name: String) throws(StorageError) {
        files += 1
        bytes += try directory.length(name) ?? 0
    }

    private func shard(_ directory: any Directory) throws(StorageError) {
        for name in try directory.list() { try small(directory, name) }
        guard let commit = try CommitPoint.newest(in: directory) else { return }
        for entry in commit.segments {
            noting { () throws(StorageError) in try self.segment(directory, entry) }
        }
        if try directory.listDirectories().contains("translog") {
            let translog = try directory.directory("translog")
            for name in try translog.list() { try small(translog, name) }
            noting { () throws(StorageError) in try TranslogCheck.run(translog) }
        }
    }

    private func segment(_ directory: any Directory, _ entry: CommitPoint.SegmentEntry) throws(StorageError) {
        let file = try SegmentFile.open(directory, name: entry.name + ".seg", length: entry.length)
        let path = directory.path + "/" + entry.name + ".seg"
        func damaged(_ reason: String) -> StorageError { StorageError(.corrupt, path: path, reason) }
        guard file.id == entry.id else { throw damaged("its id is \(file.id), the commit point says \(entry.id)") }
        try file.verifyAll()
        segments += 1
        let segment = try Segment(file)
        guard segment.docCount == entry.docCount else { throw damaged("it has \(segment.docCount) documents, the commit point says \(entry.docCount)") }
        documents += entry.docCount - entry.deletedCount
        if entry.liveGeneration > 0 {
            let name = LiveDocs.fileName(segment: entry.name, generation: entry.liveGeneration)
            let live = try LiveDocs.decode(try directory.read(name), id: entry.id, docCount: entry.docCount, path: directory.path + "/" + name)
            guard live.count - live.cardinality() == entry.deletedCount else {
                throw StorageError(.corrupt, path: directory.path + "/" + name, "the commit point says \(entry.deletedCount) deleted")
            }
        }
        if entry.patchGeneration > 0 {
            let name = SegmentPatches.fileName(segment: entry.name, generation: entry.patchGeneration)
            let patches = try SegmentPatches.decode(
                try directory.read(name), id: entry.id, docCount: entry.docCount, fieldCount: segment.fields.count, path: directory.path + "/" + name)
            let patched = Segment(segment, patches: patches, changes: [])
            try patches.forEach { document throws(StorageError) in _ = try patched.columns.source(of: document.doc) }
        }
        if !quick { try SegmentWalk(segment, path: path).run() }
    }
}
