// One object written by parts: S3's multipart upload, begun when a first part is full.
//
//     append   collects `partBytes`, then POST ?uploads once, and PUT ?partNumber&uploadId for each part
//     finish   POST ?uploadId with the parts' tags; all in one part: a plain put
//     abort    DELETE ?uploadId
//
// `ifAbsent` where the server ignores `If-None-Match` on completion (Ceph 16 does; the default is not to trust it): everything is kept until
// `finish`, up to `ObjectLimits.putBytesMax`, and goes as one conditional put. With `conditional-complete=true` it goes by parts of any number.
//
// Invariants
//     1  A completion answered with 200 may still be an error, in its body: read before it is believed.
//     2  After a lost answer to the completion, the word in the object's metadata tells whether it is ours.

internal import Secrets
internal import Storage
import Synchronization

final class S3Upload: ObjectUpload {
    private struct Part { let tag: String, digest: [UInt8]? }
    private struct State {
        var pending: [UInt8] = []
        var parts: [Part] = []
        var upload: String?
        var bytes = 0
        var isOpen = true
    }
    private let store: S3ObjectStore
    private let key: ObjectKey
    private let ifAbsent: Bool
    private let word = S3ObjectStore.newWord()
    private let state = Mutex(State())
    private static let partsMax = 10_000

    init(store: S3ObjectStore, key: ObjectKey, ifAbsent: Bool) { (self.store, self.key, self.ifAbsent) = (store, key, ifAbsent) }

    deinit {
        guard let upload = state.withLock({ $0.isOpen ? $0.upload : nil }) else { return }
        // Nobody waits for it; what fails here, `sweep` finds.
        Task.detached { [store, key] in _ = try? await store.client.send(S3Request(method: "DELETE", key: store.full(key), query: [("uploadId", upload)])) }
    }

    func append(_ bytes: [UInt8]) async throws(ObjectStoreError) {
        let isKept = ifAbsent && !store.configuration.isCompleteConditional, partBytes = max(store.configuration.partBytes, 5 << 20)
        try state.withLock { s throws(ObjectStoreError) in
            guard s.isOpen else { throw store.error(.invalid, key, "the upload has ended") }
            s.bytes += bytes.count
            guard s.bytes <= ObjectLimits.uploadBytesMax else { throw store.error(.invalid, key, "larger than \(ObjectLimits.uploadBytesMax) bytes") }
            if isKept, s.bytes > ObjectLimits.putBytesMax {
                throw store.error(
                    .invalid, key, "more than \(ObjectLimits.putBytesMax) bytes with ifAbsent need conditional-complete=true, on a server that honours it")
            }
            s.pending += bytes
        }
        if isKept { return }
        while let part = state.withLock({ s -> [UInt8]? in
            // A last byte stays, so that no empty part is ever due.
            guard s.pending.count > partBytes else { return nil }
            let part = Array(s.pending[..<partBytes])
            s.pending.removeFirst(partBytes)
            return part
        }) { try await send(part) }
    }

    func finish() async throws(ObjectStoreError) -> ObjectTag {
        let (isOpen, rest, isPlain) = state.withLock { s in
            defer { s.pending = [] }
            return (s.isOpen, s.pending, s.upload == nil)
        }
        guard isOpen else { throw store.error(.invalid, key, "the upload has ended") }
        if isPlain {
            state.withLock { $0.isOpen = false }
            return try await store.put(key.text, rest, ifAbsent: ifAbsent)
        }
        try await send(rest)
        let tag = try await complete()
        state.withLock { $0.isOpen = false }
        return tag
    }

    func abort() async {
        let upload = state.withLock { s in
            defer { (s.isOpen, s.pending, s.upload) = (false, [], nil) }
            return s.isOpen ? s.upload : nil
        }
        guard let upload else { return }
        let request = S3Request(method: "DELETE", key: store.full(key), query: [("uploadId", upload)]), client = store.client
        // In a task of its own: who gives up is often cancelled, and its parts would stay for ever.
        await Task.detached { _ = try? await client.send(request) }.value
    }

    // MARK: -

    private func send(_ bytes: [UInt8]) async throws(ObjectStoreError) {
        let upload = try await begun()
        let number = state.withLock { $0.parts.count + 1 }
        guard number <= Self.partsMax else { throw store.error(.invalid, key, "more than \(Self.partsMax) parts") }
        let digest = MD5.hash(bytes)
        var request = S3Request(method: "PUT", key: store.full(key), query: [("partNumber", String(number)), ("uploadId", upload)], body: bytes)
        if let digest { request.headers.append(("content-md5", Base64.encode(digest))) }
        request.check = { answer in S3ObjectStore.tagFault(answer, digest) }
        do throws(S3Failure) {
            let tag = S3ObjectStore.tag(try await store.client.send(request)).text
            state.withLock { $0.parts.append(Part(tag: tag, digest: tag.utf8.count == 32 ? digest : nil)) }
        } catch { throw failed(error) }
    }

