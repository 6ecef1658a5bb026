// Wakes the event streams of a shipment when a tracking event of it was committed in this process, and all of them at every heartbeat: a stream whose
// news came another way (an import, another process) sees it then.
//
// A signal says only "look again"; the stream reads the store. So none can be lost or come twice, and a slow reader holds up nobody.

internal import Orders
internal import Synchronization

final class TrackingSignals: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: (shipment: ShipmentID, wake: AsyncStream<Void>.Continuation)] = [:]
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) { self.most = most }

    /// Nil when too many listen.
    func listen(_ shipment: ShipmentID) -> (signals: AsyncStream<Void>, end: @Sendable () -> Void)? {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state -> Int? in
            guard state.listeners.count < most else { return nil }
            state.next += 1
            state.listeners[state.next] = (shipment, continuation)
            return state.next
        }
        guard let number else { return nil }
        return (stream, { [self] in _ = state.withLock { $0.listeners.removeValue(forKey: number) }; continuation.finish() })
    }

    func happened(to shipment: ShipmentID) {
        let awake = state.withLock { state in state.listeners.values.filter { $0.shipment == shipment }.map(\.wake) }
        for wake in awake { wake.yield() }
    }

    func beat() {
        let awake = state.withLock { state in state.listeners.values.map(\.wake) }
        for wake in awake { wake.yield() }
    }

    /// The server stops: every stream ends.
    func end() {
        let all = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners.values.map(\.wake)
        }
        for wake in all { wake.finish() }
    }

    var count: Int { state.withLock { $0.listeners.count } }
}
