// `isotherm token` and `isotherm sign`: what callers of /api prove themselves with. Both need the node's keys, so whoever runs them holds the data folder.

package import ArgumentParser
internal import Orders
internal import Secrets
internal import Shop

package struct TokenCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make a token for the shop's API: Authorization: Bearer <token>.",
        discussion: """
            isotherm token staff:anna --hours 8
            isotherm token customer:4f1f2a0c-5b1e-4a52-9a0e-0d8b2f6d7c11

            A token is good until its end and cannot be taken back: keep the hours few.
            """)

    @Argument(help: "customer:<id>, staff:<name> or service:<name>.") var actor: String
    @Option(help: "The data folder.") var data = "data"
    @Option(help: "How long it is good.") var hours = 12

    package init() {}

    package func run() throws {
        guard let actor = Actor(text: actor) else { throw CommandError("an actor is customer:<id>, staff:<name> or service:<name>") }
        guard (1...8_760).contains(hours) else { throw CommandError("--hours is from 1 to 8760") }
        Terminal.line(AccessTokens(try ShopFolder.keys(data)).issue(actor, until: Instant.now().adding(seconds: Int64(hours) * 3_600)))
    }
}

package struct SignCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign a webhook's body: the value of Isotherm-Signature.",
        discussion: """
            isotherm sign carrier:post event.json
            isotherm sign payments event.json

            Good for five minutes. `--secret` prints what the other side signs with, in hexadecimal.
            """)

    @Argument(help: "payments, or carrier:<name>.") var who: String
    @Argument(help: "The file with the body, byte for byte; - for standard input.") var file: String = "-"
    @Option(help: "The data folder.") var data = "data"
    @Flag(help: "Print the secret instead of a signature.") var secret = false

    package init() {}

    package func run() throws {
        let secrets = WebhookSecrets(try ShopFolder.keys(data))
        let key: [UInt8]
        if who == "payments" { key = secrets.payments } else if who.hasPrefix("carrier:"), who.count > 8 { key = secrets.carrier(String(who.dropFirst(8))) } else {
            throw CommandError("sign for payments, or for carrier:<name>")
        }
        if secret { return Terminal.line(Hexadecimal.text(key)) }
        Terminal.line(WebhookSignature.sign(try Files.bytes(file, max: 1 << 20), secret: key, at: .now()))
    }
}
