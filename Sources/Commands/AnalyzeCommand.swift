// `isotherm analyze`: the tokens of a text, with positions and offsets.

package import ArgumentParser
internal import JSON

package struct AnalyzeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Show the tokens an analyzer makes of a text.",
        discussion: """
            isotherm analyze --analyzer product 'PS-5 controller, 12V, 3.5 mm'
            isotherm analyze --index shop --field title 'PS-5 controller'
            """)

    @Argument(help: "The text, or - for standard input.") var text: String
    @Option(help: "An analyzer by name: standard, english, product, ...") var analyzer: String?
    @Option(help: "An index whose analyzers count.") var index: String?
    @Option(help: "The analyzer of this field of the index.") var field: String?
    @OptionGroup var location: IndexLocation
    @Flag(help: "Print the answer as JSON.") var json = false

    package init() {}

    package func validate() throws {
        guard field == nil || index != nil else { throw ValidationError("--field needs --index") }
        guard field == nil || analyzer == nil else { throw ValidationError("give --field or --analyzer, not both") }
    }

    package mutating func run() async throws {
        var body = JSONObject([("text", .string(text == "-" ? try Files.text("-") : text))])
        if let field { body["field"] = .string(field) } else { body["analyzer"] = .string(analyzer ?? "standard") }
        let path = index.map { "/\(percentEncoded($0))/_analyze" } ?? "/_analyze"
        // Without an index nothing of a data folder is needed: this process can do it alone.
        let gateway = index == nil && location.url == nil && location.data == nil ? try await LocalGateway.inMemory() : try await location.gateway()
        let answer: Result<JSONValue, any Error>
        do { answer = .success(try await gateway.json(HTTPRequest(.post, path, body: JSONValue.object(body).serialized()))) } catch {
            answer = .failure(error)
        }
        await gateway.close()
        show(try answer.get())
    }

    // MARK: -

    private func show(_ answer: JSONValue) {
        guard !json else { return Terminal.write(String(decoding: answer.serialized(pretty: true), as: UTF8.self) + "\n", to: 1) }
        Terminal.line("position  offsets     type             token")
        for token in answer["tokens"]?.array ?? [] {
            let offsets = "\(token["start_offset"]?.integer ?? 0)-\(token["end_offset"]?.integer ?? 0)"
            let span = token["positionLength"]?.integer.map { " (spans \($0))" } ?? ""
            Terminal.line("\(String(token["position"]?.integer ?? 0).padded(10))\(offsets.padded(12))"
                + "\((token["type"]?.string ?? "").padded(17))\(token["token"]?.string ?? "")\(span)")
        }
    }
}
