// What the engine refuses or fails with, in Elasticsearch's words, so that ElasticAPI can render it without
// knowing why. Three families: the caller erred, the node is busy (trying again helps), the world failed.

package import Mappings
package import Storage

package struct EngineError: Error, Equatable, CustomStringConvertible {
    package enum Family: Sendable {
        /// 400, 404, 409, 413: the caller erred.
        case badRequest, notFound, conflict, tooLarge
        /// 429: back pressure; trying again later helps.
        case rejected
        /// 503: the shard failed or is closed; 500: storage failed or a file is damaged.
        case unavailable, failed
    }
    package let family: Family
    /// Elasticsearch's `type`: "index_not_found_exception", "version_conflict_engine_exception", ...
    package let type: String
    package let reason: String
    package var index: String?
    /// Elasticsearch's `caused_by`, where it has one.
    package var cause: String?

    package init(_ family: Family, _ type: String, _ reason: String, index: String? = nil, cause: String? = nil) {
        (self.family, self.type, self.reason, self.index, self.cause) = (family, type, reason, index, cause)
    }

    package var status: Int {
        switch family {
        case .badRequest: 400
        case .notFound: 404
        case .conflict: 409
        case .tooLarge: 413
        case .rejected: 429
        case .unavailable: 503
        case .failed: 500
        }
    }

    package var description: String { "\(type): \(reason)" }
}

extension EngineError {
    package static func indexNotFound(_ name: String) -> EngineError {
        EngineError(.notFound, "index_not_found_exception", "no such index [\(name)]", index: name)
    }
    package static func illegalArgument(_ reason: String) -> EngineError { EngineError(.badRequest, "illegal_argument_exception", reason) }
    package static func invalidIndexName(_ name: String, _ why: String) -> EngineError {
        EngineError(.badRequest, "invalid_index_name_exception", "Invalid index name [\(name)], \(why)", index: name)
    }

    package init(_ error: StorageError) {
        switch error.kind {
        case .noSpace: self.init(.unavailable, "disk_full_exception", "no space left: \(error)")
        case .corrupt, .tooOld, .tooNew: self.init(.failed, "corrupt_index_exception", "\(error)")
        case .exists, .notFound, .permission, .io: self.init(.failed, "storage_exception", "\(error)")
        }
    }

    package init(_ error: MappingError) { self.init(.badRequest, error.type, error.reason, cause: error.causedBy) }
}
