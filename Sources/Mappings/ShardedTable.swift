// A dictionary by path of which a copy and a change are both cheap: 256 small dictionaries, shared between copies
// until changed. A mapping of 10,000 fields gains one for the price of one shard of 40, though older copies live on.

struct ShardedTable<Value: Sendable>: Sendable {
    private var shards: [[String: Value]] = []
    private(set) var count = 0

    private static var shardCount: Int { 256 }

    subscript(path: String) -> Value? {
        get { shards.isEmpty ? nil : shards[Self.shard(path)][path] }
        set {
            if shards.isEmpty { shards = [[String: Value]](repeating: [:], count: Self.shardCount) }
            let i = Self.shard(path)
            let before = shards[i].count
            shards[i][path] = newValue
            count += shards[i].count - before
        }
    }

    func forEach(_ body: (String, Value) -> Void) {
        for shard in shards { for (path, value) in shard { body(path, value) } }
    }

    /// FNV-1a, folded to a byte.
    private static func shard(_ path: String) -> Int {
        var h: UInt32 = 2_166_136_261
        for c in path.utf8 { h = (h ^ UInt32(c)) &* 16_777_619 }
        return Int((h >> 24 ^ h >> 16 ^ h >> 8 ^ h) & 255)
    }
}
