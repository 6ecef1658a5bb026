// Thrift's compact protocol, the reading half. Whatever bytes arrive it ends: every element of a list takes at least a byte, so a count
// beyond the bytes left is refused; nesting is bounded; unknown fields are skipped.

struct ThriftReader {
    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int
    /// Where `bytes` begin in the file, for errors.
    private let base: Int
    private var depth = 0

    static let depthMax = 24

    init(_ bytes: [UInt8], at offset: Int = 0, end: Int? = nil, base: Int = 0) {
        self.bytes = bytes
        self.base = base
        self.end = min(end ?? bytes.count, bytes.count)
        self.offset = offset
    }

    /// The type of a field as it stands in the bytes; a bool's value is in it.
    struct Field {
        let id: Int16
        let type: UInt8
    }

    func damaged(_ what: String) -> ParquetError { .damaged(what, offset: base + offset) }

    /// Reads one struct: calls `body` for each field, which must take or `skip` it.
    mutating func structure(_ body: (inout ThriftReader, Field) throws(ParquetError) -> Void) throws(ParquetError) {
        guard depth < Self.depthMax else { throw damaged("structs nested too deep") }
        depth += 1
        var id: Int16 = 0
        while true {
            let head = try byte()
            if head == 0 { break }
            if head >> 4 == 0 {
                guard let exact = Int16(exactly: try zigzag()) else { throw damaged("field identifier out of range") }
                id = exact
            } else {
                guard id <= Int16.max - 15 else { throw damaged("field identifier out of range") }
                id += Int16(head >> 4)
            }
            try body(&self, Field(id: id, type: head & 15))
        }
        depth -= 1
    }

    /// The struct that is a field's value.
    mutating func structure(_ field: Field, _ body: (inout ThriftReader, Field) throws(ParquetError) -> Void) throws(ParquetError) {
        try expect(field, 12)
        try structure(body)
    }

    mutating func bool(_ field: Field) throws(ParquetError) -> Bool {
        guard field.type == 1 || field.type == 2 else { throw damaged("field \(field.id) is no bool") }
        return field.type == 1
    }

    mutating func i32(_ field: Field) throws(ParquetError) -> Int32 {
        try expect(field, 5)
        guard let value = Int32(exactly: try zigzag()) else { throw damaged("field \(field.id) beyond 32 bits") }
        return value
    }

    mutating func i64(_ field: Field) throws(ParquetError) -> Int64 {
        try expect(field, 6)
        return try zigzag()
    }

    /// A number that counts or places something: 0...max.
    mutating func count(_ field: Field, max: Int = 1 << 48) throws(ParquetError) -> Int {
        guard field.type == 5 || field.type == 6 || field.type == 4 else { throw damaged("field \(field.id) is no number") }
        let value = try zigzag()
        guard value >= 0, value <= Int64(max) else { throw damaged("field \(field.id) out of range") }
        return Int(value)
    }

    mutating func binary(_ field: Field) throws(ParquetError) -> [UInt8] {
        try expect(field, 8)
        return try binary()
    }

    mutating func string(_ field: Field) throws(ParquetError) -> String { String(decoding: try binary(field), as: UTF8.self) }

    /// Calls `body` for each element of a list, with its number; a bool is read by `boolElement`.
    mutating func list(_ field: Field, of type: UInt8, _ body: (inout ThriftReader, Int) throws(ParquetError) -> Void) throws(ParquetError) {
        try expect(field, 9)
        let (count, elementType) = try listHeader()
        guard elementType == type || (type == 1 && elementType == 2) || count == 0 else { throw damaged("field \(field.id) is a list of another type") }
        for i in 0..<count { try body(&self, i) }
    }

    mutating func structElement(_ body: (inout ThriftReader, Field) throws(ParquetError) -> Void) throws(ParquetError) { try structure(body) }
    mutating func boolElement() throws(ParquetError) -> Bool { try byte() == 1 }
    mutating func i64Element() throws(ParquetError) -> Int64 { try zigzag() }
    mutating func binaryElement() throws(ParquetError) -> [UInt8] { try binary() }

    mutating func i32Element() throws(ParquetError) -> Int32 {
        guard let value = Int32(exactly: try zigzag()) else { throw damaged("list element beyond 32 bits") }
        return value
    }

    mutating func skip(_ field: Field) throws(ParquetError) { try skip(type: field.type, inList: false) }

    // MARK: -

    private mutating func skip(type: UInt8, inList: Bool) throws(ParquetError) {
        switch type {
        case 1, 2: if inList { _ = try byte() }
        case 3: _ = try byte()
        case 4, 5, 6: _ = try zigzag()
        case 7: try advance(8)
        case 8: try advance(try length())
        case 9, 10:
            guard depth < Self.depthMax else { throw damaged("lists nested too deep") }
            depth += 1
            let (count, element) = try listHeader()
            for _ in 0..<count { try skip(type: element, inList: true) }
            depth -= 1
        case 11:
            guard depth < Self.depthMax else { throw damaged("maps nested too deep") }
            depth += 1
            let count = try length()
            if count > 0 {
                let types = try byte()
                for _ in 0..<count {
                    try skip(type: types >> 4, inList: true)
                    try skip(type: types & 15, inList: true)
                }
            }
            depth -= 1
        case 12: try structure { (reader, field) throws(ParquetError) in try reader.skip(field) }
        case 13: try advance(16)
        default: throw damaged("unknown Thrift type \(type)")
        }
    }

    private mutating func listHeader() throws(ParquetError) -> (count: Int, type: UInt8) {
        let head = try byte()
        if head >> 4 < 15 {
            let count = Int(head >> 4)
            guard count <= end - offset else { throw damaged("list longer than the bytes") }
            return (count, head & 15)
        }
        return (try length(), head & 15)
    }

    /// A varint that cannot pass the bytes left.
    private mutating func length() throws(ParquetError) -> Int {
        let value = try varint()
        guard value <= UInt64(max(0, end - offset)) else { throw damaged("length beyond the bytes") }
        return Int(value)
    }

    private mutating func binary() throws(ParquetError) -> [UInt8] {
        let n = try length(), start = offset
        offset += n
        return Array(bytes[start..<offset])
    }

    private mutating func advance(_ n: Int) throws(ParquetError) {
        guard n <= end - offset else { throw damaged("truncated") }
        offset += n
    }

    private func expect(_ field: Field, _ type: UInt8) throws(ParquetError) {
        guard field.type == type else { throw damaged("field \(field.id) has another type") }
    }

    private mutating func byte() throws(ParquetError) -> UInt8 {
        guard offset < end else { throw damaged("truncated") }
        let value = bytes[offset]
        offset += 1
        return value
    }

    private mutating func zigzag() throws(ParquetError) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: (raw >> 1) ^ (0 &- (raw & 1)))
    }

    private mutating func varint() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while true {
            let b = try byte()
            guard shift < 63 || b <= 1 else { throw damaged("varint too long") }
            value |= UInt64(b & 0x7F) << shift
            if b < 0x80 { return value }
            shift += 7
        }
    }
}
