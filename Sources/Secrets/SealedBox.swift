// AES-256-GCM (NIST SP 800-38D): seals bytes so that they can neither be read nor changed unseen.
//
//     offset   size   field
//     0        12     nonce
//     12       n      ciphertext, as long as the plaintext
//     12+n     16     tag over associated data and ciphertext
//
// Invariants
//     1  A nonce is used once per key: the caller gives a derived one, or a random one is taken.
//     2  Nothing of the plaintext is handed out before the tag was found right.

import CIsothermCrypto

package enum SealedBox {
    package static let keyBytes = 32, nonceBytes = 12, tagBytes = 16

    package enum Failure: Error, Equatable {
        /// The key has not 32 bytes, or the nonce not 12.
        case wrongSize
        /// Too short, changed, or sealed with another key or other associated data.
        case notAuthentic
        case libraryFailed
    }

    package static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8] = SecureRandom.bytes(nonceBytes), associated: [UInt8] = []
    ) throws(Failure) -> [UInt8] {
        guard key.count == keyBytes, nonce.count == nonceBytes else { throw .wrongSize }
        var body = [UInt8](repeating: 0, count: plaintext.count), tag = [UInt8](repeating: 0, count: tagBytes)
        guard run(encrypting: true, plaintext, key, nonce, associated, &body, &tag) else { throw .libraryFailed }
        return nonce + body + tag
    }

    package static func open(_ sealed: [UInt8], key: [UInt8], associated: [UInt8] = []) throws(Failure) -> [UInt8] {
        guard key.count == keyBytes else { throw .wrongSize }
        guard sealed.count >= nonceBytes + tagBytes else { throw .notAuthentic }
        let nonce = Array(sealed[..<nonceBytes]), body = Array(sealed[nonceBytes..<(sealed.count - tagBytes)])
        var tag = Array(sealed[(sealed.count - tagBytes)...])
        var plaintext = [UInt8](repeating: 0, count: body.count)
        guard run(encrypting: false, body, key, nonce, associated, &plaintext, &tag) else { throw .notAuthentic }
        return plaintext
    }

    // MARK: -

    private static func run(
        encrypting: Bool, _ input: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ associated: [UInt8], _ output: inout [UInt8], _ tag: inout [UInt8]
    ) -> Bool {
        guard let inputCount = Int32(exactly: input.count), let associatedCount = Int32(exactly: associated.count) else { return false }
        // Safe: the context is freed on every way out; lengths handed over are those of the arrays, which outlive the calls; GCM writes as
        // many bytes as it reads, and nothing at the end.
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return false }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let direction: Int32 = encrypting ? 1 : 0
        var written: Int32 = 0
        guard unsafe EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, direction) == 1 else { return false }
        if associatedCount > 0, unsafe EVP_CipherUpdate(context, nil, &written, associated, associatedCount) != 1 { return false }
        if inputCount > 0, unsafe EVP_CipherUpdate(context, &output, &written, input, inputCount) != 1 { return false }
        if !encrypting, unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) != 1 { return false }
        var rest = [UInt8](repeating: 0, count: 16)
        guard unsafe EVP_CipherFinal_ex(context, &rest, &written) == 1 else { return false }
        if encrypting { return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1 }
        return true
    }
}
