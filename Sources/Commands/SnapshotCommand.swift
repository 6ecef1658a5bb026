// `isotherm snapshot create|ls|restore|delete|verify|sweep`: snapshots of indexes in a folder or on S3, without a server. A running server has the same over REST.

package import ArgumentParser
internal import ElasticAPI
internal import Engine
import Glibc
internal import JSON
internal import ObjectStorage
import Storage

package struct SnapshotCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Snapshots of indexes in a folder or on S3: take, list, restore, delete, verify, sweep.",
        subcommands: [
            SnapshotCreateCommand.self, SnapshotListCommand.self, SnapshotRestoreCommand.self, SnapshotDeleteCommand.self, SnapshotVerifyCommand.self,
            SnapshotSweepCommand.self,
        ])
    package init() {}
}

package struct SnapshotPlace: ParsableArguments {
    @Option(help: "Where the snapshots are: a folder, or s3://bucket/prefix (docs/object-store.md).") var repo: String
    package init() {}

    /// - Parameter makes: whether a folder that is not there is made.
    func open(makes: Bool = false, packs: Bool = true) throws -> SnapshotRepository {
        let folder = repo.hasPrefix("file://") ? String(repo.dropFirst(7)) : repo
        if !makes, !folder.contains("://") {
            // Safe: the path lives through the call, which keeps no pointer.
            guard unsafe access(folder, R_OK) == 0 else { throw CommandError("\(folder): \(Files.reason())") }
        }
        let name = repo.split(separator: "?", maxSplits: 1).first.map(String.init) ?? repo
        return SnapshotRepository(name: name, try ObjectStores.open(location: repo), packs: packs)
    }
}

/// A data folder's node while the body runs.
private func withNode<R>(_ data: String, makes: Bool = false, _ body: (Node) async throws -> R) async throws -> R {
    var options = NodeOptions()
    options.background = false
    let node = try await Node.open(root: try FileDirectory(data, create: makes), options: options)
    do {
        let result = try await body(node)
        await node.close()
        return result
    } catch {
        await node.close()
        throw error
    }
}

package struct SnapshotCreateCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Take a snapshot. No server may be running on the data folder.",
        discussion: "isotherm snapshot create monday --data data --repo /mnt/snapshots\n\nWhat the repository has already is not sent again.")
    @Argument(help: "Its name: lower case, no spaces.") var name: String
    @OptionGroup var place: SnapshotPlace
    @Option(help: "The data folder.") var data = "data"
    @Option(help: "Names and patterns of indexes, with commas between; all when nothing is said.") var indices: String?
    @Flag(help: "Keep files as they are, also where LZ4 would save a tenth.") var unpacked = false
    @Flag(help: "Print JSON.") var json = false
    package init() {}

    package func run() async throws {
        let start = monotonicNanoseconds()
        // Order matters: a data folder that is in use, or not there, leaves no empty repository behind.
        let manifest = try await withNode(data) { node in
            let repository = try place.open(makes: true, packs: !unpacked)
            try await repository.tryOut()
            return try await node.takeSnapshot(SnapshotRequest(name, indices: indices), in: repository)
        }
        let seconds = Double(monotonicNanoseconds() &- start) / 1e9
        func sum(_ of: (IndexSnapshotManifest) -> Int) -> Int { manifest.indices.reduce(0) { $0 + of($1) } }
        let (files, bytes) = (sum(\.fileCount), sum(\.bytes)), added = (files: sum(\.addedFiles), bytes: sum(\.addedBytes), stored: sum(\.addedStored))
        if json {
            let value: JSONValue = [
                "snapshot": .string(manifest.name), "indices": .array(manifest.indices.map { .string($0.name) }), "documents": .integer(Int64(sum(\.documents))),
                "files": .integer(Int64(files)), "bytes": .integer(Int64(bytes)), "added_files": .integer(Int64(added.files)), "added_bytes": .integer(Int64(added.bytes)),
                "added_stored": .integer(Int64(added.stored)), "seconds": .number(seconds),
            ]
            return Terminal.line(value.text)
        }
        Terminal.line("\(manifest.name): \(manifest.indices.count) indexes, \(grouped(sum(\.documents))) documents, \(grouped(files)) files of \(grouped(bytes)) bytes; "
            + "sent \(grouped(added.files)) files of \(grouped(added.bytes)) bytes as \(grouped(added.stored)), in \(fixed(seconds, 2)) s")
    }
}

