// How long and how large: ISOTHERM_ARCHIVE_BENCH=1000000 swift test -c release --filter ArchiveBench writes so many orders, some 170,000 a month, in one
// commit into ISOTHERM_HUDI_OUT, looks 200 people up, each with an opened table that has read nothing, scans, and changes one order.
// `make archive-bench` (scripts/bench-archive.sh) has DuckDB write the same rows, and the limits of codec and disk.

import Archive
import Glibc
import IsothermTesting
import Storage
import Testing

@Suite("Archive bench")
struct ArchiveBench {
    @Test("one file of many orders", .enabled(if: count != nil))
    func bench() async throws {
        let count = try #require(count), out = try #require(getenv("ISOTHERM_HUDI_OUT").map { String(cString: $0) })
        let bench = Bench(FolderObjectStore(try FileDirectory(out + "/bench")), buckets: 1), people = count / 6
        var start = now()
        let orders = (0..<count).map { Self.order($0) }
        print("bench: \(count) orders made in \(now() - start) s")
        start = now()
        let cpu = processor(), result = try await bench.writer().upsert(orders)
        let seconds = now() - start, size = result.files.reduce(0) { $0 + $1.byteCount }
        print("bench: written in \(seconds) s (\(processor() - cpu) of processors), \(Int(Double(count) / seconds)) orders/s, \(size) bytes in \(result.files.count) files")
        if getenv("ISOTHERM_ARCHIVE_BENCH_WRITES") != nil { return }
        try await lookUps(bench, people)
        start = now()
        var rows = 0, cost = ReadCost()
        try await bench.table().snapshot().scan { (part, sofar) async throws(ArchiveError) in
            (rows, cost) = (rows + part.count, sofar)
            return true
        }
        print("bench: \(rows) scanned in \(now() - start) s, \(cost.requests) requests, \(cost.bytes) bytes")
        start = now()
        _ = try await bench.writer().upsert([Self.order(count / 2, version: 2)])
        print("bench: one order changed in \(now() - start) s")
    }

    private func lookUps(_ bench: Bench, _ people: Int) async throws {
        var random = Seeded(5), times: [Double] = [], requests: [Int] = [], bytes: [Int] = []
        for _ in 0..<200 {
            let snapshot = try await bench.table().snapshot(), start = now()
            let answer = try await snapshot.ofPerson(Self.person(Int(random.next() % UInt64(people))))
            times.append(now() - start)
            #expect(answer.rows.count == 6)
            requests.append(answer.cost.requests)
            bytes.append(answer.cost.bytes)
        }
        times.sort()
        bytes.sort()
        print("bench: 200 people looked up: at most \(requests.max() ?? 0) requests, bytes p50 \(bytes[100]) p99 \(bytes[198]) max \(bytes[199]), p50 \(times[100] * 1000) ms p99 \(times[198] * 1000) ms")
    }

    static func person(_ n: Int) -> String { uuid(UInt64(n) &* 0x9E37_79B9_7F4A_7C15, UInt64(n)) }

    private static func uuid(_ a: UInt64, _ b: UInt64) -> String {
        func hex(_ value: UInt64) -> String { let t = String(value, radix: 16); return String(repeating: "0", count: 16 - t.count) + t }
        let h = Array(hex(a) + hex(b))
        return [h[0..<8], h[8..<12], h[12..<16], h[16..<20], h[20..<32]].map { String($0) }.joined(separator: "-")
    }

    private static func order(_ n: Int, version: Int64 = 1) -> ArchivedOrder {
        var random = Seeded(UInt64(n) &+ 77)
        func pick(_ count: UInt64) -> Int64 { Int64(random.next() % count) }
        let placed = SampleOrders.january + Int64(n / 6 % months) * 31 * 86_400_000_000 + pick(2_400_000) * 1_000_000 + pick(1_000_000), id = uuid(random.next(), random.next()), person = person(n / 6)
        var order = ArchivedOrder(id: id, person: person, reference: "R-\(pick(10_000_000))", status: "delivered", currency: "BRL", currencyDecimals: 2, totalMinor: pick(100_000),
            placedAt: placed, updatedAt: placed + 864_000_000_000, version: version, body: [])
        var lines: [String] = [], events: [String] = []
        for k in 0..<1 + pick(3) {
            let product = pick(32_000), unit = 99 + product * 13 % 9_000
            order.lines.append(.init(position: k + 1, sku: "SKU-\(product)", title: "Product \(product) of category \(product % 71)", seller: "seller \(product % 3_000)", quantity: 1, unitMinor: unit, freightMinor: 990, totalMinor: unit + 990))
            lines.append(#"{"position":\#(k + 1),"product_id":"SKU-\#(product)","title":"Product \#(product) of category \#(product % 71)","seller_id":"seller \#(product % 3_000)","quantity":1,"unit_minor":\#(unit),"freight_minor":990,"total_minor":\#(unit + 990),"shipped":1,"returned":0}"#)
        }
        let payment = uuid(random.next(), 1), shipment = uuid(random.next(), 2), code = String(random.next(), radix: 36)
        order.payments.append(.init(id: payment, status: "captured", gateway: "sandbox", method: "card", amountMinor: order.totalMinor, capturedMinor: order.totalMinor, refundedMinor: 0, createdAt: placed))
        order.shipments.append(.init(id: shipment, status: "delivered", carrier: "correios", createdAt: placed + 86_400_000_000))
        for k in 0..<3 {
            let at = placed + Int64(k) * 86_400_000_000 + pick(80_000) * 1_000_000
            order.tracking.append(.init(shipment: shipment, kind: ["shipped", "in_transit", "delivered"][k], happenedAt: at, receivedAt: at + pick(600) * 1_000_000))
            events.append(#"{"event_id":"e\#(pick(1 << 40))","kind":"in_transit","happened_at":"\#(at)","received_at":"\#(at)","place":"city \#(pick(4_000))"}"#)
        }
        order.body = Array(#"{"format":1,"order_id":"\#(id)","reference":"\#(order.reference)","person_ref":"\#(person)","placed_at":"\#(placed)","state":"delivered","currency":"BRL","total_minor":\#(order.totalMinor),"version":\#(version),"lines":[\#(lines.joined(separator: ","))],"payments":[{"payment_id":"\#(payment)","state":"captured","gateway":"sandbox","method":"card","currency":"BRL","amount_minor":\#(order.totalMinor),"created_at":"\#(placed)","version":2,"events":[]}],"refunds":[],"shipments":[{"shipment_id":"\#(shipment)","state":"delivered","carrier":"correios","tracking_code":"\#(code)","created_at":"\#(placed)","version":3,"lines":[],"tracking":[\#(events.joined(separator: ","))]}],"returns":[]}"#.utf8)
        return order
    }
}

private let count: Int? = getenv("ISOTHERM_ARCHIVE_BENCH").flatMap { Int(String(cString: $0)) }

/// A person's orders are of one month.
private let months = max(1, (count ?? 0) / 160_000)

/// Seconds of all threads.
private func processor() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

private func now() -> Double { seconds(CLOCK_MONOTONIC) }

private func seconds(_ clock: clockid_t) -> Double {
    var t = timespec()
    clock_gettime(clock, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) / 1e9
}
