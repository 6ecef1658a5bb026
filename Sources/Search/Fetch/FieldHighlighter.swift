// The seam to highlighting: what the fetch phase gives for one field of one hit, and wants back.

package import Mappings
package import QueryDSL

package protocol FieldHighlighter: Sendable {
    /// Fragments of the field's values with what the query looks for marked; empty when nothing is found.
    /// - Parameters:
    ///   - values: the field's texts in `_source`, in order.
    ///   - terms: what the query looks for in this field (or, without require_field_match, in any).
    ///   - options: the field's options over the request's; nil where neither says.
    func fragments(of values: [String], field: FieldType, terms: QueryTerms.Field, options: Highlight.Options) throws(SearchError) -> [String]
}
