// Filters that make spellings of one language alike, scalar by scalar or with a look at the neighbours.
//
// Sources: what Lucene documents for each (ArabicNormalizer, PersianNormalizer, SoraniNormalizer,
// HindiNormalizer, GermanNormalizationFilter after the German2 Snowball algorithm, Scandinavian folding).

struct ScalarNormalizer: TokenFilter {
    let rewrite: @Sendable (inout [UInt32]) -> Void
    var isNormalizing: Bool { true }

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        if isASCII(tokens.terms.span) && !touchesASCII { return }
        var word: [UInt32] = []
        tokens.rewriteTerms(&scratch) { term, out in
            word.removeAll(keepingCapacity: true)
            var i = 0
            while i < term.count {
                let (c, n) = decodeScalar(term, i)
                word.append(c)
                i += n
            }
            rewrite(&word)
            for c in word { out.append(scalar: c) }
        }
    }
    var touchesASCII = false
}

enum Normalizers {
    static let byName: [String: ScalarNormalizer] = [
        "arabic_normalization": ScalarNormalizer { w in
            w = w.compactMap {
                switch $0 {
                case 0x622, 0x623, 0x625: 0x627
                case 0x649: 0x64A
                case 0x629: 0x647
                case 0x640, 0x64B...0x652: nil
                default: $0
                }
            }
        },
        "persian_normalization": ScalarNormalizer { w in
            w = w.compactMap {
                switch $0 {
                case 0x6CC, 0x6D2: 0x64A
                case 0x6A9: 0x643
                case 0x6C0, 0x6C1: 0x647
                case 0x654: nil
                default: $0
                }
            }
        },
        "sorani_normalization": ScalarNormalizer { sorani(&$0) },
        "german_normalization": ScalarNormalizer(rewrite: { german(&$0) }, touchesASCII: true),
        "hindi_normalization": ScalarNormalizer { hindi(&$0) },
        "bengali_normalization": ScalarNormalizer { bengali(&$0) },
        "indic_normalization": ScalarNormalizer { indic(&$0) },
        "scandinavian_normalization": ScalarNormalizer(rewrite: { scandinavian(&$0) }, touchesASCII: true),
        "scandinavian_folding": ScalarNormalizer(rewrite: { scandinavianFolding(&$0) }, touchesASCII: true),
        "serbian_normalization": ScalarNormalizer { serbian(&$0) },
    ]

    private static func sorani(_ w: inout [UInt32]) {
        var i = 0
        while i < w.count {
            switch w[i] {
            case 0x64A, 0x649: w[i] = 0x6CC
            case 0x643: w[i] = 0x6A9
            case 0x200C: // after a heh it makes an ae; else it goes
                if i > 0 && w[i - 1] == 0x647 { w[i - 1] = 0x6D5 }
                w.remove(at: i)
                continue
            case 0x647 where i == w.count - 1: w[i] = 0x6D5
            case 0x629: w[i] = 0x6D5
            case 0x6BE: w[i] = 0x647
            case 0x692: w[i] = 0x695
            case 0x631 where i == 0: w[i] = 0x695
            case 0x640, 0x64B...0x652, 0x670, 0x6D6...0x6DC, 0x6DF...0x6E8, 0x6EA...0x6ED, 0xAD, 0x200D...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0xFEFF:
                w.remove(at: i)
                continue
            default: break
            }
            i += 1
        }
    }

    /// ae, oe, ue as a, o, u (ue not after a vowel or q); umlauts without dots; sharp s as ss.
    private static func german(_ w: inout [UInt32]) {
        enum State { case neutral, vowel, umlautBase }
        var state = State.neutral, i = 0
        while i < w.count {
            switch w[i] {
            case 0x61, 0x6F: state = .umlautBase
            case 0x75: state = state == .neutral ? .umlautBase : .vowel
            case 0x65:
                if state == .umlautBase {
                    w.remove(at: i)
                    state = .vowel
                    continue
                }
                state = .vowel
            case 0x69, 0x71, 0x79: state = .vowel
            case 0xE4: (w[i], state) = (0x61, .vowel)
            case 0xF6: (w[i], state) = (0x6F, .vowel)
            case 0xFC: (w[i], state) = (0x75, .vowel)
            case 0xDF:
                w[i] = 0x73
                w.insert(0x73, at: i + 1)
                i += 1
                state = .neutral
            default: state = .neutral
            }
            i += 1
        }
    }

