// The tables of _cat: columns with names, short names and a meaning; rows of text. Shown as aligned text, or as
// JSON with `format=json`; `v` adds a header, `h` chooses columns, `s` sorts, `help` lists them.

internal import JSON

struct CatTable: Sendable {
    struct Column: Sendable {
        var name: String
        var aliases: [String]
        var meaning: String
        var right: Bool
        var shown: Bool

        init(_ name: String, _ aliases: [String] = [], _ meaning: String = "", right: Bool = false, shown: Bool = true) {
            (self.name, self.aliases, self.meaning, self.right, self.shown) = (name, aliases, meaning, right, shown)
        }
    }

    enum Cell: Sendable {
        case text(String)
        case number(Int)
        case bytes(Int)
        case none
    }

    static let parameters = ["h", "help", "v", "s", "local", "master_timeout", "bytes", "time", "ts"]

    var columns: [Column]
    var rows: [[Cell]] = []

    func answer(_ call: APICall) throws -> APIAnswer {
        if try call.flag("help") ?? false { return APIAnswer(200, .text(help)) }
        let chosen = chosen(call)
        let unit = call.text("bytes")
        if let unit, Self.units[unit] == nil { throw APIError.illegal("failed to parse [bytes] value [\(unit)]; use b, kb, mb, gb, tb or pb") }
        var lines = rows
        for key in (call.list("s") ?? []).reversed() { try sort(&lines, key) }
        let cells = lines.map { row in chosen.map { Self.text(row[$0.index], unit) } }
        if Self.wantsJSON(call) {
            return APIAnswer(json: .array(cells.map { row in
                .object(JSONObject(zip(chosen, row).map { ($0.title, $1.map(JSONValue.string) ?? .null) }))
            }))
        }
        return APIAnswer(200, .text(aligned(chosen, cells.map { $0.map { $0 ?? "" } }, header: try call.flag("v") ?? false)))
    }

    // MARK: -

    private typealias Choice = (title: String, index: Int)

    private func chosen(_ call: APICall) -> [Choice] {
        guard let names = call.list("h") else { return columns.indices.filter { columns[$0].shown }.map { (columns[$0].name, $0) } }
        var chosen: [Choice] = []
        for name in names {
            if name.contains("*") {
                for i in columns.indices where Wildcard.matches(name, columns[i].name) && !chosen.contains(where: { $0.index == i }) { chosen.append((columns[i].name, i)) }
            } else if let i = columns.firstIndex(where: { $0.name == name || $0.aliases.contains(name) }) { chosen.append((name, i)) }
        }
        return chosen
    }

    private func sort(_ lines: inout [[Cell]], _ key: String) throws {
        let sides = key.split(separator: ":", maxSplits: 1).map(String.init)
        let descending = sides.count == 2 && sides[1].lowercased() == "desc"
        guard let name = sides.first, let i = columns.firstIndex(where: { $0.name == name || $0.aliases.contains(name) }) else {
            throw APIError(400, "unsupported_operation_exception", "Unable to sort by unknown sort key `\(sides.first ?? "")`")
        }
        let places = lines.indices.sorted { a, b in
            let (x, y) = descending ? (lines[b][i], lines[a][i]) : (lines[a][i], lines[b][i])
            return Self.less(x, y) || (!Self.less(y, x) && a < b)
        }
        lines = places.map { lines[$0] }
    }

    private static func less(_ a: Cell, _ b: Cell) -> Bool {
        switch (a, b) {
        case (.number(let x), .number(let y)), (.bytes(let x), .bytes(let y)): x < y
        case (.text(let x), .text(let y)): x < y
        case (.none, .none): false
        case (.none, _): true
        default: false
        }
    }

    private func aligned(_ chosen: [Choice], _ cells: [[String]], header: Bool) -> String {
        let table = (header ? [chosen.map(\.title)] : []) + cells
        let widths = chosen.indices.map { i in table.map { $0[i].count }.max() ?? 0 }
        var out = ""
        for row in table {
            for (i, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[i] - cell.count), last = i == row.count - 1
                out += columns[chosen[i].index].right ? padding + cell : cell + (last ? "" : padding)
                if !last { out += " " }
            }
            out += "\n"
        }
        return out
    }

    private var help: String {
        let rows = columns.map { [$0.name, $0.aliases.joined(separator: ","), $0.meaning] }
        let widths = (0..<2).map { i in rows.map { $0[i].count }.max() ?? 0 }
        return rows.map { row in
            (0..<2).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(separator: " | ") + " | " + row[2] + "\n"
        }.joined()
    }

    private static let units: [String: Int] = ["b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "t": 1 << 40, "tb": 1 << 40, "p": 1 << 50, "pb": 1 << 50]

    private static func text(_ cell: Cell, _ unit: String?) -> String? {
        switch cell {
        case .text(let text): return text
        case .number(let number): return String(number)
        case .bytes(let count): return unit.flatMap { units[$0] }.map { String(count / $0) } ?? human(count)
        case .none: return nil
        }
    }

    /// "225b", "1.2kb": one decimal, cut off, as Elasticsearch prints sizes.
    static func human(_ count: Int) -> String {
        for (name, scale) in [("pb", 1 << 50), ("tb", 1 << 40), ("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)] where count >= scale {
            let tenths = Int(Double(count) / Double(scale) * 10)
            return tenths % 10 == 0 ? "\(tenths / 10)\(name)" : "\(tenths / 10).\(tenths % 10)\(name)"
        }
        return "\(count)b"
    }

    private static func wantsJSON(_ call: APICall) -> Bool {
        if let format = call.text("format") { return format != "text" && format != "txt" }
        guard let type = call.accept?.split(separator: ",").first.flatMap({ MediaType(String($0)) }) else { return false }
        return type.name == "application/json" || type.isVendor
    }
}
