// The mapping of an index as it grows: readers take the current value, changes go one at a time, and a change
// that a document brought is in the translog before anyone can parse by it.

package import JSON
package import Mappings
import Synchronization

package final class LiveMapping: Sendable {
    private let changes = Monitor()
    private let value: Mutex<(mapping: Mapping, generation: Int)>

    package init(_ mapping: Mapping) { value = Mutex((mapping, 0)) }

    package var current: Mapping { value.withLock { $0.mapping } }
    /// Rises with every change: tells whether index.json is behind.
    package var generation: Int { value.withLock { $0.generation } }

    /// Takes over what a document brought along.
    /// - Parameter log: makes the definition part of the redo log; called before the change can be seen.
    /// - Returns: whether the document stands as parsed.
    func adopt(_ update: MappingUpdate, log: (JSONObject) throws(EngineError) -> Void) throws(EngineError) -> Bool {
        try changes.locked { () throws(EngineError) in
            var mapping = current
            let stands: Bool
            do throws(MappingError) { stands = try mapping.adopt(update) } catch { throw EngineError(error) }
            try log(update.definition)
            set(mapping)
            return stands
        }
    }

    /// Merges a definition in.
    package func merge(_ definition: JSONObject) throws(EngineError) {
        try changes.locked { () throws(EngineError) in
            do throws(MappingError) { set(try current.merging(definition)) } catch { throw EngineError(error) }
        }
    }

    private func set(_ mapping: Mapping) {
        value.withLock { $0 = (mapping, $0.generation + 1) }
    }
}
