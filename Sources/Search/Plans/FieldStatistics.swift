// What BM25 needs to know of fields and terms over a whole snapshot: summed over segments, deleted documents
// included, as Lucene does, so that every segment scores alike and deleting changes no score until a merge.
//
//     idf            ln(1 + (docCount - docFreq + 0.5) / (docFreq + 0.5)), in double, cast to float32
//     inverse norm   1 / (k1 * (1 - b + b * length / averageLength)), in float32, for each of 256 norm bytes
//
// Source: Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework"; Lucene 9.9 BM25Similarity.

import Glibc
internal import Mappings
internal import Segments
internal import Storage

/// Of one plan's making: not shared between threads.
final class FieldStatistics {
    struct Field {
        /// Documents that have a posting in the field, and its tokens.
        var docCount = 0, sumTotalTermFreq = 0
    }
    struct Term {
        var docFreq = 0, totalTermFreq = 0
    }

    private let snapshot: IndexSnapshot
    private var fields: [String: Field] = [:]
    private var similarities: [String: Similarity] = [:]
    private var terms: [String: [[UInt8]: Term]] = [:]

    init(_ snapshot: IndexSnapshot) { self.snapshot = snapshot }

    /// Documents of the snapshot, deleted ones included.
    lazy var maxDoc = snapshot.segments.reduce(0) { $0 + $1.docCount }

    func field(_ path: String) -> Field {
        if let known = fields[path] { return known }
        var sum = Field()
        for view in snapshot.segments {
            guard let info = view.segment.fields[path] else { continue }
            sum.docCount += info.docCount
            sum.sumTotalTermFreq += info.sumTotalTermFreq
        }
        fields[path] = sum
        return sum
    }

    /// docFreq 0 where the term is nowhere.
    func term(_ term: [UInt8], of path: String) throws(StorageError) -> Term {
        if let known = terms[path]?[term] { return known }
        var sum = Term()
        for view in snapshot.segments {
            guard let entry = try SegmentTerms(view.segment, field: path)?.statistics(of: term) else { continue }
            sum.docFreq += entry.docFreq
            sum.totalTermFreq += entry.totalTermFreq
        }
        terms[path, default: [:]][term] = sum
        return sum
    }

    func idf(docFreq: Int, of path: String) -> Float { Self.idf(docFreq: docFreq, docCount: field(path).docCount) }

    static func idf(docFreq: Int, docCount: Int) -> Float {
        // Blended statistics may count more documents than the field has; a weight below 0 would break pruning.
        max(0, Float(log(1 + (Double(docCount) - Double(docFreq) + 0.5) / (Double(docFreq) + 0.5))))
    }

    func similarity(_ type: FieldType) -> Similarity {
        if let known = similarities[type.path] { return known }
        let field = field(type.path)
        let average = field.docCount == 0 ? 1 : Float(Double(field.sumTotalTermFreq) / Double(field.docCount))
        let made = Similarity.bm25(k1: snapshot.settings.k1, b: snapshot.settings.b, averageLength: average, norms: type.norms)
        similarities[type.path] = made
        return made
    }
}

extension Similarity {
    /// Without norms every document counts as one token long, as in Lucene.
    package static func bm25(k1: Float, b: Float, averageLength: Float, norms: Bool) -> Similarity {
        let inverse = (0..<256).map { byte -> Float in
            1 / (k1 * ((1 - b) + b * normLength(UInt8(norms ? byte : 1)) / averageLength))
        }
        return Similarity(k1: k1, b: b, averageLength: averageLength, inverseNorms: inverse)
    }

    /// Of filters, whose scores nobody reads.
    static let unscored = Similarity(k1: 0, b: 0, averageLength: 1, inverseNorms: [Float](repeating: 1, count: 256))

    /// The length that a norm byte stands for.
    package static func normLength(_ byte: UInt8) -> Float { Float(SmallFloat.decode(byte)) }
}
