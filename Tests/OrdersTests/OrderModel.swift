// A model of one order of two units and its one payment, walked through every interleaving of customer, gateway answer, webhook (first, last, twice,
// never), retry, clock, warehouse and carrier. It knows from plain facts (what was shipped, reserved, taken) what must be possible and what must not,
// and says so when the tables under test do otherwise.

import Orders

struct OrderModel: Hashable {
    static let units = 2, asked: Int64 = 2

    // What our side believes.
    var order = OrderState.pending
    var payment = PaymentLedger()
    var available = 0, held = OrderModel.units, sold = 0
    var seen = Events()
    /// Webhooks that came before their time.
    var kept = Events()
    var followUp: StoreOutcome.FollowUp?

    // What happened in the world.
    var reserved: Int64 = 0, taken: Int64 = 0, back: Int64 = 0, released: Int64 = 0
    var isDeclined = false, isChallenged = false
    var shipped = 0, arrived = false, returned = 0
    var wasCancelled = false, wasExpired = false

    // What is on its way: answers to our calls, and webhooks by how many copies are left.
    var told = Events()
    var answers = Events()
    var hooks = Events(), secondHooks = Events()
    var hasAsked = false, hasRetried = false, hasTriedCancel = false

    /// What can happen at the gateway: of captures and refunds the amount, and the sum with it.
    enum Event: UInt8, CaseIterable {
        case challenge, authorise, decline, void1, void2, capture1, capture1Again, capture2, refund1, refund1Again, refund2
    }

    /// A set of events in two bytes: there are many states.
    struct Events: Hashable {
        var bits: UInt16 = 0
        func contains(_ event: Event) -> Bool { bits >> event.rawValue & 1 == 1 }
        @discardableResult mutating func insert(_ event: Event) -> Bool {
            defer { bits |= 1 << event.rawValue }
            return !contains(event)
        }
        mutating func remove(_ event: Event) { bits &= ~(1 << event.rawValue) }
        var isEmpty: Bool { bits == 0 }
        var all: [Event] { bits == 0 ? [] : Event.allCases.filter { contains($0) } }
    }

    enum Action: Hashable {
        case pay(Event), confirmChallenge(Event), retry, cancel, expire
        case answer(Event), hook(Event)
        case capture(Int64), refund(Int64), void
        case ship(Int), deliver, takeBack(Int)
        /// How an effect is told: whether its answer arrives, and how many webhooks come.
        indirect case told(Action, answered: Bool, copies: Int)
    }

    // MARK: What can happen

    func actions(_ ways: [(answered: Bool, copies: Int)]) -> [Action] {
        var effects: [Action] = [], plain: [Action] = []
        if !hasAsked { effects += [.pay(.authorise), .pay(.decline), .pay(.challenge)] }
        if isChallenged, payment.state == .actionRequired, reserved == 0, !isDeclined { effects += [.confirmChallenge(.authorise), .confirmChallenge(.decline)] }
        // The shop captures for orders that live; refunds and voids as it likes or as it was told to.
        if payment.authorised > 0 {
            if [.confirmed, .partShipped, .shipped, .delivered].contains(order), capturable > 0 { effects += capturable == 2 ? [.capture(1), .capture(2)] : [.capture(1)] }
            if capturable > 0, order != .pending { effects.append(.void) }
            if capturable == 0, taken > back { effects += taken - back == 2 ? [.refund(1), .refund(2)] : [.refund(1)] }
        }
        if hasAsked, !hasRetried { plain.append(.retry) }
        if !hasTriedCancel { plain.append(.cancel) }
        if order == .pending { plain.append(.expire) }
        plain += answers.all.map { .answer($0) }
        plain += hooks.all.map { .hook($0) }
        if shipped < OrderModel.units, order == .confirmed || order == .partShipped { plain += (1...(OrderModel.units - shipped)).map { .ship($0) } }
        if shipped == OrderModel.units, !arrived { plain.append(.deliver) }
        if arrived, returned < OrderModel.units { plain += (1...(OrderModel.units - returned)).map { .takeBack($0) } }
        // How the payment itself is told comes in every way, what follows in every second one: all of it is five million states.
        let later = hasAsked && ways.count > 2 ? ModelChecker.later : ways
        return plain + effects.flatMap { effect in later.map { .told(effect, answered: $0.answered, copies: $0.copies) } }
    }

    private var capturable: Int64 { reserved - taken - released }

    // MARK: What it makes of the model

