// Opens the shop's store in the data folder, `<data>/hot/isotherm.db` with its keys in `<data>/keys/`, puts the endpoints of /api over it, and keeps upkeep turning.

internal import Engine
internal import Glibc
internal import Orders
internal import OrdersSQLite
internal import Secrets
internal import Shop
internal import Storage
internal import Tiering

/// What a server is told about its shop.
package struct ShopConfiguration: Sendable {
    package enum Access: String, Sendable, CaseIterable {
        /// The header X-Isotherm-Actor is believed where the server listens on the loopback address, tokens everywhere.
        case auto
        /// Tokens only.
        case tokens
        /// The header is believed on any address: a proxy in front sets it and lets nobody else's through.
        case proxy
    }
    package var access = Access.auto
    package var bodyBytesMax = 1 << 20
    package var waitingMax = 4_096
    package var batchMax = 256
    package var streamsMax = 256
    /// The file of policies, places and schedule (config/tiers.yaml); without one, places are folders of the data folder and nothing moves by itself.
    package var tiers: String?
    package init() {}
}

final class ShopMount: Sendable {
    let router: ShopRouter
    private let store: SQLiteOrderStore
    private let keys: PersonKeyFile
    private let upkeep: Upkeep
    /// Keeps the product index in step with the store.
    private let projector: CatalogueProjector
    /// Moves orders by itself, where it was told to.
    private let schedule: MoverSchedule?
    private let reads = OrderReadCounter()

    static func open(data: String, host: String, node: Node, _ configuration: ShopConfiguration) throws -> ShopMount {
        try makeFolder(data)
        try makeFolder(data + "/hot")
        // Under the node's lock, or a restore could end after the look.
        if try OrderBackup.isToBeReconciled(data + "/hot") { throw ConfigurationError(OrderBackup.reconcileFirst(data)) }
        let ring = try KeyRing.open(folder: data + "/keys")
        var options = OrdersSQLiteOptions()
        (options.waitingMax, options.batchMax) = (configuration.waitingMax, configuration.batchMax)
        let store = try SQLiteOrderStore(path: data + "/hot/isotherm.db", keys: ring, options: options)
        let keys = try store.personKeys(folder: data + "/keys")
        let file = try configuration.tiers.map { try tiersFile($0) }
        let places = try (file?.places ?? TierPlaces()).open(FileDirectory(data, create: false), node: node, hot: store)
        return ShopMount(store, keys, ring, host: host, node: node, places, try file.flatMap { try schedule($0, store, keys, places) }, configuration)
    }

    private static func tiersFile(_ path: String) throws -> PolicyFile {
        let cut = path.lastIndex(of: "/"), folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        do {
            let bytes = try FileDirectory(folder, create: false).read(cut.map { String(path[path.index(after: $0)...]) } ?? path)
            return try PolicyFile(yaml: String(decoding: bytes, as: UTF8.self))
        } catch { throw ConfigurationError("\(path): \(error)") }
    }

    private static func schedule(_ file: PolicyFile, _ store: SQLiteOrderStore, _ keys: PersonKeyFile, _ places: TierPlaces.Opened) throws -> MoverSchedule? {
        guard file.scheduleSeconds > 0 else { return nil }
        // The node holds the data folder's lock: no other mover is alive.
        var setting = OrderMover.Setting(holder: "isotherm serve \(Bytes16.random())")
        (setting.pace, setting.takesOver) = (file.pace, true)
        let mover = OrderMover(store: store, shelves: places.shelves, staging: places.staging, keys: keys, setting: setting)
        return MoverSchedule(mover, try file.policy(nil), every: .seconds(file.scheduleSeconds), sweep: { try await places.sweep() }) { line in
            // Safe: the text lives through the call.
            _ = unsafe (line + "\n").withCString { unsafe write(2, $0, strlen($0)) }
        }
    }

    private static func header(_ configuration: ShopConfiguration, _ host: String) -> AccessPolicy.Header {
        switch configuration.access {
        case .auto: ["127.0.0.1", "::1", "localhost"].contains(host) ? .believedOnLoopback : .refused
        case .tokens: .refused
        case .proxy: .believed
        }
    }

    /// Whether orders are for those alone who prove who they are: then searches from outside do not see the index of the warm tier either.
    static func asksWho(_ configuration: ShopConfiguration, host: String) -> Bool {
        if case .believedOnLoopback = header(configuration, host) { false } else { true }
    }

    private init(
        _ store: SQLiteOrderStore, _ keys: PersonKeyFile, _ ring: KeyRing, host: String, node: Node, _ places: TierPlaces.Opened, _ schedule: MoverSchedule?,
        _ configuration: ShopConfiguration
    ) {
        (self.store, self.keys, self.schedule) = (store, keys, schedule)
        let secrets = WebhookSecrets(ring)
        let header = Self.header(configuration, host)
        var limits = ShopServices.Limits()
        (limits.bodyBytesMax, limits.streamsMax) = (configuration.bodyBytesMax, configuration.streamsMax)
        let services = ShopServices(
            store: TieredOrderStore(hot: store, shelves: places.shelves, keys: keys, counting: reads), gateway: SandboxGateway(secret: secrets.payments), access: AccessPolicy(tokens: AccessTokens(ring), header: header), secrets: secrets,
            limits: limits, counts: { store.counts }, now: { Instant.now() })
        router = ShopRouter(services)
        upkeep = Upkeep(services)
        projector = CatalogueProjector(store: store, catalogue: CatalogueSearch(node: node))
    }

    /// Turns until cancelled.
    func keepUp() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.projector.run() }
            if let schedule { group.addTask { await schedule.run() } }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(10))
                    await self.reads.flush(to: self.store, by: Caller(.service("upkeep"), .maintenance, at: .now()))
                }
            }
            while !Task.isCancelled {
                await upkeep.turn()
                try? await Task.sleep(for: .seconds(1))
            }
        }
        await reads.flush(to: store, by: Caller(.service("upkeep"), .maintenance, at: .now()))
    }

    /// The server stops listening: open event streams end, so that it can.
    func endStreams() { upkeep.end() }

    /// Waits for what is being written.
    func close() {
        store.close()
        keys.close()
    }

    /// Safe: the path lives through the call, which keeps no pointer.
    private static func makeFolder(_ path: String) throws {
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw ConfigurationError("cannot make the folder \(path) (errno \(errno))") }
    }
}
