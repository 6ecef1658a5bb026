// The one place where an archived order's bytes become its document.

internal import Archive
internal import Orders
internal import Tiering

struct OpenedDocument {
    /// As they are printed: the canonical document, its personal members sealed.
    let bytes: [UInt8]
    let document: OrderDocument
    /// Personal members are in it and were not opened for want of keys: then only checksums speak for them.
    var isSealed: Bool { document.personal == .sealed }

    /// - Throws: `damaged` when it is no order's document, or with keys not the one that was sealed; `unavailable` when the keys are not those of the data.
    init(_ order: ArchivedOrder, keys: (any PersonKeys)?) throws(StoreError) {
        bytes = order.body
        if let keys {
            document = try OrderDocument(parsing: order.body, keys: keys)
        } else {
            document = try OrderDocument(openPartOf: order.body)
        }
    }

    /// What its columns say otherwise than it says itself; nil when they agree.
    func disagreement(with row: ArchivedOrder) -> String? {
        let order = document.order
        if !isCanonical { return "its document is not canonical" }
        if order.id.description != row.id { return "the document is another order's" }
        if order.person.description != row.person { return "the document names another person" }
        if order.version != row.version { return "the document is of version \(order.version), the row of \(row.version)" }
        if order.reference != row.reference { return "the reference differs from the document's" }
        if order.state.rawValue != row.status { return "the status differs from the document's" }
        if order.currency.code != row.currency || order.currency.decimals != row.currencyDecimals { return "the currency differs from the document's" }
        if (order.totalMinor, order.paidMinor, order.refundedMinor) != (row.totalMinor, row.paidMinor, row.refundedMinor) { return "total, paid or refunded differ from the document's" }
        if order.placedAt.microseconds != row.placedAt { return "placed_at differs from the document's" }
        let wanted = ArchivedOrder(document, body: bytes)
        if wanted.lines != row.lines { return "the lines differ from the document's" }
        if wanted.payments != row.payments { return "the payments differ from the document's" }
        if wanted.shipments != row.shipments || wanted.tracking != row.tracking { return "shipments or tracking differ from the document's" }
        if wanted != row { return "updated_at differs from the document's" }
        return nil
    }

    /// The open part as it is written, then what is sealed, or nothing. (What is sealed vouches for all of it to who has the key.)
    private var isCanonical: Bool {
        guard let open = try? document.bytes(sealedWith: .erased).dropLast(), bytes.starts(with: open) else { return false }
        let rest = bytes[open.count...]
        return rest.elementsEqual("}".utf8) || (rest.starts(with: #","sealed":""#.utf8) && rest.suffix(2).elementsEqual(#""}"#.utf8))
    }
}
