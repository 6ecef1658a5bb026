// `isotherm bench build INDEX CORPUS` and `isotherm bench serve INDEX`: the plug for side-by-side benchmarks with other engines.
// The index is an ordinary data folder with one index named `bench`, made through the ordinary write path.

package import ArgumentParser
package import Engine
internal import JSON
import Storage

package struct BenchCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Build an index for a benchmark and answer its queries line by line; load a server with orders.",
        subcommands: [BenchBuildCommand.self, BenchServeCommand.self, BenchOrdersCommand.self])
    package init() {}
}

package struct BenchBuildCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Index a corpus of JSON lines; the last line printed is JSON with docs, index_s and merge_s.")

    @Argument(help: "The folder to make.") var index: String
    @Argument(help: "JSON lines with id, title and description (or text), brand, category, price, ...") var corpus: String
    @Flag(help: "Leave the segments as the merge policy has them.") var noMerge = false

    package init() {}

    package mutating func run() async throws {
        let start = monotonicNanoseconds()
        let node = try await Node.open(root: try FileDirectory(index))
        let loader = try await node.bulkLoader(benchIndex, creating: try BenchMapping.creation())
        let input = try LineFile(corpus)
        var docs = 0
        while let batch = try input.next(bytesMax: 8 << 20) {
            try check(await loader.load(batch.map { WriteOperation(.index, index: benchIndex, id: BenchMapping.id(of: $0), source: $0) }))
            docs += batch.count
        }
        try check(await loader.finish())
        let indexed = monotonicNanoseconds()
        if !noMerge { try await node.forceMerge(benchIndex) }
        let merged = monotonicNanoseconds()
        await node.close()
        Terminal.line("{\"docs\": \(docs), \"index_s\": \(seconds(start, indexed)), \"merge_s\": \(seconds(indexed, merged))}")
    }

    private func check(_ results: [WriteResult]) throws {
        if let result = results.first(where: { $0.error != nil }), let error = result.error { throw CommandError("document \(result.id): \(error)") }
    }

    private func seconds(_ from: UInt64, _ to: UInt64) -> String { fixed(Double(to &- from) / 1e9, 2) }
}

package struct BenchServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answer `COMMAND<TAB>query` lines from standard input, one line each.")

    @Argument(help: "A folder made by bench build.") var index: String

    package init() {}

    package mutating func run() async throws {
        let node = try await Node.open(root: try FileDirectory(index, create: false))
        let searcher = try BenchSearcher(node: node)
        while let line = readLine() {
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                Terminal.line("UNSUPPORTED")
                continue
            }
            Terminal.line(try searcher.answer(parts[0], parts[1]) ?? "UNSUPPORTED")
        }
        await node.close()
    }
}

package let benchIndex = "bench"

package enum BenchMapping {
    /// As the benchmark's HTTP mapping has it, but for two things: fields it does not know are kept in the source and not indexed, and
    /// no gap lies between title and description, since the peers index them as one text, in which a phrase may run from one to the other.
    package static func creation() throws(CommandError) -> IndexCreation {
        let keyword: JSONValue = ["type": "keyword"]
        let text: JSONValue = ["type": "text", "analyzer": "bench", "copy_to": "text"]
        let properties = JSONObject([
            ("text", ["type": "text", "analyzer": "bench", "position_increment_gap": 0]), ("id", keyword), ("title", text), ("description", text), ("brand", keyword),
            ("category", keyword), ("category_path", keyword), ("color", keyword), ("size", keyword), ("price", ["type": "double"]),
            ("rating", ["type": "float"]), ("review_count", ["type": "integer"]), ("in_stock", ["type": "boolean"]), ("created_at", ["type": "date"]),
        ])
        let analysis: JSONValue = [
            "tokenizer": ["alnum": ["type": "pattern", "pattern": "[^A-Za-z0-9]+"]],
            "analyzer": ["bench": ["type": "custom", "tokenizer": "alnum", "filter": ["lowercase"]]],
        ]
        return IndexCreation(
            settings: JSONObject([("analysis", analysis)]),
            mappings: JSONObject([("dynamic", false), ("properties", .object(properties))]))
    }

    /// The `id` member's text when it is among the first members, which is cheaper to find than by parsing the line.
    package static func id(of line: [UInt8]) -> String? {
        let key = Array("\"id\"".utf8)
        var i = 0
        while i < line.count, line[i] != UInt8(ascii: "\"") { i += 1 }
        guard line.count > i + key.count, Array(line[i..<i + key.count]) == key else { return parsedID(of: line) }
        i += key.count
        while i < line.count, line[i] == UInt8(ascii: ":") || line[i] == UInt8(ascii: " ") { i += 1 }
        guard i < line.count, line[i] == UInt8(ascii: "\"") else { return parsedID(of: line) }
        let start = i + 1
        var end = start
        while end < line.count, line[end] != UInt8(ascii: "\"") {
            if line[end] == UInt8(ascii: "\\") { return parsedID(of: line) }
            end += 1
        }
        return String(decoding: line[start..<end], as: UTF8.self)
    }

    private static func parsedID(of line: [UInt8]) -> String? {
        guard let value = (try? JSONValue.parse(line))?["id"] else { return nil }
        return value.string ?? value.integer.map(String.init)
    }
}
