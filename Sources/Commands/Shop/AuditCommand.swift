// `isotherm audit verify`: walks the chain of the audit log; a row that was changed, taken out or put in shows.

package import ArgumentParser
internal import Orders
internal import OrdersSQLite
internal import Secrets

package struct AuditCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did and read what, and whether that record is whole.", subcommands: [AuditVerifyCommand.self])
    package init() {}
}

package struct AuditVerifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every row against the one before.",
        discussion: "Prints the number of rows and the head of the chain: keep it elsewhere, to see that rows were cut off at the end. May run beside a server. Exit code 1 when a row does not fit.")

    @Option(help: "The data folder.") var data = "data"

    package init() {}

    package func run() async throws {
        let result = try await ShopFolder.withStore(data, exclusively: false) { store in try await store.verifyAudit() }
        Terminal.line("\(grouped(Int(clamping: result.rows))) rows, head \(Hexadecimal.text(result.head))")
        if let broken = result.firstBroken {
            Terminal.line("row \(broken) does not fit the one before")
            throw ExitCode(1)
        }
    }
}
