// `isotherm bulk`: many documents into an index, from files in the forms that `BulkInput` reads.

package import ArgumentParser
internal import BulkInput
internal import Engine
internal import JSON

package struct BulkCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bulk", abstract: "Load documents: NDJSON, a JSON array, CSV, or Elasticsearch bulk bodies; also .gz.",
        discussion: """
            isotherm bulk shop corpora/shop/products.ndjson --mapping indexes/shop.json
            zcat products.csv.gz | isotherm bulk shop - --id-field sku --rejects bad.ndjson

            Prints `committed N` as documents become durable. A bad line is reported with its number and left out; the rest goes on.
            Exit code: 0, 1 when the load failed, 2 when some documents were rejected.
            """)

    @Argument(help: "The index; made when it is not there.") var index: String
    @Argument(help: "Files, or - for standard input.") var files: [String]
    @OptionGroup var location: IndexLocation
    @Option(help: "The field whose value is the document's id.") var idField = "id"
    @Option(help: "Keep rejected documents here, as JSON lines with file, line and reason.") var rejects: String?
    @Option(help: "Settings and mappings (JSON) for making the index.") var mapping: String?
    @Option(help: "ndjson, array, csv or bulk; without: told by the first bytes.") var format: String?
    @Option(help: "Megabytes of documents in one request.") var batchMegabytes = 8
    @Flag(help: "No progress, only errors and `committed N`.") var quiet = false

    package init() {}

    package func validate() throws {
        guard !files.isEmpty else { throw ValidationError("name a file, or - for standard input") }
        guard (1...64).contains(batchMegabytes) else { throw ValidationError("--batch-megabytes is from 1 to 64") }
    }

    package mutating func run() async throws {
        let log = try RejectLog(rejects)
        let target = try await target()
        let reader = BulkReader(files, index: index, idField: idField, format: try parsedFormat())
        var progress = BulkProgress(bytesTotal: reader.bytesTotal, quiet: quiet)
        var docs = 0
        while let batch = try reader.next(bytesMax: batchMegabytes << 20) {
            log.add(batch.rejects)
            docs += batch.items.count
            let refused = batch.items.isEmpty ? [] : try await target.load(batch.items)
            docs -= refused.count
            log.add(refused)
            progress.update(docs: docs, bytesRead: reader.bytesRead, rejects: log.count, committed: await target.committed)
        }
        let refused = try await target.finish()
        log.add(refused)
        progress.finish(docs: docs - refused.count, bytesRead: reader.bytesRead, rejects: log.count, committed: await target.committed)
        if log.count > 0 { throw ExitCode(2) }
    }

    // MARK: -

    private func parsedFormat() throws -> BulkFormat? {
        try format.map { name in
            guard let format = BulkFormat(rawValue: name) else {
                throw ValidationError("--format is one of \(BulkFormat.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return format
        }
    }

    private func target() async throws -> any BulkTarget {
        let creation = try mapping.map(IndexDefinition.read) ?? IndexCreation()
        if let data = location.data { return try await LocalBulkTarget(data: data, index: index, creation: creation) }
        return try await RemoteBulkTarget(url: location.url ?? "http://127.0.0.1:9200", index: index, creation: creation)
    }
}

enum IndexDefinition {
    /// A file as `PUT /index` takes it.
    static func read(_ path: String) throws -> IndexCreation {
        guard let object = try Files.json(path).object else { throw CommandError("\(path): not a JSON object") }
        for key in object.keys where !["settings", "mappings", "aliases"].contains(key) {
            throw CommandError("\(path): `\(key)` is not settings, mappings or aliases")
        }
        return IndexCreation(
            settings: object["settings"]?.object ?? JSONObject(), mappings: object["mappings"]?.object ?? JSONObject(),
            aliases: object["aliases"]?.object ?? JSONObject())
    }
}
