// A small HTTP server for tests: answers each request by a function, may drop the connection instead.

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

final class StubServer: Sendable {
    enum Reply: Sendable {
        case answer(Int, String)
        /// Closes the connection without a word.
        case drop
    }

    typealias Respond = @Sendable (_ number: Int, _ method: String, _ path: String, _ body: [UInt8]) -> Reply

    let channel: any Channel
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    init(_ respond: @escaping Respond) async throws {
        let count = Mutex(0)
        let number: @Sendable () -> Int = { count.withLock { value in value += 1; return value } }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(respond, number))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func stop() async { try? await channel.close() }
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let respond: StubServer.Respond
    private let number: @Sendable () -> Int
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ respond: @escaping StubServer.Respond, _ number: @escaping @Sendable () -> Int) { (self.respond, self.number) = (respond, number) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            guard case .answer(let status, let text) = respond(number(), head.method.rawValue, head.uri, body) else {
                context.close(promise: nil)
                return
            }
            let isHead = head.method == .HEAD
            let headers: HTTPHeaders = ["content-type": "application/json", "content-length": String(isHead ? 0 : text.utf8.count)]
            context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers))), promise: nil)
            if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
