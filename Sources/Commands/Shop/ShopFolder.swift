// The shop's part of a data folder, as commands open it: `<data>/hot/isotherm.db` and `<data>/keys/`.

import Glibc
package import Orders
package import OrdersSQLite
package import Secrets
import Storage

package enum ShopFolder {
    package static func keys(_ data: String) throws -> KeyRing { try KeyRing.open(folder: data + "/keys") }

    /// Opens the store, runs the body, closes it.
    /// - Parameters:
    ///   - makes: whether a folder that has no store yet gets one.
    ///   - exclusively: refuses while a server is running on the folder, whose writer keeps the ends of the append-only tables in memory.
    package static func withStore<T>(
        _ data: String, makes: Bool = false, exclusively: Bool, _ body: (SQLiteOrderStore) async throws -> T
    ) async throws -> T {
        let path = data + "/hot/isotherm.db"
        // Safe: in both calls the path lives through the call, which keeps no pointer.
        if makes {
            for folder in [data, data + "/hot"] {
                guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw CommandError("cannot make the folder \(folder): \(Files.reason())") }
            }
        } else if unsafe access(path, R_OK) != 0 {
            throw CommandError("there is no shop in \(data) (\(path): \(Files.reason()))")
        }
        let lock = exclusively ? try FileDirectory(data).lock("node.lock") : nil
        defer { lock?.release() }
        let store = try SQLiteOrderStore(path: path, keys: try keys(data))
        defer { store.close() }
        return try await body(store)
    }

    package static func caller(_ purpose: Purpose) -> Caller {
        // Safe: getenv's string is copied at once; nothing here changes the environment.
        let name = unsafe getenv("USER").map { unsafe String(cString: $0) } ?? "operator"
        let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        return Caller(.staff(plain.isEmpty ? "operator" : String(plain.prefix(64))), purpose, at: .now())
    }
}
