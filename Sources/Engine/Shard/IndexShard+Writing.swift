// A write from request to translog. Everything that depends on the document's current version happens under
// its id's stripe, so concurrent writes of one id have one order everywhere.

internal import Indexing
internal import JSON
internal import Mappings
internal import Segments
internal import Storage
import Synchronization

/// What is known of a document before it is written.
struct CurrentDocument {
    var version: Int64
    var seqNo: Int64
    var primaryTerm: Int64
    /// Nil when it was deleted, lately.
    var place: DocumentPlace?
    var routing: String?
    /// Not published yet.
    var patches: [FieldPatch] = []
}

/// What is about to be written.
struct NewVersion {
    var id: String
    var routing: String?
    var source: [UInt8]
    var version: Int64
    /// Nil: the next.
    var seqNo: Int64?
    var primaryTerm: Int64
    var logs: Bool
}

extension IndexShard {
    /// - Parameter worker: which write buffer to prefer.
    /// - Returns: the result, and the translog position that must be durable before it is acknowledged (0 for none).
    package func write(_ operation: WriteOperation, worker: Int = 0) -> (result: WriteResult, position: Int) {
        let scratch = borrowScratch()
        defer { giveBack(scratch) }
        return write(operation, scratch, worker)
    }

    func write(_ operation: WriteOperation, _ scratch: WriteScratch, _ worker: Int) -> (result: WriteResult, position: Int) {
        let id = operation.id ?? ""
        do throws(EngineError) {
            try checkUsable()
            try operation.check()
            switch operation.action {
            case .index, .create: return try index(operation, scratch, worker)
            case .update: return try update(operation, scratch, worker)
            case .delete: return try delete(operation, worker)
            }
        } catch {
            return (WriteResult(operation.action, index: operation.index, id: id, error: error), 0)
        }
    }

    // MARK: - Index, create

    private func index(_ operation: WriteOperation, _ scratch: WriteScratch, _ worker: Int) throws(EngineError) -> (WriteResult, Int) {
        let id = operation.id ?? makeDocumentID(), isNew = operation.id == nil
        try parse(operation.source, id: id, routing: operation.routing, scratch, logs: true)
        let stripe = versions.stripe(of: id)
        let written = try stripe.monitor.locked { () throws(EngineError) in
            try put(stripe, scratch, worker) { slot throws(EngineError) in
                let current = isNew ? nil : try look(up: id, stripe)
                let version = try operation.nextVersion(after: current, id: id)
                return (current, NewVersion(
                    id: id, routing: operation.routing, source: operation.source, version: version, seqNo: nil, primaryTerm: primaryTerm, logs: true))
            }
        }
        if let full = written.full { try seal([full]) }
        return (written.result(operation), written.position)
    }

    // MARK: - Update

    private func update(_ operation: WriteOperation, _ scratch: WriteScratch, _ worker: Int) throws(EngineError) -> (WriteResult, Int) {
        guard let id = operation.id else { throw .validation("id is missing") }
        let change = try UpdateBody(operation.source)
        let stripe = versions.stripe(of: id)
        while true {
            try checkUsable()
            let done: (written: Written?, noop: WriteResult?)? = try stripe.monitor.locked { () throws(EngineError) in
                let current = try look(up: id, stripe)
                try operation.checkSequence(current, id: id)
                if let current, let done = try patchAgain(operation, id, change, current, scratch, stripe, worker) { return done }
                var before: [UInt8]?
                if let place = current?.place {
                    guard let found = try source(at: place, patches: current?.patches ?? []) else { return nil }
                    before = found
                }
                guard let after = try change.apply(to: before, id: id, index: operation.index) else {
                    return (nil, noop(operation, id, current, before))
                }
                let routing = operation.routing ?? current?.routing
                if let before, routing == current?.routing, let values = patches(of: change, id: id, scratch),
                    let written = try patch(operation, id, values, before, after, stripe, worker)
                {
                    return (written, nil)
                }
                try parse(after, id: id, routing: routing, scratch, logs: true)
                let version = (current?.version ?? 0) + 1
                var written = try put(stripe, scratch, worker) { _ throws(EngineError) in
                    // Looked up again: the document is the same, its place may not be.
                    (try look(up: id, stripe),
                     NewVersion(id: id, routing: routing, source: after, version: version, seqNo: nil, primaryTerm: primaryTerm, logs: true))
                }
                if operation.returnsSource { written.source = after }
                return (written, nil)
            }
            guard let done else {
                seals.wait()
                continue
            }
            if let noop = done.noop { return (noop, 0) }
            guard let written = done.written else { continue }
            if let full = written.full { try seal([full]) }
            return (written.result(operation), written.position)
        }
    }

    func noop(_ operation: WriteOperation, _ id: String, _ current: CurrentDocument?, _ source: [UInt8]?) -> WriteResult {
        var result = WriteResult(.update, index: operation.index, id: id, outcome: .noop)
        result.version = current?.version ?? 0
        result.seqNo = current?.seqNo ?? -2
        result.primaryTerm = current?.primaryTerm ?? 0
        if operation.returnsSource { result.source = source }
        return result
    }

