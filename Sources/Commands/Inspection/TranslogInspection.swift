// A translog file in words: its head, and how many operations of which kind it holds.

import Bytes
import Storage

struct TranslogInspection {
    let place: FilePlace
    let rows: Int

    init(_ place: FilePlace, rows: Int) { (self.place, self.rows) = (place, rows) }

    func print() throws { Terminal.line("translog, \(grouped(try place.bytes().count)) bytes") }
}
