// term, terms, range, prefix, wildcard, regexp, fuzzy, exists, ids: values taken as they are.

internal import Analysis
internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

extension QueryBinder {
    func bindTerm(_ field: String, _ value: JSONValue, ignoresCase: Bool, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        if field == "_id" { return try bindIDs([value.queryText], boost: boost) }
        guard let type = mapped(field) else { return try bindUnmapped(field, value, boost: boost) }
        return try valueTerm(type, value, ignoresCase: ignoresCase, boost: boost, scored: scored)
    }

    /// One value of any field: strings are weighed, all else scores a constant.
    func valueTerm(_ type: FieldType, _ value: JSONValue, ignoresCase: Bool, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        if type.isNumeric {
            try countClause()
            guard let range = try encoding(type).exact(value) else { return .none(reason: "no value of \(type.path) can equal \(value.queryText)") }
            return numbers(type, range, score: boost)
        }
        if ignoresCase {
            let automaton: ByteAutomaton
            do { automaton = try TermPattern.literal(value.queryText, ignoresCase: true) } catch { throw .request(error) }
            return try matching(type, automaton, "term", value.queryText, ignoresCase: true, score: boost)
        }
        let term = type.isAnalyzed ? Array(value.queryText.utf8) : try normalized(value.queryText, type)
        guard type.index else { return try columnTerms(type, [term], score: boost) }
        return try self.term(term, type, boost: boost, scored: scored)
    }

    func bindTerms(_ field: String, _ values: [JSONValue], boost: Float) throws(SearchError) -> Plan {
        guard values.count <= settings.termsMax else {
            throw SearchError("illegal_argument_exception",
                "The number of terms [\(values.count)] used in the Terms Query request has exceeded the allowed maximum of [\(settings.termsMax)]. This maximum can be set by changing the [index.max_terms_count] index level setting.")
        }
        if field == "_id" { return try bindIDs(values.map(\.queryText), boost: boost) }
        if values.isEmpty { return .none(reason: "no terms given for \(field)") }
        guard let type = mapped(field) else {
            if field == "_index", values.contains(where: { $0.queryText == builder.index }) { return .all(score: boost) }
            return try bindUnmapped(field, values[0], boost: boost)
        }
        if type.isNumeric {
            var plans: [Plan] = []
            for value in values {
                if let range = try encoding(type).exact(value) { plans.append(numbers(type, range, score: 0)) }
            }
            try countClause()
            return constant(BoolPlan(should: plans).simplified(scored: false), score: boost)
        }
        var terms = Set<[UInt8]>()
        for value in values { terms.insert(type.isAnalyzed ? Array(value.queryText.utf8) : try normalized(value.queryText, type)) }
        return try termSet(type, terms.sorted { $0.lexicographicallyPrecedes($1) }, score: boost)
    }

    func bindIDs(_ ids: [String], boost: Float) throws(SearchError) -> Plan {
        try countClause()
        guard !ids.isEmpty else { return .none(reason: "Missing ids in \"ids\" query.") }
        let wanted = Array(Set(ids)).sorted()
        return set("_id:[\(wanted.joined(separator: "\u{1}"))]", score: boost, estimate: { min(wanted.count, $0.docCount) }) { view throws(StorageError) in
            var set = BitSet(count: view.docCount)
            for id in wanted {
                if let doc = try view.segment.columns.doc(forID: id), Int(doc) < set.count { set.insert(Int(doc)) }
            }
            return set
        }
    }

    func bindRange(_ r: Query.Range, boost: Float) throws(SearchError) -> Plan {
        guard let type = mapped(r.field) else { return try bindUnmapped(r.field, .null, boost: boost) }
        try countClause()
        guard type.isNumeric else { return try termRange(r, type, score: boost) }
        var encoding = encoding(type)
        (encoding.format, encoding.timeZone) = (r.format, r.timeZone)
        var low = Int64.min, high = Int64.max
        if let value = r.lower, !value.isNull {
            guard let bound = try encoding.bound(value, .lower(included: r.includesLower)) else { return nothing(r) }
            low = bound
        }
        if let value = r.upper, !value.isNull {
            guard let bound = try encoding.bound(value, .upper(included: r.includesUpper)) else { return nothing(r) }
            high = bound
        }
        guard low <= high else { return nothing(r) }
        return numbers(type, low...high, score: boost)
    }

