// One connection without a socket: NIO's embedded channel, its clock in our hand, and a service that answers when told.

import IsothermNode
import IsothermTesting
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@Suite("HTTP connection")
struct HTTPConnectionTests {
    @Test("one request is in work at a time, and answers leave in the order of the requests")
    func order() throws {
        let line = try Line()
        try line.send(Line.get("/a") + Line.get("/b") + Line.get("/c"))
        for (n, path) in ["/a", "/b", "/c"].enumerated() {
            #expect(line.service.uris == Array(["/a", "/b", "/c"].prefix(n + 1)), "\(path)")
            line.service.answer(n, "answer \(path)")
        }
        #expect(try line.answers().compactMap { $0.split(separator: "\r\n").last } == ["answer /a", "answer /b", "answer /c"])
    }

    @Test("nothing is read off the socket while a request is in work, and again after it")
    func stopsReading() throws {
        let line = try Line()
        let reads = line.reads
        line.channel.read()
        #expect(reads.count == 1)
        try line.send(Line.get("/a"))
        line.channel.read()
        #expect(reads.count == 1)
        line.service.answer(0)
        #expect(reads.count == 2)
    }

    @Test("an answer the client does not take holds back the next request")
    func backPressure() throws {
        let line = try Line()
        try line.send(Line.get("/a") + Line.get("/b"))
        line.channel.isWritable = false
        line.service.answer(0)
        #expect(line.service.uris == ["/a"])
        line.channel.isWritable = true
        line.channel.pipeline.fireChannelWritabilityChanged()
        #expect(line.service.uris == ["/a", "/b"])
    }

    @Test("who sends thousands of requests in one go is answered some, then closed")
    func waitingIsBounded() throws {
        let line = try Line(answersAtOnce: false)
        try line.send((0..<5_000).flatMap { _ in Line.get("/") })
        var n = 0
        while n < line.service.uris.count {
            line.service.answer(n)
            n += 1
        }
        #expect(n > 100 && n < 1_024)
        #expect(!line.channel.isActive)
    }

    @Test("a body may not be longer than its service takes, said beforehand or found on the way")
    func bodies() throws {
        for (raw, refused) in [
            ("Content-Length: 100\r\n\r\n" + String(repeating: "x", count: 100), false), ("Content-Length: 101\r\n\r\n", true),
            ("Transfer-Encoding: chunked\r\n\r\n64\r\n" + String(repeating: "x", count: 100) + "\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n65\r\n" + String(repeating: "x", count: 101), true),
        ] {
            let line = try Line(answersAtOnce: true)
            try line.send(Array("POST / HTTP/1.1\r\nHost: x\r\n\(raw)".utf8))
            let answer = try line.answers().joined()
            #expect(answer.hasPrefix(refused ? "HTTP/1.1 413 " : "HTTP/1.1 200 ") && answer.contains("Connection: close") == refused, "\(raw.prefix(40))")
            #expect(line.service.inside == 0)
        }
    }

