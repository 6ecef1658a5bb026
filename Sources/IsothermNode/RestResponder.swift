// Between Hummingbird's requests and ours: reads the body within its bound, inflates it, lets in only so many
// requests at a time, runs the router on the work pool. Paths under /api are the shop's, all others Elasticsearch's.

internal import ElasticAPI
internal import Hummingbird
internal import Shop
internal import Synchronization

struct RestResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let router: ElasticAPI.Router
    let shop: ShopRouter
    let admission: Admission
    let pool: WorkPool
    let bodyBytesMax: Int

    func respond(to request: Request, context: Context) async throws -> Response {
        if ShopRouter.owns(request.head.path ?? "/") { return await respondFromShop(to: request) }
        guard admission.enter() else {
            // The body is not read: the connection cannot be used again.
            return Self.response(Router.render(APIError(429, "es_rejected_execution_exception",
                "rejected execution: \(admission.most) requests are in work already; try again later")), closes: true)
        }
        defer { admission.leave() }
        do {
            let (body, inflates) = try await body(of: request, most: bodyBytesMax)
            let head = request.head, most = bodyBytesMax
            let answer = await withTaskExecutorPreference(pool) {
                do {
                    guard let method = APICall.Method(rawValue: head.method.rawValue) else {
                        throw APIError(405, "method_not_allowed", "Unexpected HTTP method \(head.method.rawValue)")
                    }
                    let bytes = inflates ? try Self.inflated(body, most) : body
                    let call = try APICall(method, head.path ?? "/", body: bytes, contentType: head.headerFields[.contentType], accept: head.headerFields[.accept])
                    return await router.answer(call)
                } catch { return Router.render(APIError(error)) }
            }
            return Self.response(answer)
        } catch let error as APIError {
            return Self.response(Router.render(error), closes: true)
        }
    }

    // MARK: -

    private func body(of request: Request, most bodyBytesMax: Int) async throws -> (bytes: [UInt8], compressed: Bool) {
        let compressed: Bool
        switch request.headers[.contentEncoding]?.lowercased() {
        case nil, "identity": compressed = false
        case "gzip", "x-gzip", "deflate": compressed = true
        case .some(let other): throw APIError(415, "illegal_argument_exception", "Content-Encoding [\(other)] is not supported; use gzip, deflate or none")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bodyBytesMax { throw Self.tooLarge(bodyBytesMax) }
        var bytes: [UInt8] = []
        for try await chunk in request.body {
            guard bytes.count + chunk.readableBytes <= bodyBytesMax else { throw Self.tooLarge(bodyBytesMax) }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return (bytes, compressed && !bytes.isEmpty)
    }

    private static func inflated(_ body: [UInt8], _ most: Int) throws(APIError) -> [UInt8] {
        do { return try Inflate.inflate(body, bytesMax: most) } catch {
            throw error == .tooLarge ? tooLarge(most) : APIError(400, "illegal_argument_exception", "the compressed request body is damaged")
        }
    }

    private static func tooLarge(_ most: Int) -> APIError {
        APIError(413, "content_too_long_exception", "entity content is too long for the configured buffer limit [\(most)]; "
            + "send smaller requests, for instance fewer documents in each bulk")
    }

    private static func response(_ answer: RenderedAnswer, closes: Bool = false) -> Response {
        var headers = HTTPFields()
        if let type = answer.contentType { headers[.contentType] = type }
        for (name, value) in answer.headers { if let name = HTTPFields.Element.Name(name) { headers[name] = value } }
        if closes { headers[.connection] = "close" }
        return Response(status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
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
