// What the translog remembers: everything needed to do an operation again, with the version and sequence
// number it was given the first time.
//
//     index     1, seqNo varint, version zigzag, primary term varint, id string, routing flag + string, source: the rest
//     delete    2, seqNo varint, version zigzag, primary term varint, id string
//     mapping   3, the definition as JSON: the rest
//     patch     4, seqNo varint, version zigzag, primary term varint, id string, count varint, then per value path string, value zigzag,
//               JSON text string (empty: the value's digits)
//     position  6, zigzag: everything up to there of a feed outside stands before this record
//     marker    5: nothing; its header says how far the file was durable when it was written

package import Bytes
package import Segments

package enum LoggedOperation: Sendable, Equatable {
    case index(id: String, routing: String?, source: [UInt8], version: Int64, seqNo: Int64, primaryTerm: Int64)
    case delete(id: String, version: Int64, seqNo: Int64, primaryTerm: Int64)
    /// Other values in a document's updatable columns.
    case patch(id: String, values: [FieldPatch], version: Int64, seqNo: Int64, primaryTerm: Int64)
    /// How far the index has followed a feed.
    case position(Int64)
    /// Fields that documents brought along.
    case mapping(definition: [UInt8])
    case marker

    package func encode(into w: inout ByteWriter) {
        switch self {
        case .index(let id, let routing, let source, let version, let seqNo, let primaryTerm):
            w.byte(1)
            w.varint(UInt64(clamping: seqNo))
            w.signedVarint(version)
            w.varint(UInt64(clamping: primaryTerm))
            w.string(id)
            w.byte(routing == nil ? 0 : 1)
            if let routing { w.string(routing) }
            w.raw(source)
        case .delete(let id, let version, let seqNo, let primaryTerm):
            w.byte(2)
            w.varint(UInt64(clamping: seqNo))
            w.signedVarint(version)
            w.varint(UInt64(clamping: primaryTerm))
            w.string(id)
        case .patch(let id, let values, let version, let seqNo, let primaryTerm):
            w.byte(4)
            w.varint(UInt64(clamping: seqNo))
            w.signedVarint(version)
            w.varint(UInt64(clamping: primaryTerm))
            w.string(id)
            w.varint(values.count)
            for v in values {
                w.string(v.path)
                w.signedVarint(v.value)
                w.string(v.text)
            }
        case .position(let version):
            w.byte(6)
            w.signedVarint(version)
        case .mapping(let definition):
            w.byte(3)
            w.raw(definition)
        case .marker:
            w.byte(5)
        }
    }

    package static func decode(_ payload: RawSpan) throws(Corruption) -> LoggedOperation {
        var r = ByteReader(payload)
        let kind = try r.byte()
        switch kind {
        case 1:
            let seqNo = Int64(clamping: try r.varint()), version = try r.signedVarint(), term = Int64(clamping: try r.varint())
            let id = text(try r.string()), hasRouting = try r.byte()
            let routing = hasRouting == 1 ? text(try r.string()) : nil
            return .index(id: id, routing: routing, source: try r.raw(r.remaining), version: version, seqNo: seqNo, primaryTerm: term)
        case 2:
            let seqNo = Int64(clamping: try r.varint()), version = try r.signedVarint(), term = Int64(clamping: try r.varint())
            return .delete(id: text(try r.string()), version: version, seqNo: seqNo, primaryTerm: term)
        case 3: return .mapping(definition: try r.raw(r.remaining))
        case 4:
            let seqNo = Int64(clamping: try r.varint()), version = try r.signedVarint(), term = Int64(clamping: try r.varint())
            let id = text(try r.string())
            var values: [FieldPatch] = []
            for _ in 0..<(try r.count(max: max(0, r.remaining))) {
                let path = text(try r.string()), value = try r.signedVarint()
                values.append(FieldPatch(path: path, value: value, text: try r.string()))
            }
            return .patch(id: id, values: values, version: version, seqNo: seqNo, primaryTerm: term)
        case 6: return .position(try r.signedVarint())
        case 5: return .marker
        default: throw Corruption("unknown operation", at: 0)
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
