// One at a time for one order: what reads, asks the gateway and writes must not be overtaken by the same for the same order. Waiting takes no thread.

internal import Orders
internal import Synchronization

final class Turns: Sendable {
    /// Who waits, in the order they came; an entry is there while somebody has the turn.
    private let waiting = Mutex<[OrderID: [CheckedContinuation<Void, Never>]]>([:])

    func take<T: Sendable>(_ order: OrderID, _ body: () async throws -> T) async throws -> T {
        await enter(order)
        defer { leave(order) }
        return try await body()
    }

    private func enter(_ order: OrderID) async {
        await withCheckedContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                guard waiting[order] == nil else {
                    waiting[order]?.append(continuation)
                    return false
                }
                waiting[order] = []
                return true
            }
            if isFirst { continuation.resume() }
        }
    }

    private func leave(_ order: OrderID) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var line = waiting[order], !line.isEmpty else {
                waiting[order] = nil
                return nil
            }
            let next = line.removeFirst()
            waiting[order] = line
            return next
        }
        next?.resume()
    }
}
