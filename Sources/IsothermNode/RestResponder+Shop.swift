// The shop's side of the responder: the same admission and bounds, problems instead of Elasticsearch's errors, and bodies that are streams.

internal import ElasticAPI
internal import NIOHTTP1
internal import Shop

extension RestResponder {
    /// Measured: for the short bodies of orders two hops to other threads cost more than what they take off the loop's.
    private static let bytesOnLoopMax = 16 << 10

    func answerFromShop(_ head: HTTPRequestHead, _ target: String, _ body: [UInt8], _ exchange: HTTPExchange) {
        var headers = ShopHeaders()
        for (name, value) in head.headers { headers.append(name.lowercased(), value) }
        if let host = head.host { headers.append("host", host) }
        let work: @Sendable () async -> Void = { [headers] in
            let answer = await shop.answer(head.method.rawValue, target, headers: headers, body: body)
            admission.leave()
            exchange.finish(Self.reply(answer))
        }
        // This is the loop's thread: the task begins at once.
        if body.count <= Self.bytesOnLoopMax { Task.immediate(executorPreference: loop, operation: work) } else { Task(executorPreference: workers, operation: work) }
    }

    var shopIsBusy: HTTPReply {
        var problem = Problem(429, "busy", "\(admission.most) requests are in work already: try again in a moment")
        problem.headers.append(("Retry-After", "1"))
        return Self.reply(problem.answer)
    }

    var shopEncodingUnknown: Problem { Problem(415, "unsupported-media-type", "send the body as it is, without Content-Encoding") }

    func shopProblem(_ fault: HTTPFault) -> Problem {
        switch fault {
        case .bodyTooLarge(let most): .tooLarge(most)
        default: Problem(fault.status, "malformed-request", fault.reason)
        }
    }

    static func reply(_ answer: ShopAnswer) -> HTTPReply {
        let body: HTTPReply.Body = switch answer.body {
        case .empty: .bytes([])
        case .bytes(let bytes): .bytes(bytes)
        case .stream(let run): .stream(run)
        }
        return HTTPReply(answer.status, contentType: answer.contentType, headers: answer.headers, body: body)
    }
}
