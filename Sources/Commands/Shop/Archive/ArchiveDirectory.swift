// The order directory beside an archive, where there is one: whose an order is, when it was placed, in which tier it is.

internal import Archive
internal import Orders
internal import OrdersSQLite

struct ArchiveDirectory {
    let store: SQLiteOrderStore
    /// Nil where they are not there, or not those of the shop.
    let keys: PersonKeyFile?

    /// The person as the table names it.
    static func person(_ text: String, _ directory: ArchiveDirectory?) async throws -> String {
        guard let key = PersonKey(text: text) else { throw CommandError("--person is a person_ref as 0190…-…, or ref:SOURCE:KEY, not \(text)") }
        switch key {
        case .id(let id): return id.description
        case .source:
            guard let directory else { throw CommandError("\(text) is known to the shop alone: give --data with its folder, or the person_ref") }
            guard let id = try await directory.store.personRef(key) else { throw CommandError("nobody is called \(text)") }
            return id.description
        }
    }

    /// Its identifier, whose it is and when it was placed; nil when the directory has no such order.
    func order(_ text: String) async throws -> Order? {
        var id: OrderID? = nil
        if let key = OrderKey(text: text) {
            if case .id(let plain) = key { id = plain } else { id = try await store.orderID(key) }
        } else {
            id = try await store.orderID(reference: text)
        }
        guard let id else { return nil }
        do throws(StoreError) { return try await store.order(id, by: ShopFolder.caller(.support)) } catch .notFound { return nil }
    }
}

enum ArchiveMoments {
    static func microseconds(_ text: String) -> Int64? { Instant(text: text)?.microseconds }
    static func text(_ microseconds: Int64) -> String { Instant(microseconds: microseconds).description }

    /// The month that an order's identifier says it was placed in, and those beside: identifiers hold the moment of placing but for a clock that was put back.
    static func months(of id: OrderID, among all: [Partition]) -> [Partition] {
        guard id.value.high >> 12 & 0xF == 7 else { return all }
        let moment = UUIDv7.instant(id.value), day: Int64 = 86_400
        let near = Set([-day, 0, day].compactMap { Partition(placedAt: moment.adding(seconds: $0).microseconds) })
        return all.filter { near.contains($0) }
    }
}

extension ShopFolder {
    /// Runs the body with the directory of orders in `data`, or with none where `data` is nil.
    static func withDirectory<T>(_ data: String?, _ body: (ArchiveDirectory?) async throws -> T) async throws -> T {
        guard let data else { return try await body(nil) }
        return try await withStore(data, exclusively: false) { store in
            // Without keys everything but what is personal can be read.
            let keys: PersonKeyFile?
            do throws(StoreError) { keys = try store.personKeys(folder: data + "/keys", readonly: true) } catch {
                keys = nil
                Terminal.remark("what is personal stays sealed: \(error)")
            }
            defer { keys?.close() }
            return try await body(ArchiveDirectory(store: store, keys: keys))
        }
    }
}
