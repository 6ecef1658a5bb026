// One HTTP/1.1 connection to a server: one request at a time, kept open between requests. Small on purpose: the
// commands need POST a body, read an answer, and know whether trying again can help.
//
// Invariants
//     1  Every request's promise is kept or broken exactly once, also when the connection drops.
//     2  An answer is at most `answerBytesMax` long.

package import NIOCore
import NIOHTTP1
import NIOPosix

package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable { case get = "GET", head = "HEAD", post = "POST", put = "PUT", delete = "DELETE" }

    package var method: Method
    /// With query, percent-encoded, from "/".
    package var path: String
    package var body: [UInt8]
    package var contentType: String
    /// Further ones.
    package var headers: [(name: String, value: String)]

    package init(_ method: Method, _ path: String, body: [UInt8] = [], contentType: String = "application/json", headers: [(name: String, value: String)] = []) {
        (self.method, self.path, self.body, self.contentType, self.headers) = (method, path, body, contentType, headers)
    }
}

package struct HTTPAnswer: Sendable {
    package var status: Int
    package var body: [UInt8]
    package init(status: Int, body: [UInt8]) { (self.status, self.body) = (status, body) }
}

package final class HTTPConnection: Sendable {
    private let channel: any Channel
    private let address: ServerAddress

    private init(_ channel: any Channel, _ address: ServerAddress) { (self.channel, self.address) = (channel, address) }

    package static func open(_ address: ServerAddress, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) async throws -> HTTPConnection {
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.seconds(10))
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Exchange())
                }
            }
        return HTTPConnection(try await bootstrap.connect(host: address.host, port: address.port).get(), address)
    }

    package var isOpen: Bool { channel.isActive }

    package func send(_ request: HTTPRequest, timeout: TimeAmount = .seconds(120)) async throws -> HTTPAnswer {
        let promise = channel.eventLoop.makePromise(of: HTTPAnswer.self)
        let path = address.prefix + request.path
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: path)
        head.headers = ["host": "\(host):\(address.port)", "accept": "application/json", "content-length": String(request.body.count)]
        if !request.body.isEmpty { head.headers.add(name: "content-type", value: request.contentType) }
        for (name, value) in request.headers { head.headers.add(name: name, value: value) }
        let alarm = channel.eventLoop.scheduleTask(in: timeout) { [channel] in
            promise.fail(HTTPFailure.timedOut)
            channel.close(promise: nil)
        }
        let outbound = Exchange.Outbound(head: head, body: ByteBuffer(bytes: request.body), promise: promise)
        channel.writeAndFlush(outbound).cascadeFailure(to: promise)
        defer { alarm.cancel() }
        return try await promise.futureResult.get()
    }

    package func close() async { try? await channel.close() }
}

package enum HTTPFailure: Error, CustomStringConvertible {
    case closed, timedOut, answerTooLarge, busy

    package var description: String {
        switch self {
        case .closed: "the server closed the connection"
        case .timedOut: "the server did not answer in time"
        case .answerTooLarge: "the answer is larger than \(answerBytesMax) bytes"
        case .busy: "a request is under way on this connection"
        }
    }
}

// MARK: -

private let answerBytesMax = 512 << 20

/// Pairs a request with its answer. Runs on the channel's event loop only.
private final class Exchange: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Outbound
    typealias OutboundOut = HTTPClientRequestPart

    struct Outbound: Sendable {
        let head: HTTPRequestHead
        let body: ByteBuffer
        let promise: EventLoopPromise<HTTPAnswer>
    }

    private var waiting: EventLoopPromise<HTTPAnswer>?
    private var status = 0
    private var body: [UInt8] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let outbound = unwrapOutboundIn(data)
        guard waiting == nil else {
            promise?.fail(HTTPFailure.busy)
            return
        }
        waiting = outbound.promise
        context.write(wrapOutboundOut(.head(outbound.head)), promise: nil)
        if outbound.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(outbound.body))), promise: nil) }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            body = []
        case .body(let buffer):
            body.append(contentsOf: buffer.readableBytesView)
            if body.count > answerBytesMax { finish(context, .failure(HTTPFailure.answerTooLarge), close: true) }
        case .end:
            // 1xx answers precede the one that counts.
            if status >= 200 { finish(context, .success(HTTPAnswer(status: status, body: body)), close: false) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context, .failure(HTTPFailure.closed), close: false)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, .failure(error), close: true) }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<HTTPAnswer, any Error>, close: Bool) {
        let promise = waiting
        (waiting, body) = (nil, [])
        promise?.completeWith(result)
        if close { context.close(promise: nil) }
    }
}
