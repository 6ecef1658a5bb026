// config/tiers.yaml: policies, the mover's pace, where archive and staging lie, and the server's schedule. Whatever is wrong is refused with its line: a policy with a hole would leave orders to nobody.

package import Orders
internal import Yams

package struct PolicyError: Error, Equatable, CustomStringConvertible {
    /// Of the file, from 1; 0 when it is about the whole.
    package let line: Int
    package let reason: String
    package var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

/// How fast orders move, and how long what was staged is kept.
package struct MoverPace: Sendable, Equatable {
    package var batchOrders = 500
    /// To the archive more at a time: each commit writes whole files anew.
    package var archiveBatchOrders = 10_000
    /// 0: as fast as it goes.
    package var ordersPerSecondMax = 0
    package var stagingDays: Int64 = 7
    package init() {}

    package func batch(to tier: Tier) -> Int { tier == .cold ? archiveBatchOrders : batchOrders }
}

/// What the object store costs; the file's own is what a large provider listed for its standard class when it was written.
package struct PriceTable: Sendable, Equatable {
    package var currency = "USD"
    package var gigabyteMonth = 0.023, thousandPuts = 0.005, thousandGets = 0.0004
    package init() {}
}

package struct PolicyFile: Sendable {
    package private(set) var policies: [String: TierPolicy] = [:]
    /// The one that holds unless another is asked for.
    package private(set) var chosen = "default"
    package private(set) var pace = MoverPace()
    package private(set) var places = TierPlaces()
    package private(set) var prices = PriceTable()
    /// Seconds between the runs of a server's own mover; 0: it has none.
    package private(set) var scheduleSeconds: Int64 = 0

    package init(yaml: String) throws(PolicyError) {
        guard yaml.utf8.count <= 1 << 20 else { throw PolicyError(line: 0, reason: "a file of policies has at most 1 MiB") }
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            if case .parser(_, let problem, let mark, _)? = error as? YamlError { throw PolicyError(line: mark.line, reason: "no valid YAML: \(problem)") }
            throw PolicyError(line: 0, reason: "no valid YAML: \(error)")
        }
        guard let root else { throw PolicyError(line: 0, reason: "the file is empty: it needs policies") }
        var chosenAt = 0
        for (key, value) in try Self.members(root, of: "the file", known: ["policy", "policies", "mover", "archive", "staging", "schedule", "prices"]) {
            switch key {
            case "policy":
                (chosen, chosenAt) = (try Self.text(value), value.line)
            case "policies":
                for (name, node) in try Self.members(value, of: "policies", known: nil) { policies[name] = try Self.policy(name, node) }
            case "mover": pace = try Self.pace(value)
            case "archive": try readArchive(value)
            case "prices": prices = try Self.prices(value)
            case "staging":
                for (_, location) in try Self.members(value, of: "staging", known: ["location"]) { places.staging = try Self.location(location) }
            default:
                for (name, seconds) in try Self.members(value, of: "schedule", known: ["every_seconds"]) { scheduleSeconds = try Self.integer(seconds, name, in: 0...31_536_000) }
            }
        }
        guard !policies.isEmpty else { throw PolicyError(line: root.line, reason: "there are no policies") }
        guard policies[chosen] != nil else { throw PolicyError(line: chosenAt, reason: Self.unknownPolicy(chosen, policies)) }
    }

    /// A policy by its name; without one the file's own choice.
    package func policy(_ name: String?) throws(PolicyError) -> TierPolicy {
        guard let policy = policies[name ?? chosen] else { throw PolicyError(line: 0, reason: Self.unknownPolicy(name ?? chosen, policies)) }
        return policy
    }

    // MARK: -

    private mutating func readArchive(_ node: Node) throws(PolicyError) {
        for (key, value) in try Self.members(node, of: "archive", known: ["location", "buckets", "kept_commits"]) {
            switch key {
            case "location": places.archive = try Self.location(value)
            case "buckets": places.buckets = Int(clamping: try Self.integer(value, key, in: 1...256))
            default: places.keptCommits = Int(clamping: try Self.integer(value, key, in: 1...1_000))
            }
        }
    }

    /// Nil for `default`: in the data folder.
    private static func location(_ node: Node) throws(PolicyError) -> String? {
        guard let text = node.scalar?.string, !text.isEmpty, text.utf8.count <= 2_000 else {
            throw PolicyError(line: node.line, reason: "a location is `default`, a folder, or s3://bucket/prefix?endpoint=...")
        }
        return text == "default" ? nil : text
    }

    private static func unknownPolicy(_ name: String, _ policies: [String: TierPolicy]) -> String {
        "there is no policy \(name); there are: \(policies.keys.sorted().joined(separator: ", "))"
    }

    private static func policy(_ name: String, _ node: Node) throws(PolicyError) -> TierPolicy {
        var classes: [DataClass: [TierPolicy.Band]] = [:]
        for (key, value) in try members(node, of: "policy \(name)", known: DataClass.allCases.map(\.rawValue)) {
            if let group = DataClass(rawValue: key) { classes[group] = try bands(value, of: "\(name).\(key)") }
        }
        guard classes[.orders] != nil else { throw PolicyError(line: node.line, reason: "policy \(name) has no `orders`: which tier do all others belong to?") }
        return TierPolicy(name: name, classes: classes)
    }

    private static func bands(_ node: Node, of what: String) throws(PolicyError) -> [TierPolicy.Band] {
        guard let items = node.sequence, !items.isEmpty else { throw PolicyError(line: node.line, reason: "\(what) is a list of tiers, as - {tier: hot, from: 0, to: 90}") }
        var bands: [TierPolicy.Band] = []
        for item in items {
            let band = try band(item, of: what)
            if let last = bands.last {
                guard let end = last.to else { throw PolicyError(line: item.line, reason: "\(what): \(last.tier.rawValue) before it has no end, so nothing is left for \(band.tier.rawValue)") }
                if band.from > end { throw PolicyError(line: item.line, reason: "\(what): a gap: orders of \(end) to \(band.from) days belong to no tier") }
                if band.from < end { throw PolicyError(line: item.line, reason: "\(what): an overlap: orders of \(band.from) to \(end) days belong to two tiers") }
                guard band.tier > last.tier else { throw PolicyError(line: item.line, reason: "\(what): \(band.tier.rawValue) is not colder than \(last.tier.rawValue) before it") }
            } else {
                guard band.tier == .hot else { throw PolicyError(line: item.line, reason: "\(what): new orders are hot, so hot comes first") }
                guard band.from == 0 else { throw PolicyError(line: item.line, reason: "\(what): a gap: orders of 0 to \(band.from) days belong to no tier") }
            }
            bands.append(band)
        }
        if let last = bands.last, let end = last.to {
            throw PolicyError(line: items.last?.line ?? node.line, reason: "\(what): a gap: orders of \(end) days and more belong to no tier; leave out `to`")
        }
        return bands
    }

    private static func band(_ node: Node, of what: String) throws(PolicyError) -> TierPolicy.Band {
        var tier: Tier?, from: Int64?, to: Int64?
        for (key, value) in try members(node, of: "a tier of \(what)", known: ["tier", "from", "to"]) {
            switch key {
            case "tier":
                tier = Tier(rawValue: try text(value))
                if tier == nil { throw PolicyError(line: value.line, reason: "\(what): a tier is one of \(Tier.allCases.map(\.rawValue).joined(separator: ", "))") }
            case "from": from = try integer(value, "from", in: 0...36_500)
            default: to = try integer(value, "to", in: 1...36_500)
            }
        }
        guard let tier, let from else { throw PolicyError(line: node.line, reason: "\(what): a tier needs `tier` and `from`") }
        if let to, to <= from { throw PolicyError(line: node.line, reason: "\(what): `to` is after `from`") }
        return TierPolicy.Band(tier, from: from, to: to)
    }

    private static func prices(_ node: Node) throws(PolicyError) -> PriceTable {
        var prices = PriceTable()
        for (key, value) in try members(node, of: "prices", known: ["currency", "gigabyte_month", "thousand_puts", "thousand_gets"]) {
            if key == "currency" {
                prices.currency = try text(value)
                continue
            }
            guard let price = value.scalar.flatMap({ Double($0.string) }), price.isFinite, (0...1e6).contains(price) else {
                throw PolicyError(line: value.line, reason: "\(key) is a price from 0 to 1000000")
            }
            switch key {
            case "gigabyte_month": prices.gigabyteMonth = price
            case "thousand_puts": prices.thousandPuts = price
            default: prices.thousandGets = price
            }
        }
        return prices
    }

    private static func pace(_ node: Node) throws(PolicyError) -> MoverPace {
        var pace = MoverPace()
        for (key, value) in try members(node, of: "mover", known: ["batch_orders", "archive_batch_orders", "orders_per_second_max", "staging_days"]) {
            switch key {
            case "batch_orders": pace.batchOrders = Int(clamping: try integer(value, key, in: 1...2_000))
            case "archive_batch_orders": pace.archiveBatchOrders = Int(clamping: try integer(value, key, in: 1...10_000))
            case "orders_per_second_max": pace.ordersPerSecondMax = Int(clamping: try integer(value, key, in: 0...10_000_000))
            default: pace.stagingDays = try integer(value, key, in: 0...3_650)
            }
        }
        return pace
    }

    /// The members of a map, in the file's order; names not known, and names that come twice, are refused.
    private static func members(_ node: Node, of what: String, known: [String]?) throws(PolicyError) -> [(String, Node)] {
        guard let map = node.mapping else { throw PolicyError(line: node.line, reason: "\(what) is a map of names and values") }
        var seen: Set<String> = [], found: [(String, Node)] = []
        for (key, value) in map {
            let name = try text(key)
            if let known, !known.contains(name) { throw PolicyError(line: key.line, reason: "\(what) has no \(name); it knows: \(known.joined(separator: ", "))") }
            if !seen.insert(name).inserted { throw PolicyError(line: key.line, reason: "\(what) has \(name) twice") }
            found.append((name, value))
        }
        return found
    }

    private static func text(_ node: Node) throws(PolicyError) -> String {
        guard let text = node.scalar?.string, !text.isEmpty, text.utf8.count <= 200 else { throw PolicyError(line: node.line, reason: "a name of 1 to 200 bytes is wanted here") }
        return text
    }

    private static func integer(_ node: Node, _ name: String, in range: ClosedRange<Int64>) throws(PolicyError) -> Int64 {
        guard let text = node.scalar?.string, let value = Int64(text), range.contains(value) else {
            throw PolicyError(line: node.line, reason: "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

extension Node {
    fileprivate var line: Int { mark?.line ?? 0 }
}
