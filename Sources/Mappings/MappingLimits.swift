// Bounds and switches of a mapping that index settings carry.

package import JSON

/// From index.mapping.*.
package struct MappingLimits: Sendable {
    /// index.mapping.total_fields.limit. Elasticsearch's is 1,000; a catalogue's attributes are data here.
    package var fieldsMax = 100_000
    /// index.mapping.depth.limit.
    package var depthMax = 20
    /// index.mapping.field_name_length.limit.
    package var nameLengthMax = Int.max
    /// index.mapping.coerce, index.mapping.ignore_malformed: for fields that do not say.
    package var coerce = true
    package var ignoreMalformed = false

    package init() {}

    /// From index settings, nested or flat, with or without "index."; other settings are not ours to judge.
    /// - Throws: illegal_argument_exception for a value of the wrong shape.
    package init(settings: JSONObject) throws(MappingError) {
        let flat = IndexSettings.flat(settings)
        func count(_ key: String, _ least: Int, _ into: inout Int) throws(MappingError) {
            guard let value = flat[key] else { return }
            guard let parsed = value.integer ?? value.string.flatMap({ Int64($0) }) else {
                throw MappingError("illegal_argument_exception", "Failed to parse value [\(JavaText.string(value))] for setting [index.\(key)]")
            }
            guard parsed >= Int64(least) else {
                throw MappingError("illegal_argument_exception", "Failed to parse value [\(parsed)] for setting [index.\(key)] must be >= \(least)")
            }
            into = Int(parsed)
        }
        func flag(_ key: String, _ into: inout Bool) throws(MappingError) {
            guard let value = flat[key] else { return }
            switch JavaText.string(value) {
            case "true": into = true
            case "false": into = false
            case let text:
                throw MappingError("illegal_argument_exception", "Failed to parse value [\(text)] as only [true] or [false] are allowed.")
            }
        }
        try count("mapping.total_fields.limit", 0, &fieldsMax)
        try count("mapping.depth.limit", 1, &depthMax)
        try count("mapping.field_name_length.limit", 1, &nameLengthMax)
        try flag("mapping.coerce", &coerce)
        try flag("mapping.ignore_malformed", &ignoreMalformed)
        depthMax = min(depthMax, 100)
    }
}