    func bindPrefix(_ field: String, _ value: String, ignoresCase: Bool, boost: Float) throws(SearchError) -> Plan {
        guard let type = mapped(field) else { return try bindUnmapped(field, .string(value), boost: boost) }
        try checkString(type, "prefix", "prefix")
        if ignoresCase {
            let automaton: ByteAutomaton
            do { automaton = try TermPattern.prefix(value, ignoresCase: true) } catch { throw .request(error) }
            return try matching(type, automaton, "prefix", value, ignoresCase: true, score: boost)
        }
        return try prefixSet(type, type.isAnalyzed ? Array(value.utf8) : try normalized(value, type), score: boost)
    }

    func bindWildcard(_ field: String, _ pattern: String, ignoresCase: Bool, boost: Float) throws(SearchError) -> Plan {
        guard let type = mapped(field) else { return try bindUnmapped(field, .string(pattern), boost: boost) }
        try checkString(type, "wildcard", "wildcard")
        let pattern = type.normalizer == nil ? pattern : try normalizedPattern(pattern, type)
        let automaton: ByteAutomaton
        do { automaton = try TermPattern.wildcard(pattern, ignoresCase: ignoresCase) } catch { throw .request(error) }
        return try matching(type, automaton, "wildcard", pattern, ignoresCase: ignoresCase, score: boost)
    }

    func bindRegexp(_ field: String, _ pattern: String, ignoresCase: Bool, boost: Float) throws(SearchError) -> Plan {
        guard let type = mapped(field) else { return try bindUnmapped(field, .string(pattern), boost: boost) }
        try checkString(type, "regexp", "regexp")
        let automaton: ByteAutomaton
        do { automaton = try TermPattern.regexp(pattern, ignoresCase: ignoresCase) } catch { throw .request(error) }
        return try matching(type, automaton, "regexp", pattern, ignoresCase: ignoresCase, score: boost)
    }

    func bindFuzzy(
        _ field: String, _ value: String, _ fuzziness: Query.Fuzziness, prefixLength: Int, expansions: Int, transpositions: Bool,
        boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        guard let type = mapped(field) else { return try bindUnmapped(field, .string(value), boost: boost) }
        guard type.isStringLike else {
            throw SearchError("query_shard_exception",
                "failed to create query: Can only use fuzzy queries on keyword and text fields - not on [\(field)] which is of type [\(type.kind.rawValue)]")
        }
        return try fuzzy(type.isAnalyzed ? Array(value.utf8) : try normalized(value, type), type, fuzziness, prefixLength: prefixLength,
            expansions: expansions, transpositions: transpositions, boost: boost, scored: scored)
    }

    func bindExists(_ field: String, boost: Float) throws(SearchError) -> Plan {
        try countClause()
        if field == "_id" || field == "_index" || field == "_source" { return .all(score: boost) }
        var paths = mapping.paths(below: field)
        if let type = mapped(field) { paths.append(type.path) }
        if paths.isEmpty { paths = mapping.paths(matching: field) }
        guard !paths.isEmpty else { return .none(reason: "unmapped field [\(field)]") }
        let wanted = paths
        return set("exists:\(field)", score: boost, estimate: { Self.estimateExists(wanted, $0) }) { view throws(StorageError) in
            var set = BitSet(count: view.docCount)
            for path in wanted {
                guard let info = view.segment.fields[path] else { continue }
                if let presence = try view.segment.columns.presence(info.ordinal) {
                    set.formUnion(presence.bitSet())
                } else if info.features.contains(.postings) {
                    set.formUnion(try view.segment.inverted.documents(withField: info.ordinal))
                }
            }
            return set
        }
    }

