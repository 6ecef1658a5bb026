// What every object store must do, as cases that run on any of them: one suite for the folder, for S3 played in memory and for a real server.
//
// A case gets an empty store and throws `ContractBroken` with what it saw. The model is a dictionary by the keys' bytes and a loop over it.

package import Storage

package struct ContractBroken: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}

package enum ObjectStoreContract {
    package struct Case: Sendable, CustomStringConvertible {
        package let name: String
        package let run: @Sendable (any ObjectStore) async throws -> Void
        package var description: String { name }
    }

    package static let cases: [Case] = [
        Case(name: "an object is stored, read, replaced and removed", run: life),
        Case(name: "keys that no store takes are refused before anything happens", run: keys),
        Case(name: "ranges are cut at the object's end", run: ranges),
        Case(name: "a random history equals a dictionary's", run: history),
        Case(name: "listings come in byte order, by any page, prefix, start and folder", run: listings),
        Case(name: "more than a thousand keys come page by page", run: manyKeys),
        Case(name: "of sixteen who write a key if absent one succeeds", run: race),
        Case(name: "an object written by parts is seen whole or not at all", run: parts),
        Case(name: "an upload given up leaves nothing", run: abort),
        Case(name: "uploads if absent: the first wins, small and large", run: conditionalUploads),
        Case(name: "who reads while it is replaced sees the old or the new", run: replacing),
    ]

    // MARK: - One object

    private static func life(_ store: any ObjectStore) async throws {
        try await refused(.notFound, "get") { _ = try await store.get("a") }
        try await refused(.notFound, "ranged get") { _ = try await store.get("a", 0..<1) }
        try await refused(.notFound, "head") { _ = try await store.head("a") }
        try await store.delete("a")
        try await store.delete("no/such/folder")

        let first = try await store.put("a", [1, 2, 3])
        try same(try await store.get("a"), [1, 2, 3], "what was put")
        let head = try await store.head("a")
        try holds(head.size == 3 && head.tag == first, "head tells size and tag: \(head), put gave \(first)")
        try await refused(.alreadyExists, "put if absent") { _ = try await store.put("a", [9], ifAbsent: true) }
        try same(try await store.get("a"), [1, 2, 3], "a refused put changes nothing")
        let second = try await store.put("a", [4])
        try holds(second != first, "other bytes have another tag")
        try same(try await store.get("a"), [4], "replaced")

        _ = try await store.put("deep/er/empty", [], ifAbsent: true)
        try same(try await store.get("deep/er/empty"), [], "no bytes at all")
        try holds(try await store.head("deep/er/empty").size == 0, "a size of 0")
        try holds(try await store.list(ObjectListRequest()).objects.map(\.key) == ["a", "deep/er/empty"], "both are listed")
        try await store.delete("a")
        try await refused(.notFound, "get of a removed one") { _ = try await store.get("a") }
        _ = try await store.put("a", [5], ifAbsent: true)
        try await store.delete("a")
        try await store.delete("a")
        try holds(try await store.headIfPresent("a") == nil, "removed for good")
    }

    private static func keys(_ store: any ObjectStore) async throws {
        let wrong = ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", "a\nb", "a\u{7F}", ".~a", "a/.~b", String(repeating: "k", count: 1025),
            String(repeating: "k", count: 201)]
        for key in wrong {
            try await refused(.invalid, "put") { _ = try await store.put(key, [1]) }
            try await refused(.invalid, "get") { _ = try await store.get(key) }
            try await refused(.invalid, "ranged get") { _ = try await store.get(key, 0..<1) }
            try await refused(.invalid, "head") { _ = try await store.head(key) }
            try await refused(.invalid, "delete") { try await store.delete(key) }
            try await refused(.invalid, "upload") { _ = try await store.upload(key) }
        }
        for prefix in ["../", "a/../", "/", "a//"] {
            try await refused(.invalid, "list") { _ = try await store.list(ObjectListRequest(prefix: prefix)) }
        }
        try await refused(.invalid, "list by folder after a key") { _ = try await store.list(ObjectListRequest(after: "a", byFolder: true)) }
        for limit in [0, -1, 1001, Int.max] { try await refused(.invalid, "list") { _ = try await store.list(ObjectListRequest(limit: limit)) } }
        try holds(try await store.list(ObjectListRequest()).objects.isEmpty, "nothing was made")
    }

    private static func ranges(_ store: any ObjectStore) async throws {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        _ = try await store.put("r", bytes)
        _ = try await store.put("none", [])
        for range in [0..<1, 0..<1000, 0..<5000, 999..<1000, 999..<1001, 1000..<1001, 1000..<2000, 5000..<6000, 0..<0, 500..<500, 1..<999, 123..<124] {
            try same(try await store.get("r", range), Array(bytes[range.clamped(to: 0..<1000)]), "bytes \(range)")
        }
        try same(try await store.get("none", 0..<10), [], "a range of nothing")
        try await refused(.invalid, "a range before the beginning") { _ = try await store.get("r", -5..<3) }
    }

    // MARK: - Many objects

    private static func history(_ store: any ObjectStore) async throws {
        var random = Seeded(41), model: [[UInt8]: [UInt8]] = [:]
        let names = (0..<12).map { ["f/\($0)", "f/g/\($0)", "top-\($0)", "x y/ü\($0)"][$0 % 4] }
        for step in 0..<200 {
            let key = names[Int.random(in: 0..<names.count, using: &random)], at = Array(key.utf8)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let bytes = (0..<Int.random(in: 0..<2000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                _ = try await store.put(key, bytes)
                model[at] = bytes
            case 2:
                let bytes: [UInt8] = [UInt8(truncatingIfNeeded: step)]
                if model[at] != nil {
                    try await refused(.alreadyExists, "step \(step): put if absent") { _ = try await store.put(key, bytes, ifAbsent: true) }
                } else {
                    _ = try await store.put(key, bytes, ifAbsent: true)
                    model[at] = bytes
                }
            case 3:
                try await store.delete(key)
                model[at] = nil
            case 4:
                if let bytes = model[at] { try same(try await store.get(key), bytes, "step \(step)") } else {
                    try await refused(.notFound, "step \(step): get") { _ = try await store.get(key) }
                }
            default:
                try holds(try await store.headIfPresent(key)?.size == model[at]?.count, "step \(step): size of \(key)")
            }
        }
        let listed = try await store.listAll(prefix: "")
        let expected = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        try holds(listed.map { Array($0.key.utf8) } == expected.map(\.key), "the listing at the end")
        try holds(listed.map(\.size) == expected.map(\.value.count), "sizes at the end")
    }

    /// Keys that sort otherwise as paths, as text, or in a URL.
    package static let nastyKeys = [
        "a-b", "a/b", "a/b-c", "a/b.c/d", "a.b", "a0", "a b", "a+b", "a%2Fb", "a%b", "a&b=c", "a?b#c", "a'b\"c", "a<b>&amp;c", "a*b", "a\\b", "a:b", "a~b", "A",
        "Z/z", "b/c/d/e/f", "b/c/d", "b!", "b/c!", "ä", "\u{E9}", "z\u{10348}", "z\u{FFFD}", "日本/東京", "...", "..a/b", "a=1/b=2/c", " lead", "trail ", "{}", "a,b;c", "@$",
    ]

    private static func listings(_ store: any ObjectStore) async throws {
        // "b/c/d" with "b/c/d/e/f" is for S3 alone; a folder cannot hold both.
        let keys = nastyKeys.filter { $0 != "b/c/d" }
        for (place, key) in keys.enumerated() { _ = try await store.put(key, [UInt8](repeating: 7, count: place)) }
        let prefixes = ["", "a", "a/", "a/b", "b/c/", "b/c/d", "日", "日本/", "nothing", "a/b.c/d", "z"]
        for prefix in prefixes {
            for byFolder in [false, true] {
                for after in byFolder ? [nil] : [nil, "a", "a/", "a/b", "a/b-", "b/c/d/e", "ä", "\u{10FFFF}"] as [String?] {
                    for limit in prefix.isEmpty && after == nil ? [1, 2, 7, 1000] : [3, 1000] {
                        let request = ObjectListRequest(prefix: prefix, after: after, byFolder: byFolder, limit: limit)
                        let (got, expected) = (try await walk(store, request), model(keys, request))
                        try holds(got.map { Array($0.utf8) } == expected, "\(request): got \(got), expected \(expected.map { String(decoding: $0, as: UTF8.self) })")
                    }
                }
            }
        }
        for entry in try await store.listAll(prefix: "") {
            try holds(keys.firstIndex { $0.utf8.elementsEqual(entry.key.utf8) } == entry.size, "the size of \(entry.key)")
        }
    }

    private static func walk(_ store: any ObjectStore, _ first: ObjectListRequest) async throws -> [String] {
        var names: [[UInt8]] = [], request = first
        for _ in 0..<2000 {
            let page = try await store.list(request)
            try holds(page.objects.count + page.folders.count <= first.limit, "a page keeps its limit")
            names += (page.objects.map(\.key) + page.folders).map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            guard let next = page.next else { return names.map { String(decoding: $0, as: UTF8.self) } }
            try holds(page.objects.count + page.folders.count > 0, "a page before the last holds something")
            request.continuation = next
        }
        throw ContractBroken(description: "a listing without end")
    }

    private static func model(_ keys: [String], _ request: ObjectListRequest) -> [[UInt8]] {
        var names: Set<[UInt8]> = []
        for key in keys.map({ Array($0.utf8) }) where key.starts(with: request.prefix.utf8) {
            if let after = request.after, !Array(after.utf8).lexicographicallyPrecedes(key) { continue }
            let rest = key.dropFirst(request.prefix.utf8.count)
            if request.byFolder, let slash = rest.firstIndex(of: UInt8(ascii: "/")) { names.insert(Array(key[...slash])) } else { names.insert(key) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func manyKeys(_ store: any ObjectStore) async throws {
        let keys = (0..<1100).map { "many/\($0 % 7)/\($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<8 {
                group.addTask { for at in stride(from: lane, to: keys.count, by: 8) { _ = try await store.put(keys[at], [1], ifAbsent: true) } }
            }
            try await group.waitForAll()
        }
        let expected = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let first = try await store.list(ObjectListRequest(prefix: "many/"))
        try holds(first.objects.map(\.key) == Array(expected[..<1000]) && first.next != nil, "the first thousand")
        try holds(try await store.listAll(prefix: "many/").map(\.key) == expected, "all of them")
        try holds(try await walk(store, ObjectListRequest(prefix: "many/", limit: 97)) == expected, "by 97")
        try holds(try await walk(store, ObjectListRequest(prefix: "many/", byFolder: true, limit: 3)) == (0..<7).map { "many/\($0)/" }, "folders by 3")
    }

    // MARK: - Several at once

    private static func race(_ store: any ObjectStore) async throws {
        for round in 0..<8 {
            let key = "race/\(round)/winner"
            let outcomes = try await withThrowingTaskGroup(of: (Int, ObjectTag?).self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        do { return (writer, try await store.put(key, [UInt8(writer)] + [UInt8](repeating: 1, count: 100 * writer), ifAbsent: true)) } catch let error as ObjectStoreError {
                            guard error.kind == .alreadyExists else { throw error }
                            return (writer, nil)
                        }
                    }
                }
                return try await group.reduce(into: [(Int, ObjectTag?)]()) { $0.append($1) }
            }
            let winners = outcomes.filter { $0.1 != nil }
            try holds(winners.count == 1, "round \(round): \(winners.count) succeeded")
            try holds(try await store.get(key).first.map { Int($0) } == winners[0].0, "round \(round): the bytes there are the winner's")
            try holds(try await store.head(key).tag == winners[0].1, "round \(round): the tag there is the winner's")
        }
    }

    private static func replacing(_ store: any ObjectStore) async throws {
        func version(_ n: Int) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: n), count: 20_000 + n * 1000) }
        _ = try await store.put("replaced", version(0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for n in 1...12 { _ = try await store.put("replaced", version(n)) } }
            for _ in 0..<3 {
                group.addTask {
                    var last = 0
                    for _ in 0..<12 {
                        let seen = try await store.get("replaced"), n = Int(seen.first ?? 0)
                        try holds(seen == version(n), "\(seen.count) bytes, neither old nor new")
                        try holds(n >= last, "an older one after a newer")
                        last = n
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: - By parts

    private static func parts(_ store: any ObjectStore) async throws {
        var random = Seeded(7)
        let bytes = (0..<(12 << 17)).flatMap { _ in
            let word = random.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
        for (key, total) in [("parts/large", bytes.count), ("parts/exact", 8 << 20), ("parts/small", 1000), ("parts/none", 0)] {
            let upload = try await store.upload(key)
            var at = 0
            while at < total {
                let end = min(total, at + Int.random(in: 1...(3 << 20), using: &random))
                try await upload.append(Array(bytes[at..<end]))
                at = end
            }
            try holds(try await store.headIfPresent(key) == nil, "\(key) is not seen before it is finished")
            try holds(try await store.list(ObjectListRequest(prefix: key)).objects.isEmpty, "\(key) is not listed before it is finished")
            let tag = try await upload.finish()
            let head = try await store.head(key)
            try holds(head.size == total && head.tag == tag, "\(key): \(head), \(tag)")
            try holds(try await store.get(key) == Array(bytes[..<total]), "\(key): its bytes")
            if total > 8 << 20 {
                for range in [0..<1, (8 << 20) - 1..<(8 << 20) + 1, total - 1..<total + 5, 5_000_000..<9_000_000] {
                    try holds(try await store.get(key, range) == Array(bytes[range.clamped(to: 0..<total)]), "\(key): bytes \(range)")
                }
            }
            try await refused(.invalid, "append after finish") { try await upload.append([1]) }
            try await refused(.invalid, "finish twice") { _ = try await upload.finish() }
            await upload.abort()
            try holds(try await store.head(key).size == total, "abort after finish does nothing")
        }
    }

    private static func abort(_ store: any ObjectStore) async throws {
        for size in [100, 6 << 20, 12 << 20] {
            let upload = try await store.upload("given/up")
            try await upload.append([UInt8](repeating: 3, count: size))
            await upload.abort()
            await upload.abort()
            try await refused(.invalid, "append after abort") { try await upload.append([1]) }
            try await refused(.invalid, "finish after abort") { _ = try await upload.finish() }
        }
        try holds(try await store.list(ObjectListRequest()).objects.isEmpty, "nothing is listed")
        _ = try await store.put("given/up", [1], ifAbsent: true)
    }

    private static func conditionalUploads(_ store: any ObjectStore) async throws {
        for size in [10, 12 << 20] {
            let key = "conditional/\(size)"
            var uploads: [any ObjectUpload] = []
            for writer in 0..<4 {
                let upload = try await store.upload(key, ifAbsent: true)
                try await upload.append([UInt8](repeating: UInt8(writer), count: size))
                uploads.append(upload)
            }
            let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
                for (writer, upload) in uploads.enumerated() {
                    group.addTask {
                        do {
                            _ = try await upload.finish()
                            return writer
                        } catch let error as ObjectStoreError {
                            guard error.kind == .alreadyExists else { throw error }
                            await upload.abort()
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { if let writer = $1 { $0.append(writer) } }
            }
            try holds(winners.count == 1, "\(size) bytes: \(winners.count) succeeded")
            try holds(try await store.get(key) == [UInt8](repeating: UInt8(winners[0]), count: size), "\(size) bytes: the winner's are there")
        }
    }

    // MARK: -

    private static func holds(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        if !condition { throw ContractBroken(description: what()) }
    }

    private static func same(_ got: [UInt8], _ expected: [UInt8], _ what: String) throws {
        if got != expected { throw ContractBroken(description: "\(what): \(got.count) bytes came, \(expected.count) were expected, or others") }
    }

    private static func refused(_ kind: ObjectStoreError.Kind, _ what: String, _ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as ObjectStoreError {
            if error.kind != kind { throw ContractBroken(description: "\(what): \(kind) was expected, and came \(error.kind): \(error)") }
            return
        }
        throw ContractBroken(description: "\(what): \(kind) was expected, and nothing came")
    }
}