    /// Applies an action; nil when all is well, else what is wrong.
    mutating func apply(_ action: Action, _ tables: StateTables) -> String? {
        switch action {
        case .told(let effect, let answered, let copies): return happen(effect, answered, copies, tables)
        case .retry:
            hasRetried = true
            // The gateway knows the key: it answers what it answered, and does nothing again.
            if let first = ([.authorise, .decline] as [Event]).first(where: { happened($0) }) { answers.insert(first) }
        case .cancel:
            hasTriedCancel = true
            let mustBePossible = shipped == 0 && !wasCancelled && !wasExpired
            guard let next = tables.order.next(order, .cancel) else { return mustBePossible ? "cancelling was refused while \(order)" : nil }
            guard mustBePossible else { return "cancelled while \(order)" }
            wasCancelled = true
            end(next)
        case .expire:
            guard let next = tables.order.next(order, .expire) else { return "the hold of a pending order does not end" }
            wasExpired = true
            end(next)
        case .answer(let event):
            answers.remove(event)
            return record(event, isWebhook: false, tables)
        case .hook(let event):
            if secondHooks.contains(event) { secondHooks.remove(event) } else { hooks.remove(event) }
            return record(event, isWebhook: true, tables)
        case .ship(let count):
            guard let next = tables.order.next(order, shipped + count == OrderModel.units ? .ship : .shipPart) else { return "shipping was refused while \(order)" }
            shipped += count
            order = next
        case .deliver:
            guard let next = tables.order.next(order, .deliver) else { return "it arrived, and the order stays \(order)" }
            arrived = true
            order = next
        case .takeBack(let count):
            guard let next = tables.order.next(order, returned + count == OrderModel.units ? .returnAll : .returnPart) else { return "a return was refused while \(order)" }
            returned += count
            sold -= count
            available += count
            order = next
        default: break
        }
        return nil
    }

    /// What is wrong with where we are; nil when nothing is.
    var fault: String? {
        if available + held + sold != OrderModel.units || min(available, held, sold) < 0 { return "units got lost" }
        if payment.captured + payment.voided > payment.authorised || payment.refunded > payment.captured { return "sums contradict each other" }
        if payment.authorised > reserved || payment.captured > taken || payment.refunded > back || payment.voided > released { return "we believe what did not happen" }
        return orderFault ?? paymentFault ?? settlementFault
    }

    // MARK: -

    /// At the gateway something happens, and is told in one of the ways.
    private mutating func happen(_ effect: Action, _ answered: Bool, _ copies: Int, _ tables: StateTables) -> String? {
        let event: Event
        switch effect {
        case .pay(let what), .confirmChallenge(let what):
            hasAsked = true
            event = what
            if what == .authorise { reserved = OrderModel.asked }
            if what == .decline { isDeclined = true }
            if what == .challenge { isChallenged = true }
        case .capture(let amount):
            taken += amount
            event = amount == 2 ? .capture2 : taken == 1 ? .capture1 : .capture1Again
        case .refund(let amount):
            back += amount
            event = amount == 2 ? .refund2 : back == 1 ? .refund1 : .refund1Again
        case .void:
            released = reserved - taken
            event = released == 2 ? .void2 : .void1
        default: return nil
        }
        told.insert(event)
        // A challenge is only ever an answer; one that got lost is asked for again at once.
        if answered || event == .challenge { answers.insert(event) }
        if copies > 0, event != .challenge { hooks.insert(event) }
        if copies > 1, event != .challenge { secondHooks.insert(event) }
        return nil
    }

    private func happened(_ event: Event) -> Bool { event == .authorise ? reserved > 0 : event == .decline ? isDeclined : false }

    private mutating func record(_ event: Event, isWebhook: Bool, _ tables: StateTables) -> String? {
        guard seen.insert(event) else { return nil }
        let before = payment
        do throws(StoreError) {
            _ = try payment.apply(event.report.what, amount: event.report.amount, asked: OrderModel.asked, tables: tables)
        } catch {
            // Out of order it may be refused; in order it must not. A webhook is kept, an answer is told that it failed.
            if mustAccept(event, before) { return "\(event) was refused while the payment was \(before.state)" }
            if isWebhook { kept.insert(event) } else { seen.remove(event) }
            return nil
        }
        let waiting = kept.all
        for taken in payment.applyKept(waiting.map(\.report), asked: OrderModel.asked, tables: tables) { kept.remove(waiting[taken.place]) }
        let reaction = PaymentLedger.reaction(
            order: order, due: OrderModel.asked, covered: payment.authorised - before.voided - before.refunded, payment: payment)
        followUp = reaction.followUp
        if let move = reaction.event {
            guard let next = tables.order.next(order, move) else { return "paid for, and the order stays \(order)" }
            order = next
            sold += held
            held = 0
        }
        return nil
    }

