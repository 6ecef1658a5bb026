// Where a server is, from a URL: http://host[:port][/prefix]. Encryption is a proxy's task.

package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: Int
    /// Put before every path; empty or "/like/this".
    package var prefix: String

    package init(parsing url: String) throws(CommandError) {
        var rest = url[...]
        if rest.hasPrefix("https://") { throw CommandError("\(url): https is not spoken here; put a proxy in between") }
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[slash...]
        while path.last == "/" { path.removeLast() }
        prefix = String(path)
        var authority = rest[..<slash]
        port = 9200
        if authority.last != "]", let colon = authority.lastIndex(of: ":") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                throw CommandError("\(url): the port is not a number from 1 to 65535")
            }
            port = number
            authority = authority[..<colon]
        }
        if authority.first == "[", authority.last == "]" { authority = authority.dropFirst().dropLast() }
        guard !authority.isEmpty, !authority.contains("@") else { throw CommandError("\(url): a server looks like http://127.0.0.1:9200") }
        host = String(authority)
    }

    package var description: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(prefix)" }
}

/// `text` as one segment of a URL's path.
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: ","), UInt8(ascii: "*"):
            result.append(Character(UnicodeScalar(byte)))
        default:
            result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
        }
    }
    return result
}
