// Who follows whom. Anybody may read it; only the person themself, or staff, changes whom they follow. Both changes may be repeated.

internal import JSON
internal import Orders

struct FollowEndpoint: Endpoint {
    static let operations = [
        APIOperation(.put, "/api/people/{id}/following/{other}", "Follow somebody.", .actor, answer: "Change", problems: [404]),
        APIOperation(.delete, "/api/people/{id}/following/{other}", "Follow somebody no more.", .actor, answer: "Change", problems: [404]),
    ]

    private let caller: Caller, person: PersonKey, other: PersonKey, follows: Bool

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        (person, other) = (try call.personKey(), try call.personKey("other"))
        follows = call.method == .put
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let source = try await shop.person(person, by: caller)
        let destination = try await shop.person(other, by: caller)
        let outcome = try await shop.perform(follows ? .follow(source, destination) : .unfollow(source, destination), by: caller)
        return .receipt(outcome) { w in
            w.member("follows", follows)
            w.member("changed", outcome.changed > 0)
        }
    }
}

struct FollowsEndpoint: Endpoint {
    static let operations = [
        APIOperation(.get, "/api/people/{id}/following/{other}", "Whether somebody follows somebody.", .open, answer: "Follows", problems: [404])
    ]

    private let person: PublicPerson, other: PublicPerson

    init(_ call: ShopCall) throws(Problem) { (person, other) = (try PublicPerson(call), try PublicPerson(call, "other")) }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let follows = try await shop.store.follows(try await person.ref(shop), try await other.ref(shop))
        return .json { w in w.member("follows", follows) }
    }
}

/// Followers, following, mutuals: the newest edge first, with exact totals.
struct FollowListEndpoint: Endpoint {
    static let operations = [
        APIOperation(.get, "/api/people/{id}/followers", "Who follows a person.", .open, query: APIOperation.page, answer: "PersonPage", problems: [404]),
        APIOperation(.get, "/api/people/{id}/following", "Whom a person follows.", .open, query: APIOperation.page, answer: "PersonPage", problems: [404]),
        APIOperation(.get, "/api/people/{id}/mutuals", "Whom a person follows and who follows back.", .open, query: APIOperation.page, answer: "PersonPage", problems: [404]),
    ]

    private let person: PublicPerson, list: String, limit: Int, cursor: String?

    init(_ call: ShopCall) throws(Problem) {
        (person, list) = (try PublicPerson(call), call.segments.last ?? "")
        (limit, cursor) = try call.page()
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let ref = try await person.ref(shop)
        let page = switch list {
        case "followers": try await shop.store.followers(of: ref, limit: limit, cursor: cursor)
        case "following": try await shop.store.following(of: ref, limit: limit, cursor: cursor)
        default: try await shop.store.mutuals(of: ref, limit: limit, cursor: cursor)
        }
        return .json { w in
            w.key("people")
            w.array { w in for person in page.people { w.string(person.description) } }
            w.member("total", page.total)
            w.member("next", page.next)
        }
    }
}

struct SuggestionsEndpoint: Endpoint {
    static let operations = [
        APIOperation(
            .get, "/api/people/{id}/suggestions", "Whom those they follow follow, by how many of them do.", .actor, query: [("limit", "1 to 100; 20 when absent")],
            answer: "Suggestions", problems: [404])
    ]

    private let caller: Caller, person: PersonKey, limit: Int

    init(_ call: ShopCall) throws(Problem) {
        caller = try call.caller(.selfService)
        person = try call.personKey()
        limit = try call.integer("limit", 1...100) ?? 20
    }

    func answer(from shop: ShopServices) async throws -> ShopAnswer {
        let ref = try await shop.person(person, by: caller)
        guard caller.sees(ref) else { throw StoreError.notFound("such person") }
        let found = try await shop.store.suggestions(for: ref, limit: limit)
        return .json { w in
            w.list("suggestions", found) { w, suggestion in
                w.member("person", suggestion.person.description)
                w.member("common", suggestion.common)
            }
        }
    }
}

// MARK: -

/// A person in what anybody may read: by identifier, which says nothing of who they are; by a source's key only for a caller who may know them by it.
private struct PublicPerson: Sendable {
    private let key: PersonKey, caller: Caller?

    init(_ call: ShopCall, _ part: String = "id") throws(Problem) {
        key = try call.personKey(part)
        if case .source = key { caller = try call.caller(.selfService) } else { caller = nil }
    }

    func ref(_ shop: ShopServices) async throws -> PersonRef {
        if case .id(let ref) = key { return ref }
        guard let caller else { throw Problem.unauthenticated }
        return try await shop.person(key, by: caller)
    }
}
