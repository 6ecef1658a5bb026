// Signatures against the examples of the Amazon S3 API Reference, answers that are no XML, locations.

import IsothermTesting
import ObjectStorage
import Secrets
import Storage
import Testing

@Suite("S3 signing, XML, locations")
struct SigningTests {
    /// "Authenticating Requests: Using the Authorization Header", section "Examples: Signature Calculations".
    @Test("the published examples give the published signatures")
    func examples() {
        let signer = SigV4(credentials: S3Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), region: "us-east-1")
        let time = 1_369_353_600, host = (name: "host", value: "examplebucket.s3.amazonaws.com"), none = Hexadecimal.text(SHA256.hash(""))
        #expect(SigV4.timestamp(time) == "20130524T000000Z")
        func signature(_ method: String, _ path: String, _ query: String, _ headers: [(name: String, value: String)], _ hash: String) -> String {
            let all = signer.signed(method: method, path: path, query: query, headers: [host] + headers, bodyHash: hash, secondsSince1970: time)
            return String(all.first { $0.name == "Authorization" }?.value.split(separator: "=").last ?? "")
        }
        #expect(signature("GET", "/test.txt", "", [("range", "bytes=0-9")], none) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let body = Hexadecimal.text(SHA256.hash("Welcome to Amazon S3."))
        let put: [(name: String, value: String)] = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")]
        #expect(signature("PUT", "/test%24file.text", "", put, body) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
        #expect(signature("GET", "/", "lifecycle", [], none) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        #expect(signature("GET", "/", "max-keys=2&prefix=J", [], none) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test("times, also of leap years", arguments: [(0, "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (1_709_251_199, "20240229T235959Z"), (4_107_542_400, "21000301T000000Z")])
    func times(_ seconds: Int, _ text: String) { #expect(SigV4.timestamp(seconds) == text) }

    @Test("nothing prints a secret")
    func secrets() {
        let keys = S3Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "topsecret", sessionToken: "alsosecret")
        #expect(!"\(keys) \(String(reflecting: keys)) \([keys])".contains("secret"))
    }

    @Test("percent encoding and back, for any text")
    func percent() {
        for key in ObjectStoreContract.nastyKeys { #expect(PercentEncoding.decode(PercentEncoding.encode(key))?.utf8.elementsEqual(key.utf8) == true) }
        #expect(PercentEncoding.decode("a+b%2B", plusIsSpace: true) == "a b+")
        for wrong in ["%", "%2", "%zz", "%ff"] { #expect(PercentEncoding.decode(wrong) == nil) }
    }

    @Test("XML: names, texts, entities, and what is none")
    func xml() {
        let good = "\u{FEFF}<?xml version=\"1.0\"?>\n<!-- a <b> --><r xmlns='x'><s:k a=\"b\">x &amp;&lt;&#x41;&#66;</s:k><e/><k>y</k></r>\n"
        let root = S3XML.parse(Array(good.utf8))
        #expect(root?.name == "r" && root?.text(of: "k") == "x &<AB" && root?.all("k").count == 2 && root?.child("e") != nil)
        let deep = String(repeating: "<a>", count: 20) + String(repeating: "</a>", count: 20)
        let wrong = ["", "x", "<", "<a", "<a>", "<a></b>", "<a/>x", "<!DOCTYPE a><a/>", "<a>&foo;</a>", "<a>&#xD800;</a>", "<a>&", "<a>&amp</a>", "</a>", "<>", deep]
        for text in wrong { #expect(S3XML.parse(Array(text.utf8)) == nil, "\(text)") }
    }

    @Test("no bytes a server may send bring the parser down", arguments: UInt64(0)..<50)
    func hostile(seed: UInt64) {
        var random = Seeded(seed)
        let good = Array("<?xml version=\"1.0\"?><ListBucketResult><Contents><Key>a&amp;b</Key><Size>1</Size></Contents><!-- --></ListBucketResult>".utf8)
        for _ in 0..<200 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) { bytes[at] = Array("<>/&;!-?\0 #x".utf8).randomElement(using: &random) ?? 0 } else { bytes.removeSubrange(at..<min(bytes.count, at + 3)) }
                if bytes.isEmpty { bytes = good }
            }
            _ = S3XML.parse(bytes)
        }
    }

    @Test("locations, with what they leave to the environment")
    func locations() throws {
        func open(_ location: String, _ more: [String: String] = [:]) throws(ObjectStoreError) -> S3Configuration {
            let all = ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"].merging(more) { $1 }
            return try S3Configuration(location: location) { all[$0] }
        }
        let plain = try open("s3://my-bucket/some/prefix/")
        #expect(plain.isTLS && plain.address.host == "my-bucket.s3.us-east-1.amazonaws.com" && plain.address.path == "" && plain.prefix == "some/prefix")
        let own = try open("s3://my-bucket?endpoint=http://127.0.0.1:7480/&region=eu-west-1", ["AWS_REGION": "x"])
        #expect(!own.isTLS && own.address.host == "127.0.0.1:7480" && own.address.path == "/my-bucket" && own.region == "eu-west-1" && own.prefix == "")
        let virtual = try open("s3://my-bucket?addressing=virtual", ["ISOTHERM_S3_ENDPOINT": "https://Store.example:443", "AWS_BUNDLE": "", "AWS_CA_BUNDLE": "/ca.pem"])
        #expect(virtual.address.host == "my-bucket.store.example" && virtual.caFile == "/ca.pem")
        #expect(try open("s3://my.bucket").addressing == .path)
        for wrong in ["s3://", "s3://ab", "s3://UPPER", "s3://key:secret@bucket", "s3://bucket?nonsense=1", "s3://bucket?endpoint=ftp://x", "s3://bucket?endpoint=http://a@b", "s3://bucket/../x",
            "s3://bucket?addressing=odd", "s3://bucket?region"] {
            #expect(throws: ObjectStoreError.self, "\(wrong)") { try open(wrong) }
        }
        do { _ = try S3Configuration(location: "s3://bucket") { _ in nil } } catch { #expect(error.kind == .denied && error.reason.contains("AWS_ACCESS_KEY_ID")) }
        do { _ = try open("s3://key:topsecret@bucket") } catch { #expect(!error.description.contains("topsecret"), "\(error)") }
        #expect(throws: ObjectStoreError.self) { try ObjectStores.open(location: "gs://bucket") }
    }

    @Test("waits are within their bounds, and a budget ends the trying")
    func retries() {
        let policy = RetryPolicy()
        for n in 0..<40 {
            for random in [0, 1, UInt64.max, 12_345_678_901] {
                let wait = policy.waitMilliseconds(afterTry: n, random: random)
                #expect(wait >= 0 && wait <= min(5_000, n < 16 ? 50 << n : 5_000))
            }
        }
        #expect(policy.waitMilliseconds(afterTry: 0, random: 0, atLeast: 1000) == 1000)
        #expect(policy.waitMilliseconds(afterTry: 0, random: 0, atLeast: 3_600_000) == 5_000)
        let budget = RetryBudget(tokens: 12)
        #expect(budget.takeRetry(afterTimeout: false) && budget.takeRetry(afterTimeout: false) && !budget.takeRetry(afterTimeout: false))
        for _ in 0..<3 { budget.succeeded() }
        #expect(budget.takeRetry(afterTimeout: false))
    }
}
