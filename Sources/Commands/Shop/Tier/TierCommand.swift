// `isotherm tier plan|run|status` (and `reconcile`, in its own file): what would move between the tiers, moving it, and where everything is.

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
    @Option(name: .customLong("policies"), help: "The file of policies.") var file = "config/tiers.yaml"
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

    func read() throws -> (policy: TierPolicy, file: PolicyFile) {
        let text = try Files.text(file)
        do throws(PolicyError) {
            let policies = try PolicyFile(yaml: text)
            return (try policies.policy(policy), policies)
        } catch { throw CommandError("\(file): \(error)") }
    }
}

package struct TierPlanCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "The dry run: how many orders would move where, and about how many bytes.",
        discussion: "isotherm tier plan --data data --policy case-study\n\nReads only; may run beside a server. Bytes are the mean of a sample times the number of orders.")
    @OptionGroup var options: TierPolicyOptions
    package init() {}

    package func run() async throws {
        let (policy, file) = try options.read(), now = try options.instant
        let plan = try await ShopFolder.withStore(options.data, exclusively: false) { store in
            try await TierPlan(policy, at: now, pace: file.pace, prices: file.prices, in: store)
        }
        if options.json { return Terminal.line(json(plan, policy, now, file.prices).text) }
        Terminal.line("policy \(policy.name) at \(now)")
        for row in plan.rows {
            Terminal.line("\("\(row.from.rawValue) -> \(row.to.rawValue)".padded(14)) \(grouped(Int(row.orders)).padded(12, left: true)) orders  "
                + "about \(grouped(Int(row.bytes))) bytes, \(grouped(Int(row.requests))) requests, \(fixed(row.costOnce, 4)) \(file.prices.currency)"
                + (row.costMonthly.map { ", then \(fixed($0, 4)) a month" } ?? ""))
        }
        for tier in Tier.allCases { Terminal.line("\("stay \(tier.rawValue)".padded(14)) \(grouped(Int(plan.staying[tier] ?? 0)).padded(12, left: true)) orders") }
    }

    private func json(_ plan: TierPlan, _ policy: TierPolicy, _ now: Instant, _ prices: PriceTable) -> JSONValue {
        let rows = plan.rows.map { row -> JSONValue in
            [
                "from": .string(row.from.rawValue), "to": .string(row.to.rawValue), "orders": .integer(row.orders), "bytes": .integer(row.bytes),
                "requests": .integer(row.requests), "cost": .number(row.costOnce), "cost_a_month": row.costMonthly.map { .number($0) } ?? nil, "currency": .string(prices.currency),
            ]
        }
        let staying = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(plan.staying[$0] ?? 0)) })
        return ["policy": .string(policy.name), "now": .string(now.description), "moves": .array(rows), "staying": .object(staying)]
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
        let (report, census) = try await ShopFolder.withStore(options.data, exclusively: false) { store in
            // The node holds the data folder's lock: no server and no other mover is alive.
            let root = try FileDirectory(options.data, create: false), node = try await Node.open(root: root)
            do {
                var setting = OrderMover.Setting(holder: "isotherm tier run \(Bytes16.random())")
                (setting.pace, setting.takesOver) = (pace, true)
                let opened = try places.open(root, node: node, hot: store)
                try await opened.sweep()
                let keys = try store.personKeys(folder: options.data + "/keys")
                defer { keys.close() }
                let mover = OrderMover(store: store, shelves: opened.shelves, staging: opened.staging, keys: keys, setting: setting)
                let report = try await mover.run(policy, at: now), census = try await store.census()
                await node.close()
                return (report, census)
            } catch {
                await node.close()
                throw error
            }
        }
        let seconds = Double(monotonicNanoseconds() &- start) / 1e9
        if options.json {
            let census = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(census[$0] ?? 0)) })
            let value: JSONValue = [
                "moved": .integer(Int64(report.moved)), "changed_meanwhile": .integer(Int64(report.changed)), "batches": .integer(Int64(report.batches)),
                "resumed": .integer(Int64(report.resumed)), "abandoned": .integer(Int64(report.abandoned)), "bytes": .integer(Int64(report.bytes)),
                "refused": .integer(Int64(report.refused)), "copies_removed": .integer(Int64(report.copies)), "tiers": .object(census),
            ]
            return Terminal.line(value.text)
        }
        Terminal.line("\(grouped(report.moved)) orders moved in \(grouped(report.batches)) batches, \(grouped(report.bytes)) bytes, in \(fixed(seconds, 2)) s")
        if report.resumed > 0 { Terminal.line("\(report.resumed) batches of an earlier run gone on with, \(report.abandoned) of them given up") }
        if report.changed > 0 { Terminal.line("\(grouped(report.changed)) had changed meanwhile, and stay until the next run") }
        if report.refused > 0 { Terminal.line("\(grouped(report.refused)) cannot lie in the next tier, and stay; the last of them: \(report.refusal)") }
        if report.copies > 0 { Terminal.line("\(grouped(report.copies)) copies removed that late changes had left") }
    }
}

package struct TierStatusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Orders by tier, batches not ended, and who is moving.", discussion: "May run beside a server.")
    @Option(help: "The data folder.") var data = "data"
    @Flag(help: "Print JSON.") var json = false
    package init() {}

    package func run() async throws {
        let (census, open, lease) = try await ShopFolder.withStore(data, exclusively: false) { store in
            (try await store.census(), try await store.openMoves(), try await store.moverLease())
        }
        let now = Instant.now(), holder = lease.flatMap { $0.until > now ? $0 : nil }
        if json {
            let moves = open.map { batch -> JSONValue in
                [
                    "batch": .string(batch.id.description), "from": .string(batch.from.rawValue), "to": .string(batch.to.rawValue), "step": .string(batch.step.rawValue),
                    "orders": .integer(Int64(batch.entries.count)), "started_at": .string(batch.startedAt.description),
                ]
            }
            let tiers = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(census[$0] ?? 0)) })
            let value: JSONValue = ["tiers": .object(tiers), "open": .array(moves), "mover": holder.map { .string($0.holder) } ?? nil]
            return Terminal.line(value.text)
        }
        for tier in Tier.allCases { Terminal.line("\(tier.rawValue.padded(6)) \(grouped(Int(census[tier] ?? 0)).padded(12, left: true)) orders") }
        for batch in open {
            Terminal.line("open: \(batch.id), \(batch.from.rawValue) -> \(batch.to.rawValue), \(batch.entries.count) orders, \(batch.step.rawValue), since \(batch.startedAt)")
        }
        if let holder { Terminal.line("moving: \(holder.holder), until \(holder.until)") }
    }
}
