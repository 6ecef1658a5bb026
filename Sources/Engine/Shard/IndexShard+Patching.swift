// Partial updates that touch only updatable columns: no new document, no analysis. A patch names a document of a published segment, waits
// in a write buffer's slot as deletes do, and becomes visible with that buffer. Whatever does not fit (the document is in a buffer still, has
// no value or several, or the value stands in its source more than once) goes the ordinary way: the document is written anew.
//
// Invariants
//     1  An entry of the version map with patches has all of the document's patches since it was last published: of two buffers with
//        patches of one document the later one has it all, in whatever order they are published.
//     2  A patch's place is looked up with the slot's lock held: merges after that are known to `ShardState` until the slot is published.

internal import JSON
internal import Mappings
internal import Segments
internal import Storage
import Synchronization

extension IndexShard {
    /// The values of a partial update when it touches nothing but updatable columns, each with one value; nil when it does more, or is wrong:
    /// the ordinary way says how.
    func patches(of change: UpdateBody, id: String, _ scratch: WriteScratch) -> [FieldPatch]? {
        guard let doc = change.doc, !doc.isEmpty else { return nil }
        var texts: [String: [UInt8]] = [:]
        guard Self.leaves(doc, "", 0, &texts), !texts.isEmpty else { return nil }
        let mapping = mapping.current
        for path in texts.keys { guard mapping.field(path)?.updatable == true else { return nil } }
        let source = JSONValue.object(doc).serialized()
        scratch.document.removeAll()
        scratch.document.id = id
        do throws(MappingError) {
            // Safe: bytes have no padding.
            guard try unsafe scratch.parser.parse(source.span.bytes, with: mapping, into: &scratch.document) == nil else { return nil }
        } catch { return nil }
        var values: [FieldPatch] = []
        for field in scratch.document.fields where field.type.kind != .constantKeyword {
            guard case .number(let value) = field.value, field.type.updatable, let text = texts.removeValue(forKey: field.type.path) else { return nil }
            values.append(FieldPatch(path: field.type.path, value: value, text: text))
        }
        return texts.isEmpty && scratch.document.ignored.isEmpty ? values : nil
    }

    /// Every leaf by its path, as JSON.
    /// - Returns: false when a leaf is no single value, or a path comes twice. Depth is bounded by the parser's limit.
    private static func leaves(_ object: JSONObject, _ prefix: String, _ depth: Int, _ found: inout [String: [UInt8]]) -> Bool {
        for (key, value) in object {
            switch value {
            case .object(let inner): guard depth < 32, !inner.isEmpty, leaves(inner, prefix + key + ".", depth + 1, &found) else { return false }
            case .array, .null: return false
            default: guard found.updateValue(value.serialized(), forKey: prefix + key) == nil else { return false }
            }
        }
        return true
    }

    /// Patches the document. Call with the id's stripe held.
    /// - Parameters:
    ///   - before: its source, patches included.
    ///   - after: what the ordinary way would write: the patched source must be the same document.
    /// - Returns: nil when it must be written anew.
    func patch(
        _ operation: WriteOperation, _ id: String, _ values: [FieldPatch], _ before: [UInt8], _ after: [UInt8], _ stripe: VersionMap.Stripe,
        _ worker: Int
    ) throws(EngineError) -> Written? {
        guard let patched = SourceSplice.replacing(values, in: before), (try? JSONValue.parse(patched))?.serialized() == after else { return nil }
        let slot = acquire(worker)
        defer { slot.monitor.unlock() }
        guard let current = try look(up: id, stripe), let place = try patchable(current, values) else { return nil }
        var written = try add(values, to: current, at: place, id, slot, stripe)
        if operation.returnsSource { written.source = patched }
        return written
    }

    /// Patches members that were patched in this document before, without reading its source: how they stand in it was seen then.
    /// - Returns: nil when the source must be read. Only members of the document itself: inside objects a path can be written in two ways.
    func patchAgain(
        _ operation: WriteOperation, _ id: String, _ change: UpdateBody, _ current: CurrentDocument, _ scratch: WriteScratch, _ stripe: VersionMap.Stripe,
        _ worker: Int
    ) throws(EngineError) -> (written: Written?, noop: WriteResult?)? {
        guard let place = current.place, !operation.returnsSource, operation.routing == nil || operation.routing == current.routing, let doc = change.doc,
            try patched(doc.map(\.0), current, place) != nil, let values = patches(of: change, id: id, scratch)
        else { return nil }
        let slot = acquire(worker)
        defer { slot.monitor.unlock() }
        guard let current = try look(up: id, stripe), let place = try patchable(current, values),
            let before = try patched(values.map(\.path), current, place)
        else { return nil }
        if change.detectNoop, before == values { return (nil, noop(operation, id, current, nil)) }
        let written = try add(values, to: current, at: place, id, slot, stripe)
        return (written, nil)
    }

