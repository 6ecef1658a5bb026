// `isotherm serve`: the REST server over a data folder.

import ArgumentParser
import Commands
import IsothermNode

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serve a data folder over HTTP.")

    @Option(help: "The data folder; made when it is not there.") var data: String?
    @Option(help: "The address to listen on.") var host: String?
    @Option(help: "The port to listen on.") var port: Int?
    @Option(help: "A configuration file (YAML); options here go before it.") var config: String?

    func run() async throws { throw CommandError("not wired yet") }
}
