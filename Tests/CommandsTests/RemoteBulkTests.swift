// Loading over HTTP: what is sent, what is tried again, what is reported.

import Commands
import Engine
import JSON
import Synchronization
import Testing

@Suite("Bulk loading over HTTP")
struct RemoteBulkTests {
    func items(_ ids: Range<Int>) -> [BulkItem] {
        ids.map { BulkItem(operation: WriteOperation(.index, index: "i", id: "d\($0)", source: Array("{\"n\":\($0)}".utf8)), origin: BulkOrigin(file: "f", line: $0 + 1)) }
    }

    /// Answers each action of a bulk body with 201, or as `status` says for its id.
    static func bulkAnswer(_ body: [UInt8], status: (String) -> (Int, String?)) -> String {
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\n")
        var results: [String] = []
        for i in stride(from: 0, to: lines.count, by: 2) {
            let id = (try? JSONValue.parse(String(lines[i])))?["index"]?["_id"]?.string ?? ""
            let (code, reason) = status(id)
            let error = reason.map { ",\"error\":{\"type\":\"t\",\"reason\":\"\($0)\"}" } ?? ""
            results.append("{\"index\":{\"_id\":\"\(id)\",\"status\":\(code)\(error)}}")
        }
        return "{\"errors\":false,\"items\":[\(results.joined(separator: ","))]}"
    }

    @Test("the index is made when it is not there, all documents arrive once, committed counts them")
    func plain() async throws {
        let seen = Mutex<[String]>([])
        let server = try await StubServer { _, method, path, body in
            if method == "HEAD" { return .answer(404, "{}") }
            if path == "/_bulk" { return .answer(200, Self.bulkAnswer(body) { id in seen.withLock { $0.append(id) }; return (201, nil) }) }
            seen.withLock { $0.append("\(method) \(path)") }
            return .answer(200, "{}")
        }
        let target = try await RemoteBulkTarget(url: server.url, index: "i", creation: IndexCreation())
        for batch in 0..<20 { #expect(try await target.load(items(batch * 10..<batch * 10 + 10)).isEmpty) }
        #expect(try await target.finish().isEmpty)
        #expect(await target.committed == 200)
        let all = seen.withLock { $0 }
        #expect(all.first == "PUT /i" && all.last == "POST /i/_refresh")
        #expect(all.dropFirst().dropLast().sorted() == (0..<200).map { "d\($0)" }.sorted())
        await server.stop()
    }

    @Test("429, 503 and lost connections are tried again; nothing is lost")
    func retries() async throws {
        let stored = Mutex<Set<String>>([])
        let server = try await StubServer { number, method, path, body in
            guard path == "/_bulk" else { return .answer(200, "{}") }
            switch number % 5 {
            case 1: return .answer(429, "{\"error\":{\"type\":\"es_rejected_execution_exception\",\"reason\":\"full\"}}")
            case 2: return .answer(503, "{}")
            case 3: return .drop
            case 4:
                // Half of the documents are refused for being busy.
                return .answer(200, Self.bulkAnswer(body) { id in
                    if id.hasSuffix("1") { return (429, "busy") }
                    stored.withLock { _ = $0.insert(id) }
                    return (201, nil)
                })
            default: return .answer(200, Self.bulkAnswer(body) { id in stored.withLock { _ = $0.insert(id) }; return (201, nil) })
            }
        }
        let target = try await RemoteBulkTarget(url: server.url, index: "i", creation: IndexCreation())
        #expect(try await target.load(items(0..<30)).isEmpty)
        #expect(try await target.finish().isEmpty)
        #expect(stored.withLock { $0 } == Set((0..<30).map { "d\($0)" }))
        #expect(await target.committed == 30)
        await server.stop()
    }

    @Test("a refused document is reported with its line and reason, the others go on")
    func rejects() async throws {
        let server = try await StubServer { _, _, path, body in
            path == "/_bulk" ? .answer(200, Self.bulkAnswer(body) { $0 == "d3" ? (400, "no such field") : (201, nil) }) : .answer(200, "{}")
        }
        let target = try await RemoteBulkTarget(url: server.url, index: "i", creation: IndexCreation())
        let first = try await target.load(items(0..<10)), last = try await target.finish()
        #expect((first + last).map(\.origin) == [BulkOrigin(file: "f", line: 4)])
        #expect((first + last).first?.reason == "t: no such field")
        #expect(await target.committed == 9)
        await server.stop()
    }

    @Test("a request that is wrong is not tried again")
    func refused() async throws {
        let requests = Mutex(0)
        let server = try await StubServer { _, _, path, _ in
            guard path == "/_bulk" else { return .answer(200, "{}") }
            requests.withLock { $0 += 1 }
            return .answer(400, "{\"error\":{\"type\":\"x\",\"reason\":\"bad body\"}}")
        }
        let target = try await RemoteBulkTarget(url: server.url, index: "i", creation: IndexCreation())
        await #expect(throws: CommandError.self) {
            _ = try await target.load(items(0..<1))
            _ = try await target.finish()
        }
        #expect(requests.withLock { $0 } == 1)
        await server.stop()
    }

    @Test("an answer without an item for each document is an error, not a success")
    func shortAnswer() async throws {
        let server = try await StubServer { _, _, _, _ in .answer(200, "{\"items\":[]}") }
        let target = try await RemoteBulkTarget(url: server.url, index: "i", creation: IndexCreation())
        await #expect(throws: CommandError.self) {
            _ = try await target.load(items(0..<3))
            _ = try await target.finish()
        }
        await server.stop()
    }
}
