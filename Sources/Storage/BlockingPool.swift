// A few threads for calls that wait for a disk or a server, so that none waits on an event loop or in Swift's own pool.
//
// A thread is started when there is work and ends when there is none (tens of microseconds beside a sync or a request), so a store that nobody
// uses costs nothing. Jobs wait in order of
// arrival; their number is bounded by their callers, each of whom awaits its one.

private import Glibc
import Synchronization

package final class BlockingPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var next = 0
        var running = 0
    }
    private let threadsMax: Int
    private let state = Mutex(State())

    package init(threads: Int) { threadsMax = max(1, threads) }

    /// For folders: disks answer best when few ask at once.
    package static let files = BlockingPool(threads: 4)

    package func run<R: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> R) async throws(E) -> R {
        let result: Result<R, E> = await withCheckedContinuation { continuation in
            submit {
                do throws(E) { continuation.resume(returning: .success(try body())) } catch { continuation.resume(returning: .failure(error)) }
            }
        }
        return try result.get()
    }

    // MARK: -

    private func submit(_ job: @escaping @Sendable () -> Void) {
        let isStarting = state.withLock { s in
            s.jobs.append(job)
            guard s.running < threadsMax else { return false }
            s.running += 1
            return true
        }
        if isStarting, !spawn({ [self] in work() }) {
            // No thread to be had: the others do it, or, when there are none, this one.
            let isAlone = state.withLock { s in
                s.running -= 1
                return s.running == 0
            }
            if isAlone { while let job = take(last: false) { job() } }
        }
    }

    private func work() { while let job = take(last: true) { job() } }

    /// The next job; none ends the thread that asked, and counts it out in the same moment so that no job is left lying.
    private func take(last: Bool) -> (@Sendable () -> Void)? {
        state.withLock { s in
            guard s.next < s.jobs.count else {
                (s.jobs, s.next) = ([], 0)
                if last { s.running -= 1 }
                return nil
            }
            let job = s.jobs[s.next]
            // What it holds goes with it, also while the queue is never empty.
            s.jobs[s.next] = {}
            s.next += 1
            if s.next >= 1_024, s.next >= s.jobs.count / 2 {
                s.jobs.removeFirst(s.next)
                s.next = 0
            }
            return job
        }
    }

    private func spawn(_ body: @escaping @Sendable () -> Void) -> Bool {
        final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        // Safe: the box is retained for the thread, which takes it back exactly once, or here when there is no thread.
        let box = unsafe Unmanaged.passRetained(Box(body))
        let code = unsafe pthread_create(&thread, &attributes, { pointer in
            if let pointer = unsafe pointer { unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body() }
            return nil
        }, box.toOpaque())
        if code != 0 { unsafe box.release() }
        return code == 0
    }
}
