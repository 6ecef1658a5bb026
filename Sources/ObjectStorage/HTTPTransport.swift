// One HTTP request and its whole answer: the seam between what S3 means and how bytes travel.

package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var answerBytesMax: Int
}

package struct HTTPAnswer: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) { (self.status, self.headers, self.body) = (status, headers, body) }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// No answer, or no whole one.
package struct HTTPFailure: Error, Sendable {
    package enum Kind: Sendable {
        case cancelled
        /// Nothing was sent: no connection came about.
        case notSent
        case tls
        case timedOut, broken
        /// The answer is longer than was allowed.
        case tooLarge
        /// The request itself is wrong; trying again cannot help.
        case refused
    }
    package let kind: Kind
    package let message: String
    package init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
}

package protocol HTTPTransport: AnyObject, Sendable {
    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer
}

package struct HTTPTimeouts: Sendable {
    package var connectMilliseconds = 5_000
    /// Given up when no byte passed for so long.
    package var stallSeconds = 20
    /// For a request without bodies; each 64 KB of them gives a second more.
    package var totalMilliseconds = 60_000
    package init() {}

    func total(bytes: Int) -> Int { totalMilliseconds + bytes / 64 }
}
