// Streams of gzip (RFC 1952; several members follow each other) and zip (the entries one after the other, by their
// local headers: PKWARE APPNOTE 4.3.7), told by their first bytes; anything else passes as it is.

import CIsothermZlib

final class Unpacking {
    private enum Kind { case unknown, plain, gzip, zip }
    private let source: ByteSource
    private var kind = Kind.unknown
    /// Packed bytes not used yet.
    private var input: [UInt8] = []
    private var used = 0
    private var atEnd = false
    private var inflater: Inflater?

    init(_ source: ByteSource) { self.source = source }

    func read(_ bytes: inout [UInt8]) throws(BulkInputError) -> Bool {
        if kind == .unknown { try detect() }
        switch kind {
        case .plain:
            guard input.isEmpty else {
                bytes.append(contentsOf: input)
                input = []
                return true
            }
            return try source.more(&bytes)
        case .gzip, .zip: return try unpack(&bytes)
        case .unknown: return false
        }
    }

    private func detect() throws(BulkInputError) {
        try fill(4)
        if input.starts(with: [0x1F, 0x8B]) { kind = .gzip } else if input.starts(with: [0x50, 0x4B, 0x03, 0x04]) { kind = .zip } else { kind = .plain }
    }

    /// At least so many packed bytes, unless the source ends.
    private func fill(_ count: Int) throws(BulkInputError) {
        if used > 1 << 16 {
            input.removeFirst(used)
            used = 0
        }
        while input.count - used < count, !atEnd { atEnd = try !source.more(&input) }
    }

    private func unpack(_ bytes: inout [UInt8]) throws(BulkInputError) -> Bool {
        let before = bytes.count
        while bytes.count == before {
            if inflater == nil, try !beginStream() { return false }
            guard let inflater else { return false }
            try fill(1)
            guard used < input.count else { throw BulkInputError("the compressed file is truncated") }
            used += try inflater.inflate(input, from: used, into: &bytes)
            if inflater.isFinished {
                self.inflater = nil
                if kind == .zip, hasDescriptor { try skipDescriptor() }
            }
        }
        return true
    }

    private var hasDescriptor = false

    /// The next gzip member or zip entry; false when there is none.
    private func beginStream() throws(BulkInputError) -> Bool {
        try fill(30)
        let rest = input[used...]
        if kind == .gzip {
            // What follows the last member and is no member is padding.
            guard rest.starts(with: [0x1F, 0x8B]) else { return false }
            inflater = try Inflater(windowBits: 15 + 16)
            return true
        }
        guard rest.starts(with: [0x50, 0x4B, 0x03, 0x04]), rest.count >= 30 else { return false }
        func number(_ at: Int, _ width: Int) -> Int { (0..<width).reduce(0) { $0 | Int(input[used + at + $1]) << (8 * $1) } }
        let flags = number(6, 2), method = number(8, 2), size = number(18, 4), skip = 30 + number(26, 2) + number(28, 2)
        guard flags & 1 == 0 else { throw BulkInputError("the zip file is encrypted") }
        try fill(skip)
        guard input.count - used >= skip else { throw BulkInputError("the zip file is truncated") }
        used += skip
        if method == 0, size == 0, flags & 8 == 0 { return try beginStream() }
        guard method == 8 else { throw BulkInputError("the zip file has an entry stored by method \(method); only deflate is read") }
        hasDescriptor = flags & 8 != 0
        inflater = try Inflater(windowBits: -15)
        return true
    }

    /// CRC and sizes after an entry, with or without their signature.
    private func skipDescriptor() throws(BulkInputError) {
        try fill(24)
        let signed = input[used...].starts(with: [0x50, 0x4B, 0x07, 0x08])
        for length in signed ? [16, 24] : [12, 20] where input.count - used >= length {
            let next = input[(used + length)...].prefix(2)
            if next.isEmpty || next.elementsEqual([0x50, 0x4B]) {
                used += length
                return
            }
        }
        used = min(input.count, used + (signed ? 16 : 12))
    }
}

/// One deflate stream.
@safe private final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var isFinished = false
    /// Where zlib writes.
    private var output = [UInt8](repeating: 0, count: 1 << 17)

    init(windowBits: Int32) throws(BulkInputError) {
        // Safe: zlib's state, made here, used by inflate below, freed in deinit, seen by nobody else.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw BulkInputError("zlib could not be started")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// - Returns: how many bytes of `input` were used.
    func inflate(_ input: [UInt8], from: Int, into bytes: inout [UInt8]) throws(BulkInputError) -> Int {
        var used = 0, made = 0
        // Safe: zlib reads and writes only within the counts given, and both buffers live through the call.
        let code = unsafe input.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                let offered = min(source.count - from, 1 << 30)
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress?.advanced(by: from).assumingMemoryBound(to: UInt8.self))
                unsafe stream.pointee.avail_in = UInt32(offered)
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let code = unsafe CIsothermZlib.inflate(stream, Z_NO_FLUSH)
                used = unsafe offered - Int(stream.pointee.avail_in)
                made = unsafe target.count - Int(stream.pointee.avail_out)
                return code
            }
        }
        bytes.append(contentsOf: output[..<made])
        isFinished = code == Z_STREAM_END
        guard code == Z_OK || isFinished || (code == Z_BUF_ERROR && used + made > 0) else { throw BulkInputError("the compressed file is damaged") }
        return used
    }
}