    /// Whether nothing that came before at the gateway is still unknown to us, so that we must believe this.
    private func mustAccept(_ event: Event, _ payment: PaymentLedger) -> Bool {
        switch event {
        case .challenge: payment == PaymentLedger() && !seen.contains(.authorise) && !seen.contains(.decline)
        case .authorise, .decline: payment.authorised == 0 && payment.state != .declined && payment.state != .voided
        case .void1, .void2: payment.authorised == reserved && payment.captured == taken && payment.voided == 0
        case .capture1, .capture2: payment.authorised == reserved && payment.captured == 0 && payment.voided == 0
        case .capture1Again: payment.authorised == reserved && payment.captured == 1 && payment.voided == 0
        case .refund1, .refund2: payment.captured == taken && payment.captured + payment.voided == reserved && payment.refunded == 0
        case .refund1Again: payment.captured == taken && payment.captured + payment.voided == reserved && payment.refunded == 1
        }
    }

    private mutating func end(_ next: OrderState) {
        order = next
        available += held + sold
        (held, sold) = (0, 0)
    }

    private var orderFault: String? {
        let expected: Set<OrderState> =
            if wasCancelled { [.cancelled] } else if wasExpired { [.expired] } else if returned == OrderModel.units { [.returned] } else if returned > 0 { [.partReturned] }
            else if arrived { [.delivered] } else if shipped == OrderModel.units { [.shipped] } else if shipped > 0 { [.partShipped] } else if sold > 0 { [.confirmed] }
            else { [.pending] }
        return expected.contains(order) ? nil : "the order is \(order), but by what happened \(expected)"
    }

    private var paymentFault: String? {
        let p = payment
        let expected: PaymentState =
            if p.authorised == 0 {
                // A challenge or refusal that was believed shows; one kept for its time does not.
                seen.contains(.decline) && !kept.contains(.decline) ? .declined : seen.contains(.challenge) && !kept.contains(.challenge) ? .actionRequired : .created
            } else if p.captured == 0 { p.voided > 0 ? .voided : .authorised } else if p.captured + p.voided < p.authorised { .partCaptured }
            else if p.refunded == 0 { .captured } else if p.refunded < p.captured { .partRefunded } else { .refunded }
        return p.state == expected ? nil : "the payment is \(p.state), by its sums \(expected)"
    }

    /// When nothing is on its way and we were told everything, we know what the gateway knows; and of money that lies with an ended order, somebody is told.
    private var settlementFault: String? {
        guard answers.isEmpty, hooks.isEmpty, told.bits & ~seen.bits == 0 else { return nil }
        if (payment.authorised, payment.captured, payment.refunded, payment.voided) != (reserved, taken, back, released) { return "told everything, and still wrong: \(kept.all)" }
        guard order == .cancelled || order == .expired, capturable > 0 || taken > back else { return nil }
        return PaymentLedger.reaction(order: order, due: OrderModel.asked, covered: 0, payment: payment).followUp == nil ? "money lies with an ended order, and nobody is told" : nil
    }
}

extension OrderModel.Event {
    var report: (what: PaymentReport.What, amount: Int64?) {
        switch self {
        case .challenge: (.requireAction, nil)
        case .authorise: (.authorise, nil)
        case .decline: (.decline, nil)
        case .void1: (.void, 1)
        case .void2: (.void, 2)
        case .capture1, .capture1Again: (.capture, 1)
        case .capture2: (.capture, 2)
        case .refund1, .refund1Again: (.refund, 1)
        case .refund2: (.refund, 2)
        }
    }
}

/// Walks all of it, breadth first.
struct ModelChecker {
    var states = 0, transitions = 0
    /// The first fault, with the way there.
    var fault: String?

    /// Every way an effect can be told: by answer or not, by webhook never, once, twice.
    static let all: [(answered: Bool, copies: Int)] = [(true, 0), (true, 1), (true, 2), (false, 0), (false, 1), (false, 2)]
    static let later: [(answered: Bool, copies: Int)] = [(true, 1), (false, 1)]
    /// Enough to reach every state.
    static let few: [(answered: Bool, copies: Int)] = [(true, 0)]

    init(_ tables: StateTables, ways: [(answered: Bool, copies: Int)] = all) {
        let start = OrderModel()
        var queue = [start], head = 0
        var known: Set<OrderModel> = [start]
        while head < queue.count {
            let model = queue[head]
            head += 1
            for action in model.actions(ways) {
                var next = model
                transitions += 1
                if let wrong = next.apply(action, tables) ?? next.fault {
                    fault = "\(wrong) (after \(action), order \(model.order), payment \(model.payment.state))"
                    states = known.count
                    return
                }
                if known.insert(next).inserted { queue.append(next) }
            }
        }
        states = known.count
    }
}
