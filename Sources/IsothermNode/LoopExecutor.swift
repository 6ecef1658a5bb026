// Runs tasks on an event loop's own thread: what a connection's task does between two suspensions is short (decode, hand over, encode), and a hop to
// another thread costs more than that. Work that needs a processor goes to the work pool, waiting for a commit holds up no thread.

internal import NIOCore

final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Safe: the job is run once, by the loop.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
