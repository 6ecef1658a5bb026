// One document, walked along its mapping: objects, members, arrays. What values become is in
// DocumentWalk+Values, what becomes of unknown members in DocumentWalk+Dynamic.

internal import JSON

struct DocumentWalk {
    /// Without the fields of this document.
    let mapping: Mapping
    var tables: MappedTables
    var document: ParsedDocument
    /// Once a field is new.
    var update: WorkingUpdate?
    /// The value whose text was appended last: multi-fields share its bytes.
    var lastText: (node: Int, range: Range<Int>) = (-1, 0..<0)
    /// Reused by normalizers.
    var term: [UInt8] = []

    struct WorkingUpdate {
        var mapping: Mapping
        var properties = JSONObject()
        var definition: JSONObject { properties.isEmpty ? JSONObject() : ["properties": .object(properties)] }
    }

    init(mapping: Mapping, tables: MappedTables, document: ParsedDocument) {
        (self.mapping, self.tables, self.document) = (mapping, tables, document)
    }

    /// With the fields of this document so far.
    var current: Mapping { update?.mapping ?? mapping }

    /// Arrays in arrays, and objects, together.
    static let depthMax = 200

    mutating func run(_ text: borrowing DocumentText) throws(MappingError) {
        document.bytes.removeAll(keepingCapacity: true)
        document.fields.removeAll(keepingCapacity: true)
        document.ignored.removeAll(keepingCapacity: true)
        guard text.kind(text.tape.root) == .object else {
            throw MappingError("document_parsing_exception", text.place(0) + "failed to parse: a document must be a JSON object")
        }
        try members(text, of: text.tape.root, table: 0, depth: 0)
        if !mapping.constants.isEmpty { try addConstants() }
    }

    private mutating func members(_ text: borrowing DocumentText, of object: Int, table: Int, depth: Int) throws(MappingError) {
        tables.stamp &+= 1
        let stamp = tables.stamp, end = text.next(object)
        var node = object + 1, position = 0
        while node < end {
            let key = try self.key(text, node, table, position)
            guard tables.tables[table].keys[key].stamp != stamp else {
                throw MappingError("document_parsing_exception", text.place(node) + "failed to parse: Duplicate field '\(text.string(node))'")
            }
            tables.tables[table].keys[key].stamp = stamp
            try member(text, node + 1, table: table, key: key, depth: depth)
            node = text.next(node + 1)
            position += 1
        }
    }

    @inline(__always)
    private mutating func key(_ text: borrowing DocumentText, _ node: Int, _ table: Int, _ position: Int) throws(MappingError) -> Int {
        if let known = tables.tables[table].find(text.scalar(node), at: position) { return known }
        let target = try resolve(text.string(node), in: table)
        tables.keyCount += 1
        return tables.tables[table].insert(text.scalar(node), target, at: position)
    }

    /// One value of a member; an array's elements one after the other.
    mutating func member(_ text: borrowing DocumentText, _ value: Int, table: Int, key: Int, depth: Int) throws(MappingError) {
        let target = tables.tables[table].keys[key].target
        switch target {
        case .field(let leaf): try self.value(text, value, leaf: leaf, depth: depth)
        case .object(let inner): try objectValue(text, value, table: inner, depth: depth)
        case .ignored: return
        case .new: try newMember(text, value, table: table, key: key, depth: depth)
        case .strict:
            guard text.kind(value) != .null else { return }
            let within = tables.tables[table].path
            throw MappingError(
                "strict_dynamic_mapping_exception",
                text.place(value) + "mapping set to strict, dynamic introduction of [\(leafName(text, value))] within [\(within.isEmpty ? "_doc" : within)] is not allowed")
        case .metadata:
            throw MappingError(
                "document_parsing_exception",
                text.place(value) + "Field [\(leafName(text, value))] is a metadata field and cannot be added inside a document. Use the index API request parameters.")
        case .wrong: throw wrongName(text, value, table: table)
        case .blocked: if text.kind(value) != .null { throw blockedName(text, value, table: table) }
        }
    }

