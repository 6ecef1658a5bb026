// The command line: arguments in, exit code out.

import ArgumentParser
import Commands

@main
struct Isotherm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "isotherm",
        abstract: "A shop's search and orders in one binary: Elasticsearch's REST API, and /api for what is bought.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, BulkCommand.self, SearchCommand.self, AnalyzeCommand.self, EvalCommand.self, CheckCommand.self,
            InspectCommand.self, SnapshotCommand.self, BenchCommand.self,
            ImportCommand.self, AuditCommand.self, TierCommand.self, ArchiveCommand.self, BackupCommand.self, RestoreCommand.self, TokenCommand.self, SignCommand.self,
        ])
}
