// What the archive answers when it does not do what was asked. Never quotes rows: they may be personal.

import Parquet
import Storage

package struct ArchiveError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The caller erred; the reason says what instead.
        case misuse
        /// The world failed; asking again later can help. A commit may have happened: open the table again to see.
        case unavailable
        case cancelled
        /// Something the table needs is not there, or not as it was written.
        case damaged
        /// A table that this code does not read or write.
        case unsupported
        /// There is no table.
        case notFound
        /// Another writer has taken over. Nothing of this commit is or will be seen, unless the reason says otherwise.
        case fenced
    }
    package let kind: Kind
    package let place: String
    package let reason: String

    package init(_ kind: Kind, place: String, _ reason: String) { (self.kind, self.place, self.reason) = (kind, place, reason) }

    package init(_ error: ObjectStoreError) {
        let kind: Kind = switch error.kind {
        case .notFound, .damaged: .damaged
        case .alreadyExists: .fenced
        case .unavailable, .denied: .unavailable
        case .invalid: .misuse
        case .cancelled: .cancelled
        }
        self.init(kind, place: error.place, error.reason + (error.mayHaveBeenApplied ? " (the write may have been applied)" : ""))
    }

    package init(_ error: ParquetError, place: String) {
        let kind: Kind = switch error {
        case .damaged: .damaged
        case .unsupported, .tooLarge: .unsupported
        case .misuse: .misuse
        case .unreadable: .unavailable
        }
        self.init(kind, place: place, error.description)
    }

    package var description: String { "\(place): \(reason)" }
}

/// The errors of the layers below as the archive's.
func reaching<R>(_ body: () async throws(ObjectStoreError) -> R) async throws(ArchiveError) -> R {
    do throws(ObjectStoreError) { return try await body() } catch { throw ArchiveError(error) }
}

func decoding<R>(_ place: String, _ body: () async throws(ParquetError) -> R) async throws(ArchiveError) -> R {
    do throws(ParquetError) { return try await body() } catch { throw ArchiveError(error, place: place) }
}

func encoding<R>(_ place: String, _ body: () throws(ParquetError) -> R) throws(ArchiveError) -> R {
    do throws(ParquetError) { return try body() } catch { throw ArchiveError(error, place: place) }
}
