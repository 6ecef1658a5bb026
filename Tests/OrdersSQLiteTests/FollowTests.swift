// The follow graph against sets, and the same work on page 10,000 as on page 1.

import BulkInput
import Foundation
import GRDB
import IsothermTesting
import Orders
import OrdersSQLite
import Testing

@Suite("Orders: follow graph")
struct FollowTests {
    static func ref(_ n: Int) -> PersonRef { PersonRef(Bytes16(high: 1, low: UInt64(n))) }

    @Test("edges, counts, mutuals and suggestions are those of sets, under follows and unfollows", arguments: UInt64(0)..<10)
    func sets(seed: UInt64) async throws {
        let shop = try TestShop()
        try await shop.store.fill(products: 0, people: 12)
        var edges: [(Int, Int)] = [], random = Seeded(seed)
        for _ in 0..<150 {
            let a = Int.random(in: 0..<12, using: &random), b = Int.random(in: 0..<12, using: &random)
            if a == b {
                #expect(await shop.refusal(.follow(FollowTests.ref(a), FollowTests.ref(b))) != nil)
            } else if Int.random(in: 0..<3, using: &random) > 0 {
                let isNew = !edges.contains { $0 == (a, b) }
                #expect(try await shop.run(.follow(FollowTests.ref(a), FollowTests.ref(b))).changed == (isNew ? 1 : 0))
                if isNew { edges.append((a, b)) }
            } else {
                let count = edges.count
                edges.removeAll { $0 == (a, b) }
                #expect(try await shop.run(.unfollow(FollowTests.ref(a), FollowTests.ref(b))).changed == Int64(count - edges.count))
            }
        }
        for n in 0..<12 {
            let person = FollowTests.ref(n)
            let following = edges.filter { $0.0 == n }.map { FollowTests.ref($0.1) }.reversed(), followers = edges.filter { $0.1 == n }.map { FollowTests.ref($0.0) }.reversed()
            let (a, b, c) = (try await all(shop, person, .following), try await all(shop, person, .followers), try await all(shop, person, .mutuals))
            #expect(a == Array(following) && b == Array(followers) && c == following.filter { followers.contains($0) })
            var common: [PersonRef: Int64] = [:]
            for edge in edges where edges.contains(where: { $0 == (n, edge.0) }) && edge.1 != n && !edges.contains(where: { $0 == (n, edge.1) }) {
                common[FollowTests.ref(edge.1), default: 0] += 1
            }
            let suggested = try await shop.store.suggestions(for: person, limit: 100)
            #expect(Dictionary(uniqueKeysWithValues: suggested.map { ($0.person, $0.common) }) == common)
            #expect(suggested.map(\.common) == suggested.map(\.common).sorted(by: >))
        }
        #expect(await shop.refusal(.follow(FollowTests.ref(0), PersonRef(.random()))) == .notFound("such person"))
        #expect(await shop.refusal(.follow(FollowTests.ref(0), FollowTests.ref(1)), by: .customer(FollowTests.ref(2))) != nil)
    }

    @Test("under constant follow and unfollow, no edge that stays is missed or seen twice")
    func stays() async throws {
        let shop = try TestShop()
        try await shop.store.fill(products: 0, people: 300)
        let star = FollowTests.ref(0)
        for n in 1..<200 { try await shop.run(.follow(FollowTests.ref(n), star)) }
        var cursor: String?, seen: [PersonRef] = [], random = Seeded(4)
        repeat {
            let page = try await shop.store.followers(of: star, limit: 7, cursor: cursor)
            seen += page.people
            cursor = page.next
            for _ in 0..<3 {
                // Every third leaves or comes again; new ones come.
                let n = Int.random(in: 0..<66, using: &random) * 3 + 3
                try await shop.run(Bool.random(using: &random) ? .unfollow(FollowTests.ref(n), star) : .follow(FollowTests.ref(n), star))
                try await shop.run(.follow(FollowTests.ref(Int.random(in: 200..<300, using: &random)), star))
            }
        } while cursor != nil
        let stayed = (1..<200).filter { $0 % 3 != 0 }.map { FollowTests.ref($0) }
        #expect(seen.filter { stayed.contains($0) } == stayed.reversed())
    }

