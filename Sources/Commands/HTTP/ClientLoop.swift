// One event loop for a client's connections, which also runs the tasks that use them: a load generator that shares a machine with the server it measures must
// be light, and hops between threads are most of what a small request costs it.

internal import NIOCore
import NIOPosix

final class ClientLoop: TaskExecutor {
    let group: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let loop: any EventLoop
    init() { loop = group.next() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Safe: the job is run once, by the loop.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
