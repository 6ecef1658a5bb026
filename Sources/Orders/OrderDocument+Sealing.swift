// The personal members of an order's document, sealed: the bytes that leave hot.
//
//     {"format":2, … the open part …,"sealed":"<base64url of nonce, ciphertext, tag>"}
//      └──────── bound to it ───────┘
//
//     sealed     {"address_id":…, "attributes":{…}, "shipments":[[tracking code, [[event id, place], …]], …], "returns":[reason, …]}     in the order of the open part
//
// Invariants
//     1  The tag covers the open part too, byte for byte: a document that opens is the one that was sealed, every byte of it.
//     2  The nonce is derived from open part and plaintext: the same rows give the same bytes, other rows another nonce.
//     3  Of a person whose key was destroyed a document has no `sealed`, or one that nobody can open; of everybody else one without it is damaged.

import JSON

extension OrderDocument {
    private static let label = Array(#","sealed":""#.utf8)
    /// What the nonce is derived for.
    private static let column = "order document 2"

    /// The canonical bytes. Of an erased person they have no personal members.
    package func bytes(sealedWith state: PersonKeyState) throws(StoreError) -> [UInt8] {
        var w = writeOpenPart()
        if case .key(let key) = state {
            guard personal == .here else { throw .invalid("order \(order.id) was read without its personal data, and cannot be written with it") }
            let sealed = try key.seal(personalBytes, bound: w.bytes, column: OrderDocument.column)
            w.member("sealed", Base64URL.text(sealed))
        }
        w.endObject()
        return w.bytes
    }

    /// - Throws: `damaged` for anything but what was written, `unavailable` when the keys are not those of the data.
    package init(parsing bytes: [UInt8], keys: some PersonKeys) throws(StoreError) {
        let object = try OrderDocument.object(bytes)
        try self.init(object, bytes, try keys.state(of: try DocumentFields(object).id("person_ref")))
    }

    package init(parsing bytes: [UInt8], key: PersonKeyState) throws(StoreError) { try self.init(try OrderDocument.object(bytes), bytes, key) }

    /// What everybody may read of it: personal members are empty, and nothing says that it is what was written.
    package init(openPartOf bytes: [UInt8]) throws(StoreError) {
        let object = try OrderDocument.object(bytes)
        try self.init(openPart: object)
        personal = object["sealed"] == nil ? .erased : .sealed
    }

    /// Whether these are the open part as it is written, and then what is sealed, if anything is.
    package func isOpenPart(of bytes: [UInt8]) -> Bool {
        let open = writeOpenPart().bytes
        guard bytes.starts(with: open) else { return false }
        let rest = bytes[open.count...]
        return personal == .erased ? rest.elementsEqual("}".utf8) : rest.starts(with: OrderDocument.label) && rest.suffix(2).elementsEqual(#""}"#.utf8)
    }

    // MARK: -

    private static func object(_ bytes: [UInt8]) throws(StoreError) -> JSONObject {
        guard bytes.count <= bytesMax, let value = try? JSONValue.parse(bytes), let object = value.object else { throw .damaged("an order's document is no JSON object") }
        switch try DocumentFields(object).integer("format") {
        case format: return object
        case 1: throw .damaged("an order's document is of format 1, which was never released and had personal data in the clear: import the orders into a new data folder")
        default: throw .damaged("an order's document has a format that this version does not know: use the version that wrote it")
        }
    }

    private init(_ object: JSONObject, _ bytes: [UInt8], _ state: PersonKeyState) throws(StoreError) {
        guard case .key(let key) = state else {
            try self.init(openPart: object)
            personal = .erased
            return
        }
        guard let text = object["sealed"]?.string, let sealed = Base64URL.bytes(text) else { throw .damaged("an order's document: sealed is missing or wrong") }
        // It is the last member, and written so.
        let ending = OrderDocument.label + text.utf8 + Array(#""}"#.utf8)
        guard bytes.count > ending.count, bytes[(bytes.count - ending.count)...].elementsEqual(ending) else {
            throw .damaged("an order's document: sealed is not where it was written")
        }
        guard let plain = key.open(sealed, bound: Array(bytes[..<(bytes.count - ending.count)])) else {
            throw .damaged("an order's document was changed after it was sealed, or sealed with another key")
        }
        try self.init(openPart: object)
        try fill(plain)
    }

    private var personalBytes: [UInt8] {
        var w = JSONWriter(reserving: 512)
        w.object { w in
            if let address = order.address { w.member("address_id", address.description) }
            if let attributes { w.member("attributes", attributes) }
            w.key("shipments")
            w.array { w in
                for shipment in shipments {
                    w.array { w in
                        w.string(shipment.trackingCode)
                        w.array { w in
                            for event in shipment.events {
                                w.array { w in
                                    w.string(event.eventID)
                                    w.string(event.place)
                                }
                            }
                        }
                    }
                }
            }
            w.key("returns")
            w.array { w in for back in returns { w.string(back.reason) } }
        }
        return w.bytes
    }

    private mutating func fill(_ plain: [UInt8]) throws(StoreError) {
        let wrong = StoreError.damaged("an order's document: what was sealed does not fit the rest")
        guard let object = (try? JSONValue.parse(plain))?.object, let parcels = object["shipments"]?.array, let reasons = object["returns"]?.array,
            parcels.count == shipments.count, reasons.count == returns.count
        else { throw wrong }
        order.address = try DocumentFields(object).optionalID("address_id")
        attributes = object["attributes"]
        for at in shipments.indices {
            guard let parcel = parcels[at].array, parcel.count == 2, let code = parcel[0].string, let events = parcel[1].array,
                events.count == shipments[at].events.count
            else { throw wrong }
            shipments[at].trackingCode = code
            for event in events.indices {
                guard let pair = events[event].array, pair.count == 2, let id = pair[0].string, let place = pair[1].string else { throw wrong }
                (shipments[at].events[event].eventID, shipments[at].events[event].place) = (id, place)
            }
        }
        for at in returns.indices {
            guard let reason = reasons[at].string else { throw wrong }
            returns[at].reason = reason
        }
        personal = .here
    }
}
