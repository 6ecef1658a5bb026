// From a call to its answer: finds the endpoint by method and path, refuses unknown parameters and media
// types, runs it, lays out what came back. Literal parts of a path win over `{names}`.

internal import JSON
internal import QueryDSL

package struct Router: Sendable {
    private let root: Branch
    package let services: Services

    package init(services: Services) {
        self.services = services
        var root = Branch()
        for endpoint in Router.endpoints {
            for route in endpoint.routes { root.add(route.pattern[...], route, endpoint) }
        }
        self.root = root
    }

    package func answer(_ call: APICall) async -> RenderedAnswer {
        var call = call
        do {
            try settle(&call)
            let (endpoint, parts) = try find(call)
            call.parts = parts
            try check(call, endpoint)
            return render(try await endpoint.init(call).answer(from: services), for: call)
        } catch let refusal as PlainRefusal {
            return render(.members(refusal.status, [("error", .string(refusal.text)), ("status", .integer(Int64(refusal.status)))]), for: call)
        } catch { return render(APIError(error).answer, for: call) }
    }

    /// For errors met before there is a call: a body too large, a method nobody knows.
    package static func render(_ error: APIError) -> RenderedAnswer {
        RenderedAnswer(status: error.status, contentType: "application/json", headers: [product], body: rendered(error.answer, pretty: false) ?? [])
    }

    static let product = (name: "X-elastic-product", value: "Elasticsearch")

    // MARK: - Before

    private static let common: Set = ["pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type"]

    /// Media types, and the version whose answers are wanted.
    private func settle(_ call: inout APICall) throws(APIError) {
        call.compatibility = services.options.compatibility
        if !call.body.isEmpty, let header = call.contentType {
            guard let type = MediaType(header), type.isReadable else {
                throw APIError(406, "media_type_header_exception", "Content-Type header [\(header)] is not supported; send application/json")
            }
            if let version = type.compatibility { call.compatibility = version }
        }
        if let version = call.accept.flatMap(MediaType.init)?.compatibility {
            guard [7, 8].contains(version) else {
                throw APIError(400, "media_type_header_exception",
                    "Invalid media-type value on headers [Accept]: Accept version must be either version 8 or 7, but found \(version)")
            }
            call.compatibility = version
        }
    }

    private func find(_ call: APICall) throws -> (any Endpoint.Type, [String: String]) {
        if let match = root.find(call.segments[...], call.method) { return match }
        let allowed = APICall.Method.allCases.filter { root.find(call.segments[...], $0) != nil }
        guard !allowed.isEmpty else {
            throw PlainRefusal(400, "no handler found for uri [\(call.uri)] and method [\(call.method.rawValue)]")
        }
        throw PlainRefusal(405, "Incorrect HTTP method for uri [\(call.uri)] and method [\(call.method.rawValue)], allowed: "
            + "[\(allowed.map(\.rawValue).joined(separator: ", "))]")
    }

    private func check(_ call: APICall, _ endpoint: any Endpoint.Type) throws(APIError) {
        let known = Set(endpoint.parameters).union(Self.common)
        let unknown = call.parameters.keys.filter { !known.contains($0) }.sorted()
        guard !unknown.isEmpty else { return }
        let shown = unknown.map { "[\($0)]" + Self.suggestions(for: $0, among: Array(known)) }
        throw .illegal("request [\(call.path)] contains unrecognized parameter\(unknown.count > 1 ? "s" : ""): \(shown.joined(separator: ", "))")
    }

    // MARK: - After

    private func render(_ answer: APIAnswer, for call: APICall) -> RenderedAnswer {
        let pretty = call.parameters["pretty"].map { $0 != "false" } ?? false
        var rendered = RenderedAnswer(status: answer.status, contentType: nil, headers: [Self.product] + answer.headers, body: [])
        if case .text(let text) = answer.body {
            rendered.contentType = "text/plain; charset=UTF-8"
            rendered.body = Array(text.utf8)
        } else if let json = Self.rendered(answer, pretty: pretty) {
            rendered.contentType = Self.jsonType(for: call)
            rendered.body = json
            if let paths = call.text("filter_path") { rendered.body = FilterPath(paths).apply(to: json, pretty: pretty) }
            if pretty { rendered.body.append(0x0A) }
        }
        return rendered
    }

    private static func rendered(_ answer: APIAnswer, pretty: Bool) -> [UInt8]? {
        var writer = JSONWriter(pretty: pretty, reserving: 1024)
        switch answer.body {
        case .json(let value): writer.value(value)
        case .written(let write): write(&writer)
        case .text, .empty: return nil
        }
        return writer.bytes
    }

    private static func jsonType(for call: APICall) -> String {
        guard let type = call.accept.flatMap(MediaType.init), type.isVendor, let version = type.compatibility else { return "application/json" }
        return "application/vnd.elasticsearch+json;compatible-with=\(version)"
    }
}

/// Errors that Elasticsearch words as a bare string.
private struct PlainRefusal: Error {
    let status: Int, text: String
    init(_ status: Int, _ text: String) { (self.status, self.text) = (status, text) }
}

/// A part of the tree of paths.
private struct Branch: Sendable {
    private var literal: [String: Branch] = [:]
    /// One branch per name, tried in order: paths may name the same place differently.
    private var named: [(name: String, branch: Branch)] = []
    private var endpoints: [APICall.Method: any Endpoint.Type] = [:]

    mutating func add(_ pattern: ArraySlice<String>, _ route: Route, _ endpoint: any Endpoint.Type) {
        guard let first = pattern.first else {
            endpoints[route.method] = endpoint
            return
        }
        guard first.hasPrefix("{") else {
            literal[first, default: Branch()].add(pattern.dropFirst(), route, endpoint)
            return
        }
        let name = String(first.dropFirst().dropLast())
        let place = named.firstIndex { $0.name == name } ?? named.endIndex
        if place == named.endIndex { named.append((name, Branch())) }
        named[place].branch.add(pattern.dropFirst(), route, endpoint)
    }

    func find(_ path: ArraySlice<String>, _ method: APICall.Method) -> (any Endpoint.Type, [String: String])? {
        guard let first = path.first else { return endpoints[method].map { ($0, [:]) } }
        if let found = literal[first]?.find(path.dropFirst(), method) { return found }
        for (name, branch) in named {
            guard let found = branch.find(path.dropFirst(), method) else { continue }
            return (found.0, found.1.merging([name: first]) { $1 })
        }
        return nil
    }
}

extension Router {
    /// " -> did you mean [x]?", as refusals of parameters and metrics word it.
    static func suggestions(for name: String, among known: [String]) -> String {
        let near = Suggestion.nearest(to: name, among: known)
        return near.isEmpty ? "" : near.count == 1 ? " -> did you mean [\(near[0])]?" : " -> did you mean any of [\(near.joined(separator: ", "))]?"
    }
}
