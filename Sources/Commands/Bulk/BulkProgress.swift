// How far a bulk load is: a bar that is drawn anew in place when a person watches, else a plain line now and then. Both go to
// standard error; `committed N` goes to standard output, one line each time more became durable.

struct BulkProgress {
    private let start = monotonicNanoseconds()
    private let bytesTotal: Int?
    private let quiet: Bool
    private var lastShown: UInt64 = 0
    private var lastCommitted = 0

    /// - Parameter bytesTotal: of all files together; nil when it cannot be known (standard input).
    init(bytesTotal: Int?, quiet: Bool) { (self.bytesTotal, self.quiet) = (bytesTotal, quiet) }

    mutating func update(docs: Int, bytesRead: Int, rejects: Int, committed: Int) {
        if committed > lastCommitted {
            lastCommitted = committed
            if !Terminal.isWatched { Terminal.line("committed \(committed)") }
        }
        let now = monotonicNanoseconds()
        guard !quiet, now &- lastShown > (Terminal.isWatched ? 100_000_000 : 5_000_000_000), now &- start > 50_000_000 else { return }
        lastShown = now
        let line = self.line(docs: docs, bytesRead: bytesRead, rejects: rejects, committed: committed, seconds: Double(now &- start) / 1e9)
        Terminal.write(Terminal.isWatched ? "\r\u{1B}[2K" + line : line + "\n", to: 2)
    }

    func finish(docs: Int, bytesRead: Int, rejects: Int, committed: Int) {
        if committed > lastCommitted || committed == 0 || Terminal.isWatched { Terminal.line((Terminal.isWatched && !quiet ? "\r\u{1B}[2K" : "") + "committed \(committed)") }
        guard !quiet else { return }
        let seconds = Double(monotonicNanoseconds() &- start) / 1e9
        let rejected = rejects > 0 ? ", \(grouped(rejects)) rejected" : ""
        Terminal.remark("\(grouped(docs)) documents in \(fixed(seconds, 1)) s\(rejected): "
            + "\(grouped(Int(Double(docs) / max(seconds, 1e-3)))) documents/s, \(fixed(Double(bytesRead) / 1e6 / max(seconds, 1e-3), 1)) MB/s")
    }

    // MARK: -

    private func line(docs: Int, bytesRead: Int, rejects: Int, committed: Int, seconds: Double) -> String {
        let rate = Double(bytesRead) / max(seconds, 1e-3)
        var text = "\(grouped(docs)) documents, \(fixed(rate / 1e6, 1)) MB/s, \(grouped(committed)) committed"
        if rejects > 0 { text += ", \(grouped(rejects)) rejected" }
        guard let bytesTotal, bytesTotal > 0 else { return text }
        let share = min(1, Double(bytesRead) / Double(bytesTotal))
        let left = rate > 0 ? Double(bytesTotal - min(bytesRead, bytesTotal)) / rate : 0
        let filled = Int(share * 24)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
        return "[\(bar)] \(fixed(share * 100, 0)) %  \(text), \(duration(left)) left"
    }

    private func duration(_ seconds: Double) -> String {
        let s = Int(seconds.rounded(.up))
        return s < 60 ? "\(s) s" : s < 3600 ? "\(s / 60) min \(s % 60) s" : "\(s / 3600) h \(s / 60 % 60) min"
    }
}
