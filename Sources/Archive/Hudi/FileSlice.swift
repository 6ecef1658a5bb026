// One Parquet file of the table: what a commit wrote of one file group.
//
//     year=2026/month=3/af52a425-7d4a-80d0-81d8-4c47b03ffe89-0_3-7-9152_20260402000000000.parquet
//     partition         file id (a UUID, then "-0")            token  instant
//
// A file group owns the orders of one partition whose person falls into one bucket; its id is derived from both, so every writer finds the same.
// The token is another on each try: a file once written is never written again.

internal import Bytes

package struct FileSlice: Hashable, Sendable {
    package let partition: Partition
    package let fileID: String
    package let instant: HudiInstant
    /// Under the table's prefix.
    package let path: String
    package let byteCount: Int
    package let rowCount: Int

    package init(partition: Partition, fileID: String, token: String, instant: HudiInstant, byteCount: Int, rowCount: Int) {
        (self.partition, self.fileID, self.instant, self.byteCount, self.rowCount) = (partition, fileID, instant, byteCount, rowCount)
        path = "\(partition.path)/\(fileID)_\(token)_\(instant).parquet"
    }

    /// Nil for a path that is not of this form.
    package init?(path: String, byteCount: Int, rowCount: Int) {
        guard let slash = path.lastIndex(of: "/"), let partition = Partition(path: path[..<slash]), path.hasSuffix(".parquet") else { return nil }
        let parts = path[path.index(after: slash)...].dropLast(8).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty, let instant = HudiInstant(parts[2]) else { return nil }
        (self.partition, fileID, self.instant, self.path) = (partition, String(parts[0]), instant, path)
        (self.byteCount, self.rowCount) = (byteCount, rowCount)
    }

    package var name: String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }

    /// Of the writer's lease, as the token has it; nil for a foreign token, and for an epoch that no lease of ours rises to: the next one would have to be above.
    var epoch: Int64? {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let token = parts[1].split(separator: "-")
        return token.count == 3 ? Int64(token[1]).flatMap { (0...Self.epochMax).contains($0) ? $0 : nil } : nil
    }
    private static let epochMax: Int64 = 1 << 48

    /// The id of the group of a partition and bucket: a UUID (RFC 9562, version 8) of a hash of both.
    package static func fileID(_ partition: Partition, bucket: Int) -> String {
        let name = "\(partition.path)#\(bucket)"
        var bytes: [UInt8] = []
        for half in ["a:", "b:"] {
            let hash = XXHash64.of(Array((half + name).utf8))
            for k in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: hash >> UInt64(56 - 8 * k))) }
        }
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10..<16]].map { $0.joined() }.joined(separator: "-") + "-0"
    }

    /// The bucket of a person's orders.
    package static func bucket(person: String, of buckets: Int) -> Int { Int(XXHash64.of(Array(person.utf8)) % UInt64(max(1, buckets))) }
}
