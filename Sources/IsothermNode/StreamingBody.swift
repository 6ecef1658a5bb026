// A body that is written piece by piece for as long as its reader wants it: server-sent events. A write returns when the connection can take another piece, so a slow
// reader slows the writer; it throws when the reader has gone.

internal import NIOCore

struct StreamingBody: Sendable {
    struct ReaderHasGone: Error {}

    let exchange: HTTPExchange
    let framing: HTTPReply.Framing

    func run(_ write: @Sendable (_ write: ([UInt8]) async throws -> Void) async throws -> Void) async {
        var whole = false
        do {
            try await write { piece in
                // An empty chunk would be the last one.
                if !piece.isEmpty { try await send(HTTPReply.chunk(piece, framing)) }
            }
            whole = true
        } catch {}
        let last = whole ? HTTPReply.lastChunk(framing) : nil, closes = !framing.keepsAlive
        exchange.onLoop { [number = exchange.number] connection in connection.streamEnded(number, last, closes: closes) }
    }

    private func send(_ piece: ByteBuffer) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            exchange.onLoop { [number = exchange.number] connection in connection.stream(number, piece, then: continuation) }
        }
    }
}
