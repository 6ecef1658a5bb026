// How one document's score comes about, as a tree in Elasticsearch's words. Every node's value follows from its
// details by the arithmetic its description names, in the precision the scorers use, so the root is the score.
//
//     weight(title:ps5 in 3) [PerFieldSimilarity], result of:
//       score(freq=1.0), computed as boost * idf * tf from:
//         boost · idf, computed as log(1 + (N - n + 0.5) / (n + 0.5)) from: · tf, computed as freq / (...) from:

internal import Segments
internal import Storage

struct Explainer {
    let view: SegmentView
    let doc: DocID
    let statistics: FieldStatistics

    init(view: SegmentView, doc: DocID, snapshot: IndexSnapshot) {
        (self.view, self.doc) = (view, doc)
        statistics = FieldStatistics(snapshot)
    }

    func explain(_ plan: Plan) throws(StorageError) -> Explanation {
        switch plan {
        case .none(let reason): return missing("MatchNoDocsQuery(\"\(reason)\")")
        case .all(let score): return Explanation(score, "*:*" + suffix(score))
        case .term(let term): return try explain(term)
        case .synonym(let synonym): return try explain(synonym)
        case .phrase(let phrase): return try explain(phrase)
        case .set(_, let score), .constant(_, let score):
            guard try matches(plan) else { return missing("\(plan.text) doesn't match id \(doc)") }
            return Explanation(score, plan.text + suffix(score))
        case .bool(let bool): return try explain(bool)
        case .disMax(let plans, let tie): return try explain(plans, tie)
        case .boosting(let positive, let negative, let factor): return try explain(positive, negative, factor)
        case .function(let function): return try explain(function)
        case .named(_, let inner): return try explain(inner)
        }
    }

    // MARK: Compounds

    private func explain(_ bool: BoolPlan) throws(StorageError) -> Explanation {
        var details: [Explanation] = [], required = 0.0, added = 0.0, optional = 0
        for clause in bool.mustNot where try matches(clause) {
            return missing("Failure to meet condition(s) of required/prohibited clause(s)", [missing("match on prohibited clause (\(clause.text))")])
        }
        for clause in bool.must {
            let one = try explain(clause)
            guard one.matches else { return missing("Failure to meet condition(s) of required/prohibited clause(s)", [missing("no match on required clause (\(clause.text))", [one])]) }
            required += Double(one.value)
            details.append(one)
        }
        for clause in bool.filter {
            guard try matches(clause) else { return missing("Failure to meet condition(s) of required/prohibited clause(s)", [missing("no match on required clause (\(clause.text))")]) }
            details.append(Explanation(0, "match on required clause, product of:", [Explanation(0, "# clause"), Explanation(1, clause.text)]))
        }
        for clause in bool.should {
            let one = try explain(clause)
            guard one.matches else { continue }
            optional += 1
            added += Double(one.value)
            details.append(one)
        }
        if optional < bool.minimumShouldMatch {
            return missing("Failure to match minimum number of optional clauses: \(bool.minimumShouldMatch)", details)
        }
        // Required and optional clauses are each summed in double, cast, then added in float, as Lucene's scorers do.
        return Explanation(Float(required) + Float(added), "sum of:", details)
    }

    private func explain(_ plans: [Plan], _ tie: Float) throws(StorageError) -> Explanation {
        var details: [Explanation] = []
        for plan in plans {
            let one = try explain(plan)
            if one.matches { details.append(one) }
        }
        guard let most = details.map(\.value).max(), let place = details.firstIndex(where: { $0.value == most }) else { return missing("No matching clause") }
        var others = 0.0
        for (i, one) in details.enumerated() where i != place { others += Double(one.value) }
        return Explanation(Float(Double(most) + others * Double(tie)), tie == 0 ? "max of:" : "max plus \(tie) times others of:", details)
    }

    private func explain(_ positive: Plan, _ negative: Plan, _ factor: Float) throws(StorageError) -> Explanation {
        let inner = try explain(positive)
        guard inner.matches, try matches(negative) else { return inner }
        return Explanation(inner.value * factor, "product of:", [inner, Explanation(factor, "negative_boost: \(negative.text)")])
    }

