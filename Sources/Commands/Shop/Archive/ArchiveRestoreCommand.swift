// `isotherm archive restore`: the table as it was, somewhere else.

package import ArgumentParser
internal import Archive
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
        let instant = try asOf.map { text in
            guard let instant = HudiInstant(text) ?? ArchiveMoments.microseconds(text).map({ HudiInstant(milliseconds: $0 / 1_000) }) else {
                throw CommandError("--as-of is 17 digits as `archive ls --commits` shows them, or a moment as 2026-04-01T00:00:00Z, not \(text)")
            }
            return instant
        }
        let archive = try await place.open(), target = try ObjectStores.open(location: to)
        var copy = TableCopy(try await archive.table.snapshot(), to: target, prefix: OpenArchive.prefix)
        try await copy.run(asOf: instant)
        let second = try await OpenArchive(target)
        let outcome = try await ArchiveVerification.run(second.table, includesOlder: true)
        for line in outcome.lines { Terminal.line(line) }
        Terminal.line("\(grouped(copy.objects)) objects, \(grouped(copy.bytes)) bytes copied to \(second.table.place)")
        Terminal.remark("\(archive.readText); of the copy: \(second.readText)")
        if !outcome.isSound { throw ExitCode(1) }
    }
}
