// JSON bytes and a mapping become typed, normalized, encoded values; fields the mapping lacks come back as
// an update. One parser per thread of work: it keeps its tape and look-up tables from document to document.
//
//     bytes -> tape -> for each member: key table -> field -> values appended to the document
//                                        `-> unknown: detection (DynamicFields) -> working mapping -> update
//
// Invariants
//     1  Tables and leaves are made from the mapping of `generation`, or from it and the update last returned.
//     2  A parse that throws after having added fields forgets tables: they speak of fields that never came to be.
//
// Nested objects are flattened as plain ones: their fields' values lie in one document, and which came together is not kept.

internal import JSON

package struct DocumentParser: ~Copyable {
    private var tape = JSONTape()
    private var tables = MappedTables()

    package init() {}

    /// Fills `document` (all but its id and routing, which the caller has set) from `source`.
    ///
    /// - Returns: nil when the mapping has every field. Otherwise what it lacks: hand it to `Mapping.adopt`, which
    ///   says whether the parsed document stands or has to be parsed again.
    /// - Throws: document_parsing_exception, strict_dynamic_mapping_exception, ...: the document is then undefined.
    package mutating func parse(
        _ source: RawSpan, with mapping: Mapping, into document: inout ParsedDocument
    ) throws(MappingError) -> MappingUpdate? {
        do throws(JSONError) { try tape.parse(source) } catch {
            let (line, column) = error.position(in: source)
            throw MappingError("document_parsing_exception", "[\(line):\(column)] failed to parse: \(error.message)", causedBy: error.message)
        }
        tables.bind(to: mapping)
        let text = DocumentText(tape: tape, bytes: source)
        var walk = DocumentWalk(mapping: mapping, tables: tables, document: document)
        // The walk owns both while it lasts, so that neither is copied.
        (tables, document) = (MappedTables(), ParsedDocument())
        defer { document = walk.document }
        do throws(MappingError) {
            try walk.run(text)
        } catch {
            if walk.update == nil { tables = walk.tables }
            throw error
        }
        tables = walk.tables
        walk.tables = MappedTables()
        try keepSource(source, mapping.source, &walk.document)
        guard let update = walk.update else { return nil }
        tables.generation = update.mapping.generation
        return MappingUpdate(base: mapping.generation, result: update.mapping, definition: update.definition)
    }

    private func keepSource(_ source: RawSpan, _ rule: SourceRule, _ document: inout ParsedDocument) throws(MappingError) {
        document.source.removeAll(keepingCapacity: true)
        guard rule.enabled else { return }
        if rule.includes.isEmpty, rule.excludes.isEmpty {
            // Safe: the pointer is used only inside the closure, within its bounds.
            unsafe source.withUnsafeBytes { unsafe document.source.append(contentsOf: $0) }
        } else {
            var filter = JSONSourceFilter(includes: rule.includes, excludes: rule.excludes)
            do throws(JSONError) { document.source = try filter.filtered(source) } catch {
                throw MappingError("document_parsing_exception", error.message)
            }
        }
    }
}

/// A parsed text with its bytes.
struct DocumentText: ~Escapable {
    let tape: JSONTape
    let bytes: RawSpan

    @_lifetime(copy bytes)
    init(tape: JSONTape, bytes: RawSpan) { (self.tape, self.bytes) = (tape, bytes) }

    @inline(__always) func kind(_ node: Int) -> JSONTape.Kind { tape.kind(node) }
    @inline(__always) func next(_ node: Int) -> Int { tape.next(node) }

    /// A string's text, any other scalar as it is written.
    @inline(__always) @_lifetime(borrow self)
    func scalar(_ node: Int) -> RawSpan { tape.nodes[node].isString ? tape.text(node, in: bytes) : tape.raw(node, in: bytes) }

    func string(_ node: Int) -> String { String(copying: scalar(node)) }

    /// "[line:column] " of a value, as Elasticsearch begins its messages.
    func place(_ node: Int) -> String {
        let (line, column) = JSONError("", at: tape.nodes[node].range.lowerBound).position(in: bytes)
        return "[\(line):\(column)] "
    }
}

/// Everything looked up so far in one mapping.
struct MappedTables: Sendable {
    var generation: UInt64 = 0
    var tables: [KeyTable] = []
    var tableByPath: [String: Int] = [:]
    var leaves: [MappedField] = []
    /// For copy_to.
    var leafByPath: [String: Int] = [:]
    /// Keys of flattened fields.
    var flattenedKeys: [String: FieldType] = [:]
    /// Counts objects walked.
    var stamp: UInt64 = 0
    var keyCount = 0

    private static let keysMax = 262_144

    /// Forgets what was looked up in another mapping. Bounded: with `dynamic: false`, keys may be without end.
    mutating func bind(to mapping: Mapping) {
        guard generation != mapping.generation || keyCount > Self.keysMax || tables.isEmpty else { return }
        self = MappedTables()
        generation = mapping.generation
        _ = table(for: "")
    }

    mutating func table(for path: String) -> Int {
        if let known = tableByPath[path] { return known }
        tables.append(KeyTable(path: path))
        tableByPath[path] = tables.count - 1
        return tables.count - 1
    }

    mutating func leaf(_ field: MappedField) -> Int {
        leaves.append(field)
        return leaves.count - 1
    }
}
