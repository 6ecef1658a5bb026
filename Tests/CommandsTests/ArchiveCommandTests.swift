// What `isotherm archive` answers, against the orders that were put in.

import Archive
import Commands
import IsothermTesting
import JSON
import Orders
import Storage
import Testing

@Suite("Archive commands")
struct ArchiveCommandTests {
    private static func open(_ store: any ObjectStore) async throws -> TableSnapshot { try await HudiTable.open(store, prefix: "orders").snapshot() }

    @Test("ls counts months, and tells commits, older files and strays apart")
    func listing() async throws {
        let (store, orders) = try await ArchiveDocuments.table()
        try await store.put("orders/year=2018/month=1/stray.parquet", [1])
        try await store.put("orders/.hoodie/20991231000000000.commit.requested", [])
        let listing = try await ArchiveListing(Self.open(store), withCommits: true), json = try JSONValue.parse(listing.json(["requests": 1]))
        #expect(json["orders"] == .integer(200))
        for month in try #require(json["months"]?.array) {
            let name = try #require(month["month"]?.string)
            #expect(month["orders"]?.integer == Int64(orders.filter { $0.order.placedAt.description.hasPrefix(name) }.count))
        }
        #expect(json["commits"]?.array?.map { $0["inserted"]?.integer } == [200, 0] && json["commits"]?.array?.map { $0["changed"]?.integer } == [0, 34])
        #expect(json["strays"]?.array?.count == 1 && json["pending"] == ["20991231000000000"] && json["read"]?["requests"] == 1)
        #expect((json["older"]?["files"]?.integer ?? 0) > 0)
        let lines = listing.lines
        #expect(lines.contains { $0.hasPrefix("together") && $0.contains(" 200 orders") })
        #expect(lines.filter { $0.contains(" inserted, ") }.count == 2)
    }

    @Test("get finds an order by person and month, by month alone, and a person's orders oldest first; nothing is made up")
    func get() async throws {
        let (store, orders) = try await ArchiveDocuments.table(), snapshot = try await Self.open(store), lookup = ArchiveLookup(snapshot)
        for n in [0, 6, 17, 77, 199] {
            let wanted = orders[n], id = wanted.order.id.description
            let byPerson = try await lookup.order(id, person: wanted.order.person.description)
            #expect(byPerson.rows.map(\.body) == [try ArchiveDocuments.bytes(wanted)] && byPerson.remarks.isEmpty)
            let alone = try await lookup.order(id.uppercased(), person: nil)
            #expect(alone.rows.map(\.body) == [try ArchiveDocuments.bytes(wanted)] && alone.remarks.count == 1)
            let others = try await lookup.order(id, person: orders[n == 0 ? 1 : 0].order.person.description)
            #expect(others.rows.isEmpty)
        }
        #expect(try await lookup.order(ArchiveDocuments.document(900).order.id.description, person: nil).rows.isEmpty)
        await #expect(throws: CommandError.self) { try await lookup.order("ABCD-EFGH-JKMN", person: nil) }
    }

    @Test("query prints the same sums as a table, as CSV and as JSON, and they are a loop's")
    func query() async throws {
        let (store, orders) = try await ArchiveDocuments.table(), snapshot = try await Self.open(store)
        for by in ["month", "state", "currency,year", "", "seller", "payment_method", "currency,payment_method"] {
            let answer = try await ArchiveTally(by: by).run(snapshot, OrderFilter())
            let json = try JSONValue.parse(answer.json(["requests": 3])), rows = try #require(json["rows"]?.array), csv = answer.csv, lines = answer.lines
            #expect(csv.count == rows.count + 1 && lines.count == rows.count + 1)
            let heads = csv[0].split(separator: ",").map(String.init)
            for (i, row) in rows.enumerated() {
                let cells = heads.map { head -> String in
                    switch row[head] ?? .null {
                    case .string(let text): text
                    case .integer(let number): String(number)
                    default: ""
                    }
                }
                #expect(csv[i + 1] == cells.joined(separator: ","))
                for cell in cells where !cell.isEmpty { #expect(lines[i + 1].contains(cell)) }
            }
            #expect(json["currencies"] == ["BRL", "JPY"] && json["read"]?["requests"] == 3)
        }
        let byState = try JSONValue.parse(try await ArchiveTally(by: "state,currency").run(snapshot, OrderFilter()).json(.null))
        for row in try #require(byState["rows"]?.array) {
            let mine = orders.filter { $0.order.state.rawValue == row["state"]?.string && $0.order.currency.code == row["currency"]?.string }.map(\.order)
            #expect(row["orders"]?.integer == Int64(mine.count) && row["lines"]?.integer == mine.reduce(0) { $0 + Int64($1.lines.count) })
            let total = mine.reduce(0) { $0 + $1.totalMinor }, places = mine.first?.currency.decimals ?? 0
            #expect(row["total"]?.string == OrderTally.text(Int128(total) * (places == 0 ? 1_000 : 10)))
        }
        for bad in ["month,month", "week", "seller,payment_method"] { #expect(throws: CommandError.self, "\(bad)") { try ArchiveTally(by: bad) } }
    }

    @Test("a state or currency that no order can have is refused, by query and export alike, with the words there are")
    func words() throws {
        try ArchiveFilterOptions.check(states: OrderState.allCases.map(\.rawValue), currencies: ["EUR", "JPY"])
        do {
            try ArchiveFilterOptions.check(states: ["delivered", "delivred"], currencies: [])
            Issue.record("it was taken")
        } catch { #expect("\(error)".contains("delivred") && "\(error)".contains("delivered, part_returned, returned")) }
        #expect(throws: CommandError.self) { try ArchiveFilterOptions.check(states: [], currencies: ["eur"]) }
        _ = try ArchiveQueryCommand.parse(["--state", "delivered", "--state", "returned"])
        #expect(throws: (any Error).self) { try ArchiveQueryCommand.parse(["--state", "Delivered"]) }
        _ = try ArchiveExportCommand.parse(["--to", "orders.csv", "--state", "expired", "--currency", "BRL"])
        #expect(throws: (any Error).self) { try ArchiveExportCommand.parse(["--to", "orders.csv", "--state", ""]) }
    }

    @Test("as of a moment before the first commit there is nothing to restore; the first commit's moment is named")
    func asOf() async throws {
        let (store, _) = try await ArchiveDocuments.table(), snapshot = try await Self.open(store)
        let first = try #require(snapshot.instants.first), before = HudiInstant(milliseconds: first.milliseconds - 1)
        #expect(snapshot.instants.count == 2)
        for instant in snapshot.instants { #expect(try ArchiveAsOf.instant(instant.description, in: snapshot) == instant) }
        #expect(try ArchiveAsOf.instant(Instant(microseconds: first.milliseconds * 1_000).description, in: snapshot) == first)
        for text in [before.description, Instant(microseconds: before.milliseconds * 1_000).description, "2018-01-01"] {
            do {
                _ = try ArchiveAsOf.instant(text, in: snapshot)
                Issue.record("\(text) was taken")
            } catch { #expect("\(error)".contains(first.description), "\(error)") }
        }
        #expect(throws: CommandError.self) { try ArchiveAsOf.instant("yesterday", in: snapshot) }
        let empty = FolderObjectStore(MemoryDirectory())
        let none = try await HudiTable.openOrCreate(empty, prefix: "orders").snapshot()
        #expect(throws: CommandError.self) { try ArchiveAsOf.instant("2030-01-01", in: none) }
    }

    @Test("an export is every document in its bytes, or a line of columns each; a filter leaves the others out; a full disk is an error")
    func export() async throws {
        let (store, orders) = try await ArchiveDocuments.table(), snapshot = try await Self.open(store)
        var bytes: [UInt8] = [], export = ArchiveExport(format: .ndjson)
        try await export.run(snapshot, OrderFilter()) { bytes += $0 }
        #expect(Set(bytes.split(separator: 0x0A).map { Array($0) }) == Set(try orders.map { try ArchiveDocuments.bytes($0) }) && export.orders == 200 && export.bytes == bytes.count)
        var filter = OrderFilter()
        filter.states = ["cancelled"]
        (bytes, export) = ([], ArchiveExport(format: .csv))
        try await export.run(snapshot, filter) { bytes += $0 }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init), cancelled = orders.filter { $0.order.state == .cancelled }.map(\.order)
        #expect(lines.count == cancelled.count + 1 && export.orders == cancelled.count)
        for order in cancelled {
            let start = "\(order.id),\(order.reference),\(order.person),cancelled,\(order.currency),\(Money(order.totalMinor, order.currency).decimal),"
            #expect(lines.contains { $0.hasPrefix(start) && $0.contains(",\(order.placedAt),") && $0.hasSuffix(",\(order.version)") })
        }
        filter.person = orders[7].order.person.description
        (bytes, export) = ([], ArchiveExport(format: .ndjson))
        try await export.run(snapshot, filter) { bytes += $0 }
        #expect(export.orders == cancelled.filter { $0.person == orders[7].order.person }.count)
        struct Full: Error {}
        for format in ExportFormat.allCases {
            var failing = ArchiveExport(format: format), calls = 0
            await #expect(throws: Full.self) {
                try await failing.run(snapshot, OrderFilter()) { _ in
                    calls += 1
                    throw Full()
                }
            }
            #expect(calls == 1)
        }
    }

    @Test("verify finds a document that says otherwise than its columns, though every checksum holds")
    func documents() async throws {
        func outcome(_ keys: (any PersonKeys)? = try? ArchiveDocuments.OneKey(7), _ change: (inout ArchivedOrder) -> Void) async throws -> ArchiveOutcome {
            let store = FolderObjectStore(MemoryDirectory())
            var one = try ArchiveDocuments.archived(5)
            change(&one)
            _ = try await ArchiveDocuments.writer(store).upsert([one, try ArchiveDocuments.archived(6), try ArchiveDocuments.archived(7)])
            return try await ArchiveVerification.run(HudiTable.open(store, prefix: "orders"), includesOlder: false, keys: keys)
        }
        let sound = try await outcome { _ in }, blind = try await outcome(nil) { _ in }
        #expect(sound.isSound && sound.report.rows == 3 && sound.sealed == 0)
        #expect(blind.isSound && blind.report.rows == 3 && blind.sealed == 3)
        let strange = try await outcome(ArchiveDocuments.OneKey(8)) { _ in }
        #expect(strange.report.faults.count == 3)
        let (six, nine) = (try ArchiveDocuments.archived(6), try ArchiveDocuments.archived(9))
        // Without keys the columns are held against what everybody may read.
        #expect(try await outcome(nil) { $0.totalMinor += 1 }.report.faults.count == 1)
        #expect(try await outcome(nil) { $0.body[$0.body.count - 1] = 0x20 }.report.faults.count == 1)
        let changes: [(inout ArchivedOrder) -> Void] = [
            { $0.version += 1 }, { $0.totalMinor += 1 }, { $0.paidMinor += 1 }, { $0.refundedMinor += 1 }, { $0.status = "shipped" }, { $0.reference += "x" }, { $0.currency = "EUR" },
            { $0.placedAt += 1 }, { $0.body += Array(" ".utf8) }, { $0.body = six.body }, { $0.body = Array("{}".utf8) }, { $0.id = nine.id },
            { $0.person = nine.person }, { $0.lines = [.init(position: 1, sku: "a", title: "b", seller: nil, quantity: 1, unitMinor: 1, freightMinor: 1, totalMinor: 2)] },
            { $0.updatedAt += 1 }, { $0.payments = [] }, { $0.tracking = [.init(shipment: "s", kind: "transit", happenedAt: 1, receivedAt: 2)] }, { $0.shipments = [.init(id: "s", status: "delivered", carrier: "dhl", createdAt: 1)] },
        ]
        for (i, change) in changes.enumerated() {
            let outcome = try await outcome(ArchiveDocuments.OneKey(7), change)
            #expect(outcome.report.faults.count == 1 && !outcome.isSound, "change \(i): \(outcome.report.faults)")
            #expect(outcome.lines.first?.hasPrefix("FAULT ") == true)
        }
    }

    @Test("flipped bytes of a file: verify names the file, and no command traps", arguments: UInt64(0)..<4)
    func damage(seed: UInt64) async throws {
        let (store, _) = try await ArchiveDocuments.table(), table = try await HudiTable.open(store, prefix: "orders"), snapshot = try await table.snapshot()
        var random = Seeded(seed)
        for _ in 0..<6 {
            let slice = snapshot.current[Int(random.next() % UInt64(snapshot.current.count))], key = "orders/" + slice.path, good = try await store.get(key)
            var bad = good
            for _ in 0..<1 + random.next() % 3 { bad[Int(random.next() % UInt64(bad.count))] ^= 1 << UInt8(random.next() % 8) }
            try await store.put(key, bad)
            let outcome = try await ArchiveVerification.run(HudiTable.open(store, prefix: "orders"), includesOlder: false)
            #expect(bad == good || outcome.lines.contains { $0.contains(slice.path) })
            // With an opened table of its own each: nothing remembered from before.
            _ = try? await ArchiveTally(by: "month,seller").run(Self.open(store), OrderFilter())
            _ = try? await ArchiveTally(by: "payment_method").run(Self.open(store), OrderFilter())
            for format in ExportFormat.allCases {
                var export = ArchiveExport(format: format)
                try? await export.run(Self.open(store), OrderFilter()) { _ in }
            }
            for n in 0..<25 { _ = try? await Self.open(store).ofPerson(ArchiveDocuments.person(n).description) }
            try await store.put(key, good)
        }
    }
}
