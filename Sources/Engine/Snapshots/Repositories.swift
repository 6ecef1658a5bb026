// The repositories a node knows by name, kept in `repositories.json` of its data folder, and how one is opened from what its creator said.
//
//     fs    "location": a folder below `<data>/snapshots`, or an absolute path below one of the folders that the configuration names
//     s3    "bucket", "base_path", "endpoint", "region", "path_style_access"; keys come from the environment, never from here
//
// Both: "compress" (blobs are packed where it pays; true), "readonly".

package import JSON
package import Storage
import Synchronization

package struct RepositoryDefinition: Sendable, Equatable {
    package var type: String
    /// As the caller wrote them, flat.
    package var settings: JSONObject
    package init(type: String, settings: JSONObject) { (self.type, self.settings) = (type, settings) }
}

package struct SnapshotOptions: Sendable {
    /// Absolute folders below which `fs` repositories may lie, besides `<data>/snapshots`.
    package var folders: [String] = []
    /// Opens `s3://…`; nil: this node knows none.
    package var openStore: (@Sendable (_ location: String) throws(ObjectStoreError) -> any ObjectStore)?
    package init() {}
}

final class Repositories: Sendable {
    static let fileName = "repositories.json"
    private static let format: Int64 = 1

    private let root: any Directory
    private let options: SnapshotOptions
    /// Taken around every change, with its write to disk.
    private let changes = Monitor()
    private let state: Mutex<State>
    private struct State {
        var known: Result<[String: RepositoryDefinition], EngineError>
        var stores: [String: any ObjectStore] = [:]
    }

    /// A damaged file keeps nobody from opening the node: it is told at every use.
    init(_ root: any Directory, _ options: SnapshotOptions) {
        (self.root, self.options) = (root, options)
        do throws(StorageError) { state = Mutex(State(known: .success(try Self.read(root)))) } catch {
            state = Mutex(State(known: .failure(EngineError(error))))
        }
    }

    private static func read(_ root: any Directory) throws(StorageError) -> [String: RepositoryDefinition] {
        guard try root.length(fileName) != nil else { return [:] }
        let path = root.path + "/" + fileName
        let object = try ChecksummedJSON.decode(try root.read(fileName), format: format, path: path)
        guard let members = object["repositories"]?.object else { throw StorageError(.corrupt, path: path, "a member is missing", at: 0) }
        var known: [String: RepositoryDefinition] = [:]
        for (name, value) in members {
            guard let type = value["type"]?.string, let settings = value["settings"]?.object else { throw StorageError(.corrupt, path: path, "a member is missing", at: 0) }
            known[name] = RepositoryDefinition(type: type, settings: settings)
        }
        return known
    }

    var all: [String: RepositoryDefinition] { get throws(EngineError) { try state.withLock { $0.known }.get() } }

    /// - Parameter store: what the definition opens, if somebody opened it already.
    func put(_ name: String, _ definition: RepositoryDefinition, _ store: any ObjectStore) throws(EngineError) {
        try change { $0[name] = definition }
        state.withLock { $0.stores[name] = store }
    }

    func remove(_ names: [String]) throws(EngineError) {
        try change { for name in names { $0[name] = nil } }
        state.withLock { for name in names { $0.stores[name] = nil } }
    }

