// `isotherm archive restore`: the table as it was, somewhere else.

package import ArgumentParser
package import Archive
internal import ObjectStorage

package struct ArchiveRestoreCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Copy the table, now or as of an earlier commit, to an empty place, and check the copy.",
        discussion: """
            isotherm archive restore --data data --to /mnt/second
            isotherm archive restore --archive s3://bucket/cold --to data2/cold --as-of 20260401000000000

            The copy is LOCATION/orders, byte for byte; what was not committed is not in it. Every object is read back, then the table is checked as `archive verify` does.
            """)
    @OptionGroup var place: ArchivePlaceOptions
    @Option(help: ArgumentHelp("An empty folder, made when it is not there, or s3://bucket/prefix?endpoint=...", valueName: "location")) var to: String
    @Option(name: .customLong("as-of"), help: ArgumentHelp("A commit's instant, 17 digits (`archive ls --commits`), or a moment as 2026-04-01T00:00:00Z.", valueName: "instant")) var asOf: String?
    package init() {}

    package func run() async throws {
        let archive = try await place.open(), snapshot = try await archive.table.snapshot(), instant = try asOf.map { try ArchiveAsOf.instant($0, in: snapshot) }
        // Order matters: a moment that is refused leaves no folder behind.
        let target = try ObjectStores.open(location: to)
        var copy = TableCopy(snapshot, to: target, prefix: OpenArchive.prefix)
        try await copy.run(asOf: instant)
        let second = try await OpenArchive(target)
        let outcome = try await ArchiveVerification.run(second.table, includesOlder: true)
        for line in outcome.lines { Terminal.line(line) }
        Terminal.line("\(grouped(copy.objects)) objects, \(grouped(copy.bytes)) bytes copied to \(second.table.place)")
        Terminal.remark("\(archive.readText); of the copy: \(second.readText)")
        if !outcome.isSound { throw ExitCode(1) }
    }
}

package enum ArchiveAsOf {
    /// - Throws: for a text that names no moment, and for a moment before everything: the table was not there then, and an empty copy of it would look sound.
    package static func instant(_ text: String, in snapshot: TableSnapshot) throws(CommandError) -> HudiInstant {
        guard let instant = HudiInstant(text) ?? ArchiveMoments.microseconds(text).map({ HudiInstant(milliseconds: $0 / 1_000) }) else {
            throw CommandError("--as-of is 17 digits as `archive ls --commits` shows them, or a moment as 2026-04-01T00:00:00Z, not \(text)")
        }
        guard let first = snapshot.instants.first else { throw CommandError("--as-of: the table has no commit yet") }
        guard first <= instant else {
            throw CommandError("--as-of \(text) is before the first commit that the table has, \(first) (\(ArchiveMoments.text(first.milliseconds * 1_000)))")
        }
        return instant
    }
}
