// What a product of the master data is in the product index: its mapping, its document, and the partial update that a change of price or stock is. Pure.
//
// Price, stock and sales are updatable columns: a sale changes them without analysing the product anew.

package import Engine
package import JSON
package import Orders

package struct ProductIndex: Sendable {
    /// An index or an alias with one write index.
    package let name: String

    package init(name: String = "products") { self.name = name }

    /// For an index that is not there yet. `available` counts what can be bought now; `in_stock` says whether that is anything.
    package var creation: IndexCreation {
        func column(_ type: String) -> JSONValue { .object(JSONObject([("type", .string(type)), ("updatable", true)])) }
        let keyword = JSONValue.object(JSONObject([("type", "keyword")]))
        let title = JSONObject([("type", "text"), ("fields", .object(JSONObject([("keyword", .object(JSONObject([("type", "keyword"), ("ignore_above", 256)])))])))])
        let properties = JSONObject([
            ("title", .object(title)), ("seller", keyword), ("currency", keyword), ("price_minor", column("long")), ("available", column("long")),
            ("in_stock", column("boolean")), ("kept", column("long")), ("attributes", .object(JSONObject([("type", "flattened")]))),
        ])
        // Refreshed by the projector, after each batch.
        let settings = JSONObject([("index", .object(JSONObject([("refresh_interval", "-1")])))])
        return IndexCreation(settings: settings, mappings: JSONObject([("properties", .object(properties))]))
    }

    /// The whole product.
    package func document(_ product: Product) -> WriteOperation {
        var source = JSONObject([
            ("title", .string(product.title)), ("currency", .string(product.price.currency.code)), ("price_minor", .integer(product.price.minor)),
            ("available", .integer(product.available)), ("in_stock", .bool(product.available > 0)), ("kept", .integer(product.kept)),
        ])
        if let seller = product.seller { source["seller"] = .string(seller) }
        if let attributes = try? JSONValue.parse(product.attributes), let object = attributes.object, !object.isEmpty { source["attributes"] = attributes }
        return WriteOperation(.index, index: name, id: product.id.text, source: JSONValue.object(source).serialized())
    }

    /// What changed of a product that is in the index.
    package struct Change: Sendable, Equatable {
        package var available: Int64?
        package var kept: Int64?
        package var price: Money?
        package init(available: Int64? = nil, kept: Int64? = nil, price: Money? = nil) { (self.available, self.kept, self.price) = (available, kept, price) }
    }

    package func update(_ id: ProductID, _ change: Change) -> WriteOperation {
        var doc = JSONObject()
        if let available = change.available { (doc["available"], doc["in_stock"]) = (.integer(available), .bool(available > 0)) }
        if let kept = change.kept { doc["kept"] = .integer(kept) }
        if let price = change.price { doc["price_minor"] = .integer(price.minor) }
        return WriteOperation(.update, index: name, id: id.text, source: JSONValue.object(JSONObject([("doc", .object(doc))])).serialized())
    }
}
