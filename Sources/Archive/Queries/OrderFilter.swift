// Which orders a question is about.

package struct OrderFilter: Sendable, Equatable {
    /// Microseconds since 1970: placed at or after, and before.
    package var from: Int64?, to: Int64?
    /// Any of these; empty means all.
    package var states: Set<String> = [], currencies: Set<String> = []
    /// Orders with a line of any of these sellers.
    package var sellers: Set<String> = []
    package var person: String?
    package init() {}

    /// What must be read for it.
    package var parts: OrderFigures.Parts { sellers.isEmpty ? [] : .sellers }

    package func holds(_ order: OrderFigures) -> Bool {
        if let from, order.placedAt < from { return false }
        if let to, order.placedAt >= to { return false }
        if !states.isEmpty, !states.contains(order.status) { return false }
        if !currencies.isEmpty, !currencies.contains(order.currency) { return false }
        if let person, order.person != person { return false }
        return sellers.isEmpty || order.lines.contains { $0.seller.map { sellers.contains($0) } ?? false }
    }

    /// The months it can be about, of those a table has.
    package func partitions(of all: [Partition]) -> Set<Partition> {
        let first = from.map { $0 < 0 ? nil : Partition(placedAt: $0) } ?? nil
        return Set(all.filter { month in
            if let from, from > 0 { guard let first, first <= month else { return false } }
            if let to {
                guard to > 0 else { return false }
                if let last = Partition(placedAt: to - 1), last < month { return false }
            }
            return true
        })
    }
}

extension TableSnapshot {
    /// The figures of the orders that a filter holds for. A person's are looked up, all others scanned.
    package func figures(
        of filter: OrderFilter, parts: OrderFigures.Parts = [], _ visit: ([OrderFigures], ReadCost) async throws(ArchiveError) -> Bool
    ) async throws(ArchiveError) {
        let months = filter.partitions(of: partitions)
        if let person = filter.person {
            let answer = try await ofPerson(person, partitions: months.sorted())
            _ = try await visit(answer.rows.map { OrderFigures($0.order) }.filter { filter.holds($0) }, answer.cost)
            return
        }
        try await figures(partitions: months, parts: parts.union(filter.parts)) { (rows, cost) async throws(ArchiveError) in
            try await visit(rows.filter { filter.holds($0) }, cost)
        }
    }
}
