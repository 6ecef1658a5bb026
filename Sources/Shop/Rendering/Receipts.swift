// What a change answers with: what was made, its state and version, and the store's position at which it can be seen. Nothing in it changes later, so a
// request tried again under its idempotency key gets these very bytes.

internal import JSON
internal import Orders

extension ShopAnswer {
    /// - Parameters:
    ///   - status: of a new answer; one given again has the same.
    ///   - location: where the record is.
    static func receipt(_ outcome: StoreOutcome, status: Int = 200, location: String? = nil, _ more: (inout JSONWriter) -> Void = { _ in }) -> ShopAnswer {
        var answer = ShopAnswer.json(status) { w in
            if let id = outcome.id { w.member("id", id.description) }
            if !outcome.state.isEmpty { w.member("status", outcome.state) }
            if outcome.recordVersion > 0 { w.member("version", outcome.recordVersion) }
            more(&w)
            w.key("position")
            w.unsigned(outcome.version)
        }
        if outcome.recordVersion > 0 { answer = answer.tagged(outcome.recordVersion) }
        if let location, let id = outcome.id { answer = answer.with("Location", location + id.description) }
        if outcome.replayed { answer = answer.with("Idempotency-Replayed", "true") }
        return answer
    }
}
