// What an index is, apart from its documents, and the figures about it that callers may see.

package import JSON
package import Mappings

/// The body of an index creation. Everything may be absent.
package struct IndexCreation: Sendable {
    /// As the caller wrote it: nested, flat or with "index." prefixes.
    package var settings: JSONObject
    package var mappings: JSONObject
    package var aliases: JSONObject
    package init(settings: JSONObject = JSONObject(), mappings: JSONObject = JSONObject(), aliases: JSONObject = JSONObject()) {
        (self.settings, self.mappings, self.aliases) = (settings, mappings, aliases)
    }
}

/// An index at one moment.
package struct IndexDescription: Sendable {
    package var name: String
    package var uuid: String
    /// Milliseconds since 1970.
    package var created: Int64
    /// Flat keys with the "index." prefix, values as given ("index.number_of_replicas": "1"), sorted.
    package var settings: JSONObject
    package var mapping: Mapping
    package var aliases: [IndexAlias]
    package init(name: String, uuid: String, created: Int64, settings: JSONObject, mapping: Mapping, aliases: [IndexAlias]) {
        (self.name, self.uuid, self.created, self.settings, self.mapping, self.aliases) = (name, uuid, created, settings, mapping, aliases)
    }
}

package struct IndexAlias: Sendable, Equatable {
    package var name: String
    /// The query as the caller wrote it.
    package var filter: JSONObject?
    package var isWriteIndex: Bool?
    package var indexRouting: String?
    package var searchRouting: String?
    package var isHidden: Bool?
    package init(
        name: String, filter: JSONObject? = nil, isWriteIndex: Bool? = nil, indexRouting: String? = nil, searchRouting: String? = nil,
        isHidden: Bool? = nil
    ) {
        (self.name, self.filter, self.isWriteIndex) = (name, filter, isWriteIndex)
        (self.indexRouting, self.searchRouting, self.isHidden) = (indexRouting, searchRouting, isHidden)
    }
}

/// One step of `POST _aliases`. All steps of a request happen, or none.
package enum AliasAction: Sendable {
    /// Indices may be patterns; the alias a plain name.
    case add(indices: [String], alias: IndexAlias)
    /// Both may be patterns. `mustExist`: fail when nothing was removed.
    case remove(indices: [String], aliases: [String], mustExist: Bool)
    case removeIndex(indices: [String])
}

package struct IndexStats: Sendable {
    package var docs = 0
    package var deletedDocs = 0
    package var storeBytes = 0
    package var segments = 0
    package var translogOperations = 0
    package var translogBytes = 0
    package var uncommittedOperations = 0
    package var bufferBytes = 0
    package var maxSeqNo: Int64 = -1
    /// `patchTotal`: of `indexTotal`, updates that were patches of updatable columns.
    package var indexTotal = 0, patchTotal = 0, deleteTotal = 0, getTotal = 0, refreshTotal = 0, flushTotal = 0, mergeTotal = 0
    package init() {}
}

/// One index an expression stands for.
package struct ResolvedIndex: Sendable {
    package var name: String
    /// Filters of the aliases it was reached by; empty when it was also named itself, or one alias had none. Several are
    /// alternatives: a document matching any of them is visible.
    package var filters: [JSONObject]
    package init(name: String, filters: [JSONObject] = []) { (self.name, self.filters) = (name, filters) }
}

/// What to do about names that stand for nothing (Elasticsearch's IndicesOptions).
package struct IndexOptions: Sendable {
    package var ignoreUnavailable: Bool
    package var allowNoIndices: Bool
    package var expandsWildcards: Bool
    /// Patterns stand for hidden indexes too (`index.hidden`), which are else reached by their names alone.
    package var includesHidden = false
    package init(ignoreUnavailable: Bool = false, allowNoIndices: Bool = true, expandsWildcards: Bool = true) {
        (self.ignoreUnavailable, self.allowNoIndices, self.expandsWildcards) = (ignoreUnavailable, allowNoIndices, expandsWildcards)
    }
}
