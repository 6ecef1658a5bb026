// One event loop, which also runs tasks on its thread: what a request's task does between two suspensions is short (decode, hand over, encode), and a hop to another
// thread costs more than that. Work that needs a processor goes to a pool of threads, waiting for a commit holds up no thread.

internal import NIOCore
internal import NIOPosix

package final class LoopExecutor: TaskExecutor {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop: any EventLoop

    package init() { loop = group.next() }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Safe: the job is run once, by the loop.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// No task may use it any more.
    package func end() async { try? await group.shutdownGracefully() }
}
