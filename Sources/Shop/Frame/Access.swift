// Who asks. Two ways to say it:
//
//     Authorization: Bearer it1.<payload>.<mac>     a token this node signed (`isotherm token`); good on any address
//     X-Isotherm-Actor: customer:<id> | staff:<name> | service:<name>
//                                                   believed only where the server listens on the loopback address alone, or is told to
//
// A token: payload = base 64 (URL) of "<expiry in seconds>|<actor>", mac = base 64 of HMAC-SHA256 of the payload. Nothing is kept here: a token is good
// until its end. The header is for the machine's own user and for a proxy that knows who asks; a web page cannot send it from elsewhere without being
// allowed to, and the Host must be a loopback name then, so that no name of a stranger's leads here.

package import Orders
package import Secrets

package struct AccessPolicy: Sendable {
    package var tokens: AccessTokens
    package enum Header: Sendable { case refused, believed, believedOnLoopback }
    package var header: Header

    package init(tokens: AccessTokens, header: Header) { (self.tokens, self.header) = (tokens, header) }

    /// Nil when nobody is named.
    func actor(_ call: ShopCall) throws(Problem) -> Actor? {
        if let authorization = call.headers["authorization"] {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer", let actor = tokens.actor(String(parts[1]), at: call.at) else { throw .unauthenticated }
            return actor
        }
        guard let text = call.headers["x-isotherm-actor"] else { return nil }
        switch header {
        case .refused: throw Problem(401, "unauthenticated", "X-Isotherm-Actor is not believed on this address: send Authorization: Bearer <token>, from `isotherm token`")
        case .believedOnLoopback where !Self.isLoopback(call.headers["host"] ?? ""):
            throw Problem(401, "unauthenticated", "X-Isotherm-Actor is believed for the host names localhost, 127.0.0.1 and [::1] only")
        case .believed, .believedOnLoopback: break
        }
        guard let actor = Actor(text: text) else {
            throw Problem(401, "unauthenticated", "X-Isotherm-Actor is customer:<id>, staff:<name> or service:<name>")
        }
        return actor
    }

    /// A host name, with or without port.
    static func isLoopback(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
    }
}

package struct AccessTokens: Sendable {
    private let key: [UInt8]
    package init(_ ring: KeyRing) { key = ring.key("access") }

    package func issue(_ actor: Actor, until end: Instant) -> String {
        let payload = Base64URL.text(Array("\(end.microseconds.floorDivided(by: 1_000_000))|\(actor.name)".utf8))
        return "it1.\(payload).\(Base64URL.text(HMAC.sha256(Array(payload.utf8), key: key)))"
    }

    /// Nil for what was not made here, was changed, or has ended.
    package func actor(_ token: String, at instant: Instant) -> Actor? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= 500, parts.count == 3, parts[0] == "it1", let mac = Base64URL.bytes(String(parts[2])),
            ConstantTime.equal(HMAC.sha256(Array(parts[1].utf8), key: key), mac), let payload = Base64URL.bytes(String(parts[1]))
        else { return nil }
        let halves = String(decoding: payload, as: UTF8.self).split(separator: "|", maxSplits: 1)
        guard halves.count == 2, let end = Int64(halves[0]), instant < Instant(seconds: end) else { return nil }
        return Actor(text: String(halves[1]))
    }
}

extension Actor {
    /// From `customer:<id>`, `staff:<name>` or `service:<name>`; a name is 1 to 64 letters, digits, dots, hyphens and underscores.
    package init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let name = String(parts[1])
        let isName = (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || [45, 46, 95].contains($0) }
        switch parts[0] {
        case "customer":
            guard let ref = PersonRef(text: name) else { return nil }
            self = .customer(ref)
        case "staff" where isName: self = .staff(name)
        case "service" where isName: self = .service(name)
        default: return nil
        }
    }
}
