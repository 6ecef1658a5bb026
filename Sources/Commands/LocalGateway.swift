// Answers REST requests in this process: the same endpoints as a server's, over a data folder that is opened here.

internal import ElasticAPI
internal import Engine
internal import ObjectStorage
import Storage
internal import Tiering

package struct LocalGateway: Gateway {
    private let node: Node
    private let router: Router

    /// Opens the folder; one that a server holds is refused.
    package init(data: String) async throws {
        var options = NodeOptions()
        options.snapshots.openStore = { location throws(ObjectStoreError) in try ObjectStores.open(location: location) }
        self.init(try await Node.open(root: try FileDirectory(data, create: false), options: options))
    }

    private init(_ node: Node) {
        self.node = node
        var options = Services.Options()
        options.owned = [WarmShelf.indexName]
        router = Router(services: Services(node: node, options: options, now: wallMilliseconds))
    }

    /// A node without any index, for what needs none.
    package static func inMemory() async throws -> LocalGateway { LocalGateway(try await Node.open(root: MemoryDirectory())) }

    package func send(_ request: HTTPRequest) async throws -> HTTPAnswer {
        guard let method = APICall.Method(rawValue: request.method.rawValue) else { throw CommandError("no such method: \(request.method.rawValue)") }
        let type = request.body.isEmpty ? nil : request.contentType
        let answer = await router.answer(try APICall(method, request.path, body: request.body, contentType: type, accept: "application/json"))
        return HTTPAnswer(status: answer.status, body: answer.body)
    }

    package func close() async { await node.close() }
}
