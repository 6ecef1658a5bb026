// `isotherm tier run`, and what it shares with `plan`, `status`, `reconcile` and `advise`, each in its own file: the policy, the moment, the data folder.

package import ArgumentParser
internal import Engine
internal import JSON
internal import Orders
internal import OrdersSQLite
import Storage
internal import Tiering

package struct TierCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tier", abstract: "Hot, warm, cold: what would move, moving it, and where everything is.",
        subcommands: [TierPlanCommand.self, TierRunCommand.self, TierStatusCommand.self, TierReconcileCommand.self, TierAdviseCommand.self])
    package init() {}
}

package struct TierPolicyOptions: ParsableArguments {
    @Option(help: "The data folder.") var data = "data"
    @Option(help: "A policy of the file; without it the one that the file names.") var policy: String?
    @Option(name: .customLong("policies"), help: "The file of policies; without it config/tiers.yaml, and where that is not there what isotherm ships with.") var file: String?
    @Option(help: "The moment whose ages count, as 2018-09-03T18:00:00Z; without it now.") var now: String?
    @Flag(help: "Print JSON.") var json = false
    package init() {}

    var instant: Instant {
        get throws {
            guard let now else { return .now() }
            guard let instant = Instant(text: now) else { throw CommandError("--now is a moment as 2018-09-03T18:00:00Z, not \(now)") }
            return instant
        }
    }

    /// Stands still at `--now`.
    var clock: @Sendable () -> Instant {
        get throws {
            if now == nil { return { Instant.now() } }
            let instant = try instant
            return { instant }
        }
    }

    func read() throws -> (policy: TierPolicy, file: PolicyFile) {
        let policies = try PolicySource.read(file)
        do throws(PolicyError) { return (try policies.policy(policy), policies) } catch { throw CommandError((file.map { $0 + ": " } ?? "") + error.description) }
    }
}

package struct TierRunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Move what the policy says. No server may be running on the data folder.",
        discussion: "isotherm tier run --data data --policy case-study\n\nWhat an earlier run began and did not end is gone on with first. It can be stopped at any moment, and run again.")
    @OptionGroup var options: TierPolicyOptions
    @Option(help: "Orders in one batch, instead of the file's.") var batch: Int?
    package init() {}

    package func run() async throws {
        let (policy, file) = try options.read(), places = file.places
        var pace = file.pace
        let now = try options.instant
        if let batch {
            guard (1...2_000).contains(batch) else { throw CommandError("--batch is between 1 and 2,000") }
            (pace.batchOrders, pace.archiveBatchOrders) = (batch, batch)
        }
        let start = monotonicNanoseconds()
        let (report, census) = try await ShopFolder.withNode(options.data) { root, node, store in
            // Under the lock, or a restore could end after the look.
            try ShopFolder.refuseUntilReconciled(options.data)
            var setting = OrderMover.Setting(holder: "isotherm tier run \(Bytes16.random())")
            (setting.pace, setting.takesOver) = (pace, true)
            let opened = try places.open(root, node: node, hot: store)
            try await opened.sweep()
            let keys = try store.personKeys(folder: options.data + "/keys")
            defer { keys.close() }
            let mover = OrderMover(store: store, shelves: opened.shelves, staging: opened.staging, keys: keys, setting: setting)
            return (try await mover.run(policy, at: now), try await store.census())
        }
        let seconds = Double(monotonicNanoseconds() &- start) / 1e9
        if options.json {
            let census = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(census[$0] ?? 0)) })
            let value: JSONValue = [
                "moved": .integer(Int64(report.moved)), "changed_meanwhile": .integer(Int64(report.changed)), "batches": .integer(Int64(report.batches)),
                "resumed": .integer(Int64(report.resumed)), "abandoned": .integer(Int64(report.abandoned)), "bytes": .integer(Int64(report.bytes)),
                "refused": .integer(Int64(report.refused)), "refusal": report.refused > 0 ? .string(report.refusal) : .null, "copies_removed": .integer(Int64(report.copies)), "tiers": .object(census),
            ]
            Terminal.line(value.text)
            return try Self.end(report)
        }
        Terminal.line("\(grouped(report.moved)) orders moved in \(grouped(report.batches)) batches, \(grouped(report.bytes)) bytes, in \(fixed(seconds, 2)) s")
        if report.resumed > 0 { Terminal.line("\(report.resumed) batches of an earlier run gone on with, \(report.abandoned) of them given up") }
        if report.changed > 0 { Terminal.line("\(grouped(report.changed)) had changed meanwhile, and stay until the next run") }
        if report.refused > 0 { Terminal.line("\(grouped(report.refused)) cannot lie in the next tier, and stay; the last of them: \(report.refusal)") }
        if report.copies > 0 { Terminal.line("\(grouped(report.copies)) copies removed that late changes had left") }
        try Self.end(report)
    }

    /// As of a bulk request: what could not be done was told, the rest is done.
    private static func end(_ report: MoverReport) throws {
        if report.refused > 0 { throw ExitCode(2) }
    }
}
