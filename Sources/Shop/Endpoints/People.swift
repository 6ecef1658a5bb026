// People and their addresses: personal data. Every read leaves a row in the audit log before it is answered; who is not the person says why.

internal import JSON
internal import Orders

struct PersonCreateEndpoint: Endpoint {
    static let operations = [
        APIOperation(.post, "/api/people", "A new person.", .staff, body: "PersonRequest", answer: "Receipt", status: 201, key: .optional, problems: [409, 422])
    ]

    private let caller: Caller, key: IdempotencyKey?, draft: PersonDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.staff(.checkout)
        key = try call.idempotencyKey(required: false)
        draft = try PersonDraft(call, ref: nil)
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        .receipt(try await shop.perform(.putPerson(draft), by: caller, key: key), status: 201, location: "/api/people/")
    }
}

struct PersonPutEndpoint: Endpoint {
    static let operations = [
        APIOperation(.put, "/api/people/{id}", "Change how a person can be reached.", .actor, body: "PersonRequest", answer: "Receipt", problems: [404, 409])
    ]

    private let caller: Caller, draft: PersonDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.personal(.selfService)
        draft = try PersonDraft(call, ref: try call.id("id", "person"))
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        guard let ref = draft.ref, caller.sees(ref), try await shop.store.personRef(.id(ref)) != nil else { throw StoreError.notFound("such person") }
        return .receipt(try await shop.perform(.putPerson(draft), by: caller))
    }
}

struct PersonGetEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/people/{id}", "Who a person is and how they are reached.", .actor, answer: "Person", problems: [404])]

    private let caller: Caller, person: PersonKey

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.personal(.selfService)
        person = try call.personKey()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let found = try await shop.store.person(try await shop.person(person, by: caller), by: caller)
        return ShopAnswer.json { w in w.person(found) }.with("Cache-Control", "no-store")
    }
}

/// By POST, so that the address is in no log of URLs.
struct PersonFindEndpoint: Endpoint {
    static let operations = [
        APIOperation(.post, "/api/find/people", "Look a person up by e-mail address.", .staff, body: "FindRequest", answer: "Person", problems: [404])
    ]

    private let caller: Caller, email: String

    init(_ call: ShopCall) throws(Problem) {
        _ = try call.staff(.support)
        caller = try call.personal(.support)
        var body = try Fields(call)
        email = try body.text("email", 3...320)
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let found = try await shop.store.person(email: email, by: caller)
        return ShopAnswer.json { w in w.person(found) }.with("Cache-Control", "no-store")
    }
}

struct AddressAddEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .post, "/api/people/{id}/addresses", "Where a person can be sent things.", .actor, body: "AddressRequest", answer: "Receipt", status: 201, key: .optional, problems: [404])
    ]

    private let caller: Caller, key: IdempotencyKey?, person: PersonKey, draft: AddressDraft

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        key = try call.idempotencyKey(required: false)
        person = try call.personKey()
        var body = try Fields(call)
        draft = AddressDraft(
            name: try body.text("name"), street: try body.text("street"), city: try body.text("city"), postalCode: try body.text("postal_code", 1...20),
            region: try body.optionalText("region", 0...100) ?? "", country: try body.text("country", 2...2))
        try body.finish()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        .receipt(try await shop.perform(.addAddress(try await shop.person(person, by: caller), draft), by: caller, key: key), status: 201)
    }
}

struct AddressListEndpoint: Endpoint {
    static let operations = [APIOperation(.get, "/api/people/{id}/addresses", "A person's addresses.", .actor, answer: "Addresses", problems: [404])]

    private let caller: Caller, person: PersonKey

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.personal(.selfService)
        person = try call.personKey()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let found = try await shop.store.addresses(of: try await shop.person(person, by: caller), by: caller)
        return ShopAnswer.json { w in w.list("addresses", found) { w, address in w.address(address) } }.with("Cache-Control", "no-store")
    }
}

// MARK: -

extension PersonDraft {
    fileprivate init(_ call: ShopCall, ref: PersonRef?) throws(Problem) {
        var body = try Fields(call)
        let name = try body.text("name"), email = try body.optionalText("email", 3...320)
        if let email, !email.contains("@") { throw .invalid("an e-mail address has an @", pointer: "/email") }
        self.init(ref: ref, name: name, email: email, phone: try body.optionalText("phone", 3...50))
        try body.finish()
    }
}
