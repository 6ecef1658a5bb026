// Files into a repository and out of it, block by block: neither way needs more memory than a few blocks.

internal import Bytes
internal import Segments
internal import Storage

extension SnapshotRepository {
    /// Objects of up to so many bytes are put at once.
    private static let putBytesMax = 8 << 20
    /// Of one ranged read.
    private static let windowBytes = 4 << 20

    // MARK: - In

    /// Uploads a file that the repository has not. A segment's own checksums are compared first: damage is not carried on.
    func upload(_ file: PinnedCommit.File, as name: String, _ progress: SnapshotProgress) async throws(EngineError) -> Blob {
        let bytes = file.bytes, wants = packs, isSegment = file.isSegment
        let isPacked: Bool
        do throws(StorageError) {
            isPacked = try await Self.pool.run { () throws(StorageError) in
                if isSegment { try SegmentFile(bytes, length: bytes.count).verifyAll() }
                return wants && bytes.withBytes { BlobFormat.pays($0) }
            }
        } catch { throw EngineError(error) }
        var blob = Blob(name: name, bytes: bytes.count, stored: 0, isPacked: isPacked, digest: "")
        do throws(ObjectStoreError) { try await upload(bytes, &blob) } catch { throw failure(error) }
        bytes.letPagesGo()
        progress.file(blob.bytes)
        return blob
    }

    private func upload(_ bytes: MappedBytes, _ blob: inout Blob) async throws(ObjectStoreError) {
        let isPacked = blob.isPacked, key = "blobs/" + blob.name
        var digest = FileDigest(), waiting = isPacked ? BlobFormat.header(length: bytes.count) : [], open: (any ObjectUpload)?
        do throws(ObjectStoreError) {
            for at in stride(from: 0, to: bytes.count, by: BlobFormat.blockBytes) {
                let end = min(bytes.count, at + BlobFormat.blockBytes)
                let (hash, stored) = await Self.pool.run { Self.block(bytes, at..<end, isPacked) }
                digest.add(hash: hash, length: end - at)
                waiting += stored
                guard waiting.count > Self.putBytesMax else { continue }
                if open == nil { open = try await store.upload(key) }
                try await open?.append(waiting)
                blob.stored += waiting.count
                waiting = []
            }
            blob.stored += waiting.count
            blob.digest = digest.text
            if let open {
                try await open.append(waiting)
                try await open.finish()
            } else { try await store.put(key, waiting) }
        } catch {
            await open?.abort()
            throw error
        }
    }

    private static func block(_ bytes: MappedBytes, _ range: Range<Int>, _ isPacked: Bool) -> (hash: UInt64, stored: [UInt8]) {
        bytes.withBytes { span in
            let block = span.extracting(range)
            // Safe: the hash and the copy are made before the pointer ends.
            let hash = unsafe block.withUnsafeBytes { unsafe XXHash64.of($0) }
            return (hash, isPacked ? BlobFormat.block(block) : unsafe block.withUnsafeBytes { unsafe Array($0) })
        }
    }

    // MARK: - Out

    /// Writes the file anew, synced. When this throws, what was written is the caller's to remove.
    func fetch(_ blob: Blob, into directory: any Directory, as name: String) async throws(EngineError) {
        let file: any WritableFile
        do throws(StorageError) { file = try await Self.pool.run { () throws(StorageError) in try directory.create(name) } } catch { throw EngineError(error) }
        try await read(blob) { block async throws(EngineError) in
            do throws(StorageError) { try await Self.pool.run { () throws(StorageError) in try file.append(block) } } catch { throw EngineError(error) }
        }
        do throws(StorageError) {
            try await Self.pool.run { () throws(StorageError) in
                try file.sync()
                try file.close()
            }
        } catch { throw EngineError(error) }
    }

    /// Hands out the file's bytes, a block at a time, and compares the digest at the end: nothing counts before this has returned.
    func read(_ blob: Blob, _ take: (_ block: [UInt8]) async throws(EngineError) -> Void) async throws(EngineError) {
        let key = "blobs/" + blob.name
        func damaged(_ reason: String) -> EngineError { failure(ObjectStoreError(.damaged, place: store.place + "/" + key, reason)) }
        var reader = BlobReader(store: store, key: key, length: blob.stored, window: Self.windowBytes), digest = FileDigest()
        do throws(BlobFailure) {
            if blob.isPacked {
                let header = try await reader.take(BlobFormat.headerBytes)
                do throws(Corruption) { try BlobFormat.check(header: header, length: blob.bytes) } catch { throw .damaged(error.reason) }
            }
            while digest.length < blob.bytes {
                do throws(EngineError) { try checking() } catch { throw .refused(error) }
                let length = min(BlobFormat.blockBytes, blob.bytes - digest.length)
                let block = blob.isPacked ? try await Self.unpacked(&reader, length) : try await reader.take(length)
                digest.add(hash: await Self.pool.run { XXHash64.of(block) }, length: length)
                do throws(EngineError) { try await take(block) } catch { throw .refused(error) }
            }
            guard try await reader.isAtEnd() else { throw .damaged("longer than it should be") }
            guard digest.text == blob.digest else { throw .damaged("its digest is \(digest.text), not \(blob.digest)") }
        } catch {
            switch error {
            case .store(let error): throw failure(error)
            case .damaged(let reason): throw damaged(reason)
            case .refused(let error): throw error
            }
        }
    }

    private static func unpacked(_ reader: inout BlobReader, _ length: Int) async throws(BlobFailure) -> [UInt8] {
        let head = try await reader.take(BlobFormat.blockHeaderBytes), stored: Int, isPacked: Bool, checksum: UInt32
        do throws(Corruption) { (stored, isPacked, checksum) = try BlobFormat.blockHeader(head) } catch { throw .damaged(error.reason) }
        let bytes = try await reader.take(stored)
        do throws(Corruption) {
            return try await pool.run { () throws(Corruption) in try BlobFormat.unpack(bytes, isPacked: isPacked, checksum: checksum, length: length) }
        } catch { throw .damaged(error.reason) }
    }
}

private enum BlobFailure: Error {
    case store(ObjectStoreError), damaged(String), refused(EngineError)
}

/// An object's bytes in order, by ranges.
private struct BlobReader {
    let store: any ObjectStore
    let key: String
    /// That the object should have.
    let length: Int
    let window: Int
    private var buffer: [UInt8] = []
    private var used = 0
    private var next = 0

    init(store: any ObjectStore, key: String, length: Int, window: Int) { (self.store, self.key, self.length, self.window) = (store, key, length, window) }

    mutating func take(_ count: Int) async throws(BlobFailure) -> [UInt8] {
        while buffer.count - used < count { guard try await more() else { throw .damaged("cut short, or impossible lengths within") } }
        defer { used += count }
        return Array(buffer[used..<used + count])
    }

    mutating func isAtEnd() async throws(BlobFailure) -> Bool {
        if used < buffer.count || next < length { return false }
        return next > length ? false : try await !more()
    }

    /// The last window asks for one byte more than there should be.
    private mutating func more() async throws(BlobFailure) -> Bool {
        if next > length { return false }
        let range = next..<min(next + window, length + 1), bytes: [UInt8]
        do throws(ObjectStoreError) { bytes = try await store.get(key, range) } catch { throw .store(error) }
        guard !bytes.isEmpty else { return false }
        buffer.removeFirst(used)
        used = 0
        buffer += bytes
        next += bytes.count
        return true
    }
}
