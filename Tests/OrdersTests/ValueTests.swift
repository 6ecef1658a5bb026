// Money, moments, identifiers, cursors, signatures: the small values everything else is made of.

import IsothermTesting
import Orders
import Testing

@Suite("Orders: values")
struct ValueTests {
    @Test("days and civil dates go both ways, over four centuries")
    func dates() throws {
        var last = CivilDate(daysSince1970: -80_000)
        for day in Int64(-79_999)...80_000 {
            let date = CivilDate(daysSince1970: day)
            #expect(date.daysSince1970 == day && last < date)
            last = date
        }
        #expect(CivilDate(daysSince1970: 0).description == "1970-01-01")
        #expect(CivilDate(year: 2024, month: 2, day: 29)?.daysSince1970 == 19_782)
        #expect(CivilDate(year: 2023, month: 2, day: 29) == nil)
        #expect(CivilDate(year: 2024, month: 5, day: 31)?.adding(months: -3).description == "2024-02-29")
        #expect(CivilDate(year: 2024, month: 1, day: 31)?.adding(months: -2).description == "2023-11-30")
    }

    @Test("a moment is read as it was written, to the microsecond, also before 1970", arguments: UInt64(0)..<50)
    func instants(seed: UInt64) {
        var random = Seeded(seed)
        let instant = Instant(microseconds: Int64.random(in: -60_000_000_000_000_000...200_000_000_000_000_000, using: &random))
        #expect(Instant(text: instant.description) == instant)
    }

    @Test("reads RFC 3339 with offsets, and refuses what is none")
    func rfc3339() {
        #expect(Instant(text: "2017-10-02T10:56:33-03:00")?.description == "2017-10-02T13:56:33Z")
        for beyond in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"] { #expect(Instant(text: beyond) == nil, "\(beyond) could not be written") }
        #expect(Instant(text: "9999-12-31T23:59:59.999999Z")?.description == "9999-12-31T23:59:59.999999Z")
        #expect(Instant(text: "2017-10-02")?.description == "2017-10-02T00:00:00Z")
        #expect(Instant(text: "2017-10-02T10:56:33.5Z")?.description == "2017-10-02T10:56:33.500000Z")
        for text in ["", "2017", "2017-13-01", "2017-02-30", "2017-10-02T25:00:00Z", "2017-10-02T10:56:33", "2017-10-02T10:56:33.Z", "2017-10-02x", "２017-10-02"] {
            #expect(Instant(text: text) == nil, "\(text)")
        }
    }

    @Test("decimal amounts are exact or refused")
    func money() {
        #expect(Money(decimal: "19.0", "BRL")?.minor == 1900)
        #expect(Money(decimal: "19", "BRL")?.minor == 1900)
        #expect(Money(decimal: "-0.05", "BRL")?.minor == -5)
        #expect(Money(decimal: "19.900", "BRL")?.minor == 1990)
        #expect(Money(decimal: "19", "JPY")?.minor == 19)
        for text in ["", ".", "1.", ".5", "1.234", "1e3", "1,5", "--1", "99999999999999999999", "92233720368547758.08"] {
            #expect(Money(decimal: text, "BRL") == nil, "\(text)")
        }
        #expect(Money(-5, "BRL").description == "-0.05 BRL")
        #expect(Money(123_456, "BRL").decimal == "1234.56")
        #expect(Money(7, "JPY").decimal == "7")
        #expect(Currency(code: "eur") == nil && Currency(code: "EURO") == nil)
    }

    @Test("identifiers rise, also when the clock goes back, and name their millisecond")
    func identifiers() {
        let generator = IdentifierGenerator()
        var last = generator.next(at: Instant(microseconds: 1_000_000))
        for step in 0..<20_000 {
            let next = generator.next(at: Instant(microseconds: step % 100 == 0 ? 5_000 : 1_000_000 + Int64(step)))
            #expect(last < next)
            #expect(next.high >> 12 & 0xF == 7 && next.low >> 62 == 2)
            last = next
        }
        let instant = Instant(text: "2017-10-02T10:56:33Z") ?? .now()
        #expect(UUIDv7.instant(IdentifierGenerator().next(at: instant)) == instant)
    }

