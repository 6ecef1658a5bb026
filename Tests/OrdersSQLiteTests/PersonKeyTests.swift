// The keys of people on their file: made once, durable, the same after a new start and in another process; destroyed for good; never made anew where they were lost.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Testing

@Suite("Keys of people")
struct PersonKeyTests {
    /// A folder of its own, removed at the end.
    private final class Folder {
        let path = NSTemporaryDirectory() + "isotherm-keys-\(Bytes16.random())"
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func open(_ mark: KeysMark? = nil, readonly: Bool = false) throws(StoreError) -> PersonKeyFile { try PersonKeyFile(folder: path, mark: mark, readonly: readonly) }
        /// Every byte of every file.
        func bytes() throws -> [UInt8] {
            try FileManager.default.contentsOfDirectory(atPath: path).reduce(into: []) { $0 += try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($1)")) }
        }
    }
    private let now = Instant(seconds: 1_700_000_000)
    private func people(_ count: Int) -> [PersonRef] { (0..<count).map { _ in PersonRef(.random()) } }

    @Test("a key is made once, differs from every other, and is there after a new start, also one without a close")
    func reopening() throws {
        let folder = Folder(), people = people(300), first = try folder.open()
        #expect(try first.find(people).isEmpty)
        let made = try first.make(for: people + people)
        #expect(made.count == 300)
        #expect(try first.make(for: people) == made)
        let mark = try first.mark()
        #expect(mark.changes == 300)
        // As after a crash between a key made and used: the file was not closed.
        let second = try folder.open(mark)
        #expect(try second.find(people) == made)
        #expect(try second.make(for: Array(people[..<10]) + self.people(1)).count == 11)
        #expect(try second.mark().changes == 301)
        var sealed: Set<[UInt8]> = []
        for case .key(let key) in made.values { sealed.insert(try key.seal([1], bound: [], column: "")) }
        #expect(sealed.count == 300)
        let attributes = try FileManager.default.attributesOfItem(atPath: first.path)
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }

