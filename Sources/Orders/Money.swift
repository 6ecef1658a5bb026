// An amount of money: a whole number of minor units and its ISO 4217 code. No operation loses, rounds or wraps.

package struct Currency: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let code: String

    /// Nil unless three capital letters.
    package init?(code: String) {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ $0 >= 65 && $0 <= 90 }) else { return nil }
        self.code = code
    }
    /// For literals: a wrong one is a programmer's error.
    package init(stringLiteral code: String) {
        precondition(Currency(code: code) != nil, "a currency is three capital letters")
        self.code = code
    }
    package var description: String { code }

    /// Decimal places of the minor unit (ISO 4217, table A.1): two but for those named.
    package var decimals: Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF": 0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }
}

package struct Money: Hashable, Sendable, CustomStringConvertible {
    package var minor: Int64
    package var currency: Currency

    package init(_ minor: Int64, _ currency: Currency) { (self.minor, self.currency) = (minor, currency) }

    /// From a decimal number as text ("19.9", "19.90", "-3"): exact, or nil. More places than the currency has must be zeros.
    package init?(decimal text: some StringProtocol, _ currency: Currency) {
        guard let minor = Money.minor(decimal: text, decimals: currency.decimals) else { return nil }
        self.init(minor, currency)
    }

    package static func minor(decimal text: some StringProtocol, decimals: Int) -> Int64? {
        var digits = 0, places: Int?, value: Int64 = 0, negative = false
        for (at, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where at == 0: negative = true
            case UInt8(ascii: ".") where places == nil && digits > 0: places = 0
            case 48...57:
                digits += 1
                if let p = places {
                    places = p + 1
                    if p >= decimals {
                        guard byte == 48 else { return nil }
                        continue
                    }
                }
                guard let next = Money.appending(Int64(byte - 48), to: value) else { return nil }
                value = next
            default: return nil
            }
        }
        guard digits > 0, places != 0 else { return nil }
        for _ in min(places ?? 0, decimals)..<decimals {
            guard let next = Money.appending(0, to: value) else { return nil }
            value = next
        }
        return negative ? -value : value
    }

    /// "19.90 BRL".
    package var description: String { "\(decimal) \(currency)" }

    /// "19.90".
    package var decimal: String {
        let text = String(minor.magnitude), places = currency.decimals
        let padded = text.utf8.count > places ? text : String(repeating: "0", count: places + 1 - text.utf8.count) + text
        let sign = minor < 0 ? "-" : ""
        return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
    }

    private static func appending(_ digit: Int64, to value: Int64) -> Int64? {
        let (product, over) = value.multipliedReportingOverflow(by: 10)
        let (sum, over2) = product.addingReportingOverflow(digit)
        return over || over2 ? nil : sum
    }
}

extension Int64 {
    /// The sum, or the refusal that says a total is too large.
    package func adding(exactly other: Int64) throws(StoreError) -> Int64 {
        let (sum, over) = addingReportingOverflow(other)
        if over { throw .invalid("the amounts are too large to add up") }
        return sum
    }
    package func times(exactly other: Int64) throws(StoreError) -> Int64 {
        let (product, over) = multipliedReportingOverflow(by: other)
        if over { throw .invalid("the amounts are too large to multiply") }
        return product
    }
}
