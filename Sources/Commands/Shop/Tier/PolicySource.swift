// Where the commands have their policies from: the file that is named, else `config/tiers.yaml` where the command is run, else what isotherm was built with.

import Glibc
package import Tiering

package enum PolicySource {
    package static let usual = "config/tiers.yaml"

    /// - Parameters:
    ///   - path: as it was given: one that cannot be read is an error.
    ///   - usual: what is read when none was given; one that is there and cannot be read is an error too.
    package static func read(_ path: String?, usual: String = PolicySource.usual) throws(CommandError) -> PolicyFile {
        let isShipped = path == nil && !isThere(usual), name = path ?? (isShipped ? "the policies that isotherm ships with" : usual)
        let text: String
        if isShipped {
            text = PolicyFile.shipped
            Terminal.remark("there is no \(usual) here: these are the policies that isotherm ships with")
        } else { text = try Files.text(name) }
        do throws(PolicyError) { return try PolicyFile(yaml: text) } catch { throw CommandError("\(name): \(error)") }
    }

    private static func isThere(_ path: String) -> Bool {
        // Safe: the path lives through the call, which keeps no pointer.
        unsafe access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }
}
