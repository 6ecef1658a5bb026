// Settings of the cluster as PUT and shown. The node is one, and what can be tuned stands in its configuration
// file: these are kept for clients that write them, and read where a line says so.

internal import JSON
internal import Synchronization

final class ClusterSettings: Sendable {
    /// Guards flat keys -> values, per kind ("persistent", "transient").
    private let stored = Mutex<[String: JSONObject]>([:])

    func get(_ kind: String) -> JSONObject { stored.withLock { $0[kind] ?? JSONObject() } }

    /// Null removes.
    func put(_ kind: String, _ settings: [(String, JSONValue)]) {
        stored.withLock { stored in
            for (key, value) in settings {
                if key.contains("*") {
                    for old in stored[kind]?.keys ?? [] where Wildcard.matches(key, old) { stored[kind]?[old] = nil }
                } else { stored[kind, default: JSONObject()][key] = value.isNull ? Optional.none : value }
            }
        }
    }
}
