// Unicode normalization forms of UTF-8, by ICU.

import CIsothermICU

package enum NormalizationForm: Sendable {
    case nfc, nfd, nfkc, nfkd
    /// NFKC after case folding, default ignorables dropped.
    case nfkcCasefold

    func append(_ text: Span<UInt8>, to out: inout [UInt8]) {
        if isASCII(text) {
            let start = out.count
            out.append(span: text)
            if self == .nfkcCasefold {
                for i in start..<out.count where out[i] &- 0x41 < 26 { out[i] |= 0x20 }
            }
            return
        }
        var room = text.count * 3 + 64
        for _ in 0..<2 {
            var made = -1
            // Safe: ICU reads text.count bytes and writes at most `room`; the array takes what was written.
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
                let n = unsafe text.withUnsafeBufferPointer { p in unsafe isotherm_normalize(form, p.baseAddress, p.count, buffer.baseAddress, room) }
                made = Int(n)
                used = min(max(0, made), room)
            }
            if made < 0 { break }
            if made <= room {
                out.append(contentsOf: piece)
                return
            }
            room = made
        }
        out.append(span: text)
    }

    private var form: isotherm_form {
        switch self {
        case .nfc: ISOTHERM_NFC
        case .nfd: ISOTHERM_NFD
        case .nfkc: ISOTHERM_NFKC
        case .nfkd: ISOTHERM_NFKD
        case .nfkcCasefold: ISOTHERM_NFKC_CF
        }
    }
}
