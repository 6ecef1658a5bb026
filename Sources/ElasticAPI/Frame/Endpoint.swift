// What one REST call is to us: a type that reads the request in `init`, where everything a caller can get
// wrong without looking at an index is found, and then answers it.
//
// To add an endpoint: one file in Endpoints/ with a type like any other there, one line in `Router.endpoints`.

package protocol Endpoint: Sendable {
    static var routes: [Route] { get }
    /// Names of the parameters it understands; others are refused by the router. Those every call takes
    /// (`pretty`, `filter_path`, ...) are not repeated.
    static var parameters: [String] { get }

    /// Throws what `APIError.init(_: any Error)` knows: errors of ours, of the query parsers, of the engine.
    init(_ call: APICall) throws
    func answer(from services: Services) async throws -> APIAnswer
}

/// A method and a path; `{name}` stands for one part of it.
package struct Route: Sendable {
    package let method: APICall.Method
    package let pattern: [String]

    package init(_ method: APICall.Method, _ path: String) {
        self.method = method
        pattern = path.split(separator: "/").map(String.init)
    }

    /// The same path under several methods.
    static func many(_ methods: [APICall.Method], _ paths: String...) -> [Route] {
        paths.flatMap { path in methods.map { Route($0, path) } }
    }
}
