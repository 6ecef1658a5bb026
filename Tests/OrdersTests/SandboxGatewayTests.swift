// What the sandbox refuses, and in which words.

import Orders
import Testing

@Suite("Orders: the sandbox gateway")
struct SandboxGatewayTests {
    @Test("a payment that it does not know, as after a restart, is told so; one that it knows by its state")
    func unknown() async throws {
        let gateway = SandboxGateway(secret: [1]), payment = PaymentID(.random())
        func words(_ key: String) async -> String {
            do throws(GatewayFailure) {
                _ = try await gateway.refund(GatewayRequest(payment: payment, key: key, amount: Money(500, "EUR")))
                return "refunded"
            } catch { return "\(error)" }
        }
        #expect(await words("a").contains("the payment is not known here"))
        _ = try await gateway.authorise(GatewayRequest(payment: payment, key: "b", amount: Money(500, "EUR")), card: SandboxGateway.Card.approve)
        #expect(await words("c").contains("the payment is authorised here"))
    }

    @Test("a webhook of a type that there is none of is told the types; one that lacks a member, what it needs")
    func types() {
        func words(_ members: String) -> String {
            do throws(StoreError) {
                _ = try GatewayWebhook(body: Array(#"{"payment":"\#(PaymentID(.random()))","amount_minor":1,"currency":"EUR",\#(members)}"#.utf8))
                return "taken"
            } catch { return error.description }
        }
        #expect(words(#""event":"e","type":"capture""#) == "taken")
        #expect(words(#""event":"e","type":"paid""#).hasSuffix("one of require_action, authorise, decline, capture, refund, void"))
        #expect(words(#""event":"e""#).hasPrefix("a payment webhook needs"))
    }
}