    @Test("on wiki-Vote every page costs the same; counts are exact")
    func wikiVote() async throws {
        guard let path = Corpora.shared("wiki-vote/wiki-Vote.txt.gz") else {
            print("print: ../shared/corpora/wiki-vote is absent: not tested")
            return
        }
        var bytes: [UInt8] = []
        let file = try ByteSource.file(path)
        while try file.more(&bytes) {}
        let edges = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }.compactMap { line -> (Int, Int)? in
            let parts = line.split(separator: "\t").compactMap { Int($0) }
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        #expect(edges.count == 103_689)
        let shop = try TestShop()
        try shop.store.fill(edges: edges)
        let followers = Dictionary(grouping: edges, by: \.1), star = try #require(followers.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) })
        #expect(star.value.count == 457)
        let page = try await shop.store.followers(of: FollowTests.ref(star.key), limit: 100, cursor: nil)
        #expect(page.total == 457 && page.people == star.value.reversed().prefix(100).map { FollowTests.ref($0.0) })
        let steps = try await pageSteps(shop, FollowTests.ref(star.key), pages: 40, limit: 10)
        #expect(steps.allSatisfy { abs($0 - steps[0]) * 20 <= steps[0] }, "\(steps)")
        #expect(try await shop.store.suggestions(for: FollowTests.ref(star.key), limit: 10).count <= 10)
    }

    @Test("with 1,000,000 followers page 10,000 does the work of page 1")
    func million() async throws {
        let shop = try TestShop()
        try shop.store.fill(followers: 1_000_000)
        let star = FollowTests.ref(0)
        #expect(try await shop.store.followers(of: star, limit: 1, cursor: nil).total == 1_000_000)
        let steps = try await shop.store.read { connection throws(StoreError) in
            connection.countsSteps = true
            func steps(page: Int64) throws(StoreError) -> Int64 {
                let before = connection.steps
                let found = try FollowReads(connection, star).page(.followers, before: page == 1 ? .max : 1_000_001 - (page - 1) * 50, limit: 50)
                #expect(found.people.first == FollowTests.ref(Int(1_000_000 - (page - 1) * 50)))
                return connection.steps - before
            }
            return [try steps(page: 1), try steps(page: 2), try steps(page: 10_000), try steps(page: 19_999)]
        }
        print("print: VM steps of pages 1, 2, 10,000, 19,999: \(steps)")
        #expect(steps.allSatisfy { abs($0 - steps[0]) * 20 <= steps[0] })
    }

    private func pageSteps(_ shop: TestShop, _ person: PersonRef, pages: Int, limit: Int) async throws -> [Int64] {
        try await shop.store.read { connection throws(StoreError) in
            connection.countsSteps = true
            var before: Int64 = .max, steps: [Int64] = []
            for _ in 0..<pages {
                let start = connection.steps
                guard let next = try FollowReads(connection, person).page(.followers, before: before, limit: limit).next else { break }
                before = next
                steps.append(connection.steps - start)
            }
            return steps
        }
    }

    private func all(_ shop: TestShop, _ person: PersonRef, _ direction: FollowReads.Direction) async throws -> [PersonRef] {
        var people: [PersonRef] = [], cursor: String?
        repeat {
            let page = switch direction {
            case .followers: try await shop.store.followers(of: person, limit: 3, cursor: cursor)
            case .following: try await shop.store.following(of: person, limit: 3, cursor: cursor)
            case .mutuals: try await shop.store.mutuals(of: person, limit: 3, cursor: cursor)
            }
            people += page.people
            cursor = page.next
            if cursor == nil { #expect(page.total == people.count) }
        } while cursor != nil
        return people
    }
}

extension SQLiteOrderStore {
    /// People and edges at once, written past the store.
    func fill(edges: [(Int, Int)]) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            let person = try database.cachedStatement(sql: "INSERT INTO people(person_ref, created_at) VALUES (?, 0) ON CONFLICT DO NOTHING")
            let edge = try database.cachedStatement(sql: "INSERT INTO relationships(source, destination) VALUES (?, ?)")
            for (a, b) in edges {
                let (from, to) = (Data(FollowTests.ref(a).bytes), Data(FollowTests.ref(b).bytes))
                try person.execute(arguments: [from])
                try person.execute(arguments: [to])
                try edge.execute(arguments: [from, to])
            }
        }
        try queue.close()
    }

    /// Person 0 with so many followers, made by SQLite itself.
    func fill(followers: Int) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            let numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < \(followers)), p(i, ref) AS (SELECT i, unhex_ref(i) FROM n)"
            database.add(function: DatabaseFunction("unhex_ref", argumentCount: 1, pure: true) { values in
                Data(FollowTests.ref(Int(Int64.fromDatabaseValue(values[0]) ?? 0)).bytes)
            })
            try database.execute(sql: "\(numbers) INSERT INTO people(person_ref, created_at) SELECT ref, 0 FROM p")
            try database.execute(sql: "\(numbers) INSERT INTO relationships(seq, source, destination) SELECT i, ref, unhex_ref(0) FROM p WHERE i > 0")
        }
        try queue.close()
    }
}
