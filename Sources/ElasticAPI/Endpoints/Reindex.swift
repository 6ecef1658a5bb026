// POST _reindex: copies documents from some indexes into another.

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct ReindexEndpoint: Endpoint {
    static let routes = [Route(.post, "/_reindex")]
    static let parameters = ByQueryOptions.parameters

    private let call: APICall
    private let source: Source
    private let destination: Destination
    private let options: ByQueryOptions

    private struct Source: Sendable {
        var expression: String
        var query: Query?
        var filter = SourceFilter.all
    }

    private struct Destination: Sendable {
        var index: String
        var creates = false
        /// Keep the versions of the source: an older copy does not overwrite.
        var external = false
        var externalType = WriteOperation.VersionType.internal
        var routing: String?
    }

    init(_ call: APICall) throws {
        self.call = call
        var m = Members(try call.requiredObject(), of: "reindex")
        guard let source = try m.object("source") else { throw APIError.illegal("Required [source]") }
        guard let destination = try m.object("dest") else { throw APIError.illegal("Required [dest]") }
        if m.take("script") != nil { throw APIError.illegal("[script] is not supported; read the documents, change them and index them again") }
        var options = try ByQueryOptions(call, &m)
        try m.finish()
        self.source = try Self.source(source, &options)
        self.destination = try Self.destination(destination)
        self.options = options
        if self.source.expression.split(separator: ",").map(String.init).contains(self.destination.index) {
            throw APIError.validation("reindex cannot write into an index its reading from [\(self.destination.index)]")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let started = services.nowMilliseconds, destination = destination, filter = source.filter
        var tally = ByQueryTally()
        for target in try services.targets(source.expression, IndexOptions()) where tally.total < options.documentsMax && tally.failures.isEmpty {
            try await services.byQuery(source.query, target, options, &tally, compatibility: call.compatibility) { document in
                var operation = WriteOperation(destination.creates ? .create : .index, index: destination.index, id: document.id,
                    source: try filter.apply(to: document.source) ?? document.source, routing: destination.routing)
                if destination.external { (operation.version, operation.versionType) = (document.version, destination.externalType) }
                return operation
            }
        }
        if options.refreshes, services.exists(destination.index) { try await services.node.refresh(destination.index) }
        return tally.answer(took: services.nowMilliseconds - started, shows: ["updated", "created", "deleted"])
    }

    // MARK: -

    private static func source(_ object: JSONObject, _ options: inout ByQueryOptions) throws -> Source {
        var m = Members(object, of: "source")
        guard let names = try m.strings("index"), !names.isEmpty else { throw APIError.validation("use _all if you really want to copy from all existing indexes") }
        var source = Source(expression: names.joined(separator: ","))
        source.query = try m.query("query")
        if let size = m.take("size") {
            guard let count = size.wholeNumber else { throw APIError(400, "number_format_exception", "For input string: \"\(size.scalar ?? "")\"") }
            guard count > 0 else { throw APIError.validation("[source.size] must be positive, found [\(count)]") }
            options.batch = min(count, 10_000)
        }
        if m.take("remote") != nil { throw APIError.illegal("[remote] is not supported; reindex copies between indexes of this node") }
        for name in ["stored_fields", "from"] where m.take(name) != nil { throw APIError.validation("\(name) is not supported in this context") }
        if let filter = m.take("_source") { source.filter = try SourceFilter(json: filter) }
        if source.filter == .none { throw APIError.validation("_source:false is not supported in this context") }
        _ = m.take("slice", "sort")
        if let (unknown, value) = m.rest.first { throw APIError(400, "parsing_exception", "Unknown key for a \(value.tokenName) in [\(unknown)].") }
        return source
    }

    private static func destination(_ object: JSONObject) throws -> Destination {
        var m = Members(object, of: "dest")
        guard let index = try m.string("index"), !index.isEmpty else { throw APIError.validation("index must be specified") }
        var to = Destination(index: index)
        to.creates = try m.choice("op_type", ["index": false, "create": true]) ?? false
        to.externalType = try WriteParameters.versionType(try m.string("version_type"))
        to.external = to.externalType != .internal
        if let routing = try m.string("routing") {
            guard routing == "keep" || routing == "discard" || routing.hasPrefix("=") else {
                throw APIError.illegal("routing must be unset, [keep], [discard] or [=<some new value>] but was [\(routing)]")
            }
            if routing.hasPrefix("=") { to.routing = String(routing.dropFirst()) }
        }
        if let pipeline = try m.string("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
        try m.finish()
        return to
    }
}
