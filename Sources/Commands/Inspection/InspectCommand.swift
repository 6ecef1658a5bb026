// `isotherm inspect FILE`: any file of a data folder in the words of its format's table.

package import ArgumentParser
import Bytes
import Indexing
internal import JSON
import Segments
import Storage

package struct InspectCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print a segment, commit point, live docs, patches, translog, Parquet file or description (JSON) in words.")

    @Argument(help: "The file.") var file: String
    @Option(help: "At most so many rows of any list.") var rows = 50

    package init() {}

    package func validate() throws {
        if rows < 0 { throw ValidationError("--rows is 0 or more") }
    }

    package func run() async throws {
        let place = try FilePlace(file)
        switch try place.form() {
        case .segment: try segment(place)
        case .commit: try commit(place)
        case .liveDocs: try liveDocs(place)
        case .patches: try patches(place)
        case .translog: try TranslogInspection(place, rows: rows).print()
        case .parquet: try await ParquetInspection(place, rows: rows).print()
        case .definition:
            let description = try DescriptionInspection(place.bytes(), name: place.name, path: file)
            Terminal.line(description.text)
            if description.isSummed { Terminal.remark("checksum sound") }
        case .unknown(let what): throw CommandError("\(file): not a file of a data folder (\(what))")
        }
    }

    // MARK: -

    private func segment(_ place: FilePlace) throws {
        let file = try SegmentFile.open(place.directory, name: place.name)
        let segment = try Segment(file)
        Terminal.line("segment file, format version \(SegmentFile.version), \(grouped(file.bytes.count)) bytes")
        Terminal.line("segment id   \(file.id)")
        Terminal.line("documents    \(grouped(segment.docCount)), deleted ones included")
        Terminal.line("checksums    \((try? file.verifyAll()) == nil ? "DAMAGED: isotherm check names the place" : "sound")")
        Terminal.line("\nsections\n" + "offset".padded(12, left: true) + "bytes".padded(13, left: true) + "  section")
        let sections = file.sections
        for section in sections.prefix(rows) {
            let kind = SectionKind(rawValue: section.kind).map { String(describing: $0) } ?? "unknown \(section.kind)"
            let field = section.kind >= 40 ? " of " + segment.fields[ordinal: section.field].path : ""
            Terminal.line("\(String(section.offset).padded(12, left: true))\(grouped(section.length).padded(13, left: true))  \(kind)\(field)")
        }
        rest(sections.count)
        bytesByKind(sections)
        fields(segment)
    }

    private func bytesByKind(_ sections: [(kind: UInt16, field: UInt32, offset: Int, length: Int)]) {
        var sums: [UInt16: (count: Int, bytes: Int)] = [:]
        for section in sections { sums[section.kind] = ((sums[section.kind]?.count ?? 0) + 1, (sums[section.kind]?.bytes ?? 0) + section.length) }
        Terminal.line("\nbytes by kind")
        for (kind, sum) in sums.sorted(by: { $0.value.bytes > $1.value.bytes }) {
            let name = SectionKind(rawValue: kind).map { String(describing: $0) } ?? "unknown \(kind)"
            Terminal.line("\(grouped(sum.bytes).padded(14, left: true))  \(name)\(sum.count > 1 ? ", \(sum.count) sections" : "")")
        }
    }

    private func fields(_ segment: Segment) {
        let names: [(FieldInfo.Features, String)] = [
            (.postings, "postings"), (.frequencies, "frequencies"), (.positions, "positions"), (.norms, "norms"), (.constantNorms, "constant norms"),
            (.numbers, "numbers"), (.keywords, "keywords"), (.points, "points"), (.multiValued, "multi-valued"),
        ]
        Terminal.line("\nfields\n" + "docs".padded(12, left: true) + "terms".padded(12, left: true) + "tokens".padded(14, left: true) + "  path (kind): features")
        for field in segment.fields.all.prefix(rows) {
            let features = names.filter { field.features.contains($0.0) }.map(\.1).joined(separator: ", ")
            Terminal.line(grouped(field.docCount).padded(12, left: true) + grouped(field.termCount).padded(12, left: true)
                + grouped(field.sumTotalTermFreq).padded(14, left: true) + "  \(field.path) (\(field.kind)): \(features)")
        }
        rest(segment.fields.count)
    }

    private func commit(_ place: FilePlace) throws {
        let commit = try CommitPoint.decode(try place.bytes(), path: file)
        Terminal.line("commit point, format version \(CommitPoint.version), generation \(commit.generation)")
        Terminal.line("largest sequence number    \(commit.maxSeqNo)")
        Terminal.line("translog to replay from    generation \(commit.translogGeneration)")
        Terminal.line("number of the next segment \(commit.nextSegment)")
        for (key, value) in commit.notes.sorted(by: { $0.key < $1.key }) { Terminal.line("note \(key): \(value)") }
        Terminal.line("\nsegments\n" + "documents".padded(12, left: true) + "deleted".padded(10, left: true) + "bytes".padded(15, left: true) + "  name, id, live docs, patches")
        for s in commit.segments.prefix(rows) {
            let live = s.liveGeneration == 0 ? "all alive" : LiveDocs.fileName(segment: s.name, generation: s.liveGeneration)
            Terminal.line(grouped(s.docCount).padded(12, left: true) + grouped(s.deletedCount).padded(10, left: true)
                + grouped(s.length).padded(15, left: true) + "  \(s.name), \(s.id), \(live)"
                + (s.patchGeneration == 0 ? "" : ", \(SegmentPatches.fileName(segment: s.name, generation: s.patchGeneration))"))
        }
        rest(commit.segments.count)
    }

    private func liveDocs(_ place: FilePlace) throws {
        let bytes = try place.bytes()
        guard bytes.count >= 44 else { throw CommandError("\(file): too short to be a live docs file") }
        do throws(Corruption) {
            var reader = ByteReader(bytes.span.bytes, at: 12)
            let version = try reader.fixed(UInt32.self)
            let id = SegmentID(high: try reader.fixed(), low: try reader.fixed())
            let docs = try reader.fixed(UInt32.self), deleted = try reader.fixed(UInt32.self)
            Terminal.line("live docs, format version \(version)\nsegment id   \(id)\ndocuments    \(grouped(Int(docs)))\ndeleted      \(grouped(Int(deleted)))")
        } catch { throw StorageError(error, path: file) }
    }

    private func patches(_ place: FilePlace) throws {
        let bytes = try place.bytes(), id: SegmentID, docs: Int
        do throws(Corruption) {
            var reader = ByteReader(bytes.span.bytes, at: 16)
            id = SegmentID(high: try reader.fixed(), low: try reader.fixed())
            docs = Int(try reader.fixed(UInt32.self))
        } catch { throw StorageError(error, path: file) }
        let patches = try SegmentPatches.decode(bytes, id: id, docCount: docs, fieldCount: Int(UInt32.max), path: file)
        Terminal.line("patches of updatable columns, format version \(SegmentPatches.version)\nsegment id   \(id)\ndocuments    \(grouped(docs))\npatched      \(grouped(patches.count))")
        Terminal.line("\n" + "document".padded(12, left: true) + "version".padded(10, left: true) + "sequence".padded(12, left: true) + "  field: value")
        var shown = 0
        patches.forEach { p in
            shown += 1
            if shown > rows { return }
            let values = p.values.map { "\($0.field): \($0.value)" }.joined(separator: ", ")
            Terminal.line("\(p.doc)".padded(12, left: true) + "\(p.version)".padded(10, left: true) + "\(p.seqNo)".padded(12, left: true) + "  " + values)
        }
        rest(patches.count)
    }

    private func rest(_ count: Int) {
        if count > rows { Terminal.line("… and \(grouped(count - rows)) more; --rows \(count) shows all") }
    }
}

/// JSON of a data folder. Of `index.json` and `repositories.json` line 1 is the description, line 2 its checksum (docs/formats/README.md).
package struct DescriptionInspection {
    /// Indented.
    package let text: String
    /// Whether it has a checksum; then that holds.
    package let isSummed: Bool

    package init(_ bytes: [UInt8], name: String, path: String) throws {
        func damaged(_ reason: String, _ offset: Int) -> StorageError { StorageError(.corrupt, path: path, reason, at: offset) }
        isSummed = name == "index.json" || name == "repositories.json"
        var body = bytes
        if isSummed {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw damaged("cut short", bytes.count) }
            body = Array(bytes[..<end])
            let digits = String(CRC32C.of(body), radix: 16), sum = String(repeating: "0", count: 8 - digits.count) + digits
            guard bytes[end...].elementsEqual("\n{\"crc32c\":\"\(sum)\"}\n".utf8) else { throw damaged("checksum differs", end + 1) }
        }
        do throws(JSONError) {
            text = String(decoding: try JSONValue.parse(body).serialized(pretty: true), as: UTF8.self)
        } catch { throw damaged(error.message, error.offset) }
    }
}
