// Outcomes and outbox changes as JSON text: what is kept with an idempotency key, and what those outside read. Neither holds personal data.

import JSON
import Orders

enum OutcomeCoding {
    static func text(_ outcome: StoreOutcome) -> String {
        var w = JSONWriter(reserving: 160)
        w.object { w in
            w.key("v")
            w.unsigned(outcome.version)
            if let id = outcome.id {
                w.key("id")
                w.string(id.description)
            }
            w.key("s")
            w.string(outcome.state)
            w.key("r")
            w.integer(outcome.recordVersion)
            w.key("c")
            w.integer(outcome.changed)
            if let followUp = outcome.followUp {
                w.key("f")
                w.string(followUp.rawValue)
            }
        }
        return String(decoding: w.bytes, as: UTF8.self)
    }

    static func outcome(_ text: String) throws(StoreError) -> StoreOutcome {
        guard let value = try? JSONValue.parse(text), let version = value["v"]?.integer, let state = value["s"]?.string,
            let recordVersion = value["r"]?.integer, let changed = value["c"]?.integer
        else { throw .damaged("a kept answer cannot be read") }
        var outcome = StoreOutcome(
            version: UInt64(clamping: version), id: value["id"]?.string.flatMap { Bytes16(text: $0) }, state: state, recordVersion: recordVersion, changed: changed)
        outcome.followUp = value["f"]?.string.flatMap(StoreOutcome.FollowUp.init)
        outcome.replayed = true
        return outcome
    }
}

enum OutboxCoding {
    static func text(_ change: OutboxEntry.Change) -> String {
        var w = JSONWriter(reserving: 160)
        w.object { w in
            switch change {
            case .stock(let levels): write(levels, "stock", &w)
            case .popularity(let levels): write(levels, "popularity", &w)
            case .price(let id, let price):
                write("price", id.text, &w)
                w.key("minor")
                w.integer(price.minor)
                w.key("currency")
                w.string(price.currency.code)
            case .product(let id): write("product", id.text, &w)
            case .order(let id, let state, let stock):
                write("order", id.description, &w)
                write("state", state.rawValue, &w)
                if !stock.isEmpty { write(stock, "stock", &w) }
            case .payment(let id, let order, let state):
                write("payment", id.description, &w)
                write("of", order.description, &w)
                write("state", state.rawValue, &w)
            case .shipment(let id, let order, let state):
                write("shipment", id.description, &w)
                write("of", order.description, &w)
                write("state", state.rawValue, &w)
            case .returned(let id, let order, let state):
                write("return", id.description, &w)
                write("of", order.description, &w)
                write("state", state.rawValue, &w)
            case .moved(let orders, let tier):
                write("tier", tier.rawValue, &w)
                w.key("moved")
                w.array { w in for id in orders { w.string(id.description) } }
            }
        }
        return String(decoding: w.bytes, as: UTF8.self)
    }

    static func change(_ text: String) throws(StoreError) -> OutboxEntry.Change {
        if let value = try? JSONValue.parse(text), let change = decode(value) { return change }
        throw .damaged("an outbox row cannot be read")
    }

    // MARK: -

    private static func decode(_ value: JSONValue) -> OutboxEntry.Change? {
        let state = value["state"]?.string ?? "", owner = value["of"]?.string.flatMap { OrderID(text: $0) }
        if let id = value["order"]?.string.flatMap({ OrderID(text: $0) }), let state = OrderState(rawValue: state) {
            return .order(id, state: state, stock: levels(value["stock"]))
        }
        if let ids = value["moved"]?.array, let tier = value["tier"]?.string.flatMap(Tier.init(rawValue:)) {
            let orders = ids.compactMap { $0.string.flatMap { OrderID(text: $0) } }
            return orders.count == ids.count ? .moved(orders, to: tier) : nil
        }
        if value["stock"] != nil { return .stock(levels(value["stock"])) }
        if value["popularity"] != nil { return .popularity(levels(value["popularity"])) }
        if let id = value["price"]?.string, let minor = value["minor"]?.integer, let currency = value["currency"]?.string.flatMap({ Currency(code: $0) }) {
            return .price(ProductID(id), Money(minor, currency))
        }
        if let id = value["product"]?.string { return .product(ProductID(id)) }
        guard let owner else { return nil }
        if let id = value["payment"]?.string.flatMap({ PaymentID(text: $0) }), let state = PaymentState(rawValue: state) { return .payment(id, owner, state: state) }
        if let id = value["shipment"]?.string.flatMap({ ShipmentID(text: $0) }), let state = ShipmentState(rawValue: state) {
            return .shipment(id, owner, state: state)
        }
        if let id = value["return"]?.string.flatMap({ ReturnID(text: $0) }), let state = ReturnState(rawValue: state) { return .returned(id, owner, state: state) }
        return nil
    }

    private static func levels(_ value: JSONValue?) -> [ProductID: Int64] {
        var levels: [ProductID: Int64] = [:]
        for (key, value) in value?.object?.members ?? [] { levels[ProductID(key)] = value.integer }
        return levels
    }

    private static func write(_ name: String, _ text: String, _ w: inout JSONWriter) {
        w.key(name)
        w.string(text)
    }

    private static func write(_ levels: [ProductID: Int64], _ name: String, _ w: inout JSONWriter) {
        w.key(name)
        w.object { w in
            for (id, count) in levels {
                w.key(id.text)
                w.integer(count)
            }
        }
    }
}
