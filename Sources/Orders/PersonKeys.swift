// The keys of people: what is personal in a document outside hot is sealed with its person's key, and destroying the key erases all of it at once.
//
// Invariants
//     1  A key is durable before anything sealed with it leaves hot.
//     2  A person whose key was destroyed never gets another one: a tombstone stays.
//     3  That there is no key is never taken for "erased": the one is an error, the other an answer.

import Secrets

/// 32 random bytes, and the two keys derived from them. It says nothing about itself in logs.
package struct SealingKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package static let byteCount = 32
    /// Of AES-256-GCM, and of the nonces: what is learnt of one tells nothing of the other.
    let sealing: [UInt8], nonces: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == SealingKey.byteCount else { return nil }
        (sealing, nonces) = (HMAC.derive("isotherm person seal", from: bytes), HMAC.derive("isotherm person nonce", from: bytes))
    }

    /// Of nobody.
    package static func random() -> SealingKey { SealingKey(random: SecureRandom.bytes(byteCount)) }
    private init(random bytes: [UInt8]) {
        (sealing, nonces) = (HMAC.derive("isotherm person seal", from: bytes), HMAC.derive("isotherm person nonce", from: bytes))
    }

    package var description: String { "a person's key" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Nonce, ciphertext, tag. The nonce is derived from all that is sealed and bound, so that the same gives the same bytes, and no nonce serves for two.
    package func seal(_ plaintext: [UInt8], bound: [UInt8], column: String) throws(StoreError) -> [UInt8] {
        var message = Array(column.utf8)
        message.reserveCapacity(message.count + 9 + bound.count + plaintext.count)
        message.append(0)
        for shift in stride(from: 56, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: bound.count >> shift)) }
        message += bound
        message += plaintext
        let nonce = Array(HMAC.sha256(message, key: nonces)[..<SealedBox.nonceBytes])
        do { return try SealedBox.seal(plaintext, key: sealing, nonce: nonce, associated: bound) } catch { throw .unavailable("sealing personal data failed") }
    }

    /// Nil if it was changed, or sealed with another key or bound to something else.
    package func open(_ sealed: [UInt8], bound: [UInt8]) -> [UInt8]? { try? SealedBox.open(sealed, key: sealing, associated: bound) }
}

package enum PersonKeyState: Sendable, Equatable {
    case key(SealingKey)
    /// It was destroyed.
    case erased
}

/// Which keys these are and how far they have come: hot remembers it, so that a lost or older file is not taken for the right one.
package struct KeysMark: Sendable, Equatable {
    package var id: Bytes16
    /// Keys made and destroyed so far: never falls.
    package var changes: Int64
    package init(id: Bytes16, changes: Int64) { (self.id, self.changes) = (id, changes) }
}

/// Calls block for a look into a file at most; making and destroying, for its sync.
package protocol PersonKeys: Sendable {
    /// The keys of all these people; those that had none have one now, durable before this returns.
    func make(for people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState]
    /// Those that there are.
    func find(_ people: [PersonRef]) throws(StoreError) -> [PersonRef: PersonKeyState]
    /// For ever. Also of people who have none yet: they never get one.
    func destroy(_ people: [PersonRef], at instant: Instant) throws(StoreError)
    func mark() throws(StoreError) -> KeysMark
}

extension PersonKeys {
    /// - Throws: `unavailable` when there never was one here: the keys are not those of the data.
    package func state(of person: PersonRef) throws(StoreError) -> PersonKeyState {
        guard let state = try find([person])[person] else {
            throw .unavailable("the key of person \(person) is not in keys/people.db, and was not destroyed: put the newest copy of the data folder's keys back")
        }
        return state
    }
}
