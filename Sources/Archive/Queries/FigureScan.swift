// Scans the table for figures: the row groups of a file in their order, a few of them read and decoded at once.

import Parquet

extension TableSnapshot {
    /// Row groups under way at once: what is kept in memory, and what a store's latency is divided by.
    private static let groupsMax = 4
    /// Columns further apart than this come in reads of their own.
    private static let gapBytes = 64 << 10

    /// The figures of every order, with what was read so far. Stops when `visit` gives false.
    package func figures(
        partitions wanted: Set<Partition>? = nil, parts: OrderFigures.Parts = [], _ visit: ([OrderFigures], ReadCost) async throws(ArchiveError) -> Bool
    ) async throws(ArchiveError) {
        var cost = ReadCost()
        for slice in current where wanted?.contains(slice.partition) ?? true {
            let (file, meter) = try await table.sparseFile(slice)
            let goesOn = try await groups(file, table.place + "/" + slice.path, parts) { (rows) async throws(ArchiveError) in
                var sofar = cost
                sofar += meter.cost
                return try await visit(rows, sofar)
            }
            if !goesOn { return }
            cost += meter.cost
        }
    }

    private func groups(_ file: ParquetFile, _ place: String, _ parts: OrderFigures.Parts, _ visit: ([OrderFigures]) async throws(ArchiveError) -> Bool) async throws(ArchiveError) -> Bool {
        let leaves = OrderFigures.leaves(parts), count = file.metadata.rowGroups.count
        typealias Answer = Result<[OrderFigures], ArchiveError>
        var ready: [Int: Answer] = [:], started = 0, shown = 0
        // Nothing is thrown out of the group: what was started is waited for, and ends soon.
        return try await withTaskGroup(of: (Int, Answer).self) { (tasks) -> Result<Bool, ArchiveError> in
            while shown < count {
                while started < count, started - shown < Self.groupsMax {
                    let group = started
                    tasks.addTask { (group, await Self.read(file, group, leaves, parts, place)) }
                    started += 1
                }
                while ready[shown] == nil, let (group, answer) = await tasks.next() { ready[group] = answer }
                do throws(ArchiveError) {
                    guard let rows = try ready.removeValue(forKey: shown)?.get(), try await visit(rows) else { return .success(false) }
                } catch { return .failure(error) }
                shown += 1
            }
            return .success(true)
        }.get()
    }

    private static func read(_ file: ParquetFile, _ group: Int, _ leaves: [Int], _ parts: OrderFigures.Parts, _ place: String) async -> Result<[OrderFigures], ArchiveError> {
        do throws(ArchiveError) {
            let columns = try await decoding(place) { () async throws(ParquetError) in try await file.columns(of: group, leaves: leaves, gap: gapBytes) }
            return .success(try OrderFigures.rows(columns, parts, place: place))
        } catch { return .failure(error) }
    }
}
