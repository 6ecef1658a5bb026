// Who is calling, and why: every call to the store carries both, and what they may do is decided here, in one place.
//
// A customer sees and changes only their own; what is another's does not exist for them (404, not 403), so that nobody can ask who else
// is a customer. Staff and services see everything, and leave their name and purpose in the audit log.

package enum Actor: Hashable, Sendable {
    case customer(PersonRef)
    case staff(String)
    /// A machine with a name: the payment gateway's or a carrier's webhook, the clock that ends holds, an import.
    case service(String)

    /// As the audit log has it.
    package var name: String {
        switch self {
        case .customer(let person): "customer:\(person)"
        case .staff(let name): "staff:\(name)"
        case .service(let name): "service:\(name)"
        }
    }
}

package enum Purpose: String, Sendable, CaseIterable {
    case selfService = "self_service"
    case checkout, payment, fulfilment, tracking, support, accounting, catalogue, `import`, audit, maintenance
}

/// Actor, purpose and moment of a read.
package struct Caller: Hashable, Sendable {
    package var actor: Actor, purpose: Purpose, at: Instant
    package init(_ actor: Actor, _ purpose: Purpose, at: Instant) { (self.actor, self.purpose, self.at) = (actor, purpose, at) }

    /// Whether records of this person exist for the caller.
    package func sees(_ person: PersonRef) -> Bool {
        if case .customer(let own) = actor { own == person } else { true }
    }
    package var isCustomer: Bool { if case .customer = actor { true } else { false } }
}
