// A CSV file (RFC 4180, packed or not) as rows of text, columns found by their names in the head line. Texts stay texts: an amount is not a double.

import BulkInput

struct CSVTable {
    /// Which row of the file, from 2: the head line is 1.
    struct Record {
        let line: Int
        fileprivate let fields: [String]
        subscript(_ column: Int) -> String { column < fields.count ? fields[column] : "" }
    }

    let columns: [String]
    let records: [Record]
    private static let bytesMax = 1 << 30

    struct Failure: Error { let reason: String }

    init(path: String) throws(Failure) {
        do { try self.init(.file(path), path) } catch let error as Failure { throw error } catch { throw Failure(reason: "\(path): \(error)") }
    }

    init(_ source: ByteSource, _ name: String) throws {
        var bytes: [UInt8] = []
        while try source.more(&bytes) { if bytes.count > CSVTable.bytesMax { throw Failure(reason: "\(name): more than 1 GiB unpacked; split it") } }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var rows = CSVTable.rows(bytes)
        guard !rows.isEmpty else { throw Failure(reason: "\(name): a head line with column names was expected") }
        columns = rows.removeFirst().fields
        records = rows
    }

    /// The places of columns that must be there.
    func places(_ names: String..., in file: String) throws(Failure) -> [Int] {
        var found: [Int] = []
        for name in names {
            guard let at = columns.firstIndex(of: name) else { throw Failure(reason: "\(file): there is no column \(name)") }
            found.append(at)
        }
        return found
    }

    // MARK: -

    private static func rows(_ bytes: [UInt8]) -> [Record] {
        var rows: [Record] = [], fields: [String] = [], field: [UInt8] = []
        var isQuoted = false, line = 1, startLine = 1, at = 0
        func isBlank() -> Bool { fields.isEmpty && field.isEmpty }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if isQuoted {
                if byte != UInt8(ascii: "\"") {
                    field.append(byte)
                } else if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
                    field.append(byte)
                    at += 1
                } else {
                    isQuoted = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
            case UInt8(ascii: ","):
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            case UInt8(ascii: "\r") where at < bytes.count && bytes[at] == UInt8(ascii: "\n"): break
            case UInt8(ascii: "\n"):
                if !isBlank() { rows.append(Record(line: startLine, fields: fields + [String(decoding: field, as: UTF8.self)])) }
                fields.removeAll(keepingCapacity: true)
                field.removeAll(keepingCapacity: true)
                startLine = line
            default: field.append(byte)
            }
        }
        if !isBlank() { rows.append(Record(line: startLine, fields: fields + [String(decoding: field, as: UTF8.self)])) }
        return rows
    }
}
