// One connection: requests come in as parts from NIO's decoder (llhttp), answers go out as bytes. No task is needed for any of it; all runs on the connection's loop.
//
//     idle ─ head ─► reading ─ end ─► working ─ answered ─► writing ─ the client took it ─► idle
//                       │                └────── streams ─► streaming ─ ended ──┤
//                       └ refused, malformed ───────────────────────────────────┴ the last answer ─► leaving ─► lingering ─► closed
//
// Invariants
//     1  One request is in work at a time, so answers leave in the order of the requests. Meanwhile nothing is read off the socket: what a client sends waits in its own
//        kernel. What one read had brought already waits in `waiting`, at most `partsMax`; who sends more in one go is answered so far, and closed.
//     2  An answer too large for the socket is waited for before the next request is looked at: a client that does not read costs one answer.
//     3  Whatever `open` let in is answered by the service or abandoned, once.
//     4  Something is due at any time but while the service works: a connection that brings nothing, or takes nothing, for `idle` ends, and a body may not trickle.

package import NIOCore
package import NIOHTTP1

package final class HTTPConnectionHandler: ChannelDuplexHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias OutboundIn = Never
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case idle, reading, working, writing, streaming, leaving, lingering, closed
    }

    private static let partsMax = 1_024
    /// A body may take `idle`, and a second more for each so many bytes.
    private static let bodyBytesPerSecondMin = 16 << 10
    /// What a refused client still sends is thrown away for so long, or it would lose the refusal with the connection's reset (RFC 9112, section 9.6).
    private static let lingerMost = TimeAmount.seconds(30), lingerPause = TimeAmount.seconds(5)

    private let service: any HTTPService
    private let server: HTTPServerState
    private let connections: HTTPConnections
    private let idle: TimeAmount

    private var state = State.idle
    private var context: ChannelHandlerContext?
    private var number: UInt64 = 0
    /// Of the request being read.
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var bodyBytesMax = 0
    private var waiting: [HTTPServerRequestPart] = [], waitingFirst = 0
    private var proceeding = false
    private var readWanted = false
    /// The client has said all it will, or what cannot be read.
    private var inputEnded = false, inputFault: HTTPFault?
    private var stream: Task<Void, Never>?, streamWriter: CheckedContinuation<Void, any Error>?
    private var due: NIODeadline?, lingersUntil = NIODeadline.distantFuture, alarm: Scheduled<Void>?

    package init(_ service: any HTTPService, _ server: HTTPServerState, _ connections: HTTPConnections, idle: TimeAmount) {
        (self.service, self.server, self.connections, self.idle) = (service, server, connections, idle)
    }

    // MARK: - The connection

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func channelActive(context: ChannelHandlerContext) {
        connections.insert(self)
        expect(within: idle)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        if state == .reading { service.abandon() }
        state = .closed
        (self.context, head, body, waiting) = (nil, nil, [], [])
        alarm?.cancel()
        endStream()
        connections.remove(self)
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        let fault = error == .headerOverflow ? HTTPFault.headTooLarge : .malformed("\(error)")
        if state == .idle || state == .reading { refuse(service.refusal(fault, uri: head?.uri)) } else { inputFault = fault }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        inputEnded = true
        switch state {
        case .idle: leave(ByteBuffer(), linger: false)
        case .reading, .lingering, .streaming: context.close(promise: nil)
        case .working, .writing, .leaving, .closed: break
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if state == .writing { ready() }
            if state == .streaming {
                due = nil
                streamWriter?.resume()
                streamWriter = nil
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The server ends: connections without a request at once, others after their answer.
    func stop() {
        if state == .idle { leave(ByteBuffer(), linger: false) }
        if state == .lingering { cut() }
    }

    func cut() { context?.close(promise: nil) }

    // MARK: - In

    package func read(context: ChannelHandlerContext) {
        switch state {
        case .idle, .reading, .leaving, .lingering: context.read()
        case .working, .writing, .streaming, .closed: readWanted = true
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .idle, .reading: take(unwrapInboundIn(data))
        case .working, .writing, .streaming:
            guard inputFault == nil, !inputEnded else { return }
            if waiting.count - waitingFirst < Self.partsMax { waiting.append(unwrapInboundIn(data)) } else { inputEnded = true }
        case .lingering: due = min(now + Self.lingerPause, lingersUntil)
        case .leaving, .closed: break
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes):
            guard state == .reading else { return }
            guard bytes.readableBytes <= bodyBytesMax - body.count else { return refuse(service.refusal(.bodyTooLarge(bytesMax: bodyBytesMax), uri: head?.uri)) }
            body.append(contentsOf: bytes.readableBytesView)
            let earned = TimeAmount.nanoseconds(Int64(bytes.readableBytes) * 1_000_000_000 / Int64(Self.bodyBytesPerSecondMin))
            if let due { self.due = min(due + earned, now + idle) }
        case .end: dispatch()
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        self.head = head
        if let fault = head.fault { return refuse(service.refusal(fault, uri: head.uri)) }
        switch service.open(head) {
        case .refuse(let reply): refuse(reply)
        case .read(let most):
            state = .reading
            bodyBytesMax = most
            expect(within: idle)
            if let length = head.contentLength {
                guard length <= most else { return refuse(service.refusal(.bodyTooLarge(bytesMax: most), uri: head.uri)) }
                body.reserveCapacity(min(length, 64 << 10))
            }
            if head.expectsContinue { write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")) }
        }
    }

    private func dispatch() {
        guard state == .reading, let head, let context else { return }
        number &+= 1
        state = .working
        due = nil
        let body = body
        (self.head, self.body) = (nil, [])
        let framing = HTTPReply.Framing(
            isHead: head.method == .HEAD, isHTTP10: head.isHTTP10, keepsAlive: head.isKeepAlive && !head.changesProtocol)
        service.answer(head, body, HTTPExchange(
            number: number, framing: framing, server: server, connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: context.eventLoop))
    }

    // MARK: - Out

    func answered(_ number: UInt64, _ bytes: ByteBuffer, closes: Bool) {
        guard number == self.number, state == .working else { return }
        state = .writing
        after(bytes, closes: closes)
    }

    func streams(_ number: UInt64, _ bytes: ByteBuffer) {
        guard number == self.number, state == .working else { return }
        state = .streaming
        write(bytes)
    }

    func streamed(by task: Task<Void, Never>, _ number: UInt64) {
        if number == self.number, state == .streaming { stream = task } else { task.cancel() }
    }

    func stream(_ number: UInt64, _ piece: ByteBuffer, then writer: CheckedContinuation<Void, any Error>) {
        guard number == self.number, state == .streaming, let context, context.channel.isActive else { return writer.resume(throwing: StreamingBody.ReaderHasGone()) }
        write(piece)
        guard !context.channel.isWritable else { return writer.resume() }
        streamWriter = writer
        expect(within: idle)
    }

    func streamEnded(_ number: UInt64, _ last: ByteBuffer?, closes: Bool) {
        guard number == self.number, state == .streaming else { return }
        stream = nil
        guard let last else { return cut() }
        state = .writing
        after(last, closes: closes)
    }

    /// The answer is whole with these bytes.
    private func after(_ bytes: ByteBuffer, closes: Bool) {
        guard let context else { return }
        guard !closes, !server.isStopping else { return leave(bytes, linger: false) }
        write(bytes)
        if context.channel.isWritable { ready() } else { expect(within: idle) }
    }

    private func write(_ bytes: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }

    /// The next request: one that waits, or one to be read.
    private func ready() {
        state = .idle
        expect(within: idle)
        // An answer given at once comes back here: the loop below goes on with the next.
        guard !proceeding else { return }
        proceeding = true
        while state == .idle || state == .reading, waitingFirst < waiting.count {
            let part = waiting[waitingFirst]
            waitingFirst += 1
            if waitingFirst == waiting.count { (waiting, waitingFirst) = ([], 0) }
            take(part)
        }
        proceeding = false
        guard state == .idle || state == .reading else { return }
        if let inputFault { return refuse(service.refusal(inputFault, uri: head?.uri)) }
        if inputEnded || server.isStopping { return leave(ByteBuffer(), linger: false) }
        guard readWanted else { return }
        readWanted = false
        context?.read()
    }

    // MARK: - The end

    /// Answers in place of the service, and takes nothing more.
    private func refuse(_ reply: HTTPReply) {
        let framing = HTTPReply.Framing(isHead: head?.method == .HEAD, keepsAlive: false)
        leave(reply.serialized(framing, date: server.date.now()), linger: true)
    }

    /// The last bytes of this connection; it is closed when the client has them.
    /// - Parameter linger: the client may still be sending.
    private func leave(_ bytes: ByteBuffer, linger: Bool) {
        guard let context else { return }
        if state == .reading { service.abandon() }
        state = .leaving
        (head, body, waiting, waitingFirst) = (nil, [], [], 0)
        expect(within: idle)
        let written = context.eventLoop.makePromise(of: Void.self), bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.left(linger) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
        guard readWanted else { return }
        readWanted = false
        context.read()
    }

    private func left(_ linger: Bool) {
        guard state == .leaving, let context else { return }
        guard linger, !inputEnded, !server.isStopping else { return cut() }
        state = .lingering
        lingersUntil = now + Self.lingerMost
        expect(within: Self.lingerPause)
        context.close(mode: .output, promise: nil)
    }

    private func endStream() {
        stream?.cancel()
        stream = nil
        streamWriter?.resume(throwing: StreamingBody.ReaderHasGone())
        streamWriter = nil
    }

    // MARK: - Time

    private var now: NIODeadline { context?.eventLoop.now ?? .now() }

    private func expect(within time: TimeAmount) {
        due = now + time
        if alarm == nil { setAlarm() }
    }

    /// One alarm a connection: it looks when it rings, and is set again if that was too early.
    private func setAlarm() {
        guard let due, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(deadline: due) { bound.value.ring() }
    }

    private func ring() {
        alarm = nil
        guard let due else { return }
        if due <= now { cut() } else { setAlarm() }
    }
}
