// `isotherm tier status`: where orders are, which are due elsewhere, and who is moving them.

package import ArgumentParser
internal import JSON
internal import Orders
internal import OrdersSQLite
internal import Tiering

package struct TierStatusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Orders by tier, orders due in another one, batches not ended, and who is moving.", discussion: "May run beside a server.")
    @OptionGroup var options: TierPolicyOptions
    package init() {}

    package func run() async throws {
        let (policy, _) = try options.read(), now = try options.instant
        let (census, due, open, lease) = try await ShopFolder.withStore(options.data, exclusively: false) { store in
            (try await store.census(), try await TierDue(policy, at: now, in: store), try await store.openMoves(), try await store.moverLease())
        }
        // A lease ends by the clock, whatever moment the ages are asked for.
        let holder = lease.flatMap { $0.until > Instant.now() ? $0 : nil }
        if options.json {
            let moves = open.map { batch -> JSONValue in
                [
                    "batch": .string(batch.id.description), "from": .string(batch.from.rawValue), "to": .string(batch.to.rawValue), "step": .string(batch.step.rawValue),
                    "orders": .integer(Int64(batch.entries.count)), "started_at": .string(batch.startedAt.description),
                ]
            }
            let tiers = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(census[$0] ?? 0)) })
            let waiting = due.moves.map { move -> JSONValue in ["from": .string(move.from.rawValue), "to": .string(move.to.rawValue), "orders": .integer(move.orders)] }
            let mover: JSONValue = holder.map { .string($0.holder) } ?? .null
            let value: JSONValue = [
                "tiers": .object(tiers), "open": .array(moves), "mover": mover, "policy": .string(policy.name), "now": .string(now.description), "due": .array(waiting),
                "colder": .integer(due.colder),
            ]
            return Terminal.line(value.text)
        }
        for tier in Tier.allCases { Terminal.line("\(tier.rawValue.padded(6)) \(grouped(Int(census[tier] ?? 0)).padded(12, left: true)) orders") }
        Terminal.line("due by policy \(policy.name) at \(now)" + (due.moves.isEmpty ? ": none" : ""))
        for move in due.moves { Terminal.line(TierPlanRendering.move(move.from, move.to, move.orders)) }
        for line in TierPlanRendering.colder(due.colder) { Terminal.line(line) }
        for batch in open {
            Terminal.line("open: \(batch.id), \(batch.from.rawValue) -> \(batch.to.rawValue), \(batch.entries.count) orders, \(batch.step.rawValue), since \(batch.startedAt)")
        }
        if let holder { Terminal.line("moving: \(holder.holder), until \(holder.until)") }
    }
}
