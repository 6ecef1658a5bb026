// `isotherm tier advise`: whether a policy's boundaries fit what is read.

package import ArgumentParser
internal import JSON
internal import Orders
internal import OrdersSQLite
internal import Tiering

package struct TierAdviseCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "advise", abstract: "Whether the policy's boundaries fit the reads: orders read, by their age and the tier they lie in.",
        discussion: "isotherm tier advise --data data --days 30\n\nA server counts every order it shows. May run beside it; the last ten seconds are not written yet.")
    @OptionGroup var options: TierPolicyOptions
    @Option(help: "Days back from now whose reads count.") var days = 30
    package init() {}

    package func run() async throws {
        guard (1...366).contains(days) else { throw CommandError("--days is between 1 and 366") }
        let (policy, _) = try options.read(), today = try options.instant.microseconds / 86_400_000_000
        let reads = try await ShopFolder.withStore(options.data, exclusively: false) { store in try await store.orderReads(since: today - Int64(days) + 1) }
        let advice = TierAdvice(policy, reads: reads)
        if options.json {
            let rows = advice.rows.map { row -> JSONValue in
                [
                    "age": .string(AgeBucket.name(row.bucket)), "reads": .integer(row.reads),
                    "by_tier": .object(JSONObject(Tier.allCases.map { ($0.rawValue, .integer(row.byTier[$0] ?? 0)) })),
                ]
            }
            return Terminal.line(JSONValue.object(JSONObject([
                ("policy", .string(policy.name)), ("days", .integer(Int64(days))), ("reads", .integer(advice.total)), ("ages", .array(rows)),
                ("advice", .array(advice.sentences.map { .string($0) })),
            ])).text)
        }
        Terminal.line("policy \(policy.name), reads of \(days) days: \(grouped(Int(advice.total)))")
        for row in advice.rows where row.reads > 0 {
            let tiers = Tier.allCases.compactMap { tier in row.byTier[tier].map { "\(tier.rawValue) \(grouped(Int($0)))" } }
            Terminal.line("\(AgeBucket.name(row.bucket).padded(18)) \(grouped(Int(row.reads)).padded(12, left: true))  \(tiers.joined(separator: ", "))")
        }
        for sentence in advice.sentences { Terminal.line(sentence) }
    }
}
