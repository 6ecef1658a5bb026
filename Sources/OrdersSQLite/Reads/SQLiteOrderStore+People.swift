// Reads of personal data, each written to the audit log before it is answered; and the catalogue's master, which is nobody's.

import JSON
import Orders

extension SQLiteOrderStore {
    package func person(_ ref: PersonRef, by caller: Caller) async throws(StoreError) -> Person {
        guard caller.sees(ref) else { throw .notFound("such person") }
        let person = try await read { connection throws(StoreError) in
            try connection.first("SELECT person_ref, contact, created_at FROM people WHERE person_ref = ?", .id(ref.value), make: personRow)
        }
        guard let person else { throw .notFound("such person") }
        try await audit(ref, "person", caller)
        return person
    }

    package func person(email: String, by caller: Caller) async throws(StoreError) -> Person {
        guard !caller.isCustomer else { throw .forbidden("customers do not look people up") }
        let token = keys.emailToken(email)
        let person = try await read { connection throws(StoreError) in
            try connection.first(
                "SELECT person_ref, contact, created_at FROM people WHERE json_extract(contact, '$.email_token') = ?", .text(token), make: personRow)
        }
        guard let person else { throw .notFound("person with this e-mail address") }
        try await audit(person.ref, "person", caller)
        return person
    }

    package func addresses(of ref: PersonRef, by caller: Caller) async throws(StoreError) -> [Address] {
        guard caller.sees(ref) else { throw .notFound("such person") }
        let found = try await read { connection throws(StoreError) in
            try connection.all("SELECT address_id, place FROM addresses WHERE person_ref = ? ORDER BY address_id LIMIT 1000", .id(ref.value)) {
                row throws(StoreError) in
                Address(id: try row.id(0), person: ref, place: try placeRow(row.text(1)))
            }
        }
        if !found.isEmpty { try await audit(ref, "addresses", caller) }
        return found
    }

    package func product(_ id: ProductID) async throws(StoreError) -> Product {
        let found = try await read { connection throws(StoreError) in
            try connection.first(
                """
                SELECT product_id, title, seller_id, price_minor, currency, coalesce(available, 0), version, attributes, kept
                FROM products LEFT JOIN stock USING (product) WHERE product_id = ?
                """, .text(id.text), make: productRow)
        }
        guard let found else { throw .notFound("product \(id.text.prefix(100))") }
        return found
    }

    package func products(after: ProductID?, limit: Int) async throws(StoreError) -> [Product] {
        try await read { connection throws(StoreError) in
            try connection.all(
                """
                SELECT product_id, title, seller_id, price_minor, currency, coalesce(available, 0), version, attributes, kept
                FROM products LEFT JOIN stock USING (product) WHERE product_id > ? ORDER BY product_id LIMIT ?
                """, .text(after?.text ?? ""), .int(Int64(min(max(limit, 1), 10_000))), make: productRow)
        }
    }

    package func basket(of person: PersonRef, by caller: Caller) async throws(StoreError) -> [BasketLine] {
        guard caller.sees(person) else { throw .notFound("such person") }
        return try await read { connection throws(StoreError) in
            try connection.all(
                """
                SELECT product_id, title, seller_id, price_minor, currency, coalesce(available, 0), version, attributes, kept, quantity
                FROM baskets JOIN products USING (product) LEFT JOIN stock USING (product) WHERE person_ref = ? ORDER BY added_at, product LIMIT 200
                """, .id(person.value)) { row throws(StoreError) in BasketLine(product: try productRow(row), quantity: row.int(9)) }
        }
    }

    private func audit(_ person: PersonRef, _ what: String, _ caller: Caller) async throws(StoreError) {
        _ = try await perform(StoreCommand(.auditRead(person, what: what), by: caller))
    }
}

// MARK: -

private func personRow(_ row: Row) throws(StoreError) -> Person {
    guard let contact = try? JSONValue.parse(row.text(1)) else { throw .damaged("a person's contact cannot be read") }
    return Person(
        ref: try row.id(0), name: contact["name"]?.string ?? "", email: contact["email"]?.string, phone: contact["phone"]?.string, createdAt: row.instant(2))
}

private func placeRow(_ text: String) throws(StoreError) -> AddressDraft {
    guard let place = try? JSONValue.parse(text) else { throw .damaged("an address cannot be read") }
    func field(_ name: String) -> String { place[name]?.string ?? "" }
    return AddressDraft(
        name: field("name"), street: field("street"), city: field("city"), postalCode: field("postal_code"), region: field("region"), country: field("country"))
}

private func productRow(_ row: Row) throws(StoreError) -> Product {
    Product(
        id: ProductID(row.text(0)), title: row.text(1), seller: row.optionalText(2), price: Money(row.int(3), try row.currency(4)), available: row.int(5),
        version: row.int(6), attributes: row.text(7), kept: row.int(8))
}
