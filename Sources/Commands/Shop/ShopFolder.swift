// The shop's part of a data folder, as commands open it: `<data>/hot/isotherm.db` and `<data>/keys/`.

internal import Engine
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
        if makes {
            // Safe: the path lives through the call, which keeps no pointer.
            for folder in [data, data + "/hot"] {
                guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw CommandError("cannot make the folder \(folder): \(Files.reason())") }
            }
        } else { try refuseWithoutStore(data) }
        let lock = exclusively ? try FileDirectory(data).lock("node.lock") : nil
        defer { lock?.release() }
        let store = try SQLiteOrderStore(path: path, keys: try keys(data))
        defer { store.close() }
        return try await body(store)
    }

    /// Opens the node, which holds the data folder's lock (no server and no other mover is alive), and under it the store; runs the body, closes both.
    static func withNode<T>(_ data: String, _ body: (FileDirectory, Node, SQLiteOrderStore) async throws -> T) async throws -> T {
        try refuseWithoutStore(data)
        let root = try FileDirectory(data, create: false), node = try await Node.open(root: root)
        do {
            // Order matters: a store that was opened before the lock was held could be one that a restore has moved aside since.
            let result = try await withStore(data, exclusively: false) { store in try await body(root, node, store) }
            await node.close()
            return result
        } catch {
            await node.close()
            throw error
        }
    }

    private static func refuseWithoutStore(_ data: String) throws {
        let path = data + "/hot/isotherm.db"
        // Safe: the path lives through the call, which keeps no pointer.
        guard unsafe access(path, R_OK) == 0 else { throw CommandError("there is no shop in \(data) (\(path): \(Files.reason()))") }
    }

    package static func caller(_ purpose: Purpose) -> Caller {
        // Safe: getenv's string is copied at once; nothing here changes the environment.
        let name = unsafe getenv("USER").map { unsafe String(cString: $0) } ?? "operator"
        let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        return Caller(.staff(plain.isEmpty ? "operator" : String(plain.prefix(64))), purpose, at: .now())
    }
}
