// Fields that a document brings along: Elasticsearch's detection, its templates first.
//
//     JSON            becomes
//     true            boolean
//     12              long
//     1.5             float
//     "2024-05-01"    date, if date_detection (on) and a dynamic date format reads it
//     "12" "1.5"      long, float, if numeric_detection (off)
//     "text"          text, with a keyword below it, ignore_above 256
//     {}              object
//     [null, 12]      as its first element that is not null
//     null, []        nothing yet

internal import JSON

extension DocumentWalk {
    mutating func newMember(_ text: borrowing DocumentText, _ value: Int, table: Int, key: Int, depth: Int) throws(MappingError) {
        switch text.kind(value) {
        case .null: return
        case .array:
            guard depth < Self.depthMax else { throw tooDeep(text, value) }
            var element = value + 1
            let end = text.next(value)
            while element < end {
                try member(text, element, table: table, key: key, depth: depth + 1)
                element = text.next(element)
            }
        case let kind:
            let name = keyName(text, before: value)
            let parent = tables.tables[table].path
            let path = parent.isEmpty ? name : parent + "." + name
            var target = try resolve(name, in: table)
            // It may have come meanwhile, spelt another way: "a.b" and {"a": {"b"}} are one field.
            if case .new = target {
                try introduce(path, kind == .object ? .object : detect(text, value), text, value)
                target = try resolve(name, in: table)
                // A template may have made a runtime field of it.
                if case .new = target { target = .ignored }
            }
            tables.tables[table].keys[key].target = target
            try member(text, value, table: table, key: key, depth: depth)
        }
    }

    /// A value for `copy_to` at a path the mapping lacks. Nil when dynamic rules leave it out.
    mutating func introduceTarget(_ path: String, _ text: borrowing DocumentText, _ value: Int) throws(MappingError) -> Int? {
        switch mapping.dynamic(at: path) {
        case .false, .runtime: return nil
        case .strict:
            throw MappingError(
                "strict_dynamic_mapping_exception", text.place(value) + "mapping set to strict, dynamic introduction of [\(path)] within [_doc] is not allowed")
        case .true: break
        }
        try introduce(path, detect(text, value), text, value)
        return current.fields[path].map { tables.leaf($0) }
    }

    // MARK: -

    /// An array's elements have the array's key.
    private func keyName(_ text: borrowing DocumentText, before value: Int) -> String {
        var node = value - 1
        // Between an element and the key of its array lie only nulls, brackets and what is empty.
        while node > 0, !text.tape.nodes[node].isString { node -= 1 }
        return text.string(node)
    }

    private func detect(_ text: borrowing DocumentText, _ value: Int) -> DynamicType {
        switch text.kind(value) {
        case .true, .false: return .boolean
        case .integer: return .long
        case .number: return Self.isWhole(text.scalar(value)) ? .long : .double
        default: return detectString(text.scalar(value))
        }
    }

    /// An integer too large for 64 bits is a long that will be refused, as in Elasticsearch.
    private static func isWhole(_ number: RawSpan) -> Bool {
        for i in 0..<number.byteCount where number.byte(i) == UInt8(ascii: ".") || number.byte(i) | 0x20 == UInt8(ascii: "e") { return false }
        return true
    }

    private func detectString(_ string: RawSpan) -> DynamicType {
        let root = mapping.root
        let couldBeNumber = string.byteCount < 400 && string.byteCount > 0 && Self.startsNumber(string.byte(0))
        let isLong = couldBeNumber && Int64(String(copying: string)) != nil
        let isDouble = couldBeNumber && Double(String(copying: string)) != nil
        if root.numericDetection == true {
            if isLong { return .long }
            if isDouble { return .double }
        }
        guard root.dateDetection ?? true, !isLong, !isDouble, string.byteCount < 100 else { return .string }
        var bytes: [UInt8] = []
        for i in 0..<string.byteCount { bytes.append(string.byte(i)) }
        return dateReader(bytes) == nil ? .string : .date
    }

    private static func startsNumber(_ c: UInt8) -> Bool { c &- 0x30 < 10 || c == UInt8(ascii: "-") || c == UInt8(ascii: "+") || c == UInt8(ascii: ".") }

    private func dateReader(_ bytes: [UInt8]) -> DateFormat? {
        mapping.root.dateReaders.first { (try? $0.milliseconds(bytes.span)) != nil }
    }

    /// Adds a field or an object to the working mapping, with the objects on the way to it.
    private mutating func introduce(_ path: String, _ type: DynamicType, _ text: borrowing DocumentText, _ value: Int) throws(MappingError) {
        try checkPath(path)
        let name = FieldDeclaration.leaf(path)
        let template = mapping.root.templates?.first { $0.matches(name: name, path: path, type: type) }
        if let template {
            guard !template.isRuntime else { return }
            return try add(path, template.body(name: name, type: type))
        }
        switch type {
        case .object: try add(path, ["type": "object"])
        case .string: try add(path, ["type": "text", "fields": ["keyword": ["type": "keyword", "ignore_above": 256]]])
        case .date:
            let format = dateReader(Array(text.string(value).utf8))?.pattern
            var body: JSONObject = ["type": "date"]
            if let format, format != DateFormat.standard.pattern { body["format"] = .string(format) }
            try add(path, body)
        default: try add(path, ["type": .string(type.fieldType)])
        }
    }

    private func checkPath(_ path: String) throws(MappingError) {
        let parts = path.split(separator: ".")
        guard parts.count <= mapping.limits.depthMax else {
            throw MappingError(
                "illegal_argument_exception", "Limit of mapping depth [\(mapping.limits.depthMax)] has been exceeded due to object field [\(path)]")
        }
        let most = mapping.limits.nameLengthMax
        guard parts.allSatisfy({ $0.utf8.count <= most }) else {
            throw MappingError("illegal_argument_exception", "Field name [\(parts.last ?? "")] is longer than the limit of [\(most)] characters")
        }
    }

    /// Merges a definition at a path into the working mapping, and notes it for the update.
    mutating func add(_ path: String, _ body: JSONObject) throws(MappingError) {
        var working = update ?? WorkingUpdate(mapping: mapping)
        // The only copy is changed in place.
        update = nil
        defer { update = working }
        var parser = MappingParser(analysis: mapping.analysis, limits: mapping.limits)
        try parser.parse(["properties": .object([path: .object(body)])])
        for declaration in parser.declarations {
            switch declaration {
            case .object(let object): try working.mapping.merge(object)
            case .field(let field): try working.mapping.merge(field)
            }
        }
        working.properties[path] = .object(body)
    }
}
