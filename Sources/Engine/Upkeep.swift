// What a node does by itself, on two threads of its own: refreshes, flushes and delayed syncs on one, merges on
// the other, so that a long merge holds up neither. Work that failed is tried again after a pause.

internal import Storage
import Synchronization

final class Upkeep: @unchecked Sendable {
    private let catalogue: Catalogue
    private let bufferBytesMax: Int
    private let monitor = Monitor()
    // Guarded by `monitor`.
    private var stopping = false
    private var running = 2

    private static let tickMilliseconds = 100
    private static let pauseAfterFailure: Int64 = 10_000
    private static let syncInterval: Int64 = 5_000

    init(_ catalogue: Catalogue, bufferBytesMax: Int) {
        self.catalogue = catalogue
        self.bufferBytesMax = bufferBytesMax
        spawn { [self] in loop(tick) }
        spawn { [self] in loop(merge) }
    }

    /// Returns when both threads have ended; a merge in progress is waited for.
    func stop() {
        monitor.locked {
            stopping = true
            monitor.wakeAll()
            while running > 0 { monitor.wait() }
        }
    }

    // MARK: -

    private func loop(_ step: () -> Void) {
        while !monitor.locked({ stopping }) {
            step()
            monitor.locked { if !stopping { monitor.wait(milliseconds: Self.tickMilliseconds) } }
        }
        monitor.locked {
            running -= 1
            monitor.wakeAll()
        }
    }

    private func tick() {
        let now = monotonicMilliseconds()
        var buffered: [(index: Index, bytes: Int)] = []
        for index in catalogue.all {
            guard let shard = index.opened, now >= index.retryAt.load(ordering: .relaxed) else { continue }
            do throws(EngineError) {
                if shard.failed != nil {
                    index.retryAt.store(now + Self.pauseAfterFailure, ordering: .relaxed)
                    try index.reopenIfFailed()
                    continue
                }
                let settings = shard.settings
                if let interval = settings.refreshMilliseconds, index.loads.load(ordering: .relaxed) == 0,
                    now - index.lastRefresh.load(ordering: .relaxed) >= interval
                {
                    if shard.isDirty { try shard.refresh() }
                    index.lastRefresh.store(now, ordering: .relaxed)
                }
                if shard.translog.size.bytes > settings.flushBytes { try shard.flush() }
                if settings.durability == .async, now - index.lastSync.load(ordering: .relaxed) >= Self.syncInterval {
                    index.lastSync.store(now, ordering: .relaxed)
                    do throws(StorageError) { try shard.translog.sync() } catch { shard.fail(error) }
                }
                buffered.append((index, shard.bufferBytes))
            } catch { index.retryAt.store(now + Self.pauseAfterFailure, ordering: .relaxed) }
        }
        // Many indexes with a little each can hold much together: the largest are sealed first.
        var total = buffered.reduce(0) { $0 + $1.bytes }
        for (index, bytes) in buffered.sorted(by: { $0.bytes > $1.bytes }) where total > bufferBytesMax + bufferBytesMax / 4 {
            try? index.opened?.refresh()
            total -= bytes
        }
    }

    private func merge() {
        for index in catalogue.all {
            guard let shard = index.opened, shard.failed == nil, index.loads.load(ordering: .relaxed) == 0 else { continue }
            let now = monotonicMilliseconds()
            guard now >= index.retryAt.load(ordering: .relaxed) else { continue }
            do throws(EngineError) {
                for _ in 0..<100 {
                    if monitor.locked({ stopping }) { return }
                    guard try shard.mergeOnce() else { break }
                }
            } catch { index.retryAt.store(now + Self.pauseAfterFailure, ordering: .relaxed) }
        }
    }
}
