// What is done while the power may go: rounds of 64 commands at once, and what each was answered, with how far the disk was at that moment.
//
// Orders, refused ones, the same again, payments, cancellations. A command's key names it, so that it can be sent again afterwards.

import IsothermTesting
import Orders
import OrdersSQLite
import Secrets
import Synchronization

final class PowerWorkload: Sendable {
    struct Asked: Sendable {
        var draft: OrderDraft
        /// The operations of the disk at the moment of the answer; nil as long as there was none.
        var answered: Int?
        var id: OrderID?
        /// States asked for after "pending", in order, each with when it was answered.
        var later: [(state: OrderState, answered: Int?)] = []
    }
    private struct Known {
        var orders: [String: Asked] = [:]
        var stocked: [Int] = []
        var version: [(answered: Int, outbox: UInt64)] = []
    }

    static let products = 12, units: Int64 = 1_000, scarce: Int64 = 40
    static let moment = Instant(seconds: 1_700_000_000)
    static let caller = Caller(.staff("test"), .support, at: moment)
    let person = PersonRef(Bytes16(high: 1, low: 1))
    private let known = Mutex(Known())

    /// What was asked and answered so far.
    var orders: [String: Asked] { known.withLock { $0.orders } }
    /// Where on the disk all products had come in; nil before.
    var stockedAt: Int? { known.withLock { $0.stocked.count == PowerWorkload.products ? $0.stocked.max() : nil } }
    /// The highest outbox position that was told by then.
    func told(by cut: Int) -> UInt64 { known.withLock { $0.version.lazy.filter { $0.answered <= cut }.map(\.outbox).max() ?? 0 } }
    var answers: Int { known.withLock { $0.version.count } }

    /// Small pages of log between checkpoints, so that there are some.
    static func options() -> OrdersSQLiteOptions {
        var options = OrdersSQLiteOptions()
        options.checkpointBytes = 160 << 10
        options.readersMax = 2
        return options
    }

    /// Opens the store on the recorder's folder and works; an error of the store ends nothing: it is what a machine without power says.
    func run(on recorder: PowerRecorder, rounds: Int, seed: UInt64) async {
        var random = Seeded(seed)
        let keys = KeyRing(master: [UInt8](repeating: 7, count: 32))
        guard let store = try? SQLiteOrderStore(path: recorder.path, keys: keys, options: PowerWorkload.options()) else { return }
        defer { store.close() }
        _ = await perform(.putPerson(PersonDraft(ref: person, name: "Ada")), nil, store, recorder)
        for n in 0..<PowerWorkload.products {
            let id = ProductID("p\(n)"), units = n == 0 ? PowerWorkload.scarce : PowerWorkload.units
            _ = await perform(.putProduct(ProductDraft(id, title: "Title \(n)", price: Money(100, "EUR"))), nil, store, recorder)
            if case .success((_, let at)) = await perform(.setStock(id, available: units), nil, store, recorder) { known.withLock { $0.stocked.append(at) } }
        }
        for round in 0..<rounds {
            let changes = plan(round, &random)
            await withTaskGroup(of: Void.self) { group in
                for change in changes { group.addTask { await change(store, recorder) } }
                if round % 3 == 0 { group.addTask { _ = try? await store.verifyAudit() } }
            }
        }
    }

    // MARK: -

    private typealias Work = @Sendable (SQLiteOrderStore, PowerRecorder) async -> Void

    private func plan(_ round: Int, _ random: inout Seeded) -> [Work] {
        var open = known.withLock { known in known.orders.filter { $0.value.id != nil && $0.value.later.allSatisfy { $0.state != .cancelled && $0.answered != nil } }.keys.sorted() }
        open.shuffle(using: &random)
        return (0..<64).map { n in
            let product = ProductID("p\(Int.random(in: 0..<PowerWorkload.products, using: &random))"), other = ProductID("p\(Int.random(in: 1..<PowerWorkload.products, using: &random))")
            let quantity = Int64.random(in: 1...3, using: &random), key = "order-\(round)-\(n)"
            switch Int.random(in: 0..<10, using: &random) {
            case 0: return refused(OrderDraft(person: person, lines: [.init(other), .init("nothing")]))
            case 1: return refused(OrderDraft(person: person, lines: [.init(other), .init(product, quantity: 5_000)]))
            case 2: if let old = open.popLast() { return cancel(old) }
            case 3: if let old = open.popLast() { return pay(old) }
            case 4: if let old = open.last { return place(old, nil) }
            default: break
            }
            return place(key, OrderDraft(person: person, lines: [.init(product, quantity: quantity), .init(other)]))
        }
    }

    private func place(_ key: String, _ draft: OrderDraft?) -> Work {
        { [self] store, recorder in
            guard let draft = draft ?? known.withLock({ $0.orders[key]?.draft }) else { return }
            known.withLock { if $0.orders[key] == nil { $0.orders[key] = Asked(draft: draft) } }
            guard case .success((let outcome, let at)) = await perform(.placeOrder(draft), key, store, recorder) else { return }
            known.withLock { known in
                guard known.orders[key]?.answered == nil else { return }
                known.orders[key]?.answered = at
                known.orders[key]?.id = outcome.id.map { OrderID($0) }
            }
        }
    }

    private func refused(_ draft: OrderDraft) -> Work {
        { [self] store, recorder in _ = await perform(.placeOrder(draft), "refused-\(Bytes16.random())", store, recorder) }
    }

    private func cancel(_ key: String) -> Work {
        { [self] store, recorder in
            guard let id = known.withLock({ $0.orders[key]?.id }) else { return }
            await change(key, to: .cancelled) { await self.perform(.cancelOrder(id, reason: "test", ifVersion: nil), "cancel-\(key)", store, recorder) }
        }
    }

    private func pay(_ key: String) -> Work {
        { [self] store, recorder in
            guard let asked = known.withLock({ $0.orders[key] }), let id = asked.id, asked.later.isEmpty else { return }
            guard case .success((let started, _)) = await perform(.startPayment(id, PaymentDraft(gateway: "sandbox")), "pay-\(key)", store, recorder) else { return }
            let report = PaymentReport(payment: PaymentID(started.id ?? .random()), gateway: "sandbox", eventID: key, .authorise, happenedAt: PowerWorkload.moment)
            await change(key, to: .confirmed) { await self.perform(.recordPayment(report), "authorise-\(key)", store, recorder) }
        }
    }

    private func change(_ key: String, to state: OrderState, _ perform: () async -> Result<(StoreOutcome, Int), StoreError>) async {
        known.withLock { $0.orders[key]?.later.append((state, nil)) }
        guard case .success((_, let at)) = await perform() else { return }
        known.withLock { known in
            if let last = known.orders[key]?.later.indices.last { known.orders[key]?.later[last].answered = at }
        }
    }

    private func perform(_ action: StoreCommand.Action, _ key: String?, _ store: SQLiteOrderStore, _ recorder: PowerRecorder) async -> Result<(StoreOutcome, Int), StoreError> {
        do throws(StoreError) {
            let outcome = try await store.perform(StoreCommand(action, by: PowerWorkload.caller, idempotencyKey: key, requestHash: [1]))
            // Order matters: read at once, since the writer goes on.
            let at = recorder.count
            known.withLock { $0.version.append((at, outcome.version)) }
            return .success((outcome, at))
        } catch { return .failure(error) }
    }
}
