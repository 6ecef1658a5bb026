// POST _snapshot/{repository}/{snapshot}/_restore: indices come back, under their names or others.

internal import Engine
internal import JSON

struct SnapshotRestoreEndpoint: Endpoint {
    static let routes = [Route(.post, "/_snapshot/{repository}/{snapshot}/_restore")]
    static let parameters = ["wait_for_completion", "master_timeout"]

    private let repository: String
    private let request: RestoreRequest
    private let waits: Bool

    init(_ call: APICall) throws {
        repository = call.part("repository") ?? ""
        waits = try call.flag("wait_for_completion") ?? false
        let body = try SnapshotBody(call, [
            "indices", "ignore_unavailable", "allow_no_indices", "expand_wildcards", "include_global_state", "include_aliases", "partial", "rename_pattern",
            "rename_replacement", "index_settings", "ignore_index_settings", "feature_states"])
        var request = RestoreRequest(call.part("snapshot") ?? "", indices: try body.names("indices"))
        request.ignoreUnavailable = try body.flag("ignore_unavailable") ?? false
        request.includesAliases = try body.flag("include_aliases") ?? true
        // There is nothing of either kind in a snapshot.
        _ = (try body.flag("include_global_state"), try body.flag("partial"))
        if let settings = try body.object("index_settings") { request.settings = settings }
        request.ignoredSettings = try body.names("ignore_index_settings")?.split(separator: ",").map(String.init) ?? []
        switch (try body.text("rename_pattern"), try body.text("rename_replacement")) {
        case (nil, nil): break
        case (let pattern?, let replacement?):
            try request.rename(pattern, to: replacement)
        case (nil, _): throw APIError.validation("rename_replacement is given without rename_pattern")
        case (_, nil): throw APIError.validation("rename_pattern is given without rename_replacement")
        }
        self.request = request
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let job = try await services.node.restoreJob(request, from: try await services.node.repository(repository))
        do throws(APIError) { try services.refuseOwned(job.names) } catch {
            job.abandon()
            throw error
        }
        guard waits else {
            Task { _ = try? await job.run() }
            return APIAnswer(json: ["accepted": true])
        }
        let names = try await job.run()
        return APIAnswer(json: ["snapshot": [
            "snapshot": .string(request.snapshot), "indices": .array(names.map { .string($0) }), "shards": SnapshotRendering.shards(names.count),
        ]])
    }
}
