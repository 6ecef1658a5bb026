// An answer as the layers above give it, and the bytes it becomes: status line, headers, body in one buffer, so that one write sends it. There are
// no header objects in between: an answer's few headers go straight into the buffer.

internal import Glibc
package import NIOCore
internal import NIOHTTP1
internal import Synchronization

package struct HTTPReply: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Writes pieces until it returns; what it throws cuts the answer off, so that nobody takes it for whole.
        case stream(@Sendable (_ write: ([UInt8]) async throws -> Void) async throws -> Void)
    }

    package var status: Int
    package var contentType: String?
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(_ status: Int, contentType: String? = nil, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        (self.status, self.contentType, self.headers, self.body) = (status, contentType, headers, body)
    }

    /// What of its request an answer's framing depends on.
    package struct Framing: Sendable {
        package var isHead = false
        package var isHTTP10 = false
        /// The connection takes another request after this one.
        package var keepsAlive = true
        package init(isHead: Bool = false, isHTTP10: Bool = false, keepsAlive: Bool = true) {
            (self.isHead, self.isHTTP10, self.keepsAlive) = (isHead, isHTTP10, keepsAlive)
        }
    }

    /// Head and, unless it is a stream, body.
    package func serialized(_ framing: Framing, date: [UInt8]) -> ByteBuffer {
        var count = 0
        if case .bytes(let bytes) = body { count = bytes.count }
        var buffer = ByteBufferAllocator().buffer(capacity: 256 + headers.count * 64 + count)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status))
        buffer.writeStaticString(" ")
        buffer.writeString(HTTPResponseStatus(statusCode: status).reasonPhrase)
        buffer.writeStaticString("\r\n")
        if let contentType { Self.write("Content-Type", contentType, to: &buffer) }
        for (name, value) in headers { Self.write(name, value, to: &buffer) }
        switch body {
        // RFC 9110, section 8.6: no length where there can be no body.
        case .bytes: if status != 204, status != 304, status >= 200 { Self.write("Content-Length", String(count), to: &buffer) }
        case .stream: if !framing.isHTTP10 { buffer.writeStaticString("Transfer-Encoding: chunked\r\n") }
        }
        if !framing.keepsAlive {
            buffer.writeStaticString("Connection: close\r\n")
        } else if framing.isHTTP10 {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
        buffer.writeStaticString("Date: ")
        buffer.writeBytes(date)
        buffer.writeStaticString("\r\n\r\n")
        if case .bytes(let bytes) = body, !framing.isHead, status != 204, status != 304 { buffer.writeBytes(bytes) }
        return buffer
    }

    /// One piece of a stream.
    static func chunk(_ piece: [UInt8], _ framing: Framing) -> ByteBuffer {
        guard !framing.isHTTP10 else { return ByteBuffer(bytes: piece) }
        var buffer = ByteBufferAllocator().buffer(capacity: piece.count + 12)
        buffer.writeString(String(piece.count, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(piece)
        buffer.writeStaticString("\r\n")
        return buffer
    }

    static func lastChunk(_ framing: Framing) -> ByteBuffer { framing.isHTTP10 ? ByteBuffer() : ByteBuffer(staticString: "0\r\n\r\n") }

    /// A value with a line's end in it would be the start of another header: such a header is left out.
    private static func write(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else { return }
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }
}

/// The header's date (RFC 9110, section 5.6.7), made once a second.
package final class HTTPDate: Sendable {
    /// Guards the newest one.
    private let made = Mutex((second: Int64(-1), text: [UInt8]()))

    func now() -> [UInt8] {
        var time = timespec()
        // Safe: the structure is ours and lives through the call.
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        let second = Int64(time.tv_sec)
        return made.withLock { made in
            if made.second != second { made = (second, Self.text(second)) }
            return made.text
        }
    }

    /// - Parameter second: since 1970.
    package static func text(_ second: Int64) -> [UInt8] {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"], months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let second = max(0, second), day = second / 86_400, time = second % 86_400
        // Days since 1 March of year 0, in eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms").
        let shifted = day + 719_468, era = shifted / 146_097, dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153, month = march < 10 ? march + 2 : march - 10
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
        let date = "\(days[Int(day % 7)]), \(two(dayOfYear - (153 * march + 2) / 5 + 1)) \(months[Int(month)]) \(year)"
        return Array("\(date) \(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT".utf8)
    }
}