    // MARK: - Delete

    private func delete(_ operation: WriteOperation, _ worker: Int) throws(EngineError) -> (WriteResult, Int) {
        guard let id = operation.id else { throw .validation("id is missing") }
        let stripe = versions.stripe(of: id)
        return try stripe.monitor.locked { () throws(EngineError) in
            let slot = acquire(worker)
            defer { slot.monitor.unlock() }
            let current = try look(up: id, stripe)
            try operation.checkSequence(current, id: id)
            let version = try operation.nextVersion(after: current, id: id)
            let seqNo = nextSeqNo.wrappingAdd(1, ordering: .relaxed).oldValue
            remove(id, current, slot, stripe, version: version, seqNo: seqNo, primaryTerm: primaryTerm)
            let position = try log(.delete(id: id, version: version, seqNo: seqNo, primaryTerm: primaryTerm))
            counters.deleted.wrappingAdd(1, ordering: .relaxed)
            var result = WriteResult(.delete, index: operation.index, id: id, outcome: current?.place == nil ? .notFound : .deleted)
            (result.version, result.seqNo, result.primaryTerm) = (version, seqNo, primaryTerm)
            return (result, position)
        }
    }

    private func remove(
        _ id: String, _ current: CurrentDocument?, _ slot: WriterSlot, _ stripe: VersionMap.Stripe, version: Int64, seqNo: Int64, primaryTerm: Int64
    ) {
        if let place = current?.place { slot.delete(place) }
        slot.maxSeqNo = max(slot.maxSeqNo, seqNo)
        stripe.entries[id] = VersionMap.Entry(
            version: version, seqNo: seqNo, primaryTerm: primaryTerm, carrier: slot.isEmpty ? 0 : slot.number, doc: nil, routing: nil,
            forgetAt: monotonicMilliseconds() + VersionMap.deletesKeptMilliseconds)
    }

    // MARK: - Replay

    func replayMapping(_ definition: [UInt8]) throws(EngineError) {
        let parsed: JSONValue
        do throws(JSONError) { parsed = try JSONValue.parse(definition) } catch {
            throw EngineError(.failed, "corrupt_index_exception", "\(translogDirectory.path): a mapping in the translog is no JSON")
        }
        try mapping.merge(parsed.object ?? JSONObject())
    }

    func replayIndex(id: String, routing: String?, source: [UInt8], version: Int64, seqNo: Int64, primaryTerm: Int64) throws(EngineError) {
        let scratch = borrowScratch(), stripe = versions.stripe(of: id)
        defer { giveBack(scratch) }
        let current = try look(up: id, stripe)
        if let current, current.seqNo >= seqNo { return }
        try parse(source, id: id, routing: routing, scratch, logs: false)
        let written = try put(stripe, scratch, 0) { _ throws(EngineError) in
            (current, NewVersion(id: id, routing: routing, source: source, version: version, seqNo: seqNo, primaryTerm: primaryTerm, logs: false))
        }
        if let full = written.full { try seal([full]) }
    }

    func replayDelete(id: String, version: Int64, seqNo: Int64, primaryTerm: Int64) throws(EngineError) {
        let stripe = versions.stripe(of: id), current = try look(up: id, stripe)
        if let current, current.seqNo >= seqNo { return }
        let slot = acquire(0)
        defer { slot.monitor.unlock() }
        remove(id, current, slot, stripe, version: version, seqNo: seqNo, primaryTerm: primaryTerm)
    }

    // MARK: - Shared steps

    /// What is known of a document. Call with the id's stripe held; to delete at the place found, with a slot's lock
    /// held too: the slot's buffer is then older than any merge that may take the place away.
    func look(up id: String, _ stripe: VersionMap.Stripe) throws(EngineError) -> CurrentDocument? {
        let entry = stripe.entries[id]
        let (segments, isPublished) = state.withLock { s in (s.segments, entry.map { $0.doc != nil && !s.unpublished.contains($0.carrier) } ?? false) }
        // An entry whose buffer is a segment by now may name a place that a merge has taken away.
        if let entry, !isPublished, entry.patches.isEmpty {
            return CurrentDocument(
                version: entry.version, seqNo: entry.seqNo, primaryTerm: entry.primaryTerm,
                place: entry.doc.map { DocumentPlace(segment: entry.carrier, doc: $0) }, routing: entry.routing)
        }
        do throws(StorageError) {
            for segment in segments.reversed() {
                guard let doc = try segment.segment.columns.doc(forID: id), segment.isLive(doc) else { continue }
                let columns = segment.segment.columns
                var current = CurrentDocument(
                    version: try columns.version(of: doc), seqNo: try columns.sequenceNumber(of: doc), primaryTerm: try columns.primaryTerm(of: doc),
                    place: DocumentPlace(segment: segment.number, doc: doc), routing: try columns.routing(of: doc))
                if let entry, !isPublished { (current.version, current.seqNo, current.primaryTerm, current.patches) = (entry.version, entry.seqNo, entry.primaryTerm, entry.patches) }
                return current
            }
        } catch { throw EngineError(error) }
        return nil
    }

