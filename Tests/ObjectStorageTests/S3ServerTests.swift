// The S3 store on a real server, where ISOTHERM_TEST_S3 names one, as "s3://bucket?endpoint=http://127.0.0.1:7480" (the scenario `object_store`
// starts Ceph and does); the bucket is made where it is missing. Without it these tests are skipped.

import Glibc
import IsothermTesting
import ObjectStorage
import Storage
import Testing

private let server = ObjectStores.processEnvironment("ISOTHERM_TEST_S3")

@Suite("Object store on a real S3 server", .enabled(if: server != nil, "ISOTHERM_TEST_S3 is not set: scripts/scenario.sh object_store starts a server"))
struct S3ServerTests {
    static func configuration(_ change: (inout S3Configuration) -> Void = { _ in }) throws -> S3Configuration {
        var configuration = try S3Configuration(location: server ?? "", environment: ObjectStores.processEnvironment)
        configuration.prefix = "run-\(getpid())/" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        configuration.retry.baseMilliseconds = 5
        change(&configuration)
        return configuration
    }

    static func store() async throws -> S3ObjectStore {
        let store = S3ObjectStore(try configuration())
        try await store.makeBucket()
        return store
    }

    @Test("keeps the contract", arguments: ObjectStoreContract.cases)
    func contract(_ part: ObjectStoreContract.Case) async throws {
        let store = try await Self.store()
        try await part.run(store)
        #expect(try await store.unfinishedUploads().isEmpty, "no upload is left unfinished")
    }

    @Test("keys that begin other keys, which only S3 can hold")
    func nested() async throws {
        let store = try await Self.store()
        for key in ["a", "a/b", "a/b/c"] { try await store.put(key, Array(key.utf8), ifAbsent: true) }
        #expect(try await store.listAll(prefix: "").map(\.key) == ["a", "a/b", "a/b/c"])
        #expect(try await store.get("a/b") == Array("a/b".utf8))
    }

