// The archive: an Apache Hudi table (copy-on-write, version 6, timeline layout 1) of orders on an object store, made by nothing but whole objects.
//
//     orders/.hoodie/hoodie.properties                          what it is; written once
//     orders/.hoodie/20260401000000000.commit.requested         a commit begins
//     orders/.hoodie/20260401000000000.inflight
//     orders/year=2026/month=3/.hoodie_partition_metadata
//     orders/year=2026/month=3/<file id>_<token>_<instant>.parquet     one file slice for each file group it touches
//     orders/.hoodie/.aux/isotherm/20260401000000000            the decision: ours, see below
//     orders/.hoodie/20260401000000000.commit                   the commit, for all to see
//
// A snapshot is, for each file group, the newest slice of a completed commit (`TableSnapshot`). Reading needs no lock. One writer at a time
// (`TableWriter`), by a lease of the caller's; Hudi's version 6 has no fence against one that sleeps through its lease, so there is the decision:
// an object made with "if absent", by the writer with the commit's bytes before it puts `.commit`, or by who rolls it back. Exactly one of them
// succeeds, and only after that are files removed or is the commit shown.
//
// Invariants
//     1  A `.commit` is put whole, once, when every file it names is durable. Others' readers look at nothing else.
//     2  A base file is removed only when no completed commit names it and its instant's decision is "rolled back", or when it is older than the
//        newest of its group at every instant that is kept.
//     3  The newest slice of every group is on the store with the bytes its commit says, or the snapshot is an error.
//
// Sources: Apache Hudi Technical Specification (table version 5, the base of 6); docs/cold-tier.md.

import Storage

package struct HudiTable: Sendable {
    package let store: any ObjectStore
    /// Of every key, without a "/" at its end.
    package let prefix: String
    package let buckets: Int
    package let place: String
    let lookups = LookupCache(), commits = CommitCache()

    /// - Throws: `notFound` when there is no table, `unsupported` when it is one of another kind.
    package static func open(_ store: any ObjectStore, prefix: String) async throws(ArchiveError) -> HudiTable {
        let key = prefix + "/" + propertiesPath, place = store.place + "/" + key
        let bytes: [UInt8]
        do throws(ObjectStoreError) { bytes = try await store.get(key) } catch {
            if error.kind == .notFound { throw ArchiveError(.notFound, place: place, "there is no table") }
            throw ArchiveError(error)
        }
        guard let properties = HudiProperties(parsing: bytes) else { throw ArchiveError(.damaged, place: place, "no properties, or cut") }
        if let fault = properties.fault { throw ArchiveError(.unsupported, place: place, fault) }
        guard properties["hoodie.table.create.schema"] == OrderColumns.avro else { throw ArchiveError(.unsupported, place: place, "a table of other columns than the archive's") }
        return HudiTable(store: store, prefix: prefix, buckets: properties.buckets ?? 1, place: store.place + "/" + prefix)
    }

    /// Opens the table, or makes it where there is none.
    /// - Parameter buckets: file groups a partition, for a new table; one is enough up to some 200,000 orders a month.
    package static func openOrCreate(_ store: any ObjectStore, prefix: String, database: String = "isotherm", buckets: Int = 1) async throws(ArchiveError) -> HudiTable {
        guard (1...HudiProperties.bucketsMax).contains(buckets) else { throw ArchiveError(.misuse, place: store.place, "\(buckets) buckets; 1 to \(HudiProperties.bucketsMax) are taken") }
        let properties = HudiProperties(database: database, table: OrderColumns.tableName, schema: OrderColumns.avro, buckets: buckets)
        do throws(ArchiveError) { return try await open(store, prefix: prefix) } catch { if error.kind != .notFound { throw error } }
        do throws(ObjectStoreError) { try await store.put(prefix + "/" + propertiesPath, properties.serialized, ifAbsent: true) } catch {
            if error.kind != .alreadyExists { throw ArchiveError(error) }
        }
        return try await open(store, prefix: prefix)
    }

    static let propertiesPath = ".hoodie/hoodie.properties"
    func key(_ path: String) -> String { prefix + "/" + path }
}
