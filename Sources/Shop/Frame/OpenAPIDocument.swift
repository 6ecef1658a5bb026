// The OpenAPI 3.1 document: paths from what the endpoints say of themselves, so that it cannot name one that is not there or leave one out; schemas
// from OpenAPISchemas.swift.

internal import JSON
internal import Orders

package enum OpenAPIDocument {
    /// Made once: nothing in it changes while the process runs.
    package static let bytes = JSONValue.object(document).serialized(pretty: true)

    private static var document: JSONObject {
        JSONObject([
            ("openapi", "3.1.0"),
            ("info", [
                "title": "Isotherm shop API", "version": "1",
                "description": "Orders, payments, shipments, returns, people. Every answer to a change is given after its COMMIT. Problems are RFC 9457. See docs/orders.md.",
            ]),
            ("paths", .object(paths)),
            ("components", [
                "schemas": OpenAPISchemas.all,
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer", "description": "from `isotherm token`"],
                    "actor": [
                        "type": "apiKey", "in": "header", "name": "X-Isotherm-Actor",
                        "description": "customer:<id>, staff:<name> or service:<name>; believed on the loopback address only, unless configured otherwise",
                    ],
                    "signature": ["type": "apiKey", "in": "header", "name": "Isotherm-Signature", "description": "t=<seconds>,v1=<hexadecimal HMAC-SHA256 of \"<seconds>.<body>\">"],
                ],
            ]),
        ])
    }

    private static var paths: JSONObject {
        var paths = JSONObject()
        for operation in ShopRouter.operations {
            var methods = paths[operation.path]?.object ?? JSONObject()
            methods[operation.method.rawValue.lowercased()] = .object(entry(operation))
            paths[operation.path] = .object(methods)
        }
        return paths
    }

    private static func entry(_ operation: APIOperation) -> JSONObject {
        var entry = JSONObject([("summary", .string(operation.summary))])
        switch operation.access {
        case .open: entry["security"] = []
        case .actor, .staff: entry["security"] = [["token": []], ["actor": []]]
        case .signature: entry["security"] = [["signature": []]]
        }
        if operation.access == .staff { entry["description"] = "Not for customers." }
        let parameters = parameters(operation)
        if !parameters.isEmpty { entry["parameters"] = .array(parameters) }
        if let body = operation.body {
            entry["requestBody"] = ["required": true, "content": ["application/json": ["schema": reference(body)]]]
        }
        entry["responses"] = .object(responses(operation))
        return entry
    }

    private static func parameters(_ operation: APIOperation) -> [JSONValue] {
        var all: [JSONValue] = []
        func add(_ name: String, _ place: String, _ about: String, required: Bool) {
            all.append([
                "name": .string(name), "in": .string(place), "required": .bool(required), "description": .string(about), "schema": ["type": "string"],
            ])
        }
        for part in operation.path.split(separator: "/") where part.hasPrefix("{") {
            add(String(part.dropFirst().dropLast()), "path", "An identifier; people and orders also as ref:SOURCE:KEY, orders by their reference.", required: true)
        }
        for (name, about) in operation.query { add(name, "query", about, required: false) }
        if operation.key != .none {
            add("Idempotency-Key", "header", "A new text for each new request, the same one when a request is tried again.", required: operation.key == .required)
        }
        if operation.needsMatch { add("If-Match", "header", "The ETag last read, or *.", required: true) }
        if operation.access == .actor || operation.access == .staff {
            add("X-Isotherm-Purpose", "header", "Why: one of \(Purpose.allCases.map(\.rawValue).joined(separator: ", ")). Who reads another's personal data must say it.", required: false)
        }
        return all
    }

    private static func responses(_ operation: APIOperation) -> JSONObject {
        var responses = JSONObject()
        var good = JSONObject([("description", "Done.")])
        if let answer = operation.answer {
            let type = answer == "TrackingStream" ? "text/event-stream" : "application/json"
            good["content"] = .object(JSONObject([(type, ["schema": reference(answer)])]))
        }
        responses[String(operation.status)] = .object(good)
        let access = operation.access == .open || operation.access == .signature ? [] : operation.access == .staff ? [401, 403] : [401]
        for status in Set(operation.problems + access + [400, 429, 503]).sorted() {
            responses[String(status)] = [
                "description": .string(OpenAPISchemas.reasons[status] ?? "Refused."), "content": ["application/problem+json": ["schema": reference("Problem")]],
            ]
        }
        return responses
    }

    private static func reference(_ schema: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(schema)")] }
}
