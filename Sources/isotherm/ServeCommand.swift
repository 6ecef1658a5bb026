// `isotherm serve`: the REST server over a data folder. The configuration file first, options of the command line over it.

import ArgumentParser
import Commands
import IsothermNode

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a data folder over HTTP.",
        discussion: "isotherm serve --data data --port 9200\n\nEnds on SIGINT and SIGTERM, after what is under way is answered and everything is durable.")

    @Option(help: "The data folder; made when it is not there.") var data: String?
    @Option(help: "The address to listen on.") var host: String?
    @Option(help: "The port to listen on; 0 takes a free one.") var port: Int?
    @Option(help: "A configuration file (YAML); options here go before it.") var config: String?

    func validate() throws {
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535") }
    }

    func run() async throws {
        var configuration = try config.map { path throws(ConfigurationError) in try ServerConfiguration(path: path) } ?? ServerConfiguration()
        configuration.data = data ?? configuration.data
        configuration.host = host ?? configuration.host
        configuration.port = port ?? configuration.port
        try await Server.run(configuration) { Terminal.line($0) }
    }
}
