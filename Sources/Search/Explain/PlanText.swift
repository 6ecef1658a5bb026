// A plan as text, much as Lucene prints a query: for explain, profiles and golden plans.

internal import QueryDSL

extension Plan {
    package var text: String {
        switch self {
        case .none(let reason): "MatchNoDocsQuery(\"\(reason)\")"
        case .all: "*:*"
        case .term(let t): "\(t.field):\(String(decoding: t.term, as: UTF8.self))"
        case .synonym(let s): "Synonym(" + s.terms.map { "\(s.field):\(String(decoding: $0.term, as: UTF8.self))" }.joined(separator: " ") + ")"
        case .phrase(let p): p.text
        case .set(let set, _): "ConstantScore(\(set.description))"
        case .constant(let inner, _): "ConstantScore(\(inner.text))"
        case .bool(let b): b.text
        case .disMax(let plans, let tie): "(" + plans.map(\.text).joined(separator: " | ") + ")" + (tie == 0 ? "" : "~\(tie)")
        case .boosting(let a, let b, let factor): "boosting(\(a.text), \(b.text)^\(factor))"
        case .function(let f): "function score (\(f.inner.text), functions: \(f.description))"
        case .named(let name, let inner): "\(inner.text)#\(name)"
        }
    }
}

extension PhrasePlan {
    var text: String {
        var next = 0
        let places = places.map { place in
            defer { next = place.position + 1 }
            let gap = String(repeating: "? ", count: max(0, min(100, place.position - next)))
            let terms = place.terms.map { String(decoding: $0, as: UTF8.self) }
            return gap + (terms.count == 1 ? terms[0] : "(" + terms.joined(separator: " ") + ")")
        }
        return "\(field):\"" + places.joined(separator: " ") + "\"" + (slop == 0 ? "" : "~\(slop)")
    }
}

extension BoolPlan {
    var text: String {
        func nested(_ plan: Plan) -> String { if case .bool = plan { "(\(plan.text))" } else { plan.text } }
        let parts = must.map { "+" + nested($0) } + should.map(nested) + filter.map { "#" + nested($0) } + mustNot.map { "-" + nested($0) }
        let joined = parts.joined(separator: " ")
        return minimumShouldMatch > 0 && !(minimumShouldMatch == 1 && isDisjunction) ? "(\(joined))~\(minimumShouldMatch)" : joined
    }
}

extension Query.FunctionScore.BoostMode {
    var explanation: String {
        switch self {
        case .multiply: "function score, product of:"
        case .replace: "function score, replaced by:"
        case .sum: "sum of"
        case .avg: "avg of"
        case .max: "max of"
        case .min: "min of"
        }
    }
}
