// `isotherm search`: one search, its hits as lines for people or the whole answer as JSON.

package import ArgumentParser
internal import JSON

package struct SearchCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search an index.",
        discussion: """
            isotherm search shop 'red shoes'
            isotherm search shop '{"query": {"term": {"brand": "Norvik"}}, "aggs": {"colours": {"terms": {"field": "color"}}}}'
            """)

    @Argument(help: "The index.") var index: String
    @Argument(help: "Words to look for in all fields, a search body as JSON, or - for a body from standard input.") var query: String
    @OptionGroup var location: IndexLocation
    @Option(name: .shortAndLong, help: "Hits to show.") var size: Int?
    @Flag(help: "Print the whole answer as JSON.") var json = false

    package init() {}

    package mutating func run() async throws {
        let body = try self.body()
        let gateway = try await location.gateway()
        let answer: Result<JSONValue, any Error>
        do { answer = .success(try await gateway.json(HTTPRequest(.post, "/\(percentEncoded(index))/_search", body: body.serialized()))) } catch {
            answer = .failure(error)
        }
        await gateway.close()
        show(try answer.get(), asked: body)
    }

    // MARK: -

    private func body() throws -> JSONValue {
        var object: JSONObject
        if query == "-" || query.first(where: { !$0.isWhitespace }) == "{" {
            let text = query == "-" ? try Files.text("-") : query
            let value: JSONValue
            do { value = try JSONValue.parse(text) } catch { throw CommandError("the search body is no JSON: \(error)") }
            guard let members = value.object else { throw CommandError("a search body is a JSON object") }
            object = members
        } else {
            object = JSONObject([("query", ["simple_query_string": ["query": .string(query), "default_operator": "and"]])])
        }
        if let size { object["size"] = .integer(Int64(size)) }
        return .object(object)
    }

    private func show(_ answer: JSONValue, asked: JSONValue) {
        guard !json else { return Terminal.write(String(decoding: answer.serialized(pretty: true), as: UTF8.self) + "\n", to: 1) }
        let hits = answer["hits"]?["hits"]?.array ?? []
        for hit in hits {
            let score = hit["_score"]?.number.map { fixed($0, 4) } ?? "-"
            Terminal.line("\(score.padded(9, left: true))  \((hit["_id"]?.string ?? "").padded(12))  \(summary(of: hit["_source"] ?? .null))")
        }
        if let total = answer["hits"]?["total"] {
            let more = total["relation"]?.string == "gte" ? "at least " : ""
            Terminal.remark("\(more)\(grouped(Int(total["value"]?.integer ?? 0))) found, \(hits.count) shown, \(answer["took"]?.integer ?? 0) ms")
        }
        if let aggregations = answer["aggregations"] {
            Terminal.write(String(decoding: aggregations.serialized(pretty: true), as: UTF8.self) + "\n", to: 1)
        }
    }

    /// What a person knows a document by.
    private func summary(of source: JSONValue) -> String {
        for name in ["title", "name", "text", "description"] { if let text = source[name]?.string { return String(text.prefix(120)) } }
        return String(source.text.prefix(160))
    }
}
