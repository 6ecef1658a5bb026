// `isotherm tier plan`: what would move between the tiers, and what it asks of the object stores.

package import ArgumentParser
package import JSON
package import Orders
internal import OrdersSQLite
package import Tiering

package struct TierPlanCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "The dry run: how many orders would move where, about how many bytes, and what it asks of the object stores.",
        discussion: """
            isotherm tier plan --data data --policy case-study

            Reads only; may run beside a server. Bytes are the mean of a sample in hot times the number of orders. Requests are those of the batches: beside them a run
            asks some once, and files of more than 8 MiB go in pieces. Listings are priced as puts.
            """)
    @OptionGroup var options: TierPolicyOptions
    package init() {}

    package func run() async throws {
        let (policy, file) = try options.read(), now = try options.instant
        let plan = try await ShopFolder.withStore(options.data, exclusively: false) { store in
            try await TierPlan(policy, at: now, pace: file.pace, prices: file.prices, buckets: file.places.buckets, in: store)
        }
        let rendering = TierPlanRendering(plan, policy, at: now, file.prices)
        if options.json { return Terminal.line(rendering.json.text) }
        for line in rendering.lines { Terminal.line(line) }
    }
}

package struct TierPlanRendering: Sendable {
    private let plan: TierPlan, policy: TierPolicy, now: Instant, prices: PriceTable

    package init(_ plan: TierPlan, _ policy: TierPolicy, at now: Instant, _ prices: PriceTable) {
        (self.plan, self.policy, self.now, self.prices) = (plan, policy, now, prices)
    }

    package var lines: [String] {
        var lines = ["policy \(policy.name) at \(now)"]
        for row in plan.rows {
            let bytes = row.bytes.map { "about \(grouped(Int($0))) bytes" } ?? "bytes unknown: hot has none to measure by"
            let requests = row.requests, asked = "\(grouped(Int(requests.puts))) puts, \(grouped(Int(requests.listings))) listings, \(grouped(Int(requests.gets))) gets"
            let monthly = row.costMonthly.map { ", then \(fixed($0, 4)) a month" } ?? (row.to == .cold ? ", then unknown a month" : "")
            lines.append(Self.move(row.from, row.to, row.orders) + "  \(bytes); \(asked), \(fixed(row.costOnce, 4)) \(prices.currency)\(monthly)")
        }
        for tier in Tier.allCases { lines.append("\("stay \(tier.rawValue)".padded(14)) \(grouped(Int(plan.staying[tier] ?? 0)).padded(12, left: true)) orders") }
        return lines + Self.colder(plan.colder)
    }

    package var json: JSONValue {
        let rows = plan.rows.map { row -> JSONValue in
            let bytes: JSONValue = row.bytes.map { .integer($0) } ?? .null, monthly: JSONValue = row.costMonthly.map { .number($0) } ?? .null
            let members: [(String, JSONValue)] = [
                ("from", .string(row.from.rawValue)), ("to", .string(row.to.rawValue)), ("orders", .integer(row.orders)), ("bytes", bytes),
                ("requests", .integer(row.requests.total)), ("puts", .integer(row.requests.puts)), ("listings", .integer(row.requests.listings)),
                ("gets", .integer(row.requests.gets)), ("cost", .number(row.costOnce)), ("cost_a_month", monthly), ("currency", .string(prices.currency)),
            ]
            return .object(JSONObject(members))
        }
        let staying = JSONObject(Tier.allCases.map { ($0.rawValue, .integer(plan.staying[$0] ?? 0)) })
        return [
            "policy": .string(policy.name), "now": .string(now.description), "moves": .array(rows), "staying": .object(staying), "colder": .integer(plan.colder),
        ]
    }

    static func move(_ from: Tier, _ to: Tier, _ orders: Int64) -> String {
        "\("\(from.rawValue) -> \(to.rawValue)".padded(14)) \(grouped(Int(orders)).padded(12, left: true)) orders"
    }

    /// One line, or none.
    static func colder(_ orders: Int64) -> [String] { orders > 0 ? ["\(grouped(Int(orders))) orders lie colder than the policy says; they stay"] : [] }
}
