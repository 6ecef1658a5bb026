// `isotherm bench orders`: many clients place orders over HTTP, each waiting for its answer before the next. Prints orders a second, orders a commit, and how
// long answers took, beside how long a sync takes where the data lies.
//
// The shape of an order is that of ../shared/bench/limits/orders.py: two lines of one unit each, 100,000 products and 50,000 people, at random.

package import ArgumentParser
import Glibc
internal import JSON

package struct BenchOrdersCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "Place orders from many clients at a running server.",
        discussion: "The server must believe X-Isotherm-Actor from here (the loopback address). It makes products and people of its own, named bench-*.")

    @Option(help: "The server.") var url = "http://127.0.0.1:9200"
    @Option(help: "Clients, each with a connection of its own.") var clients = 64
    @Option(help: "Seconds to measure, after one to warm up.") var seconds = 8
    @Option(help: "How many times to measure.") var runs = 1
    @Option(help: "Products to order from.") var products = 100_000
    @Option(help: "People who order.") var people = 50_000
    @Option(help: "A folder on the server's disk in which the time of a sync is measured first.") var probe: String?

    package init() {}

    package func validate() throws {
        guard (1...1_000).contains(clients), (1...600).contains(seconds), (1...100).contains(runs), (2...1_000_000).contains(products),
            (clients...1_000_000).contains(people)
        else {
            throw ValidationError("--clients is from 1 to 1000, --seconds to 600, --runs to 100, --products from 2 to 1000000, --people from --clients to 1000000")
        }
    }

    package func run() async throws {
        let loop = ClientLoop()
        try await withTaskExecutorPreference(loop) { try await run(on: loop) }
    }

    // MARK: -

    private func run(on loop: ClientLoop) async throws {
        let address = try ServerAddress(parsing: url)
        let sync = try probe.map { folder throws(CommandError) in try SyncProbe.medianMicroseconds(in: folder) }
        var connections: [OrderClient] = []
        for number in 0..<clients {
            connections.append(OrderClient(try await HTTPConnection.open(address, on: loop.group), number: number, products: products))
        }
        connections = try await prepare(connections)
        for _ in 0..<runs {
            _ = try await place(connections, for: 1)
            let before = try await connections[0].status()
            let start = monotonicNanoseconds()
            let results = try await place(connections, for: seconds)
            let elapsed = Double(monotonicNanoseconds() &- start) / 1e9
            let after = try await connections[0].status()
            report(results, elapsed, commits: after.commits - before.commits, commands: after.commands - before.commands, sync)
        }
        for connection in connections { await connection.close() }
    }

    /// Gives each its share of the people.
    private func prepare(_ all: [OrderClient]) async throws -> [OrderClient] {
        try await withThrowingTaskGroup(of: OrderClient.self) { group in
            for client in all {
                group.addTask {
                    var client = client
                    for product in stride(from: client.number, to: products, by: clients) { try await client.stock(product) }
                    for person in stride(from: client.number, to: people, by: clients) { try await client.register(person) }
                    return client
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func place(_ all: [OrderClient], for seconds: Int) async throws -> [OrderClient.Result] {
        let end = monotonicNanoseconds() &+ UInt64(seconds) &* 1_000_000_000
        return try await withThrowingTaskGroup(of: OrderClient.Result.self) { group in
            for client in all { group.addTask { try await client.place(until: end) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func report(_ results: [OrderClient.Result], _ elapsed: Double, commits: Int64, commands: Int64, _ sync: Double?) {
        let times = results.flatMap(\.microseconds).sorted(), refused = results.reduce(0) { $0 + $1.refused }
        guard !times.isEmpty else { return Terminal.line("no order was placed; \(refused) refused") }
        let p50 = times[times.count / 2], p99 = times[times.count * 99 / 100]
        var line = "isotherm-orders\t\(clients) clients over HTTP, synchronous=FULL\t\(fixed(Double(times.count) / elapsed, 0)) orders/s"
        line += "\t\(commits) commits\t\(fixed(Double(commands) / Double(max(commits, 1)), 1)) orders a commit"
        line += "\tp50 \(fixed(p50 / 1_000, 2)) ms\tp99 \(fixed(p99 / 1_000, 2)) ms"
        if let sync { line += "\tsync \(fixed(sync / 1_000, 2)) ms alone\tp99 is \(fixed(p99 / sync, 1)) of them" }
        if refused > 0 { line += "\t\(refused) refused" }
        Terminal.line(line)
    }
}

/// One shopper with a connection.
private struct OrderClient: Sendable {
    struct Result: Sendable { var microseconds: [Double] = [], refused = 0 }

    let number: Int, products: Int
    private let connection: HTTPConnection
    private var people: [String] = []

    init(_ connection: HTTPConnection, number: Int, products: Int) {
        (self.connection, self.number, self.products) = (connection, number, products)
    }

    func close() async { await connection.close() }

    mutating func register(_ person: Int) async throws {
        let answer = try await send(.post, "/api/people", #"{"name":"Bench \#(person)"}"#, as: "service:bench", status: 201)
        guard let id = answer["id"]?.string else { throw CommandError("the server made no person") }
        people.append("customer:\(id)")
    }

    func stock(_ product: Int) async throws {
        _ = try await send(
            .put, "/api/products/bench-\(product)", #"{"title":"Bench \#(product)","price_minor":4950,"currency":"EUR","available":1000000000}"#, as: "service:bench", status: 200)
    }

    func status() async throws -> (commits: Int64, commands: Int64) {
        let answer = try await send(.get, "/api/status", "", as: "service:bench", status: 200)
        return (answer["commits"]?.integer ?? 0, answer["commands"]?.integer ?? 0)
    }

    func place(until end: UInt64) async throws -> Result {
        var result = Result(), random = SystemRandomNumberGenerator(), placed = 0
        let run = String(random.next() as UInt64, radix: 36)
        while monotonicNanoseconds() < end {
            let a = Int.random(in: 0..<products, using: &random), b = Int.random(in: 0..<products, using: &random)
            let body = #"{"lines":[{"product":"bench-\#(a)"},{"product":"bench-\#(b)"}]}"#
            placed += 1
            let key = "\(run)-\(placed)"
            guard let person = people.randomElement(using: &random) else { return result }
            let request = HTTPRequest(.post, "/api/orders", body: Array(body.utf8), headers: [("x-isotherm-actor", person), ("idempotency-key", key)])
            let start = monotonicNanoseconds()
            let answer = try await connection.send(request)
            if answer.status == 201 { result.microseconds.append(Double(monotonicNanoseconds() &- start) / 1_000) } else { result.refused += 1 }
        }
        return result
    }

    private func send(_ method: HTTPRequest.Method, _ path: String, _ body: String, as actor: String, status: Int) async throws -> JSONValue {
        let answer = try await connection.send(HTTPRequest(method, path, body: Array(body.utf8), headers: [("x-isotherm-actor", actor)]))
        guard answer.status == status, let value = try? JSONValue.parse(answer.body) else {
            throw CommandError("\(method.rawValue) \(path): status \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
        return value
    }
}

/// How long one append and its sync take on the disk a folder is on.
private enum SyncProbe {
    static func medianMicroseconds(in folder: String) throws(CommandError) -> Double {
        let path = folder + "/.sync-probe"
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandError("\(path): \(Files.reason())") }
        defer {
            close(file)
            // Safe: the path lives through the call.
            unsafe unlink(path)
        }
        let page = [UInt8](repeating: 1, count: 16_384)
        var times: [Double] = []
        for _ in 0..<101 {
            let start = monotonicNanoseconds()
            // Safe: the array has the bytes counted.
            guard unsafe page.withUnsafeBytes({ unsafe write(file, $0.baseAddress, $0.count) }) == page.count, fdatasync(file) == 0 else {
                throw CommandError("\(path): \(Files.reason())")
            }
            times.append(Double(monotonicNanoseconds() &- start) / 1_000)
        }
        return times.sorted()[times.count / 2]
    }
}
