// Puts other values into a document's source without reading it as a tree: the bytes of one value are exchanged, the rest
// stays as it came. Only where that cannot be misread: the path must lead to one value, through objects alone.
//
// A path "offer.price" is found as {"offer": {"price": 1}}, as {"offer.price": 1}, and as any mix of the two.
//
// Invariants
//     1  The source was accepted by the strict JSON parser: it is well formed. On other bytes the answer is nil, never a read outside.
//     2  Nil rather than a guess: a path that is there twice, or below an array, or a key with an escape on the way.

package enum SourceSplice {
    /// - Parameter text: one JSON value.
    /// - Returns: nil when the path does not lead to just one value.
    package static func replacing(_ path: String, in source: [UInt8], by text: [UInt8]) -> [UInt8]? {
        var scan = Scan(source)
        let start = scan.skipSpace(0)
        guard let end = scan.object(start, Array(path.utf8)[...]), scan.skipSpace(end) == source.count, !scan.isAmbiguous, let found = scan.found else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(source.count + text.count)
        out += source[..<found.lowerBound]
        out += text
        out += source[found.upperBound...]
        return out
    }

    package static func replacing(_ patches: [FieldPatch], in source: [UInt8]) -> [UInt8]? {
        var source = source
        for patch in patches {
            guard let next = replacing(patch.path, in: source, by: patch.json) else { return nil }
            source = next
        }
        return source
    }

    private struct Scan {
        let bytes: [UInt8]
        var found: Range<Int>?
        var isAmbiguous = false
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private func at(_ i: Int) -> UInt8 { i < bytes.count ? bytes[i] : 0 }

        func skipSpace(_ i: Int) -> Int {
            var i = i
            while i < bytes.count, bytes[i] == 0x20 || bytes[i] == 0x0A || bytes[i] == 0x0D || bytes[i] == 0x09 { i += 1 }
            return i
        }

        /// Looks for `path` among the members of the object at `i`. Recursion takes away at least a byte of the path.
        /// - Returns: the place past the object; nil when it is none.
        mutating func object(_ i: Int, _ path: ArraySlice<UInt8>) -> Int? {
            guard at(i) == UInt8(ascii: "{") else { return nil }
            var i = skipSpace(i + 1)
            if at(i) == UInt8(ascii: "}") { return i + 1 }
            while true {
                guard let keyEnd = string(i) else { return nil }
                let key = bytes[(i + 1)..<(keyEnd - 1)]
                i = skipSpace(keyEnd)
                guard at(i) == UInt8(ascii: ":") else { return nil }
                i = skipSpace(i + 1)
                guard let end = try? member(key, i, path) else { return nil }
                i = skipSpace(end)
                if at(i) == UInt8(ascii: "}") { return i + 1 }
                guard at(i) == UInt8(ascii: ",") else { return nil }
                i = skipSpace(i + 1)
            }
        }

        private struct Malformed: Error {}

        /// - Returns: the place past the member's value.
        private mutating func member(_ key: ArraySlice<UInt8>, _ i: Int, _ path: ArraySlice<UInt8>) throws(Malformed) -> Int {
            if key.contains(UInt8(ascii: "\\")) { isAmbiguous = true }
            let leads = path.count > key.count && path[path.startIndex + key.count] == UInt8(ascii: ".") && path.starts(with: key)
            if leads, at(i) == UInt8(ascii: "{") {
                guard let end = object(i, path.dropFirst(key.count + 1)) else { throw Malformed() }
                return end
            }
            guard let end = value(i) else { throw Malformed() }
            if leads, at(i) == UInt8(ascii: "[") { isAmbiguous = true }
            if key.elementsEqual(path) {
                if found != nil { isAmbiguous = true }
                found = i..<end
            }
            return end
        }

        /// The place past a value.
        private func value(_ i: Int) -> Int? {
            switch at(i) {
            case UInt8(ascii: "\""): return string(i)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                var i = i, depth = 0
                while i < bytes.count {
                    switch bytes[i] {
                    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                    case UInt8(ascii: "}"), UInt8(ascii: "]"):
                        depth -= 1
                        if depth == 0 { return i + 1 }
                    case UInt8(ascii: "\""):
                        guard let end = string(i) else { return nil }
                        i = end
                        continue
                    default: break
                    }
                    i += 1
                }
                return nil
            default:
                var end = i
                while end < bytes.count {
                    let c = bytes[end]
                    if c == UInt8(ascii: ",") || c == UInt8(ascii: "}") || c == UInt8(ascii: "]") || c <= 0x20 { break }
                    end += 1
                }
                return end > i ? end : nil
            }
        }

        /// The place past a string.
        private func string(_ i: Int) -> Int? {
            guard at(i) == UInt8(ascii: "\"") else { return nil }
            var i = i + 1
            while i < bytes.count {
                if bytes[i] == UInt8(ascii: "\"") { return i + 1 }
                i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
            }
            return nil
        }
    }
}
