// Words of the icu tokenizer against words cut by hand: Universal Dependencies' parallel sentences (UD PUD).

import Analysis
import Glibc
import IsothermTesting
import Testing

@Suite struct SegmentationTests {
    /// The figure below which a change has made segmentation worse; today's are a little above (docs/analysis.md).
    @Test("icu finds the words of Thai, Japanese and Chinese about as people cut them", arguments: [("th", 0.75), ("ja", 0.78), ("zh", 0.74)])
    func tokenF1(language: String, atLeast: Double) throws {
        guard let path = Corpora.shared("ud-pud/\(language)_pud-ud-test.conllu.gz"), let text = unpacked(path) else {
            print("../shared/corpora/ud-pud is not here: skipped")
            return
        }
        let registry = try AnalysisRegistry(settings: .object(["analyzer": .object(["a": .object(["tokenizer": .string("icu_tokenizer")])])]))
        let analyzer = try #require(registry.analyzer(named: "a"))
        var tokens = TokenBuffer()
        var right = 0, found = 0, gold = 0, sentences = 0
        var sentence: [UInt8] = [], words = Set<[Int]>(), at = 0, lastOfRange = 0
        func finish() throws {
            guard !sentence.isEmpty else { return }
            sentences += 1
            try analyzer.analyze(sentence.span, into: &tokens)
            let ours = Set((0..<tokens.count).map { [Int(tokens.startOffsets[$0]), Int(tokens.endOffsets[$0])] })
            right += ours.intersection(words).count
            found += ours.count
            gold += words.count
            (sentence, words, at, lastOfRange) = ([], [], 0, 0)
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# text = ") { sentence = Array(line.dropFirst(9).utf8) }
            if line.isEmpty { try finish() }
            let fields = line.split(separator: "\t")
            guard !line.hasPrefix("#"), fields.count > 4 else { continue }
            let ids = fields[0].split(separator: "-").compactMap { Int($0) }
            guard let id = ids.first, ids.count == 2 || id > lastOfRange else { continue }
            if ids.count == 2 { lastOfRange = ids[1] }
            let form = Array(fields[1].utf8)
            while at + form.count <= sentence.count, !sentence[at..<(at + form.count)].elementsEqual(form) { at += 1 }
            // Punctuation is no word to a search.
            if fields[3] != "PUNCT" && fields[3] != "SYM" { words.insert([at, at + form.count]) }
            at += form.count
        }
        try finish()
        let precision = Double(right) / Double(found), recall = Double(right) / Double(gold)
        let f1 = 2 * precision * recall / (precision + recall)
        print("ud-pud \(language): \(sentences) sentences, precision \(precision), recall \(recall), F1 \(f1)")
        #expect(sentences == 1000)
        #expect(f1 >= atLeast)
    }

    private func unpacked(_ path: String) -> String? {
        guard let pipe = popen("gzip -dc '\(path)'", "r") else { return nil }
        defer { pclose(pipe) }
        var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let n = fread(&chunk, 1, chunk.count, pipe)
            if n == 0 { break }
            bytes.append(contentsOf: chunk[..<n])
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
