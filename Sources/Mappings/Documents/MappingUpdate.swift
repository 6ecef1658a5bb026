// Fields that a document brought along, on their way into the index's mapping.

package import JSON

package struct MappingUpdate: Sendable {
    /// The mapping it was found missing in.
    let base: UInt64
    /// That mapping with the fields.
    let result: Mapping
    /// `{"properties": {...}}` with just the new fields, for the translog: `Mapping.merging` replays it. Empty when only
    /// keys of flattened fields are new, which need no replay.
    package let definition: JSONObject
}

extension Mapping {
    /// - Returns: true: the document that brought the update stands as parsed. False: the mapping had changed
    ///   meanwhile, the update was merged into it, and the document has to be parsed again.
    /// - Throws: the update contradicts the mapping as it is now; nothing has changed.
    package mutating func adopt(_ update: MappingUpdate) throws(MappingError) -> Bool {
        if generation == update.base {
            self = update.result
            return true
        }
        self = try merging(update.definition)
        return false
    }
}
