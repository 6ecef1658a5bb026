// What snapshots cost, on a data folder that is named: ISOTHERM_SNAPSHOT_DATA=folder swift test -c release --filter SnapshotMeasurement. Prints; asserts only that all is
// well. docs/snapshots.md has figures.

import Engine
import Foundation
import Storage
import Testing

@Suite("Snapshots, measured", .enabled(if: ProcessInfo.processInfo.environment["ISOTHERM_SNAPSHOT_DATA"] != nil))
struct SnapshotMeasurement {
    @Test("bytes and seconds, packed and not, first and again")
    func measure() async throws {
        let data = try #require(ProcessInfo.processInfo.environment["ISOTHERM_SNAPSHOT_DATA"])
        let node = try await nodeInMemory(try FileDirectory(data, create: false)), clock = ContinuousClock()
        let index = try #require(node.indexNames.first)
        for packs in [false, true] {
            let folder = data + "-snapshots-" + (packs ? "packed" : "plain")
            try? FileManager.default.removeItem(atPath: folder)
            let store = CountingObjectStore(FolderObjectStore(try FileDirectory(folder))), repository = repository(store, packs: packs)
            for name in ["first", "same", "more"] {
                if name == "more" {
                    _ = try await node.bulk((0..<100).map { WriteOperation(.index, index: index, id: "added-\(packs)-\($0)", source: Array(#"{"title":"red shoe"}"#.utf8)) })
                }
                let before = store.counts, start = clock.now
                let manifest = try await node.takeSnapshot(SnapshotRequest(name, indices: index), in: repository)
                let one = manifest.indices[0], counts = store.counts
                print("\(packs ? "packed" : "plain ") \(name): \(one.documents) documents, \(one.bytes) bytes in \(one.fileCount) files; sent \(one.addedFiles) files of \(one.addedBytes) as \(one.addedStored), "
                    + "\(counts.bytesWritten - before.bytesWritten) bytes and \(counts.requests - before.requests) requests in all, \(clock.now - start)")
            }
            var request = RestoreRequest("first")
            request.rename = { _ throws(EngineError) in "restored" }
            var start = clock.now
            _ = try await node.restore(request, from: repository)
            print("\(packs ? "packed" : "plain ") restored: \(clock.now - start)")
            start = clock.now
            #expect(try await repository.verify(reading: true).problems == [])
            print("\(packs ? "packed" : "plain ") verified: \(clock.now - start)")
            try await node.deleteIndex("restored")
        }
        await node.close()
    }
}
