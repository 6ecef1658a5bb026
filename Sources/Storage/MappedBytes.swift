// Read-only bytes of a file, held for as long as anybody refers to them: mapped memory, or an array in
// tests. Immutable, so it may be shared between threads.

private import Glibc

@safe package final class MappedBytes: Sendable {
    package let path: String
    package let count: Int
    /// Safe: never written after init; released in deinit, when no reader can be left.
    private nonisolated(unsafe) let base: UnsafeRawPointer?
    /// Whether the memory is a read-only mapping of a file, whose pages come back by themselves.
    private let isMapping: Bool
    private let release: @Sendable (UnsafeRawPointer, Int) -> Void

    /// - Parameter release: gives the memory back; called once, with what was passed here.
    package init(
        path: String, unsafeBase base: UnsafeRawPointer?, count: Int, isMapping: Bool = false,
        release: @escaping @Sendable (UnsafeRawPointer, Int) -> Void
    ) {
        self.path = path
        self.count = count
        self.isMapping = isMapping
        unsafe self.base = base
        unsafe self.release = release
    }

    /// A copy of `bytes` on the heap.
    package convenience init(path: String, copying bytes: [UInt8]) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
        // Safe: the copy is as long as the memory.
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count) }
        unsafe self.init(path: path, unsafeBase: UnsafeRawPointer(memory), count: bytes.count) { pointer, _ in
            unsafe UnsafeMutableRawPointer(mutating: pointer).deallocate()
        }
    }

    deinit { if let base = unsafe base { unsafe release(base, count) } }

    /// Takes a mapped file's pages out of this process' memory; they come back from the page cache when touched. For
    /// readers that have gone over a large file once, as a merge does.
    package func letPagesGo() {
        guard isMapping, let base = unsafe base else { return }
        // Safe: a shared read-only mapping of a file; dropping its pages changes no byte of it.
        unsafe madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
    }

    /// Lends the bytes for the time of the call.
    package func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        // Safe: `self` outlives the call, and the span cannot leave it.
        try unsafe body(RawSpan(_unsafeStart: base ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped, byteCount: count))
    }

    /// The bytes for as long as the caller holds on to this object: for decoders' inner loops, which keep
    /// a strong reference beside the pointer.
    package var unsafeBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }
}
