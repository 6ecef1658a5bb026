// Listens, and hands each connection to a handler of its own. One loop serves all of them: it only moves bytes, what takes a processor runs elsewhere.

package import NIOCore
internal import NIOHTTP1
internal import NIOPosix

package final class HTTPListener: Sendable {
    /// One header, and all of them with the request line. A search may stand in the address.
    private static let fieldBytesMax = 64 << 10, headBytesMax = 128 << 10, fieldsMax = 256

    let port: Int
    private let channel: any Channel
    private let connections: NIOLoopBound<HTTPConnections>
    private let server: HTTPServerState

    /// - Parameter port: 0 lets the system choose one.
    static func open(host: String, port: Int, idle: TimeAmount, on executor: LoopExecutor, service: any HTTPService) async throws -> HTTPListener {
        let server = HTTPServerState(executor: executor), loop = executor.loop
        let connections = try await loop.submit { NIOLoopBound(HTTPConnections(), eventLoop: loop) }.get()
        let channel = try await ServerBootstrap(group: executor.group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Order matters: a second read would bring more than the first, and nobody asked for it.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel, HTTPConnectionHandler(service, server, connections.value, idle: idle))
                }
            }
            .bind(host: host, port: port).get()
        return HTTPListener(channel, connections, server, port: channel.localAddress?.port ?? port)
    }

    /// The decoder, and the handler behind it.
    package static func prepare(_ channel: any Channel, _ handler: HTTPConnectionHandler) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        (limits.maxHeaderFieldSize, limits.maxHeaderListSize, limits.maxHeaderFieldCount) = (fieldBytesMax, headBytesMax, fieldsMax)
        try channel.pipeline.syncOperations.addHandlers([ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)), handler])
    }

    /// Listens no more, answers what is in work, for at most so long, then cuts what is left.
    func stop(within time: TimeAmount) async {
        let loop = channel.eventLoop, connections = connections
        try? await channel.close()
        server.stop()
        let gone = loop.flatSubmit { connections.value.stop(on: loop) }
        let late = loop.scheduleTask(in: time) { connections.value.cut() }
        try? await gone.get()
        late.cancel()
    }

    private init(_ channel: any Channel, _ connections: NIOLoopBound<HTTPConnections>, _ server: HTTPServerState, port: Int) {
        (self.channel, self.connections, self.server, self.port) = (channel, connections, server, port)
    }
}

/// The connections that are open. The loop's own.
package final class HTTPConnections {
    private var open: [ObjectIdentifier: HTTPConnectionHandler] = [:]
    private var empty: EventLoopPromise<Void>?

    package init() {}

    package var count: Int { open.count }

    func insert(_ connection: HTTPConnectionHandler) { open[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: HTTPConnectionHandler) {
        open[ObjectIdentifier(connection)] = nil
        if open.isEmpty { empty?.succeed() }
    }

    /// Done when all have gone.
    package func stop(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let empty = loop.makePromise(of: Void.self)
        self.empty = empty
        if open.isEmpty { empty.succeed() }
        for connection in Array(open.values) { connection.stop() }
        return empty.futureResult
    }

    func cut() { for connection in Array(open.values) { connection.cut() } }
}
