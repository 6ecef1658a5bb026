// Answers REST requests in this process: the same endpoints as a server's, over a data folder that is opened here.

internal import Engine
import Storage

package struct LocalGateway: Gateway {
    private let node: Node

    /// Opens the folder; one that a server holds is refused.
    package init(data: String) async throws { node = try await Node.open(root: try FileDirectory(data, create: false)) }

    private init(_ node: Node) { self.node = node }

    /// A node without any index, for what needs none.
    package static func inMemory() async throws -> LocalGateway { LocalGateway(try await Node.open(root: MemoryDirectory())) }

    package func send(_ request: HTTPRequest) async throws -> HTTPAnswer { throw CommandError("not wired yet") }

    package func close() async { await node.close() }
}
