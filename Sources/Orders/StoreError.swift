// Why the store refused, in words that reach the caller: what was wrong and what to do instead. The HTTP layer gives each a status and a problem type.

package enum StoreError: Error, Equatable, Sendable {
    /// 400: the command makes no sense whatever the state.
    case invalid(String)
    /// 403: the actor may not do this at all.
    case forbidden(String)
    /// 404: there is none, or none for this caller.
    case notFound(String)
    /// 409: the state's table has no such transition.
    case illegalTransition(of: String, state: String, event: String, legal: [String])
    /// 409: what is asked contradicts what is there.
    case conflict(String)
    /// 409: so many are left of the products that are short.
    case outOfStock([ProductID: Int64])
    /// 409: the prices now, of the products whose price is another than the caller said.
    case priceChanged([ProductID: Money])
    /// 412: the record's version now.
    case versionMismatch(current: Int64)
    /// 422: the key came before with another request.
    case idempotencyKeyReused
    /// 429: the queue is full; again after a pause.
    case busy
    /// 400: changed, cut, of another list, or with other filters than the page before.
    case badCursor(String)
    /// 503: the order's body is in another tier; with the document that lies there the command can be given again (`StoreCommand.recalled`).
    case archived(OrderID)
    /// 503: the database failed; whether the command took effect is known (it did not).
    case unavailable(String)
    /// 500: what is stored contradicts itself.
    case damaged(String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalid(let why), .forbidden(let why), .conflict(let why), .badCursor(let why): why
        case .notFound(let what): "there is no \(what)"
        case .illegalTransition(let what, let state, let event, let legal):
            "\(what) is \(state): \(event) is not possible; " + (legal.isEmpty ? "nothing is any more" : "possible: \(legal.joined(separator: ", "))")
        case .outOfStock(let left):
            "not enough in stock: " + left.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value) left" }.joined(separator: ", ")
        case .priceChanged(let now):
            "the price has changed: " + now.sorted { $0.key < $1.key }.map { "\($0.key) is now \($0.value)" }.joined(separator: ", ")
        case .versionMismatch(let current): "the record is at version \(current) now: read it again"
        case .idempotencyKeyReused: "this idempotency key was used with another request: take a new key"
        case .busy: "too many requests are waiting: try again in a moment"
        case .archived(let id): "order \(id) is archived: it must be recalled first"
        case .unavailable(let why): "the store is not available: \(why)"
        case .damaged(let why): "stored data is damaged: \(why)"
        }
    }
}
