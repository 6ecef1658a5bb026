// A page of the keys in a folder and the folders below, in byte order of the whole keys, as S3 lists them.
//
// In each folder files and folders are sorted together, a folder as its name with a "/": then walking depth first meets the keys in order
// ("a-b" comes before "a/b", since "-" < "/"; no two names of a folder confuse, since a file and a folder cannot have the same).
// A folder whose keys all lie before the start of the page is not entered, so a page costs the folders it shows and those on the way to it.
//
// Within a folder a later name is looked at no earlier than the one before it, as everywhere on S3: of an object, and a lesser one that was removed after it was made,
// one at least is seen. A folder's names are read at once, so where one has gone away since, those behind it are read anew.

struct FolderListing {
    private let prefix: [UInt8]
    /// Keys after this one; one that ends with "/" stands for a whole folder.
    private var after: [UInt8]?
    private var isAfterFolder: Bool
    private let byFolder: Bool
    private let limit: Int

    init(_ request: ObjectListRequest) {
        prefix = Array(request.prefix.utf8)
        after = (request.continuation ?? request.after).map { Array($0.utf8) }
        isAfterFolder = request.continuation?.utf8.last == UInt8(ascii: "/")
        (byFolder, limit) = (request.byFolder, request.limit)
    }

    private struct Level {
        let folder: any Directory
        let key: [UInt8]
        let entries: [[UInt8]]
        var next = 0
    }

    func page(_ root: any Directory) throws(StorageError) -> ObjectPage {
        var page = ObjectPage(), last = "", rest = self
        // Ends: each time it goes on further behind.
        while let gone = try rest.fill(&page, &last, root) { (rest.after, rest.isAfterFolder) = (gone, gone.last == UInt8(ascii: "/")) }
        return page
    }

    /// Adds to the page. Gives the first key that was there when its folder was read and is not any more; nil when the page is made.
    private func fill(_ page: inout ObjectPage, _ last: inout String, _ root: any Directory) throws(StorageError) -> [UInt8]? {
        guard let first = try start(root) else { return nil }
        var levels = [first]
        while let level = levels.last {
            guard level.next < level.entries.count else {
                levels.removeLast()
                continue
            }
            levels[levels.count - 1].next += 1
            let entry = level.entries[level.next], key = level.key + entry
            let isFolder = entry.last == UInt8(ascii: "/")
            if isBefore(key, isFolder: isFolder) { continue }

            var shown: ObjectPage.Entry?
            if isFolder {
                guard let folder = try level.folder.existing(text(entry.dropLast())) else { return key }
                if !byFolder {
                    levels.append(try Self.level(folder, key, []))
                    continue
                }
                var inner = ObjectListRequest(prefix: text(key), limit: 1)
                inner.after = after.map { text($0) }
                if try FolderListing(inner).page(root).objects.isEmpty { continue }
            } else {
                guard let status = try level.folder.status(text(entry)) else { return key }
                shown = ObjectPage.Entry(key: text(key), size: status.length)
            }
            if page.objects.count + page.folders.count == limit {
                page.next = last
                return nil
            }
            if let shown { page.objects.append(shown) } else { page.folders.append(text(key)) }
            last = text(key)
        }
        return nil
    }

    // MARK: -

    /// The folder that the prefix leads to, with those of its entries that begin with the prefix's rest.
    private func start(_ root: any Directory) throws(StorageError) -> Level? {
        var parts = prefix.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        let rest = parts.popLast() ?? []
        var here = root, key: [UInt8] = []
        for part in parts {
            guard ObjectKey.fault(text(part)) == nil, let next = try here.existing(text(part)) else { return nil }
            (here, key) = (next, key + part + [UInt8(ascii: "/")])
        }
        return try Self.level(here, key, rest)
    }

    private static func level(_ folder: any Directory, _ key: [UInt8], _ rest: [UInt8]) throws(StorageError) -> Level {
        // Names that are no key's are not ours, or half written.
        func isShown(_ name: String) -> Bool { name.utf8.starts(with: rest) && ObjectKey.fault(name) == nil }
        var entries = try folder.list().filter(isShown).map { Array($0.utf8) }
        entries += try folder.listDirectories().filter(isShown).map { Array($0.utf8) + [UInt8(ascii: "/")] }
        return Level(folder: folder, key: key, entries: entries.sorted { $0.lexicographicallyPrecedes($1) })
    }

    /// Whether this key, or all keys of this folder, come before the page.
    private func isBefore(_ key: [UInt8], isFolder: Bool) -> Bool {
        guard let after else { return false }
        if isFolder {
            if isAfterFolder, key.starts(with: after) { return true }
            return !after.starts(with: key) && key.lexicographicallyPrecedes(after)
        }
        if isAfterFolder, key.starts(with: after) { return true }
        return !after.lexicographicallyPrecedes(key)
    }

    private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}