package struct SnapshotListCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(commandName: "ls", abstract: "List snapshots, oldest first.")
    @OptionGroup var place: SnapshotPlace
    @Flag(help: "Print JSON, an array.") var json = false
    package init() {}

    package func run() async throws {
        let entries = try await place.open().list()
        if json {
            return Terminal.line(JSONValue.array(entries.map { entry in
                [
                    "snapshot": .string(entry.name), "uuid": .string(entry.uuid), "state": .string(entry.state), "start_time": .string(DateText.iso(entry.started)),
                    "indices": .array(entry.indices.map { .string($0) }), "bytes": .integer(entry.bytes),
                ]
            }).text)
        }
        for entry in entries {
            Terminal.line("\(entry.name.padded(24)) \(DateText.iso(entry.started)) \(grouped(Int(entry.bytes)).padded(16, left: true)) bytes  \(entry.indices.joined(separator: ","))")
        }
    }
}

package struct SnapshotRestoreCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a snapshot's indexes, under other names if wanted. No server may be running on the data folder.",
        discussion: """
            isotherm snapshot restore monday --data data --repo /mnt/snapshots --rename-pattern '(.+)' --rename-replacement 'monday-$1'

            An index that is there is never touched: a name that is taken is refused.
            """)
    @Argument(help: "The snapshot's name.") var name: String
    @OptionGroup var place: SnapshotPlace
    @Option(help: "The data folder; made when it is not there.") var data = "data"
    @Option(help: "Names and patterns of the snapshot's indexes, with commas between; all when nothing is said.") var indices: String?
    @Option(help: "A regular expression over the indexes' names.") var renamePattern: String?
    @Option(help: "What each match of it becomes; $1 is its first group.") var renameReplacement: String?
    @Flag(help: "Leave the aliases.") var withoutAliases = false
    package init() {}

    package func validate() throws {
        if (renamePattern == nil) != (renameReplacement == nil) { throw ValidationError("--rename-pattern and --rename-replacement go together") }
    }

    package func run() async throws {
        let repository = try place.open(), start = monotonicNanoseconds()
        var request = RestoreRequest(name, indices: indices)
        request.includesAliases = !withoutAliases
        if let renamePattern, let renameReplacement { try request.rename(renamePattern, to: renameReplacement) }
        let made = try await withNode(data, makes: true) { [request] node in try await node.restore(request, from: repository) }
        if made.isEmpty {
            let names = try await repository.manifest(name).indices.map(\.name).joined(separator: ", ")
            throw CommandError("nothing was restored: snapshot \(name) " + (names.isEmpty ? "has no indexes" : "has none that \(indices ?? "_all") stands for, but \(names)"))
        }
        Terminal.line("restored \(made.joined(separator: ", ")) in \(fixed(Double(monotonicNanoseconds() &- start) / 1e9, 2)) s")
    }
}

package struct SnapshotDeleteCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete snapshots, and what no other snapshot needs.")
    @Argument(help: "Names.") var names: [String]
    @OptionGroup var place: SnapshotPlace
    package init() {}

    package func run() async throws {
        try await place.open().delete(names)
        Terminal.line("deleted \(names.joined(separator: ", "))")
    }
}

package struct SnapshotVerifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every byte of every snapshot and compare the digests. Exit code 1 when something is damaged or missing.")
    @OptionGroup var place: SnapshotPlace
    @Flag(help: "Names and lengths only.") var quick = false
    package init() {}

    package func run() async throws {
        let report = try await place.open().verify(reading: !quick)
        for problem in report.problems { Terminal.line("DAMAGED \(problem)") }
        Terminal.line("\(report.snapshots) snapshots, \(grouped(report.blobs)) blobs of \(grouped(report.stored)) bytes (\(grouped(report.bytes)) unpacked): "
            + (report.problems.isEmpty ? "sound" : "\(report.problems.count) damaged")
            + (report.unnamed > 0 ? "; \(grouped(report.unnamed)) objects that nothing names (isotherm snapshot sweep)" : ""))
        if !report.problems.isEmpty { throw ExitCode(1) }
    }
}

package struct SnapshotSweepCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "sweep", abstract: "Remove what stopped processes left: objects that no snapshot names.",
        discussion: "A snapshot that is being taken meanwhile notices, and sends its files again; in a folder, what another process is just writing can fail, and is to be tried again.")
    @OptionGroup var place: SnapshotPlace
    package init() {}

    package func run() async throws {
        let swept = try await place.open().sweep()
        Terminal.line("removed \(grouped(swept.objects)) objects of \(grouped(swept.bytes)) bytes")
    }
}
