// One index: its description, kept in index.json, and its shard. An index whose shard cannot be opened is
// there all the same, and says why at every use, so that one damaged folder does not keep the rest away.

internal import Analysis
internal import JSON
internal import Mappings
internal import Search
internal import Storage
import Synchronization

final class Index: Sendable {
    let name: String
    let uuid: String
    let created: Int64
    let directory: any Directory
    let mapping: LiveMapping
    private let opening: @Sendable () throws(EngineError) -> IndexShard
    private let current: Mutex<Result<IndexShard, EngineError>>
    private let values: Mutex<Values>
    /// Taken around every change of the description, with its write to disk.
    private let changes = Monitor()
    /// Bulk loads in progress: they refresh when they are done.
    let loads = Atomic<Int>(0)
    let lastRefresh = Atomic<Int64>(0)
    let lastSync = Atomic<Int64>(0)
    /// Of background work that failed: when it may be tried again.
    let retryAt = Atomic<Int64>(0)

    private struct Values {
        var settings: IndexSettings
        var search: SearchSettings
        var aliases: [String: IndexAlias]
    }

    // MARK: - Making and opening

    /// Lays down a new index. It exists once index.json is there, which is written last.
    static func create(
        name: String, uuid: String, created: Int64, settings: IndexSettings, mappings: JSONObject, aliases: [IndexAlias], in parent: any Directory,
        node: NodeParts
    ) throws(EngineError) -> Index {
        let mapping = try mappingOf(mappings, settings)
        let file = IndexFile(
            name: name, uuid: uuid, created: created, settings: settings.object, mappings: mapping.definition, aliases: aliases)
        do throws(StorageError) {
            let directory = try parent.directory(uuid)
            try IndexShard.create(in: try directory.directory("0"))
            try directory.sync()
            try parent.sync()
            try directory.replace(IndexFile.name, with: file.encoded())
        } catch {
            try? parent.removeDirectory(uuid)
            throw EngineError(error)
        }
        let directory: any Directory
        do throws(StorageError) { directory = try parent.directory(uuid) } catch { throw EngineError(error) }
        return try Index(file, settings: settings, mapping: mapping, directory: directory, node: node)
    }

    /// Nil when the folder holds no whole index: one whose making or removal was interrupted.
    static func open(_ uuid: String, in parent: any Directory, node: NodeParts) throws(EngineError) -> Index? {
        let directory: any Directory, bytes: [UInt8]
        do throws(StorageError) {
            directory = try parent.directory(uuid)
            guard try directory.length(IndexFile.name) != nil else { return nil }
            bytes = try directory.read(IndexFile.name)
        } catch { throw EngineError(error) }
        let file = try IndexFile.decode(bytes, path: directory.path + "/" + IndexFile.name)
        let settings = IndexSettings(stored: file.settings)
        return try Index(file, settings: settings, mapping: try mappingOf(file.mappings, settings), directory: directory, node: node)
    }

    private init(_ file: IndexFile, settings: IndexSettings, mapping: Mapping, directory: any Directory, node: NodeParts) throws(EngineError) {
        (name, uuid, created, self.directory) = (file.name, file.uuid, file.created, directory)
        let live = LiveMapping(mapping)
        self.mapping = live
        values = Mutex(Values(
            settings: settings, search: try settings.searchSettings(), aliases: Dictionary(file.aliases.map { ($0.name, $0) }) { $1 }))
        let owner = Owner()
        opening = { () throws(EngineError) in
            var shardSettings = node.shardSettings
            try (owner.index?.settings ?? settings).apply(to: &shardSettings)
            let folder: any Directory
            do throws(StorageError) { folder = try directory.directory("0") } catch { throw EngineError(error) }
            return try IndexShard(opening: folder, mapping: live, settings: shardSettings, pool: node.writers, io: node.io) {
                _ throws(StorageError) in try owner.index?.persist()
            }
        }
        do throws(EngineError) { current = Mutex(.success(try opening())) } catch { current = Mutex(.failure(error)) }
        owner.set(self)
    }

