// A few threads that run what takes a processor: parsing bodies, rendering answers. The event loops stay free to
// read and write, so a large request does not hold up a small one on another connection.

internal import Glibc
internal import Synchronization

final class WorkPool: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var head = 0
        var closed = false

        mutating func pop() -> UnownedJob? {
            guard head < jobs.count else { return nil }
            let job = jobs[head]
            head += 1
            if head == jobs.count { (jobs, head) = ([], 0) }
            return job
        }
    }

    /// Guards the waiting jobs. How many there can be is bounded by the requests let in.
    private let queue = Mutex(Queue())
    private let ready: Semaphore

    init(threads: Int) {
        ready = Semaphore()
        for _ in 0..<threads { start() }
    }

    func enqueue(_ job: UnownedJob) {
        queue.withLock { $0.jobs.append(job) }
        ready.signal()
    }

    /// The threads end when the jobs do.
    func close(threads: Int) {
        queue.withLock { $0.closed = true }
        for _ in 0..<threads { ready.signal() }
    }

    // MARK: -

    private func start() {
        var thread = pthread_t()
        // Safe: the retained pool is taken back by the thread, once.
        let failed = unsafe pthread_create(&thread, nil, { raw in
            guard let raw = unsafe raw else { return nil }
            let pool = unsafe Unmanaged<WorkPool>.fromOpaque(raw).takeRetainedValue()
            pool.run()
            return nil
        }, Unmanaged.passRetained(self).toOpaque())
        precondition(failed == 0, "no thread could be started")
        pthread_detach(thread)
    }

    private func run() {
        while true {
            ready.wait()
            let (job, closed) = queue.withLock { ($0.pop(), $0.closed) }
            if let job { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) } else if closed { return }
        }
    }
}

/// A counting semaphore of the operating system.
@safe private final class Semaphore: @unchecked Sendable {
    // Safe: the semaphore lives at one address from init to deinit, and its calls may come from any thread.
    private let handle: UnsafeMutablePointer<sem_t>

    init() {
        unsafe handle = .allocate(capacity: 1)
        unsafe sem_init(handle, 0, 0)
    }

    deinit {
        unsafe sem_destroy(handle)
        unsafe handle.deallocate()
    }

    func signal() { unsafe _ = sem_post(handle) }
    func wait() { while unsafe sem_wait(handle) != 0 {} }
}
