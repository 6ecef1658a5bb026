// The command line: arguments in, exit code out.

import ArgumentParser
import Commands

@main
struct Isotherm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "isotherm",
        abstract: "Search for a shop's catalogue: one binary that speaks Elasticsearch's REST API.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, BulkCommand.self, SearchCommand.self, AnalyzeCommand.self, EvalCommand.self, CheckCommand.self,
            InspectCommand.self, BenchCommand.self,
        ])
}
