// A TCP proxy on loopback that treats each connection's one request as it is told: passes it on, cuts the answer off, refuses, stalls.
//
// The request goes to the server with "Connection: close", so that the end of the answer is the end of the connection.

import Glibc
import IsothermTesting
import Storage
import Synchronization

final class LossyProxy: Sendable {
    enum Treatment: Sendable {
        case pass
        /// The server has carried it out and begun to answer; the client sees the connection end.
        case loseAnswer
        /// Half of the answer comes.
        case halfAnswer
        case cut, stall
        case answer(String)
    }
    let port: UInt16
    private let upstream: UInt16
    private let listener: Int32
    private struct State {
        var next: [Treatment] = []
        var requests = 0
        var isStopped = false
    }
    private let state = Mutex(State())
    private let pool = BlockingPool(threads: 40)

    init(to upstream: UInt16) throws {
        self.upstream = upstream
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0), length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) } }
        guard bound == 0, listen(listener, 64) == 0 else { throw ContractBroken(description: "no port for the proxy") }
        _ = withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) } }
        (self.listener, port) = (listener, UInt16(bigEndian: address.sin_port))
        Task.detached { [self] in await pool.run { [self] in accepting() } }
    }

    /// For the next requests, in order; after them all pass.
    func treat(_ treatments: [Treatment]) { state.withLock { ($0.next, $0.requests) = (treatments, 0) } }
    var requests: Int { state.withLock { $0.requests } }

    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    // MARK: -

    private func accepting() {
        while true {
            let client = accept(listener, nil, nil)
            if client < 0 || state.withLock({ $0.isStopped }) { return }
            Task.detached { [self] in await pool.run { [self] in serve(client) } }
        }
    }

    private func serve(_ client: Int32) {
        defer { close(client) }
        guard let request = Self.request(client) else { return }
        let treatment = state.withLock { s in
            s.requests += 1
            return s.next.isEmpty ? .pass : s.next.removeFirst()
        }
        switch treatment {
        case .cut: return
        case .stall:
            for _ in 0..<60 where !state.withLock({ $0.isStopped }) { usleep(100_000) }
            return
        case .answer(let text): Self.write(client, Array(text.utf8))
        case .pass, .loseAnswer, .halfAnswer:
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(server) }
            var address = Self.loopback(upstream)
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            guard connected == 0 else { return }
            Self.write(server, request)
            var answer: [UInt8] = []
            while let bytes = Self.read(server) { answer += bytes }
            switch treatment {
            case .pass: Self.write(client, answer)
            case .halfAnswer: Self.write(client, Array(answer.prefix(answer.count - max(1, min(100, answer.count / 4)))))
            default: break
            }
        }
    }

    /// Head and body of one request, with "Connection: close" put in.
    private static func request(_ client: Int32) -> [UInt8]? {
        var bytes: [UInt8] = [], head: Int?
        while head == nil {
            guard let more = read(client), bytes.count < 1 << 20 else { return nil }
            bytes += more
            if bytes.count >= 4 { for at in 0...(bytes.count - 4) where bytes[at] == 13 && bytes[at..<(at + 4)].elementsEqual([13, 10, 13, 10]) { head = at; break } }
        }
        guard let head else { return nil }
        let lines = String(decoding: bytes[..<head], as: UTF8.self).lowercased().split(separator: "\r\n")
        let length = lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
        while bytes.count < head + 4 + length {
            guard let more = read(client) else { return nil }
            bytes += more
        }
        return Array(bytes[..<head]) + Array("\r\nConnection: close".utf8) + Array(bytes[head...])
    }

    private static func read(_ socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let n = Glibc.read(socket, &bytes, bytes.count)
        return n > 0 ? Array(bytes[..<n]) : nil
    }

    private static func write(_ socket: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let n = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, 0x4000 /* MSG_NOSIGNAL */) }
            if n <= 0 { return }
            rest = rest.dropFirst(n)
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
