internal import Segments
internal import Storage

struct Explainer {
    let view: SegmentView
    let doc: DocID
    func explain(_ plan: Plan) throws(StorageError) -> Explanation { Explanation(0, "", matches: false) }
}
