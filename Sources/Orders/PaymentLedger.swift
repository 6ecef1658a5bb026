// A payment's state and sums, and what one event makes of them. Pure: the store writes what comes out, the model checker walks it.
//
// Invariants
//     1  captured + voided <= authorised; refunded <= captured; none is negative.
//     2  Each sum is the sum of the events that were applied.

package struct PaymentLedger: Sendable, Hashable {
    package var state: PaymentState
    package var authorised: Int64 = 0, captured: Int64 = 0, refunded: Int64 = 0, voided: Int64 = 0

    package init(state: PaymentState = .created, authorised: Int64 = 0, captured: Int64 = 0, refunded: Int64 = 0, voided: Int64 = 0) {
        self.state = state
        (self.authorised, self.captured, self.refunded, self.voided) = (authorised, captured, refunded, voided)
    }

    /// What can still be captured, and refunded.
    package var capturable: Int64 { authorised - captured - voided }
    package var refundable: Int64 { captured - refunded }

    /// Applies one report: the event it comes to and its amount, or a refusal that leaves everything as it was. `asked` is the payment's amount.
    package mutating func apply(
        _ what: PaymentReport.What, amount: Int64?, asked: Int64, tables: StateTables = .standard
    ) throws(StoreError) -> (kind: PaymentEventKind, amount: Int64) {
        if let amount, amount < 0 { throw .invalid("an amount cannot be negative") }
        let kind: PaymentEventKind, sum: Int64
        switch what {
        case .requireAction: (kind, sum) = (.requireAction, 0)
        case .decline: (kind, sum) = (.decline, 0)
        case .authorise: (kind, sum) = (.authorise, amount ?? asked)
        case .void: (kind, sum) = (.void, amount ?? capturable)
        case .capture:
            sum = amount ?? capturable
            kind = sum == capturable ? .captureRest : .capturePart
        case .refund:
            sum = amount ?? refundable
            kind = sum == refundable ? .refundRest : .refundPart
        }
        let next = try tables.payment.next(state, kind, of: "the payment")
        switch what {
        case .authorise where sum > asked: throw .conflict("\(sum) was authorised, but \(asked) asked for")
        case .capture where sum > capturable: throw .conflict("\(sum) cannot be captured: \(capturable) is left of what was authorised")
        case .refund where sum > refundable: throw .conflict("\(sum) cannot be refunded: \(refundable) is left of what was captured")
        case .void where sum != capturable: throw .conflict("\(sum) cannot be voided: \(capturable) is what is still reserved")
        case .capture where sum == 0 && asked > 0, .refund where sum == 0 && asked > 0: throw .invalid("an amount of nothing")
        default: break
        }
        switch what {
        case .authorise: authorised += sum
        case .capture: captured += sum
        case .refund: refunded += sum
        case .void: voided += sum
        case .requireAction, .decline: break
        }
        state = next
        return (kind, sum)
    }

    /// Tries events again that came before their time, as a capture before its authorisation. Gives those that now apply, by their place in the list,
    /// in the order they were taken.
    package mutating func applyKept(
        _ kept: [(what: PaymentReport.What, amount: Int64?)], asked: Int64, tables: StateTables = .standard
    ) -> [(place: Int, kind: PaymentEventKind, amount: Int64)] {
        var taken: [(place: Int, kind: PaymentEventKind, amount: Int64)] = []
        var rest = Array(kept.indices)
        while let next = rest.first(where: { place in
            guard let done = try? apply(kept[place].what, amount: kept[place].amount, asked: asked, tables: tables) else { return false }
            taken.append((place, done.kind, done.amount))
            return true
        }) { rest.removeAll { $0 == next } }
        return taken
    }

    /// What an order whose payments now cover `covered` of `due` makes of it, and what is to be done outside.
    package static func reaction(order: OrderState, due: Int64, covered: Int64, payment: PaymentLedger) -> (event: OrderEvent?, followUp: StoreOutcome.FollowUp?) {
        switch order {
        case .pending: (covered >= due ? .confirm : nil, nil)
        case .cancelled, .expired:
            // What is only reserved first: until then nothing can be refunded.
            if payment.capturable > 0 {
                (nil, .voidPayment)
            } else if payment.refundable > 0 {
                (nil, .refundPayment)
            } else {
                (nil, nil)
            }
        default: (nil, nil)
        }
    }
}
