// People, sellers, products, stock, baskets: the master data that orders lean on.

import JSON
import Orders

extension CommandRunner {
    func putPerson(_ draft: PersonDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        let ref = draft.ref ?? PersonRef(.random())
        guard draft.name.utf8.count <= 500, (draft.email?.utf8.count ?? 0) <= 320, (draft.phone?.utf8.count ?? 0) <= 50 else {
            throw .invalid("a name has at most 500 bytes, an e-mail address 320, a telephone number 50")
        }
        var members: [(String, JSONValue)] = [("name", .string(draft.name))]
        if let email = draft.email {
            let token = keys.emailToken(email)
            let holder = try connection.first(
                "SELECT person_ref FROM people WHERE json_extract(contact, '$.email_token') = ?", .text(token)
            ) { row throws(StoreError) in try row.id(0) }
            if let holder, holder != ref.value { throw .conflict("this e-mail address is taken") }
            members += [("email", .string(email)), ("email_token", .string(token))]
        }
        if let phone = draft.phone { members.append(("phone", .string(phone))) }
        try connection.run(
            "INSERT INTO people(person_ref, contact, created_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET contact = excluded.contact",
            .id(ref.value), .text(JSONValue.object(JSONObject(members)).text), .at(caller.at))
        return StoreOutcome(id: ref.value)
    }

    func addAddress(_ person: PersonRef, _ draft: AddressDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        try requirePerson(person)
        let fields = [draft.name, draft.street, draft.city, draft.postalCode, draft.region, draft.country]
        guard fields.allSatisfy({ $0.utf8.count <= 500 }) else { throw .invalid("a field of an address has at most 500 bytes") }
        let id = Bytes16.random()
        let place = JSONValue.object(JSONObject([
            ("name", .string(draft.name)), ("street", .string(draft.street)), ("city", .string(draft.city)), ("postal_code", .string(draft.postalCode)),
            ("region", .string(draft.region)), ("country", .string(draft.country)),
        ]))
        try connection.run("INSERT INTO addresses(address_id, person_ref, place) VALUES (?, ?, ?)", .id(id), .id(person.value), .text(place.text))
        return StoreOutcome(id: id)
    }

    func putSeller(_ id: String, name: String) throws(StoreError) -> StoreOutcome {
        guard (1...200).contains(id.utf8.count), name.utf8.count <= 500 else { throw .invalid("a seller's id has 1 to 200 bytes, its name at most 500") }
        try connection.run(
            "INSERT INTO sellers(seller_id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name WHERE name <> excluded.name", .text(id), .text(name))
        return StoreOutcome(changed: connection.changes)
    }

    func putProduct(_ draft: ProductDraft, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (1...512).contains(draft.id.text.utf8.count), draft.title.utf8.count <= 2_000, draft.attributes.utf8.count <= 1 << 20 else {
            throw .invalid("a product's id has 1 to 512 bytes, its title at most 2,000, its attributes at most 1 MiB")
        }
        guard draft.price.minor >= 0 else { throw .invalid("a price cannot be negative") }
        guard let attributes = try? JSONValue.parse(draft.attributes), attributes.object != nil else { throw .invalid("a product's attributes are a JSON object") }
        masters[draft.id] = nil
        if let seller = draft.seller { _ = try putSeller(seller, name: seller) }
        try connection.run(
            """
            INSERT INTO products(product_id, title, seller_id, currency, price_minor, attributes) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT(product_id) DO UPDATE SET title = excluded.title, seller_id = excluded.seller_id, currency = excluded.currency,
                price_minor = excluded.price_minor, attributes = excluded.attributes, version = version + 1
            """,
            .text(draft.id.text), .text(draft.title), .optional(draft.seller), .text(draft.price.currency.code), .int(draft.price.minor), .text(draft.attributes))
        let row = try readMaster(draft.id)
        try connection.run("INSERT INTO stock(product, available, received) VALUES (?, 0, 0) ON CONFLICT DO NOTHING", .int(row.product))
        try tell(.product(draft.id), at: caller.at)
        return StoreOutcome()
    }

    func setPrice(_ id: ProductID, _ price: Money, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard price.minor >= 0 else { throw .invalid("a price cannot be negative") }
        let row = try readMaster(id)
        masters[id] = nil
        try connection.run(
            "UPDATE products SET currency = ?, price_minor = ?, version = version + 1 WHERE product = ?",
            .text(price.currency.code), .int(price.minor), .int(row.product))
        try tell(.price(id, price), at: caller.at)
        return StoreOutcome()
    }

