// The C kernels of posting blocks against their Swift twins.

import Bytes
import IsothermTesting
import Testing

@Suite("Posting kernels")
struct PostingKernelTests {
    @Test("every width packs, and unpacks as the twin does", arguments: 0...32)
    func widths(bits: Int) {
        var random = Seeded(UInt64(bits))
        let mask = bits == 32 ? UInt32.max : (1 << UInt32(bits)) - 1
        for _ in 0..<20 {
            let values = (0..<128).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) & mask }
            var packed: [UInt8] = []
            values.withUnsafeBufferPointer { PostingKernels.pack($0.baseAddress!, bits: bits, to: &packed) }
            #expect(packed.count == 16 * bits)
            var plain = [UInt32](repeating: 7, count: 128), rising = plain
            packed.append(0)
            packed.withUnsafeBytes { from in
                plain.withUnsafeMutableBufferPointer { PostingKernels.unpack(from.baseAddress!, bits: bits, into: $0.baseAddress!) }
                rising.withUnsafeMutableBufferPointer { PostingKernels.unpackRising(from.baseAddress!, bits: bits, after: 41, into: $0.baseAddress!) }
            }
            #expect(plain == values)
            #expect(plain == PostingKernels.unpackTwin(packed, bits: bits))
            #expect(rising == PostingKernels.unpackRisingTwin(packed, bits: bits, after: 41))
        }
    }

    @Test("a block's scores are those of single postings, bit for bit", arguments: UInt64(0)..<10)
    func scores(seed: UInt64) {
        var random = Seeded(seed)
        let norms = (0..<600).map { _ in UInt8.random(in: 0...255, using: &random) } + [0, 0, 0]
        let inverse = (0..<256).map { _ in Float.random(in: 0.01...3, using: &random) }
        for count in [0, 1, 7, 8, 9, 127, 128] {
            let docs = (0..<count).map { _ in UInt32.random(in: 0..<600, using: &random) }
            let frequencies = (0..<count).map { _ in UInt32.random(in: 0...300, using: &random) }
            let expected = zip(docs, frequencies).map { PostingKernels.score(frequency: $1, inverse: inverse[Int(norms[Int($0)])], weight: 2.7) }
            var byDoc = [Float](repeating: -1, count: count + 1), inOrder = byDoc
            let own = docs.map { norms[Int($0)] } + [0]
            PostingKernels.score(docs: docs + [0], frequencies: frequencies + [0], count: count, norms: norms, inverse: inverse, weight: 2.7, into: &byDoc)
            PostingKernels.score(docs: nil, frequencies: frequencies + [0], count: count, norms: own, inverse: inverse, weight: 2.7, into: &inOrder)
            #expect(Array(byDoc[..<count]) == expected)
            #expect(Array(inOrder[..<count]) == expected)
        }
    }
}
