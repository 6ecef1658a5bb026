// The shop's side of the responder: the same admission and bounds, problems instead of Elasticsearch's errors, and bodies that are streams.

internal import ElasticAPI
internal import Hummingbird
internal import Shop

extension RestResponder {
    func respondFromShop(to request: Request) async -> Response {
        guard admission.enter() else {
            // The body is not read: the connection cannot be used again.
            var problem = Problem(429, "busy", "\(admission.most) requests are in work already: try again in a moment")
            problem.headers.append(("Retry-After", "1"))
            return Self.response(problem.answer, closes: true)
        }
        defer { admission.leave() }
        do {
            let most = shop.shop.limits.bodyBytesMax
            let bytes = try await plainBody(of: request, most: most)
            let head = request.head
            var headers = ShopHeaders()
            for field in head.headerFields { headers.append(field.name.canonicalName, field.value) }
            if let host = head.authority { headers.append("host", host) }
            let method = head.method.rawValue, uri = head.path ?? "/"
            // Measured: for the short bodies of orders two hops to other threads cost more than what they take off this one.
            guard bytes.count > 16 << 10 else { return Self.response(await shop.answer(method, uri, headers: headers, body: bytes)) }
            let answer = await withTaskExecutorPreference(pool) { [headers, bytes] in await shop.answer(method, uri, headers: headers, body: bytes) }
            return Self.response(answer)
        } catch {
            return Self.response(Problem(error).answer, closes: true)
        }
    }

    // MARK: -

    private func plainBody(of request: Request, most: Int) async throws -> [UInt8] {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(415, "unsupported-media-type", "send the body as it is, without Content-Encoding")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > most { throw Problem.tooLarge(most) }
        var bytes: [UInt8] = []
        for try await chunk in request.body {
            guard bytes.count + chunk.readableBytes <= most else { throw Problem.tooLarge(most) }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return bytes
    }

    private static func response(_ answer: ShopAnswer, closes: Bool = false) -> Response {
        var headers = HTTPFields()
        if let type = answer.contentType { headers[.contentType] = type }
        for (name, value) in answer.headers { if let name = HTTPFields.Element.Name(name) { headers[name] = value } }
        if closes { headers[.connection] = "close" }
        let body: ResponseBody = switch answer.body {
        case .empty: ResponseBody()
        case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let run): ResponseBody { writer in
            // The writer is lent to the closure by turns only: pieces are written one after another.
            let lent = writer
            try await run { piece in
                var writer = lent
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
        }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }
}
