// The S3 store on a server played in memory: the contract, and every fault at every request.

import IsothermTesting
import ObjectStorage
import Storage
import Testing

@Suite("Object store on S3, played in memory")
struct S3StoreTests {
    @Test("keeps the contract", arguments: ObjectStoreContract.cases)
    func contract(_ part: ObjectStoreContract.Case) async throws {
        let server = PlayedS3(honoursConditionalComplete: false)
        try await part.run(try S3ObjectStore.played(server))
        #expect(server.uploadCount == 0, "no upload is left unfinished")
    }

    @Test("keeps the contract with conditional completion", arguments: ObjectStoreContract.cases)
    func conditional(_ part: ObjectStoreContract.Case) async throws {
        let server = PlayedS3()
        try await part.run(try S3ObjectStore.played(server, options: "&conditional-complete=true"))
        #expect(server.uploadCount == 0, "no upload is left unfinished")
    }

    static let faults: [PlayedS3.Fault] = [.lostAnswer, .notSent, .broken, .timedOut, .status(500), .status(503), .status(429), .slowDown]

    @Test("any one request fails, or its answer is lost: nobody notices", arguments: 0..<8)
    func oneFault(_ which: Int) async throws {
        for n in 1...40 {
            let server = PlayedS3(), store = try S3ObjectStore.played(server, options: "&conditional-complete=true")
            server.fail(request: n, Self.faults[which])
            try await Self.story(store)
            if server.requests.count < n { return }
        }
        Issue.record("forty requests were not enough")
    }

    private static func story(_ store: S3ObjectStore) async throws {
        try await store.put("a", [1], ifAbsent: true)
        try await store.put("a", [2])
        #expect(try await store.get("a") == [2])
        #expect(try await store.get("a", 0..<1) == [2])
        let large = [UInt8](repeating: 5, count: 17 << 20)
        let upload = try await store.upload("large", ifAbsent: true)
        try await upload.append(large)
        try await upload.finish()
        let size = try await store.head("large").size
        #expect(size == large.count)
        #expect(try await store.list(ObjectListRequest()).objects.map(\.key) == ["a", "large"])
        try await store.delete("a")
        #expect(try await store.headIfPresent("a") == nil)
    }

    @Test("a put whose answer was lost, refused on retry, is told from another's")
    func mineOrAnothers() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server)
        server.fail(request: 1, .lostAnswer)
        let tag = try await store.put("mine", [1], ifAbsent: true)
        #expect(try await store.head("mine").tag == tag)
        #expect(server.requests.prefix(3).map { $0.split(separator: " ")[0] } == ["PUT", "PUT", "HEAD"])

        try await store.put("theirs", [1])
        server.fail(request: 1, .broken)
        await Self.expect(.alreadyExists) { try await store.put("theirs", [1], ifAbsent: true) }
    }

    @Test("a put whose bytes were stored otherwise is told as damage, also when its next try finds it there")
    func otherBytes() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server)
        server.fail(request: 1, .otherBytes)
        await Self.expect(.damaged) { try await store.put("decision", [1, 2, 3], ifAbsent: true) }
        #expect(server.requests.count > 2)
        // One that may be replaced is written again.
        server.fail(request: 1, .otherBytes)
        try await store.put("other", [1, 2, 3])
        #expect(try await store.get("other") == [1, 2, 3])
    }

    @Test("when nobody can say whether the put was applied, the error says that")
    func unknown() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server, tries: 2)
        server.fail(request: 1, .lostAnswer)
        for n in 2...8 { server.fail(request: n, .timedOut) }
        do { try await store.put("a", [1], ifAbsent: true) } catch { #expect(error.kind == .unavailable && error.mayHaveBeenApplied, "\(error)") }
        #expect(server.requests.count == 4, "two tries of the put, two of asking")

        let other = PlayedS3(), asking = try S3ObjectStore.played(other, tries: 1)
        other.fail(request: 1, .notSent)
        do { try await asking.put("a", [1]) } catch { #expect(error.kind == .unavailable && !error.mayHaveBeenApplied, "\(error)") }
    }

    @Test("a completion that answers 200 with an error in its body is tried again")
    func badCompletion() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server)
        server.completeBadlyOnce()
        let upload = try await store.upload("a")
        try await upload.append([UInt8](repeating: 1, count: 9 << 20))
        try await upload.finish()
        #expect(try await store.head("a").size == 9 << 20)
        #expect(server.requests.filter { $0.hasSuffix("?uploadId") }.count == 2)
    }

    @Test("a byte changed on the way is not handed out")
    func damage() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server, tries: 2)
        try await store.put("a", [1, 2, 3])
        server.fail(request: 1, .garbled)
        #expect(try await store.get("a") == [1, 2, 3])
        for n in 1...2 { server.fail(request: n, .garbled) }
        await Self.expect(.damaged) { _ = try await store.get("a") }
    }

    @Test("uploads that were left lying are found and swept")
    func sweep() async throws {
        let server = PlayedS3(), store = try S3ObjectStore.played(server)
        let upload = try await store.upload("some/key")
        try await upload.append([UInt8](repeating: 1, count: 9 << 20))
        #expect(try await store.unfinishedUploads().map(\.key) == ["some/key"])
        #expect(try await store.sweep() == 1)
        await Self.expect(.unavailable) { try await upload.finish() }
        #expect(server.uploadCount == 0)
    }

    @Test("a cancelled task ends while it waits to try again")
    func cancelling() async throws {
        let server = PlayedS3()
        var configuration = try S3Configuration(location: "s3://bucket?endpoint=http://127.0.0.1:1") { _ in "x" }
        (configuration.retry.baseMilliseconds, configuration.retry.capMilliseconds) = (60_000, 60_000)
        let store = S3ObjectStore(configuration, transport: server)
        for n in 1...9 { server.fail(request: n, .slowDown) }
        let task = Task { try await store.put("a", [1]) }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        await Self.expect(.cancelled) { _ = try await task.value }
    }

    static func expect(_ kind: ObjectStoreError.Kind, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("\(kind) was expected, and nothing came")
        } catch { #expect((error as? ObjectStoreError)?.kind == kind, "\(error)") }
    }
}
