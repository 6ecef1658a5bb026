// What an object store answers when it does not do what was asked: few kinds, those that a caller acts on.

package struct ObjectStoreError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case notFound
        /// `ifAbsent`, and another's object is there.
        case alreadyExists
        /// The world failed, retries included; asking again later can help.
        case unavailable
        /// The store knows us not, or lets us not; the reason says what to set.
        case denied
        /// The caller erred: a key, a range or a size that no store takes.
        case invalid
        /// The bytes are not those that were written.
        case damaged
        case cancelled
    }
    package let kind: Kind
    /// The store and the key.
    package let place: String
    package let reason: String
    /// The write this answers may have happened all the same.
    package let mayHaveBeenApplied: Bool

    package init(_ kind: Kind, place: String, _ reason: String, mayHaveBeenApplied: Bool = false) {
        (self.kind, self.place, self.reason, self.mayHaveBeenApplied) = (kind, place, reason, mayHaveBeenApplied)
    }

    /// A file system's failure as an object store's.
    package init(_ error: StorageError, mayHaveBeenApplied: Bool = false) {
        let kind: Kind = switch error.kind {
        case .notFound: .notFound
        case .exists: .alreadyExists
        case .permission: .denied
        case .noSpace, .io: .unavailable
        case .corrupt, .tooOld, .tooNew: .damaged
        }
        self.init(kind, place: error.path, error.reason, mayHaveBeenApplied: mayHaveBeenApplied)
    }

    package var description: String { "\(place): \(reason)" + (mayHaveBeenApplied ? " (the write may have been applied)" : "") }
}
