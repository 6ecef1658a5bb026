import Analysis
import Testing

@Suite struct ProductTests {
    private func shares(_ a: String, _ b: String) throws -> Bool {
        !Set(try terms("product", a)).isDisjoint(with: Set(try terms("product", b)).filter { $0.count > 2 })
    }

    @Test("product numbers and units meet however they are written", arguments: [
        ("ps-5", "ps5"), ("PS 5", "ps5"), ("12 v", "12V"), ("3.5mm", "3.5 mm"), ("usb-c", "USBC"), ("wi-fi", "WiFi"), ("head set", "headsets"), ("smart watches", "smartwatch"),
        ("WH-1000XM4", "wh1000xm4"), ("1,000 mAh", "1,000mah"),
    ])
    func meet(a: String, b: String) throws {
        #expect(try shares(a, b))
        #expect(try shares(b, a))
    }

    @Test("plurals fold and nothing more; stop words go; what is joined stands at the first word's position")
    func tokens() throws {
        #expect(try terms("product", "The pro controllers") == ["pro", "procontroller", "controller"])
        let tokens = try #require(AnalysisRegistry.builtIn.analyzer(named: "product")).tokens(of: "12 v of ps-5")
        #expect((0..<tokens.count).map { "\(tokens.term($0))/\(tokens.positions[$0])/\(tokens.startOffsets[$0])-\(tokens.endOffsets[$0])" }
            == ["12/0/0-2", "12v/0/0-4", "v/1/3-4", "ps/3/8-10", "ps5/3/8-12", "5/4/11-12"])
    }
}
