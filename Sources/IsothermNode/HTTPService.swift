// What a connection asks of the layers above, in the order of a request's life: may its body come, how long may it be, what is the answer.
//
//     open ── refuse ─────────────────────────► the connection answers and closes
//       └─── read ── the body came ── answer ─► finish on the exchange, once
//                └── it did not ───── abandon

package import NIOHTTP1

package protocol HTTPService: Sendable {
    /// The head is here and nothing of the body.
    func open(_ head: HTTPRequestHead) -> HTTPOpening

    /// The whole request is here. `exchange.finish` is called once, from whatever thread, at any time.
    func answer(_ head: HTTPRequestHead, _ body: [UInt8], _ exchange: HTTPExchange)

    /// What `open` let in will not come: its client has gone, or sends what it may not.
    func abandon()

    /// How to say no to what was never a request, or ceased to be one.
    /// - Parameter uri: nil when there was no head.
    func refusal(_ fault: HTTPFault, uri: String?) -> HTTPReply
}

package enum HTTPOpening {
    case read(bodyBytesMax: Int)
    case refuse(HTTPReply)
}

package enum HTTPFault: Error, Equatable {
    case malformed(String)
    case headTooLarge
    case bodyTooLarge(bytesMax: Int)
    /// A transfer coding other than chunked.
    case codingUnknown

    package var status: Int {
        switch self {
        case .malformed: 400
        case .headTooLarge: 431
        case .bodyTooLarge: 413
        case .codingUnknown: 501
        }
    }

    package var reason: String {
        switch self {
        case .malformed(let what): "this is no HTTP/1.1 request: \(what)"
        case .headTooLarge: "the request line and headers are longer than this server reads"
        case .bodyTooLarge(let most): "a body has at most \(most) bytes here"
        case .codingUnknown: "no Transfer-Encoding but chunked is known here"
        }
    }
}

extension HTTPRequestHead {
    /// What llhttp leaves to its user: one host, and a length that nobody can read in two ways (RFC 9112, sections 3.2 and 6.1). llhttp refuses a length beside a
    /// coding, two lengths, and codings that do not end in `chunked`.
    var fault: HTTPFault? {
        let hosts = headers[canonicalForm: "host"].count
        if hosts > 1 || (hosts == 0 && !isHTTP10) { return .malformed("it has \(hosts) Host headers") }
        let codings = headers[canonicalForm: "transfer-encoding"]
        guard !codings.isEmpty else { return nil }
        if isHTTP10 { return .malformed("HTTP/1.0 knows no Transfer-Encoding") }
        return codings.count == 1 && codings[0].lowercased() == "chunked" ? nil : .codingUnknown
    }

    /// Path and query, also of an address that names the server too, whose name then counts (RFC 9112, section 3.2.2).
    var target: String { absolute.map { String($0.target) } ?? uri }
    var host: String? { absolute.map { String($0.host) } ?? headers.first(name: "host") }

    private var absolute: (host: Substring, target: Substring)? {
        guard uri.utf8.first != UInt8(ascii: "/"), uri.prefix(7).lowercased() == "http://" else { return nil }
        let rest = uri.dropFirst(7)
        guard let slash = rest.firstIndex(of: "/") else { return (rest, "/") }
        return (rest[..<slash], rest[slash...])
    }

    /// The decoder lets no other major version pass.
    var isHTTP10: Bool { version.minor == 0 }

    var contentLength: Int? { headers.first(name: "content-length").flatMap { Int($0) } }

    /// RFC 9110, section 10.1.1: curl sends it with bodies over 1 MB and waits a second for an answer.
    var expectsContinue: Bool { !isHTTP10 && headers.first(name: "expect")?.lowercased() == "100-continue" }

    /// Asks to speak something else after this request: the decoder reads nothing after it.
    var changesProtocol: Bool { method == .CONNECT || headers.contains(name: "upgrade") }
}
