// A server's life: open the data folder, listen, answer, and on SIGTERM or SIGINT finish what is in flight, close
// the node, return.

internal import CIsothermMalloc
internal import ElasticAPI
internal import Engine
internal import Glibc
internal import NIOCore
internal import ObjectStorage
internal import Storage
internal import Tiering

package enum Server {
    /// What is in work at the end may take so long.
    private static let stopMost = TimeAmount.seconds(30)

    /// Returns after a graceful end.
    /// - Parameter announce: is given the one line that says the server listens.
    package static func run(_ configuration: ServerConfiguration, announce: @escaping @Sendable (String) -> Void) async throws {
        let started = monotonicMilliseconds()
        keepMemory()
        var nodeOptions = configuration.node
        if ShopMount.asksWho(configuration.shop, host: configuration.host) { nodeOptions.concealed = [WarmShelf.indexName] }
        nodeOptions.snapshots.openStore = { location throws(ObjectStoreError) in try ObjectStores.open(location: location) }
        let node = try await Node.open(root: FileDirectory(configuration.data), options: nodeOptions)
        let shop: ShopMount
        do { shop = try ShopMount.open(data: configuration.data, host: configuration.host, node: node, configuration.shop) } catch {
            await node.close()
            throw error
        }
        var options = configuration.services
        options.httpAddress = "\(configuration.host):\(configuration.port)"
        options.owned = [WarmShelf.indexName]
        options.clusterUUID = ClusterIdentity.identifier(of: configuration.data)
        let services = Services(node: node, options: options) { wallMilliseconds() }
        let workers = ThreadPool(threads: configuration.threads, name: "work"), loop = LoopExecutor()
        let responder = RestResponder(
            router: ElasticAPI.Router(services: services), shop: shop.router, admission: Admission(most: configuration.requestsInFlightMax), workers: workers,
            searchers: node.searchers, loop: loop, bodyBytesMax: options.limits.bodyBytesMax)
        let upkeep = Task { await shop.keepUp() }
        let ended: Result<Void, any Error>
        do {
            let signals = try StopSignals()
            let listener = try await HTTPListener.open(
                host: configuration.host, port: configuration.port, idle: .seconds(configuration.idleSecondsMax), on: loop, service: responder)
            let indexes = node.indexNames.count
            announce("isotherm ready on http://\(configuration.host):\(listener.port) with \(indexes) indexes of \(configuration.data) after \(monotonicMilliseconds() - started) ms")
            await signals.first()
            // A connection that streams is never done: a graceful end begins with the streams'.
            shop.endStreams()
            await listener.stop(within: stopMost)
            ended = .success(())
        } catch { ended = .failure(error) }
        upkeep.cancel()
        _ = await upkeep.value
        shop.close()
        await node.close()
        workers.stop()
        await loop.end()
        try ended.get()
    }

    /// Measured: a search takes and frees some 300 KB. By default glibc gives the end of a thread's heap back to the system at 128 KB, and each search pays for the page
    /// faults and for telling the other processors: a fifth of it. Now up to 4 MB stay with each of the (at most 8 per processor) heaps.
    private static func keepMemory() {
        mallopt(M_TRIM_THRESHOLD, 4 << 20)
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
    }

    private static func wallMilliseconds() -> Int64 { milliseconds(CLOCK_REALTIME) }
    private static func monotonicMilliseconds() -> Int64 { milliseconds(CLOCK_MONOTONIC) }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Safe: the structure is ours and lives through the call.
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// The same folder is the same cluster to a client, also after a restart.
enum ClusterIdentity {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    static func identifier(of data: String) -> String {
        // FNV-1a, 64 bits, twice with different bases (Fowler, Noll, Vo).
        var a: UInt64 = 0xCBF2_9CE4_8422_2325, b: UInt64 = 0x9AE1_6A3B_2F90_404F
        for byte in data.utf8 {
            a = (a ^ UInt64(byte)) &* 0x100_0000_01B3
            b = (b ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return String((0..<22).map { i in
            let bits = i < 11 ? a >> UInt64(i * 6 % 60) : b >> UInt64((i - 11) * 6 % 60)
            return alphabet[Int(bits & 63)]
        })
    }
}
