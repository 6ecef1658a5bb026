// Which write buffers are being sealed right now: what a refresh waits for, so that everything written before
// it is visible after it.

final class SealTracker: @unchecked Sendable {
    private let monitor = Monitor()
    private var active: [Int: Int] = [:]
    private var next = 0

    /// - Parameter epoch: of the oldest buffer being sealed.
    func begin(epoch: Int) -> Int {
        monitor.locked {
            next += 1
            active[next] = epoch
            return next
        }
    }

    func end(_ ticket: Int) {
        monitor.locked {
            active[ticket] = nil
            monitor.wakeAll()
        }
    }

    /// Waits for all that had begun when this was called.
    func wait() {
        monitor.locked {
            let last = next
            while active.keys.contains(where: { $0 <= last }) { monitor.wait() }
        }
    }

    /// The lowest epoch among buffers being sealed.
    var oldestEpoch: Int { monitor.locked { active.values.min() ?? .max } }
}
