// A value of a mapped field becomes what the index keeps: text to analyze, a term, a number.

internal import Analysis
internal import JSON

/// Why a value does not fit its field, in the words of Elasticsearch's causes.
struct ValueError: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

extension DocumentWalk {
    /// Lucene's bound on a term.
    private static let termBytesMax = 32_766

    mutating func value(_ text: borrowing DocumentText, _ node: Int, leaf: Int, depth: Int) throws(MappingError) {
        if text.kind(node) == .array {
            guard depth < Self.depthMax else { throw tooDeep(text, node) }
            var element = node + 1
            let end = text.next(node)
            while element < end {
                try value(text, element, leaf: leaf, depth: depth + 1)
                element = text.next(element)
            }
            return
        }
        let field = tables.leaves[leaf]
        try add(text, node, field.type)
        for type in field.multiFields { try add(text, node, type) }
        if !field.type.copyTo.isEmpty { try copy(text, node, field.type.copyTo) }
    }

    private mutating func copy(_ text: borrowing DocumentText, _ node: Int, _ targets: [String]) throws(MappingError) {
        guard text.kind(node) != .null else { return }
        for target in targets {
            if tables.leafByPath[target] == nil {
                if let field = current.fields[target] {
                    tables.leafByPath[target] = tables.leaf(field)
                } else {
                    tables.leafByPath[target] = try introduceTarget(target, text, node)
                }
            }
            guard let leaf = tables.leafByPath[target] else { continue }
            let field = tables.leaves[leaf]
            try add(text, node, field.type)
            for type in field.multiFields { try add(text, node, type) }
        }
    }

