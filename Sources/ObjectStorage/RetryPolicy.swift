// When and how long to wait before asking again: full jitter, a bound on tries and time, and a budget over all requests.
//
// The wait before try n is any time up to min(cap, base * 2^n): waiters who failed together do not come back together. The budget keeps a server
// in trouble from being asked many times more: a retry takes tokens, a success gives one back, and without tokens nobody retries.
// Sources: AWS Architecture Blog, "Exponential Backoff And Jitter"; AWS SDKs and Tools Reference Guide, "Retry behavior" (standard mode).

import Synchronization

package struct RetryPolicy: Sendable {
    package var triesMax = 6
    package var baseMilliseconds = 50
    package var capMilliseconds = 5_000
    /// No new try is begun after so long.
    package var totalMilliseconds = 120_000
    package init() {}

    /// - Parameter random: any number; gives the share of the bound.
    package func waitMilliseconds(afterTry n: Int, random: UInt64, atLeast asked: Int = 0) -> Int {
        let bound = max(1, min(capMilliseconds, baseMilliseconds << min(n, 16)))
        // What the server asked for counts, up to the cap.
        return max(Int(random % UInt64(bound + 1)), min(asked, capMilliseconds))
    }
}

package final class RetryBudget: Sendable {
    private let tokensMax: Int
    private let tokens: Mutex<Int>

    package init(tokens: Int = 500) {
        tokensMax = tokens
        self.tokens = Mutex(tokens)
    }

    /// False when the budget is used up.
    package func takeRetry(afterTimeout: Bool) -> Bool {
        tokens.withLock { tokens in
            let price = afterTimeout ? 10 : 5
            guard tokens >= price else { return false }
            tokens -= price
            return true
        }
    }

    package func succeeded() { tokens.withLock { $0 = min(tokensMax, $0 + 1) } }
}
