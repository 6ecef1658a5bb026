// The one way in which commands reach an index: REST requests, sent to a server (`--url`) or answered in this very process over
// a data folder (`--data`). So a command works the same on both, and sees what any other client sees.

package import ArgumentParser
package import JSON

package protocol Gateway: Sendable {
    func send(_ request: HTTPRequest) async throws -> HTTPAnswer
    func close() async
}

extension Gateway {
    /// The answer's JSON.
    /// - Throws: a CommandError with the server's reason when the status is not below 300.
    package func json(_ request: HTTPRequest) async throws -> JSONValue {
        let answer = try await send(request)
        let value: JSONValue
        do { value = try JSONValue.parse(answer.body) } catch {
            throw CommandError("status \(answer.status), and the answer is no JSON: \(error)")
        }
        guard answer.status < 300 else { throw CommandError(reason(of: value) ?? "status \(answer.status)") }
        return value
    }
}

/// Elasticsearch's error shape in one line; nil when it has another.
package func reason(of answer: JSONValue) -> String? {
    guard let error = answer["error"] else { return nil }
    if let text = error.string { return text }
    let cause = error["root_cause"]?.array?.first ?? error
    guard let reason = cause["reason"]?.string ?? error["reason"]?.string else { return nil }
    let inner = error["caused_by"]?["reason"]?.string.map { ": " + $0 } ?? ""
    return "\(cause["type"]?.string ?? "error"): \(reason)\(inner)"
}

/// `--url` and `--data`, as all commands that need an index take them.
package struct IndexLocation: ParsableArguments {
    @Option(help: "The server.") package var url: String?
    @Option(help: "A data folder, opened by this process; no server may be running on it.") package var data: String?

    package init() {}

    package func validate() throws {
        if url != nil, data != nil { throw ValidationError("give --url or --data, not both") }
    }

    /// The server at 127.0.0.1:9200 when neither was given.
    package func gateway() async throws -> any Gateway {
        if let data { return try await LocalGateway(data: data) }
        return RemoteGateway(try ServerAddress(parsing: url ?? "http://127.0.0.1:9200"))
    }
}

/// A server, over one connection that is opened when first needed and again after it was lost.
package actor RemoteGateway: Gateway {
    private let address: ServerAddress
    private var connection: HTTPConnection?

    package init(_ address: ServerAddress) { self.address = address }

    package func send(_ request: HTTPRequest) async throws -> HTTPAnswer {
        do {
            if connection?.isOpen != true { connection = try await HTTPConnection.open(address) }
            guard let connection else { throw HTTPFailure.closed }
            return try await connection.send(request)
        } catch {
            throw CommandError("\(address): \(describe(error)); is the server running? (isotherm serve)")
        }
    }

    package func close() async { await connection?.close() }
}

/// An error in words fit for a person.
package func describe(_ error: any Error) -> String {
    let text = String(describing: error)
    return text.contains("connection reset") || text.contains("ECONNREFUSED") || text.contains("NIOConnectionError")
        ? "cannot connect" : text
}