    private static func hindi(_ w: inout [UInt32]) {
        var i = 0
        while i < w.count {
            switch w[i] {
            case 0x928 where i + 1 < w.count && w[i + 1] == 0x94D: // dead n: bindu
                w[i] = 0x902
                w.remove(at: i + 1)
            case 0x901: w[i] = 0x902
            case 0x93C, 0x200C, 0x200D, 0x94D:
                w.remove(at: i)
                continue
            case 0x929: w[i] = 0x928
            case 0x931: w[i] = 0x930
            case 0x934: w[i] = 0x933
            case 0x958: w[i] = 0x915
            case 0x959: w[i] = 0x916
            case 0x95A: w[i] = 0x917
            case 0x95B: w[i] = 0x91C
            case 0x95C: w[i] = 0x921
            case 0x95D: w[i] = 0x922
            case 0x95E: w[i] = 0x92B
            case 0x95F: w[i] = 0x92F
            case 0x945, 0x946: w[i] = 0x947
            case 0x949, 0x94A: w[i] = 0x94B
            case 0x90D, 0x90E: w[i] = 0x90F
            case 0x911, 0x912: w[i] = 0x913
            case 0x972: w[i] = 0x905
            case 0x906: w[i] = 0x905
            case 0x908: w[i] = 0x907
            case 0x90A: w[i] = 0x909
            case 0x960: w[i] = 0x90B
            case 0x961: w[i] = 0x90C
            case 0x910: w[i] = 0x90F
            case 0x914: w[i] = 0x913
            case 0x940: w[i] = 0x93F
            case 0x942: w[i] = 0x941
            case 0x944: w[i] = 0x943
            case 0x963: w[i] = 0x962
            case 0x948: w[i] = 0x947
            case 0x94C: w[i] = 0x94B
            default: break
            }
            i += 1
        }
    }

    private static func bengali(_ w: inout [UInt32]) {
        var i = 0
        while i < w.count {
            switch w[i] {
            case 0x981: // candrabindu
                w.remove(at: i)
                continue
            case 0x9C0: w[i] = 0x9BF
            case 0x9C2: w[i] = 0x9C1
            case 0x988: w[i] = 0x987
            case 0x98A: w[i] = 0x989
            case 0x9DC, 0x9DD: w[i] = 0x9B0
            case 0x9DF: w[i] = 0x9AF
            case 0x99E: w[i] = 0x9A8
            case 0x9A3: w[i] = 0x9A8
            case 0x9B6, 0x9B7: w[i] = 0x9B8
            case 0x9CE: w[i] = 0x9A4
            case 0x983:
                if i == w.count - 1 && w.count > 3 {
                    w.remove(at: i)
                    continue
                }
                if i != w.count - 1 { // doubles the consonant that follows
                    w[i] = w[i + 1]
                }
            case 0x9CD where i + 1 < w.count && w[i + 1] == 0x9AF && i > 0: // ya-phala
                if i == 1 {
                    w[i] = 0x9C7
                    w.remove(at: i + 1)
                } else {
                    w.removeSubrange(i...(i + 1))
                    continue
                }
            case 0x9CD where i + 1 < w.count && w[i + 1] == 0x9AC && i > 0: // ba-phala
                w.removeSubrange(i...(i + 1))
                continue
            default: break
            }
            i += 1
        }
    }

