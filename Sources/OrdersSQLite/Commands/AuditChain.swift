// The hash that chains one audit row to the one before: SHA-256 of the hash before, then each column with its length, so that no two rows read alike.

import Orders
import Secrets

enum AuditChain {
    static func hash(
        after before: [UInt8], sequence: Int64, at instant: Instant, actor: String, purpose: String, action: String, subject: String
    ) -> [UInt8] {
        var bytes = before
        bytes.reserveCapacity(before.count + 16 + 16 + actor.utf8.count + purpose.utf8.count + action.utf8.count + subject.utf8.count)
        append(sequence, to: &bytes)
        append(instant.microseconds, to: &bytes)
        append(actor, to: &bytes)
        append(purpose, to: &bytes)
        append(action, to: &bytes)
        append(subject, to: &bytes)
        return SHA256.hash(bytes)
    }

    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        let pattern = UInt64(bitPattern: number)
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(shift))) }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(Int64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }
}
