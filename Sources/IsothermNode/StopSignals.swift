// SIGTERM and SIGINT, as something to wait for. The process no longer dies of them.

internal import Dispatch
internal import Glibc

@safe final class StopSignals: @unchecked Sendable {
    private let arrivals: AsyncStream<Void>
    // Safe: only held, so that they stay.
    private let sources: [any DispatchSourceSignal]

    init() {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.arrivals = arrivals
        sources = [SIGTERM, SIGINT].map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { arrived.yield() }
            source.resume()
            return source
        }
    }

    /// Returns with the first of them.
    func first() async { for await _ in arrivals { return } }
}
