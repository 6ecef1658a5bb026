// Where the tiers lie: the warm index in the node, the archive and what is staged on an object store each, `<data>/cold` and `<data>/staging` unless told otherwise.

package import Engine
internal import ObjectStorage
package import Orders
package import Storage

package struct TierPlaces: Sendable, Equatable {
    /// A location as `ObjectStores.open` takes it; nil: a folder of the data folder.
    package var archive: String?, staging: String?
    /// File groups a month of the archive's table, when it is made.
    package var buckets = 1
    /// Commits whose snapshots of the archive stay readable.
    package var keptCommits = 10
    package init() {}

    package struct Opened: Sendable {
        package let shelves: [any OrderShelf]
        package let staging: any ObjectStore
        fileprivate let archive: any ObjectStore

        /// Takes away what stopped movers left half written. For the one mover that is alive.
        package func sweep() async throws {
            for store in [staging, archive] { try await (store as? FolderObjectStore)?.sweep() }
        }
    }

    package func openArchive(_ data: any Directory) throws -> any ObjectStore {
        if let archive { return try ObjectStores.open(location: archive) }
        return FolderObjectStore(try data.directory("cold"))
    }

    /// - Parameter data: the data folder.
    package func open(_ data: any Directory, node: Node, hot: any TierStore) throws -> Opened {
        var setting = ColdShelf.Setting()
        (setting.buckets, setting.keptCommits) = (buckets, keptCommits)
        let staged: any ObjectStore
        if let staging { staged = try ObjectStores.open(location: staging) } else { staged = FolderObjectStore(try data.directory("staging")) }
        let archive = try openArchive(data)
        // Order matters: the names of these folders are on the disk before anything in them is relied on.
        try data.sync()
        let cold = ColdShelf(store: MeteredObjectStore(archive), setting: setting, leaseOf: hot)
        return Opened(shelves: [WarmShelf(node: node, placed: { try await hot.count(in: .warm) }), cold], staging: staged, archive: archive)
    }
}