    /// The upload's id, asked for once.
    private func begun() async throws(ObjectStoreError) -> String {
        if let upload = state.withLock({ $0.upload }) { return upload }
        var request = S3Request(method: "POST", key: store.full(key), query: [("uploads", nil)])
        request.headers = [(S3ObjectStore.wordHeader, word)]
        let answer: HTTPAnswer
        do throws(S3Failure) { answer = try await store.client.send(request) } catch { throw failed(error) }
        guard let upload = S3XML.parse(answer.body)?.text(of: "UploadId"), !upload.isEmpty, upload.utf8.count <= 4096 else {
            throw store.error(.damaged, key, "no upload id came")
        }
        state.withLock { $0.upload = upload }
        return upload
    }

    private func complete() async throws(ObjectStoreError) -> ObjectTag {
        let (upload, parts) = state.withLock { ($0.upload ?? "", $0.parts) }
        var body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for (place, part) in parts.enumerated() { body += "<Part><PartNumber>\(place + 1)</PartNumber><ETag>\"\(S3XML.escaped(part.tag))\"</ETag></Part>" }
        body += "</CompleteMultipartUpload>"
        var request = S3Request(method: "POST", key: store.full(key), query: [("uploadId", upload)], body: Array(body.utf8))
        if ifAbsent { request.headers.append(("if-none-match", "*")) }
        request.check = { [configuration = store.configuration] answer in
            guard let root = S3XML.parse(answer.body) else {
                return S3Failure(kind: .unavailable, status: answer.status, reason: "the answer to the completion was cut", isRetryable: true, isUncertain: true)
            }
            guard root.name == "Error" else { return nil }
            return S3Client.failure(
                status: answer.status, code: root.text(of: "Code") ?? "InternalError", message: root.text(of: "Message") ?? "", configuration)
        }
        do throws(S3Failure) {
            let answer = try await store.client.send(request)
            var tag = (S3XML.parse(answer.body)?.text(of: "ETag") ?? "").filter { $0 != "\"" }
            if tag.isEmpty {
                // Ceph 16 leaves it out. What is there may have been replaced by another's already: then there is nothing to compare.
                let head = try await store.client.send(S3Request(method: "HEAD", key: store.full(key)))
                tag = S3ObjectStore.tag(head).text
                if head.header(S3ObjectStore.wordHeader) != word { return ObjectTag(tag) }
            }
            return try checked(ObjectTag(tag), parts)
        } catch {
            // NoSuchUpload: a try before this one went through, or somebody aborted it.
            guard error.isUncertain || error.kind == .alreadyExists || error.code == "NoSuchUpload", error.kind != .cancelled else { throw failed(error) }
            var failure = error
            if error.kind == .notFound { (failure.kind, failure.reason) = (.unavailable, "the upload is gone: \(error.reason)") }
            return try await settled(failure, parts)
        }
    }

    private func settled(_ failure: S3Failure, _ parts: [Part]) async throws(ObjectStoreError) -> ObjectTag {
        let tag: ObjectTag
        do throws(ObjectStoreError) { tag = try await store.settle(key, word, failure) } catch {
            // Another's object there says nothing against an upload that would have replaced it.
            if error.kind == .alreadyExists, !ifAbsent { throw ObjectStoreError(.unavailable, place: error.place, failure.reason, mayHaveBeenApplied: true) }
            throw error
        }
        do throws(S3Failure) { return try checked(tag, parts) } catch { throw store.error(error, key) }
    }

    /// S3's tag of an object by parts is the MD5 of its parts' MD5s and their number.
    private func checked(_ tag: ObjectTag, _ parts: [Part]) throws(S3Failure) -> ObjectTag {
        let digests = parts.compactMap(\.digest)
        guard digests.count == parts.count, let digest = MD5.hash(digests.flatMap { $0 }), tag.text.utf8.dropFirst(32).first == UInt8(ascii: "-") else { return tag }
        if tag.text == Hexadecimal.text(digest) + "-\(parts.count)" { return tag }
        throw S3Failure(kind: .damaged, status: 200, reason: "the parts were put together otherwise than they were sent", isUncertain: true)
    }

    private func failed(_ failure: S3Failure) -> ObjectStoreError {
        // Parts are not the object: unless the completion was asked for, nothing can have been applied.
        var failure = failure
        if failure.kind == .notFound { (failure.kind, failure.reason) = (.unavailable, "the upload is gone: \(failure.reason)") }
        return store.error(failure, key)
    }
}
