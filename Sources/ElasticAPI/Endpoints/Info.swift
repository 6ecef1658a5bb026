// GET /: who we are. Clients check the version and the product header before they send anything else.

internal import JSON

struct InfoEndpoint: Endpoint {
    static let routes = [Route(.get, "/"), Route(.head, "/")]
    static let parameters: [String] = []

    private let head: Bool
    init(_ call: APICall) throws { head = call.method == .head }

    func answer(from services: Services) async throws -> APIAnswer {
        if head { return APIAnswer(200, .empty) }
        let options = services.options
        return APIAnswer(json: [
            "name": .string(options.nodeName), "cluster_name": .string(options.clusterName), "cluster_uuid": .string(options.clusterUUID),
            "version": [
                "number": "8.19.0", "build_flavor": "default", "build_type": "tar", "build_hash": "isotherm", "build_date": "2025-07-23T22:05:44.274000463Z",
                "build_snapshot": false, "lucene_version": "9.12.2", "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            ],
            "tagline": "You Know, for Search",
        ])
    }
}
