// Keeps and drops parts of a document by path, on bytes: no tree is built, kept values are copied as they
// are written. The rules are Elasticsearch's for `_source` (XContentMapValues.filter):
//
//     include "a"     keeps a and all below it; no includes keep everything
//     exclude "a.b"   drops a.b and all below it; excludes win
//     "*.id" "ob*"    a star stands for any bytes, dots too
//     an object of which nothing is kept goes too, unless an include names it; elements of an array that
//     are objects stay, if only as {}

package struct JSONSourceFilter: Sendable {
    private var includes: PathAutomaton
    private var excludes: PathAutomaton
    private let includesAll: Bool
    private let excludesNone: Bool
    private var tape = JSONTape()

    /// Holds a table that grows with the paths met: keep one per thread of work, not one per document.
    package init(includes: [String] = [], excludes: [String] = []) {
        includesAll = includes.isEmpty
        excludesNone = excludes.isEmpty
        self.includes = PathAutomaton(includes.isEmpty ? ["*"] : includes)
        self.excludes = PathAutomaton(excludes)
    }

    package var keepsEverything: Bool { includesAll && excludesNone }

    /// Writes the filtered document as one value. A text that is not an object is written whole.
    package mutating func write(_ source: RawSpan, to writer: inout JSONWriter) throws(JSONError) {
        if keepsEverything { return writer.raw(source) }
        try tape.parse(source)
        guard tape.kind(tape.root) == .object else { return writer.raw(source) }
        includes.resetIfFull()
        excludes.resetIfFull()
        var walk = Walk(includes: includes, excludes: excludes, source: tape)
        (includes, excludes, tape) = (PathAutomaton.empty, PathAutomaton.empty, JSONTape())
        writer.beginObject()
        walk.members(of: walk.tape.root, .start, source, &writer)
        writer.endObject()
        (includes, excludes, tape) = (walk.includes, walk.excludes, walk.tape)
    }

    package mutating func filtered(_ source: RawSpan) throws(JSONError) -> [UInt8] {
        var writer = JSONWriter(reserving: source.byteCount)
        try write(source, to: &writer)
        return writer.bytes
    }

    /// Whether a single path (no array, no object) would be kept.
    package mutating func keeps(_ path: String) -> Bool {
        let utf8 = Array(path.utf8)
        // Safe: `UInt8` has no padding.
        let included = unsafe includes.step(PathAutomaton.start, utf8.span.bytes)
        let excluded = unsafe excludes.step(PathAutomaton.start, utf8.span.bytes)
        return includes.isAccepting(included) && !excludes.isAccepting(excluded)
    }
}

extension PathAutomaton { fileprivate static let empty = PathAutomaton([]) }

// MARK: - The walk

private struct Place {
    var include: PathAutomaton.State
    var exclude: PathAutomaton.State
    /// An object above was named by an include: from here only excludes count.
    var wholeIncluded = false

    static let start = Place(include: PathAutomaton.start, exclude: PathAutomaton.start)
}

private struct Walk {
    var includes: PathAutomaton
    var excludes: PathAutomaton
    let tape: JSONTape

    init(includes: PathAutomaton, excludes: PathAutomaton, source: JSONTape) {
        (self.includes, self.excludes, tape) = (includes, excludes, source)
    }

    mutating func members(of object: Int, _ place: Place, _ source: RawSpan, _ writer: inout JSONWriter) {
        var i = object + 1
        let end = tape.next(object)
        while i < end {
            member(i, place, source, &writer)
            i = tape.next(i + 1)
        }
    }

    private mutating func member(_ key: Int, _ above: Place, _ source: RawSpan, _ writer: inout JSONWriter) {
        guard var here = place(of: key, above, source) else { return }
        let value = key + 1
        let named = above.wholeIncluded || includes.isAccepting(here.include)
        if named, excludes.step(here.exclude, UInt8(ascii: ".")) == PathAutomaton.dead {
            writer.key(tape.text(key, in: source))
            return writer.raw(tape.raw(value, in: source))
        }
        if named { here.wholeIncluded = true }
        guard named || contains(value, here, source) else { return }
        writer.key(tape.text(key, in: source))
        write(value, here, source, &writer)
    }

    /// Nil when neither the member nor anything below it can be kept.
    private mutating func place(of key: Int, _ above: Place, _ source: RawSpan) -> Place? {
        let tape = tape, name = tape.text(key, in: source)
        var here = above
        if !above.wholeIncluded { here.include = includes.step(above.include, name) }
        here.exclude = excludes.step(above.exclude, name)
        let dropped = (!above.wholeIncluded && here.include == PathAutomaton.dead) || excludes.isAccepting(here.exclude)
        return dropped ? nil : here
    }

    /// A value of which something is kept.
    private mutating func write(_ value: Int, _ place: Place, _ source: RawSpan, _ writer: inout JSONWriter) {
        switch tape.kind(value) {
        case .object:
            writer.beginObject()
            members(of: value, below(place), source, &writer)
            writer.endObject()
        case .array:
            writer.beginArray()
            var i = value + 1
            while i < tape.next(value) {
                let kept = tape.kind(i) == .object
                    || (tape.kind(i) == .array ? contains(i, place, source) : place.wholeIncluded || includes.isAccepting(place.include))
                if kept { write(i, place, source, &writer) }
                i = tape.next(i)
            }
            writer.endArray()
        default: writer.raw(tape.raw(value, in: source))
        }
    }

    private mutating func below(_ place: Place) -> Place {
        var below = place
        if !place.wholeIncluded { below.include = includes.step(place.include, UInt8(ascii: ".")) }
        below.exclude = excludes.step(place.exclude, UInt8(ascii: "."))
        return below
    }

    /// Whether anything of a value not itself named is kept.
    private mutating func contains(_ value: Int, _ place: Place, _ source: RawSpan) -> Bool {
        switch tape.kind(value) {
        case .object:
            let under = below(place)
            guard under.wholeIncluded || under.include != PathAutomaton.dead else { return false }
            var i = value + 1
            while i < tape.next(value) {
                if containsMember(i, under, source) { return true }
                i = tape.next(i + 1)
            }
            return false
        case .array:
            var i = value + 1
            while i < tape.next(value) {
                // An object in an array stays, whatever is kept of it.
                if tape.kind(i) == .object { return below(place).include != PathAutomaton.dead || place.wholeIncluded }
                if contains(i, place, source) { return true }
                i = tape.next(i)
            }
            return false
        default: return place.wholeIncluded || includes.isAccepting(place.include)
        }
    }

    private mutating func containsMember(_ key: Int, _ above: Place, _ source: RawSpan) -> Bool {
        guard let here = place(of: key, above, source) else { return false }
        return above.wholeIncluded || includes.isAccepting(here.include) || contains(key + 1, here, source)
    }
}