    private func change(_ body: (inout [String: RepositoryDefinition]) -> Void) throws(EngineError) {
        try changes.locked { () throws(EngineError) in
            var known = try all
            body(&known)
            let members = known.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.object(JSONObject([("type", .string($0.value.type)), ("settings", .object($0.value.settings))]))) }
            let bytes = ChecksummedJSON.encode(JSONObject([("format", .integer(Self.format)), ("repositories", .object(JSONObject(members)))]))
            do throws(StorageError) { try root.replace(Self.fileName, with: bytes) } catch { throw EngineError(error) }
            state.withLock { $0.known = .success(known) }
        }
    }

    // MARK: - Opening

    func store(_ name: String, _ definition: RepositoryDefinition) throws(EngineError) -> any ObjectStore {
        if let open = state.withLock({ $0.stores[name] }) { return open }
        let made = try open(name, definition)
        return state.withLock { s in
            if let open = s.stores[name] { return open }
            s.stores[name] = made
            return made
        }
    }

    func open(_ name: String, _ definition: RepositoryDefinition) throws(EngineError) -> any ObjectStore {
        func refuse(_ why: String) -> EngineError { EngineError(.badRequest, "repository_exception", "[\(name)] \(why)") }
        let known = Self.settings[definition.type]
        guard let known else { throw refuse("repository type [\(definition.type)] does not exist; there are fs and s3") }
        for key in definition.settings.keys where !known.contains(key) && !Self.ignored.contains(key) {
            throw refuse(Self.secrets.contains(key) ? "[\(key)] is kept in no repository's settings: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the server runs"
                : "unknown setting [\(key)]; there are \(known.joined(separator: ", "))")
        }
        for flag in ["compress", "readonly", "path_style_access"] where definition.settings[flag] != nil && definition.flag(flag) == nil {
            throw refuse("[\(flag)] is true or false")
        }
        return definition.type == "fs" ? try folder(definition, refuse) : try bucket(definition, refuse)
    }

    private static let settings = [
        "fs": ["location", "compress", "readonly"],
        "s3": ["bucket", "base_path", "endpoint", "region", "path_style_access", "compress", "readonly"],
    ]
    /// Elasticsearch's, which change nothing here.
    private static let ignored = [
        "chunk_size", "max_snapshot_bytes_per_sec", "max_restore_bytes_per_sec", "max_number_of_snapshots", "client", "buffer_size", "canned_acl", "storage_class",
        "server_side_encryption",
    ]
    private static let secrets = ["access_key", "secret_key", "session_token"]

    private func folder(_ definition: RepositoryDefinition, _ refuse: (String) -> EngineError) throws(EngineError) -> any ObjectStore {
        guard let location = definition.settings["location"]?.string, !location.isEmpty else { throw refuse("missing location") }
        let parts = location.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard !parts.contains(where: { $0 == "." || $0 == ".." || $0.utf8.contains(0) }) else { throw refuse("location [\(location)] has a part . or ..") }
        guard !parts.isEmpty else { throw refuse("missing location") }
        let path = "/" + parts.joined(separator: "/"), isAbsolute = location.hasPrefix("/")
        guard !isAbsolute || isAllowed(path) else {
            throw refuse("location [\(location)] doesn't match any of the locations specified by path.repo: they are `snapshots.folders` of this server's "
                + "configuration, and a relative one lies in the data folder's `snapshots`")
        }
        do throws(StorageError) {
            if isAbsolute { return FolderObjectStore(try FileDirectory(path)) }
            var folder = try root.directory("snapshots")
            try root.sync()
            for part in parts {
                let parent = folder
                folder = try parent.directory(part)
                try parent.sync()
            }
            return FolderObjectStore(folder)
        } catch { throw EngineError(.failed, "repository_exception", "[\(definition.type)] \(error)") }
    }

    private func isAllowed(_ path: String) -> Bool {
        options.folders.contains { root in
            let root = "/" + root.split(separator: "/").joined(separator: "/")
            return root == "/" || path == root || path.hasPrefix(root + "/")
        }
    }

    private func bucket(_ definition: RepositoryDefinition, _ refuse: (String) -> EngineError) throws(EngineError) -> any ObjectStore {
        guard let open = options.openStore else { throw refuse("this process opens no s3 repositories") }
        guard let bucket = definition.settings["bucket"]?.string, !bucket.isEmpty, !bucket.contains("?"), !bucket.contains("/") else { throw refuse("no bucket is given") }
        var location = "s3://" + bucket
        if let base = definition.settings["base_path"]?.string {
            guard !base.contains("?") else { throw refuse("base_path holds a \"?\"") }
            let parts = base.split(separator: "/").joined(separator: "/")
            if !parts.isEmpty { location += "/" + parts }
        }
        var options: [String] = []
        if let endpoint = definition.settings["endpoint"]?.string { options.append("endpoint=" + Self.escaped(endpoint)) }
        if let region = definition.settings["region"]?.string { options.append("region=" + Self.escaped(region)) }
        if let isPath = definition.flag("path_style_access") { options.append("addressing=" + (isPath ? "path" : "virtual")) }
        if !options.isEmpty { location += "?" + options.joined(separator: "&") }
        do throws(ObjectStoreError) { return try open(location) } catch { throw refuse("\(error)") }
    }

    private static func escaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if "&=%?#+".utf8.contains(byte) || byte <= 0x20 { out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]] } else { out.append(byte) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension RepositoryDefinition {
    /// As flags are written: true, "true".
    func flag(_ name: String) -> Bool? {
        switch settings[name] {
        case .bool(let value): value
        case .string("true"): true
        case .string("false"): false
        default: nil
        }
    }
}

extension Node {
    /// By name, those that an expression (names, patterns, `_all`) stands for.
    package func repositories(_ expression: String = "_all") throws(EngineError) -> [(name: String, definition: RepositoryDefinition)] {
        let all = try repositoryCatalogue.all, (found, missing) = SnapshotNames.select(expression, from: all.keys.sorted())
        if let name = missing.first { throw Self.repositoryMissing(name) }
        return found.compactMap { name in all[name].map { (name, $0) } }
    }

    /// Registers a repository, durably; one of that name is replaced.
    /// - Parameter isTried: write to it first.
    package func putRepository(_ name: String, _ definition: RepositoryDefinition, isTried: Bool = true) async throws(EngineError) {
        try checkOpen()
        if let problem = SnapshotNames.repositoryProblem(name) { throw EngineError(.badRequest, "repository_exception", "[\(name)] Invalid repository name, \(problem)") }
        if runningSnapshots.contains(where: { $0.repository == name }) {
            throw EngineError(.conflict, "illegal_state_exception", "trying to modify or unregister repository [\(name)] that is currently used")
        }
        let catalogue = repositoryCatalogue
        let store = try await SnapshotRepository.pool.run { () throws(EngineError) in try catalogue.open(name, definition) }
        if isTried { try await SnapshotRepository(name: name, store, isReadOnly: definition.flag("readonly") ?? false).tryOut() }
        try await SnapshotRepository.pool.run { () throws(EngineError) in try catalogue.put(name, definition, store) }
    }

    /// Forgets repositories; what is in them stays.
    package func removeRepositories(_ expression: String) async throws(EngineError) {
        try checkOpen()
        let names = try repositories(expression).map(\.name), catalogue = repositoryCatalogue
        if let used = names.first(where: { name in runningSnapshots.contains { $0.repository == name } }) {
            throw EngineError(.conflict, "illegal_state_exception", "trying to modify or unregister repository [\(used)] that is currently used")
        }
        try await SnapshotRepository.pool.run { () throws(EngineError) in try catalogue.remove(names) }
    }

    package func repository(_ name: String) async throws(EngineError) -> SnapshotRepository {
        try checkOpen()
        guard let definition = try repositoryCatalogue.all[name] else { throw Self.repositoryMissing(name) }
        let catalogue = repositoryCatalogue
        let store = try await SnapshotRepository.pool.run { () throws(EngineError) in try catalogue.store(name, definition) }
        return SnapshotRepository(
            name: name, store, isReadOnly: definition.flag("readonly") ?? false, packs: definition.flag("compress") ?? true
        ) { [weak self] () throws(EngineError) in try self?.checkOpen() }
    }

    private static func repositoryMissing(_ name: String) -> EngineError { EngineError(.notFound, "repository_missing_exception", "[\(name)] missing") }
}
