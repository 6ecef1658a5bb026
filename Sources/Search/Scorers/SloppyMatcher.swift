// Phrases with slop, as Lucene's SloppyPhraseMatcher finds them: the place furthest back moves on, and each time the
// span of all places cannot be made shorter by moving it, a match of that length counts 1 / (1 + length). Places that
// share a term never stand on the same occurrence.

struct SloppyPlace {
    /// In the phrase.
    let offset: Int
    let ordinal: Int
    var group = -1
    /// Within the group, by offset.
    var groupPlace = 0
    /// Of the next occurrence.
    var next = 0
    /// The occurrence's position less the offset: equal for all places in an exact match.
    var position = 0
}

final class SloppyMatcher {
    private let places: [PhrasePlace]
    private let slop: Int
    private var at: [SloppyPlace]
    private var groups: [[Int]] = []
    private let hasMultiTermRepeats: Bool
    /// Places by (position, offset, ordinal), the least last: few, so kept sorted.
    private var queue: [Int] = []
    private var end = 0

    init(_ places: [PhrasePlace], slop: Int) {
        self.places = places
        self.slop = slop
        at = places.enumerated().map { SloppyPlace(offset: $1.offset, ordinal: $0) }
        // Places with a common term, directly or through others, are one group.
        var group = [Int](0..<places.count)
        for i in places.indices {
            for j in 0..<i where !Set(places[i].names).isDisjoint(with: places[j].names) {
                let (from, to) = (group[i], group[j])
                for k in group.indices where group[k] == from { group[k] = to }
            }
        }
        var multi = false
        for root in Set(group).sorted() {
            let members = places.indices.filter { group[$0] == root }.sorted { places[$0].offset < places[$1].offset }
            if members.count < 2 { continue }
            for (place, member) in members.enumerated() {
                at[member].group = groups.count
                at[member].groupPlace = place
                if places[member].names.count > 1 { multi = true }
            }
            groups.append(members)
        }
        hasMultiTermRepeats = multi
    }

    /// Of the document whose positions the places hold: the sum of 1 / (1 + length) over matches.
    func frequency() -> Float {
        guard start() else { return 0 }
        var sum: Float = 0
        while true {
            let (length, isLast) = nextMatch()
            if length <= slop { sum += 1 / (1 + Float(length)) }
            if isLast { return sum }
        }
    }

    // MARK: -

    private func start() -> Bool {
        end = .min
        queue.removeAll(keepingCapacity: true)
        for i in at.indices {
            at[i].next = 0
            if !nextPosition(i) { return false }
        }
        if !groups.isEmpty, !separateGroups() { return false }
        for i in at.indices {
            end = max(end, at[i].position)
            push(i)
        }
        return true
    }

    /// The next match's length; above slop when there is none, which only the last can be.
    private func nextMatch() -> (length: Int, isLast: Bool) {
        var place = pop()
        var length = end - at[place].position
        var next = queue.last.map { at[$0].position } ?? .max
        while advance(place) {
            if !groups.isEmpty, !resolve(place) { break }
            if at[place].position > next {
                push(place)
                if length <= slop { return (length, false) }
                place = pop()
                next = queue.last.map { at[$0].position } ?? .max
                length = end - at[place].position
            } else {
                length = min(length, end - at[place].position)
            }
        }
        return (length, true)
    }

    private func nextPosition(_ i: Int) -> Bool {
        let place = places[i]
        if at[i].next >= place.count { return false }
        at[i].position = unsafe Int(place.positions[at[i].next]) - place.offset
        at[i].next += 1
        return true
    }

    private func advance(_ i: Int) -> Bool {
        if !nextPosition(i) { return false }
        end = max(end, at[i].position)
        return true
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (at[a].position, at[a].offset, at[a].ordinal) < (at[b].position, at[b].offset, at[b].ordinal)
    }

    private func push(_ i: Int) {
        var j = queue.count
        while j > 0, isBefore(queue[j - 1], i) { j -= 1 }
        queue.insert(i, at: j)
    }

    private func pop() -> Int { queue.removeLast() }

    // MARK: Repeated terms

    private func collision(_ i: Int) -> Int? {
        let occurrence = at[i].position + at[i].offset
        return groups[at[i].group].first { $0 != i && at[$0].position + at[$0].offset == occurrence }
    }

    private func lesser(_ a: Int, _ b: Int) -> Int {
        (at[a].position, at[a].offset) < (at[b].position, at[b].offset) ? a : b
    }

    /// At the start of a document: the places of a group stand on occurrences of their own.
    private func separateGroups() -> Bool {
        for group in groups {
            if !hasMultiTermRepeats {
                for (j, member) in group.enumerated() {
                    for _ in 0..<j where !nextPosition(member) { return false }
                }
                continue
            }
            var i = 0
            while i < group.count {
                var step = 1
                while let other = collision(group[i]) {
                    let moved = lesser(group[i], other)
                    if !advance(moved) { return false }
                    if at[moved].groupPlace < i { step = 0; i = at[moved].groupPlace; break }
                }
                i += step
            }
        }
        return true
    }

    /// After `place` (not in the queue) moved: of two places on one occurrence the lesser moves on.
    private func resolve(_ place: Int) -> Bool {
        guard at[place].group >= 0 else { return true }
        var current = place
        var moved: Set<Int> = []
        while let other = collision(current) {
            current = lesser(current, other)
            if !advance(current) { return false }
            if current != place { moved.insert(current) }
        }
        if moved.isEmpty { return true }
        let waiting = queue.filter { moved.contains($0) }
        queue.removeAll { moved.contains($0) }
        for i in waiting { push(i) }
        return true
    }
}
