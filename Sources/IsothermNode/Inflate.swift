// Request bodies that clients compressed: gzip (RFC 1952) and deflate (zlib, RFC 1950).

internal import CIsothermZlib

enum Inflate {
    enum Failure: Error { case tooLarge, damaged }

    /// - Parameter bytesMax: what comes out may not be longer: a small body can unfold to a huge one.
    static func inflate(_ body: [UInt8], bytesMax: Int) throws(Failure) -> [UInt8] {
        guard let count = UInt32(exactly: body.count) else { throw .tooLarge }
        var input = body, output: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 64 << 10)
        // Safe: the stream's pointers are set from arrays that outlive each call, with their exact lengths.
        var stream = unsafe z_stream()
        // 15 + 32: the largest window, gzip or zlib by its header.
        guard unsafe inflateInit2_(&stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw .damaged }
        defer { unsafe inflateEnd(&stream) }
        var consumed = 0, result = Z_OK
        while result == Z_OK {
            var produced = 0
            let size = chunk.count, offset = consumed
            unsafe input.withUnsafeMutableBufferPointer { input in
                unsafe chunk.withUnsafeMutableBufferPointer { chunk in
                    unsafe stream.next_in = input.baseAddress.map { unsafe $0 + offset }
                    unsafe stream.avail_in = count - UInt32(truncatingIfNeeded: offset)
                    unsafe stream.next_out = chunk.baseAddress
                    unsafe stream.avail_out = UInt32(truncatingIfNeeded: size)
                    result = unsafe CIsothermZlib.inflate(&stream, Z_NO_FLUSH)
                    produced = unsafe size - Int(stream.avail_out)
                    consumed = unsafe Int(count - stream.avail_in)
                }
            }
            guard output.count + produced <= bytesMax else { throw .tooLarge }
            output.append(contentsOf: chunk[..<produced])
            if result == Z_OK, produced == 0, consumed == input.count { throw .damaged }
        }
        guard result == Z_STREAM_END else { throw .damaged }
        return output
    }
}
