// Signatures of webhooks, ours and others': who sent it, that nothing was changed, and that it is not an old one played again.
//
//     t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA256 of "<seconds>.<body>">
//
// Within the window the same body may come again; the event's identifier, which the store keeps for ever, makes that harmless.

import Secrets

package enum WebhookSignature {
    package static let windowSeconds: Int64 = 300

    package static func sign(_ body: [UInt8], secret: [UInt8], at instant: Instant) -> String {
        let seconds = instant.microseconds.floorDivided(by: 1_000_000)
        return "t=\(seconds),v1=\(Hexadecimal.text(hash(body, seconds, secret)))"
    }

    package enum Failure: Error, Equatable, Sendable {
        case malformed
        /// Not made with our secret, or the body was changed.
        case wrong
        /// Older or newer than the window allows.
        case outsideWindow
    }

    package static func verify(_ body: [UInt8], signature: String, secret: [UInt8], at instant: Instant) throws(Failure) {
        var seconds: Int64?, given: [UInt8]?
        guard signature.utf8.count <= 300 else { throw .malformed }
        for part in signature.split(separator: ",") {
            if part.hasPrefix("t=") { seconds = Int64(part.dropFirst(2)) }
            if part.hasPrefix("v1=") { given = Hexadecimal.bytes(part.dropFirst(3)) }
        }
        guard let seconds, let given else { throw .malformed }
        guard ConstantTime.equal(hash(body, seconds, secret), given) else { throw .wrong }
        let (age, over) = instant.microseconds.floorDivided(by: 1_000_000).subtractingReportingOverflow(seconds)
        guard !over, age.magnitude <= UInt64(windowSeconds) else { throw .outsideWindow }
    }

    private static func hash(_ body: [UInt8], _ seconds: Int64, _ secret: [UInt8]) -> [UInt8] {
        HMAC.sha256(Array("\(seconds).".utf8) + body, key: secret)
    }
}
