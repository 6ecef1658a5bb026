// The little XML that S3 servers answer with, as a tree of names, texts and children.
//
// Bounds, since a server may be anybody: depth 16, 100,000 elements, and the size of the answer. No DTD, so no entities but the five of XML and
// numbers; attributes, comments and processing instructions are passed over. Anything else is nil, never a crash.

package struct S3XML {
    package var name: String
    package var text = ""
    package var children: [S3XML] = []

    package func child(_ name: String) -> S3XML? { children.first { $0.name == name } }
    package func text(of name: String) -> String? { child(name)?.text }
    package func all(_ name: String) -> [S3XML] { children.filter { $0.name == name } }

    private static let depthMax = 16, elementsMax = 100_000

    package static func parse(_ bytes: [UInt8]) -> S3XML? {
        var open: [S3XML] = [], rest = bytes[...], elements = 0
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while !rest.isEmpty {
            guard rest.first == lessThan else {
                let text = rest.prefix { $0 != lessThan }
                rest = rest[text.endIndex...]
                if open.isEmpty {
                    guard text.allSatisfy(isBlank) else { return nil }
                } else {
                    guard let decoded = decode(text) else { return nil }
                    open[open.count - 1].text += decoded
                }
                continue
            }
            if rest.starts(with: "<?".utf8) {
                guard let end = after("?>", in: rest) else { return nil }
                rest = rest[end...]
            } else if rest.starts(with: "<!--".utf8) {
                guard let end = after("-->", in: rest) else { return nil }
                rest = rest[end...]
            } else if rest.starts(with: "<!".utf8) {
                return nil
            } else {
                guard let close = rest.firstIndex(of: greaterThan) else { return nil }
                let tag = rest[(rest.startIndex + 1)..<close]
                rest = rest[(close + 1)...]
                if tag.first == slash {
                    guard let done = open.popLast(), done.name.utf8.elementsEqual(name(tag.dropFirst())) else { return nil }
                    guard let parent = open.indices.last else { return rest.allSatisfy(isBlank) ? done : nil }
                    open[parent].children.append(done)
                } else {
                    elements += 1
                    let label = name(tag)
                    guard !label.isEmpty, elements <= elementsMax, open.count < depthMax else { return nil }
                    let element = S3XML(name: String(decoding: label, as: UTF8.self))
                    if tag.last == slash {
                        guard let parent = open.indices.last else { return rest.allSatisfy(isBlank) ? element : nil }
                        open[parent].children.append(element)
                    } else {
                        open.append(element)
                    }
                }
            }
        }
        return nil
    }

    /// Text as it may stand between tags.
    package static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    // MARK: -

    private static let lessThan = UInt8(ascii: "<"), greaterThan = UInt8(ascii: ">"), slash = UInt8(ascii: "/")
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 || byte == 10 || byte == 13 }

    /// Without a namespace's prefix.
    private static func name(_ tag: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let label = tag.prefix { !isBlank($0) && $0 != slash }
        guard let colon = label.lastIndex(of: UInt8(ascii: ":")) else { return label }
        return label[(colon + 1)...]
    }

    private static func after(_ end: String, in bytes: ArraySlice<UInt8>) -> Int? {
        var at = bytes.startIndex
        let count = end.utf8.count
        while at + count <= bytes.endIndex {
            if bytes[at..<(at + count)].elementsEqual(end.utf8) { return at + count }
            at += 1
        }
        return nil
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var out = "", rest = bytes
        while !rest.isEmpty {
            let plain = rest.prefix { $0 != UInt8(ascii: "&") }
            out += String(decoding: plain, as: UTF8.self)
            rest = rest[plain.endIndex...]
            if rest.isEmpty { break }
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")) else { return nil }
            let entity = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            switch entity {
            case "amp": out += "&"
            case "lt": out += "<"
            case "gt": out += ">"
            case "quot": out += "\""
            case "apos": out += "'"
            default:
                let number = entity.hasPrefix("#x") ? UInt32(entity.dropFirst(2), radix: 16) : entity.hasPrefix("#") ? UInt32(entity.dropFirst()) : nil
                guard let number, let scalar = Unicode.Scalar(number) else { return nil }
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
