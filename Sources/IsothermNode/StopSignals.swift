// SIGTERM and SIGINT, as something to wait for. The process no longer dies of them.
//
// A handler writes a byte into a pipe, where it stays until it is read: a signal that comes before anybody waits is not lost. Dispatch's own signal sources lose
// what comes before they are registered, which is some time after `resume` has returned: on a busy machine some servers that were ended right after they had said that
// they are ready went on.

internal import Dispatch
internal import Glibc
internal import Storage
internal import Synchronization

/// One at a time in a process.
@safe final class StopSignals: @unchecked Sendable {
    private let arrivals: AsyncStream<Void>
    // Safe: only held, so that it stays.
    private let source: any DispatchSourceRead

    /// From here on no signal is lost.
    /// - Throws: `.io` when the process may open no more files.
    init() throws(StorageError) {
        let descriptor = try Self.opened()
        // One that came for somebody before.
        Self.drain(descriptor)
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.arrivals = arrivals
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler {
            Self.drain(descriptor)
            arrived.yield()
        }
        source.resume()
        var action = sigaction()
        // Others' system calls go on.
        action.sa_flags = SA_RESTART
        unsafe action.__sigaction_handler.sa_handler = handleStop
        // Safe: the structure lives through the calls.
        for number in [SIGTERM, SIGINT] { unsafe sigaction(number, &action, nil) }
    }

    deinit { source.cancel() }

    /// Returns with the first of them.
    func first() async { for await _ in arrivals { return } }

    /// The reading end. The pipe is made once and never closed: a handler may be about to write to it.
    private static func opened() throws(StorageError) -> Int32 {
        let there = readingEnd.load(ordering: .acquiring)
        if there >= 0 { return there }
        var ends: [Int32] = [-1, -1]
        // Safe: two descriptors are written into as many.
        guard unsafe pipe(&ends) == 0 else { throw StorageError(.io, path: "pipe", "cannot wait for signals (error \(errno)); may the process open more files?") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            // A full pipe holds a signal already: nobody waits to write.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        writingEnd.store(ends[1], ordering: .releasing)
        readingEnd.store(ends[0], ordering: .releasing)
        return ends[0]
    }

    private static func drain(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        // Safe: at most 64 bytes are read into as many.
        while unsafe read(descriptor, &bytes, 64) > 0 {}
    }
}

private let readingEnd = Atomic<Int32>(-1), writingEnd = Atomic<Int32>(-1)

/// Only what may be done within a signal handler (signal-safety(7)): an atomic load and a write.
private func handleStop(_: Int32) {
    let kept = errno, descriptor = writingEnd.load(ordering: .relaxed)
    var byte: UInt8 = 1
    // Safe: one byte of ours.
    if descriptor >= 0 { _ = unsafe write(descriptor, &byte, 1) }
    errno = kept
}