    @Test("a destroyed key is gone from every byte of the folder, stays destroyed, and no other is ever made")
    func destroying() throws {
        let folder = Folder(), people = people(3_000), keys = try folder.open()
        // In small batches, so that pages split and journals come and go.
        for start in stride(from: 0, to: people.count, by: 37) { _ = try keys.make(for: Array(people[start..<min(start + 37, people.count)])) }
        let raw = try raw(keys), before = try folder.bytes()
        #expect(raw.count == 3_000)
        let seen = occurrences(of: raw, in: before)
        #expect(raw.allSatisfy { (seen[$0] ?? 0) >= 1 })
        let gone = Array(people[..<1_000]), nobody = PersonRef(.random())
        for start in stride(from: 0, to: gone.count, by: 100) { try keys.destroy(Array(gone[start..<(start + 100)]), at: now) }
        try keys.destroy([nobody, gone[0]], at: now)
        #expect(try keys.mark().changes == 3_000 + 1_000 + 1)
        let left = Set(try self.raw(keys)), after = occurrences(of: raw, in: try folder.bytes())
        #expect(left.count == 2_000)
        for key in raw { #expect((after[key] ?? 0) == (left.contains(key) ? 1 : 0)) }
        for keys in [keys, try folder.open()] {
            let found = try keys.find(people + [nobody])
            #expect((gone + [nobody]).allSatisfy { found[$0] == .erased } && found.values.count { $0 == .erased } == 1_001)
            #expect(try keys.make(for: gone) == found.filter { gone.contains($0.key) })
        }
    }

    @Test("what another process made or destroyed is seen at the next look, and of two that make a key at once both have the same")
    func twoProcesses() async throws {
        let folder = Folder(), people = people(200), one = try folder.open(), two = try folder.open(), reader = try folder.open(readonly: true)
        let (a, b) = try await withThrowingTaskGroup(of: [PersonRef: PersonKeyState].self) { group in
            for keys in [one, two] {
                group.addTask {
                    var made: [PersonRef: PersonKeyState] = [:]
                    for person in people { made.merge(try keys.make(for: [person])) { a, _ in a } }
                    return made
                }
            }
            var all: [[PersonRef: PersonKeyState]] = []
            for try await made in group { all.append(made) }
            return (all[0], all[1])
        }
        #expect(a == b && a.count == 200)
        #expect(try one.mark().changes == 200)
        #expect(try reader.find(people) == a)
        try two.destroy([people[7]], at: now)
        #expect(try one.state(of: people[7]) == .erased)
        #expect(try reader.state(of: people[7]) == .erased)
        #expect(throws: StoreError.self) { try reader.make(for: self.people(1)) }
        #expect(throws: StoreError.self) { try reader.destroy(people, at: now) }
        #expect(throws: StoreError.self) { try reader.state(of: PersonRef(.random())) }
    }

    @Test("a file that is lost, older, empty, or another shop's is refused in words that say what to do, and nothing is made")
    func lost() throws {
        let folder = Folder(), copy = Folder(), people = people(5), keys = try folder.open()
        _ = try keys.make(for: Array(people[..<3]))
        keys.close()
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy.path)
        let newer = try folder.open()
        _ = try newer.make(for: people)
        let mark = try newer.mark()
        newer.close()
        #expect(try folder.open(mark).find(people).count == 5)
        func refusal(_ folder: Folder, _ word: String) {
            do throws(StoreError) {
                _ = try folder.open(mark)
                Issue.record("it was opened: \(word)")
            } catch { #expect("\(error)".contains(word), "\(error)") }
        }
        refusal(copy, "older copy")
        let none = Folder(), other = Folder(), empty = Folder()
        refusal(none, "is missing")
        #expect(!FileManager.default.fileExists(atPath: none.path))
        #expect(throws: StoreError.self) { try none.open(readonly: true) }
        try other.open().close()
        refusal(other, "another shop")
        try FileManager.default.createDirectory(atPath: empty.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: empty.path + "/people.db", contents: Data())
        refusal(empty, "is empty")
        // Without a mark an empty one is what a stopped start left.
        #expect(try empty.open().mark().changes == 0)
        _ = FileManager.default.createFile(atPath: copy.path + "/people.db", contents: Data(repeating: 65, count: 9_000))
        #expect(throws: StoreError.self) { try copy.open() }
    }

    @Test("making and finding keys, in microseconds a person", .enabled(if: ProcessInfo.processInfo.environment["ISOTHERM_SEALING_BENCH"] != nil))
    func bench() throws {
        let folder = Folder(), people = people(20_000), keys = try folder.open(), clock = ContinuousClock()
        func time(_ what: String, _ file: PersonKeyFile, _ body: (PersonKeyFile, [PersonRef]) throws -> Int) throws {
            var count = 0
            let took = try clock.measure {
                for start in stride(from: 0, to: people.count, by: 500) { count += try body(file, Array(people[start..<(start + 500)])) }
            }
            #expect(count == people.count)
            print("\(what), batches of 500: \(took / .microseconds(people.count)) us a person")
        }
        try time("made", keys) { try $0.make(for: $1).count }
        try time("found in memory", keys) { try $0.find($1).count }
        let fresh = try folder.open()
        try time("found in the file", fresh) { try $0.find($1).count }
        print("one person, in memory: \(try clock.measure { for person in people { _ = try keys.state(of: person) } } / .microseconds(people.count)) us")
    }

    // MARK: -

    /// The bytes of all keys that there are, past the store.
    private func raw(_ keys: PersonKeyFile) throws -> [[UInt8]] {
        let process = Process(), out = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import sqlite3,sys; print('\\n'.join(r[0] for r in sqlite3.connect(sys.argv[1]).execute('SELECT hex(key) FROM keys WHERE key <> zeroblob(32)')))", keys.path]
        process.standardOutput = out
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").compactMap { line in
            stride(from: 0, to: line.utf8.count, by: 2).map { UInt8(line.dropFirst($0).prefix(2), radix: 16) ?? 0 }
        }
    }

    private func occurrences(of keys: [[UInt8]], in bytes: [UInt8]) -> [[UInt8]: Int] {
        let starts = Dictionary(grouping: keys) { key in key[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        var found: [[UInt8]: Int] = [:], window: UInt64 = 0
        for (at, byte) in bytes.enumerated() {
            window = window << 8 | UInt64(byte)
            guard at >= 7, let candidates = starts[window] else { continue }
            for key in candidates where bytes[(at - 7)...].starts(with: key) { found[key, default: 0] += 1 }
        }
        return found
    }
}
