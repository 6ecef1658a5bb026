// DELETE /{index}: names and patterns; never an alias.

internal import Engine
internal import JSON

struct IndexDeleteEndpoint: Endpoint {
    static let routes = [Route(.delete, "/{index}")]
    static let parameters = ["timeout", "master_timeout"] + APICall.indexParameters

    private let expression: String
    private let options: IndexOptions

    init(_ call: APICall) throws {
        expression = call.indexExpression
        options = try call.indexOptions()
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try concrete(services.node)
        try services.refuseOwned(names)
        if !names.isEmpty { try await services.node.deleteIndex(names.joined(separator: ",")) }
        return .acknowledged
    }

    // MARK: -

    /// Order matters: all names are found before any index goes. Patterns never reach an index by its alias.
    private func concrete(_ node: Node) throws -> [String] {
        let all = node.indexNames
        var every = IndexOptions()
        every.includesHidden = options.includesHidden
        var names: [String] = []
        for part in expression.split(separator: ",").map(String.init) {
            if part.hasPrefix("-"), !names.isEmpty {
                names.removeAll { Wildcard.matches(String(part.dropFirst()), $0) }
            } else if options.expandsWildcards, part == "_all" || part.contains("*") {
                let found = try node.resolve("*", every).map(\.name).filter { part == "_all" || Wildcard.matches(part, $0) }
                if found.isEmpty, !options.allowNoIndices { throw EngineError.indexNotFound(part) }
                names += found
            } else if all.contains(part) {
                names.append(part)
            } else if !options.ignoreUnavailable {
                guard (try? node.resolve(part, IndexOptions(allowNoIndices: false, expandsWildcards: false)))?.isEmpty == false else { throw EngineError.indexNotFound(part) }
                throw APIError.illegal("The provided expression [\(part)] matches an alias, specify the corresponding concrete indices instead.")
            }
        }
        return Set(names).sorted()
    }
}
