// What goes back from /api: status, headers, and a body that is JSON, nothing, or a stream of server-sent events.

package import JSON

package struct ShopAnswer: Sendable {
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
        /// Writes pieces until it returns, or until writing throws because the reader has gone.
        case stream(@Sendable (_ write: ([UInt8]) async throws -> Void) async throws -> Void)
    }

    package var status: Int
    package var contentType: String?
    package var headers: [(name: String, value: String)] = []
    package var body: Body

    package init(_ status: Int, _ body: Body = .empty, contentType: String? = nil) { (self.status, self.body, self.contentType) = (status, body, contentType) }

    /// One JSON object.
    package static func json(_ status: Int = 200, _ write: (inout JSONWriter) -> Void) -> ShopAnswer {
        var writer = JSONWriter(reserving: 512)
        writer.object { w in write(&w) }
        return ShopAnswer(status, .bytes(writer.bytes), contentType: "application/json")
    }

    package func with(_ name: String, _ value: String) -> ShopAnswer {
        var answer = self
        answer.headers.append((name, value))
        return answer
    }

    /// The record's version, for If-Match.
    package func tagged(_ version: Int64) -> ShopAnswer { with("ETag", "\"\(version)\"") }
}
