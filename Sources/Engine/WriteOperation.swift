// A write as the caller asks for it, and what became of it: the items of a bulk request and single writes
// alike. The result has all that Elasticsearch's answers show.

package struct WriteOperation: Sendable {
    package enum Action: String, Sendable { case index, create, update, delete }
    package enum VersionType: String, Sendable { case `internal`, external, externalGte = "external_gte" }

    package var action: Action
    /// An index or alias name, no pattern.
    package var index: String
    /// Nil: the engine makes one (index and create only).
    package var id: String?
    package var routing: String?
    /// The document, for index and create; the body of an update (`doc`, `upsert`, `doc_as_upsert`, `detect_noop`,
    /// `scripted_upsert` and `script` are refused); empty for delete.
    package var source: [UInt8]
    package var ifSeqNo: Int64?
    package var ifPrimaryTerm: Int64?
    /// With `versionType` external or external_gte; an internal version is refused as in Elasticsearch.
    package var version: Int64?
    package var versionType: VersionType
    package var requireAlias: Bool
    package var retryOnConflict: Int
    /// Give the document after an update back in the result (`_source: true`).
    package var returnsSource: Bool

    package init(
        _ action: Action, index: String, id: String? = nil, source: [UInt8] = [], routing: String? = nil, ifSeqNo: Int64? = nil,
        ifPrimaryTerm: Int64? = nil, version: Int64? = nil, versionType: VersionType = .internal, requireAlias: Bool = false,
        retryOnConflict: Int = 0, returnsSource: Bool = false
    ) {
        (self.action, self.index, self.id, self.source, self.routing) = (action, index, id, source, routing)
        (self.ifSeqNo, self.ifPrimaryTerm, self.version, self.versionType) = (ifSeqNo, ifPrimaryTerm, version, versionType)
        (self.requireAlias, self.retryOnConflict, self.returnsSource) = (requireAlias, retryOnConflict, returnsSource)
    }
}

package struct WriteResult: Sendable {
    package enum Outcome: String, Sendable { case created, updated, deleted, notFound = "not_found", noop }
    package var action: WriteOperation.Action
    /// The concrete index.
    package var index: String
    package var id: String
    /// Nil when `error` is set.
    package var outcome: Outcome?
    package var version: Int64 = -1
    package var seqNo: Int64 = -2
    package var primaryTerm: Int64 = 0
    package var error: EngineError?
    /// The document after an update, when asked for.
    package var source: [UInt8]?
    package var forcedRefresh = false

    package init(_ action: WriteOperation.Action, index: String, id: String, outcome: Outcome? = nil, error: EngineError? = nil) {
        (self.action, self.index, self.id, self.outcome, self.error) = (action, index, id, outcome, error)
    }

    /// The HTTP status of this item.
    package var status: Int {
        if let error { return error.status }
        return switch outcome {
        case .created: 201
        case .notFound: 404
        default: 200
        }
    }
}

/// What a write does about visibility before it answers.
package enum RefreshPolicy: String, Sendable {
    case none = "false", immediate = "true", waitFor = "wait_for"
}

/// A document found by id, refreshed or not.
package struct DocumentResult: Sendable {
    package var index: String
    package var id: String
    package var version: Int64
    package var seqNo: Int64
    package var primaryTerm: Int64
    package var routing: String?
    package var source: [UInt8]

    package init(index: String, id: String, version: Int64, seqNo: Int64, primaryTerm: Int64, routing: String?, source: [UInt8]) {
        (self.index, self.id, self.version, self.seqNo) = (index, id, version, seqNo)
        (self.primaryTerm, self.routing, self.source) = (primaryTerm, routing, source)
    }
}
