// Text that a person can read and a machine can trust: line 1 is JSON, line 2 the CRC-32C of line 1. Bytes that read wrong are damage.
//
//     {"format":1,...}
//     {"crc32c":"1a2b3c4d"}

internal import Bytes
internal import JSON
internal import Storage

enum ChecksummedJSON {
    static func encode(_ object: JSONObject) -> [UInt8] {
        let body = JSONValue.object(object).serialized()
        return body + tail(of: body)
    }

    /// - Parameter format: the newest format known, which the text must have.
    static func decode(_ bytes: [UInt8], format known: Int64, path: String) throws(StorageError) -> JSONObject {
        func damaged(_ reason: String, _ offset: Int) -> StorageError { StorageError(.corrupt, path: path, reason, at: offset) }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw damaged("cut short", bytes.count) }
        let body = Array(bytes[..<end])
        guard Array(bytes[end...]) == tail(of: body) else { throw damaged("checksum differs", end + 1) }
        let parsed: JSONValue
        do throws(JSONError) { parsed = try JSONValue.parse(body) } catch { throw damaged("no JSON", 0) }
        guard let object = parsed.object, let format = object["format"]?.integer else { throw damaged("no format number", 0) }
        guard format == known else { throw StorageError(format > known ? .tooNew : .tooOld, path: path, "format \(format); this build reads \(known)") }
        return object
    }

    private static func tail(of body: [UInt8]) -> [UInt8] { Array("\n{\"crc32c\":\"\(hex(CRC32C.of(body)))\"}\n".utf8) }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
