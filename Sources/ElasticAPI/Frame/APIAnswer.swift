// What goes back: status, headers, and a body that is JSON (a tree, or written straight into bytes), plain
// text, or nothing. The router lays it out as `pretty`, `filter_path` and `format` ask.

package import JSON

package struct APIAnswer: Sendable {
    package enum Body: Sendable {
        case json(JSONValue)
        /// Written by the closure, so that documents go out as the bytes they came in as.
        case written(@Sendable (inout JSONWriter) -> Void)
        case text(String)
        case empty
    }

    package var status: Int
    package var body: Body
    package var headers: [(name: String, value: String)] = []

    package init(_ status: Int = 200, _ body: Body) { (self.status, self.body) = (status, body) }
    package init(_ status: Int = 200, json: JSONValue) { self.init(status, .json(json)) }

    package static func members(_ members: [(String, JSONValue)]) -> APIAnswer { .members(200, members) }
    package static func members(_ status: Int, _ members: [(String, JSONValue)]) -> APIAnswer {
        APIAnswer(status, json: .object(JSONObject(members)))
    }

    package static var acknowledged: APIAnswer { .members([("acknowledged", true)]) }
    /// For HEAD: there, or not.
    package static func exists(_ exists: Bool) -> APIAnswer { APIAnswer(exists ? 200 : 404, .empty) }
}

/// An answer as bytes, ready for a socket.
package struct RenderedAnswer: Sendable {
    package var status: Int
    package var contentType: String?
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
}