    /// `_index` answers by name; other fields that are not mapped match nothing.
    func bindUnmapped(_ field: String, _ value: JSONValue, boost: Float) throws(SearchError) -> Plan {
        try countClause()
        if field == "_index" { return value.queryText == builder.index ? .all(score: boost) : .none(reason: "the index is \(builder.index)") }
        return .none(reason: "unmapped field [\(field)]")
    }

    // MARK: Sets

    func encoding(_ type: FieldType) -> ValueEncoding { ValueEncoding(type, now: builder.now) }

    func numbers(_ type: FieldType, _ range: ClosedRange<Int64>, score: Float) -> Plan {
        let path = type.path
        return set("\(path):[\(range.lowerBound) TO \(range.upperBound)]", score: score, changes: type.updatable,
            estimate: { view in view.segment.fields[path].map { (try? view.segment.columns.estimate($0.ordinal, in: range)) ?? view.docCount } ?? 0 },
            test: { view throws(StorageError) in
                guard let info = view.segment.fields[path] else { return { _ in false } }
                return try view.segment.columns.test(info.ordinal, in: range)
            }
        ) { view throws(StorageError) in
            guard let info = view.segment.fields[path] else { return BitSet(count: view.docCount) }
            return try view.segment.columns.documents(info.ordinal, in: range)
        }
    }

    func prefixSet(_ type: FieldType, _ prefix: [UInt8], score: Float) throws(SearchError) -> Plan {
        try countClause()
        try checkIndexed(type)
        let path = type.path
        record(path) { $0.patterns.append(.prefix(prefix)) }
        return set("\(path):\(String(decoding: prefix, as: UTF8.self))*", score: score, estimate: { Self.guess(path, $0) }) { view throws(StorageError) in
            try SegmentTerms.documents(of: path, in: view) { terms, take throws(StorageError) in
                try terms.walk(prefix: prefix) { _, entry in
                    take(entry)
                    return .next
                }
            }
        }
    }

    // MARK: -

    private func termSet(_ type: FieldType, _ terms: [[UInt8]], score: Float) throws(SearchError) -> Plan {
        try countClause()
        guard type.index else { return try columnTerms(type, terms, score: score) }
        let path = type.path
        record(path) { $0.terms.formUnion(terms) }
        if terms.count == 1 { return .constant(.term(.unscored(path, terms[0])), score: score) }
        let names = terms.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\u{1}")
        return set("\(path):(\(names))", score: score, estimate: { Self.estimate(terms, path, $0) }) { view throws(StorageError) in
            var set = BitSet(count: view.docCount)
            guard let field = SegmentTerms(view.segment, field: path) else { return set }
            for term in terms { try field.insertDocuments(of: term, into: &set) }
            return set
        }
    }

    /// Terms of a field that is not indexed but has a column.
    private func columnTerms(_ type: FieldType, _ terms: [[UInt8]], score: Float) throws(SearchError) -> Plan {
        guard type.docValues else { try checkIndexed(type); return .none(reason: "not indexed") }
        try countClause()
        let path = type.path
        let names = terms.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\u{1}")
        return set("\(path):(\(names))", score: score, estimate: { $0.docCount }) { view throws(StorageError) in
            var set = BitSet(count: view.docCount)
            guard let info = view.segment.fields[path], let column = try view.segment.columns.keywords(info.ordinal) else { return set }
            for term in terms {
                if let ordinal = try column.ordinal(of: term) { set.formUnion(column.documents(ordinal..<(ordinal + 1))) }
            }
            return set
        }
    }

    private func matching(
        _ type: FieldType, _ automaton: ByteAutomaton, _ kind: String, _ pattern: String, ignoresCase: Bool, score: Float
    ) throws(SearchError) -> Plan {
        try countClause()
        try checkIndexed(type)
        let path = type.path
        record(path) { $0.patterns.append(.automaton(automaton)) }
        return set("\(path):\(kind)\(ignoresCase ? "/i" : "")(\(pattern))", score: score, estimate: { Self.guess(path, $0) }) { view throws(StorageError) in
            try SegmentTerms.documents(of: path, in: view) { terms, take throws(StorageError) in
                try terms.walk(automaton) { _, entry in
                    take(entry)
                    return true
                }
            }
        }
    }