    /// Sequences that are one letter in Unicode's charts, composed.
    private static func indic(_ w: inout [UInt32]) {
        let pairs: [[UInt32]: UInt32] = [
            [0x905, 0x93E]: 0x906, [0x905, 0x945]: 0x90D, [0x905, 0x946]: 0x90E, [0x906, 0x945]: 0x911, [0x906, 0x946]: 0x912, [0x90F, 0x945]: 0x90D,
            [0x90F, 0x946]: 0x90E, [0x90F, 0x947]: 0x910, [0x915, 0x93C]: 0x958, [0x916, 0x93C]: 0x959, [0x917, 0x93C]: 0x95A, [0x91C, 0x93C]: 0x95B,
            [0x921, 0x93C]: 0x95C, [0x922, 0x93C]: 0x95D, [0x92B, 0x93C]: 0x95E, [0x92F, 0x93C]: 0x95F, [0x985, 0x9BE]: 0x986, [0x9A1, 0x9BC]: 0x9DC,
            [0x9A2, 0x9BC]: 0x9DD, [0x9AF, 0x9BC]: 0x9DF, [0x9C7, 0x9BE]: 0x9CB, [0x9C7, 0x9D7]: 0x9CC, [0xA05, 0xA3E]: 0xA06, [0xA85, 0xABE]: 0xA86,
        ]
        var i = 0
        while i < w.count {
            if i + 2 < w.count, w[i] == 0x9A4, w[i + 1] == 0x9CD, w[i + 2] == 0x200D {
                w.replaceSubrange(i...(i + 2), with: [0x9CE])
            } else if i + 1 < w.count, let one = pairs[[w[i], w[i + 1]]] {
                w.replaceSubrange(i...(i + 1), with: [one])
            }
            i += 1
        }
    }

    private static func scandinavian(_ w: inout [UInt32]) {
        var i = 0
        while i < w.count {
            let next = i + 1 < w.count ? w[i + 1] | 0x20 : 0
            switch w[i] {
            case 0xE4: w[i] = 0xE6
            case 0xC4: w[i] = 0xC6
            case 0xF6: w[i] = 0xF8
            case 0xD6: w[i] = 0xD8
            case 0x61 where next == 0x61 || next == 0x6F || next == 0x65: pair(&w, i, next == 0x65 ? 0xE6 : 0xE5)
            case 0x41 where next == 0x61 || next == 0x6F || next == 0x65: pair(&w, i, next == 0x65 ? 0xC6 : 0xC5)
            case 0x6F where next == 0x65 || next == 0x6F: pair(&w, i, 0xF8)
            case 0x4F where next == 0x65 || next == 0x6F: pair(&w, i, 0xD8)
            default: break
            }
            i += 1
        }
    }

    private static func pair(_ w: inout [UInt32], _ i: Int, _ one: UInt32) { w.replaceSubrange(i...(i + 1), with: [one]) }

    private static func scandinavianFolding(_ w: inout [UInt32]) {
        var i = 0
        while i < w.count {
            let next = i + 1 < w.count ? w[i + 1] | 0x20 : 0
            switch w[i] {
            case 0xE5, 0xE4, 0xE6: w[i] = 0x61
            case 0xC5, 0xC4, 0xC6: w[i] = 0x41
            case 0xF8, 0xF6: w[i] = 0x6F
            case 0xD8, 0xD6: w[i] = 0x4F
            case 0x61, 0x41:
                if next == 0x61 || next == 0x75 || next == 0x6F || next == 0x65 { w.remove(at: i + 1) }
            case 0x6F, 0x4F:
                if next == 0x6F || next == 0x65 { w.remove(at: i + 1) }
            default: break
            }
            i += 1
        }
    }

    private static let serbianLetters: [UInt32: String] = [
        0x430: "a", 0x431: "b", 0x432: "v", 0x433: "g", 0x434: "d", 0x452: "dj", 0x435: "e", 0x436: "z", 0x437: "z", 0x438: "i", 0x458: "j", 0x43A: "k",
        0x43B: "l", 0x459: "lj", 0x43C: "m", 0x43D: "n", 0x45A: "nj", 0x43E: "o", 0x43F: "p", 0x440: "r", 0x441: "s", 0x442: "t", 0x45B: "c", 0x443: "u",
        0x444: "f", 0x445: "h", 0x446: "c", 0x447: "c", 0x45F: "dz", 0x448: "s", 0x10D: "c", 0x107: "c", 0x17E: "z", 0x111: "dj", 0x161: "s",
    ]

    private static func serbian(_ w: inout [UInt32]) {
        w = w.flatMap { c in serbianLetters[c].map { $0.unicodeScalars.map(\.value) } ?? [c] }
    }
}
