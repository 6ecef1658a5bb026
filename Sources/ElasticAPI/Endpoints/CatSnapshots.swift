// GET _cat/repositories and _cat/snapshots.

internal import Engine
internal import JSON

struct CatRepositoriesEndpoint: Endpoint {
    static let routes = [Route(.get, "/_cat/repositories")]
    static let parameters = CatTable.parameters
    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        var table = CatTable(columns: [.init("id", ["id", "repoId"], "unique repository id"), .init("type", ["t", "type"], "repository type")])
        table.rows = try services.node.repositories().map { [.text($0.name), .text($0.definition.type)] }
        return try table.answer(call)
    }
}

struct CatSnapshotsEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/snapshots", "/_cat/snapshots/{repository}")
    static let parameters = CatTable.parameters + ["ignore_unavailable"]
    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        var table = CatTable(columns: columns)
        if try call.flag("help") ?? false { return try table.answer(call) }
        for (name, _) in try services.node.repositories(call.part("repository") ?? "_all") {
            for entry in try await services.node.repository(name).list() {
                let shards = entry.indices.count, failed = entry.failed.count
                table.rows.append([.text(entry.name)] + (showsRepository ? [.text(name)] : []) + [
                    .text(entry.state), .number(Int(entry.started / 1000)), .text(DateText.time(entry.started / 1000)),
                    .number(Int(entry.ended / 1000)), .text(DateText.time(entry.ended / 1000)), .text(Self.duration(entry.ended - entry.started)),
                    .number(shards), .number(shards), .number(failed), .number(shards + failed), .none,
                ])
            }
        }
        return try table.answer(call)
    }

    /// Only where it is asked for by name: older clients know no such column.
    private var showsRepository: Bool { call.text("h") != nil }

    private var columns: [CatTable.Column] {
        [
            .init("id", ["id", "snapshot"], "unique snapshot"), .init("repository", ["re", "repo"], "repository name", shown: false),
            .init("status", ["s", "status"], "snapshot name"), .init("start_epoch", ["ste", "startEpoch"], "start time in seconds since 1970-01-01 00:00:00"),
            .init("start_time", ["sti", "startTime"], "start time in HH:MM:SS"), .init("end_epoch", ["ete", "endEpoch"], "end time in seconds since 1970-01-01 00:00:00"),
            .init("end_time", ["eti", "endTime"], "end time in HH:MM:SS"), .init("duration", ["dur", "duration"], "duration", right: true),
            .init("indices", ["i", "indices"], "number of indices", right: true), .init("successful_shards", ["ss", "successful_shards"], "number of successful shards", right: true),
            .init("failed_shards", ["fs", "failed_shards"], "number of failed shards", right: true), .init("total_shards", ["ts", "total_shards"], "number of total shards", right: true),
            .init("reason", ["r", "reason"], "reason for failures", shown: false),
        ].filter { $0.name != "repository" || showsRepository }
    }

    private static func duration(_ milliseconds: Int64) -> String {
        if milliseconds < 1000 { return "\(max(0, milliseconds))ms" }
        let tenths = milliseconds / 100
        return tenths < 600 ? "\(tenths / 10).\(tenths % 10)s" : "\(milliseconds / 60_000)m"
    }
}
