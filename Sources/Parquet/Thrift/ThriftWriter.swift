// Thrift's compact protocol, the writing half: what page headers, the page index and the footer are written in.
// (Apache Thrift, doc/specs/thrift-compact-protocol.md: "Struct encoding", "List and Set".)
//
// A field is a byte (identifier's distance to the one before, type) or, from a distance of 16, a type byte and the zigzag identifier;
// integers are zigzag varints; a list is a byte (count, type) and, from 15 elements, a varint count; a struct ends with 0.

struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    private var lastID: Int16 = 0
    private var outer: [Int16] = []

    init() {}

    enum Kind: UInt8 { case yes = 1, no = 2, i8 = 3, i16 = 4, i32 = 5, i64 = 6, double = 7, binary = 8, list = 9, structure = 12 }

    mutating func i32(_ id: Int16, _ value: Int32) {
        header(id, .i32)
        zigzag(Int64(value))
    }

    mutating func i64(_ id: Int16, _ value: Int64) {
        header(id, .i64)
        zigzag(value)
    }

    mutating func i8(_ id: Int16, _ value: UInt8) {
        header(id, .i8)
        bytes.append(value)
    }

    mutating func i16(_ id: Int16, _ value: Int16) {
        header(id, .i16)
        zigzag(Int64(value))
    }

    mutating func bool(_ id: Int16, _ value: Bool) { header(id, value ? .yes : .no) }

    mutating func binary(_ id: Int16, _ value: some Collection<UInt8>) {
        header(id, .binary)
        element(value)
    }

    mutating func structure(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
        header(id, .structure)
        element(body)
    }

    /// The header of a list; its elements follow by `element`.
    mutating func list(_ id: Int16, _ kind: Kind, count: Int) {
        header(id, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xF0 | kind.rawValue)
            varint(UInt64(count))
        }
    }

    mutating func element(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func element(_ value: Int64) { zigzag(value) }
    mutating func element(_ value: Bool) { bytes.append(value ? 1 : 2) }

    /// A struct of a list, or the outermost.
    mutating func element(_ body: (inout ThriftWriter) -> Void) {
        outer.append(lastID)
        lastID = 0
        body(&self)
        bytes.append(0)
        lastID = outer.removeLast()
    }

    // MARK: -

    private mutating func header(_ id: Int16, _ kind: Kind) {
        let distance = id - lastID
        if distance > 0 && distance < 16 {
            bytes.append(UInt8(distance) << 4 | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            zigzag(Int64(id))
        }
        lastID = id
    }

    private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }
}
