// Which indexes are becoming ones together, in `restoring.json` of the data folder while they get their descriptions: whoever is stopped meanwhile has none of them.
//
//     {"format":1,"uuids":[…]}
//     {"crc32c":"1a2b3c4d"}
//
// Order matters: begun before the first description is written, ended after the last index is open. One that is found at start takes the descriptions back.

internal import JSON
internal import Storage

enum RestoreJournal {
    private static let name = "restoring.json", format: Int64 = 1

    static func begin(_ uuids: [String], _ root: any Directory) throws(EngineError) {
        do throws(StorageError) {
            try root.replace(name, with: ChecksummedJSON.encode(JSONObject([("format", .integer(format)), ("uuids", .array(uuids.map { .string($0) }))])))
        } catch { throw EngineError(error) }
    }

    static func end(_ root: any Directory) throws(EngineError) {
        do throws(StorageError) {
            if try root.length(name) == nil { return }
            try root.remove(name)
            try root.sync()
        } catch { throw EngineError(error) }
    }

    /// Takes back what a stopped restoring has begun. Before any index is opened.
    static func recover(_ root: any Directory, _ folder: any Directory) throws(EngineError) {
        do throws(StorageError) {
            if try root.length(name) == nil { return }
            let object = try ChecksummedJSON.decode(try root.read(name), format: format, path: root.path + "/" + name)
            for uuid in (object["uuids"]?.array ?? []).compactMap(\.string) {
                // A folder without a description is no index.
                guard let index = try folder.existing(uuid), try index.length(IndexFile.name) != nil else { continue }
                try index.remove(IndexFile.name)
                try index.sync()
            }
        } catch { throw EngineError(error) }
        try end(root)
    }
}
