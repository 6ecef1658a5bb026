// From a call to its answer: finds the endpoint by method and path, says who asks, refuses unknown query names, runs it. Literal parts of a path win
// over `{names}`.

internal import Orders

package struct ShopRouter: Sendable {
    package let shop: ShopServices
    private let root: Branch

    package init(_ shop: ShopServices) {
        self.shop = shop
        var root = Branch()
        for endpoint in ShopRouter.endpoints {
            for operation in endpoint.operations {
                root.add(operation.path.split(separator: "/").map(String.init)[...], Leaf(operation: operation, endpoint: endpoint))
            }
        }
        self.root = root
    }

    /// Whether a path is answered here.
    package static func owns(_ path: some StringProtocol) -> Bool {
        path.hasPrefix("/api") && [nil, "/", "?"].contains(path.dropFirst(4).first)
    }

    package func answer(_ method: String, _ uri: String, headers: ShopHeaders, body: [UInt8]) async -> ShopAnswer {
        do {
            guard body.count <= shop.limits.bodyBytesMax else { throw Problem.tooLarge(shop.limits.bodyBytesMax) }
            guard let method = ShopCall.Method(rawValue: method) else {
                throw Problem(405, "method-not-allowed", "only \(ShopCall.Method.allCases.map(\.rawValue).joined(separator: ", ")) are known here")
            }
            var call = try ShopCall(method, uri, headers: headers, body: body, at: shop.now())
            let leaf = try find(&call)
            call.actor = try leaf.operation.access == .signature ? nil : shop.access.actor(call)
            if let unknown = call.query.keys.sorted().first(where: { name in !leaf.operation.query.contains { $0.name == name } }) {
                let known = leaf.operation.query.map(\.name)
                throw Problem.invalid(
                    "\(unknown.prefix(50)) is not known in this query; " + (known.isEmpty ? "it takes none" : "known: \(known.joined(separator: ", "))"), parameter: unknown)
            }
            return try await leaf.endpoint.init(call).answer(from: shop)
        } catch {
            return Problem(error).answer
        }
    }

    /// Every method and path there is, in the order of the list.
    package static var operations: [APIOperation] { endpoints.flatMap { $0.operations } }

    // MARK: -

    private func find(_ call: inout ShopCall) throws(Problem) -> Leaf {
        if let (leaf, parts) = root.find(call.segments[...], call.method) {
            call.parts = parts
            return leaf
        }
        let allowed = ShopCall.Method.allCases.filter { root.find(call.segments[...], $0) != nil }
        guard !allowed.isEmpty else { throw Problem(404, "not-found", "there is nothing at this path; /api/openapi.json lists what there is") }
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(405, "method-not-allowed", "this path knows \(list)")
        problem.headers.append(("Allow", list))
        throw problem
    }
}

extension Problem {
    package static func tooLarge(_ most: Int) -> Problem { Problem(413, "too-large", "a body has at most \(most) bytes here") }
}

private struct Leaf: Sendable {
    let operation: APIOperation
    let endpoint: any Endpoint.Type
}

/// A part of the tree of paths.
private struct Branch: Sendable {
    private var literal: [String: Branch] = [:]
    private var named: [(name: String, branch: Branch)] = []
    private var leaves: [ShopCall.Method: Leaf] = [:]

    mutating func add(_ pattern: ArraySlice<String>, _ leaf: Leaf) {
        guard let first = pattern.first else {
            leaves[leaf.operation.method] = leaf
            return
        }
        guard first.hasPrefix("{") else {
            literal[first, default: Branch()].add(pattern.dropFirst(), leaf)
            return
        }
        let name = String(first.dropFirst().dropLast())
        let place = named.firstIndex { $0.name == name } ?? named.endIndex
        if place == named.endIndex { named.append((name, Branch())) }
        named[place].branch.add(pattern.dropFirst(), leaf)
    }

    func find(_ path: ArraySlice<String>, _ method: ShopCall.Method) -> (Leaf, [String: String])? {
        guard let first = path.first else { return leaves[method].map { ($0, [:]) } }
        if let found = literal[first]?.find(path.dropFirst(), method) { return found }
        for (name, branch) in named {
            guard let found = branch.find(path.dropFirst(), method) else { continue }
            return (found.0, found.1.merging([name: first]) { $1 })
        }
        return nil
    }
}
