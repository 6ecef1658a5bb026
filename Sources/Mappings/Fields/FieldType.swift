// What a field is: the immutable description that documents are parsed by, written by and searched by.

package import Analysis
package import JSON

/// A mapped field. Immutable; a changed mapping makes new ones.
package final class FieldType: Sendable {
    package enum Kind: String, Sendable {
        case text, keyword, constantKeyword = "constant_keyword", wildcard
        case long, integer, short, byte, unsignedLong = "unsigned_long"
        case double, float, halfFloat = "half_float", scaledFloat = "scaled_float"
        case boolean, date, dateNanos = "date_nanos", ip
        case object, nested, flattened, alias, binary
    }

    /// Dense from 0 within one index's mapping, in the order fields came; kept when a field's parameters change.
    /// `UInt32.max` for a type made by hand.
    package let number: UInt32
    /// Full path: "brand", "attributes.colour", "title.keyword".
    package let path: String
    package let kind: Kind
    package let index: Bool
    package let docValues: Bool
    package let store: Bool
    /// text only.
    package let norms: Bool
    package let indexOptions: IndexOptions
    package let analyzer: (any Analyzer)?
    package let searchAnalyzer: (any Analyzer)?
    package let searchQuoteAnalyzer: (any Analyzer)?
    /// text only: positions between two values; 100 unless set.
    package let positionIncrementGap: Int
    /// keyword only.
    package let normalizer: (any Analyzer)?
    package let ignoreAbove: Int?
    package let nullValue: JSONValue?
    package let copyTo: [String]
    package let scalingFactor: Double
    /// date only: "strict_date_optional_time||epoch_millis".
    package let format: String?
    /// `format`, ready to read and write; the standard one unless given.
    package let dateFormat: DateFormat
    package let coerce: Bool
    package let ignoreMalformed: Bool
    /// alias only.
    package let aliasPath: String?
    /// The column's values may change without the document being written anew: no points, no postings.
    package let updatable: Bool
    /// The definition as the caller wrote it, for GET _mapping.
    package let definition: JSONObject

    package init(
        path: String, kind: Kind, index: Bool = true, docValues: Bool = true, store: Bool = false, norms: Bool = false,
        indexOptions: IndexOptions = .docs, analyzer: (any Analyzer)? = nil, searchAnalyzer: (any Analyzer)? = nil,
        searchQuoteAnalyzer: (any Analyzer)? = nil, positionIncrementGap: Int? = nil, normalizer: (any Analyzer)? = nil, ignoreAbove: Int? = nil,
        nullValue: JSONValue? = nil, copyTo: [String] = [], scalingFactor: Double = 1, format: String? = nil, coerce: Bool = true,
        ignoreMalformed: Bool = false, aliasPath: String? = nil, updatable: Bool = false, definition: JSONObject = JSONObject(),
        number: UInt32 = .max
    ) {
        self.number = number
        self.positionIncrementGap = positionIncrementGap ?? analyzer?.positionIncrementGap ?? 100
        self.path = path
        self.kind = kind
        self.index = index
        self.docValues = docValues
        self.store = store
        self.norms = norms
        self.indexOptions = indexOptions
        self.analyzer = analyzer
        self.searchAnalyzer = searchAnalyzer ?? analyzer
        self.searchQuoteAnalyzer = searchQuoteAnalyzer ?? searchAnalyzer ?? analyzer
        self.normalizer = normalizer
        self.ignoreAbove = ignoreAbove
        self.nullValue = nullValue
        self.copyTo = copyTo
        self.scalingFactor = scalingFactor
        self.format = format
        dateFormat = format.flatMap { try? DateFormat($0) } ?? .standard
        self.coerce = coerce
        self.ignoreMalformed = ignoreMalformed
        self.aliasPath = aliasPath
        self.updatable = updatable
        self.definition = definition
    }

    package enum IndexOptions: UInt8, Sendable, Comparable {
        case docs = 1, frequencies = 2, positions = 3, offsets = 4
        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }
}

/// How values lie in columns and points, by kind:
///
///     long integer short byte date boolean     Int64 as is (dates: milliseconds since 1970; booleans 0 and 1)
///     double float half_float                  sortable bits: `SortableDouble.encode` (floats widened first)
///     scaled_float                             value * scaling_factor, rounded: Int64
///     unsigned_long                            the bits with the sign flipped
///     keyword text-with-fielddata ip flattened bytes of the term, in the segment's sorted dictionary
public enum SortableDouble {
    /// An Int64 that orders as the doubles do (Lucene's NumericUtils.doubleToSortableLong); -0.0 below 0.0.
    @inlinable public static func encode(_ value: Double) -> Int64 {
        let bits = Int64(bitPattern: value.bitPattern)
        return bits ^ ((bits >> 63) & Int64.max)
    }
    @inlinable public static func decode(_ sortable: Int64) -> Double {
        Double(bitPattern: UInt64(bitPattern: sortable ^ ((sortable >> 63) & Int64.max)))
    }
}
