// `isotherm eval`: a query set against judgments. Runs the queries (or takes a run made before), measures, compares with
// another run, holds the result against gates. Described in docs/relevance.md.

package import ArgumentParser
internal import JSON
import Relevance

package struct EvalCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Measure relevance: run queries, compare with judgments, hold against gates.",
        discussion: """
            isotherm eval shop --queries corpora/shop/queries.tsv --judgments corpora/shop/judgments.csv \\
                --template indexes/shop.query.json --gate 'ndcg@10>=0.6'

            Exit code: 0, 1 when a gate does not hold or something failed.
            """)

    @Argument(help: "The index; not needed with --run.") var index: String?
    @OptionGroup var location: IndexLocation
    @Option(help: "Judgments: CSV (query,docid,rating) or TREC qrels.") var judgments: String
    @Option(help: "Queries: TSV (id, text), CSV with a head line, or one query a line. Without: the judgments' query names.") var queries: String?
    @Option(help: "The search to send, as JSON with {{query}} in it.") var template: String?
    @Option(help: "Measure this run (TREC form) instead of searching.") var run: String?
    @Option(help: "Write the run, in TREC form.") var saveRun: String?
    @Option(help: "Compare with this run (TREC form), query by query.") var compare: String?
    @Option(help: "Compare with the answers to this search over the same index.") var compareTemplate: String?
    @Option(help: "Measures, with commas.") var metrics = "ndcg@10,mrr,map,p@10,recall@100,unjudged@10"
    @Option(help: "A bound the mean must keep, as 'ndcg@10>=0.43'; may be given again.") var gate: [String] = []
    @Option(help: "Grades to replace, as '1=4,2=3,-1=1'.") var gains: String?
    @Option(help: "Gain of a grade: linear (the grade) or exponential (2^grade - 1).") var gain = "linear"
    @Option(help: "The least grade (after --gains) that is relevant for mrr, map, p, recall.") var relevantFrom = 1.0
    @Flag(help: "Count queries none of whose grades is positive, as 0.") var keepQueriesWithoutPositive = false
    @Option(help: "Hits asked for per query.") var depth = 100
    @Option(help: "Resamples of the bootstrap.") var resamples = 2_000
    @Option(help: "Seed of bootstrap and permutation test.") var seed: UInt64 = 1
    @Flag(help: "Print each query's values.") var perQuery = false
    @Flag(help: "Print JSON, each query's values included.") var json = false

    package init() {}

    package func validate() throws {
        guard index != nil || run != nil else { throw ValidationError("name an index, or give --run") }
        guard compare == nil || compareTemplate == nil else { throw ValidationError("give --compare or --compare-template, not both") }
        guard compareTemplate == nil || index != nil else { throw ValidationError("--compare-template needs an index") }
        guard (1...10_000).contains(depth) else { throw ValidationError("--depth is from 1 to 10000") }
        guard (0...1_000_000).contains(resamples) else { throw ValidationError("--resamples is from 0 to 1000000") }
    }

    package mutating func run() async throws {
        let metrics = try parsedMetrics(), gates = try parsedGates(), settings = try settings()
        var judgments = try Files.read(judgments) { text throws(RelevanceError) in try Judgments(parsing: text) }
        if let gains { judgments = judgments.mapped(try parsedGains(gains)) }
        let (result, other) = try await runs(judgments)
        if let saveRun { try Files.write(result.text(tag: index ?? "run"), to: saveRun) }

        let evaluation = Evaluation(result, against: judgments, metrics: metrics, settings: settings)
        let baseline = other.map { Evaluation($0, against: judgments, metrics: metrics, settings: settings) }
        let comparisons = baseline.map { baseline in metrics.compactMap { RunComparison($0, of: evaluation, with: baseline) } } ?? []
        let verdicts = gates.map { gate in (gate, evaluation.column(gate.metric)?.mean ?? 0) }
        let report = EvalReport(evaluation: evaluation, comparisons: comparisons, gates: verdicts)
        Terminal.line(json ? report.json.text : report.text(perQuery: perQuery))
        if report.failedGates > 0 { throw ExitCode(1) }
    }

    // MARK: -

    /// The run to measure, and the one to compare with.
    private func runs(_ judgments: Judgments) async throws -> (Run, Run?) {
        let read = { (path: String) in try Files.read(path) { text throws(RelevanceError) in try Run(parsing: text) } }
        let given = try run.map(read), compared = try compare.map(read)
        guard given == nil || compareTemplate != nil, let index else { return (given ?? Run(), compared) }
        let queries = try queries.map { try Files.read($0) { text throws(RelevanceError) in try QuerySet(parsing: text) } } ?? QuerySet(of: judgments)
        let gateway = try await location.gateway()
        do {
            let first = try await given.asyncOr { try await search(index, queries, try self.queryTemplate(template), gateway) }
            let second = try await compared.asyncOrNil(compareTemplate) { try await search(index, queries, try self.queryTemplate($0), gateway) }
            await gateway.close()
            return (first, second)
        } catch {
            await gateway.close()
            throw error
        }
    }

    private func queryTemplate(_ path: String?) throws -> QueryTemplate {
        guard let path else { return .standard }
        do { return try QueryTemplate(try Files.json(path)) } catch { throw CommandError("\(path): \(error)") }
    }

    private func search(_ index: String, _ queries: QuerySet, _ template: QueryTemplate, _ gateway: any Gateway) async throws -> Run {
        var run = Run()
        for query in queries.items {
            let body = template.body(for: query.text, depth: depth).serialized()
            let answer: JSONValue
            do { answer = try await gateway.json(HTTPRequest(.post, "/\(percentEncoded(index))/_search", body: body)) } catch {
                throw CommandError("query `\(query.id)`: \(describe(error))")
            }
            guard let hits = answer["hits"]?["hits"]?.array else { throw CommandError("query `\(query.id)`: the answer has no hits") }
            run.set(hits.map { Run.Hit(document: $0["_id"]?.string ?? "", score: $0["_score"]?.number ?? 0) }, for: query.id)
        }
        return run
    }

    private func settings() throws -> Evaluation.Settings {
        guard let gain = MetricSettings.Gain(rawValue: gain) else { throw ValidationError("--gain is linear or exponential") }
        var settings = Evaluation.Settings()
        settings.metric = MetricSettings(gain: gain, relevantFrom: relevantFrom)
        settings.keepsQueriesWithoutPositive = keepQueriesWithoutPositive
        (settings.resamples, settings.seed) = (resamples, seed)
        return settings
    }

    private func parsedMetrics() throws -> [Metric] {
        var result: [Metric] = []
        for text in metrics.split(separator: ",") { result.append(try Metric(parsing: String(text.filter { $0 != " " }))) }
        for gate in try parsedGates() where !result.contains(gate.metric) { result.append(gate.metric) }
        return result
    }

    private func parsedGates() throws -> [Gate] { try gate.map { try Gate(parsing: $0) } }

    private func parsedGains(_ text: String) throws -> [Double: Double] {
        var result: [Double: Double] = [:]
        for pair in text.split(separator: ",") {
            let sides = pair.split(separator: "=").map { Double($0.filter { $0 != " " }) }
            guard sides.count == 2, let from = sides[0], let to = sides[1] else {
                throw ValidationError("--gains looks like '1=4,2=3,-1=1', not `\(text)`")
            }
            result[from] = to
        }
        return result
    }
}

extension Optional where Wrapped == Run {
    fileprivate func asyncOr(_ make: () async throws -> Run) async throws -> Run { if let self { self } else { try await make() } }
    fileprivate func asyncOrNil(_ path: String?, _ make: (String) async throws -> Run) async throws -> Run? {
        if let self { return self }
        guard let path else { return nil }
        return try await make(path)
    }
}
