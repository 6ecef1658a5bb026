// One of a shard's write buffers, with the deletes its documents carry, and patches. Whoever holds its lock may write.

internal import Indexing
internal import Segments

final class WriterSlot: @unchecked Sendable {
    let monitor = Monitor()
    // Guarded by `monitor`.
    var writer = DocumentWriter()
    var number: UInt32
    var deletes: [DocumentPlace] = []
    /// Of documents in published segments.
    var patches: [PlacedPatch] = []
    var maxSeqNo: Int64 = -1
    /// The merge epoch when this buffer was begun: it holds no delete that names a segment retired before.
    var epoch: Int

    init(number: UInt32, epoch: Int) { (self.number, self.epoch) = (number, epoch) }

    /// Call with the lock held.
    func delete(_ place: DocumentPlace) {
        if place.segment == number { writer.markDead(place.doc) } else { deletes.append(place) }
    }

    var isEmpty: Bool { writer.isEmpty && deletes.isEmpty && patches.isEmpty }

    private static let patchBytes = 256
    /// About, for patches; they are small.
    var memoryBytes: Int { writer.memoryBytes &+ patches.count &* Self.patchBytes }
}

/// A buffer taken out of its slot, to be sealed.
struct DetachedBuffer: @unchecked Sendable {
    // Safe to send: nobody else refers to the writer after it was taken out.
    let writer: DocumentWriter
    let number: UInt32
    let deletes: [DocumentPlace]
    let patches: [PlacedPatch]
    let maxSeqNo: Int64
}
