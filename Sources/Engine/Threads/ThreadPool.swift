// A fixed number of threads for work that takes a processor or waits for a disk, so that it never sits on an
// event loop or in Swift's own pool. Tasks may prefer it as their executor.

private import Glibc

package final class ThreadPool: TaskExecutor, @unchecked Sendable {
    package let threads: Int
    private let monitor = Monitor()
    // Guarded by `monitor`.
    private var jobs: [@Sendable () -> Void] = []
    private var next = 0
    private var stopped = false
    private var running = 0
    private var workers: [pthread_t] = []

    package init(threads: Int, name: String) {
        self.threads = max(1, threads)
        running = self.threads
        for _ in 0..<self.threads { spawn { [self] in work() } }
    }

    /// Jobs wait in order of arrival. After `stop` they run on the caller's thread.
    package func submit(_ job: @escaping @Sendable () -> Void) {
        let taken = monitor.locked {
            if stopped { return false }
            jobs.append(job)
            // Before `stop` none but idle threads wait.
            monitor.wakeOne()
            return true
        }
        if !taken { job() }
    }

    package func enqueue(_ job: UnownedJob) {
        // Safe: the job is run once.
        submit { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// On one of the pool's threads: this one, if it is.
    package func run<R: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> R) async throws(E) -> R {
        if isCurrent { return try body() }
        let result: Result<R, E> = await withCheckedContinuation { continuation in
            submit {
                do throws(E) { continuation.resume(returning: .success(try body())) } catch { continuation.resume(returning: .failure(error)) }
            }
        }
        return try result.get()
    }

    /// Runs `body(0)` to `body(count - 1)`, this thread taking part, and returns when all have.
    package func parallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        if count <= 1 {
            if count == 1 { body(0) }
            return
        }
        let share = Share(count)
        for _ in 1..<count { submit { if let i = share.claim() { body(i); share.finish() } } }
        while let i = share.claim() {
            body(i)
            share.finish()
        }
        share.wait()
    }

    /// Lets the jobs at hand finish, then ends the threads.
    package func stop() {
        monitor.locked {
            stopped = true
            monitor.wakeAll()
            while running > 0 { monitor.wait() }
        }
    }

    // MARK: -

    private var isCurrent: Bool {
        let thread = pthread_self()
        return monitor.locked { workers.contains { pthread_equal($0, thread) != 0 } }
    }

    private func work() {
        monitor.locked { workers.append(pthread_self()) }
        while true {
            let job: (@Sendable () -> Void)? = monitor.locked {
                while next == jobs.count, !stopped { monitor.wait() }
                if next == jobs.count {
                    running -= 1
                    workers.removeAll { pthread_equal($0, pthread_self()) != 0 }
                    monitor.wakeAll()
                    return nil
                }
                let job = jobs[next]
                // What it holds goes with it, also while the queue is never empty.
                jobs[next] = {}
                next += 1
                if next == jobs.count { (jobs, next) = ([], 0) } else if next >= 1_024, next >= jobs.count / 2 {
                    jobs.removeFirst(next)
                    next = 0
                }
                return job
            }
            guard let job else { return }
            job()
        }
    }

    /// Jobs of one `parallel` call. Whoever is free claims the next, so a full pool cannot hold the caller up.
    private final class Share: @unchecked Sendable {
        private let monitor = Monitor()
        private var claimed = 0, finished = 0
        private let count: Int
        init(_ count: Int) { self.count = count }
        func claim() -> Int? {
            monitor.locked {
                guard claimed < count else { return nil }
                claimed += 1
                return claimed - 1
            }
        }
        func finish() {
            monitor.locked {
                finished += 1
                monitor.wakeAll()
            }
        }
        func wait() { monitor.locked { while finished < count { monitor.wait() } } }
    }
}

/// Starts a thread of its own (with 2 MB of stack) that runs `body` and ends.
func spawn(_ body: @escaping @Sendable () -> Void) {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    unsafe pthread_attr_setstacksize(&attributes, 2 << 20)
    var thread = pthread_t()
    // Safe: the box is retained for the thread, which takes it back exactly once.
    let box = unsafe Unmanaged.passRetained(Box(body))
    let code = unsafe pthread_create(&thread, &attributes, { pointer in
        unsafe Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue().body()
        return nil
    }, box.toOpaque())
    unsafe pthread_attr_destroy(&attributes)
    // Without threads there is no node: a system limit the operator must lift.
    precondition(code == 0, "cannot start a thread: error \(code)")
}

/// Milliseconds of the monotonic clock.
func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Milliseconds since 1970.
func wallMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
