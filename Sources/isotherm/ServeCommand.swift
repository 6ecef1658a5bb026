// `isotherm serve`: the REST server over a data folder.

import ArgumentParser
import Glibc
import IsothermNode

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serve a data folder over HTTP.")

    @Option(help: "The data folder; made when it is not there.") var data: String?
    @Option(help: "The address to listen on.") var host: String?
    @Option(help: "The port to listen on; 0 takes a free one.") var port: Int?
    @Option(help: "A configuration file (YAML); options here go before it.") var config: String?

    func run() async throws {
        var configuration = ServerConfiguration()
        if let config { configuration = try ServerConfiguration(path: config) }
        if let data { configuration.data = data }
        if let host { configuration.host = host }
        if let port { configuration.port = port }
        try await Server.run(configuration) { line in
            print(line)
            fflush(nil)
        }
    }
}
