// Things that one thread at a time may use (scratch buffers, stemmers, break iterators), kept for the next one.

import Synchronization

/// Safe: a resource is owned by the pool or by the one who took it, never by both.
final class Pool<Resource>: @unchecked Sendable {
    private struct Box: @unchecked Sendable { var resource: Resource }
    /// Guards the resources that are free.
    private let free = Mutex<[Box]>([])
    private let keptMax = 64

    func take() -> Resource? { free.withLock { $0.popLast() }?.resource }

    func give(_ resource: Resource) {
        let box = Box(resource: resource)
        free.withLock { if $0.count < keptMax { $0.append(box) } }
    }
}
