// Columns, points, stored fields and identifiers of several segments as those of one, without the deleted
// documents. A field at a time: memory is that of one field's values, and some 40 bytes a document.
//
// Stored blocks of which no document was deleted are copied as they lie; others are unpacked and packed anew.

package import Segments
package import Storage
internal import Bytes

package enum ColumnMerge {
    /// Writes everything and sets the columns' bits of `fields`' features.
    /// - Parameter fields: by merged ordinal.
    package static func write(sources: [MergeSource], fields: inout [FieldInfo], to file: SegmentFileWriter) throws(StorageError) {
        let docCount = sources.reduce(0) { $0 + $1.docMap.reduce(0) { $1 == DocID.max ? $0 : $0 + 1 } }
        var columns = ColumnFileWriter(file)
        let places = sourceFields(sources, count: fields.count)
        for field in fields.indices {
            var numbers = NumberGatherer(), keywords: [KeywordSource] = []
            for (s, ordinal) in places[field] {
                let source = sources[s], features = source.segment.fields[ordinal: ordinal].features
                if !features.isDisjoint(with: [.numbers, .points]) { try numbers.add(source, ordinal, features) }
                if features.contains(.keywords), let column = try source.segment.columns.keywords(ordinal) { keywords.append(KeywordSource(source, column)) }
            }
            try columns.append(UInt32(field), numbers.options, docs: numbers.docs, values: numbers.values, docCount: docCount, info: &fields[field])
            if !keywords.isEmpty { try merge(keywords, UInt32(field), docCount: docCount, into: &columns, &fields[field]) }
        }
        try columns.finish()
        try mergeDocuments(sources, to: file)
    }

    /// For each merged field: which sources have it, under which ordinal.
    private static func sourceFields(_ sources: [MergeSource], count: Int) -> [[(source: Int, ordinal: UInt32)]] {
        var places = [[(source: Int, ordinal: UInt32)]](repeating: [], count: count)
        for (s, source) in sources.enumerated() {
            for (ordinal, merged) in source.fieldMap.enumerated() where Int(merged) < count { places[Int(merged)].append((s, UInt32(ordinal))) }
        }
        return places
    }

    // MARK: Keywords

    /// A source's column and which of its terms live documents have.
    private struct KeywordSource {
        let column: KeywordColumn
        let docMap: [DocID]
        /// Source ordinal -> merged ordinal; `UInt32.max`: no live document has the term.
        var ordinals: [UInt32]

        init(_ source: MergeSource, _ column: KeywordColumn) {
            (self.column, docMap) = (column, source.docMap)
            var ordinals = [UInt32](repeating: .max, count: column.termCount)
            column.forEach { doc, o in if Int(doc) < source.docMap.count, source.docMap[Int(doc)] != .max { ordinals[Int(o)] = 0 } }
            self.ordinals = ordinals
        }
    }

    private static func merge(
        _ sources: [KeywordSource], _ field: UInt32, docCount: Int, into columns: inout ColumnFileWriter, _ info: inout FieldInfo
    ) throws(StorageError) {
        var sources = sources
        let terms = try mergeTerms(&sources)
        if terms.isEmpty { return }
        var docs: [DocID] = [], ordinals: [UInt32] = []
        for s in sources {
            s.column.forEach { doc, o in
                guard Int(doc) < s.docMap.count, s.docMap[Int(doc)] != .max else { return }
                docs.append(s.docMap[Int(doc)])
                ordinals.append(s.ordinals[Int(o)])
            }
        }
        try columns.append(field, docs: docs, ordinals: ordinals, terms: terms, docCount: docCount, info: &info)
    }

    /// The used terms of all sources in order; fills in the sources' maps.
    private static func mergeTerms(_ sources: inout [KeywordSource]) throws(StorageError) -> [ArraySlice<UInt8>] {
        var pairs: [(term: [UInt8], source: Int, ordinal: Int)] = []
        for (s, source) in sources.enumerated() {
            try source.column.terms.forEach { ordinal, term throws(StorageError) in
                if source.ordinals[ordinal] == 0 { pairs.append((term, s, ordinal)) }
            }
        }
        // Each source's run is sorted already: timsort merges runs in linear time.
        if sources.count > 1 { pairs.sort { $0.term.lexicographicallyPrecedes($1.term) } }
        var terms: [ArraySlice<UInt8>] = []
        for p in pairs {
            if terms.last.map({ $0 != p.term[...] }) ?? true { terms.append(p.term[...]) }
            sources[p.source].ordinals[p.ordinal] = UInt32(terms.count - 1)
        }
        return terms
    }

    // MARK: Documents

    private static func mergeDocuments(_ sources: [MergeSource], to file: SegmentFileWriter) throws(StorageError) {
        var documents = DocumentsWriter()
        try file.beginSection(.storedBlocks)
        for source in sources {
            try mergeStored(source, into: &documents.stored, file)
            let columns = source.segment.columns, identifiers = try columns.identifiers()
            for (doc, new) in source.docMap.enumerated() where new != DocID.max {
                let doc = DocID(doc)
                documents.append(
                    id: try identifiers.id(of: doc), version: try columns.version(of: doc), sequenceNumber: try columns.sequenceNumber(of: doc),
                    primaryTerm: try columns.primaryTerm(of: doc), routing: try columns.routing(of: doc))
            }
        }
        documents.stored.finish()
        try file.write(documents.stored.takePacked())
        file.endSection()
        try documents.writeAllButBlocks(to: file)
    }

    private static func mergeStored(_ source: MergeSource, into out: inout StoredFieldsWriter, _ file: SegmentFileWriter) throws(StorageError) {
        let stored = try source.segment.columns.storedFields()
        for block in 0..<stored.blockCount {
            let docs = try stored.documents(of: block)
            let packed = try stored.packed(block)
            // A small block is the last of its segment: many such would make many small blocks.
            if packed.count >= StoredFields.blockBytes / 8, docs.allSatisfy({ source.docMap[$0] != .max }),
                source.segment.columns.patches?.containsAny(docs) != true
            {
                out.appendPacked(packed, docs: docs.count)
            } else {
                let (bytes, starts) = try stored.withUnpacked(block) { bytes, starts throws(Corruption) in
                    guard starts.count == docs.count + 1 else { throw Corruption("block does not fit the index", at: 0) }
                    return (bytes, starts)
                }
                for (i, doc) in docs.enumerated() where source.docMap[doc] != .max {
                    out.append(try source.segment.columns.source(of: DocID(doc), stored: bytes[starts[i]..<starts[i + 1]]))
                }
            }
            if out.packed.count >= 1 << 20 { try file.write(out.takePacked()) }
        }
    }
}

/// A number field's live values over the sources, in order of document.
private struct NumberGatherer {
    var docs: [DocID] = []
    var values: [Int64] = []
    var options: ColumnOptions = []

    mutating func add(_ source: MergeSource, _ ordinal: UInt32, _ features: FieldInfo.Features) throws(StorageError) {
        if features.contains(.points) { options.insert(.points) }
        if let column = try source.segment.columns.numbers(ordinal) {
            options.insert(.column)
            if column.isDoubles { options.insert(.doubles) }
            column.forEach { doc, value in
                guard Int(doc) < source.docMap.count, source.docMap[Int(doc)] != .max else { return }
                docs.append(source.docMap[Int(doc)])
                values.append(value)
            }
        } else if let points = try source.segment.columns.points(ordinal) {
            if points.isDoubles { options.insert(.doubles) }
            var pairs: [(doc: DocID, value: Int64)] = []
            points.forEach { value, doc in
                if Int(doc) < source.docMap.count, source.docMap[Int(doc)] != .max { pairs.append((source.docMap[Int(doc)], value)) }
            }
            pairs.sort { $0.doc < $1.doc }
            docs += pairs.map(\.doc)
            values += pairs.map(\.value)
        }
    }
}
