// Light stemmers: a few endings off, by rules; each on the scalars of one lower-case word.

enum LightStemmers {
    typealias Stem = @Sendable (inout [UInt32]) -> Void

    static let byName: [String: Stem] = [:]

    /// Plural s off (Harman's S-stemmer): -ies to -y, -es to -e, -s; not after u or s.
    static func minimalEnglish(_ w: inout [UInt32]) {
        let n = w.count
        guard n >= 3, w[n - 1] == 0x73 else { return }
        switch w[n - 2] {
        case 0x75, 0x73: return
        case 0x65:
            if n > 3, w[n - 3] == 0x69, w[n - 4] != 0x61, w[n - 4] != 0x65 {
                w[n - 3] = 0x79
                w.removeLast(2)
                return
            }
            if w[n - 3] == 0x69 || w[n - 3] == 0x61 || w[n - 3] == 0x6F || w[n - 3] == 0x65 { return }
            w.removeLast()
        default: w.removeLast()
        }
    }
}
