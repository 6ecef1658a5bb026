// What `isotherm tier` takes and prints; what moves is in TieringTests.

import Commands
import IsothermTesting
import JSON
import Orders
import Testing
import Tiering

@Suite("Tier commands")
struct TierCommandTests {
    @Test("all of them take a data folder, a policy, its file, a moment, and print JSON")
    func options() throws {
        let words = ["--data", "d", "--policy", "case-study", "--policies", "tiers.yaml", "--now", "2018-09-03T18:00:00Z", "--json"]
        _ = try TierPlanCommand.parse(words)
        _ = try TierRunCommand.parse(words)
        _ = try TierStatusCommand.parse(words)
        _ = try TierReconcileCommand.parse(words)
        _ = try TierAdviseCommand.parse(words)
        #expect(throws: (any Error).self) { try TierStatusCommand.parse(["--nau", "2018-09-03T18:00:00Z"]) }
    }

    @Test("policies come from the file that is named, else from the usual one, else from the binary; a file that is there, or named, and cannot be read is an error")
    func source() throws {
        let root = Corpora.packageRoot, own = root + "/config/tiers.yaml", absent = root + "/config/absent/tiers.yaml"
        let (named, usual, shipped) = (try PolicySource.read(own, usual: absent), try PolicySource.read(nil, usual: own), try PolicySource.read(nil, usual: absent))
        for file in [named, usual, shipped] {
            #expect(file.chosen == "default" && file.policies.keys.sorted() == ["case-study", "default"] && file.scheduleSeconds == 0)
            #expect(file.places == TierPlaces() && file.prices == PriceTable() && file.pace == MoverPace())
        }
        // A path through a file is as little there.
        #expect(try PolicySource.read(nil, usual: own + "/tiers.yaml").chosen == "default")
        #expect(throws: CommandError.self) { try PolicySource.read(absent) }
        #expect(throws: CommandError.self) { try PolicySource.read(absent, usual: own) }
        #expect(throws: CommandError.self) { try PolicySource.read(nil, usual: root + "/Package.swift") }
        #expect(throws: CommandError.self) { try PolicySource.read(nil, usual: root + "/config") }
    }

    @Test("a plan prints its requests one kind beside the other, bytes that are not known as null, and what lies colder in one line")
    func rendering() throws {
        let policy = TierPolicy(name: "p", classes: [.orders: [.init(.hot, from: 0, to: 90), .init(.cold, from: 90, to: nil)]]), now = Instant(seconds: 1_700_000_000)
        let hot = TierPlan.Row(from: .hot, to: .cold, orders: 4, bytes: 6_000, requests: MoveRequests(puts: 13, listings: 2, gets: 8), costOnce: 0.25, costMonthly: 0.5)
        let warm = TierPlan.Row(from: .warm, to: .cold, orders: 1_500, bytes: nil, requests: MoveRequests(puts: 14, listings: 4, gets: 6), costOnce: 0.125)
        let plan = TierPlan(rows: [hot, warm], staying: [.hot: 3, .cold: 2_000], colder: 1_001), rendering = TierPlanRendering(plan, policy, at: now, PriceTable())
        let lines = rendering.lines
        #expect(lines.count == 7 && lines[0] == "policy p at \(now)")
        #expect(lines[1].hasPrefix("hot -> cold") && lines[1].contains("about 6,000 bytes; 13 puts, 2 listings, 8 gets, 0.2500 USD, then 0.5000 a month"))
        #expect(lines[2].contains("1,500 orders  bytes unknown: hot has none to measure by; 14 puts, 4 listings, 6 gets, 0.1250 USD"))
        #expect(lines[6] == "1,001 orders lie colder than the policy says; they stay")
        let json = rendering.json, moves = try #require(json["moves"]?.array)
        let counts: [(String, Int64)] = [("bytes", 6_000), ("requests", 23), ("puts", 13), ("listings", 2), ("gets", 8)]
        for (name, count) in counts { #expect(moves[0][name]?.integer == count, "\(name)") }
        for name in ["bytes", "cost_a_month"] { #expect(moves[1][name]?.isNull == true, "\(name)") }
        #expect(moves[1]["cost"]?.number == 0.125)
        #expect(json["colder"]?.integer == 1_001 && json["staying"]?["warm"]?.integer == 0)
        let calm = TierPlanRendering(TierPlan(rows: [], staying: [:]), policy, at: now, PriceTable())
        #expect(calm.lines.count == 4 && calm.json["colder"]?.integer == 0)
    }
}