    /// The document's source; nil while its buffer is being sealed: wait for `seals`, look it up again.
    /// - Parameter patches: not published yet, to be laid over it.
    func source(at place: DocumentPlace, patches: [FieldPatch]) throws(EngineError) -> [UInt8]? {
        for slot in slots {
            let found: [UInt8]? = slot.monitor.locked { slot.number == place.segment ? slot.writer.source(of: place.doc) : nil }
            if let found { return found }
        }
        guard let segment = state.withLock({ $0.segments }).first(where: { $0.number == place.segment })?.segment else { return nil }
        do throws(StorageError) {
            let source = try segment.columns.source(of: place.doc)
            guard let patched = SourceSplice.replacing(patches, in: source) else {
                throw StorageError(.corrupt, path: segment.file.bytes.path, "a patched field is not in the source of document \(place.doc)")
            }
            return patched
        } catch { throw EngineError(error) }
    }

    /// Fills the scratch's document. New fields are adopted, and logged before anybody can parse by them.
    func parse(_ source: [UInt8], id: String, routing: String?, _ scratch: WriteScratch, logs: Bool) throws(EngineError) {
        for _ in 0..<32 {
            scratch.document.removeAll()
            scratch.document.id = id
            scratch.document.routing = routing
            let update: MappingUpdate?
            do throws(MappingError) {
                // Safe: bytes have no padding.
                update = try unsafe scratch.parser.parse(source.span.bytes, with: mapping.current, into: &scratch.document)
            } catch { throw EngineError(error) }
            guard let update else { return }
            let stands = try mapping.adopt(update) { definition throws(EngineError) in
                if logs { _ = try log(.mapping(definition: JSONValue.object(definition).serialized())) }
            }
            if stands { return }
        }
        throw EngineError(.rejected, "mapping_contention_exception", "the mapping keeps changing under this document; try again")
    }

    /// Buffers and logs the scratch's document as the version that `decide` gives. Call with the id's stripe held.
    func put(
        _ stripe: VersionMap.Stripe, _ scratch: WriteScratch, _ worker: Int,
        _ decide: (WriterSlot) throws(EngineError) -> (CurrentDocument?, NewVersion)
    ) throws(EngineError) -> Written {
        let slot = acquire(worker)
        defer { slot.monitor.unlock() }
        let (current, new) = try decide(slot)
        let doc: DocID
        do throws(MappingError) { doc = try slot.writer.addFields(scratch.document) } catch { throw EngineError(error) }
        let seqNo = new.seqNo ?? nextSeqNo.wrappingAdd(1, ordering: .relaxed).oldValue
        slot.writer.finish(
            doc, id: new.id, source: scratch.document.source, routing: new.routing, version: new.version, seqNo: seqNo, primaryTerm: new.primaryTerm)
        if let place = current?.place { slot.delete(place) }
        slot.maxSeqNo = max(slot.maxSeqNo, seqNo)
        stripe.entries[new.id] = VersionMap.Entry(
            version: new.version, seqNo: seqNo, primaryTerm: new.primaryTerm, carrier: slot.number, doc: doc, routing: new.routing)
        var position = 0
        if new.logs {
            position = try log(.index(
                id: new.id, routing: new.routing, source: new.source, version: new.version, seqNo: seqNo, primaryTerm: new.primaryTerm))
            counters.indexed.wrappingAdd(1, ordering: .relaxed)
        }
        let full = slot.memoryBytes >= settings.bufferBytesMax ? detach(slot) : nil
        return Written(
            id: new.id, version: new.version, seqNo: seqNo, primaryTerm: new.primaryTerm, existed: current?.place != nil, position: position, full: full)
    }

    /// A locked write buffer: the preferred one, or one nobody holds.
    func acquire(_ worker: Int) -> WriterSlot {
        for i in 0..<slots.count {
            let slot = slots[(worker + i) % slots.count]
            if slot.monitor.tryLock() { return slot }
        }
        let slot = slots[worker % slots.count]
        slot.monitor.lock()
        return slot
    }

    func log(_ operation: LoggedOperation) throws(EngineError) -> Int {
        do throws(StorageError) { return try translog.append(operation) } catch { throw fail(error) }
    }
}

/// What became of a buffered document.
struct Written {
    var id: String
    var version: Int64
    var seqNo: Int64
    var primaryTerm: Int64
    var existed: Bool
    var position: Int
    /// The buffer, when this document filled it: to be sealed once the stripe is let go.
    var full: (buffer: DetachedBuffer, ticket: Int)?
    var source: [UInt8]?

    func result(_ operation: WriteOperation) -> WriteResult {
        var result = WriteResult(operation.action, index: operation.index, id: id, outcome: existed ? .updated : .created)
        (result.version, result.seqNo, result.primaryTerm, result.source) = (version, seqNo, primaryTerm, source)
        return result
    }
}
