// What an S3 server's refusals mean: which to repeat, which to tell the caller, and what a person can set about it.
//
// Source: Amazon S3 API Reference, "Error Responses", list of error codes. A HEAD has no body, so there the status alone speaks.

internal import Storage

extension S3Client {
    static func failure(_ error: HTTPFailure, endpoint: String) -> S3Failure {
        switch error.kind {
        case .cancelled: S3Failure(kind: .cancelled, reason: "cancelled", isUncertain: true)
        case .notSent: S3Failure(kind: .unavailable, reason: "cannot reach \(endpoint): \(error.message)", isRetryable: true)
        case .tls:
            S3Failure(kind: .denied, reason: "no trust in \(endpoint): \(error.message); name the certificate to trust in ISOTHERM_S3_CA_FILE")
        case .timedOut, .broken:
            S3Failure(kind: .unavailable, reason: "no answer from \(endpoint): \(error.message)", isRetryable: true, isUncertain: true)
        case .tooLarge: S3Failure(kind: .invalid, reason: error.message, isUncertain: true)
        case .refused: S3Failure(kind: .invalid, reason: error.message)
        }
    }

    static func failure(_ answer: HTTPAnswer, _ configuration: S3Configuration) -> S3Failure {
        let body = S3XML.parse(answer.body).flatMap { $0.name == "Error" ? $0 : nil }
        return failure(
            status: answer.status, code: body?.text(of: "Code") ?? "", message: body?.text(of: "Message") ?? "",
            retryAfter: answer.header("retry-after").flatMap { Int($0) }, configuration)
    }

    /// Also for an error that came with status 200, as a completed upload may have.
    static func failure(status: Int, code rawCode: String, message: String, retryAfter: Int? = nil, _ configuration: S3Configuration) -> S3Failure {
        // A server's words are shown, but no flood of them.
        let code = shown(rawCode, 60), words = [code, shown(message, 200)].filter { !$0.isEmpty }.joined(separator: ": ")
        let said = words.isEmpty ? "status \(status)" : "\(words) (status \(status))"
        func failed(_ kind: ObjectStoreError.Kind, _ reason: String, retry: Bool = false, uncertain: Bool = false) -> S3Failure {
            S3Failure(
                kind: kind, status: status, code: code, reason: reason, isRetryable: retry, isUncertain: uncertain,
                retryAfterMilliseconds: max(0, min(retryAfter ?? 0, 3600)) * 1000)
        }
        switch code {
        case "NoSuchBucket":
            return failed(.denied, "there is no bucket \(configuration.bucket); make it, or name another in the location")
        case "InvalidAccessKeyId":
            return failed(.denied, "the server does not know this access key (\(code)); check AWS_ACCESS_KEY_ID and the endpoint")
        case "SignatureDoesNotMatch":
            return failed(.denied, "the signature does not fit (\(code)); check AWS_SECRET_ACCESS_KEY and AWS_REGION")
        case "AccessDenied", "AllAccessDisabled", "AccountProblem":
            return failed(.denied, "\(said); these keys may not do this in bucket \(configuration.bucket)")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return failed(.denied, "\(said); set a fresh AWS_SESSION_TOKEN with its keys")
        case "RequestTimeTooSkewed":
            return failed(.denied, "\(said); set this machine's clock")
        case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
            return failed(.denied, "\(said); check region and endpoint (AWS_REGION, ISOTHERM_S3_ENDPOINT)")
        case "RequestTimeout", "ConditionalRequestConflict", "OperationAborted":
            return failed(.unavailable, said, retry: true, uncertain: true)
        case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "XAmzContentChecksumMismatch":
            return failed(.damaged, "\(said): the bytes did not arrive as they were sent", retry: true)
        case "InternalError", "SlowDown", "ServiceUnavailable":
            return failed(.unavailable, said, retry: true, uncertain: true)
        default: break
        }
        switch status {
        case 404: return failed(.notFound, said)
        case 412: return failed(.alreadyExists, said)
        case 401, 403: return failed(.denied, "\(said); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do in bucket \(configuration.bucket)")
        case 301, 302, 307, 308: return failed(.denied, "\(said); check region and endpoint (AWS_REGION, ISOTHERM_S3_ENDPOINT)")
        case 501: return failed(.invalid, "\(said); this server cannot do that")
        case 408, 409, 429, 500...599: return failed(.unavailable, said, retry: true, uncertain: status != 429)
        default: return failed(.invalid, said)
        }
    }

    private static func shown(_ text: String, _ countMax: Int) -> String {
        text.unicodeScalars.prefix(countMax).map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
    }
}