    @Test("a body that trickles is cut, one that flows may take long")
    func trickle() throws {
        for (bytesPerSecond, survives) in [(1, false), (16 << 10, true)] {
            let line = try Line(bodyBytesMax: 10 << 20)
            try line.send(Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n".utf8))
            for _ in 0..<60 where line.channel.isActive {
                try line.send([UInt8](repeating: 0x20, count: bytesPerSecond))
                line.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            }
            #expect(line.channel.isActive == survives, "\(bytesPerSecond)")
            if survives { try line.channel.close().wait() }
            #expect(line.service.inside == 0)
        }
    }

    @Test("a line without a request is closed; one whose request is in work is not")
    func idle() throws {
        let idle = try Line(), busy = try Line()
        try busy.send(Line.get("/"))
        for line in [idle, busy] { line.channel.embeddedEventLoop.advanceTime(by: .seconds(31)) }
        #expect(!idle.channel.isActive && busy.channel.isActive)
        busy.service.answer(0)
        #expect(busy.channel.isActive)
    }

    @Test("an answer for a connection that has gone goes nowhere")
    func gone() throws {
        let line = try Line()
        try line.send(Line.get("/"))
        try line.channel.close().wait()
        line.service.answer(0)
        #expect(try line.answers().isEmpty && line.connections.count == 0)
    }

    @Test("when the server stops, a line without a request is closed and another after its answer")
    func stops() throws {
        let line = try Line()
        try line.send(Line.get("/a"))
        line.server.stop()
        let gone = line.connections.stop(on: line.channel.eventLoop)
        #expect(line.channel.isActive)
        line.service.answer(0)
        #expect(try line.answers().joined().contains("Connection: close") && !line.channel.isActive)
        try gone.wait()
    }

    @Test("whatever bytes come, in whatever pieces: what is let in is answered or abandoned, once", arguments: UInt64(0)..<300)
    func balance(seed: UInt64) throws {
        var random = Seeded(seed)
        let line = try Line(answersAtOnce: seed % 2 == 0)
        let shapes = [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n", "GET /refuse HTTP/1.1\r\nHost: x\r\n\r\n", "nonsense\r\n\r\n",
        ]
        var raw: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) { raw += Array(shapes[Int.random(in: 0..<shapes.count, using: &random)].utf8) }
        for _ in 0..<Int.random(in: 0...2, using: &random) { raw[Int.random(in: 0..<raw.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
        var rest = raw[...], answered = 0
        while !rest.isEmpty, line.channel.isActive {
            let count = Int.random(in: 1...rest.count, using: &random)
            try? line.send(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
            if seed % 2 == 1, Bool.random(using: &random) {
                while answered < line.service.uris.count {
                    line.service.answer(answered)
                    answered += 1
                }
            }
        }
        if line.channel.isActive { try? line.channel.close().wait() }
        while answered < line.service.uris.count, seed % 2 == 1 {
            line.service.answer(answered)
            answered += 1
        }
        #expect(line.service.inside == 0 && line.connections.count == 0)
    }
}

@Suite("HTTP reply")
struct HTTPReplyTests {
    private let date = HTTPDate.text(1_795_389_177)

    @Test("dates are those of RFC 9110")
    func dates() {
        let known: [(Int64, String)] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_795_389_177, "Sun, 22 Nov 2026 23:12:57 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ]
        for (second, text) in known { #expect(String(decoding: HTTPDate.text(second), as: UTF8.self) == text) }
    }

    @Test("head and body are framed as the request wants it")
    func framing() {
        func text(_ reply: HTTPReply, _ framing: HTTPReply.Framing = .init()) -> String { String(buffer: reply.serialized(framing, date: date)) }
        let reply = HTTPReply(200, contentType: "text/plain", body: .bytes(Array("abc".utf8)))
        #expect(text(reply) == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nDate: Sun, 22 Nov 2026 23:12:57 GMT\r\n\r\nabc")
        #expect(text(reply, .init(isHead: true)).hasSuffix("Content-Length: 3\r\nDate: Sun, 22 Nov 2026 23:12:57 GMT\r\n\r\n"))
        #expect(text(reply, .init(isHTTP10: true)).contains("\r\nConnection: keep-alive\r\n"))
        #expect(text(reply, .init(keepsAlive: false)).contains("\r\nConnection: close\r\n"))
        #expect(!text(HTTPReply(204)).contains("Content-Length"))
        #expect(text(HTTPReply(200, body: .stream { _ in })).contains("\r\nTransfer-Encoding: chunked\r\n"))
    }

    @Test("a value cannot begin another header")
    func injection() {
        let reply = HTTPReply(200, headers: [("Location", "/a\r\nSet-Cookie: b"), ("ETag", "\"1\"")])
        let text = String(buffer: reply.serialized(.init(), date: date))
        #expect(!text.contains("Set-Cookie") && text.contains("ETag: \"1\"\r\n"))
    }
}

/// A connection in memory.
private struct Line {
    let channel = EmbeddedChannel()
    let service: Service
    let server = HTTPServerState(executor: executor)
    let connections = HTTPConnections()
    let reads = Reads()
    private static let executor = LoopExecutor()

    init(bodyBytesMax: Int = 100, answersAtOnce: Bool = false) throws {
        service = Service(bodyBytesMax: bodyBytesMax, answersAtOnce: answersAtOnce)
        try channel.pipeline.syncOperations.addHandler(reads)
        try HTTPListener.prepare(channel, HTTPConnectionHandler(service, server, connections, idle: .seconds(30)))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        reads.count = 0
    }

    static func get(_ path: String) -> [UInt8] { Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) }

    func send(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    func answers() throws -> [String] {
        var all: [String] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { if buffer.readableBytes > 0 { all.append(String(buffer: buffer)) } }
        return all
    }
}

/// Counts what reaches the socket's end of the pipeline.
private final class Reads: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0
    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

/// Answers when told, or at once.
private final class Service: HTTPService {
    private let bodyBytesMax: Int, answersAtOnce: Bool
    private let state = Mutex((inside: 0, asked: [(uri: String, exchange: HTTPExchange)]()))

    init(bodyBytesMax: Int, answersAtOnce: Bool) { (self.bodyBytesMax, self.answersAtOnce) = (bodyBytesMax, answersAtOnce) }

    var uris: [String] { state.withLock { $0.asked.map(\.uri) } }
    var inside: Int { state.withLock { $0.inside } }

    func open(_ head: HTTPRequestHead) -> HTTPOpening {
        if head.uri == "/refuse" { return .refuse(HTTPReply(429)) }
        state.withLock { $0.inside += 1 }
        return .read(bodyBytesMax: bodyBytesMax)
    }

    func answer(_ head: HTTPRequestHead, _ body: [UInt8], _ exchange: HTTPExchange) {
        let n = state.withLock { s in
            s.asked.append((head.uri, exchange))
            return s.asked.count - 1
        }
        if answersAtOnce { answer(n) }
    }

    func answer(_ n: Int, _ text: String = "x") {
        let exchange = state.withLock { s in
            s.inside -= 1
            return s.asked[n].exchange
        }
        exchange.finish(HTTPReply(200, contentType: "text/plain", body: .bytes(Array(text.utf8))))
    }

    func abandon() { state.withLock { $0.inside -= 1 } }
    func refusal(_ fault: HTTPFault, uri: String?) -> HTTPReply { HTTPReply(fault.status, contentType: "text/plain", body: .bytes(Array(fault.reason.utf8))) }
}
