// _snapshot/_status: what is in progress; with a repository and names, what snapshots cost.

internal import Engine
internal import JSON

struct SnapshotStatusEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_snapshot/_status", "/_snapshot/{repository}/_status", "/_snapshot/{repository}/{snapshot}/_status")
    static let parameters = ["master_timeout", "ignore_unavailable"]

    private let repository: String?, expression: String?
    private let ignoresMissing: Bool

    init(_ call: APICall) throws {
        (repository, expression) = (call.part("repository"), call.part("snapshot"))
        ignoresMissing = try call.flag("ignore_unavailable") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var running = services.node.runningSnapshots, shown: [JSONValue] = []
        guard let repository else { return Self.answer(running.map { SnapshotRendering.status($0, now: services.nowMilliseconds) }) }
        let known = try services.node.repositories(repository).map(\.name)
        running = running.filter { known.contains($0.repository) }
        guard let expression, expression != "_current" else { return Self.answer(running.map { SnapshotRendering.status($0, now: services.nowMilliseconds) }) }
        for name in known {
            let repository = try await services.node.repository(name), entries = try await repository.list(), here = running.filter { $0.repository == name }
            let (names, missing) = SnapshotNames.select(expression, from: entries.map(\.name) + here.map(\.name))
            if let name = missing.first, !ignoresMissing { throw EngineError(.notFound, "snapshot_missing_exception", "[\(repository.name):\(name)] is missing") }
            for entry in entries where names.contains(entry.name) {
                if let manifest = try await repository.manifestIfThere(of: entry) { shown.append(SnapshotRendering.status(manifest, repository: name)) }
            }
            for one in here where names.contains(one.name) && !entries.contains(where: { $0.name == one.name }) {
                shown.append(SnapshotRendering.status(one, now: services.nowMilliseconds))
            }
        }
        return Self.answer(shown)
    }

    private static func answer(_ snapshots: [JSONValue]) -> APIAnswer { APIAnswer(json: ["snapshots": .array(snapshots)]) }
}
