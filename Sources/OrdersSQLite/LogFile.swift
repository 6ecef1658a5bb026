// How the writer's connection writes the log: whole commits at a time, not page by page. Of the writer's processor time a quarter was the kernel's, and half of
// that for two writes a page (one profile under `bench orders`).

import CIsothermSQLite
import Foundation

enum LogFile {
    /// The path by which the writer opens the database: a URI that names the file system (SQLite, "URI Filenames"). The path itself, should it not be there.
    static func writerPath(_ path: String) -> String {
        if let (file, parent) = named(path) {
            let name = "isotherm-over-\(parent)"
            return isotherm_sqlite_whole_log_writes(name, parent) == 0 ? "\(file)?vfs=\(name)" : path
        }
        guard !path.hasPrefix("file:"), isotherm_sqlite_whole_log_writes("isotherm", nil) == 0 else { return path }
        return "file:\(escaped(path))?vfs=isotherm"
    }

    /// A URI that names a file system, as tests give one, in its two parts.
    private static func named(_ path: String) -> (file: String, vfs: String)? {
        guard path.hasPrefix("file:"), let mark = path.range(of: "?vfs=") else { return nil }
        return (String(path[..<mark.lowerBound]), String(path[mark.upperBound...]))
    }

    private static func escaped(_ path: String) -> String {
        var out = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "?": out += "%3f"
            case "#": out += "%23"
            case "%": out += "%25"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
