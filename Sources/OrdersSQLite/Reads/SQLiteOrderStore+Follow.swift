// The follow graph: pages by the edge's number, newest first; totals are kept by triggers; so page 10,000 costs what page 1 does.

import Orders

extension SQLiteOrderStore {
    package func followers(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await edges(.followers, of: person, limit: limit, cursor: cursor)
    }

    package func following(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await edges(.following, of: person, limit: limit, cursor: cursor)
    }

    /// Whom they follow and who follows them back.
    package func mutuals(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        try await edges(.mutuals, of: person, limit: limit, cursor: cursor)
    }

    package func follows(_ source: PersonRef, _ destination: PersonRef) async throws(StoreError) -> Bool {
        try await read { connection throws(StoreError) in
            try connection.first("SELECT 1 FROM relationships WHERE source = ? AND destination = ?", .id(source.value), .id(destination.value)) { _ in true } ?? false
        }
    }

    /// Looks at the newest 1,000 they follow and the newest 1,000 of each of those: the work is bounded, whoever they are.
    package func suggestions(for person: PersonRef, limit: Int) async throws(StoreError) -> [(person: PersonRef, common: Int64)] {
        guard (1...100).contains(limit) else { throw .invalid("limit is between 1 and 100") }
        return try await read { connection throws(StoreError) in try FollowReads(connection, person).suggestions(limit) }
    }

    private func edges(_ direction: FollowReads.Direction, of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage {
        guard (1...100).contains(limit) else { throw .invalid("limit is between 1 and 100") }
        let scope = "\(direction)/\(person)"
        var before: Int64 = .max
        if let cursor { before = Int64(bitPattern: try keys.cursors.decode(cursor, count: 1, scope: scope)[0]) }
        let page = try await read { [before] connection throws(StoreError) in try FollowReads(connection, person).page(direction, before: before, limit: limit) }
        return PersonPage(people: page.people, total: page.total, next: page.next.map { keys.cursors.encode([UInt64(bitPattern: $0)], scope: scope) })
    }
}

package struct FollowReads {
    package enum Direction: String, Sendable { case followers, following, mutuals }
    private let connection: Connection, person: PersonRef

    package init(_ connection: Connection, _ person: PersonRef) { (self.connection, self.person) = (connection, person) }

    package static let followers: StaticString = "SELECT source, seq FROM relationships WHERE destination = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    package static let following: StaticString = "SELECT destination, seq FROM relationships WHERE source = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    package static let mutuals: StaticString = """
        SELECT r.destination, r.seq FROM relationships r CROSS JOIN relationships back ON back.source = r.destination AND back.destination = r.source
        WHERE r.source = ? AND r.seq < ? ORDER BY r.seq DESC LIMIT ?
        """

    package func page(_ direction: Direction, before: Int64, limit: Int) throws(StoreError) -> (people: [PersonRef], total: Int64, next: Int64?) {
        let sql = switch direction {
        case .followers: FollowReads.followers
        case .following: FollowReads.following
        case .mutuals: FollowReads.mutuals
        }
        var rows = try connection.all(sql, .id(person.value), .int(before), .int(Int64(limit) + 1)) { row throws(StoreError) in
            (person: try row.id(0, as: PersonKind.self), seq: row.int(1))
        }
        var next: Int64?
        if rows.count > limit {
            rows.removeLast()
            next = rows.last?.seq
        }
        return (rows.map(\.person), try total(direction), next)
    }

    /// Strangers followed by most of those they follow; among equals the lower reference first.
    package func suggestions(_ limit: Int) throws(StoreError) -> [(person: PersonRef, common: Int64)] {
        let followed = try connection.all(FollowReads.following, .id(person.value), .int(.max), .int(1_000)) { row throws(StoreError) in
            try row.id(0, as: PersonKind.self)
        }
        var common: [PersonRef: Int64] = [:]
        for friend in followed {
            for next in try connection.all(FollowReads.following, .id(friend.value), .int(.max), .int(1_000), make: { row throws(StoreError) in
                try row.id(0, as: PersonKind.self)
            }) { common[next, default: 0] += 1 }
        }
        common[person] = nil
        for friend in followed { common[friend] = nil }
        // Whom they follow already, beyond the newest 1,000, is no suggestion either.
        var found: [(person: PersonRef, common: Int64)] = []
        for candidate in common.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            if found.count == limit { break }
            if followed.count == 1_000, try isFollowed(candidate.key) { continue }
            found.append((candidate.key, candidate.value))
        }
        return found
    }

    // MARK: -

    private func isFollowed(_ other: PersonRef) throws(StoreError) -> Bool {
        try connection.first("SELECT 1 FROM relationships WHERE source = ? AND destination = ?", .id(person.value), .id(other.value)) { _ in true } ?? false
    }

    private func total(_ direction: Direction) throws(StoreError) -> Int64 {
        let total = switch direction {
        case .followers: try connection.first("SELECT followers FROM relationship_counts WHERE person_ref = ?", .id(person.value)) { $0.int(0) }
        case .following: try connection.first("SELECT following FROM relationship_counts WHERE person_ref = ?", .id(person.value)) { $0.int(0) }
        case .mutuals:
            try connection.first(
                """
                SELECT count(*) FROM relationships r CROSS JOIN relationships back ON back.source = r.destination AND back.destination = r.source WHERE r.source = ?
                """, .id(person.value)) { $0.int(0) }
        }
        return total ?? 0
    }
}