    private func termRange(_ r: Query.Range, _ type: FieldType, score: Float) throws(SearchError) -> Plan {
        try checkIndexed(type)
        let path = type.path
        let low: [UInt8]? = try r.lower.flatMap { v throws(SearchError) in v.isNull ? nil : try self.normalized(v.queryText, type) }
        let high: [UInt8]? = try r.upper.flatMap { v throws(SearchError) in v.isNull ? nil : try self.normalized(v.queryText, type) }
        let (includesLow, includesHigh) = (r.includesLower, r.includesUpper)
        record(path) { $0.patterns.append(.range(from: low, through: high)) }
        let text = "\(includesLow ? "[" : "{")\(low.map { String(decoding: $0, as: UTF8.self) } ?? "*") TO \(high.map { String(decoding: $0, as: UTF8.self) } ?? "*")\(includesHigh ? "]" : "}")"
        return set("\(path):\(text)", score: score, estimate: { Self.guess(path, $0) }) { view throws(StorageError) in
            try SegmentTerms.documents(of: path, in: view) { terms, take throws(StorageError) in
                try terms.reader.walk(field: terms.field, from: low ?? []) { term, entry in
                    if !includesLow, term == low { return .next }
                    if let high, high.lexicographicallyPrecedes(term) || (!includesHigh && term == high) { return .stop }
                    take(entry)
                    return .next
                }
            }
        }
    }

    private func nothing(_ r: Query.Range) -> Plan { .none(reason: "no value of \(r.field) lies within the range") }

    /// Patterns keep their `*` and `?`; what lies between is normalized.
    private func normalizedPattern(_ pattern: String, _ type: FieldType) throws(SearchError) -> String {
        var result = "", literal = "", escaped = false
        func flush() throws(SearchError) {
            if !literal.isEmpty { result += String(decoding: try self.normalized(literal, type), as: UTF8.self) }
            literal = ""
        }
        for character in pattern {
            if escaped || (character != "*" && character != "?" && character != "\\") {
                if escaped, character == "*" || character == "?" || character == "\\" {
                    try flush()
                    result += "\\\(character)"
                } else { literal.append(character) }
                escaped = false
            } else if character == "\\" { escaped = true } else {
                try flush()
                result.append(character)
            }
        }
        try flush()
        return result
    }

    private func checkString(_ type: FieldType, _ query: String, _ noun: String) throws(SearchError) {
        guard type.isStringLike else {
            throw SearchError("query_shard_exception",
                "failed to create query: Can only use \(noun) queries on keyword, text and wildcard fields - not on [\(type.path)] which is of type [\(type.kind.rawValue)]")
        }
    }

    private static func estimate(_ terms: [[UInt8]], _ path: String, _ view: SegmentView) -> Int {
        guard terms.count <= 16, let field = SegmentTerms(view.segment, field: path) else { return guess(path, view) }
        return min(view.docCount, terms.reduce(0) { $0 + ((try? field.statistics(of: $1))?.docFreq ?? 0) })
    }

    /// Where counting would cost as much as matching: a quarter of the field's documents.
    private static func guess(_ path: String, _ view: SegmentView) -> Int { (view.segment.fields[path]?.docCount ?? 0) / 4 }

    private static func estimateExists(_ paths: [String], _ view: SegmentView) -> Int {
        min(view.docCount, paths.reduce(0) { sum, path in
            guard let info = view.segment.fields[path] else { return sum }
            return sum + (info.docCount > 0 ? info.docCount : view.docCount)
        })
    }
}

extension FieldType {
    /// Its values are numbers in columns and points.
    var isNumeric: Bool {
        switch kind {
        case .long, .integer, .short, .byte, .unsignedLong, .double, .float, .halfFloat, .scaledFloat, .boolean, .date, .dateNanos: true
        default: false
        }
    }
}
