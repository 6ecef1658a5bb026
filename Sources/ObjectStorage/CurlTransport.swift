// HTTP by libcurl on a bounded number of threads; connections are kept and used again.
//
// A request takes a free connection, or makes one while there are fewer than threads, and gives it back when answered. Cancelling the task ends
// the request within a second.

private import CIsothermCurl
internal import Storage
import Synchronization

package final class CurlTransport: HTTPTransport {
    private let timeouts: HTTPTimeouts
    private let caFile: String?
    private let pool: BlockingPool
    private let idle = Mutex<[Connection]>([])

    package init(timeouts: HTTPTimeouts, caFile: String?, threads: Int) {
        (self.timeouts, self.caFile) = (timeouts, caFile)
        pool = BlockingPool(threads: threads)
    }

    package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer {
        let flag = CancelFlag()
        let result: Result<HTTPAnswer, HTTPFailure> = await withTaskCancellationHandler {
            await pool.run { [self] in
                do throws(HTTPFailure) { return .success(try perform(request, flag)) } catch { return .failure(error) }
            }
        } onCancel: { flag.raise() }
        return try result.get()
    }

    // MARK: -

    private func perform(_ request: HTTPRequest, _ flag: CancelFlag) throws(HTTPFailure) -> HTTPAnswer {
        if flag.isRaised { throw HTTPFailure(.cancelled, "cancelled") }
        guard let connection = idle.withLock({ $0.popLast() }) ?? Connection.open() else { throw HTTPFailure(.refused, "libcurl cannot be started") }
        defer { idle.withLock { $0.append(connection) } }
        return try connection.perform(request, timeouts, caFile, flag)
    }
}

/// A libcurl handle with its connection.
@safe private final class Connection: @unchecked Sendable {
    // Safe: made once, freed in deinit, used by whoever took this object out of the list of idle ones.
    private let handle: OpaquePointer

    static func open() -> Connection? {
        guard let handle = unsafe isotherm_http_new() else { return nil }
        return unsafe Connection(handle)
    }

    private init(_ handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe isotherm_http_free(handle) }

    func perform(_ request: HTTPRequest, _ timeouts: HTTPTimeouts, _ caFile: String?, _ flag: CancelFlag) throws(HTTPFailure) -> HTTPAnswer {
        // A line end or a NUL within would make another request of it.
        let lines = request.headers.map { $0.value.isEmpty ? $0.name + ":" : $0.name + ": " + $0.value }
        guard !(lines + [request.url, request.method]).contains(where: { $0.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 } }) else {
            throw HTTPFailure(.refused, "a header or the address holds a line end")
        }
        let total = timeouts.total(bytes: request.body.count + request.answerBytesMax)
        var texts = lines.map { Array($0.utf8CString) }
        texts += [Array(request.url.utf8CString), Array(request.method.utf8CString), Array((caFile ?? "").utf8CString)]
        // Safe: all C strings lie in one array, and body and array outlive the call; the answer is copied before the connection is used again.
        let flat = texts.flatMap { $0 }
        var starts: [Int] = [], at = 0
        for text in texts {
            starts.append(at)
            at += text.count
        }
        let answer = unsafe flat.withUnsafeBufferPointer { flat in
            unsafe request.body.withUnsafeBufferPointer { body in
                let pointers: [UnsafePointer<CChar>?] = unsafe starts.map { start in unsafe flat.baseAddress?.advanced(by: start) }
                return unsafe pointers.withUnsafeBufferPointer { pointers in
                    var wire = unsafe isotherm_http_request()
                    unsafe wire.headers = pointers.baseAddress
                    unsafe wire.header_count = lines.count
                    unsafe wire.url = pointers[lines.count]
                    unsafe wire.method = pointers[lines.count + 1]
                    unsafe wire.ca_file = caFile == nil ? nil : pointers[lines.count + 2]
                    unsafe wire.body = body.baseAddress
                    unsafe wire.body_count = body.count
                    unsafe wire.connect_milliseconds = timeouts.connectMilliseconds
                    unsafe wire.stall_seconds = timeouts.stallSeconds
                    unsafe wire.total_milliseconds = total
                    unsafe wire.answer_bytes_max = request.answerBytesMax
                    return unsafe isotherm_http_perform(handle, &wire, flag.pointer)
                }
            }
        }
        let message = unsafe answer.message.map { unsafe String(cString: $0) } ?? ""
        switch unsafe Int(answer.outcome) {
        case Int(ISOTHERM_HTTP_ANSWERED): break
        case Int(ISOTHERM_HTTP_CANCELLED): throw HTTPFailure(.cancelled, "cancelled")
        case Int(ISOTHERM_HTTP_NOT_SENT): throw HTTPFailure(.notSent, message)
        case Int(ISOTHERM_HTTP_TLS): throw HTTPFailure(.tls, message)
        case Int(ISOTHERM_HTTP_TIMED_OUT): throw HTTPFailure(.timedOut, message)
        case Int(ISOTHERM_HTTP_TOO_LARGE): throw HTTPFailure(.tooLarge, "the answer is longer than \(request.answerBytesMax) bytes")
        case Int(ISOTHERM_HTTP_REFUSED): throw HTTPFailure(.refused, message)
        default: throw HTTPFailure(.broken, message)
        }
        let head: [UInt8] = unsafe Array(UnsafeRawBufferPointer(start: answer.headers, count: answer.header_bytes))
        let body: [UInt8] = unsafe Array(UnsafeRawBufferPointer(start: answer.body, count: answer.body_count))
        return unsafe HTTPAnswer(status: Int(answer.status), headers: Self.headers(head), body: body)
    }

    private static func headers(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 9 }
            let end = value.lastIndex { $0 != 0x20 && $0 != 9 }.map { $0 + 1 } ?? value.startIndex
            return (name, String(decoding: value[..<end], as: UTF8.self))
        }
    }
}

@safe private final class CancelFlag: @unchecked Sendable {
    // Safe: made here, freed in deinit, touched by atomic operations alone. Nil when memory ran out: then nothing can be cancelled.
    let pointer: OpaquePointer?
    private let raised = Atomic<Bool>(false)
    init() { unsafe pointer = isotherm_http_cancel_new() }
    deinit { unsafe isotherm_http_cancel_free(pointer) }
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    func raise() {
        raised.store(true, ordering: .releasing)
        unsafe isotherm_http_cancel_raise(pointer)
    }
}
