// A policy says where every order belongs, or is refused with the line at fault.

import Foundation
import IsothermTesting
import Orders
import Testing
import Tiering

@Suite("Tier policies")
struct PolicyTests {
    private static let now = Instant(seconds: 1_700_000_000)

    @Test("the presets of config/tiers.yaml are 90/730 and 90/180 days")
    func presets() throws {
        let file = try PolicyFile(yaml: try String(contentsOfFile: Corpora.packageRoot + "/config/tiers.yaml", encoding: .utf8))
        #expect(file.chosen == "default" && file.pace.batchOrders == 500)
        #expect(try file.policy(nil).classes[.orders] == [.init(.hot, from: 0, to: 90), .init(.warm, from: 90, to: 730), .init(.cold, from: 730, to: nil)])
        #expect(try file.policy("case-study").classes[.orders] == [.init(.hot, from: 0, to: 90), .init(.warm, from: 90, to: 180), .init(.cold, from: 180, to: nil)])
        #expect(throws: PolicyError.self) { try file.policy("none") }
    }

    @Test("the text in the binary is config/tiers.yaml, byte for byte")
    func shipped() throws {
        let file = try String(contentsOfFile: Corpora.packageRoot + "/config/tiers.yaml", encoding: .utf8)
        #expect(Array(PolicyFile.shipped.utf8) == Array(file.utf8), "put config/tiers.yaml into Sources/Tiering/Policies/ShippedPolicies.swift as it is")
    }

    @Test("gaps, overlaps and unknown words are refused with their line", arguments: [
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: warm, from: 100}", "gap"),
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: warm, from: 80}", "overlap"),
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: warm, from: 90, to: 730}", "gap"),
        (1, "- {tier: hot, from: 1, to: 90}", "- {tier: warm, from: 90}", "gap"),
        (1, "- {tier: warm, from: 0, to: 90}", "- {tier: cold, from: 90}", "hot comes first"),
        (2, "- {tier: hot, from: 0}", "- {tier: warm, from: 90}", "no end"),
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: hot, from: 90}", "not colder"),
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: tepid, from: 90}", "a tier is one of"),
        (2, "- {tier: hot, from: 0, to: 90}", "- {tier: warm, frm: 90}", "has no frm"),
        (1, "- {tier: hot, from: 0, to: ninety}", "- {tier: warm, from: 90}", "whole number"),
        (1, "- {tier: hot, from: 90, to: 90}", "- {tier: warm, from: 90}", "after"),
    ])
    func refuses(_ item: Int, _ first: String, _ second: String, _ word: String) throws {
        do {
            _ = try PolicyFile(yaml: "policies:\n  default:\n    orders:\n      \(first)\n      \(second)\n")
            Issue.record("it was taken")
        } catch let error as PolicyError {
            #expect(error.line == 3 + item && error.reason.contains(word), "\(error)")
        }
    }

    @Test("whatever is cut out of the file or changed in it, it is taken or refused, and nothing else", arguments: UInt64(0)..<300)
    func damage(seed: UInt64) throws {
        var random = Seeded(seed)
        var bytes = Array(try String(contentsOfFile: Corpora.packageRoot + "/config/tiers.yaml", encoding: .utf8).utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            if Bool.random(using: &random) { bytes.remove(at: at) } else { bytes[at] = UInt8.random(in: 32...126, using: &random) }
        }
        _ = try? PolicyFile(yaml: String(decoding: bytes, as: UTF8.self))
    }

    @Test("moves share no order, and are just those whose tier is another", arguments: UInt64(0)..<100)
    func movesAreTheTiers(seed: UInt64) {
        var random = Seeded(seed)
        let policy = TierPolicy(name: "p", classes: [
            .orders: [.init(.hot, from: 0, to: 90), .init(.warm, from: 90, to: 180), .init(.cold, from: 180, to: nil)],
            .cancelledOrders: [.init(.hot, from: 0, to: 10), .init(.cold, from: 10, to: nil)],
        ])
        for _ in 0..<200 {
            let days = [0, 9, 10, 89, 90, 91, 179, 180, 181, 1_000].randomElement(using: &random) ?? 0
            let placed = Self.now.adding(days: -Int64(days)).adding(seconds: [-1, 0, 1].randomElement(using: &random) ?? 0)
            let state = OrderState.allCases.randomElement(using: &random) ?? .pending
            let age = Self.now.microseconds - placed.microseconds, day: Int64 = 86_400_000_000
            let expected: Tier = switch state {
            case .pending, .confirmed, .partShipped, .shipped: .hot
            case .cancelled, .expired: age < 10 * day ? .hot : .cold
            default: age < 90 * day ? .hot : age < 180 * day ? .warm : .cold
            }
            #expect(policy.tier(placedAt: placed, state: state, at: Self.now) == expected)
            let moves = policy.moves(from: .hot, at: Self.now).filter {
                $0.selection.states.contains(state) && placed >= $0.selection.since && placed < $0.selection.before
            }
            #expect(moves.map(\.to) == (expected == .hot ? [] : [expected]))
        }
    }

    @Test("what lies colder than the policy says is found once, also what is placed after now", arguments: UInt64(0)..<20)
    func colderIsTheRest(seed: UInt64) {
        var random = Seeded(seed)
        let policy = TierPolicy(name: "p", classes: [
            .orders: [.init(.hot, from: 0, to: 90), .init(.warm, from: 90, to: 180), .init(.cold, from: 180, to: nil)],
            .cancelledOrders: [.init(.hot, from: 0, to: 10), .init(.cold, from: 10, to: nil)],
        ])
        for _ in 0..<200 {
            let days = [-400, -1, 0, 9, 10, 89, 90, 91, 179, 180, 181, 1_000].randomElement(using: &random) ?? 0
            let placed = Self.now.adding(days: -Int64(days)).adding(seconds: [-1, 0, 1].randomElement(using: &random) ?? 0)
            let state = OrderState.final.randomElement(using: &random) ?? .delivered
            for tier in [Tier.warm, .cold] {
                let found = policy.colder(in: tier, at: Self.now).filter { $0.from == tier && $0.states.contains(state) && placed >= $0.since && placed < $0.before }
                #expect(found.count == (policy.tier(placedAt: placed, state: state, at: Self.now) < tier ? 1 : 0), "\(days) days, \(state), \(tier)")
            }
        }
    }
}
