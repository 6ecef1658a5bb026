// One request and its answer, as the one who answers sees it: finish it from any thread, once. The answer is laid out as bytes by the caller's thread; a connection's
// loop only writes it.

internal import NIOCore
internal import Synchronization

package struct HTTPExchange: Sendable {
    /// Which request of its connection: an answer to one that has gone is dropped.
    let number: UInt64
    let framing: HTTPReply.Framing
    let server: HTTPServerState
    let connection: NIOLoopBound<HTTPConnectionHandler>
    let loop: any EventLoop

    package func finish(_ reply: HTTPReply) {
        var framing = framing
        if server.isStopping { framing.keepsAlive = false }
        if case .stream = reply.body, framing.isHTTP10 { framing.keepsAlive = false }
        let bytes = reply.serialized(framing, date: server.date.now())
        guard case .stream(let run) = reply.body else {
            onLoop { [framing] connection in connection.answered(number, bytes, closes: !framing.keepsAlive) }
            return
        }
        let stream = StreamingBody(exchange: self, framing: framing)
        onLoop { connection in
            connection.streams(number, bytes)
            // Runs also when the reader has gone: it is told by its first write, and may have something to tidy up.
            let task = Task(executorPreference: server.executor) { await stream.run(run) }
            connection.streamed(by: task, number)
        }
    }

    /// At once when this is the loop's thread.
    func onLoop(_ body: @escaping @Sendable (HTTPConnectionHandler) -> Void) {
        guard !loop.inEventLoop else { return body(connection.value) }
        loop.execute { body(connection.value) }
    }
}

/// What all connections of a server share.
package final class HTTPServerState: Sendable {
    let date = HTTPDate()
    let executor: LoopExecutor
    private let stopping = Atomic<Bool>(false)

    package init(executor: LoopExecutor) { self.executor = executor }

    /// Each connection is closed after its next answer.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }
    package func stop() { stopping.store(true, ordering: .relaxed) }
}
