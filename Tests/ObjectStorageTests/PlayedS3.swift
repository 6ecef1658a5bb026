// An S3 server played in memory behind the transport: what the Amazon S3 API Reference says of the calls that the store makes, and faults on demand.
//
// Faults happen to the n-th request: refused before it is carried out, or carried out and the answer lost.

import ObjectStorage
import Secrets
import Storage
import Synchronization

final class PlayedS3: HTTPTransport {
    enum Fault: Sendable {
        /// `otherBytes`: what a put stores is not what it was sent.
        case lostAnswer, otherBytes, notSent, broken, status(Int), slowDown, garbled, timedOut
    }
    private struct Object { var bytes: [UInt8], tag: String, word: String? }
    private struct Upload { var key: String, word: String?, parts: [Int: [UInt8]] = [:] }
    private struct State {
        var objects: [[UInt8]: Object] = [:]
        var uploads: [String: Upload] = [:]
        var number = 0
        var requests: [String] = []
        var faults: [Int: Fault] = [:]
        var completesBadly = false
    }
    private let state = Mutex(State())
    private let honoursConditionalComplete: Bool

    init(honoursConditionalComplete: Bool = true) { self.honoursConditionalComplete = honoursConditionalComplete }

    /// To the n-th request from now, 1 the next.
    func fail(request n: Int, _ fault: Fault) { state.withLock { $0.faults[$0.requests.count + n] = fault } }
    /// The next completion answers 200 with an error in its body.
    func completeBadlyOnce() { state.withLock { $0.completesBadly = true } }
    var requests: [String] { state.withLock { $0.requests } }
    var uploadCount: Int { state.withLock { $0.uploads.count } }

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer {
        await Task.yield()
        let (fault, answer): (Fault?, HTTPAnswer) = state.withLock { s in
            let target = Target(request.url)
            s.requests.append(request.method + " " + target.key + (target.query.isEmpty ? "" : "?" + target.query.keys.sorted().joined(separator: "&")))
            let fault = s.faults.removeValue(forKey: s.requests.count)
            switch fault {
            case .notSent, .broken, .timedOut, .status, .slowDown: return (fault, Self.error(503, "SlowDown"))
            case .otherBytes:
                var answer = respond(request, target, &s)
                if let stored = s.objects[Array(target.key.utf8)] {
                    let bytes = stored.bytes.map { $0 ^ 1 }, tag = Self.tag(bytes)
                    s.objects[Array(target.key.utf8)] = Object(bytes: bytes, tag: tag, word: stored.word)
                    answer = HTTPAnswer(status: answer.status, headers: [("etag", "\"\(tag)\"")], body: answer.body)
                }
                return (nil, answer)
            default: return (fault, respond(request, target, &s))
            }
        }
        switch fault {
        case nil: return answer
        case .notSent: throw HTTPFailure(.notSent, "refused")
        case .broken, .lostAnswer, .otherBytes: throw HTTPFailure(.broken, "cut")
        case .timedOut: throw HTTPFailure(.timedOut, "nothing came")
        case .status(let status): return HTTPAnswer(status: status, headers: [], body: Array("<html>no".utf8))
        case .slowDown: return HTTPAnswer(status: 503, headers: [("retry-after", "0")], body: Self.error(503, "SlowDown").body)
        case .garbled:
            guard let flipped = answer.body.indices.last else { return answer }
            var body = answer.body
            body[flipped] ^= 1
            return HTTPAnswer(status: answer.status, headers: answer.headers, body: body)
        }
    }

    // MARK: -

