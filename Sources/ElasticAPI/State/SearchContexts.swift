// Searches that outlive a request: scrolls and points in time. Each holds the snapshots it was opened with, so
// pages agree with each other whatever is written in between. Bounded in number; idle ones expire.

internal import QueryDSL
package import Search
internal import JSON
internal import Synchronization

package final class SearchContexts: Sendable {
    package struct Context: Sendable {
        package var targets: [SearchExecutor.Target]
        /// Scrolls only.
        var scroll: ScrollCursor?
        package var rendering: SearchRendering.Options
        var keepAlive: Int64
        var expires: Int64
    }

    private struct State {
        var contexts: [String: Context] = [:]
        var nextNumber: UInt64 = 1
    }

    /// Guards the open contexts.
    private let state = Mutex(State())
    private let countMax: Int
    /// Part of every id, so that ids of an earlier life of this node are not taken for new ones.
    private let life = UInt64.random(in: 0 ... .max)

    init(countMax: Int) { self.countMax = countMax }

    /// search.max_keep_alive
    static let keepAliveMax: Int64 = 24 * 3_600_000

    func open(_ targets: [SearchExecutor.Target], scroll: ScrollCursor?, rendering: SearchRendering.Options, keepAlive: Int64, now: Int64) throws(APIError) -> String {
        try Self.check(keepAlive)
        return try state.withLock { state throws(APIError) in
            state.contexts = state.contexts.filter { $0.value.expires >= now }
            guard state.contexts.count < countMax else {
                throw APIError(429, "es_rejected_execution_exception",
                    "Trying to create too many scroll contexts. Must be less than or equal to: [\(countMax)]. Clear those that are done with DELETE /_search/scroll.")
            }
            let id = Self.encode(life, state.nextNumber, scroll: scroll != nil)
            state.nextNumber += 1
            state.contexts[id] = Context(targets: targets, scroll: scroll, rendering: rendering, keepAlive: keepAlive, expires: now + keepAlive)
            return id
        }
    }

    /// The context; its life is prolonged.
    func use(_ id: String, keepAlive: Int64?, now: Int64) throws(APIError) -> Context {
        if let keepAlive { try Self.check(keepAlive) }
        return try state.withLock { state throws(APIError) in
            guard var context = state.contexts[id], context.expires >= now else { throw Self.missing(id) }
            context.keepAlive = keepAlive ?? context.keepAlive
            context.expires = now + context.keepAlive
            state.contexts[id] = context
            return context
        }
    }

    func advance(_ id: String, to scroll: ScrollCursor) { state.withLock { $0.contexts[id]?.scroll = scroll } }

    /// How many were open.
    func close(_ ids: [String]) -> Int {
        state.withLock { state in ids.reduce(0) { $0 + (state.contexts.removeValue(forKey: $1) == nil ? 0 : 1) } }
    }

    func closeAll(scrolls: Bool) -> Int {
        state.withLock { state in
            let before = state.contexts.count
            state.contexts = state.contexts.filter { ($0.value.scroll != nil) != scrolls }
            return before - state.contexts.count
        }
    }

    var openCount: Int { state.withLock { $0.contexts.count } }

    // MARK: -

    static func missing(_ id: String) -> APIError {
        var error = APIError(404, "search_context_missing_exception", "No search context found for id [\(id.prefix(64))]")
        error.searchPhase = "query"
        return error
    }

    private static func check(_ keepAlive: Int64) throws(APIError) {
        guard keepAlive <= keepAliveMax else {
            throw .illegal("Keep alive for request (\(TimeText.short(keepAlive))) is too large. It must be less than (1d). "
                + "This limit can be set by changing the [search.max_keep_alive] cluster level setting.")
        }
    }

    private static func encode(_ life: UInt64, _ number: UInt64, scroll: Bool) -> String {
        (scroll ? "s" : "p") + String(life, radix: 36) + "_" + String(number, radix: 36)
    }
}

enum TimeText {
    /// "30s", "1.5m", "25h": as Elasticsearch's TimeValue prints it.
    static func short(_ milliseconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
        for (scale, unit) in units where milliseconds >= scale {
            let tenths = milliseconds / scale * 10 + milliseconds % scale * 10 / scale
            return tenths % 10 == 0 ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