    /// Does a logged patch again. A document that is not there was deleted by a later operation of the log, whose effect is in the commit.
    func replayPatch(id: String, values: [FieldPatch], version: Int64, seqNo: Int64, primaryTerm: Int64) throws(EngineError) {
        let stripe = versions.stripe(of: id)
        guard let current = try look(up: id, stripe), let place = current.place, current.seqNo < seqNo else { return }
        if let patchable = try patchable(current, values) {
            let slot = acquire(0)
            defer { slot.monitor.unlock() }
            return add(values, to: current, at: patchable, id, slot, stripe, version: version, seqNo: seqNo, primaryTerm: primaryTerm)
        }
        guard let before = try source(at: place, patches: current.patches), let after = SourceSplice.replacing(values, in: before) else {
            throw EngineError(.failed, "corrupt_index_exception", "\(translogDirectory.path): a patch in the translog does not fit the document [\(id)]")
        }
        try replayIndex(id: id, routing: current.routing, source: after, version: version, seqNo: seqNo, primaryTerm: primaryTerm)
    }

    /// Notes that everything up to `version` of the feed outside was written. Later than the operations themselves; never goes back.
    /// - Returns: the translog position that must be durable before it is relied on.
    package func follow(upTo version: Int64) throws(EngineError) -> Int {
        try checkUsable()
        return try external.locked { written throws(EngineError) in
            if version <= written { return 0 }
            let position = try log(.position(version))
            written = version
            return position
        }
    }

    // MARK: -

    /// What the members were patched to, when each was patched in this document before; nil otherwise.
    private func patched(_ members: [String], _ current: CurrentDocument, _ place: DocumentPlace) throws(EngineError) -> [FieldPatch]? {
        var found: [FieldPatch] = [], published: PatchedDocument?
        guard let segment = state.withLock({ $0.segments.first { $0.number == place.segment } })?.segment else { return nil }
        for member in members {
            guard !member.utf8.contains(UInt8(ascii: ".")) else { return nil }
            if let waiting = current.patches.first(where: { $0.path == member }) {
                found.append(waiting)
                continue
            }
            if published == nil { published = segment.columns.patches?[place.doc] }
            guard let field = segment.fields.ordinal(of: member), let value = published?.values.first(where: { $0.field == field }) else { return nil }
            found.append(FieldPatch(path: member, value: value.value, text: value.text.isEmpty ? Array(String(value.value).utf8) : value.text))
        }
        return found
    }

    /// Adds a new patch and logs it. Call with the stripe and the slot held.
    private func add(
        _ values: [FieldPatch], to current: CurrentDocument, at place: DocumentPlace, _ id: String, _ slot: WriterSlot, _ stripe: VersionMap.Stripe
    ) throws(EngineError) -> Written {
        let version = current.version &+ 1, seqNo = nextSeqNo.wrappingAdd(1, ordering: .relaxed).oldValue
        add(values, to: current, at: place, id, slot, stripe, version: version, seqNo: seqNo, primaryTerm: primaryTerm)
        let position = try log(.patch(id: id, values: values, version: version, seqNo: seqNo, primaryTerm: primaryTerm))
        counters.indexed.wrappingAdd(1, ordering: .relaxed)
        counters.patched.wrappingAdd(1, ordering: .relaxed)
        let full = slot.memoryBytes >= settings.bufferBytesMax ? detach(slot) : nil
        return Written(id: id, version: version, seqNo: seqNo, primaryTerm: primaryTerm, existed: true, position: position, full: full)
    }

    /// The document's place, when it lies in a published segment and has one value of each field.
    private func patchable(_ current: CurrentDocument, _ values: [FieldPatch]) throws(EngineError) -> DocumentPlace? {
        guard let place = current.place, let segment = state.withLock({ $0.segments.first { $0.number == place.segment } })?.segment else { return nil }
        for value in values {
            guard let field = segment.fields.ordinal(of: value.path) else { return nil }
            let fits: Bool
            do throws(StorageError) { fits = try segment.columns.hasOneNumber(field, place.doc) } catch { throw EngineError(error) }
            if !fits { return nil }
        }
        return place
    }

    private func add(
        _ values: [FieldPatch], to current: CurrentDocument, at place: DocumentPlace, _ id: String, _ slot: WriterSlot, _ stripe: VersionMap.Stripe,
        version: Int64, seqNo: Int64, primaryTerm: Int64
    ) {
        let all = current.patches.filter { old in !values.contains { $0.path == old.path } } + values
        slot.patches.append(PlacedPatch(place: place, version: version, seqNo: seqNo, values: all))
        slot.maxSeqNo = max(slot.maxSeqNo, seqNo)
        stripe.entries[id] = VersionMap.Entry(
            version: version, seqNo: seqNo, primaryTerm: primaryTerm, carrier: slot.number, doc: place.doc, routing: current.routing, patches: all)
    }
}

/// How far a shard has followed a feed outside.
final class ExternalPosition: @unchecked Sendable {
    private let monitor = Monitor()
    /// Guarded by `monitor`.
    private var value: Int64 = 0

    var written: Int64 { monitor.locked { value } }
    func raise(to version: Int64) { monitor.locked { value = max(value, version) } }
    func locked<R, E: Error>(_ body: (inout Int64) throws(E) -> R) throws(E) -> R { try monitor.locked { () throws(E) in try body(&value) } }
}
