// A key that every store takes and gives back: checked once, before anybody is asked.
//
//     orders/.hoodie/hoodie.properties        parts between "/", none of them empty
//
// Invariants
//     1  Relative, no part "." or "..", no control characters: it names the same thing as a path and in a URL.
//     2  At most 1,024 bytes (S3's bound), a part at most 200 (a file name's bound, less what a temporary name adds).
//     3  No part begins with ".~": those names are the stores' own, for what is half written.
//
// Keys are compared and sorted as UTF-8 bytes, never as `String`, to which two spellings of "é" are one.

package struct ObjectKey: Sendable {
    package let text: String
    package static let reservedPrefix = ".~"

    package init(_ text: String, in place: String) throws(ObjectStoreError) {
        if let fault = Self.fault(text) { throw ObjectStoreError(.invalid, place: place, "the key \(Self.shown(text)) \(fault)") }
        self.text = text
    }

    /// The parts before the last.
    package var folders: [String] { parts.dropLast().map { $0 } }
    package var name: String { parts.last ?? "" }
    private var parts: [String] { text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) } }

    /// Why no store takes this key; nil when all do.
    package static func fault(_ text: String) -> String? {
        let bytes = text.utf8
        if bytes.isEmpty { return "is empty" }
        if bytes.count > ObjectLimits.keyBytesMax { return "is longer than \(ObjectLimits.keyBytesMax) bytes" }
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "holds a control character" }
        for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty { return "begins or ends with \"/\" or has two in a row" }
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "has a part \".\" or \"..\"" }
            if part.count > ObjectLimits.keyPartBytesMax { return "has a part longer than \(ObjectLimits.keyPartBytesMax) bytes" }
            if part.starts(with: reservedPrefix.utf8) { return "has a part that begins with \"\(reservedPrefix)\", which is kept for half-written files" }
        }
        return nil
    }

    /// For messages: a long or strange key cut short.
    private static func shown(_ text: String) -> String {
        let head = text.unicodeScalars.prefix(60).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }.joined()
        return "\"" + head + (text.unicodeScalars.count > 60 ? "…" : "") + "\""
    }
}

extension ObjectListRequest {
    /// Throws what every store refuses, before it is asked.
    package func checked(in place: String) throws(ObjectStoreError) {
        func refuse(_ reason: String) -> ObjectStoreError { ObjectStoreError(.invalid, place: place, reason) }
        guard (1...ObjectLimits.listMax).contains(limit) else { throw refuse("a listing takes 1 to \(ObjectLimits.listMax) entries at once") }
        guard prefix.utf8.count <= ObjectLimits.keyBytesMax, (after?.utf8.count ?? 0) <= ObjectLimits.keyBytesMax,
            (continuation?.utf8.count ?? 0) <= 4 * ObjectLimits.keyBytesMax
        else { throw refuse("a listing's prefix and start are at most \(ObjectLimits.keyBytesMax) bytes long") }
        guard !prefix.utf8.contains(where: { $0 < 0x20 }), after?.utf8.contains(where: { $0 < 0x20 }) != true else {
            throw refuse("a listing's prefix or start holds a control character")
        }
        // Servers differ in whether a folder that begins before the start is shown.
        guard !byFolder || after == nil else { throw refuse("a listing by folder begins at its beginning; go on by its continuation") }
        // A prefix that no key can have would walk out of a folder.
        let parts = prefix.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropLast()
        guard !parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) else {
            throw refuse("a listing's prefix has an empty part, or one that is \".\" or \"..\"")
        }
    }
}