    @Test("the same source key at the same moment is the same identifier, another is another")
    func sourceKeys() {
        let at = Instant(seconds: 1_500_000_000)
        let a = UUIDv7.make(at, source: SourceKey(source: "olist", key: "a"))
        #expect(a == UUIDv7.make(at, source: SourceKey(source: "olist", key: "a")))
        #expect(a != UUIDv7.make(at, source: SourceKey(source: "olist", key: "b")))
        #expect(a != UUIDv7.make(at, source: SourceKey(source: "olis", key: "ta")))
        #expect(UUIDv7.instant(a) == at)
        #expect(Bytes16(text: a.description) == a && Bytes16(a.bytes) == a)
        #expect(PersonKey(text: "ref:olist:7c39") == .source(SourceKey(source: "olist", key: "7c39")))
        #expect(PersonKey(text: a.description) == .id(PersonRef(a)))
        #expect(PersonKey(text: "ref:olist:") == nil && PersonKey(text: "7c39") == nil)
    }

    @Test("a cursor comes back; changed, cut, of another list or key it is refused")
    func cursors() throws {
        let codec = CursorCodec(key: [1, 2, 3])
        let text = codec.encode([1, .max, 7], scope: "orders of x")
        #expect(try codec.decode(text, count: 3, scope: "orders of x") == [1, .max, 7])
        func refused(_ text: String, _ codec: CursorCodec = codec, _ scope: String = "orders of x", count: Int = 3) -> Bool {
            do {
                _ = try codec.decode(text, count: count, scope: scope)
                return false
            } catch .badCursor { return true } catch { return false }
        }
        #expect(refused(text, codec, "orders of y"))
        #expect(refused(text, CursorCodec(key: [1, 2, 4])))
        #expect(refused(text, count: 2))
        let characters = Array(text)
        for at in characters.indices {
            var changed = characters
            changed[at] = changed[at] == "A" ? "B" : "A"
            #expect(refused(String(changed)))
            #expect(refused(String(characters[..<at])))
        }
        #expect(refused("") && refused("öäü") && refused(text + "="))
    }

    @Test("a webhook's signature holds for its body, its secret and five minutes")
    func signatures() throws {
        let body = Array("{}".utf8), at = Instant(seconds: 1_000_000)
        let signature = WebhookSignature.sign(body, secret: [9], at: at)
        try WebhookSignature.verify(body, signature: signature, secret: [9], at: at.adding(seconds: 300))
        try WebhookSignature.verify(body, signature: signature, secret: [9], at: at.adding(seconds: -300))
        #expect(throws: WebhookSignature.Failure.outsideWindow) { try WebhookSignature.verify(body, signature: signature, secret: [9], at: at.adding(seconds: 301)) }
        #expect(throws: WebhookSignature.Failure.outsideWindow) { try WebhookSignature.verify(body, signature: signature, secret: [9], at: at.adding(seconds: -301)) }
        #expect(throws: WebhookSignature.Failure.wrong) { try WebhookSignature.verify(body + [32], signature: signature, secret: [9], at: at) }
        #expect(throws: WebhookSignature.Failure.wrong) { try WebhookSignature.verify(body, signature: signature, secret: [8], at: at) }
        let later = signature.replacing("t=1000000", with: "t=1000100")
        #expect(throws: WebhookSignature.Failure.wrong) { try WebhookSignature.verify(body, signature: later, secret: [9], at: at) }
        for text in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=0"] {
            #expect(throws: WebhookSignature.Failure.malformed) { try WebhookSignature.verify(body, signature: text, secret: [9], at: at) }
        }
    }
}