    /// Breaks the cycle between an index and its shard's call-back.
    private final class Owner: Sendable {
        private let held = Mutex<Weak>(Weak())
        private struct Weak { weak var index: Index? }
        var index: Index? { held.withLock { $0.index } }
        func set(_ index: Index) { held.withLock { $0.index = index } }
    }

    /// Whether an index of this description can be opened: its settings and mapping hold together.
    static func check(_ file: IndexFile) throws(EngineError) {
        let settings = IndexSettings(stored: file.settings)
        _ = try settings.searchSettings()
        _ = try mappingOf(file.mappings, settings)
    }

    private static func mappingOf(_ definition: JSONObject, _ settings: IndexSettings) throws(EngineError) -> Mapping {
        let registry = try settings.analysis(), limits = try settings.mappingLimits()
        do throws(MappingError) { return try Mapping(definition, analysis: registry, limits: limits) } catch { throw EngineError(error) }
    }

    // MARK: - Use

    func shard() throws(EngineError) -> IndexShard { try current.withLock { $0 }.get() }
    var opened: IndexShard? { try? shard() }

    /// Opens a failed shard anew, doing its log again: a full disk has space again, say. Searches go on meanwhile.
    /// - Throws: when it cannot be opened yet; the failed one stays.
    func reopenIfFailed() throws(EngineError) {
        guard let failed = opened, failed.failed != nil else { return }
        try failed.afterUpkeep { () throws(EngineError) in
            let shard = try opening()
            current.withLock { $0 = .success(shard) }
        }
    }

    var settings: IndexSettings { values.withLock { $0.settings } }
    var aliases: [String: IndexAlias] { values.withLock { $0.aliases } }
    var isHidden: Bool { settings.text("hidden") == "true" }

    var description: IndexDescription {
        let (settings, aliases) = values.withLock { ($0.settings, $0.aliases) }
        return IndexDescription(
            name: name, uuid: uuid, created: created, settings: settings.object, mapping: mapping.current,
            aliases: aliases.values.sorted { $0.name < $1.name })
    }

    func snapshot() throws(EngineError) -> IndexSnapshot { try shard().snapshot(settings: values.withLock { $0.search }) }

    // MARK: - Changes

    func putMapping(_ definition: JSONObject) throws(EngineError) {
        try changes.locked { () throws(EngineError) in
            try mapping.merge(definition)
            try write(mapping.current)
        }
    }

    func putSettings(_ changed: IndexSettings) throws(EngineError) {
        let search = try changed.searchSettings()
        try changes.locked { () throws(EngineError) in
            let before = values.withLock { $0 }
            values.withLock { ($0.settings, $0.search) = (changed, search) }
            do throws(EngineError) { try write(mapping.current) } catch {
                values.withLock { $0 = before }
                throw error
            }
            if let shard = opened {
                var next = shard.settings
                try changed.apply(to: &next)
                shard.settings = next
            }
        }
    }

    func setAliases(_ aliases: [String: IndexAlias]) throws(EngineError) {
        try changes.locked { () throws(EngineError) in
            let before = values.withLock { v in
                defer { v.aliases = aliases }
                return v.aliases
            }
            do throws(EngineError) { try write(mapping.current) } catch {
                values.withLock { $0.aliases = before }
                throw error
            }
        }
    }

    /// Called by flush: documents have brought fields along.
    private func persist() throws(StorageError) {
        changes.lock()
        defer { changes.unlock() }
        try directory.replace(IndexFile.name, with: encoded(mapping.current))
    }

    private func write(_ mapping: Mapping) throws(EngineError) {
        do throws(StorageError) { try directory.replace(IndexFile.name, with: encoded(mapping)) } catch { throw EngineError(error) }
    }

    private func encoded(_ mapping: Mapping) -> [UInt8] {
        let (settings, aliases) = values.withLock { ($0.settings, $0.aliases) }
        return IndexFile(
            name: name, uuid: uuid, created: created, settings: settings.object, mappings: mapping.definition,
            aliases: aliases.values.sorted { $0.name < $1.name }).encoded()
    }
}

/// What a node lends to its indexes.
struct NodeParts: Sendable {
    var shardSettings: ShardSettings
    var writers: ThreadPool?
    var io: ThreadPool?
}
