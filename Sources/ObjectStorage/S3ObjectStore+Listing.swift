// Listings by ListObjectsV2. Keys come percent-encoded, so that any byte survives XML; order and prefix are checked, not believed.

package import Storage

extension S3ObjectStore {
    package func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        try request.checked(in: place)
        let base = configuration.prefix.isEmpty ? "" : configuration.prefix + "/"
        var wire = S3Request(method: "GET", key: nil, answerBytesMax: 16 << 20)
        wire.query = [("list-type", "2"), ("max-keys", String(request.limit)), ("encoding-type", "url"), ("prefix", base + request.prefix)]
        if request.byFolder { wire.query.append(("delimiter", "/")) }
        if let token = request.continuation { wire.query.append(("continuation-token", token)) }
        if let after = request.after { wire.query.append(("start-after", base + after)) }
        let answer = try await asked(wire, "listing")
        guard let root = S3XML.parse(answer.body), root.name == "ListBucketResult" else { throw strange("no listing came") }

        var page = ObjectPage()
        let isEncoded = root.text(of: "EncodingType") == "url"
        for entry in root.all("Contents") {
            guard let key = name(entry.text(of: "Key"), base, isEncoded), key.utf8.starts(with: request.prefix.utf8) else { throw strange("a key that was not asked for") }
            guard let size = entry.text(of: "Size").flatMap({ Int($0) }), size >= 0 else { throw strange("an object without a size") }
            // What others put beside ours, as "folder/" of nothing.
            if ObjectKey.fault(key) == nil { page.objects.append(.init(key: key, size: size)) }
        }
        for entry in root.all("CommonPrefixes") {
            guard let folder = name(entry.text(of: "Prefix"), base, isEncoded), folder.utf8.starts(with: request.prefix.utf8) else { throw strange("a folder that was not asked for") }
            if ObjectKey.fault(String(folder.dropLast())) == nil { page.folders.append(folder) }
        }
        guard isRising(page.objects.map(\.key)), isRising(page.folders), page.objects.count + page.folders.count <= request.limit else {
            throw strange("a listing out of order")
        }
        if root.text(of: "IsTruncated") == "true" {
            guard let token = root.text(of: "NextContinuationToken"), !token.isEmpty, token != request.continuation else { throw strange("a listing cut short") }
            page.next = token
        }
        return page
    }

    /// Multipart uploads that were begun and neither finished nor aborted; at most 1,000.
    package func unfinishedUploads() async throws(ObjectStoreError) -> [(key: String, upload: String)] {
        let base = configuration.prefix.isEmpty ? "" : configuration.prefix + "/"
        var wire = S3Request(method: "GET", key: nil, answerBytesMax: 16 << 20)
        wire.query = [("uploads", nil), ("encoding-type", "url"), ("prefix", base)]
        let answer = try await asked(wire, "uploads")
        guard let root = S3XML.parse(answer.body), root.name == "ListMultipartUploadsResult" else { throw strange("no list of uploads came") }
        let isEncoded = root.text(of: "EncodingType") == "url"
        return root.all("Upload").compactMap { entry in
            guard let key = name(entry.text(of: "Key"), base, isEncoded), let upload = entry.text(of: "UploadId") else { return nil }
            return (key, upload)
        }
    }

    /// Aborts every unfinished upload under this store's prefix; gives how many. For the one who owns it: another's running upload ends too.
    @discardableResult
    package func sweep() async throws(ObjectStoreError) -> Int {
        var swept = 0
        for _ in 0..<100 {
            let uploads = try await unfinishedUploads()
            if uploads.isEmpty { break }
            for (key, upload) in uploads {
                let key = try ObjectKey(key, in: place)
                do throws(S3Failure) {
                    _ = try await client.send(S3Request(method: "DELETE", key: full(key), query: [("uploadId", upload)]))
                    swept += 1
                } catch { if error.kind != .notFound { throw self.error(error, key) } }
            }
        }
        return swept
    }

    // MARK: -

    private func asked(_ wire: S3Request, _ what: String) async throws(ObjectStoreError) -> HTTPAnswer {
        do throws(S3Failure) { return try await client.send(wire) } catch {
            // There is nothing that a listing could not find but the bucket.
            let kind: ObjectStoreError.Kind = error.kind == .notFound ? .denied : error.kind
            throw ObjectStoreError(kind, place: place, "\(what): \(error.reason)")
        }
    }

    private func strange(_ reason: String) -> ObjectStoreError { ObjectStoreError(.damaged, place: place, "listing: \(reason)") }

    private func name(_ text: String?, _ base: String, _ isEncoded: Bool) -> String? {
        guard let text, let key = isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) : text, key.utf8.starts(with: base.utf8) else { return nil }
        return String(Substring(key.utf8.dropFirst(base.utf8.count)))
    }

    private func isRising(_ keys: [String]) -> Bool { zip(keys, keys.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
