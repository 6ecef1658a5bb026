// hoodie.properties: what kind of table this is. Java properties text (java.util.Properties, "load"): a "key=value" a line, "\" before what
// would end a key. Written once, when the table is made, never again.
//
// The checksum is CRC-32 of "database.table" (HoodieTableConfig in apache/hudi).

internal import Bytes

package struct HudiProperties: Sendable, Equatable {
    package private(set) var entries: [(key: String, value: String)] = []

    package static func == (a: Self, b: Self) -> Bool { a.entries.elementsEqual(b.entries) { $0.key == $1.key && $0.value == $1.value } }

    package subscript(key: String) -> String? {
        get { entries.last { $0.key == key }?.value }
        set {
            entries.removeAll { $0.key == key }
            if let newValue { entries.append((key, newValue)) }
        }
    }

    /// Of a new copy-on-write table, version 6.
    package init(database: String, table: String, schema: String, buckets: Int) {
        self.init()
        for (key, value) in [
            ("hoodie.table.name", table), ("hoodie.database.name", database), ("hoodie.table.type", "COPY_ON_WRITE"), ("hoodie.table.version", "6"),
            ("hoodie.timeline.layout.version", "1"), ("hoodie.table.timeline.timezone", "UTC"), ("hoodie.table.base.file.format", "PARQUET"),
            ("hoodie.table.recordkey.fields", "order_id"), ("hoodie.table.precombine.field", "version"), ("hoodie.table.partition.fields", "year,month"),
            ("hoodie.table.keygenerator.class", "org.apache.hudi.keygen.CustomKeyGenerator"), ("hoodie.datasource.write.hive_style_partitioning", "true"),
            ("hoodie.datasource.write.partitionpath.urlencode", "false"), ("hoodie.datasource.write.drop.partition.columns", "false"),
            ("hoodie.populate.meta.fields", "true"), ("hoodie.archivelog.folder", "archived"),
            ("hoodie.compaction.payload.class", "org.apache.hudi.common.model.DefaultHoodieRecordPayload"), ("hoodie.table.create.schema", schema),
            ("hoodie.table.checksum", String(Self.checksum(database: database, table: table))), (Self.bucketsKey, String(buckets)),
        ] { self[key] = value }
    }

    package init() {}

    /// Ours: in how many file groups a partition's orders are spread.
    static let bucketsKey = "isotherm.buckets"
    static let bytesMax = 1 << 20
    /// Ours has 20. Each entry is looked for among those before it.
    static let linesMax = 1_000

    package static func checksum(database: String, table: String) -> UInt32 { CRC32.of(Array("\(database).\(table)".utf8)) }

    package var serialized: [UInt8] {
        var text = "#Written when the table was made\n"
        for entry in entries { text += Self.escaped(entry.key) + "=" + Self.escaped(entry.value) + "\n" }
        return Array(text.utf8)
    }

    /// What keeps us from reading and writing the table; nil when nothing does.
    package var fault: String? {
        for (key, wanted) in [("hoodie.table.type", "COPY_ON_WRITE"), ("hoodie.table.version", "6"), ("hoodie.timeline.layout.version", "1"), ("hoodie.table.partition.fields", "year,month")] where self[key] != wanted {
            return "\(key) is \(self[key].map { String($0.prefix(60)) } ?? "not given"); only \(wanted) is read"
        }
        let named = Self.checksum(database: self["hoodie.database.name"] ?? "", table: self["hoodie.table.name"] ?? "")
        guard self["hoodie.table.checksum"] == String(named) else { return "hoodie.table.checksum is not that of the table's name" }
        guard let buckets, (1...Self.bucketsMax).contains(buckets) else { return "\(Self.bucketsKey) is not a number from 1 to \(Self.bucketsMax): another writer's table" }
        return nil
    }

    static let bucketsMax = 1_024
    package var buckets: Int? { self[Self.bucketsKey].flatMap { Int($0) } }

    /// Nil for bytes that are no UTF-8, too many, in too many lines, or have a broken escape.
    package init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.bytesMax, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let lines = Self.logicalLines(text)
        guard lines.count <= Self.linesMax else { return nil }
        for line in lines {
            guard let (key, value) = Self.split(line) else { return nil }
            self[key] = value
        }
    }

    // MARK: -

    private static func escaped(_ text: String) -> String {
        var out = ""
        for c in text.unicodeScalars {
            switch c {
            case "\\", ":", "=", "#", "!": out += "\\\(c)"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case " " where out.isEmpty: out += "\\ "
            default: out.unicodeScalars.append(c)
            }
        }
        return out
    }

    /// Lines without comments; a line that ends in an odd number of "\" goes on in the next.
    private static func logicalLines(_ text: String) -> [[Unicode.Scalar]] {
        var lines: [[Unicode.Scalar]] = [], open = false
        for natural in text.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
            var line = Array(natural.drop { $0 == " " || $0 == "\t" || $0 == "\u{0C}" })
            if !open, line.isEmpty || line[0] == "#" || line[0] == "!" { continue }
            let goesOn = line.reversed().prefix { $0 == "\\" }.count % 2 == 1
            if goesOn { line.removeLast() }
            if open, !lines.isEmpty { lines[lines.count - 1] += line } else { lines.append(line) }
            open = goesOn
        }
        return lines
    }

    private static func split(_ line: [Unicode.Scalar]) -> (String, String)? {
        var key = "", value = "", at = 0
        func isSpace(_ c: Unicode.Scalar) -> Bool { c == " " || c == "\t" || c == "\u{0C}" }
        while at < line.count, line[at] != "=", line[at] != ":", !isSpace(line[at]) { guard unescape(line, &at, &key) else { return nil } }
        while at < line.count, isSpace(line[at]) { at += 1 }
        if at < line.count, line[at] == "=" || line[at] == ":" { at += 1 }
        while at < line.count, isSpace(line[at]) { at += 1 }
        while at < line.count { guard unescape(line, &at, &value) else { return nil } }
        return (key, value)
    }

    private static func unescape(_ line: [Unicode.Scalar], _ at: inout Int, _ out: inout String) -> Bool {
        defer { at += 1 }
        guard line[at] == "\\", at + 1 < line.count else {
            out.unicodeScalars.append(line[at])
            return true
        }
        at += 1
        switch line[at] {
        case "n": out += "\n"
        case "r": out += "\r"
        case "t": out += "\t"
        case "f": out += "\u{0C}"
        case "u":
            guard at + 4 < line.count, let code = UInt32(String(String.UnicodeScalarView(line[at + 1...at + 4])), radix: 16), let c = Unicode.Scalar(code) else { return false }
            out.unicodeScalars.append(c)
            at += 4
        default: out.unicodeScalars.append(line[at])
        }
        return true
    }
}
