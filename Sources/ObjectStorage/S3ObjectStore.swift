// An object store on a server that speaks S3.
//
//     put        one signed PUT with Content-MD5; the tag that comes back is checked
//     ifAbsent   the same with `If-None-Match: *`; the object carries a word of this write, so that after a lost answer a refusal can be told
//                apart: the word in the store is ours (our write went through) or another's
//     get        the length is checked, and of a whole object the MD5; of a range the Content-Range
//     upload     a multipart upload, or a plain put where all fits one part (`S3Upload`)
//
// Tried: see docs/object-store.md.

internal import Secrets
package import Storage

package final class S3ObjectStore: ObjectStore {
    package let place: String
    let configuration: S3Configuration
    let client: S3Client

    package init(_ configuration: S3Configuration, transport: (any HTTPTransport)? = nil) {
        self.configuration = configuration
        place = "s3://" + configuration.bucket + (configuration.prefix.isEmpty ? "" : "/" + configuration.prefix)
        client = S3Client(configuration, transport: transport ?? CurlTransport(
            timeouts: configuration.timeouts, caFile: configuration.caFile, threads: configuration.requestsAtOnce))
    }

    @discardableResult
    package func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        let key = try ObjectKey(key, in: place)
        guard bytes.count <= ObjectLimits.putBytesMax else {
            throw error(.invalid, key, "\(bytes.count) bytes at once; more than \(ObjectLimits.putBytesMax) are written by parts")
        }
        let digest = MD5.hash(bytes), word = Self.newWord()
        var request = S3Request(method: "PUT", key: full(key), body: bytes)
        if let digest { request.headers.append(("content-md5", Base64.encode(digest))) }
        if ifAbsent { request.headers += [("if-none-match", "*"), (Self.wordHeader, word)] }
        request.check = { answer in Self.tagFault(answer, digest) }
        do throws(S3Failure) {
            return Self.tag(try await client.send(request))
        } catch {
            guard ifAbsent, error.kind == .alreadyExists || error.isUncertain, error.kind != .cancelled else { throw self.error(error, key) }
            return try await settle(key, word, error, digest)
        }
    }

    package func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload {
        S3Upload(store: self, key: try ObjectKey(key, in: place), ifAbsent: ifAbsent)
    }

    package func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] {
        let key = try ObjectKey(key, in: place)
        var request = S3Request(method: "GET", key: full(key), answerBytesMax: ObjectLimits.getBytesMax)
        request.check = { answer in
            if let length = answer.header("content-length").flatMap({ Int($0) }), length != answer.body.count {
                return S3Failure(kind: .damaged, status: 200, reason: "\(answer.body.count) of \(length) bytes came", isRetryable: true)
            }
            guard let expected = Self.plainTag(answer), let digest = MD5.hash(answer.body) else { return nil }
            if Hexadecimal.text(digest) == expected { return nil }
            return S3Failure(kind: .damaged, status: 200, reason: "the bytes do not fit their tag", isRetryable: true)
        }
        return try await sent(request, key).body
    }

    package func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] {
        let key = try ObjectKey(key, in: place)
        if range.isEmpty { return [] }
        guard range.lowerBound >= 0, range.count <= ObjectLimits.getBytesMax else { throw error(.invalid, key, "no such range") }
        var request = S3Request(method: "GET", key: full(key), answerBytesMax: range.count)
        request.headers = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        request.check = { answer in
            if ContentRange(answer, asked: range) != nil { return nil }
            return S3Failure(kind: .damaged, status: answer.status, reason: "the range that came is not the one asked for", isRetryable: true)
        }
        do throws(S3Failure) {
            let answer = try await client.send(request)
            return ContentRange(answer, asked: range)?.bytes ?? []
        } catch {
            // 416: it begins past the object's end.
            if error.status == 416 { return [] }
            throw self.error(error, key)
        }
    }

    package func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead {
        let key = try ObjectKey(key, in: place)
        let answer = try await sent(S3Request(method: "HEAD", key: full(key)), key)
        guard let size = answer.header("content-length").flatMap({ Int($0) }), size >= 0 else { throw error(.damaged, key, "no length came") }
        return ObjectHead(size: size, tag: Self.tag(answer))
    }

    package func delete(_ key: String) async throws(ObjectStoreError) {
        let key = try ObjectKey(key, in: place)
        do throws(S3Failure) { _ = try await client.send(S3Request(method: "DELETE", key: full(key))) } catch {
            if error.kind != .notFound { throw self.error(error, key) }
        }
    }

    /// Makes the bucket; one that is there already, and ours, is no error.
    package func makeBucket() async throws(ObjectStoreError) {
        let isThere: Bool
        do throws(S3Failure) {
            _ = try await client.send(S3Request(method: "HEAD", key: nil))
            isThere = true
        } catch { isThere = error.kind != .notFound }
        if isThere { return }
        do throws(S3Failure) { _ = try await client.send(S3Request(method: "PUT", key: nil)) } catch {
            if error.code != "BucketAlreadyOwnedByYou" { throw ObjectStoreError(error.kind, place: place, error.reason) }
        }
    }

    // MARK: - A write whose answer was refused or lost

    static let wordHeader = "x-amz-meta-isotherm-write"
    static func newWord() -> String { Hexadecimal.text(SecureRandom.bytes(16)) }

    /// Asks the store whose write is there. An error is thrown unless it is ours, and of the bytes that were sent as far as its tag tells.
    func settle(_ key: ObjectKey, _ word: String, _ failure: S3Failure, _ digest: [UInt8]? = nil) async throws(ObjectStoreError) -> ObjectTag {
        let answer: HTTPAnswer
        do throws(S3Failure) { answer = try await client.send(S3Request(method: "HEAD", key: full(key))) } catch {
            // Nothing there any more, or nobody says: the write may have been, and have been removed.
            let reason = error.kind == .notFound && failure.kind == .alreadyExists ? "the object was there and is gone" : failure.reason
            let kind = failure.kind == .alreadyExists ? .unavailable : failure.kind
            throw ObjectStoreError(kind, place: at(key), reason, mayHaveBeenApplied: true)
        }
        if answer.header(Self.wordHeader) == word {
            if let fault = Self.tagFault(answer, digest) { throw error(fault, key) }
            return Self.tag(answer)
        }
        throw ObjectStoreError(.alreadyExists, place: at(key), "another object has this key")
    }

    // MARK: - Names, tags, errors

    func full(_ key: ObjectKey) -> String { configuration.prefix.isEmpty ? key.text : configuration.prefix + "/" + key.text }
    func at(_ key: ObjectKey) -> String { place + "/" + key.text }

    func error(_ kind: ObjectStoreError.Kind, _ key: ObjectKey, _ reason: String) -> ObjectStoreError { ObjectStoreError(kind, place: at(key), reason) }

    func error(_ failure: S3Failure, _ key: ObjectKey) -> ObjectStoreError {
        ObjectStoreError(failure.kind, place: at(key), failure.kind == .notFound ? "no such object" : failure.reason, mayHaveBeenApplied: failure.isUncertain)
    }

    private func sent(_ request: S3Request, _ key: ObjectKey) async throws(ObjectStoreError) -> HTTPAnswer {
        do throws(S3Failure) { return try await client.send(request) } catch {
            var failure = error
            failure.isUncertain = false // a read
            throw self.error(failure, key)
        }
    }

    static func tag(_ answer: HTTPAnswer) -> ObjectTag { ObjectTag((answer.header("etag") ?? "").filter { $0 != "\"" }) }

    /// The tag where it is the MD5 of the bytes: not with parts, nor where the server encrypts with keys of its own making.
    static func plainTag(_ answer: HTTPAnswer) -> String? {
        let tag = tag(answer).text
        let isEncrypted = answer.header("x-amz-server-side-encryption")?.contains("kms") == true || answer.header("x-amz-server-side-encryption-customer-algorithm") != nil
        return tag.utf8.count == 32 && !isEncrypted ? tag : nil
    }

    static func tagFault(_ answer: HTTPAnswer, _ digest: [UInt8]?) -> S3Failure? {
        guard let digest, let tag = plainTag(answer), tag != Hexadecimal.text(digest) else { return nil }
        return S3Failure(kind: .damaged, status: answer.status, reason: "the store has other bytes than were sent", isRetryable: true, isUncertain: true)
    }
}

/// The bytes of a ranged answer, once it is the range asked for.
private struct ContentRange {
    let bytes: [UInt8]

    init?(_ answer: HTTPAnswer, asked: Range<Int>) {
        if answer.status == 200 {
            // A server that knows no ranges sends all; what is bounded has come, so the part can be cut out.
            bytes = Array(answer.body[asked.clamped(to: 0..<answer.body.count)])
            return
        }
        // "bytes 0-9/443", where the end is the last byte's place
        guard answer.status == 206, let text = answer.header("content-range"), text.hasPrefix("bytes ") else { return nil }
        let numbers = text.dropFirst(6).split(whereSeparator: { $0 == "-" || $0 == "/" }).map { Int($0) }
        guard numbers.count == 3, let first = numbers[0], let last = numbers[1], let total = numbers[2],
            first == asked.lowerBound, last >= first, last == min(asked.upperBound, total) - 1, answer.body.count == last - first + 1
        else { return nil }
        bytes = answer.body
    }
}

enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 { out.append(place <= group.count ? digits[value >> (18 - 6 * place) & 63] : UInt8(ascii: "=")) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