    private struct Target {
        var key = "", query: [String: String] = [:]
        init(_ url: String) {
            let parts = url.split(separator: "?", maxSplits: 1)
            let path = parts[0].split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(3).joined()
            if let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) { key = PercentEncoding.decode(path[path.utf8.index(after: slash)...]) ?? "" }
            for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
                let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                query[String(pair[0])] = PercentEncoding.decode(pair[1]) ?? ""
            }
        }
    }

    private func respond(_ request: HTTPRequest, _ target: Target, _ s: inout State) -> HTTPAnswer {
        func header(_ name: String) -> String? { request.headers.first { $0.name.lowercased() == name }?.value }
        let key = Array(target.key.utf8)
        if header("x-amz-content-sha256") != Hexadecimal.text(SHA256.hash(request.body)) { return Self.error(400, "XAmzContentSHA256Mismatch") }
        switch (request.method, target.query["uploadId"], target.query["uploads"]) {
        case ("POST", nil, .some):
            s.number += 1
            s.uploads["up&\(s.number)"] = Upload(key: target.key, word: header("x-amz-meta-isotherm-write"))
            return Self.xml("<InitiateMultipartUploadResult><UploadId>up&amp;\(s.number)</UploadId></InitiateMultipartUploadResult>")
        case ("PUT", let id?, _):
            guard let number = target.query["partNumber"].flatMap({ Int($0) }), s.uploads[id]?.key == target.key else { return Self.error(404, "NoSuchUpload") }
            s.uploads[id]?.parts[number] = request.body
            return HTTPAnswer(status: 200, headers: [("etag", "\"\(Self.tag(request.body))\"")], body: [])
        case ("POST", let id?, _):
            guard let upload = s.uploads[id] else { return Self.error(404, "NoSuchUpload") }
            if s.completesBadly {
                s.completesBadly = false
                return Self.xml("<Error><Code>InternalError</Code><Message>please try again</Message></Error>")
            }
            if honoursConditionalComplete, header("if-none-match") == "*", s.objects[key] != nil { return Self.error(412, "PreconditionFailed") }
            let parts = upload.parts.sorted { $0.key < $1.key }.map(\.value)
            guard S3XML.parse(request.body)?.all("Part").count == parts.count else { return Self.error(400, "InvalidPart") }
            let tag = Hexadecimal.text(MD5.hash(parts.flatMap { MD5.hash($0) ?? [] }) ?? []) + "-\(parts.count)"
            s.objects[key] = Object(bytes: parts.flatMap { $0 }, tag: tag, word: upload.word)
            s.uploads[id] = nil
            return Self.xml("<CompleteMultipartUploadResult><ETag>&quot;\(tag)&quot;</ETag></CompleteMultipartUploadResult>")
        case ("DELETE", let id?, _):
            return s.uploads.removeValue(forKey: id) == nil ? Self.error(404, "NoSuchUpload") : HTTPAnswer(status: 204, headers: [], body: [])
        case ("PUT", nil, _):
            if header("if-none-match") == "*", s.objects[key] != nil { return Self.error(412, "PreconditionFailed") }
            let tag = Self.tag(request.body)
            s.objects[key] = Object(bytes: request.body, tag: tag, word: header("x-amz-meta-isotherm-write"))
            return HTTPAnswer(status: 200, headers: [("etag", "\"\(tag)\"")], body: [])
        case ("DELETE", nil, _):
            s.objects[key] = nil
            return HTTPAnswer(status: 204, headers: [], body: [])
        case ("HEAD", _, _):
            guard let object = s.objects[key] else { return HTTPAnswer(status: 404, headers: [], body: []) }
            let word: [(name: String, value: String)] = object.word.map { [("x-amz-meta-isotherm-write", $0)] } ?? []
            return HTTPAnswer(status: 200, headers: [("etag", "\"\(object.tag)\""), ("content-length", "\(object.bytes.count)")] + word, body: [])
        case ("GET", _, .some): return uploads(s)
        case ("GET", _, _) where target.query["list-type"] == "2": return list(target.query, s)
        case ("GET", _, _):
            guard let object = s.objects[key] else { return Self.error(404, "NoSuchKey") }
            guard let range = header("range") else {
                return HTTPAnswer(status: 200, headers: [("etag", "\"\(object.tag)\""), ("content-length", "\(object.bytes.count)")], body: object.bytes)
            }
            let ends = range.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
            guard ends[0] < object.bytes.count else { return Self.error(416, "InvalidRange") }
            let last = min(ends[1], object.bytes.count - 1)
            return HTTPAnswer(
                status: 206, headers: [("content-range", "bytes \(ends[0])-\(last)/\(object.bytes.count)"), ("etag", "\"\(object.tag)\"")], body: Array(object.bytes[ends[0]...last]))
        default: return Self.error(405, "MethodNotAllowed")
        }
    }

    private func uploads(_ s: State) -> HTTPAnswer {
        let entries = s.uploads.map { "<Upload><Key>\(PercentEncoding.encode($0.value.key))</Key><UploadId>\(S3XML.escaped($0.key))</UploadId></Upload>" }
        return Self.xml("<ListMultipartUploadsResult><EncodingType>url</EncodingType>\(entries.joined())</ListMultipartUploadsResult>")
    }

    private func list(_ query: [String: String], _ s: State) -> HTTPAnswer {
        let prefix = Array((query["prefix"] ?? "").utf8), limit = query["max-keys"].flatMap { Int($0) } ?? 1000
        var after = query["start-after"].map { Array($0.utf8) }
        if let token = query["continuation-token"], let bytes = Hexadecimal.bytes(token) { after = bytes }
        var groups: [(name: [UInt8], size: Int?)] = [], last: [UInt8] = []
        var isCut = false
        for (key, object) in s.objects.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where key.starts(with: prefix) {
            var name = key, size: Int? = object.bytes.count
            if query["delimiter"] == "/", let slash = key.dropFirst(prefix.count).firstIndex(of: UInt8(ascii: "/")) { (name, size) = (Array(key[...slash]), nil) }
            if let after, !after.lexicographicallyPrecedes(key) { continue }
            if let after, query["continuation-token"] != nil, after.last == UInt8(ascii: "/"), key.starts(with: after) { continue }
            if groups.last?.name == name { continue }
            if groups.count == limit {
                isCut = true
                break
            }
            groups.append((name, size))
            last = name
        }
        func encoded(_ name: [UInt8]) -> String { PercentEncoding.encode(String(decoding: name, as: UTF8.self), keepingSlashes: true) }
        let entries = groups.map { group in
            group.size.map { "<Contents><Key>\(encoded(group.name))</Key><Size>\($0)</Size></Contents>" } ?? "<CommonPrefixes><Prefix>\(encoded(group.name))</Prefix></CommonPrefixes>"
        }
        let next = isCut ? "<NextContinuationToken>\(Hexadecimal.text(last))</NextContinuationToken>" : ""
        return Self.xml("<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><EncodingType>url</EncodingType><IsTruncated>\(isCut)</IsTruncated>\(next)\(entries.joined())</ListBucketResult>")
    }

    private static func tag(_ bytes: [UInt8]) -> String { Hexadecimal.text(MD5.hash(bytes) ?? []) }
    private static func xml(_ text: String) -> HTTPAnswer { HTTPAnswer(status: 200, headers: [], body: Array(text.utf8)) }
    private static func error(_ status: Int, _ code: String) -> HTTPAnswer {
        HTTPAnswer(status: status, headers: [], body: Array("<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>no</Message></Error>".utf8))
    }
}

extension S3ObjectStore {
    /// A store on the played server, with short waits.
    static func played(_ server: PlayedS3, options: String = "", tries: Int = 6) throws -> S3ObjectStore {
        var configuration = try S3Configuration(location: "s3://bucket/some/prefix?endpoint=http://127.0.0.1:1\(options)") { ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"][$0] }
        configuration.retry.baseMilliseconds = 1
        configuration.retry.capMilliseconds = 2
        configuration.retry.triesMax = tries
        return S3ObjectStore(configuration, transport: server)
    }
}
