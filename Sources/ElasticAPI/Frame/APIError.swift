// Every error in Elasticsearch's shape, made in this one file out of the three families that meet here:
// the caller erred, the world failed, the data is wrong.
//
//     {"error": {"root_cause": [{"type": ..., "reason": ...}], "type": ..., "reason": ..., "caused_by": {...}}, "status": 400}

package import Engine
package import JSON
internal import Mappings
package import QueryDSL
package import Search

package struct APIError: Error, Sendable {
    package var status: Int
    package var type: String
    package var reason: String
    package var index: String?
    /// Members besides type and reason, as "resource.id".
    package var details: [(String, JSONValue)] = []
    package var cause: (type: String, reason: String)?
    /// When set, the error happened in this phase of a search, on a shard.
    var searchPhase: String?

    package init(_ status: Int, _ type: String, _ reason: String, index: String? = nil) {
        (self.status, self.type, self.reason, self.index) = (status, type, reason, index)
    }

    package static func illegal(_ reason: String) -> APIError { APIError(400, "illegal_argument_exception", reason) }
    package static func parse(_ reason: String) -> APIError { APIError(400, "parse_exception", reason) }

    /// Elasticsearch's list of what a request lacks.
    package static func validation(_ problems: String...) -> APIError {
        let list = problems.enumerated().map { "\($0 + 1): \($1);" }.joined(separator: "")
        return APIError(400, "action_request_validation_exception", "Validation Failed: " + list)
    }

    /// The body, without the status.
    package var json: JSONValue {
        var error = JSONObject()
        error["root_cause"] = .array([.object(plain)])
        if let searchPhase {
            error["type"] = "search_phase_execution_exception"
            error["reason"] = "all shards failed"
            error["phase"] = .string(searchPhase)
            error["grouped"] = true
            error["failed_shards"] = .array([.object(JSONObject([
                ("shard", 0), ("index", .string(index ?? "")), ("node", "isotherm"), ("reason", .object(withCause)),
            ]))])
            error["caused_by"] = .object(JSONObject([("type", .string(type)), ("reason", .string(reason)), ("caused_by", .object(plain))]))
        } else {
            for (key, value) in withCause { error[key] = value }
        }
        return .object(error)
    }

    package var answer: APIAnswer { .members(status, [("error", json), ("status", .integer(Int64(status)))]) }

    // MARK: -

    private var plain: JSONObject {
        var object = JSONObject([("type", .string(type)), ("reason", .string(reason))])
        for (key, value) in details { object[key] = value }
        if let index { object["index"] = .string(index) }
        return object
    }

    private var withCause: JSONObject {
        var object = plain
        if let cause { object["caused_by"] = .object(JSONObject([("type", .string(cause.type)), ("reason", .string(cause.reason))])) }
        return object
    }
}

extension APIError {
    /// Whatever was thrown below.
    package init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as QueryError: self.init(error)
        case let error as EngineError: self.init(error)
        case let error as SearchError: self.init(error)
        case let error as MappingError: self.init(EngineError(error))
        case let error as JSONError: self.init(400, "x_content_parse_exception", error.description)
        case is CancellationError: self.init(503, "task_cancelled_exception", "the request was cancelled")
        default: self.init(500, "exception", String(describing: error))
        }
    }

    package init(_ error: QueryError) {
        self.init(error.type == "index_not_found_exception" || error.type == "search_context_missing_exception" ? 404 : 400, error.type, error.reason)
    }

    package init(_ error: EngineError) {
        self.init(error.status, error.type, error.reason, index: error.index)
        if error.type == "index_not_found_exception", let index = error.index {
            details = [("resource.type", "index_or_alias"), ("resource.id", .string(index)), ("index_uuid", "_na_")]
        } else if let index = error.index { _ = index }
        if let cause = error.cause { self.cause = ("illegal_argument_exception", cause) }
    }

    /// What went wrong while a search ran is the shard's failure, even when the request was to blame.
    package init(_ error: SearchError, index: String? = nil) {
        switch error {
        case .request(let error):
            self.init(400, error.type, error.reason, index: index)
            searchPhase = "query"
        case .storage(let error): self.init(EngineError(error))
        }
    }
}
