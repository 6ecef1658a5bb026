// Which version a write gets, and when it is refused: Elasticsearch's rules for internal and external
// versions, compare-and-set by sequence number, and op_type create. Pure.

extension WriteOperation {
    package static let idBytesMax = 512

    /// What is wrong with the request whatever the document is.
    func check() throws(EngineError) {
        if let id {
            if id.isEmpty { throw .illegalArgument("if _id is specified it must not be empty") }
            if id.utf8.count > Self.idBytesMax {
                throw .illegalArgument("id [\(id.prefix(64))...] is too long, must be no longer than \(Self.idBytesMax) bytes but was: \(id.utf8.count)")
            }
        } else if action == .update || action == .delete { throw .validation("id is missing") }
        if (ifSeqNo == nil) != (ifPrimaryTerm == nil) {
            throw .validation(ifSeqNo == nil ? "ifSeqNo is unassigned, but primary term is [\(ifPrimaryTerm ?? 0)]" : "ifSeqNo is set, but primary term is [0]")
        }
        switch versionType {
        case .internal:
            if version != nil {
                throw .validation(
                    "internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
            }
        case .external, .externalGte:
            guard let version, version >= 0 else { throw .validation("illegal version value [\(version ?? -3)] for version type [\(versionType.name)]") }
            if action == .update { throw .validation("version type [\(versionType.name)] is not supported by the update API") }
            if action == .create { throw .validation("create operations only support internal versioning. use index instead") }
            if ifSeqNo != nil { throw .validation("compare and write operations can not use versioning") }
        }
        if action == .create, ifSeqNo != nil { throw .validation("create operations do not support compare and set. use index instead") }
    }

    /// - Throws: `conflict` when `if_seq_no` does not hold.
    func checkSequence(_ current: CurrentDocument?, id: String) throws(EngineError) {
        guard let ifSeqNo, let ifPrimaryTerm else { return }
        guard let current, current.place != nil else {
            throw conflict(id, "required seqNo [\(ifSeqNo)], primary term [\(ifPrimaryTerm)]. but no document was found")
        }
        if current.seqNo != ifSeqNo || current.primaryTerm != ifPrimaryTerm {
            throw conflict(
                id, "required seqNo [\(ifSeqNo)], primary term [\(ifPrimaryTerm)]. current document has seqNo [\(current.seqNo)] and primary term [\(current.primaryTerm)]")
        }
    }

    /// The version this write makes.
    func nextVersion(after current: CurrentDocument?, id: String) throws(EngineError) -> Int64 {
        try checkSequence(current, id: id)
        if action == .create, let current, current.place != nil {
            throw conflict(id, "document already exists (current version [\(current.version)])")
        }
        let last = current?.version ?? 0
        switch versionType {
        case .internal: return last &+ 1
        case .external, .externalGte:
            let wanted = version ?? 0
            if current != nil, versionType == .external ? last >= wanted : last > wanted {
                throw conflict(
                    id, "current version [\(last)] is higher \(versionType == .external ? "or equal to" : "than") the one provided [\(wanted)]")
            }
            return wanted
        }
    }

    private func conflict(_ id: String, _ why: String) -> EngineError {
        EngineError(.conflict, "version_conflict_engine_exception", "[\(id)]: version conflict, \(why)", index: index)
    }
}

extension WriteOperation.VersionType {
    var name: String { rawValue }
}

extension EngineError {
    /// As Elasticsearch words a request it refuses before acting.
    static func validation(_ what: String) -> EngineError {
        EngineError(.badRequest, "action_request_validation_exception", "Validation Failed: 1: \(what);")
    }
}