    private mutating func objectValue(_ text: borrowing DocumentText, _ value: Int, table: Int, depth: Int) throws(MappingError) {
        guard depth < Self.depthMax else { throw tooDeep(text, value) }
        switch text.kind(value) {
        case .object: try members(text, of: value, table: table, depth: depth + 1)
        case .null: return
        case .array:
            var element = value + 1
            let end = text.next(value)
            while element < end {
                try objectValue(text, element, table: table, depth: depth + 1)
                element = text.next(element)
            }
        default:
            let path = tables.tables[table].path
            throw MappingError(
                "document_parsing_exception",
                text.place(value) + "object mapping for [\(path)] tried to parse field [\(FieldDeclaration.leaf(path))] as object, but found a concrete value")
        }
    }

    func tooDeep(_ text: borrowing DocumentText, _ value: Int) -> MappingError {
        MappingError("document_parsing_exception", text.place(value) + "failed to parse: the document nests deeper than \(Self.depthMax) levels")
    }

    /// The key before a value, or the array's that holds it.
    func leafName(_ text: borrowing DocumentText, _ value: Int) -> String {
        var node = value - 1
        while node > 0, !text.tape.nodes[node].isString { node -= 1 }
        return node > 0 ? text.string(node) : ""
    }

    // MARK: - From names to targets

    private static let metadata: Set<String> = [
        "_id", "_index", "_source", "_routing", "_type", "_version", "_seq_no", "_primary_term", "_field_names", "_ignored", "_nested_path", "_doc_count",
        "_tier",
    ]

    mutating func resolve(_ name: String, in table: Int) throws(MappingError) -> KeyTarget {
        let parent = tables.tables[table].path
        if parent.isEmpty, Self.metadata.contains(name) { return .metadata }
        guard Self.isPath(name) else { return .wrong }
        let path = parent.isEmpty ? name : parent + "." + name
        let mapping = current
        if name.utf8.contains(UInt8(ascii: ".")) {
            for way in Self.ways(to: path, below: parent) {
                if mapping.objects[way]?.enabled == false { return .ignored }
                if mapping.fields[way] != nil { return .blocked }
            }
        }
        if let field = mapping.fields[path], !field.isHidden { return .field(tables.leaf(field)) }
        if let object = mapping.objects[path] { return object.enabled == false ? .ignored : .object(tables.table(for: path)) }
        switch mapping.dynamic(at: path) {
        case .true: return .new
        case .strict: return .strict
        case .false, .runtime: return .ignored
        }
    }

    /// Every part has something to show.
    private static func isPath(_ name: String) -> Bool {
        if !name.utf8.contains(UInt8(ascii: ".")) { return name.contains { $0 != " " } }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { $0.contains { $0 != " " } }
    }

    /// The paths between a parent and a dotted name below it: for "a.b.c", "a" and "a.b".
    private static func ways(to path: String, below parent: String) -> [String] {
        let utf8 = path.utf8
        return utf8.indices.dropFirst(parent.isEmpty ? 0 : parent.utf8.count + 1).filter { utf8[$0] == UInt8(ascii: ".") }.map { String(path[..<$0]) }
    }

    private func blockedName(_ text: borrowing DocumentText, _ value: Int, table: Int) -> MappingError {
        let parent = tables.tables[table].path, name = leafName(text, value)
        let path = parent.isEmpty ? name : parent + "." + name
        let way = Self.ways(to: path, below: parent).first { current.fields[$0] != nil } ?? path
        return MappingError(
            "document_parsing_exception",
            text.place(value) + "Could not dynamically add mapping for field [\(path)]. Existing mapping for [\(way)] must be of type object but found [\(current.fields[way]?.type.kind.rawValue ?? "")].")
    }

    private func wrongName(_ text: borrowing DocumentText, _ value: Int, table: Int) -> MappingError {
        let name = leafName(text, value)
        let reason = name.isEmpty || !name.contains { $0 != " " }
            ? "field name cannot be an empty string" : "field name starting or ending with a [.] makes object resolution ambiguous: [\(name)]"
        return MappingError("document_parsing_exception", text.place(value) + "failed to parse: \(reason)", causedBy: reason)
    }
}

extension Mapping {
    /// What the nearest object around a path says of unknown members.
    func dynamic(at path: String) -> Dynamic {
        var rest = path[...]
        while let dot = rest.lastIndex(of: ".") {
            rest = rest[..<dot]
            if let dynamic = objects[String(rest)]?.dynamic { return dynamic }
        }
        return root.dynamic ?? .true
    }
}
