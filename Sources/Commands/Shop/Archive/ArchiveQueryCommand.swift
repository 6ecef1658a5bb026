// `isotherm archive query`: exact sums over the archive. Reads the columns that are asked for; memory is a row for each group of the answer.

package import ArgumentParser
package import Archive
package import JSON
internal import Orders

package struct ArchiveQueryCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Orders, lines, quantities and amounts added up, by month, year, state, currency, seller or payment_method.",
        discussion: """
            isotherm archive query --data data --by month
            isotherm archive query --data data --by currency,state --from 2018-01-01 --to 2019-01-01 --json

            Amounts are exact, with three places. By seller lines are added up (a line's total includes its freight), by payment_method payments: `total` is
            what they were for, `paid` what was captured.
            """)
    @OptionGroup var place: ArchivePlaceOptions
    @OptionGroup var filters: ArchiveFilterOptions
    @Option(help: ArgumentHelp("The same as --before.", valueName: "moment")) var to: String?
    @Option(help: "month, year, state, currency, seller, payment_method; several with commas between.") var by: String?
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Print CSV.") var csv = false
    package init() {}

    package func validate() throws {
        if to != nil, filters.before != nil { throw ValidationError("--to and --before are one: give one of them") }
        if json, csv { throw ValidationError("--json and --csv are two ways to print: give one") }
    }

    package func run() async throws {
        let tally = try ArchiveTally(by: by), archive = try await place.open()
        let filter = try await ShopFolder.withDirectory(place.shop) { directory in try await filters.filter(directory, to: to) }
        let answer = try await tally.run(try await archive.table.snapshot(), filter)
        if json { return Terminal.line(answer.json(archive.readJSON)) }
        for line in csv ? answer.csv : answer.lines { Terminal.line(line) }
        if answer.addsCurrencies { Terminal.remark("these amounts add up currencies: \(answer.tally.currencies.sorted().joined(separator: ", ")); --by currency keeps them apart") }
        Terminal.remark(archive.readText)
    }
}

extension ArchiveFilterOptions {
    /// Called when arguments are parsed, also those of `export`.
    package func validate() throws {
        do throws(CommandError) { try Self.check(states: state, currencies: currency) } catch { throw ValidationError(error.description) }
    }

    /// A word that no order can have is a slip of the pen, and its zeros no answer.
    package static func check(states: [String], currencies: [String]) throws(CommandError) {
        if let word = states.first(where: { OrderState(rawValue: $0) == nil }) {
            throw CommandError("there is no state \(word); there are: \(OrderState.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        if let word = currencies.first(where: { Currency(code: $0) == nil }) { throw CommandError("a currency is three capital letters, as EUR, not \(word)") }
    }
}

package struct ArchiveTally: Sendable {
    package private(set) var tally: OrderTally

    package init(by text: String?) throws {
        var dimensions: [OrderTally.Dimension] = []
        for name in (text ?? "").split(separator: ",") {
            guard let dimension = OrderTally.Dimension(rawValue: String(name)), !dimensions.contains(dimension) else {
                throw CommandError("--by takes \(OrderTally.Dimension.allCases.map(\.rawValue).joined(separator: ", ")), each once, not \(name)")
            }
            dimensions.append(dimension)
        }
        do throws(ArchiveError) { tally = try OrderTally(by: dimensions) } catch { throw CommandError("--by: \(error.reason)") }
    }

    package func run(_ snapshot: TableSnapshot, _ filter: OrderFilter) async throws -> ArchiveTally {
        var result = self, tally = tally
        try await snapshot.figures(of: filter, parts: tally.parts) { (rows, _) async throws(ArchiveError) in
            for row in rows { try tally.add(row) }
            return true
        }
        result.tally = tally
        return result
    }

    var addsCurrencies: Bool { tally.currencies.count > 1 && !tally.dimensions.contains(.currency) }

    private var heads: [String] { tally.dimensions.map(\.rawValue) + ["orders", "lines", "quantity", "total", "paid", "refunded"] }
    private var cells: [[String?]] {
        tally.rows.map { key, sums in
            key.map { $0 } + [String(sums.orders), sums.lines.map { String($0) }, sums.quantity.map { String($0) }, OrderTally.text(sums.total), sums.paid.map { OrderTally.text($0) },
                sums.refunded.map { OrderTally.text($0) }]
        }
    }

    package var lines: [String] {
        let table = [heads] + cells.map { row in row.enumerated().map { i, cell in cell.map { i < tally.dimensions.count && $0.isEmpty ? "(none)" : $0 } ?? "-" } }
        let widths = heads.indices.map { i in table.reduce(0) { max($0, $1[i].count) } }
        return table.map { row in
            row.enumerated().map { i, cell in cell.padded(widths[i], left: i >= tally.dimensions.count) }.joined(separator: "  ")
        }
    }

    package var csv: [String] { ([heads.map { Optional($0) }] + cells).map { CSVText.line($0) } }

    package func json(_ read: JSONValue) -> String {
        let count = tally.dimensions.count
        let rows = cells.map { row -> JSONValue in
            var object = JSONObject()
            for (i, (head, cell)) in zip(heads, row).enumerated() {
                // Counts are numbers; amounts are texts, which no reader rounds.
                object[head] = cell.map { i >= count && i < count + 3 ? .integer(Int64($0) ?? 0) : .string($0) } ?? .null
            }
            return .object(object)
        }
        return ([
            "by": .array(tally.dimensions.map { .string($0.rawValue) }), "rows": .array(rows), "currencies": .array(tally.currencies.sorted().map { .string($0) }), "read": read,
        ] as JSONValue).text
    }
}

/// RFC 4180, with plain line feeds.
enum CSVText {
    static func line(_ cells: [String?]) -> String {
        cells.map { cell in
            guard let cell else { return "" }
            guard cell.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else { return cell }
            return "\"" + cell.replacing("\"", with: "\"\"") + "\""
        }.joined(separator: ",")
    }
}
