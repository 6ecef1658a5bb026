// What was refused: the first few reasons for the person, all of it as JSON lines for whoever mends the data.

import Glibc
internal import JSON

final class RejectLog {
    private static let shownMax = 10
    private let descriptor: Int32?
    private(set) var count = 0

    /// - Parameter path: JSON lines with file, line, reason and the document as it was read; nil keeps none.
    init(_ path: String?) throws(CommandError) {
        guard let path else {
            descriptor = nil
            return
        }
        let opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw CommandError("\(path): \(Files.reason())") }
        descriptor = opened
    }

    deinit { if let descriptor { close(descriptor) } }

    func add(_ rejects: [BulkReject]) {
        for reject in rejects {
            count += 1
            if count <= Self.shownMax { Terminal.remark("\(reject.origin.file):\(reject.origin.line): \(reject.reason)") }
            if count == Self.shownMax + 1 { Terminal.remark("more were rejected; \(descriptor == nil ? "--rejects FILE keeps them all" : "all are in the file of rejects")") }
            guard let descriptor else { continue }
            var writer = JSONWriter()
            writer.object { w in
                w.member("file", reject.origin.file)
                w.member("line", reject.origin.line)
                w.member("reason", reject.reason)
                w.member("document", String(decoding: reject.document, as: UTF8.self))
            }
            Terminal.write(String(decoding: writer.bytes, as: UTF8.self) + "\n", to: descriptor)
        }
    }
}