    @Test("wrong keys are denied, with a word on what to set", arguments: ["access", "secret", "bucket"])
    func denied(_ what: String) async throws {
        _ = try await Self.store()
        let store = S3ObjectStore(try Self.configuration { c in
            if what == "access" { c.credentials = S3Credentials(accessKey: "nobody", secretKey: c.credentials.secretKey) }
            if what == "secret" { c.credentials = S3Credentials(accessKey: c.credentials.accessKey, secretKey: "wrong") }
            if what == "bucket" { c.bucket = "no-such-bucket-here" }
        })
        let word = ["access": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "bucket": "no bucket no-such-bucket-here"][what] ?? ""
        do {
            try await store.put("a", [1])
            Issue.record("put was let through")
        } catch { #expect(error.kind == .denied && error.reason.contains(word), "\(error)") }
        do {
            _ = try await store.list(ObjectListRequest())
            Issue.record("list was let through")
        } catch { #expect(error.kind == .denied && error.reason.contains(word), "\(error)") }
    }

    /// A store that reaches the server by way of the proxy.
    private static func through(_ proxy: LossyProxy, _ change: (inout S3Configuration) -> Void = { _ in }) throws -> S3ObjectStore {
        S3ObjectStore(try configuration { c in
            c.host = "127.0.0.1:\(proxy.port)"
            c.timeouts.stallSeconds = 1
            change(&c)
        })
    }
    private static func proxy() async throws -> LossyProxy {
        _ = try await store()
        let host = try configuration().host
        return try LossyProxy(to: UInt16(host.split(separator: ":").last ?? "") ?? 80)
    }

    @Test("a put applied whose answer was lost: mine is mine, another's is another's")
    func lostAnswer() async throws {
        let proxy = try await Self.proxy()
        defer { proxy.stop() }
        let store = try Self.through(proxy)
        proxy.treat([.loseAnswer])
        let tag = try await store.put("commit", [1, 2, 3], ifAbsent: true)
        #expect(proxy.requests >= 3, "put, put again, asked")
        #expect(try await store.head("commit").tag == tag)
        #expect(try await store.get("commit") == [1, 2, 3])

        proxy.treat([.loseAnswer])
        await S3StoreTests.expect(.alreadyExists) { try await store.put("commit", [1, 2, 3], ifAbsent: true) }

        // All answers lost: it was applied, and the store says it cannot know.
        let impatient = try Self.through(proxy) { $0.retry.triesMax = 2 }
        proxy.treat([.loseAnswer, .loseAnswer, .cut, .cut, .cut, .cut, .cut, .cut])
        do {
            try await impatient.put("commit", [4], ifAbsent: true)
            Issue.record("nobody answered")
        } catch { #expect(error.kind == .unavailable && error.mayHaveBeenApplied, "\(error)") }
        proxy.treat([])
        #expect(try await impatient.get("commit") == [4])

        proxy.treat([.loseAnswer])
        try await store.delete("commit")
        #expect(try await store.headIfPresent("commit") == nil)
    }

    @Test("sixteen writers of one key, each of whose answers is lost: one wins and knows it")
    func lostRace() async throws {
        let proxy = try await Self.proxy()
        defer { proxy.stop() }
        let store = try Self.through(proxy)
        for round in 0..<4 {
            proxy.treat([LossyProxy.Treatment](repeating: .loseAnswer, count: 16))
            let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        do {
                            try await store.put("race/\(round)", [UInt8(writer)], ifAbsent: true)
                            return writer
                        } catch let error as ObjectStoreError {
                            if error.kind != .alreadyExists { throw error }
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { if let writer = $1 { $0.append(writer) } }
            }
            #expect(winners.count == 1, "round \(round): \(winners)")
            let there = try await store.get("race/\(round)").map { Int($0) }
            #expect(there == winners)
        }
    }

    @Test("parts and a completion whose answers were lost")
    func lostParts() async throws {
        let proxy = try await Self.proxy()
        defer { proxy.stop() }
        let bytes = (0..<(12 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        // Requests of an upload of two parts: begin, part, part, complete.
        for lost in 0..<4 {
            let store = try Self.through(proxy) { $0.timeouts.stallSeconds = 10 }
            proxy.treat((0..<lost).map { _ in .pass } + [.loseAnswer])
            let upload = try await store.upload("parts/\(lost)")
            try await upload.append(bytes)
            try await upload.finish()
            #expect(try await store.head("parts/\(lost)").size == bytes.count)
            let isSame = try await store.get("parts/\(lost)") == bytes
            #expect(isSame, "answer \(lost) lost")
            try await store.sweep()
        }
    }

    @Test("a server that cuts, stalls, answers 503 or half: asked again, and then it works")
    func troubled() async throws {
        let proxy = try await Self.proxy()
        defer { proxy.stop() }
        let store = try Self.through(proxy)
        let slow = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        let wrong = "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<html"
        let bytes = [UInt8](repeating: 9, count: 5000)
        for trouble in [[LossyProxy.Treatment.cut], [.stall], [.answer(slow), .answer(slow)], [.answer(wrong)], [.answer("nonsense")], [.halfAnswer], [.cut, .answer(slow), .loseAnswer]] {
            proxy.treat(trouble)
            try await store.put("t", bytes)
            proxy.treat(trouble)
            #expect(try await store.get("t") == bytes)
            proxy.treat(trouble)
            #expect(try await store.get("t", 10..<20) == Array(bytes[10..<20]))
            proxy.treat(trouble)
            #expect(try await store.head("t").size == 5000)
            proxy.treat(trouble)
            #expect(try await store.list(ObjectListRequest()).objects.map(\.key) == ["t"])
        }
        proxy.treat([LossyProxy.Treatment](repeating: .answer(slow), count: 40))
        await S3StoreTests.expect(.unavailable) { _ = try await store.get("t") }
        #expect(proxy.requests == 6, "as many tries as the policy says")
    }

    @Test("a cancelled request ends within seconds")
    func cancelling() async throws {
        let proxy = try await Self.proxy()
        defer { proxy.stop() }
        let store = try Self.through(proxy) { $0.timeouts.stallSeconds = 30 }
        proxy.treat([.stall])
        let task = Task { try await store.get("t") }
        try await Task.sleep(for: .milliseconds(200))
        let began = ContinuousClock.now
        task.cancel()
        await S3StoreTests.expect(.cancelled) { _ = try await task.value }
        #expect(ContinuousClock.now - began < .seconds(3))
    }

    @Test("a server that is not there is unavailable, and nothing was applied")
    func nobody() async throws {
        let store = S3ObjectStore(try Self.configuration { ($0.host, $0.retry.triesMax) = ("127.0.0.1:9", 2) })
        do {
            try await store.put("a", [1])
            Issue.record("nobody is there")
        } catch { #expect(error.kind == .unavailable && !error.mayHaveBeenApplied && error.reason.contains("127.0.0.1:9"), "\(error)") }
    }
}
