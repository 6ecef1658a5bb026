// Where an order's body lies, and what the mover writes down about taking it elsewhere. Pure values; the store keeps them (`TierStore`), Tiering acts on them.

package enum Tier: String, Sendable, CaseIterable, Comparable {
    case hot, warm, cold
    /// Colder is more.
    package static func < (a: Tier, b: Tier) -> Bool { a.rank < b.rank }
    private var rank: Int { Tier.allCases.firstIndex(of: self) ?? 0 }
}

extension OrderState {
    /// Nothing is to happen any more, unless somebody begins something new (a return, a refund): only such orders move.
    package static let final: [OrderState] = allCases.filter { !open.contains($0) }
    package var isFinal: Bool { !OrderState.open.contains(self) }
}

package enum MoveKind {}
package typealias MoveID = ID<MoveKind>

/// How far a batch has come: what the journal says after each step.
package enum MoveStep: String, Sendable, CaseIterable {
    /// Its orders are named, with version and digest. Stopped here it is given up: nothing was done yet.
    case selected
    /// Documents and manifest are on the object store.
    case staged
    /// The next tier has every document durably, and gave back the same bytes.
    case verified
    /// The directory names the next tier, for all orders that had not changed.
    case flipped
    /// The tier before has let go of them.
    case purged
    /// Nothing of it is left to do; staging is kept until it expires.
    case done
    case abandoned
}

/// One order of a batch: what was dumped of it.
package struct MoveEntry: Sendable, Equatable {
    package var order: OrderID, version: Int64
    /// SHA-256 of the document's bytes.
    package var digest: [UInt8]
    /// Whether the directory was set. Nil before the flip; false when the order had changed since it was dumped.
    package var isMoved: Bool?
    package init(order: OrderID, version: Int64, digest: [UInt8], isMoved: Bool? = nil) {
        (self.order, self.version, self.digest, self.isMoved) = (order, version, digest, isMoved)
    }
}

package struct MoveBatch: Sendable, Equatable {
    package var id: MoveID, from: Tier, to: Tier, step: MoveStep
    /// The prefix of its keys on the object store.
    package var staging: String
    /// SHA-256 of the staged manifest, in hexadecimal; empty before.
    package var manifest: String
    package var startedAt: Instant, finishedAt: Instant?
    /// When staging may be cleared.
    package var expiresAt: Instant
    package var entries: [MoveEntry]
    package init(
        id: MoveID, from: Tier, to: Tier, step: MoveStep = .selected, staging: String, manifest: String = "", startedAt: Instant, finishedAt: Instant? = nil,
        expiresAt: Instant, entries: [MoveEntry]
    ) {
        (self.id, self.from, self.to, self.step, self.staging, self.manifest) = (id, from, to, step, staging, manifest)
        (self.startedAt, self.finishedAt, self.expiresAt, self.entries) = (startedAt, finishedAt, expiresAt, entries)
    }
}

/// What a mover tells the store. All but the lease itself and counts carry the lease's epoch: one of an older epoch is refused.
package enum MoveCommand: Sendable {
    /// Takes the lease, or holds it longer; the outcome's record version is its epoch. `takesOver`: also another's that has not ended.
    /// Its epoch is above `above` at least.
    case lease(holder: String, seconds: Int64, takesOver: Bool, above: Int64 = 0)
    case release(epoch: Int64)
    /// Of a store whose orders leave hot sealed with these keys from now on; refused if it was used with others, or with a newer state of them.
    case begin(MoveBatch, keys: KeysMark, epoch: Int64)
    /// To `staged` (with the manifest's digest), `verified`, `done` or `abandoned`.
    case advance(MoveID, to: MoveStep, manifest: String, epoch: Int64)
    /// Sets the directory for orders of the batch that are as they were dumped, at most `piece` in one transaction: commands of shoppers wait for no more. Until
    /// the outcome's state is `flipped` there are more. Its record version is how many were moved.
    /// From hot, `keys` are those of all people of the batch: each order is sealed again and compared.
    case flip(MoveID, keys: [PersonRef: PersonKeyState], epoch: Int64)
    /// Removes what hot still has of the orders that were moved, and of nothing else; at most `piece` in one transaction, until the state is `purged`.
    case purge(MoveID, epoch: Int64)
    /// Forgets finished batches whose staging was cleared.
    case forget([MoveID], epoch: Int64)
    /// Documents found outside hot by who puts a restored hot in step again (`FoundOrder`); `keys` are those of all their people. The outcome's record version is
    /// how many orders the directory has elsewhere or otherwise now.
    case adopt([FoundOrder], keys: [PersonRef: PersonKeyState], epoch: Int64)
    /// These are nowhere but in hot still: the directory says hot again, for those that are.
    case keepHot([OrderID], epoch: Int64)
    /// Ends a batch of before a restore, wherever it stood, without touching another tier.
    case end(MoveID, epoch: Int64)
    /// The product index is ahead of a restored outbox: positions go on above `above`, and every product is told as new, all
    /// in one transaction: half of them told would look like all. The outcome's record version is how many.
    case retell(above: UInt64, epoch: Int64)
    /// Adds to the counts of reads; needs no lease, and leaves no audit row.
    case countReads([OrderReadsKey: Int64])
    /// Forgets copies that were removed.
    case forgetCopies([LeftCopy], epoch: Int64)

    /// Orders in one transaction of a flip or purge.
    package static let piece = 500

    package var name: String {
        switch self {
        case .lease: "lease"
        case .release: "release"
        case .begin: "begin"
        case .advance(_, let step, _, _): step.rawValue
        case .flip: "flip"
        case .purge: "purge"
        case .forget: "forget"
        case .retell: "retell"
        case .countReads: "count_reads"
        case .forgetCopies: "forget_copies"
        case .adopt: "adopt"
        case .keepHot: "keep_hot"
        case .end: "end"
        }
    }
}

/// Which orders may go: in one of these final states, placed before an instant (and not before another), settled.
package struct MoveSelection: Sendable, Equatable {
    package var from: Tier, states: [OrderState]
    /// placed_at >= since, < before.
    package var since: Instant, before: Instant
    package init(from: Tier, states: [OrderState], since: Instant, before: Instant) {
        (self.from, self.states, self.since, self.before) = (from, states, since, before)
    }
}

/// Where the next page of a selection begins.
package struct MoveKey: Sendable, Equatable {
    package var placedAt: Instant, order: OrderID
    package init(placedAt: Instant, order: OrderID) { (self.placedAt, self.order) = (placedAt, order) }
}

/// A document that lies in a tier though the directory may know nothing of it: hot is older than the tier.
package struct FoundOrder: Sendable {
    package var document: OrderDocument, tier: Tier
    /// SHA-256 of its bytes.
    package var digest: [UInt8]
    package init(document: OrderDocument, tier: Tier, digest: [UInt8]) { (self.document, self.tier, self.digest) = (document, tier, digest) }
}
