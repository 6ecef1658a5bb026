// The file index.json: what an index is, as text a person can read. Line 1 is the description, line 2 the
// CRC-32C of line 1 (ChecksummedJSON). Replaced atomically.
//
//     {"format":1,"name":...,"uuid":...,"created":...,"settings":{...},"mappings":{...},"aliases":{...}}
//     {"crc32c":"1a2b3c4d"}

package import JSON
internal import Storage

struct IndexFile {
    static let name = "index.json"
    static let version: Int64 = 1

    var name: String
    var uuid: String
    var created: Int64
    var settings: JSONObject
    var mappings: JSONObject
    var aliases: [IndexAlias]

    func encoded() -> [UInt8] {
        ChecksummedJSON.encode(JSONObject([
            ("format", .integer(Self.version)), ("name", .string(name)), ("uuid", .string(uuid)), ("created", .integer(created)),
            ("settings", .object(settings)), ("mappings", .object(mappings)),
            ("aliases", .object(JSONObject(aliases.map { ($0.name, .object($0.json)) }))),
        ]))
    }

    static func decode(_ bytes: [UInt8], path: String) throws(EngineError) -> IndexFile {
        let parsed: JSONObject
        do throws(StorageError) { parsed = try ChecksummedJSON.decode(bytes, format: version, path: path) } catch { throw EngineError(error) }
        guard let name = parsed["name"]?.string, let uuid = parsed["uuid"]?.string, let created = parsed["created"]?.integer,
            let settings = parsed["settings"]?.object, let mappings = parsed["mappings"]?.object, let aliases = parsed["aliases"]?.object
        else { throw EngineError(StorageError(.corrupt, path: path, "a member is missing", at: 0)) }
        return IndexFile(
            name: name, uuid: uuid, created: created, settings: settings, mappings: mappings,
            aliases: try aliases.members.map { (member) throws(EngineError) in try IndexAlias(name: member.key, json: member.value) })
    }
}

extension IndexAlias {
    /// As GET _alias shows it.
    package var json: JSONObject {
        var o = JSONObject()
        if let filter { o["filter"] = .object(filter) }
        if let indexRouting { o["index_routing"] = .string(indexRouting) }
        if let searchRouting { o["search_routing"] = .string(searchRouting) }
        if let isWriteIndex { o["is_write_index"] = .bool(isWriteIndex) }
        if let isHidden { o["is_hidden"] = .bool(isHidden) }
        return o
    }

    /// From the body of an alias definition.
    package init(name: String, json: JSONValue) throws(EngineError) {
        self.init(name: name)
        guard let members = json.object else {
            if json.isNull { return }
            throw .illegalArgument("alias [\(name)] must be an object")
        }
        for (key, value) in members {
            switch key {
            case "filter": filter = value.object
            case "routing": (indexRouting, searchRouting) = (value.string ?? value.integer.map { String($0) }, value.string ?? value.integer.map { String($0) })
            case "index_routing", "indexRouting": indexRouting = value.string ?? value.integer.map { String($0) }
            case "search_routing", "searchRouting": searchRouting = value.string ?? value.integer.map { String($0) }
            case "is_write_index": isWriteIndex = value.boolean
            case "is_hidden": isHidden = value.boolean
            default: throw .illegalArgument("Unknown field [\(key)] in alias [\(name)]; known are filter, routing, index_routing, search_routing, is_write_index and is_hidden")
            }
        }
    }
}
