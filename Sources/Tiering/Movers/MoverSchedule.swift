// The mover inside a server: runs again and again, off unless `schedule` in config/tiers.yaml says how often.

package import Orders

package struct MoverSchedule: Sendable {
    private let mover: OrderMover, policy: TierPolicy, every: Duration
    private let sweep: @Sendable () async throws -> Void
    private let clock: @Sendable () -> Instant
    private let tell: @Sendable (String) -> Void

    /// - Parameters: `sweep` is called once, before the first run; `clock` gives the moment whose ages count, `tell` takes a line for the server's log.
    package init(
        _ mover: OrderMover, _ policy: TierPolicy, every: Duration, sweep: @escaping @Sendable () async throws -> Void = {},
        clock: @escaping @Sendable () -> Instant = { .now() }, tell: @escaping @Sendable (String) -> Void
    ) {
        (self.mover, self.policy, self.every, self.sweep, self.clock, self.tell) = (mover, policy, every, sweep, clock, tell)
    }

    /// Turns until cancelled. A run that failed is told and tried again after the same time: it goes on where it was stopped.
    package func run() async {
        var isSwept = false
        while !Task.isCancelled {
            do {
                if !isSwept { try await sweep() }
                isSwept = true
                let report = try await mover.run(policy, at: clock())
                if report.moved + report.changed + report.refused + report.copies > 0 {
                    tell("tiers: \(report.moved) orders moved, \(report.changed) had changed meanwhile, \(report.refused) refused, \(report.copies) copies removed")
                }
            } catch { if !Task.isCancelled { tell("tiers: the mover stopped, and will go on: \(error)") } }
            try? await Task.sleep(for: every)
        }
    }
}
