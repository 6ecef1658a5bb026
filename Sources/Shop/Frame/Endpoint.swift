// What one call of /api is to us: a type that reads the request in `init`, where everything a caller can get wrong without looking at the
// store is found, and then answers it. It also says of itself what the OpenAPI document shows.
//
// To add an endpoint: a file in Endpoints/ with a type like any other there, one line in `Endpoints.swift`.

package protocol Endpoint: Sendable {
    static var operations: [APIOperation] { get }
    init(_ call: ShopCall) throws(Problem)
    /// Throws what `Problem.init(_: any Error)` knows: problems, errors of the store, failures of the gateway.
    func answer(from shop: ShopServices) async throws -> ShopAnswer
}

/// A method and a path, and what is to be known of them from outside.
package struct APIOperation: Sendable {
    package enum Access: Sendable {
        /// Nobody has to say who they are.
        case open
        /// Any actor; a customer meets only what is theirs.
        case actor
        /// Staff and services.
        case staff
        /// Proved by a signature over the body.
        case signature
    }
    package enum Key: Sendable { case none, optional, required }

    package var method: ShopCall.Method
    /// `{name}` stands for one part.
    package var path: String
    package var summary: String
    package var access: Access
    /// Names in the query, each with what it is; others are refused.
    package var query: [(name: String, about: String)]
    /// The schema of the body and of the answer, by their names in the document.
    package var body: String?, answer: String?
    package var status: Int
    package var key: Key
    package var needsMatch: Bool
    /// Problems besides those any call may meet.
    package var problems: [Int]

    init(
        _ method: ShopCall.Method, _ path: String, _ summary: String, _ access: Access, query: [(String, String)] = [], body: String? = nil, answer: String? = nil,
        status: Int = 200, key: Key = .none, needsMatch: Bool = false, problems: [Int] = []
    ) {
        (self.method, self.path, self.summary, self.access) = (method, path, summary, access)
        self.query = query.map { (name: $0.0, about: $0.1) }
        (self.body, self.answer, self.status, self.key, self.needsMatch, self.problems) = (body, answer, status, key, needsMatch, problems)
    }

    static let page = [("limit", "1 to 100; 20 when absent"), ("cursor", "`next` of the page before, with the same filters")]
}
