// A server's life: open the data folder, listen, answer, and on SIGTERM or SIGINT finish what is in flight, close
// the node, return.

internal import ElasticAPI
internal import Engine
internal import Glibc
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Storage

package enum Server {
    /// Returns after a graceful end.
    /// - Parameter announce: is given the one line that says the server listens.
    package static func run(_ configuration: ServerConfiguration, announce: @escaping @Sendable (String) -> Void) async throws {
        let started = monotonicMilliseconds()
        let node = try await Node.open(root: FileDirectory(configuration.data), options: configuration.node)
        let shop: ShopMount
        do { shop = try ShopMount.open(data: configuration.data, host: configuration.host, node: node, configuration.shop) } catch {
            await node.close()
            throw error
        }
        var options = configuration.services
        options.httpAddress = "\(configuration.host):\(configuration.port)"
        options.clusterUUID = ClusterIdentity.identifier(of: configuration.data)
        let services = Services(node: node, options: options) { wallMilliseconds() }
        let pool = WorkPool(threads: configuration.threads)
        let responder = RestResponder(router: ElasticAPI.Router(services: services), shop: shop.router, admission: Admission(most: configuration.requestsInFlightMax), pool: pool,
            bodyBytesMax: options.limits.bodyBytesMax)
        // One loop reads and writes for all connections; what takes long runs elsewhere.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var logger = Logger(label: "isotherm")
        logger.logLevel = .error
        let data = configuration.data, host = configuration.host, indexes = node.indexNames.count
        let bodyBytesMax = options.limits.bodyBytesMax
        let application = Application(
            responder: responder,
            server: .http1(configuration: .init(
                additionalChannelHandlers: [ExpectContinue(bodyBytesMax: bodyBytesMax)], idleTimeout: .seconds(configuration.idleSecondsMax))),
            configuration: ApplicationConfiguration(address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { channel in
                // A connection that streams is never done: a graceful end begins with the streams'. The task knows of it by the one that runs this.
                Task {
                    try? await gracefulShutdown()
                    shop.endStreams()
                }
                let port = channel.localAddress?.port ?? configuration.port
                announce("isotherm ready on http://\(host):\(port) with \(indexes) indexes of \(data) after \(monotonicMilliseconds() - started) ms")
            },
            eventLoopGroupProvider: .shared(group),
            logger: logger)
        let ended: Result<Void, any Error>
        let upkeep = Task { await shop.keepUp() }
        do {
            ended = .success(try await withTaskExecutorPreference(LoopExecutor(group.next())) { try await application.runService() })
        } catch { ended = .failure(error) }
        upkeep.cancel()
        _ = await upkeep.value
        shop.close()
        await node.close()
        try ended.get()
        pool.close(threads: configuration.threads)
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
