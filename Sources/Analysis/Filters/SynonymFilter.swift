// synonym and synonym_graph: the longest left side that matches at a token is replaced or accompanied by its
// right sides.
//
// As a graph every right side is a path of its own between the same two nodes:
//
//     this automatic teller machine is      rule: automatic teller machine, atm, cash point
//     1 --atm--> 5,  1 -cash-> 2 -point-> 5,  1 -automatic-> 3 -teller-> 4 -machine-> 5
//
// Flat (synonym), the words of a longer right side stand at the positions of the words that follow: usable in
// an index, where position lengths are not kept; wrong for phrases that cross the end, as in Lucene.

struct SynonymFilter: TokenFilter {
    let rules: SynonymRules
    let isGraph: Bool

    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard !rules.entries.isEmpty, tokens.count > 0 else { return }
        let terms = (0..<tokens.count).map { Array(tokens.terms[tokens.range($0)]) }
        var matches: [(first: Int, length: Int, entry: SynonymRules.Entry)] = []
        var i = 0
        while i < terms.count {
            var length = min(rules.longest[terms[i]] ?? 0, terms.count - i)
            while length > 0 {
                if let entry = rules.entries[Array(terms[i..<(i + length)])] {
                    matches.append((i, length, entry))
                    break
                }
                length -= 1
            }
            i += max(1, length)
        }
        guard !matches.isEmpty else { return }
        if isGraph { graph(tokens, matches, &scratch) } else { flat(tokens, matches, &scratch) }
        swap(&tokens, &scratch)
    }

    private func graph(_ tokens: TokenBuffer, _ matches: [(first: Int, length: Int, entry: SynonymRules.Entry)], _ out: inout TokenBuffer) {
        var shift: Int32 = 0, next = 0
        for match in matches {
            for t in next..<match.first { copy(t, of: tokens, shift: shift, to: &out) }
            let last = match.first + match.length - 1
            let start = tokens.positions[match.first] &+ shift
            var spare = start &+ 1 // the next free node
            var made: [(term: [UInt8], attributes: TokenAttributes)] = []
            let (from, to) = (tokens.startOffsets[match.first], tokens.endOffsets[last])
            // The end is behind all inner nodes.
            var end = spare
            for output in match.entry.outputs { end &+= Int32(clamping: output.count - 1) }
            let originalSpan = tokens.positions[last] &- tokens.positions[match.first] &+ 1
            if match.entry.keepsOriginal { end &+= originalSpan &- 1 }
            for output in match.entry.outputs {
                for (k, term) in output.enumerated() {
                    let a = k == 0 ? start : spare &+ Int32(clamping: k - 1)
                    let b = k == output.count - 1 ? end : spare &+ Int32(clamping: k)
                    made.append((term, TokenAttributes(position: a, positionLength: b &- a, start: from, end: to, type: .synonym)))
                }
                spare &+= Int32(clamping: output.count - 1)
            }
            if match.entry.keepsOriginal {
                for t in match.first...last {
                    var attributes = tokens.attributes(t)
                    let k = tokens.positions[t] &- tokens.positions[match.first]
                    attributes.position = k == 0 ? start : spare &+ k &- 1
                    attributes.positionLength = (t == last ? end : spare &+ k) &- attributes.position
                    made.append((Array(tokens.terms[tokens.range(t)]), attributes))
                }
            }
            for (_, token) in made.enumerated().sorted(by: { ($0.element.attributes.position, $0.offset) < ($1.element.attributes.position, $1.offset) }) {
                out.append(token.term, token.attributes)
            }
            shift = end &- tokens.positions[last] &- 1
            next = last + 1
        }
        for t in next..<tokens.count { copy(t, of: tokens, shift: shift, to: &out) }
        out.positionCount = tokens.positionCount &+ shift
    }

    private func copy(_ t: Int, of tokens: TokenBuffer, shift: Int32, to out: inout TokenBuffer) {
        var a = tokens.attributes(t)
        a.position &+= shift
        out.append(tokens.terms[tokens.range(t)], a)
    }

    private func flat(_ tokens: TokenBuffer, _ matches: [(first: Int, length: Int, entry: SynonymRules.Entry)], _ out: inout TokenBuffer) {
        var kept = [Bool](repeating: true, count: tokens.count)
        var added: [Int: [(term: [UInt8], attributes: TokenAttributes)]] = [:]
        var slotCount = tokens.count
        for match in matches {
            let last = match.first + match.length - 1
            if !match.entry.keepsOriginal { for t in match.first...last { kept[t] = false } }
            for output in match.entry.outputs {
                for (k, term) in output.enumerated() {
                    let slot = match.first + k, source = min(slot, last)
                    let whole = output.count == 1
                    added[slot, default: []].append((
                        term,
                        TokenAttributes(
                            positionLength: whole && match.entry.keepsOriginal ? Int32(clamping: match.length) : 1,
                            start: whole ? tokens.startOffsets[match.first] : tokens.startOffsets[source],
                            end: whole ? tokens.endOffsets[last] : tokens.endOffsets[source], type: .synonym)))
                    slotCount = max(slotCount, slot + 1)
                }
            }
        }
        var position: Int32 = -1
        for slot in 0..<slotCount {
            let step = slot >= tokens.count ? 1 : slot == 0 ? tokens.positions[0] &+ 1 : tokens.positions[slot] &- tokens.positions[slot - 1]
            let isKept = slot < tokens.count && kept[slot]
            guard isKept || added[slot] != nil else { continue }
            position &+= isKept ? step : max(1, step)
            if isKept {
                var a = tokens.attributes(slot)
                a.position = position
                out.append(tokens.terms[tokens.range(slot)], a)
            }
            for token in added[slot] ?? [] {
                var a = token.attributes
                a.position = position
                out.append(token.term, a)
            }
        }
        let trailing = tokens.positionCount &- (tokens.positions.last ?? 0) &- 1
        out.positionCount = position &+ 1 &+ max(0, trailing)
    }
}

/// Makes a graph a row of positions that an index can keep: each node's position is its longest way from the start.
struct FlattenGraphFilter: TokenFilter {
    func apply(to tokens: inout TokenBuffer, scratch: inout TokenBuffer) throws(AnalysisError) {
        guard tokens.positionLengths.contains(where: { $0 != 1 }) else { return }
        var depth: [Int32: Int32] = [:]
        var lastNode: Int32 = -1, lastDepth: Int32 = -1
        func position(of node: Int32) -> Int32 { depth[node] ?? lastDepth &+ (node &- lastNode) }
        for t in 0..<tokens.count {
            let node = tokens.positions[t], end = node &+ tokens.positionLengths[t]
            let here = position(of: node)
            depth[node] = here
            (lastNode, lastDepth) = (node, here)
            depth[end] = max(depth[end] ?? 0, here &+ 1)
        }
        let order = (0..<tokens.count).sorted { a, b in
            let (x, y) = (depth[tokens.positions[a]] ?? 0, depth[tokens.positions[b]] ?? 0)
            return (x, a) < (y, b)
        }
        for t in order {
            var a = tokens.attributes(t)
            let end = depth[a.position &+ a.positionLength] ?? 0
            a.position = depth[a.position] ?? 0
            a.positionLength = max(1, end &- a.position)
            scratch.append(tokens.terms[tokens.range(t)], a)
        }
        let trailing = tokens.positionCount &- ((tokens.positions.last ?? 0) &+ (tokens.positionLengths.last ?? 1))
        scratch.positionCount = (depth.values.max() ?? 0) &+ max(0, trailing)
        swap(&tokens, &scratch)
    }
}
