// Every refusal, as RFC 9457 has it, made in this one file out of what the store, the gateway and the request's readers say.
//
//     {"type": "urn:isotherm:problem:out-of-stock", "title": "Out of stock", "status": 409, "detail": "...", "left": {"p0001": 2}}
//
// `type` is what programs look at; `detail` is for people and may change.

package import JSON
package import Orders

package struct Problem: Error, Sendable {
    package var status: Int
    /// The last part of the type.
    package var name: String
    package var detail: String
    /// Members besides the five of the standard.
    package var members: [(String, JSONValue)] = []
    package var headers: [(name: String, value: String)] = []

    package init(_ status: Int, _ name: String, _ detail: String, members: [(String, JSONValue)] = []) {
        (self.status, self.name, self.detail, self.members) = (status, name, detail, members)
    }

    /// - Parameters:
    ///   - pointer: the member of the body that is wrong (RFC 6901).
    ///   - parameter: the name in the query.
    package static func invalid(_ detail: String, pointer: String? = nil, parameter: String? = nil) -> Problem {
        var problem = Problem(400, "invalid-request", detail)
        if let pointer { problem.members.append(("pointer", .string(pointer))) }
        if let parameter { problem.members.append(("parameter", .string(parameter))) }
        return problem
    }

    package static var unauthenticated: Problem {
        var problem = Problem(401, "unauthenticated", "say who asks: Authorization: Bearer <token>, from `isotherm token`")
        problem.headers.append(("WWW-Authenticate", "Bearer realm=\"isotherm\""))
        return problem
    }

    package var answer: ShopAnswer {
        var answer = ShopAnswer.json(status) { w in
            w.member("type", "urn:isotherm:problem:\(name)")
            w.member("title", title)
            w.member("status", status)
            w.member("detail", detail)
            for (name, value) in members { w.member(name, value) }
        }
        answer.contentType = "application/problem+json"
        answer.headers = headers
        return answer
    }

    /// The name as words.
    private var title: String {
        let words = name.split(separator: "-").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

extension Problem {
    package init(_ error: StoreError) {
        self.init(500, "internal", error.description)
        switch error {
        case .invalid: (status, name) = (400, "invalid-request")
        case .badCursor: (status, name) = (400, "bad-cursor")
        case .forbidden: (status, name) = (403, "forbidden")
        case .notFound: (status, name) = (404, "not-found")
        case .conflict: (status, name) = (409, "conflict")
        case .illegalTransition(_, let state, let event, let legal):
            (status, name) = (409, "illegal-transition")
            members = [("state", .string(state)), ("event", .string(event)), ("legal", .array(legal.map { .string($0) }))]
        case .outOfStock(let left):
            (status, name) = (409, "out-of-stock")
            members = [("left", .object(JSONObject(left.sorted { $0.key < $1.key }.map { ($0.key.text, .integer($0.value)) })))]
        case .priceChanged(let now):
            (status, name) = (409, "price-changed")
            let prices = now.sorted { $0.key < $1.key }.map { id, price -> (String, JSONValue) in
                (id.text, ["price_minor": .integer(price.minor), "currency": .string(price.currency.code)])
            }
            members = [("prices", .object(JSONObject(prices)))]
        case .versionMismatch(let current):
            (status, name) = (412, "version-mismatch")
            members = [("version", .integer(current))]
            headers = [("ETag", "\"\(current)\"")]
        case .idempotencyKeyReused: (status, name) = (422, "idempotency-key-reused")
        case .busy:
            (status, name) = (429, "busy")
            headers = [("Retry-After", "1")]
        case .unavailable, .archived:
            (status, name) = (503, "unavailable")
            headers = [("Retry-After", "1")]
        case .damaged: break
        }
    }

    /// Whatever was thrown on the way to an answer.
    package init(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as StoreError: self.init(error)
        case let error as JSONError: self = .invalid("the body is no valid JSON: \(error)")
        case GatewayFailure.timedOut:
            self.init(504, "gateway-timed-out", "the payment gateway did not answer in time: what happened there comes by webhook")
        case GatewayFailure.refused(let why): self.init(422, "gateway-refused", why)
        case is CancellationError: self.init(503, "unavailable", "the request was cancelled")
        default: self.init(500, "internal", "something went wrong here; it is not your request's fault")
        }
    }
}
