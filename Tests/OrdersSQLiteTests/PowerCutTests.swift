// Power cuts: whatever the cut leaves of what was not synced, the store opens, and what was answered is there, once.
//
// A kill leaves the page cache, so it cannot tell a commit that was synced from one that was not. Here a VFS writes down what SQLite asks of the disk, and the disk
// is built anew as it may be after a cut at any operation (PowerDisk). ISOTHERM_POWER_CUTS says how many such disks are looked at; 0 is all: each operation.
// Seeds as everywhere: `make powercuts SEED=7`.

import Foundation
import GRDB
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets
import Testing

@Suite("Orders: power cuts", .serialized)
struct PowerCutTests {
    private static let wanted = ProcessInfo.processInfo.environment["ISOTHERM_POWER_CUTS"].flatMap { Int($0) } ?? 500

    @Test("after a power cut at any operation every answered command is there, once, and the sums add up")
    func everyOperation() async throws {
        let scene = try PowerScene()
        let workload = PowerWorkload()
        await workload.run(on: scene.recorder, rounds: 30, seed: 1)
        #expect(workload.answers > 1_000 && scene.recorder.checkpointed > 100, "the workload does too little: \(workload.answers) answers")
        let begun = ContinuousClock.now, looks = PowerCutTests.looks(scene.recorder, most: PowerCutTests.wanted)
        let violations = try await scene.check(looks, workload)
        #expect(violations.isEmpty, "\(violations.count) violations, as: \(violations.prefix(3).joined(separator: "\n"))")
        print("""
            power cuts: \(looks.count) disks after cuts at \(Set(looks.map(\.cut)).count) of \(scene.recorder.count) operations (\(scene.recorder.syncs) syncs, \
            \(scene.recorder.checkpointed) pages checkpointed), \(workload.orders.values.count { $0.answered != nil }) orders answered: \(violations.count) violations, \
            \(ContinuousClock.now - begun)
            """)
    }

    @Test("a store whose machine loses power answers nothing more as done, and does not hang")
    func live() async throws {
        let dry = try PowerScene()
        await PowerWorkload().run(on: dry.recorder, rounds: 12, seed: 2)
        var random = Seeded(3), disks = 0
        let total = dry.recorder.count, runs = PowerCutTests.wanted == 0 ? 300 : max(8, PowerCutTests.wanted / 50)
        for run in 0..<runs {
            let scene = try PowerScene(), workload = PowerWorkload()
            let cut = run == 0 ? 0 : Int.random(in: 0..<total, using: &random)
            scene.recorder.cut(at: cut)
            await workload.run(on: scene.recorder, rounds: 12, seed: 2)
            #expect(scene.recorder.count <= cut)
            // How many operations there are differs by a few from run to run, since the log is copied by a thread of its own: the power may be there to the end.
            if scene.recorder.count == cut {
                #expect(throws: StoreError.self) { try SQLiteOrderStore(path: scene.recorder.path, keys: PowerScene.keys) }
            }
            let looks = Remains.allCases.map { PowerScene.Look(cut: scene.recorder.count, remains: $0, seed: UInt64(run)) }
            disks += looks.count
            let violations = try await scene.check(looks, workload)
            #expect(violations.isEmpty, "cut at \(cut): \(violations.prefix(3).joined(separator: "\n"))")
        }
        print("power cuts: \(runs) stores lost power while 64 commands waited: \(disks) disks looked at")
    }

    @Test("after a sync that failed, and whose bytes the kernel forgot, what was answered is there")
    func failedSync() async throws {
        let dry = try PowerScene()
        await PowerWorkload().run(on: dry.recorder, rounds: 10, seed: 4)
        let total = dry.recorder.syncs, runs = PowerCutTests.wanted == 0 ? total : 10
        var random = Seeded(5), disks = 0
        for run in 0..<runs {
            let scene = try PowerScene(), workload = PowerWorkload()
            scene.recorder.failSync(PowerCutTests.wanted == 0 ? run : Int.random(in: 0..<total, using: &random))
            await workload.run(on: scene.recorder, rounds: 10, seed: 4)
            let looks = PowerCutTests.looks(scene.recorder, most: 20)
            disks += looks.count
            let violations = try await scene.check(looks, workload)
            #expect(violations.isEmpty, "run \(run): \(violations.prefix(3).joined(separator: "\n"))")
        }
        print("power cuts: \(runs) stores had a sync fail: \(disks) disks looked at")
    }

    /// Cuts beside syncs in every way, the others in two; of all those, as many as are wanted; 0 is all.
    private static func looks(_ recorder: PowerRecorder, most: Int) -> [PowerScene.Look] {
        var random = Seeded(7), looks: [PowerScene.Look] = []
        let (beside, others) = recorder.cuts()
        for cut in beside { looks += Remains.allCases.map { .init(cut: cut, remains: $0, seed: random.next()) } }
        for cut in others { looks += [.sectors, .half].map { .init(cut: cut, remains: $0, seed: random.next()) } }
        if most > 0, looks.count > most {
            looks.shuffle(using: &random)
            looks.removeLast(looks.count - most)
        }
        return looks.sorted { $0.cut < $1.cut }
    }
}
