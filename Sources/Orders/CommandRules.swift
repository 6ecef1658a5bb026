// Which commands a customer may give at all, what each is called in the audit log, and what it is about.

extension StoreCommand {
    /// Refuses what the actor may never do. Whether an order is theirs is found by the store, when it reads it.
    package func checkAllowed() throws(StoreError) {
        guard case .customer(let own) = caller.actor else { return }
        switch action {
        case .putPerson(let draft):
            guard draft.ref == own else { throw .notFound("such person") }
        case .addAddress(let person, _), .setBasketLine(let person, _, _), .follow(let person, _), .unfollow(let person, _):
            guard person == own else { throw .notFound("such person") }
        case .placeOrder(let draft):
            guard draft.person == own else { throw .notFound("such person") }
            guard draft.lines.allSatisfy({ $0.freightMinor == 0 }) else { throw .forbidden("customers do not set freight") }
        case .cancelOrder, .startPayment, .requestReturn: break
        case .advanceReturn(_, .cancel, _): break
        case .auditRead: break
        default: throw .forbidden("customers may not do this: \(action.name)")
        }
    }
}

extension StoreCommand.Action {
    package var name: String {
        switch self {
        case .putPerson: "person.put"
        case .addAddress: "address.add"
        case .putSeller: "seller.put"
        case .putProduct: "product.put"
        case .setPrice: "product.price"
        case .setStock, .adjustStock: "product.stock"
        case .setBasketLine: "basket.set"
        case .placeOrder: "order.place"
        case .cancelOrder: "order.cancel"
        case .expireHolds: "order.expire"
        case .startPayment: "payment.start"
        case .recordPayment(let report): "payment.\(report.what.rawValue)"
        case .createShipment: "shipment.create"
        case .recordTracking(let report): "shipment.\(report.kind.rawValue)"
        case .requestReturn: "return.request"
        case .advanceReturn(_, let event, _): "return.\(event.rawValue)"
        case .exchangeReturn: "return.exchange"
        case .follow: "follow"
        case .unfollow: "unfollow"
        case .auditRead(_, let what): "read.\(what)"
        case .forgetKeys: "keys.forget"
        case .move(let command): "move.\(command.name)"
        }
    }

    /// What it is about where the outcome names no record.
    package var subject: String {
        switch self {
        case .putSeller(let id, _): id
        case .putProduct(let draft): draft.id.text
        case .setPrice(let id, _), .setStock(let id, _), .adjustStock(let id, _): id.text
        case .setBasketLine(let person, _, _): person.description
        case .follow(let source, let destination), .unfollow(let source, let destination): "\(source) \(destination)"
        default: ""
        }
    }
}
