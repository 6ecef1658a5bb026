// `isotherm backup` and `isotherm restore`: the shop's store as one file, while it is in use, and back. The keys are never in it. After a restore nobody serves or moves
// until `isotherm tier reconcile` was run: the other tiers may know more than the backup.

package import ArgumentParser
internal import OrdersSQLite
import Storage

package struct BackupCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the shop's store into a folder, while a server may be running.",
        discussion: """
            isotherm backup /mnt/backups --data data

            The file holds one moment, is checked by SQLite's own means, and named after the head of the audit chain. <data>/keys is not in it: keep that elsewhere, apart
            from the backups. Without it nobody is found by e-mail, and what is personal in orders that left hot cannot be read.
            """)

    @Argument(help: "A folder that exists.") var folder: String
    @Option(help: "The data folder.") var data = "data"

    package init() {}

    package func run() async throws {
        let path = try await ShopFolder.withStore(data, exclusively: false) { store in try await OrderBackup.write(of: store, to: folder) }
        Terminal.line(path)
    }
}

package struct RestoreCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup of the shop's store in place. No server may be running.",
        discussion: """
            isotherm restore /mnt/backups/isotherm-....db --data data
            isotherm tier reconcile --data data

            The second is needed always: orders may have moved to other tiers after the backup, and changed. Until it was run, `serve` and `tier run` refuse.

            The store that was there is kept beside it, as isotherm.db.before-<moment> with its log; the command prints the name. Put the newest copy of <data>/keys
            back too, should it be lost: without it the server does not start, or finds nobody by e-mail.
            """)

    @Argument(help: "A file that `isotherm backup` wrote.") var backup: String
    @Option(help: "The data folder; made when it is not there.") var data = "data"

    package init() {}

    package func run() async throws {
        // Their names are on the disk then.
        _ = try FileDirectory(data + "/hot")
        let lock = try FileDirectory(data).lock("node.lock")
        defer { lock.release() }
        let kept = try await OrderBackup.restore(backup, to: data + "/hot/isotherm.db")
        Terminal.line("restored from \(backup)")
        if let kept { Terminal.line("what was there is kept as \(kept)") }
        Terminal.line("next: isotherm tier reconcile --data \(data) (with --policies FILE where archive or staging lie elsewhere); before it nobody can serve or move")
    }
}

extension ShopFolder {
    /// Refuses where the store was restored from a backup and not reconciled since: orders would be missing that moved after it, and what other tiers had changed would be
    /// changed once more.
    package static func refuseUntilReconciled(_ data: String) throws {
        if try OrderBackup.isToBeReconciled(data + "/hot") {
            throw CommandError(OrderBackup.reconcileFirst(data))
        }
    }
}
