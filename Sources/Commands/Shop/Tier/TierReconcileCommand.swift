// `isotherm tier reconcile`: after hot was restored from a backup that is older than what warm and cold have.

package import ArgumentParser
internal import Engine
internal import JSON
internal import Orders
internal import OrdersSQLite
import Storage
internal import Tiering

package struct TierReconcileCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Put a restored shop in step with warm, cold and staging. No server may be running on the data folder.",
        discussion: """
            isotherm restore /mnt/backups/isotherm-....db --data data
            isotherm tier reconcile --data data

            Of an order that hot and another tier both have, the later version wins; copies that nobody needs are removed. Ends with 1, and names them, if orders cannot be
            found in any tier. It can be stopped at any moment, and run again.

            Of the file of policies it takes where archive and staging lie. --policy must be one of the file's and decides nothing here: an order stays in the tier where
            it is found. --now is the moment that the lease and the changes bear.
            """)
    @OptionGroup var options: TierPolicyOptions
    package init() {}

    package func run() async throws {
        let (_, file) = try options.read(), places = file.places, clock = try options.clock, data = options.data
        let (report, census) = try await ShopFolder.withNode(data) { root, node, store in
            let opened = try places.open(root, node: node, hot: store), keys = try store.personKeys(folder: data + "/keys")
            defer { keys.close() }
            let reconciler = TierReconciler(
                store: store, shelves: opened.shelves, staging: opened.staging, keys: keys, holder: "isotherm tier reconcile \(Bytes16.random())",
                catalogue: CatalogueSearch(node: node), clock: clock)
            let report = try await reconciler.run(), census = try await store.census()
            // Order matters: under the lock, or the mark of another restore could be meant.
            try OrderBackup.reconciled(data + "/hot")
            return (report, census)
        }
        if options.json { Terminal.line(Self.json(report, census).text) } else { Self.tell(report, census) }
        if !report.lost.isEmpty { throw ExitCode(1) }
    }

    private static func json(_ report: ReconcileReport, _ census: [Tier: Int64]) -> JSONValue {
        [
            "documents": .object(JSONObject([Tier.warm, .cold].map { ($0.rawValue, .integer(Int64(report.documents[$0] ?? 0))) })),
            "staged": .integer(Int64(report.staged)), "adopted": .integer(Int64(report.adopted)), "reloaded": .integer(Int64(report.reloaded)),
            "kept_hot": .integer(Int64(report.keptHot)), "copies_removed": .integer(Int64(report.copiesRemoved)), "batches_ended": .integer(Int64(report.batchesEnded)),
            "products": .integer(Int64(report.products)), "damaged": .integer(Int64(report.damaged)),
            "lost": .array(report.lost.map { .string($0.description) }),
            "tiers": .object(JSONObject(Tier.allCases.map { ($0.rawValue, .integer(census[$0] ?? 0)) })),
        ]
    }

    private static func tell(_ report: ReconcileReport, _ census: [Tier: Int64]) {
        Terminal.line("\(grouped(report.documents[.warm] ?? 0)) documents of warm, \(grouped(report.documents[.cold] ?? 0)) of cold, \(grouped(report.staged)) of staging")
        Terminal.line("\(grouped(report.adopted)) orders placed anew, \(grouped(report.reloaded)) loaded again, \(grouped(report.keptHot)) stay hot, "
            + "\(grouped(report.copiesRemoved)) copies removed, \(report.batchesEnded) batches ended")
        if report.damaged > 0 { Terminal.line("\(grouped(report.damaged)) documents cannot be read, and were passed over") }
        if report.products > 0 { Terminal.line("\(grouped(report.products)) products told anew to the product index, which knew more than the restored store") }
        for tier in Tier.allCases { Terminal.line("\(tier.rawValue.padded(6)) \(grouped(Int(census[tier] ?? 0)).padded(12, left: true)) orders") }
        for id in report.lost { Terminal.line("lost: \(id)") }
        Terminal.line("\(report.lost.count) lost")
    }
}