    private func explain(_ function: FunctionPlan) throws(StorageError) -> Explanation {
        let inner = try explain(function.inner)
        guard inner.matches else { return inner }
        let value = try function.scorer(view)(doc, inner.value)
        if let least = function.minScore, value < least {
            return missing("Score value is too low, expected at least \(least) but got \(value)", [inner])
        }
        guard let combination = function.combination else { return Explanation(value, function.description, [inner]) }
        let parts = try combination.parts(view, doc)
        let combined = FunctionCombination.combine(parts.map { ($0.value, $0.weight) }, combination.scoreMode)
        let details = parts.map { part in
            Explanation(Float(part.value), part.description + (part.weight == 1 ? "" : ", weight \(Float(part.weight))"))
        }
        let functions = details.isEmpty ? Explanation(1, "No function matched")
            : Explanation(Float(combined), "function score, score mode [\(combination.scoreMode)]", details)
        let bounded = Explanation(Float(min(combined, Double(combination.maxBoost))), "min of:", [functions, Explanation(combination.maxBoost, "maxBoost")])
        return Explanation(value, combination.boostMode.explanation, [inner, bounded])
    }

    private func matches(_ plan: Plan) throws(StorageError) -> Bool { try SegmentScorer(plan: plan, view: view).score(of: doc) != nil }

    // MARK: Leaves

    private func explain(_ term: TermPlan) throws(StorageError) -> Explanation {
        let name = "\(term.field):\(String(decoding: term.term, as: UTF8.self))"
        guard let frequency = try frequency(of: term.term, in: term.field) else { return missing("no matching term") }
        let f = Float(frequency)
        let idf = idfExplained(term.idf, n: term.docFreq, docCount: term.docCount)
        return try scored("weight(\(name) in \(doc))", term.field, term.weight, term.boost, idf, term.similarity,
            Explanation(f, "freq, occurrences of term within document"))
    }

    private func explain(_ synonym: SynonymPlan) throws(StorageError) -> Explanation {
        var f: Float = 0
        for (term, boost) in synonym.terms { f += Float(try frequency(of: term, in: synonym.field) ?? 0) * boost }
        guard f > 0 else { return missing("no matching term") }
        let name = "Synonym(" + synonym.terms.map { "\(synonym.field):\(String(decoding: $0.term, as: UTF8.self))" }.joined(separator: " ") + ")"
        let idf = idfExplained(synonym.idf, n: synonym.docFreq, docCount: synonym.docCount)
        return try scored("weight(\(name) in \(doc))", synonym.field, synonym.weight, synonym.boost, idf, synonym.similarity, Explanation(f, "termFreq=\(f)"))
    }

    private func explain(_ phrase: PhrasePlan) throws(StorageError) -> Explanation {
        let plan = Plan.phrase(phrase)
        guard let score = try SegmentScorer(plan: plan, view: view).score(of: doc) else { return missing("no matching phrase") }
        var idfs: [Explanation] = []
        let docCount = statistics.field(phrase.field).docCount
        for place in phrase.places {
            for term in place.terms {
                let n = try statistics.term(term, of: phrase.field).docFreq
                if n > 0 { idfs.append(idfExplained(FieldStatistics.idf(docFreq: n, docCount: docCount), n: n, docCount: docCount)) }
            }
        }
        let f = try phraseFrequency(phrase, score)
        return try scored("weight(\(plan.text) in \(doc))", phrase.field, phrase.weight, phrase.boost, Explanation(phrase.idf, "idf, sum of:", idfs),
            phrase.similarity, Explanation(f, "phraseFreq=\(f)"))
    }

