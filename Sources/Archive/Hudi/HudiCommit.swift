// What a commit wrote: the JSON of `<instant>.commit` (HoodieCommitMetadata in apache/hudi). Its arrival is the commit.
//
//     partitionToWriteStats   for each partition its file slices: file id, path, rows, bytes, the commit before
//     extraMetadata.schema    the Avro schema as text
//     operationType           UPSERT, DELETE
//
// Invariant: a path is `<partition>/<file id>_<write token>_<instant>.parquet`; what does not fit is refused when it is read.

import JSON

package struct HudiCommit: Sendable, Equatable {
    package enum Operation: String, Sendable { case insert = "INSERT", upsert = "UPSERT", delete = "DELETE" }

    package struct WriteStat: Sendable, Equatable {
        package var slice: FileSlice
        package var previous: HudiInstant?
        package var updates = 0, inserts = 0, deletes = 0

        package init(slice: FileSlice, previous: HudiInstant?, updates: Int = 0, inserts: Int = 0, deletes: Int = 0) {
            (self.slice, self.previous, self.updates, self.inserts, self.deletes) = (slice, previous, updates, inserts, deletes)
        }
    }

    package var operation: Operation
    /// By partition, then file id.
    package var writes: [WriteStat]

    package init(_ operation: Operation, _ writes: [WriteStat] = []) { (self.operation, self.writes) = (operation, writes) }

    package func serialized(schema: String) -> [UInt8] {
        var w = JSONWriter(reserving: 1_024 + schema.utf8.count * 2)
        w.object { w in
            w.key("partitionToWriteStats")
            w.object { w in
                var at = 0
                while at < writes.count {
                    let partition = writes[at].slice.partition
                    w.key(partition.path)
                    w.array { w in
                        while at < writes.count, writes[at].slice.partition == partition {
                            Self.write(writes[at], &w)
                            at += 1
                        }
                    }
                }
            }
            w.member("compacted", false)
            w.key("extraMetadata")
            w.object { w in if !schema.isEmpty { w.member("schema", schema) } }
            w.member("operationType", operation.rawValue)
        }
        return w.bytes
    }

    private static func write(_ stat: WriteStat, _ w: inout JSONWriter) {
        w.object { w in
            w.member("fileId", stat.slice.fileID)
            w.member("path", stat.slice.path)
            w.member("cdcStats", .null)
            w.member("prevCommit", stat.previous?.description ?? "null")
            w.member("numWrites", stat.slice.rowCount)
            w.member("numDeletes", stat.deletes)
            w.member("numUpdateWrites", stat.updates)
            w.member("numInserts", stat.inserts)
            w.member("totalWriteBytes", stat.slice.byteCount)
            w.member("totalWriteErrors", 0)
            w.member("tempPath", .null)
            w.member("partitionPath", stat.slice.partition.path)
            for name in ["totalLogRecords", "totalLogFilesCompacted", "totalLogSizeCompacted", "totalUpdatedRecordsCompacted", "totalLogBlocks", "totalCorruptLogBlock", "totalRollbackBlocks"] {
                w.member(name, 0)
            }
            w.member("fileSizeInBytes", stat.slice.byteCount)
            w.member("minEventTime", .null)
            w.member("maxEventTime", .null)
            w.member("runtimeStats", .null)
        }
    }

    /// Some 80,000 file slices; a batch of the mover's writes 10,000 at most.
    package static let bytesMax = 64 << 20

    /// - Throws: `damaged` for anything that no commit of `instant` can be.
    package init(parsing bytes: [UInt8], instant: HudiInstant, place: String) throws(ArchiveError) {
        func damaged(_ reason: String) -> ArchiveError { ArchiveError(.damaged, place: place, "no commit: \(reason)") }
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue.parse(bytes, limits: JSONLimits()) } catch { throw damaged("not JSON, or cut") }
        guard let parts = json["partitionToWriteStats"]?.object else { throw damaged("no partitionToWriteStats") }
        guard let operation = (json["operationType"]?.string).flatMap({ Operation(rawValue: $0) }) else {
            throw ArchiveError(.unsupported, place: place, "a commit of another operation than INSERT, UPSERT and DELETE")
        }
        self.init(operation)
        for (path, stats) in parts {
            guard let partition = Partition(path: path), let stats = stats.array else { throw damaged("a partition that is not year=Y/month=M") }
            for stat in stats {
                guard let file = stat["path"]?.string, let id = stat["fileId"]?.string, let rows = Self.count(stat["numWrites"]), let size = Self.count(stat["fileSizeInBytes"]),
                    let slice = FileSlice(path: file, byteCount: size, rowCount: rows), slice.partition == partition, slice.fileID == id, slice.instant == instant
                else { throw damaged("a file slice without a name, rows and bytes of its own") }
                var write = WriteStat(slice: slice, previous: (stat["prevCommit"]?.string).flatMap { HudiInstant($0) })
                (write.updates, write.inserts, write.deletes) = (Self.count(stat["numUpdateWrites"]) ?? 0, Self.count(stat["numInserts"]) ?? 0, Self.count(stat["numDeletes"]) ?? 0)
                writes.append(write)
            }
        }
    }

    /// Bounded, so that sums of them are numbers too.
    private static func count(_ value: JSONValue?) -> Int? { (value?.integer).flatMap { (0...1 << 40).contains($0) ? Int($0) : nil } }
}
