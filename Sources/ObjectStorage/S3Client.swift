// One S3 request with all its tries: signed anew each time, repeated while that can help, its failures told apart.

internal import Secrets
internal import Storage
private import Glibc

struct S3Request: Sendable {
    var method: String
    /// With the store's prefix; nil asks the bucket itself.
    var key: String?
    var query: [(name: String, value: String?)] = []
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    var answerBytesMax = 1 << 20
    /// An answer that is no error and yet must not be believed: its fault, or nil. Seen before success is told; a fault is tried again.
    var check: @Sendable (HTTPAnswer) -> S3Failure? = { _ in nil }
}

/// What remains after all tries.
struct S3Failure: Error, Sendable {
    var kind: ObjectStoreError.Kind
    /// 0 where there was no answer.
    var status = 0
    /// S3's word for it, as "NoSuchKey"; "" where there was none.
    var code = ""
    var reason: String
    var isRetryable = false
    /// This try may have been carried out, though it failed.
    var isUncertain = false
    var retryAfterMilliseconds = 0
}

struct S3Client: Sendable {
    let configuration: S3Configuration
    let transport: any HTTPTransport
    let budget = RetryBudget()
    private let signer: SigV4

    init(_ configuration: S3Configuration, transport: any HTTPTransport) {
        (self.configuration, self.transport) = (configuration, transport)
        signer = SigV4(credentials: configuration.credentials, region: configuration.region)
    }

    /// The last failure has `isUncertain` set when any try may have been carried out.
    func send(_ request: S3Request) async throws(S3Failure) -> HTTPAnswer {
        let began = milliseconds(CLOCK_MONOTONIC), bodyHash = Hexadecimal.text(SHA256.hash(request.body))
        var isUncertain = false, tries = 0
        while true {
            var failure: S3Failure
            do throws(S3Failure) {
                let answer = try await once(request, bodyHash)
                budget.succeeded()
                return answer
            } catch { failure = error }
            tries += 1
            isUncertain = isUncertain || failure.isUncertain
            failure.isUncertain = isUncertain
            let spent = milliseconds(CLOCK_MONOTONIC) - began
            guard failure.isRetryable, tries < configuration.retry.triesMax, spent < configuration.retry.totalMilliseconds,
                budget.takeRetry(afterTimeout: failure.status == 0)
            else {
                if failure.isRetryable { failure.reason += " (\(tries) \(tries == 1 ? "try" : "tries") in \(spent) ms)" }
                throw failure
            }
            let wait = configuration.retry.waitMilliseconds(
                afterTry: tries - 1, random: UInt64.random(in: 0...UInt64.max), atLeast: failure.retryAfterMilliseconds)
            do { try await Task.sleep(for: .milliseconds(wait)) } catch {
                throw S3Failure(kind: .cancelled, reason: "cancelled", isUncertain: isUncertain)
            }
        }
    }

    // MARK: -

    private func once(_ request: S3Request, _ bodyHash: String) async throws(S3Failure) -> HTTPAnswer {
        let (host, base) = configuration.address
        let path = request.key.map { base + "/" + PercentEncoding.encode($0, keepingSlashes: true) } ?? (base.isEmpty ? "/" : base)
        let query = request.query.map { item in
            PercentEncoding.encode(item.name) + "=" + (item.value.map { PercentEncoding.encode($0) } ?? "")
        }.joined(separator: "&")
        // Set to nothing: what libcurl would add of its own.
        let unwanted: [(name: String, value: String)] = [("Expect", ""), ("Content-Type", ""), ("Accept", "")]
        let headers = unwanted + signer.signed(
            method: request.method, path: path, query: query, headers: [("host", host)] + request.headers, bodyHash: bodyHash,
            secondsSince1970: milliseconds(CLOCK_REALTIME) / 1000)
        let url = (configuration.isTLS ? "https://" : "http://") + host + path + (query.isEmpty ? "" : "?" + query)
        let wire = HTTPRequest(
            method: request.method, url: url, headers: headers, body: request.body, answerBytesMax: max(request.answerBytesMax, 64 << 10))
        let answer: HTTPAnswer
        do throws(HTTPFailure) { answer = try await transport.send(wire) } catch { throw Self.failure(error, endpoint: host) }
        guard (200...299).contains(answer.status) else { throw Self.failure(answer, configuration) }
        if let fault = request.check(answer) { throw fault }
        return answer
    }

    private func milliseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