    private func scored(
        _ head: String, _ field: String, _ weight: Float, _ boost: Float, _ idf: Explanation, _ similarity: Similarity, _ freq: Explanation
    ) throws(StorageError) -> Explanation {
        let norm = try norm(of: field), f = freq.value
        let inverse = similarity.inverseNorms[Int(norm)]
        let tf = Explanation(1 - 1 / (1 + f * inverse), "tf, computed as freq / (freq + k1 * (1 - b + b * dl / avgdl)) from:", [
            freq,
            Explanation(similarity.k1, "k1, term saturation parameter"),
            Explanation(similarity.b, "b, length normalization parameter"),
            Explanation(Similarity.normLength(norm), norm > 39 ? "dl, length of field (approximate)" : "dl, length of field"),
            Explanation(similarity.averageLength, "avgdl, average length of field"),
        ])
        let factors = (boost == 1 ? [] : [Explanation(boost, "boost")]) + [idf, tf]
        let score = Explanation(weight - weight / (1 + f * inverse), "score(freq=\(f)), computed as boost * idf * tf from:", factors)
        return Explanation(score.value, head + " [PerFieldSimilarity], result of:", [score])
    }

    private func idfExplained(_ idf: Float, n: Int, docCount: Int) -> Explanation {
        Explanation(idf, "idf, computed as log(1 + (N - n + 0.5) / (n + 0.5)) from:", [
            Explanation(Float(n), "n, number of documents containing term"),
            Explanation(Float(docCount), "N, total number of documents with field"),
        ])
    }

    private func norm(of field: String) throws(StorageError) -> UInt8 {
        guard let info = view.segment.fields[field] else { return 1 }
        guard info.features.contains(.norms) || info.features.contains(.constantNorms) else { return 1 }
        return try view.segment.inverted.norms(field: info.ordinal, docs: [doc]).first ?? 1
    }

    /// The score read backwards, then moved by single steps until it gives the very score (sloppy phrases have
    /// fractional frequencies, known only to the scorer).
    private func phraseFrequency(_ phrase: PhrasePlan, _ score: Float) throws(StorageError) -> Float {
        let inverse = phrase.similarity.inverseNorms[Int(try norm(of: phrase.field))], weight = phrase.weight
        guard weight > score, inverse > 0 else { return 1 }
        let guess = Float((Double(weight) / Double(weight - score) - 1) / Double(inverse))
        func gives(_ f: Float) -> Bool { weight - weight / (1 + f * inverse) == score }
        if gives(guess.rounded()) { return guess.rounded() }
        var up = guess, down = guess
        for _ in 0..<1024 {
            if gives(up) { return up }
            if gives(down) { return down }
            (up, down) = (up.nextUp, down.nextDown)
        }
        return guess
    }

    private func frequency(of term: [UInt8], in field: String) throws(StorageError) -> Int? {
        guard let terms = SegmentTerms(view.segment, field: field), let entry = try terms.statistics(of: term) else { return nil }
        let list = try terms.reader.list(entry)
        let wanted = UInt32(doc), block = list.block(from: 0, holding: wanted)
        guard block < list.blockCount else { return nil }
        // Safe: both halves hold the 128 values of a block, and the segment outlives the list.
        return unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { memory in
            guard let docs = memory.baseAddress else { return nil }
            let count = unsafe list.decode(block, docs: docs, frequencies: docs + 128)
            unsafe list.decodeFrequencies(block, into: docs + 128)
            for i in 0..<min(count, 128) where unsafe docs[i] == wanted { return unsafe Int(docs[i + 128]) }
            return nil
        }
    }

    private func suffix(_ score: Float) -> String { score == 1 ? "" : "^\(score)" }

    private func missing(_ description: String, _ details: [Explanation] = []) -> Explanation { Explanation(0, description, details, matches: false) }
}

extension FunctionCombination {
    /// What each function whose filter matches gives for one document.
    func parts(_ view: SegmentView, _ doc: DocID) throws(StorageError) -> [(value: Double, weight: Double, description: String)] {
        var result: [(value: Double, weight: Double, description: String)] = []
        for function in functions {
            if let filter = function.filter, try SegmentScorer(plan: filter, view: view).score(of: doc) == nil { continue }
            let weight = Double(function.weight ?? 1)
            result.append((try function.make(view)(doc) * weight, weight, function.description))
            if scoreMode == .first { break }
        }
        return result
    }
}
