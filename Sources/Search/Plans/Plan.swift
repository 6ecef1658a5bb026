// A query bound to an index: analyzed, expanded and weighed, but not yet to one segment. Plans are made
// from `Query` by PlanBuilder and run per segment by Scorers. What is weighed here is weighed with the
// statistics of the whole snapshot, so every segment scores alike.

package import Bytes
package import Segments
package import Storage

package indirect enum Plan: Sendable {
    /// Matches nothing. The reason is shown by explain.
    case none(reason: String)
    /// Matches every live document.
    case all(score: Float)
    case term(TermPlan)
    /// Several terms of one field scored as one (Lucene's SynonymQuery): frequencies summed, statistics of
    /// the commonest.
    case synonym(SynonymPlan)
    case phrase(PhrasePlan)
    /// Documents given by a set per segment; every one scores `score`.
    case set(SetPlan, score: Float)
    /// The inner plan's documents, each with `score`.
    case constant(Plan, score: Float)
    case bool(BoolPlan)
    /// The best clause's score, plus `tieBreaker` times the others'.
    case disMax([Plan], tieBreaker: Float)
    /// `negative`'s documents have their score multiplied by `factor`.
    case boosting(positive: Plan, negative: Plan, factor: Float)
    case function(FunctionPlan)
    /// The inner plan under a `_name` (matched_queries). Scores as the inner one does.
    case named(String, Plan)
}

/// BM25 of one field, as Lucene computes it: weight * (1 - 1 / (1 + freq * inverseNorm[norm])).
@safe package final class Similarity: Sendable {
    package let k1: Float, b: Float
    /// Average field length: sumTotalTermFreq / docCount of the snapshot.
    package let averageLength: Float
    /// 1 / (k1 * (1 - b + b * length / averageLength)) for each norm byte; constant when norms are off.
    package let inverseNorms: [Float]
    /// The same 256 numbers for the cursors' inner loops, for as long as the plan is held.
    /// Safe: written in init only, given back in deinit.
    nonisolated(unsafe) let table: UnsafePointer<Float>

    package init(k1: Float, b: Float, averageLength: Float, inverseNorms: [Float]) {
        (self.k1, self.b, self.averageLength, self.inverseNorms) = (k1, b, averageLength, inverseNorms)
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 256)
        for i in 0..<256 { unsafe (memory + i).initialize(to: i < inverseNorms.count ? inverseNorms[i] : inverseNorms.last ?? 1) }
        unsafe table = UnsafePointer(memory)
    }

    deinit { unsafe table.deallocate() }
}

/// Where a term lies in the segments of a snapshot: looked up once, for its statistics and for its postings.
package final class TermPlaces: Sendable {
    typealias Place = (segment: Segment, field: UInt32, entry: TermEntry)
    /// Segments without the term are left out.
    let places: [Place]

    init(_ places: [Place]) { self.places = places }

    /// Nil when the segment does not have the term.
    func place(in segment: Segment) -> (field: UInt32, entry: TermEntry)? {
        for place in places where place.segment === segment { return (place.field, place.entry) }
        return nil
    }
}

package struct TermPlan: Sendable {
    package var field: String
    package var term: [UInt8]
    /// boost * idf, float32.
    package var weight: Float
    package var boost: Float
    package var idf: Float
    package var similarity: Similarity
    /// Over the snapshot, deleted documents included, as in Lucene: what idf was made of.
    package var docFreq: Int, docCount: Int
    /// Nil: not looked up yet.
    package var places: TermPlaces?

    package init(field: String, term: [UInt8], weight: Float, boost: Float, idf: Float, similarity: Similarity, docFreq: Int, docCount: Int) {
        (self.field, self.term, self.weight, self.boost, self.idf) = (field, term, weight, boost, idf)
        (self.similarity, self.docFreq, self.docCount) = (similarity, docFreq, docCount)
    }
}

package struct SynonymPlan: Sendable {
    package var field: String
    package var terms: [(term: [UInt8], boost: Float)]
    package var weight: Float
    package var boost: Float
    package var idf: Float
    package var similarity: Similarity
    package var docFreq: Int, docCount: Int

    package init(
        field: String, terms: [(term: [UInt8], boost: Float)], weight: Float, boost: Float, idf: Float, similarity: Similarity,
        docFreq: Int, docCount: Int
    ) {
        (self.field, self.terms, self.weight, self.boost, self.idf) = (field, terms, weight, boost, idf)
        (self.similarity, self.docFreq, self.docCount) = (similarity, docFreq, docCount)
    }
}

package struct PhrasePlan: Sendable {
    package var field: String
    /// For each place of the phrase the terms that may stand there (more than one: synonyms, or the
    /// expanded last term of a phrase prefix), and its position within the phrase.
    package var places: [(terms: [[UInt8]], position: Int)]
    /// Where the terms of each place lie, in the order of `places`; empty when not looked up yet.
    package var found: [[TermPlaces]] = []
    package var slop: Int
    /// boost * sum of the terms' idf.
    package var weight: Float
    package var boost: Float
    package var idf: Float
    package var similarity: Similarity

    package init(
        field: String, places: [(terms: [[UInt8]], position: Int)], slop: Int, weight: Float, boost: Float, idf: Float,
        similarity: Similarity
    ) {
        (self.field, self.places, self.slop, self.weight, self.boost) = (field, places, slop, weight, boost)
        (self.idf, self.similarity) = (idf, similarity)
    }
}

package struct BoolPlan: Sendable {
    package var must: [Plan] = [], should: [Plan] = [], filter: [Plan] = [], mustNot: [Plan] = []
    /// Of the `should` clauses; 0 when they only add to the score.
    package var minimumShouldMatch = 0
    package init() {}
}

/// Documents of one segment by their values: ranges, prefixes, exists, ids.
package struct SetPlan: Sendable {
    /// What it is, for explain and the filter cache's key: equal descriptions of one snapshot give equal sets.
    package var description: String
    /// Deleted documents may be among them; the caller intersects with the live ones.
    package var documents: @Sendable (SegmentView) throws(StorageError) -> BitSet
    /// A guess at how many, for ordering clauses; cheap.
    package var estimate: @Sendable (SegmentView) -> Int
    /// Tests single documents, where that is cheaper than making the whole set (a range over a column led by
    /// a rare term); nil where it is not to be had.
    package var test: (@Sendable (SegmentView) throws(StorageError) -> (@Sendable (DocID) -> Bool)?)?

    package init(
        description: String, estimate: @escaping @Sendable (SegmentView) -> Int,
        test: (@Sendable (SegmentView) throws(StorageError) -> (@Sendable (DocID) -> Bool)?)? = nil,
        documents: @escaping @Sendable (SegmentView) throws(StorageError) -> BitSet
    ) {
        (self.description, self.estimate, self.test, self.documents) = (description, estimate, test, documents)
    }
}

package struct FunctionPlan: Sendable {
    package var inner: Plan
    /// The new score of a document that scored `score`. Made once per segment.
    package var scorer: @Sendable (SegmentView) throws(StorageError) -> (@Sendable (DocID, _ score: Float) -> Float)
    /// Documents whose new score is below are dropped.
    package var minScore: Float?
    /// For explain.
    package var description: String
    /// The functions one by one, for explain.
    var combination: FunctionCombination?

    package init(
        inner: Plan, scorer: @escaping @Sendable (SegmentView) throws(StorageError) -> (@Sendable (DocID, _ score: Float) -> Float),
        minScore: Float? = nil, description: String = ""
    ) {
        (self.inner, self.scorer, self.minScore, self.description) = (inner, scorer, minScore, description)
    }
}
