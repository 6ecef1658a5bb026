// What leaves hot of a person: the same rows give the same bytes, and without the person's key nothing of it can be read, nor anything changed unseen.

import Foundation
import IsothermTesting
import JSON
import Orders
import Secrets
import Testing

@Suite("Sealed documents")
struct SealingTests {
    private func key(_ byte: UInt8) throws -> PersonKeyState { .key(try #require(SealingKey([UInt8](repeating: byte, count: 32)))) }

    @Test("a document reads back with its key as it was written, and writes the same bytes again; its open part needs no key")
    func roundTrip() throws {
        var samples = SampleDocuments(seed: 1)
        for at in 0..<400 {
            let document = samples.next(), key = try key(UInt8(at % 7)), bytes = try document.bytes(sealedWith: key)
            let read = try OrderDocument(parsing: bytes, key: key)
            #expect(read == document)
            #expect(try read.bytes(sealedWith: key) == bytes)
            #expect(try document.bytes(sealedWith: key) == bytes)
            let open = try OrderDocument(openPartOf: bytes)
            #expect(open == blank(document, .sealed))
            #expect(throws: StoreError.self) { try open.bytes(sealedWith: key) }
        }
    }

    @Test("these bytes of format 2 never change")
    func golden() throws {
        var order = Order(
            id: OrderID(Bytes16(high: 1, low: 2)), reference: "R", person: PersonRef(Bytes16(high: 3, low: 4)), placedAt: Instant(seconds: 1_700_000_000), state: .delivered,
            currency: "EUR", totalMinor: 5, paidMinor: 5, refundedMinor: 0, creditMinor: 0, version: 7)
        order.address = AddressID(Bytes16(high: 5, low: 6))
        let bytes = try OrderDocument(order: order).bytes(sealedWith: key(9))
        #expect(Hexadecimal.text(SHA256.hash(bytes)) == "023f7eff9bf5b2a3cc5b2b68b9f2eebe69789d2cce6f6a6f0f9b4ed4fdcfe157")
    }

    @Test("nothing personal stands in the bytes")
    func clearText() throws {
        var samples = SampleDocuments(seed: 2)
        for _ in 0..<200 {
            var document = samples.next()
            document.order.address = AddressID(Bytes16(high: 0x4D41_524B_4552_0000, low: 77))
            document.attributes = ["note": "MARKER-attribute"]
            for at in document.shipments.indices {
                document.shipments[at].trackingCode = "MARKER-code-\(at)"
                for event in document.shipments[at].events.indices {
                    (document.shipments[at].events[event].eventID, document.shipments[at].events[event].place) = ("MARKER-event", "MARKER-place")
                }
            }
            for at in document.returns.indices { document.returns[at].reason = "MARKER_reason" }
            let sealed = String(decoding: try document.bytes(sealedWith: key(1)), as: UTF8.self)
            #expect(!sealed.contains("MARKER") && !sealed.contains("4d41524b"))
            let without = String(decoding: try document.bytes(sealedWith: .erased), as: UTF8.self)
            #expect(!without.contains("MARKER") && !without.contains("4d41524b") && !without.contains("sealed\":"))
        }
    }

    @Test("every byte changed, and every cut, is refused; so is another's key, and a document that lost its sealed member")
    func tampering() throws {
        var samples = SampleDocuments(seed: 3)
        var documents = (0..<40).map { _ in samples.next() }
        // One of each size, the smallest first.
        documents = try documents.sorted { try $0.bytes(sealedWith: .erased).count < $1.bytes(sealedWith: .erased).count }
        for (round, document) in [documents[1], documents[20]].enumerated() {
            let key = try key(1), bytes = try document.bytes(sealedWith: key)
            for at in bytes.indices {
                for bit in [(at + round) % 8] {
                    var changed = bytes
                    changed[at] ^= 1 << UInt8(bit)
                    #expect(throws: StoreError.self, "byte \(at), bit \(bit)") { try OrderDocument(parsing: changed, key: key) }
                    _ = try? OrderDocument(openPartOf: changed)
                }
                #expect(throws: StoreError.self) { try OrderDocument(parsing: Array(bytes[..<at]), key: key) }
            }
            #expect(throws: StoreError.self) { try OrderDocument(parsing: bytes, key: self.key(2)) }
            #expect(throws: StoreError.self) { try OrderDocument(parsing: document.bytes(sealedWith: .erased), key: key) }
        }
    }

    @Test("the sealed part of one document fits no other, not even of the same order")
    func transplanted() throws {
        var samples = SampleDocuments(seed: 4)
        var document = samples.next()
        let key = try key(1), first = try document.bytes(sealedWith: key)
        document.order.version += 1
        let second = try document.bytes(sealedWith: key)
        let label = #","sealed":""#, a = String(decoding: first, as: UTF8.self), b = String(decoding: second, as: UTF8.self)
        let open = try #require(b.range(of: label)), sealed = try #require(a.range(of: label))
        #expect(a[sealed.upperBound...] != b[open.upperBound...])
        let mixed = Array((b[..<open.lowerBound] + a[sealed.lowerBound...]).utf8)
        #expect(mixed != first && mixed != second)
        #expect(throws: StoreError.self) { try OrderDocument(parsing: mixed, key: key) }
    }

    @Test("of an erased person a document reads as erased: states and amounts are there, the rest is empty")
    func erased() throws {
        var samples = SampleDocuments(seed: 5)
        for _ in 0..<50 {
            let document = samples.next()
            for bytes in [try document.bytes(sealedWith: key(1)), try document.bytes(sealedWith: .erased)] {
                let read = try OrderDocument(parsing: bytes, key: .erased)
                #expect(read.isErased && read == blank(document, .erased))
                #expect(read.shipments.allSatisfy { $0.trackingCode.isEmpty && $0.events.allSatisfy { $0.eventID.isEmpty && $0.place.isEmpty } })
                #expect(read.order.address == nil && read.attributes == nil && read.returns.allSatisfy { $0.reason.isEmpty })
                #expect(try read.bytes(sealedWith: .erased) == document.bytes(sealedWith: .erased))
                #expect(throws: StoreError.self) { try read.bytes(sealedWith: key(1)) }
            }
        }
    }

    @Test("formats 1 and 3 are refused in words that say so")
    func formats() throws {
        for (format, word) in [("1", "never released"), ("3", "does not know")] {
            do throws(StoreError) {
                _ = try OrderDocument(openPartOf: Array(#"{"format":\#(format),"order_id":"x"}"#.utf8))
                Issue.record("format \(format) was read")
            } catch { #expect("\(error)".contains(word)) }
        }
    }

    @Test("other plaintexts and other open parts have other nonces, and a key says nothing of itself")
    func nonces() throws {
        let key = try #require(SealingKey([UInt8](repeating: 5, count: 32)))
        var seen: Set<[UInt8]> = []
        for at in 0..<200 {
            seen.insert(Array(try key.seal([UInt8(at)], bound: [1], column: "c")[..<12]))
            seen.insert(Array(try key.seal([1], bound: [UInt8(at), 0], column: "c")[..<12]))
        }
        // A boundary moved between what is bound and what is sealed is another message.
        seen.insert(Array(try key.seal([2, 3], bound: [1], column: "c")[..<12]))
        seen.insert(Array(try key.seal([3], bound: [1, 2], column: "c")[..<12]))
        seen.insert(Array(try key.seal([3], bound: [1, 2], column: "d")[..<12]))
        #expect(seen.count == 403)
        #expect("\(key)" == "a person's key" && String(reflecting: key) == "a person's key")
        var dumped = ""
        dump(key, to: &dumped)
        dump(PersonKeyState.key(key), to: &dumped)
        #expect(!dumped.contains("5") && SealingKey([1, 2]) == nil)
    }

    @Test("sealing and opening a document, in microseconds", .enabled(if: ProcessInfo.processInfo.environment["ISOTHERM_SEALING_BENCH"] != nil))
    func bench() throws {
        var samples = SampleDocuments(seed: 6)
        let documents = (0..<2_000).map { _ in samples.next() }, key = try key(1)
        let sealed = try documents.map { try $0.bytes(sealedWith: key) }
        func time(_ what: String, _ body: () throws -> Void) rethrows {
            // Of this thread alone: others may be building.
            func now() -> Double { var t = timespec(); clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); return Double(t.tv_sec) * 1e6 + Double(t.tv_nsec) / 1e3 }
            var best = Double.infinity
            for _ in 0..<7 {
                let begun = now()
                try body()
                best = min(best, now() - begun)
            }
            print("\(what): \(best / Double(documents.count)) us a document of \(sealed.reduce(0) { $0 + $1.count } / documents.count) bytes")
        }
        try time("written without personal members") { for document in documents { _ = try document.bytes(sealedWith: .erased) } }
        try time("written and sealed") { for document in documents { _ = try document.bytes(sealedWith: key) } }
        guard case .key(let bare) = key else { return }
        let plain = [UInt8](repeating: 97, count: 300), bound = [UInt8](repeating: 98, count: 2_000), box = try bare.seal(plain, bound: bound, column: "c")
        try time("300 bytes sealed under 2,000") { for _ in documents { _ = try bare.seal(plain, bound: bound, column: "c") } }
        time("300 bytes opened under 2,000") { for _ in documents { _ = bare.open(box, bound: bound) } }
        try time("open part read") { for bytes in sealed { _ = try OrderDocument(openPartOf: bytes) } }
        try time("read and opened") { for bytes in sealed { _ = try OrderDocument(parsing: bytes, key: key) } }
    }

    /// Without its personal members.
    private func blank(_ document: OrderDocument, _ personal: OrderDocument.Personal) -> OrderDocument {
        var blank = document
        (blank.order.address, blank.attributes, blank.personal) = (nil, nil, personal)
        for at in blank.shipments.indices {
            blank.shipments[at].trackingCode = ""
            for event in blank.shipments[at].events.indices { (blank.shipments[at].events[event].eventID, blank.shipments[at].events[event].place) = ("", "") }
        }
        for at in blank.returns.indices { blank.returns[at].reason = "" }
        return blank
    }
}
