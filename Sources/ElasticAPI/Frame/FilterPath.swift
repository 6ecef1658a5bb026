// ?filter_path=hits.hits._source,-took: keeps or drops parts of an answer. A `*` stands for any text within
// one name, `**` for any number of names. Objects and arrays that end up empty go too, as Elasticsearch does it.

internal import JSON

struct FilterPath {
    private typealias Path = ArraySlice<String>
    private var includes: [Path] = []
    private var excludes: [Path] = []

    init(_ text: String) {
        for pattern in text.split(separator: ",") {
            let exclude = pattern.hasPrefix("-")
            let path = (exclude ? pattern.dropFirst() : pattern).split(separator: ".").map(String.init)[...]
            if path.isEmpty { continue }
            if exclude { excludes.append(path) } else { includes.append(path) }
        }
    }

    /// Nothing is left: `{}`.
    func apply(to json: [UInt8], pretty: Bool) -> [UInt8] {
        var tape = JSONTape(), writer = JSONWriter(pretty: pretty)
        // Safe: `UInt8` has no padding.
        let span = unsafe json.span.bytes
        guard (includes.count + excludes.count) > 0, (try? tape.parse(span)) != nil else { return json }
        let kept = keep(tape, tape.root, span, includes.isEmpty ? [["**"]] : includes, excludes)
        guard let kept else { return Array("{}".utf8) }
        write(kept, tape, span, &writer)
        return writer.bytes
    }

    // MARK: -

    private indirect enum Kept {
        case whole(Int)
        case object([(key: Int, value: Kept)])
        case array([Kept])
    }

    private func keep(_ tape: borrowing JSONTape, _ node: Int, _ text: RawSpan, _ ins: [Path], _ outs: [Path]) -> Kept? {
        if outs.contains(where: \.isEmpty) || ins.isEmpty { return nil }
        let all = ins.contains { $0.isEmpty || ($0.count == 1 && $0.first == "**") }
        if all, outs.isEmpty { return .whole(node) }
        switch tape.kind(node) {
        case .object:
            var members: [(Int, Kept)] = [], i = node + 1
            while i < tape.next(node) {
                let name = tape.string(i, in: text)
                let inner: [Path] = all ? [["**"]] : Self.below(ins, name)
                if let kept = keep(tape, i + 1, text, inner, Self.below(outs, name)) { members.append((i, kept)) }
                i = tape.next(i + 1)
            }
            return members.isEmpty ? nil : .object(members)
        case .array:
            var items: [Kept] = [], i = node + 1
            while i < tape.next(node) {
                if let kept = keep(tape, i, text, ins, outs) { items.append(kept) }
                i = tape.next(i)
            }
            return items.isEmpty ? nil : .array(items)
        default: return all ? .whole(node) : nil
        }
    }

    private static func below(_ paths: [Path], _ name: String) -> [Path] {
        var out: [Path] = []
        for path in paths { out += step(path, name) }
        return out
    }

    /// What is left of a pattern below a member of that name.
    private static func step(_ path: Path, _ name: String) -> [Path] {
        guard let first = path.first else { return [] }
        if first == "**" {
            return [path] + (path.count > 1 ? step(path.dropFirst(), name) : [])
        }
        return Wildcard.matches(first, name) ? [path.dropFirst()] : []
    }

    private func write(_ kept: Kept, _ tape: borrowing JSONTape, _ text: RawSpan, _ writer: inout JSONWriter) {
        switch kept {
        case .whole(let node): writer.raw(tape.raw(node, in: text))
        case .object(let members):
            writer.beginObject()
            for (key, value) in members {
                writer.key(tape.text(key, in: text))
                write(value, tape, text, &writer)
            }
            writer.endObject()
        case .array(let items):
            writer.beginArray()
            for item in items { write(item, tape, text, &writer) }
            writer.endArray()
        }
    }
}

/// Names with `*`.
package enum Wildcard {
    /// Greedy with one step back: O(pattern * text) at worst.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let p = Array(pattern.utf8), t = Array(text.utf8), star = UInt8(ascii: "*")
        var i = 0, j = 0, back: (p: Int, t: Int)?
        while j < t.count {
            if i < p.count, p[i] == star {
                back = (i + 1, j)
                i += 1
            } else if i < p.count, p[i] == t[j] {
                (i, j) = (i + 1, j + 1)
            } else if let place = back {
                back = (place.p, place.t + 1)
                (i, j) = (place.p, place.t + 1)
            } else { return false }
        }
        return p[i...].allSatisfy { $0 == star }
    }
}
