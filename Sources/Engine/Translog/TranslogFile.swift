// The layout of one translog file, and how it is read after a crash. Pure: bytes in, operations out.
//
//     offset   size   field
//     0        8      magic "ISOTHERM"
//     8        4      structure "TLOG"
//     12       4      format version (2; 1, without patches and positions, is still read)
//     16       8      generation
//     24       8      valid length of the generation before, 0 when there is none to replay
//     32       4      CRC-32C of [0, 32)
//     36       ...    records
//
// A record:
//
//     0        4      n: length of the payload, at least 1
//     4        4      CRC-32C of the payload
//     8        8      how many bytes of this file were durable when the record was written
//     16       4      CRC-32C of [0, 16), seeded with the generation and the record's own offset
//     20       n      payload (LoggedOperation)
//
// Torn or damaged? What was never synced may be lost in any order: a later record can be whole where an
// earlier one is not. So every record says how far the file was durable when it was written, and a marker
// follows each sync. An unreadable place below what any later record calls durable is damage: an error.
// Otherwise it is the trace of a crash, nothing there was acknowledged, and the file ends there.
//
// Invariants
//     1  The header is synced, and the folder too, before the first operation of a generation is acknowledged.
//     2  All but the newest generation are whole up to the length that their successor's header gives.
// Format page: docs/formats/translog.md.

package import Bytes
package import Storage

package enum TranslogFile {
    package static let version: UInt32 = 2
    package static let headerSize = 36
    package static let recordHeaderSize = 20
    package static let payloadMax = 1 << 30

    package struct Header: Equatable, Sendable {
        package var generation: UInt64
        package var previousLength: Int
        package init(generation: UInt64, previousLength: Int) { (self.generation, self.previousLength) = (generation, previousLength) }
    }

    package static func encode(_ header: Header) -> [UInt8] {
        var w = ByteWriter(reserving: headerSize)
        w.raw("ISOTHERM".utf8)
        w.raw("TLOG".utf8)
        w.fixed(version)
        w.fixed(header.generation)
        w.fixed(UInt64(clamping: header.previousLength))
        w.fixed(CRC32C.of(w.bytes))
        return w.bytes
    }

    /// Appends a record to `w`, which will be written at `base` of the file.
    package static func append(_ operation: LoggedOperation, to w: inout ByteWriter, base: Int, generation: UInt64, synced: Int) {
        let start = w.count
        for _ in 0..<recordHeaderSize / 4 { w.fixed(UInt32(0)) }
        operation.encode(into: &w)
        let length = w.count - start - recordHeaderSize
        // Safe: bytes have no padding.
        let sum = unsafe CRC32C.of(w.bytes.span.bytes.extracting(start + recordHeaderSize..<w.count))
        var head = ByteWriter(reserving: recordHeaderSize)
        head.fixed(UInt32(clamping: length))
        head.fixed(sum)
        head.fixed(UInt64(clamping: synced))
        head.fixed(unsafe CRC32C.of(head.bytes.span.bytes, seed: seed(generation, base + start)))
        for i in 0..<recordHeaderSize { w.bytes[start + i] = head.bytes[i] }
    }

    /// - Throws: `.corrupt` also when the file is shorter than a header.
    package static func header(_ file: MappedBytes) throws(StorageError) -> Header {
        let found: (version: UInt32, header: Header) = try read(file) { span throws(Corruption) in
            var r = ByteReader(span)
            guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("TLOG".utf8) else { throw Corruption("not a translog file", at: 0) }
            let version = try r.fixed(UInt32.self)
            let header = Header(generation: try r.fixed(), previousLength: Int(clamping: try r.fixed(UInt64.self)))
            guard try r.fixed(UInt32.self) == CRC32C.of(span.extracting(0..<32)) else { throw Corruption("header checksum differs", at: 32) }
            return (version, header)
        }
        guard found.version == version || found.version == 1 else {
            throw StorageError(
                found.version > version ? .tooNew : .tooOld, path: file.path, "translog format \(found.version); this build reads \(version)", at: 12)
        }
        return found.header
    }

    /// Calls `body` with the operations in order.
    /// - Parameter end: where the file is known to end (invariant 2); nil for the newest generation, whose tail may be torn.
    /// - Returns: where the valid bytes end, and how many operations there are.
    package static func replay(
        _ file: MappedBytes, generation: UInt64, end: Int?, _ body: (LoggedOperation) throws(EngineError) -> Void
    ) throws(EngineError) -> (end: Int, operations: Int) {
        var offset = headerSize, operations = 0
        let stop = end ?? file.count
        guard stop >= headerSize, stop <= file.count else {
            throw EngineError(StorageError(.corrupt, path: file.path, "cut short: \(stop) bytes were written", at: file.count))
        }
        while offset < stop {
            let at = offset
            let next: (operation: LoggedOperation, end: Int)
            do throws(StorageError) {
                next = try read(file) { span throws(Corruption) in try record(span, at, stop, generation) }
            } catch {
                if end == nil, !file.withBytes({ isCalledDurable($0, at, generation) }) { return (at, operations) }
                throw EngineError(error)
            }
            if next.operation != .marker {
                operations += 1
                try body(next.operation)
            }
            offset = next.end
        }
        return (offset, operations)
    }

    // MARK: -

    private static func record(_ span: RawSpan, _ at: Int, _ stop: Int, _ generation: UInt64) throws(Corruption) -> (LoggedOperation, Int) {
        guard let head = recordHeader(span, at, generation), stop - at - recordHeaderSize >= head.length else { throw Corruption("damaged record header", at: at) }
        let payload = span.extracting(at + recordHeaderSize..<at + recordHeaderSize + head.length)
        guard CRC32C.of(payload) == head.sum else { throw Corruption("record checksum differs", at: at) }
        do throws(Corruption) {
            return (try LoggedOperation.decode(payload), at + recordHeaderSize + head.length)
        } catch { throw Corruption(error.reason, at: at + recordHeaderSize + error.offset) }
    }

    /// Whether any record after `at` says that the file was durable past `at`.
    private static func isCalledDurable(_ span: RawSpan, _ at: Int, _ generation: UInt64) -> Bool {
        var offset = at + 1
        while offset + recordHeaderSize < span.byteCount {
            if let head = recordHeader(span, offset, generation), head.synced > at { return true }
            offset += 1
        }
        return false
    }

    private static func recordHeader(_ span: RawSpan, _ at: Int, _ generation: UInt64) -> (length: Int, sum: UInt32, synced: Int)? {
        do throws(Corruption) {
            var r = ByteReader(span, at: at)
            let length = Int(try r.fixed(UInt32.self)), sum = try r.fixed(UInt32.self), synced = try r.fixed(UInt64.self)
            guard length > 0, length <= payloadMax else { return nil }
            guard try r.fixed(UInt32.self) == CRC32C.of(span.extracting(at..<at + 16), seed: seed(generation, at)) else { return nil }
            return (length, sum, Int(clamping: synced))
        } catch { return nil }
    }

    private static func seed(_ generation: UInt64, _ offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: generation &* 0x9E37_79B9) ^ UInt32(truncatingIfNeeded: offset)
    }

    private static func read<R>(_ file: MappedBytes, _ body: (RawSpan) throws(Corruption) -> R) throws(StorageError) -> R {
        do throws(Corruption) { return try file.withBytes(body) } catch { throw StorageError(error, path: file.path) }
    }
}
