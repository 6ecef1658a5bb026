// What a server reads at start: config/isotherm.yaml, then options of the command line over it. Unknown keys are
// refused with the nearest known one, so a misspelt limit is not silently the default.

package import ElasticAPI
package import Engine
internal import JSON
internal import QueryDSL
internal import Storage
internal import Yams

package struct ServerConfiguration: Sendable {
    package var data = "data"
    package var host = "127.0.0.1"
    package var port = 9200
    package var services = Services.Options()
    package var node = NodeOptions()
    package var shop = ShopConfiguration()
    /// Requests in work or waiting; past it they are refused with 429.
    package var requestsInFlightMax = 1000
    /// A connection that in so long brings no whole head of a request, or does not take its answer, is closed.
    package var idleSecondsMax: Int64 = 300
    /// Threads that read bodies and lay out answers; searches and writes have the engine's.
    package var threads = 2

    package init() {}

    /// - Parameter yaml: the text of a configuration file; everything in it may be absent.
    package init(yaml: String) throws(ConfigurationError) {
        self.init()
        let tree: JSONValue
        do { tree = try JSONValue(yaml: try Yams.load(yaml: yaml)) } catch { throw ConfigurationError("the configuration is no valid YAML: \(error)") }
        do { try read(tree.isNull ? JSONObject() : tree.object ?? JSONObject([("", tree)])) } catch { throw ConfigurationError(error.reason) }
    }

    package init(path: String) throws(ConfigurationError) {
        let cut = path.lastIndex(of: "/")
        let folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".", name = cut.map { String(path[path.index(after: $0)...]) } ?? path
        do { try self.init(yaml: String(decoding: FileDirectory(folder, create: false).read(name), as: UTF8.self)) } catch {
            throw ConfigurationError("\(path): \(error)")
        }
    }

    // MARK: -

    private mutating func read(_ root: JSONObject) throws(QueryError) {
        var m = Members(root, of: "configuration")
        data = try m.string("data") ?? data
        try readHTTP(try m.object("http") ?? JSONObject())
        try readNode(try m.object("node") ?? JSONObject())
        try readSearch(try m.object("search") ?? JSONObject())
        try readWrites(try m.object("writes") ?? JSONObject())
        try readSnapshots(try m.object("snapshots") ?? JSONObject())
        try readShop(try m.object("shop") ?? JSONObject())
        try m.finish()
    }

    private mutating func readHTTP(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "http")
        host = try m.string("host") ?? host
        port = try m.integer("port", from: 0, to: 65_535) ?? port
        threads = try m.integer("threads", from: 1, to: 256) ?? threads
        requestsInFlightMax = try m.integer("requests_in_flight_max", from: 1) ?? requestsInFlightMax
        idleSecondsMax = try m.integer("idle_seconds_max", from: 1, to: 86_400).map(Int64.init) ?? idleSecondsMax
        if let megabytes = try m.integer("body_megabytes_max", from: 1, to: 2047) { services.limits.bodyBytesMax = megabytes << 20 }
        services.compatibility = try m.integer("compatible_with", from: 7, to: 8) ?? services.compatibility
        try m.finish()
    }

    private mutating func readNode(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "node")
        services.nodeName = try m.string("name") ?? services.nodeName
        services.clusterName = try m.string("cluster_name") ?? services.clusterName
        node.autoCreateIndex = try m.bool("auto_create_index") ?? node.autoCreateIndex
        try m.finish()
    }

    private mutating func readSearch(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "search")
        node.threads = try m.integer("threads", from: 1, to: 256) ?? node.threads
        services.limits.scrollsMax = try m.integer("open_scrolls_max", from: 1, to: 100_000) ?? services.limits.scrollsMax
        services.searchMillisecondsMax = try m.integer("seconds_max", from: 1, to: 86_400).map { $0 * 1000 } ?? services.searchMillisecondsMax
        try m.finish()
    }

    private mutating func readWrites(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "writes")
        if let megabytes = try m.integer("buffer_megabytes_max", from: 1, to: 1 << 20) { node.bufferBytesMax = megabytes << 20 }
        if let megabytes = try m.integer("in_flight_megabytes_max", from: 1, to: 1 << 20) { node.bulkBytesInFlightMax = megabytes << 20 }
        try m.finish()
    }

    private mutating func readSnapshots(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "snapshots")
        node.snapshots.folders = try m.strings("folders") ?? node.snapshots.folders
        for folder in node.snapshots.folders where !folder.hasPrefix("/") {
            throw QueryError("illegal_argument_exception", "snapshots.folders are absolute paths, not [\(folder)]")
        }
        try m.finish()
    }

    private mutating func readShop(_ object: JSONObject) throws(QueryError) {
        var m = Members(object, of: "shop")
        if let word = try m.string("access") {
            guard let access = ShopConfiguration.Access(rawValue: word) else {
                throw QueryError("illegal_argument_exception", "shop.access is one of \(ShopConfiguration.Access.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            shop.access = access
        }
        if let kilobytes = try m.integer("body_kilobytes_max", from: 1, to: 100 << 10) { shop.bodyBytesMax = kilobytes << 10 }
        shop.waitingMax = try m.integer("waiting_max", from: 1, to: 1 << 20) ?? shop.waitingMax
        shop.batchMax = try m.integer("commands_per_commit_max", from: 1, to: 10_000) ?? shop.batchMax
        shop.streamsMax = try m.integer("streams_max", from: 0, to: 100_000) ?? shop.streamsMax
        shop.tiers = try m.string("tiers") ?? shop.tiers
        try m.finish()
    }
}

package struct ConfigurationError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension JSONValue {
    /// What Yams makes of a document.
    fileprivate init(yaml value: Any?) throws {
        switch value {
        case nil: self = .null
        case let v as Bool: self = .bool(v)
        case let v as Int: self = .integer(Int64(v))
        case let v as Double: self = .number(v)
        case let v as String: self = .string(v)
        case let v as [Any]: self = .array(try v.map { try JSONValue(yaml: $0) })
        case let v as [AnyHashable: Any]:
            self = .object(JSONObject(try v.map { ("\($0.key.base)", try JSONValue(yaml: $0.value)) }))
        default: throw ConfigurationError("a value is neither text, number, flag, list nor map")
        }
    }
}
