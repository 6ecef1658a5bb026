// Shipments and returns by their own identifiers: found by the order they belong to, which says whether the caller may see them.

import Orders

extension SQLiteOrderStore {
    package func shipment(_ id: ShipmentID, by caller: Caller) async throws(StoreError) -> Shipment {
        let order: OrderID? = try await read { connection throws(StoreError) in
            try connection.first("SELECT order_id FROM shipments WHERE shipment_id = ?", .id(id.value)) { row throws(StoreError) in try row.id(0) }
        }
        guard let order else { throw .notFound("such shipment") }
        do throws(StoreError) {
            if let found = try await shipments(of: order, by: caller).first(where: { $0.id == id }) { return found }
        } catch .notFound {
            // Another's: it is the shipment that is not there for the caller.
        }
        throw .notFound("such shipment")
    }

    package func returned(_ id: ReturnID, by caller: Caller) async throws(StoreError) -> Return {
        let order: OrderID? = try await read { connection throws(StoreError) in
            try connection.first("SELECT order_id FROM returns WHERE return_id = ?", .id(id.value)) { row throws(StoreError) in try row.id(0) }
        }
        guard let order else { throw .notFound("such return") }
        do throws(StoreError) {
            if let found = try await returns(of: order, by: caller).first(where: { $0.id == id }) { return found }
        } catch .notFound {
            // As above.
        }
        throw .notFound("such return")
    }
}
