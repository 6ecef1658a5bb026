// The mover inside a server: runs again and again, off unless `schedule` in config/tiers.yaml says how often.

package import Orders

package struct MoverSchedule: Sendable {
    private let mover: OrderMover, policy: TierPolicy, every: Duration
    private let clock: @Sendable () -> Instant
    private let tell: @Sendable (String) -> Void

    /// - Parameters: `clock` gives the moment whose ages count, `tell` takes a line for the server's log.
    package init(_ mover: OrderMover, _ policy: TierPolicy, every: Duration, clock: @escaping @Sendable () -> Instant = { .now() }, tell: @escaping @Sendable (String) -> Void) {
        (self.mover, self.policy, self.every, self.clock, self.tell) = (mover, policy, every, clock, tell)
    }

    /// Turns until cancelled. A run that failed is told and tried again after the same time: it goes on where it was stopped.
    package func run() async {
        while !Task.isCancelled {
            do {
                let report = try await mover.run(policy, at: clock())
                if report.moved + report.changed + report.refused + report.copies > 0 {
                    tell("tiers: \(report.moved) orders moved, \(report.changed) had changed meanwhile, \(report.refused) refused, \(report.copies) copies removed")
                }
            } catch { if !Task.isCancelled { tell("tiers: the mover stopped, and will go on: \(error)") } }
            try? await Task.sleep(for: every)
        }
    }
}
