// Which fields a segment has, what is kept for each, and the statistics that scoring needs. Section
// `fields`: docCount u32, field count u32, then the records sorted by path (fixed width, so a path is
// found by binary search without an object per field), then the paths' bytes.

package import Bytes
package import Storage

/// One field of one segment.
package struct FieldInfo: Sendable, Equatable {
    /// The `field` of sections and of the term dictionary's keys: the place in the order of paths.
    package var ordinal: UInt32
    package var path: String
    package var features: Features
    /// Mapping kind (`FieldType.Kind` as written), so that a segment explains itself.
    package var kind: String
    /// Documents with at least one posting.
    package var docCount = 0
    /// Postings: the sum of docFreq over terms.
    package var sumDocFreq = 0
    /// Tokens: the sum of frequencies; equal to sumDocFreq where frequencies are not kept.
    package var sumTotalTermFreq = 0
    package var termCount = 0
    /// The one norm byte of every document, when `constantNorms`.
    package var constantNorm: UInt8 = 0

    package struct Features: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let postings = Features(rawValue: 1)
        package static let frequencies = Features(rawValue: 2)
        package static let positions = Features(rawValue: 4)
        package static let norms = Features(rawValue: 8)
        package static let constantNorms = Features(rawValue: 16)
        package static let numbers = Features(rawValue: 32)
        package static let keywords = Features(rawValue: 64)
        package static let points = Features(rawValue: 128)
        package static let multiValued = Features(rawValue: 256)
    }

    package init(ordinal: UInt32, path: String, features: Features, kind: String) {
        (self.ordinal, self.path, self.features, self.kind) = (ordinal, path, features, kind)
    }
}

package struct FieldTable: Sendable {
    package let docCount: Int
    private let infos: [FieldInfo]
    private let places: [String: Int]

    /// For writing: `fields` sorted by path, ordinals in that order.
    package init(docCount: Int, fields: [FieldInfo]) {
        self.docCount = docCount
        infos = fields
        places = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.path, $0) })
    }

    package init(_ file: SegmentFile) throws(StorageError) {
        // Placeholder until the section is written: to be replaced with the layout above.
        throw StorageError(.corrupt, path: file.bytes.path, "no field table")
    }

    package var count: Int { infos.count }
    package subscript(path: String) -> FieldInfo? { places[path].map { infos[$0] } }
    package subscript(ordinal ordinal: UInt32) -> FieldInfo { infos[Int(ordinal)] }
}
