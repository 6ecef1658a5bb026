// Between connections and the layers above: lets in only so many requests at a time, bounds and inflates their bodies, and picks the thread that answers. Paths
// under /api are the shop's (RestResponder+Shop.swift), all others Elasticsearch's.

internal import ElasticAPI
internal import Engine
internal import NIOHTTP1
internal import Shop
internal import Synchronization

struct RestResponder: HTTPService {
    let router: ElasticAPI.Router
    let shop: ShopRouter
    let admission: Admission
    /// Parses and renders what takes a processor; `searchers` runs searches from parsing to rendering, so that none is handed from thread to thread.
    let workers: ThreadPool, searchers: ThreadPool
    /// The event loop's thread, for what only waits for a commit.
    let loop: LoopExecutor
    let bodyBytesMax: Int

    func open(_ head: HTTPRequestHead) -> HTTPOpening {
        let isShops = ShopRouter.owns(head.target)
        guard admission.enter() else { return .refuse(isShops ? shopIsBusy : Self.reply(Router.render(busy))) }
        let encoding = head.headers.first(name: "content-encoding")?.lowercased()
        if isShops {
            guard encoding == nil || encoding == "identity" else { return leave(.refuse(Self.reply(shopEncodingUnknown.answer))) }
            return .read(bodyBytesMax: shop.shop.limits.bodyBytesMax)
        }
        guard [nil, "identity", "gzip", "x-gzip", "deflate"].contains(encoding) else { return leave(.refuse(Self.reply(Router.render(encodingUnknown(encoding))))) }
        return .read(bodyBytesMax: bodyBytesMax)
    }

    func answer(_ head: HTTPRequestHead, _ body: [UInt8], _ exchange: HTTPExchange) {
        let target = head.target
        guard !ShopRouter.owns(target) else { return answerFromShop(head, target, body, exchange) }
        Task(executorPreference: Self.searches(target) ? searchers : workers) {
            let answer = await answer(head, target, body)
            admission.leave()
            exchange.finish(Self.reply(answer))
        }
    }

    func abandon() { admission.leave() }

    func refusal(_ fault: HTTPFault, uri: String?) -> HTTPReply {
        if let uri, ShopRouter.owns(uri) { return Self.reply(shopProblem(fault).answer) }
        switch fault {
        case .bodyTooLarge(let most): return Self.reply(Router.render(tooLarge(most)))
        default: return Self.reply(Router.render(APIError(fault.status, "illegal_argument_exception", fault.reason)))
        }
    }

    // MARK: -

    /// Path parts that mean a search, at the end of a path.
    private static let searching = ["_search", "_count", "_msearch"]

    private static func searches(_ target: String) -> Bool {
        let path = target.prefix { $0 != "?" }
        return searching.contains { path.hasSuffix($0) }
    }

    private func answer(_ head: HTTPRequestHead, _ target: String, _ body: [UInt8]) async -> RenderedAnswer {
        do {
            let name = head.method.rawValue
            guard let method = APICall.Method(rawValue: name) else { throw APIError(405, "method_not_allowed", "Unexpected HTTP method \(name)") }
            var body = body
            if !body.isEmpty, let encoding = head.headers.first(name: "content-encoding"), encoding.lowercased() != "identity" { body = try inflated(body) }
            let call = try APICall(
                method, target, body: body, contentType: head.headers.first(name: "content-type"), accept: head.headers.first(name: "accept"))
            return await router.answer(call)
        } catch { return Router.render(APIError(error)) }
    }

    private func inflated(_ body: [UInt8]) throws(APIError) -> [UInt8] {
        do { return try Inflate.inflate(body, bytesMax: bodyBytesMax) } catch {
            throw error == .tooLarge ? tooLarge(bodyBytesMax) : APIError(400, "illegal_argument_exception", "the compressed request body is damaged")
        }
    }

    func leave(_ opening: HTTPOpening) -> HTTPOpening {
        admission.leave()
        return opening
    }

    private var busy: APIError {
        APIError(429, "es_rejected_execution_exception", "rejected execution: \(admission.most) requests are in work already; try again later")
    }

    private func encodingUnknown(_ encoding: String?) -> APIError {
        APIError(415, "illegal_argument_exception", "Content-Encoding [\(encoding ?? "")] is not supported; use gzip, deflate or none")
    }

    private func tooLarge(_ most: Int) -> APIError {
        APIError(413, "content_too_long_exception", "entity content is too long for the configured buffer limit [\(most)]; "
            + "send smaller requests, for instance fewer documents in each bulk")
    }

    private static func reply(_ answer: RenderedAnswer) -> HTTPReply {
        HTTPReply(answer.status, contentType: answer.contentType, headers: answer.headers, body: .bytes(answer.body))
    }
}

/// How many requests are inside, with a bound.
final class Admission: Sendable {
    let most: Int
    private let inside = Atomic<Int>(0)

    init(most: Int) { self.most = most }

    func enter() -> Bool {
        if inside.add(1, ordering: .relaxed).newValue <= most { return true }
        leave()
        return false
    }

    func leave() { inside.subtract(1, ordering: .relaxed) }
}
