// Seeded randomness for tests: a failing seed is printed with the test and replays it.
//
// The environment variable ISOTHERM_SEED, a number, is mixed into every seed: `make fuzz` sets it to another one each time, prints it, and the
// same number replays the run. Without it every run is the same.

import Glibc

/// SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014).
package struct Seeded: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(_ seed: UInt64) { state = seed &+ Seeded.run &* 0xD134_2543_DE82_EF95 }
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 0 unless ISOTHERM_SEED says otherwise.
    private static let run: UInt64 = {
        // Safe: getenv's string is copied at once; nothing here changes the environment.
        guard let text = unsafe getenv("ISOTHERM_SEED") else { return 0 }
        return unsafe UInt64(String(cString: text)) ?? 0
    }()
}
