// Every known form of input gives its records with their lines; what is wrong is reported and passed over; and how the bytes
// arrive in pieces makes no difference.

import BulkInput
import IsothermTesting
import JSON
import Testing

@Suite("Bulk input")
struct BulkInputTests {
    /// "line:id:source" of records, "line!reason" of rejections.
    private func read(_ text: [UInt8], _ options: BulkInputOptions = BulkInputOptions(idField: "id"), chunk: Int = .max) throws -> [String] {
        var reader = BulkRecordReader(ByteSource(text, chunk: chunk).unpacked(), options: options)
        var shown: [String] = []
        while let item = try reader.next() {
            switch item {
            case .record(let r):
                let action = r.action == .index ? "" : r.action.rawValue + " "
                shown.append("\(action)\(r.line):\(r.id ?? "-"):\(String(decoding: r.source, as: UTF8.self))")
            case .rejected(let r): shown.append("\(r.line)!\(r.reason)")
            }
        }
        return shown
    }

    private func read(_ text: String, _ options: BulkInputOptions = BulkInputOptions(idField: "id"), chunk: Int = .max) throws -> [String] {
        try read(Array(text.utf8), options, chunk: chunk)
    }

    static let inputs: [(String, [String])] = [
        ("{\"id\":\"a\"}\n\n{\"id\":7,\"x\":[1]}\r\n{\"x\":\n[1]\n{\"id\":null}", [
            "1:a:{\"id\":\"a\"}", "3:7:{\"id\":7,\"x\":[1]}", "4!not JSON: Unexpected end of text; a value was expected at offset 5",
            "5!a document has to be a JSON object", "6:-:{\"id\":null}",
        ]),
        (" [ {\"id\":1},\n {\"id\":2,\n \"s\":\"]},\\\"{\"} , 3, {\"a\"}, {\"id\":4} ]\n", [
            "1:1:{\"id\":1}", "2:2:{\"id\":2,\n \"s\":\"]},\\\"{\"}", "3!a document has to be a JSON object",
            "3!not JSON: Unexpected character '}' (code 125); a colon between a field name and its value was expected at offset 4", "3:4:{\"id\":4}",
        ]),
        ("[]", []), ("", []), ("  \n", []),
        ("id,name,price,ok,zip\n1,\"A, \"\"B\"\"\",1.50,true,007\r\n2,\"two\nlines\",,false,123\n3,x,7\n4,y,abc,maybe,5\n", [
            "2:1:{\"id\":1,\"name\":\"A, \\\"B\\\"\",\"price\":\"1.50\",\"ok\":\"true\",\"zip\":\"007\"}",
            "3:2:{\"id\":2,\"name\":\"two\\nlines\",\"ok\":\"false\",\"zip\":\"123\"}", "5!the record has 3 fields, the head line 5",
            "6:4:{\"id\":4,\"name\":\"y\",\"price\":\"abc\",\"ok\":\"maybe\",\"zip\":\"5\"}",
        ]),
        ("a;b\n1;2.5\n-3;1e3\n", ["2:-:{\"a\":1,\"b\":2.5}", "3:-:{\"a\":-3,\"b\":1e3}"]),
        ("{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":2}}\n{\"create\":{}}\n{\"id\":\"z\"}\n{\"bad\":1}\n{\"update\":{\"_id\":\"3\",\"routing\":\"r\"}}\n{\"doc\":{}}\n{\"index\":{}}\n{oops}\n{\"index\":{}}", [
            "1:1:{\"a\":1}", "delete 3:2:", "create 4:z:{\"id\":\"z\"}", "6!not an action line: {\"index\": {...}}, or create, update or delete, was expected", "update 7:3:{\"doc\":{}}",
            "10!not JSON: Unexpected character 'o' (code 111); a double quote to start a field name was expected at offset 1", "11!the action line has no source line after it",
        ]),
    ]

    @Test("gives records and rejections by line, in whatever pieces the bytes come", arguments: inputs)
    func records(text: String, expected: [String]) throws {
        for chunk in [Int.max, 1, 2, 3, 7] { #expect(try read(text, chunk: chunk) == expected) }
        #expect(try read("\u{FEFF}" + text) == expected)
    }

    @Test("a column of numbers stays one when a later value is none")
    func sampled() throws {
        var options = BulkInputOptions(format: .csv)
        options.sampledRecords = 2
        #expect(try read("a,b\n1,true\n2,false\nx,3\n", options) == ["2:-:{\"a\":1,\"b\":true}", "3:-:{\"a\":2,\"b\":false}", "4:-:{\"a\":\"x\",\"b\":\"3\"}"])
    }

    @Test("records past the bound are passed over")
    func bounds() throws {
        var options = BulkInputOptions(idField: "id")
        options.recordBytesMax = 30
        let long = String(repeating: "x", count: 100)
        for chunk in [Int.max, 1, 8] {
            #expect(try read("{\"id\":1}\n{\"s\":\"\(long)\"}\n{\"id\":2}\n", options, chunk: chunk) == ["1:1:{\"id\":1}", "2!the record is longer than 30 bytes", "3:2:{\"id\":2}"])
            #expect(try read("[{\"id\":1},{\"s\":\"\(long)\"},{\"id\":2}]", options, chunk: chunk) == ["1:1:{\"id\":1}", "1!the record is longer than 30 bytes", "1:2:{\"id\":2}"])
            #expect(try read("id,s\n1,a\n2,\"\(long)\n3,b\n", options, chunk: chunk) == ["2:1:{\"id\":1,\"s\":\"a\"}", "3!the record is longer than 30 bytes, or a quote is not closed", "4:3:{\"id\":3,\"s\":\"b\"}"])
        }
    }

    @Test("says what stops an input as a whole", arguments: [
        ("[{},", "line 1: the JSON array is not closed"), ("[{} {}]", "line 1: ',' or ']' was expected after an element of the array"), ("[]\nx", "line 2: text after the JSON array"),
        ("a,a\n1,2\n", "line 1: the CSV head line needs a name for each column, each another; or this is in none of the known formats"),
    ])
    func stops(text: String, reason: String) { #expect(throws: BulkInputError(reason)) { try read(text) } }

    // gzip and zip of "{\"id\":1}\n{\"id\":2}\n", made by Python's gzip and zipfile.
    static let gzip: [UInt8] = [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 76, 81, 178, 50, 172, 229, 170, 6, 51, 140, 106, 185, 0, 6, 44, 165, 4, 18, 0, 0, 0]
    static let zip: [UInt8] = [80, 75, 3, 4, 20, 0, 0, 0, 8, 0, 0, 0, 33, 0, 6, 44, 165, 4, 16, 0, 0, 0, 18, 0, 0, 0, 8, 0, 0, 0, 97, 46, 110, 100, 106, 115, 111, 110, 171, 86, 202, 76, 81, 178, 50, 172, 229, 170, 6, 51, 140, 106, 185, 0, 80, 75, 1, 2, 20, 3, 20, 0, 0, 0, 8, 0, 0, 0, 33, 0, 6, 44, 165, 4, 16, 0, 0, 0, 18, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 97, 46, 110, 100, 106, 115, 111, 110, 80, 75, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 54, 0, 0, 0, 54, 0, 0, 0, 0, 0]

    @Test("unpacks gzip, its members one after the other, and zip")
    func packed() throws {
        let expected = ["1:1:{\"id\":1}", "2:2:{\"id\":2}"]
        for chunk in [Int.max, 1, 5] {
            #expect(try read(Self.gzip, chunk: chunk) == expected)
            #expect(try read(Self.zip, chunk: chunk) == expected)
            #expect(try read(Self.gzip + Self.gzip, chunk: chunk).count == 4)
        }
    }

    @Test("damaged and cut inputs end in an error or in rejections, never in a crash", arguments: [0, 1, 2, 3, 4, 5, 6])
    func damage(which: Int) {
        let texts = Self.inputs.map { Array($0.0.utf8) }.filter { $0.count > 4 } + [Self.gzip, Self.zip]
        let good = texts[which % texts.count]
        var rng = Seeded(UInt64(which))
        for i in good.indices {
            _ = try? read(Array(good[..<i]), chunk: 5)
            var bad = good
            bad[i] ^= UInt8.random(in: 1...255, using: &rng)
            _ = try? read(bad, chunk: 64)
        }
    }

    @Test("a missing file is named")
    func missing() {
        #expect(throws: BulkInputError("/no/such/file: No such file or directory")) { _ = try ByteSource.file("/no/such/file") }
        #expect(ByteSource.size("/no/such/file") == nil && ByteSource.size("-") == nil)
    }

    @Test("an icecat archive gives its products", .enabled(if: Corpora.shared("icecat-products/1.json.zip") != nil, "needs ../shared/corpora"))
    func icecat() throws {
        var count = 0
        for i in 4...4 {
            let path = try #require(Corpora.shared("icecat-products/\(i).json.zip"))
            var reader = BulkRecordReader(try ByteSource.file(path), options: BulkInputOptions(idField: "id"))
            while let item = try reader.next() {
                guard case .record(let record) = item, record.id != nil else { Issue.record("\(item)"); continue }
                count += 1
            }
            #expect(reader.format == .array)
        }
        #expect(count == 4_406)
    }
}
