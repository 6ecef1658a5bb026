// `isotherm backup` and `isotherm restore`: the shop's store as one file, while it is in use, and back. The keys are never in it.

package import ArgumentParser
internal import OrdersSQLite
import Storage
import Glibc

package struct BackupCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the shop's store into a folder, while a server may be running.",
        discussion: """
            isotherm backup /mnt/backups --data data

            The file holds one moment, is checked, and named after the head of the audit chain. <data>/keys is not in it: keep that elsewhere, apart from
            the backups. Without it nobody is found by e-mail, and what is personal in orders that left hot cannot be read.
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
        discussion: "The store that was there is kept as isotherm.db.before. Put the newest copy of <data>/keys back too, should it be lost: without it the server does not start, or finds nobody by e-mail.")

    @Argument(help: "A file that `isotherm backup` wrote.") var backup: String
    @Option(help: "The data folder; made when it is not there.") var data = "data"

    package init() {}

    package func run() async throws {
        for folder in [data, data + "/hot"] {
            // Safe: the path lives through the call, which keeps no pointer.
            guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw CommandError("cannot make the folder \(folder): \(Files.reason())") }
        }
        let lock = try FileDirectory(data).lock("node.lock")
        defer { lock.release() }
        try await OrderBackup.restore(backup, to: data + "/hot/isotherm.db")
        Terminal.line("restored from \(backup)")
    }
}
