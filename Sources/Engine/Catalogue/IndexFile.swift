// The file index.json: what an index is, as text a person can read. Line 1 is the description, line 2 the
// CRC-32C of line 1. Replaced atomically.
//
//     {"format":1,"name":...,"uuid":...,"created":...,"settings":{...},"mappings":{...},"aliases":{...}}
//     {"crc32c":"1a2b3c4d"}

internal import Bytes
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
        let body = JSONValue.object(JSONObject([
            ("format", .integer(Self.version)), ("name", .string(name)), ("uuid", .string(uuid)), ("created", .integer(created)),
            ("settings", .object(settings)), ("mappings", .object(mappings)),
            ("aliases", .object(JSONObject(aliases.map { ($0.name, .object($0.json)) }))),
        ])).serialized()
        return body + Array("\n{\"crc32c\":\"\(Self.hex(CRC32C.of(body)))\"}\n".utf8)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(EngineError) -> IndexFile {
        func damaged(_ reason: String, _ offset: Int) -> EngineError { EngineError(StorageError(.corrupt, path: path, reason, at: offset)) }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw damaged("cut short", bytes.count) }
        let body = Array(bytes[..<end])
        guard Array(bytes[end...]) == Array("\n{\"crc32c\":\"\(hex(CRC32C.of(body)))\"}\n".utf8) else { throw damaged("checksum differs", end + 1) }
        let parsed: JSONValue
        do throws(JSONError) { parsed = try JSONValue.parse(body) } catch { throw damaged("no JSON", 0) }
        guard let format = parsed["format"]?.integer else { throw damaged("no format number", 0) }
        guard format == version else {
            throw EngineError(StorageError(format > version ? .tooNew : .tooOld, path: path, "index description format \(format); this build reads \(version)"))
        }
        guard let name = parsed["name"]?.string, let uuid = parsed["uuid"]?.string, let created = parsed["created"]?.integer,
            let settings = parsed["settings"]?.object, let mappings = parsed["mappings"]?.object, let aliases = parsed["aliases"]?.object
        else { throw damaged("a member is missing", 0) }
        return IndexFile(
            name: name, uuid: uuid, created: created, settings: settings, mappings: mappings,
            aliases: try aliases.members.map { (member) throws(EngineError) in try IndexAlias(name: member.key, json: member.value) })
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
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
