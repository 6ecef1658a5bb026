// Jobs that run one after another, in order of arrival, on whatever thread of a pool is free. Bounded by those who submit.

import Synchronization

final class SerialLane: Sendable {
    private let pool: ThreadPool
    private let state = Mutex(State())

    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var running = false
    }

    init(_ pool: ThreadPool) { self.pool = pool }

    func submit(_ job: @escaping @Sendable () -> Void) {
        let starts = state.withLock { s in
            s.jobs.append(job)
            defer { s.running = true }
            return !s.running
        }
        if starts { pool.submit { [self] in runNext() } }
    }

    /// One job at a time, so that a long queue does not keep a thread of the pool from others.
    private func runNext() {
        let job = state.withLock { s -> (@Sendable () -> Void)? in
            guard !s.jobs.isEmpty else {
                s.running = false
                return nil
            }
            return s.jobs.removeFirst()
        }
        guard let job else { return }
        job()
        pool.submit { [self] in runNext() }
    }
}
