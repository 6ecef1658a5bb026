// Where the mover's time goes: ISOTHERM_MOVER_BENCH=DATA swift test -c release --filter MoverBench moves all settled orders of a data folder that are older than
// a day to the archive, on real files, and tells the seconds of each step. `make archive-bench` (scripts/bench-archive.sh) fills the folder.

import Engine
import Foundation
import Orders
import OrdersSQLite
import Secrets
import Storage
import Synchronization
import Testing
import Tiering

@Suite("Mover bench")
struct MoverBench {
    @Test("hot to cold, step by step", .enabled(if: data != nil))
    func bench() async throws {
        let data = try #require(data), root = try FileDirectory(data, create: false)
        let store = try SQLiteOrderStore(path: data + "/hot/isotherm.db", keys: KeyRing.open(folder: data + "/keys")), node = try await Node.open(root: root)
        let keys = try store.personKeys(folder: data + "/keys")
        defer { keys.close() }
        let opened = try TierPlaces().open(root, node: node, hot: store), times = Times()
        var setting = OrderMover.Setting(holder: "bench")
        (setting.takesOver, setting.seam) = (true, { write, isBefore in times.note(write, isBefore) })
        if let batch = ProcessInfo.processInfo.environment["ISOTHERM_MOVER_BATCH"].flatMap({ Int($0) }) { setting.pace.archiveBatchOrders = batch }
        let policy = TierPolicy(name: "bench", classes: [.orders: [.init(.hot, from: 0, to: 1), .init(.cold, from: 1, to: nil)]])
        let start = Times.now(), mover = OrderMover(store: store, shelves: opened.shelves, staging: opened.staging, keys: keys, setting: setting)
        let report = try await mover.run(policy, at: .now()), seconds = Times.now() - start
        print("bench: \(report.moved) orders moved hot to cold in \(report.batches) batches and \(fixed(seconds)) s, \(Int(Double(report.moved) / seconds)) orders/s, \(report.bytes) bytes of documents")
        for (what, took) in times.all() { print("bench:   \(what.padding(toLength: 16, withPad: " ", startingAt: 0)) \(fixed(took)) s") }
        #expect(report.changed == 0 && report.refused == 0)
        await node.close()
        store.close()
    }
}

/// What each step took, and what lies between two steps: select and dump before a lease is taken anew, reading back before `verified`.
private final class Times: Sendable {
    private let state = Mutex((last: now(), took: [String: Double]()))

    func note(_ write: MoverWrite, _ isBefore: Bool) {
        state.withLock { state in
            let now = Self.now(), what = if !isBefore { write.rawValue } else if write == .lease { "select and dump" } else if write == .verified { "read back" } else { "between" }
            state.took[what, default: 0] += now - state.last
            state.last = now
        }
    }

    func all() -> [(String, Double)] { state.withLock { $0.took.sorted { $0.value > $1.value } } }

    static func now() -> Double { ProcessInfo.processInfo.systemUptime }
}

private let data: String? = ProcessInfo.processInfo.environment["ISOTHERM_MOVER_BENCH"]

private func fixed(_ seconds: Double) -> String { String(format: "%.2f", seconds) }
