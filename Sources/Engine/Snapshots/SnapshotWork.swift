// Snapshots and restores in progress: shown to who asks, and waited for when the node closes.

import Synchronization

package struct RunningSnapshot: Sendable {
    package var repository: String
    package var name: String
    package var uuid: String
    /// Milliseconds since 1970.
    package var started: Int64
    package var includesGlobalState: Bool
    package var indices: [String]
    /// Of all its files, those that are in the repository already too.
    package var totalFiles: Int, totalBytes: Int
    package let progress: SnapshotProgress
}

final class SnapshotWork: Sendable {
    private struct State {
        var snapshots: [Int: RunningSnapshot] = [:]
        /// Names that are being restored to.
        var restoring: [Int: Set<String>] = [:]
        var next = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isIdle: Bool { snapshots.isEmpty && restoring.isEmpty }
    }
    private let state = Mutex(State())

    var snapshots: [RunningSnapshot] { state.withLock { s in s.snapshots.sorted { $0.key < $1.key }.map(\.value) } }

    /// Nil when one of that name is in progress in that repository.
    func begin(_ snapshot: RunningSnapshot) -> Ticket? {
        state.withLock { s in
            if s.snapshots.values.contains(where: { $0.repository == snapshot.repository && $0.name == snapshot.name }) { return nil }
            s.next += 1
            s.snapshots[s.next] = snapshot
            return Ticket(self, s.next)
        }
    }

    /// Nil when one of the names is being restored to already.
    func begin(restoring names: Set<String>) -> Ticket? {
        state.withLock { s in
            if s.restoring.values.contains(where: { !$0.isDisjoint(with: names) }) { return nil }
            s.next += 1
            s.restoring[s.next] = names
            return Ticket(self, s.next)
        }
    }

    func update(_ ticket: Ticket, _ change: (inout RunningSnapshot) -> Void) {
        state.withLock { s in
            guard var snapshot = s.snapshots[ticket.number] else { return }
            change(&snapshot)
            s.snapshots[ticket.number] = snapshot
        }
    }

    /// Returns when nothing is in progress.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { s in
                if !s.isIdle { s.waiters.append(continuation) }
                return s.isIdle
            }
            if isIdle { continuation.resume() }
        }
    }

    private func end(_ number: Int) {
        let waiters = state.withLock { s -> [CheckedContinuation<Void, Never>] in
            s.snapshots[number] = nil
            s.restoring[number] = nil
            guard s.isIdle else { return [] }
            defer { s.waiters = [] }
            return s.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// In progress until it is ended, or goes. Who answers somebody ends it first: it may be held for a while by a task that has done its work.
    final class Ticket: Sendable {
        private let work: SnapshotWork
        fileprivate let number: Int
        fileprivate init(_ work: SnapshotWork, _ number: Int) { (self.work, self.number) = (work, number) }
        func end() { work.end(number) }
        deinit { work.end(number) }
    }
}
