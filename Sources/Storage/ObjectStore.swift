// A store of whole objects under keys, as S3 has it: the seam between those who keep things (the archive, staging, snapshots) and where they
// lie. Behind it a folder (`FolderObjectStore`) or an S3 server (`S3ObjectStore` in ObjectStorage).
//
// What every store promises; `ObjectStoreContract` in IsothermTesting runs it against each:
//     1  An object is seen whole or not at all; once `put` or `finish` returned it is durable and every later read and listing shows it.
//     2  Of several `ifAbsent` writers of one key exactly one succeeds; the others get `.alreadyExists`.
//     3  An `ifAbsent` writer whose own write went through is never told `.alreadyExists`, also where an answer was lost and the write retried.
//        When a store cannot find out it says so: `.unavailable` with `mayHaveBeenApplied`.
//     4  Listings come in the order of the keys' UTF-8 bytes and show objects only: nothing half written, nothing of the store's own.
//     5  Bytes read are the bytes written, or the read fails with `.damaged`.

package protocol ObjectStore: AnyObject, Sendable {
    /// Where this is, for messages, as "s3://bucket/prefix"; no secrets.
    var place: String { get }

    /// Stores a whole object and gives its tag. Replaces what was there, or with `ifAbsent` throws `.alreadyExists`.
    /// At most `ObjectLimits.putBytesMax` bytes; larger ones by `upload`.
    @discardableResult
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag

    /// Begins an object that is written by parts; nothing of it is seen before `finish` returned.
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload

    /// All bytes. At most `ObjectLimits.getBytesMax`; larger ones by ranges.
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8]

    /// The bytes at these offsets, cut at the object's end (none, when it begins past that). An empty range asks nobody.
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8]

    /// Size and tag; `.notFound` when there is no such object.
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead

    /// Removes the object; one that is not there is no error.
    func delete(_ key: String) async throws(ObjectStoreError)

    /// A page of what is there, in byte order of the keys.
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage
}

/// An object being written by parts. One caller at a time. Letting go of it without `finish` leaves nothing that a listing shows; `abort`
/// also gives the space back at once.
package protocol ObjectUpload: AnyObject, Sendable {
    /// Takes the next bytes, any number; the store cuts them into parts of a bounded size.
    func append(_ bytes: [UInt8]) async throws(ObjectStoreError)
    /// Makes the object of all that was appended.
    @discardableResult
    func finish() async throws(ObjectStoreError) -> ObjectTag
    /// Gives up; also after a failed `append` or `finish`. Calling it again, or after `finish` returned, does nothing.
    func abort() async
}

/// The same tag means the same bytes; other bytes have another tag. Not a digest to be compared across stores.
package struct ObjectTag: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

package struct ObjectHead: Hashable, Sendable {
    package let size: Int
    package let tag: ObjectTag
    package init(size: Int, tag: ObjectTag) { (self.size, self.tag) = (size, tag) }
}

package struct ObjectListRequest: Sendable {
    /// Keys that begin with these characters, "" for all; a prefix need not end at a "/".
    package var prefix: String
    /// Keys strictly after this one, in byte order. Not with `byFolder`.
    package var after: String?
    /// Keys that hold a "/" after the prefix are not listed: each "folder" comes once, in `folders`.
    package var byFolder: Bool
    /// At most this many objects and folders together, 1...1,000.
    package var limit: Int
    /// `ObjectPage.next` of the page before, with all else unchanged.
    package var continuation: String?

    package init(prefix: String = "", after: String? = nil, byFolder: Bool = false, limit: Int = ObjectLimits.listMax, continuation: String? = nil) {
        (self.prefix, self.after, self.byFolder, self.limit, self.continuation) = (prefix, after, byFolder, limit, continuation)
    }
}

package struct ObjectPage: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let key: String
        package let size: Int
        package init(key: String, size: Int) { (self.key, self.size) = (key, size) }
    }
    package var objects: [Entry]
    /// What the keys left out by `byFolder` begin with, up to and with the "/".
    package var folders: [String]
    /// Given when there is more.
    package var next: String?
    package init(objects: [Entry] = [], folders: [String] = [], next: String? = nil) {
        (self.objects, self.folders, self.next) = (objects, folders, next)
    }
}

package enum ObjectLimits {
    package static let keyBytesMax = 1024
    package static let keyPartBytesMax = 200
    package static let listMax = 1000
    package static let putBytesMax = 256 << 20
    package static let getBytesMax = 1 << 30
    package static let uploadBytesMax = 64 << 30
}

extension ObjectStore {
    @discardableResult
    package func put(_ key: String, _ bytes: [UInt8]) async throws(ObjectStoreError) -> ObjectTag { try await put(key, bytes, ifAbsent: false) }

    package func upload(_ key: String) async throws(ObjectStoreError) -> any ObjectUpload { try await upload(key, ifAbsent: false) }

    /// Nil where there is none.
    package func headIfPresent(_ key: String) async throws(ObjectStoreError) -> ObjectHead? {
        do { return try await head(key) } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// Every object under a prefix, page by page; throws `.invalid` past `max`.
    package func listAll(prefix: String, max: Int = 1_000_000) async throws(ObjectStoreError) -> [ObjectPage.Entry] {
        var all: [ObjectPage.Entry] = []
        var request = ObjectListRequest(prefix: prefix)
        while true {
            let page = try await list(request)
            all += page.objects
            guard all.count <= max else {
                throw ObjectStoreError(.invalid, place: place + "/" + prefix, "more than \(max) objects; list it by pages")
            }
            guard let next = page.next else { return all }
            request.continuation = next
        }
    }
}