    func setStock(_ id: ProductID, _ available: Int64, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (0...1_000_000_000_000).contains(available) else { throw .invalid("stock is between 0 and 10^12") }
        let row = try masterRow(id)
        try connection.run(
            """
            INSERT INTO stock(product, available, received) VALUES (?1, ?2, ?2)
            ON CONFLICT DO UPDATE SET received = received + ?2 - available, available = ?2
            """, .int(row.product), .int(available))
        try tell(.stock([id: available]), at: caller.at)
        return StoreOutcome()
    }

    func adjustStock(_ id: ProductID, _ change: Int64, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard change.magnitude <= 1_000_000_000 else { throw .invalid("stock changes by at most 10^9 at once") }
        let row = try masterRow(id)
        let available = try connection.first(
            "UPDATE stock SET available = available + ?2, received = received + ?2 WHERE product = ?1 AND available + ?2 BETWEEN 0 AND 1000000000000 RETURNING available",
            .int(row.product), .int(change)
        ) { $0.int(0) }
        guard let available else { throw .conflict("the stock of \(id) would leave the range from 0 to 10^12") }
        try tell(.stock([id: available]), at: caller.at)
        return StoreOutcome()
    }

    func setBasketLine(_ person: PersonRef, _ id: ProductID, _ quantity: Int64, _ caller: Caller) throws(StoreError) -> StoreOutcome {
        guard (0...10_000).contains(quantity) else { throw .invalid("a quantity is between 0 and 10,000") }
        try requirePerson(person)
        let row = try masterRow(id)
        if quantity == 0 {
            try connection.run("DELETE FROM baskets WHERE person_ref = ? AND product = ?", .id(person.value), .int(row.product))
        } else {
            let lines = try connection.first("SELECT count(*) FROM baskets WHERE person_ref = ?", .id(person.value)) { $0.int(0) } ?? 0
            guard lines < 200 else { throw .conflict("a basket holds at most 200 products") }
            try connection.run(
                "INSERT INTO baskets(person_ref, product, quantity, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET quantity = excluded.quantity",
                .id(person.value), .int(row.product), .int(quantity), .at(caller.at))
        }
        return StoreOutcome(changed: connection.changes)
    }

    // MARK: What other commands ask

    struct MasterRow {
        var product: Int64, title: String, seller: String?, price: Money
    }

    /// As committed or as this batch made it; from memory where it was asked for before.
    func masterRow(_ id: ProductID) throws(StoreError) -> MasterRow {
        if let known = masters[id] { return known }
        let row = try readMaster(id)
        if masters.count >= CommandRunner.keptMax { masters.removeAll(keepingCapacity: true) }
        masters[id] = row
        return row
    }

    private func readMaster(_ id: ProductID) throws(StoreError) -> MasterRow {
        let row = try connection.first(
            "SELECT product, title, seller_id, price_minor, currency FROM products WHERE product_id = ?", .text(id.text)
        ) { row throws(StoreError) in
            MasterRow(product: row.int(0), title: row.text(1), seller: row.optionalText(2), price: Money(row.int(3), try row.currency(4)))
        }
        guard let row else { throw .notFound("product \(id.text.prefix(100))") }
        return row
    }

    /// A product by its name for the lines of an order that was placed elsewhere, or before the store's backup: one that is not known is made as the line has it, out of stock.
    func productRow(_ id: ProductID, title: String, seller: String?, price: Money) throws(StoreError) -> Int64 {
        if let known = try connection.first("SELECT product FROM products WHERE product_id = ?", .text(id.text), make: { $0.int(0) }) { return known }
        if let seller { try connection.run("INSERT INTO sellers(seller_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING", .text(seller), .text(seller)) }
        try connection.run(
            "INSERT INTO products(product_id, title, seller_id, currency, price_minor) VALUES (?, ?, ?, ?, ?)",
            .text(id.text), .text(title), .optional(seller), .text(price.currency.code), .int(price.minor))
        return connection.lastRowID
    }

    func requirePerson(_ person: PersonRef) throws(StoreError) {
        if people.contains(person) { return }
        guard try connection.first("SELECT 1 FROM people WHERE person_ref = ?", .id(person.value), make: { _ in true }) == true else {
            throw .notFound("such person")
        }
        if people.count >= CommandRunner.keptMax { people.removeAll(keepingCapacity: true) }
        people.insert(person)
    }
}