    /// One value that is no array, of one field.
    private mutating func add(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(MappingError) {
        let kind = text.kind(node)
        if kind == .null { return try addNull(type, text, node) }
        if type.kind == .flattened, kind == .object { return try addFlattened(text, node, type, path: type.path, depth: 0) }
        do throws(ValueError) {
            guard kind != .object else {
                throw ValueError(type.kind == .text || type.kind == .keyword ? "Can't get text on a START_OBJECT" : "Current token (START_OBJECT) not a value")
            }
            try addScalar(text, node, type)
        } catch {
            guard !type.ignoreMalformed else { return ignore(type) }
            throw failure(text, node, type, error.reason)
        }
    }

    private mutating func addScalar(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) {
        switch type.kind {
        case .text:
            guard type.index || type.docValues || type.store else { return }
            let range = append(text, node)
            document.fields.append(ParsedDocument.Field(type: type, value: .text(range)))
        case .keyword, .wildcard, .flattened: try addTerm(text, node, type)
        case .long, .integer, .short, .byte, .unsignedLong, .double, .float, .halfFloat, .scaledFloat:
            if let number = try NumberReading.encoded(text, node, type) { addNumber(number, type) }
        case .boolean: addNumber(try Self.boolean(text, node) ? 1 : 0, type)
        case .date, .dateNanos: addNumber(try Self.date(text, node, type), type)
        case .ip: addBytes(try IPText.canonical(text, node), type)
        case .constantKeyword: try addConstant(text, node, type)
        case .binary: guard text.tape.nodes[node].isString else { throw ValueError("Current token not VALUE_STRING, can not access as binary") }
        case .alias: throw ValueError("Cannot write to a field alias [\(type.path)].")
        case .object, .nested: throw ValueError("an object was expected")
        }
    }

    private mutating func addNumber(_ value: Int64, _ type: FieldType) {
        guard type.index || type.docValues || type.store else { return }
        document.fields.append(ParsedDocument.Field(type: type, value: .number(value)))
    }

    private mutating func addTerm(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) {
        let span = text.scalar(node)
        if let most = type.ignoreAbove, span.byteCount > most, Self.utf16Count(span) > most { return ignore(type) }
        guard type.index || type.docValues || type.store else { return }
        let range: Range<Int>
        if let normalizer = type.normalizer {
            do throws(AnalysisError) {
                try normalizer.normalize(Span<UInt8>(_bytes: span), into: &term)
            } catch { throw ValueError(error.reason) }
            range = document.bytes.count..<document.bytes.count + term.count
            document.bytes.append(contentsOf: term)
        } else {
            range = append(text, node)
        }
        guard range.count <= Self.termBytesMax else {
            throw ValueError(
                "Document contains at least one immense term in field=\"\(type.path)\" (whose UTF8 encoding is longer than the max length \(Self.termBytesMax)); set ignore_above")
        }
        document.fields.append(ParsedDocument.Field(type: type, value: .keyword(range)))
    }

    private mutating func addBytes(_ bytes: [UInt8], _ type: FieldType) {
        guard type.index || type.docValues || type.store else { return }
        let start = document.bytes.count
        document.bytes.append(contentsOf: bytes)
        document.fields.append(ParsedDocument.Field(type: type, value: .keyword(start..<document.bytes.count)))
    }

    /// A value's text, once for all fields that take it.
    private mutating func append(_ text: borrowing DocumentText, _ node: Int) -> Range<Int> {
        if lastText.node == node { return lastText.range }
        let start = document.bytes.count
        let span = text.scalar(node)
        // Safe: the pointer is used only inside the closure, within its bounds.
        unsafe span.withUnsafeBytes { unsafe document.bytes.append(contentsOf: $0) }
        lastText = (node, start..<document.bytes.count)
        return lastText.range
    }

    // MARK: Null, constants, flattened

    private mutating func addNull(_ type: FieldType, _ text: borrowing DocumentText, _ node: Int) throws(MappingError) {
        guard let value = type.nullValue, type.kind != .constantKeyword else { return }
        // Rare: the null value goes the way any value goes, as a text of its own.
        let bytes = value.serialized()
        var tape = JSONTape()
        // Safe: `UInt8` has no padding.
        let span = unsafe bytes.span.bytes
        guard (try? tape.parse(span)) != nil, tape.kind(0) != .null else { return }
        let outer = lastText
        lastText = (-1, 0..<0)
        defer { lastText = outer }
        let inner = DocumentText(tape: tape, bytes: span)
        do throws(ValueError) { try addScalar(inner, 0, type) } catch { throw failure(text, node, type, error.reason) }
    }

    private mutating func addConstant(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) {
        let given = text.string(node)
        let fixed = (current.fields[type.path]?.type ?? type).nullValue.map(JavaText.string)
        guard let fixed else {
            // The first value is the constant.
            do throws(MappingError) { try add(type.path, ["type": "constant_keyword", "value": .string(given)]) } catch { throw ValueError(error.reason) }
            return
        }
        guard fixed == given else {
            throw ValueError("[constant_keyword] field [\(type.path)] only accepts values that are equal to the value defined in the mappings [\(fixed)], but got [\(given)]")
        }
    }

    /// Every document has the constant, whether it says so or not.
    mutating func addConstants() throws(MappingError) {
        let mapping = current
        for path in mapping.constants {
            guard let type = mapping.fields[path]?.type, let value = type.nullValue else { continue }
            addBytes(Array(JavaText.string(value).utf8), type)
        }
    }

    /// Every leaf below is a term of the field itself and of the field named by its path.
    private mutating func addFlattened(
        _ text: borrowing DocumentText, _ node: Int, _ type: FieldType, path: String, depth: Int
    ) throws(MappingError) {
        let most = Int(type.definition["depth_limit"]?.integer ?? 20)
        guard depth < most else { throw failure(text, node, type, "The provided [flattened] field [\(type.path)] exceeds the maximum depth limit of [\(most)].") }
        var key = node + 1
        let end = text.next(node)
        while key < end {
            try addFlattenedValue(text, key + 1, type, path: path + "." + text.string(key), depth: depth + 1)
            key = text.next(key + 1)
        }
    }

    private mutating func addFlattenedValue(
        _ text: borrowing DocumentText, _ value: Int, _ type: FieldType, path: String, depth: Int
    ) throws(MappingError) {
        switch text.kind(value) {
        case .null: return
        case .object: try addFlattened(text, value, type, path: path, depth: depth)
        case .array:
            guard depth < Self.depthMax else { throw tooDeep(text, value) }
            var element = value + 1
            let end = text.next(value)
            while element < end {
                try addFlattenedValue(text, element, type, path: path, depth: depth + 1)
                element = text.next(element)
            }
        default:
            do throws(ValueError) {
                try addTerm(text, value, type)
                try addTerm(text, value, keyType(path, type))
            } catch { throw failure(text, value, type, error.reason) }
        }
    }

    private mutating func keyType(_ path: String, _ parent: FieldType) -> FieldType {
        if let known = tables.flattenedKeys[path] { return known }
        let type: FieldType
        if let known = current.fields[path]?.type { type = known } else {
            var working = update ?? WorkingUpdate(mapping: mapping)
            update = nil
            type = working.mapping.addHidden(path, below: parent)
            update = working
        }
        tables.flattenedKeys[path] = type
        return type
    }

    // MARK: - Scalars

    private static func boolean(_ text: borrowing DocumentText, _ node: Int) throws(ValueError) -> Bool {
        switch text.kind(node) {
        case .true: return true
        case .false: return false
        case .string, .escapedString:
            switch text.string(node) {
            case "true": return true
            case "false", "": return false
            case let other: throw ValueError("Failed to parse value [\(other)] as only [true] or [false] are allowed.")
            }
        case .integer: throw ValueError("Current token (VALUE_NUMBER_INT) not of boolean type")
        default: throw ValueError("Current token (VALUE_NUMBER_FLOAT) not of boolean type")
        }
    }

    private static func date(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType) throws(ValueError) -> Int64 {
        let kind = text.kind(node)
        guard kind != .true, kind != .false else { throw ValueError("failed to parse date field [\(text.string(node))] with format [\(type.dateFormat.pattern)]") }
        let span = Span<UInt8>(_bytes: text.scalar(node))
        do throws(MappingError) {
            return type.kind == .dateNanos ? try type.dateFormat.nanoseconds(span) : try type.dateFormat.milliseconds(span)
        } catch { throw ValueError(error.reason) }
    }

    /// As Java counts a string's length.
    private static func utf16Count(_ utf8: RawSpan) -> Int {
        var count = 0
        for i in 0..<utf8.byteCount {
            let c = utf8.byte(i)
            // Continuation bytes count nothing; a sequence of four is a surrogate pair.
            if c & 0xC0 != 0x80 { count += c >= 0xF0 ? 2 : 1 }
        }
        return count
    }

    private mutating func ignore(_ type: FieldType) {
        if !document.ignored.contains(type.path) { document.ignored.append(type.path) }
    }

    private func failure(_ text: borrowing DocumentText, _ node: Int, _ type: FieldType, _ cause: String) -> MappingError {
        let shown: String
        if text.kind(node) == .object {
            shown = (try? JSONValue(text.tape, node, in: text.bytes)).map(JavaText.string) ?? "{...}"
        } else {
            shown = text.string(node)
        }
        return MappingError(
            "document_parsing_exception",
            text.place(node) + "failed to parse field [\(type.path)] of type [\(type.kind.rawValue)] in document with id '\(document.id)'. Preview of field's value: '\(shown.prefix(256))'",
            causedBy: cause)
    }
}
