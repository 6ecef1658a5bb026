// The disk as a power cut may have left it, made from what the recording VFS wrote down (CIsothermPowerCut).
//
// What is certain: of a file its bytes at its last sync, of the folder its names at theirs. Everything since may be there or not, sector by sector (512 bytes):
// each holds what it held after some number of the changes since. So later bytes may be there without earlier ones, and one write may be torn.

import CIsothermPowerCut
import IsothermTesting

/// What of the unsynced changes is there after the cut.
enum Remains: String, CaseIterable, Sendable {
    case nothing, everything
    /// Each sector by its own chance.
    case sectors
    /// The end of each file without its beginning, or the other way round.
    case half
}

/// A folder whose databases are recorded while a test uses them.
// Safe: the recorder locks; it lives as long as this.
final class PowerRecorder: @unchecked Sendable {
    private let recorder: OpaquePointer
    let folder: String

    init?(folder: String) {
        guard isotherm_power_register() == 0, let recorder = isotherm_power_start(folder) else { return nil }
        (self.recorder, self.folder) = (recorder, folder)
        isotherm_power_sync_takes(recorder, 300)
    }
    deinit { isotherm_power_end(recorder) }

    /// What SQLite opens.
    var path: String { "file:\(folder)/isotherm.db?vfs=isotherm-power-cut" }
    var count: Int { Int(isotherm_power_count(recorder)) }
    func cut(at operation: Int) { isotherm_power_cut_at(recorder, Int64(operation)) }
    func failSync(_ number: Int) { isotherm_power_fail_sync(recorder, Int64(number)) }
    fileprivate func operation(_ at: Int) -> isotherm_power_operation { isotherm_power_at(recorder, Int64(at)) }

    /// Cuts before and after which what is certain differs: beside syncs and names; then all others.
    func cuts() -> (beside: [Int], others: [Int]) {
        var beside: Set<Int> = [count], others: [Int] = []
        for at in 0..<count where operation(at).kind != isotherm_power_write { beside.formUnion([at, at + 1]) }
        for at in 0..<count where !beside.contains(at) { others.append(at) }
        return (beside.sorted(), others)
    }

    var syncs: Int { (0..<count).count { operation($0).kind == isotherm_power_sync } }
    /// Writes to the database file itself past the first page: checkpoints.
    var checkpointed: Int {
        let file = (0..<count).lazy.map { self.operation($0) }.first { $0.kind == isotherm_power_create && String(cString: $0.name).hasSuffix(".db") }?.inode
        return (0..<count).count { operation($0).kind == isotherm_power_write && operation($0).inode == file && operation($0).offset > 0 }
    }
}

struct PowerDisk {
    private struct Change {
        var offset: Int
        /// Nil cuts the file, or makes it longer with zeros.
        var bytes: UnsafeBufferPointer<UInt8>?
    }
    private struct File {
        var synced: [UInt8] = []
        var changes: [Change] = []
    }
    private static let sector = 512

    private let recorder: PowerRecorder
    private var files: [Int32: File] = [:]
    private var names: [String: Int32] = [:]
    private var named: [(name: String, inode: Int32?)] = []
    /// Operations that happened.
    private(set) var at = 0

    init(_ recorder: PowerRecorder) { self.recorder = recorder }

    mutating func advance(to end: Int) {
        while at < end {
            let operation = recorder.operation(at)
            at += 1
            switch operation.kind {
            case isotherm_power_create:
                files[operation.inode] = File()
                named.append((String(cString: operation.name), operation.inode))
            case isotherm_power_delete: named.append((String(cString: operation.name), nil))
            case isotherm_power_write:
                files[operation.inode]?.changes.append(Change(offset: Int(operation.offset), bytes: UnsafeBufferPointer(start: operation.bytes, count: Int(operation.length))))
            case isotherm_power_truncate: files[operation.inode]?.changes.append(Change(offset: Int(operation.offset)))
            case isotherm_power_sync:
                guard var file = files.removeValue(forKey: operation.inode) else { break }
                for change in file.changes { PowerDisk.apply(change, to: &file.synced) }
                file.changes = []
                files[operation.inode] = file
            case isotherm_power_failed_sync:
                // The worst a kernel does: the pages are dropped from what is still to be written, the length stays.
                guard var file = files.removeValue(forKey: operation.inode) else { break }
                var all = file.synced
                for change in file.changes { PowerDisk.apply(change, to: &all) }
                PowerDisk.resize(&file.synced, to: all.count)
                file.changes = []
                files[operation.inode] = file
            default:
                for (name, inode) in named { names[name] = inode }
                named = []
            }
        }
    }

    /// The files by name.
    func image(_ remains: Remains, _ random: inout Seeded) -> [String: [UInt8]] {
        var names = names
        var gone: Set<String> = []
        for (name, inode) in named {
            switch remains {
            case .nothing: continue
            case .everything: names[name] = inode
            // A name's changes come in order; from one that is missing on all are.
            case .sectors, .half:
                if Bool.random(using: &random) { gone.insert(name) }
                if !gone.contains(name) { names[name] = inode }
            }
        }
        var made: [String: [UInt8]] = [:]
        for (name, inode) in names.sorted(by: { $0.key < $1.key }) {
            if let file = files[inode] { made[name] = PowerDisk.content(file, remains, &random) }
        }
        return made
    }

    // MARK: -

    private static func content(_ file: File, _ remains: Remains, _ random: inout Seeded) -> [UInt8] {
        guard remains != .nothing, !file.changes.isEmpty else { return file.synced }
        var whole = file.synced, sizes = [whole.count]
        for change in file.changes {
            apply(change, to: &whole)
            sizes.append(whole.count)
        }
        if remains == .everything { return whole }
        // How many of the changes each sector has seen; lengths likewise.
        let longest = sizes.max() ?? 0, sectors = longest / sector + 1, count = file.changes.count
        let pivot = Int.random(in: 0...sectors, using: &random), endIsThere = Bool.random(using: &random)
        let seen = (0..<sectors).map { at in
            if remains == .half { return (at >= pivot) == endIsThere ? count : 0 }
            return switch Int.random(in: 0..<8, using: &random) {
            case 0..<4: count
            case 4..<7: 0
            default: Int.random(in: 0...count, using: &random)
            }
        }
        var bytes = file.synced
        resize(&bytes, to: longest)
        for (number, change) in file.changes.enumerated() {
            let end = change.bytes.map { change.offset + $0.count } ?? longest
            var start = change.offset
            while start < end {
                let next = min(end, (start / sector + 1) * sector)
                if seen[start / sector] > number {
                    if let source = change.bytes {
                        for at in start..<next { bytes[at] = source[at - change.offset] }
                    } else {
                        for at in start..<next { bytes[at] = 0 }
                    }
                }
                start = next
            }
        }
        resize(&bytes, to: remains == .half ? (endIsThere ? whole.count : file.synced.count) : sizes[Int.random(in: 0..<sizes.count, using: &random)])
        return bytes
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        guard let source = change.bytes else { return resize(&bytes, to: change.offset) }
        if change.offset + source.count > bytes.count { resize(&bytes, to: change.offset + source.count) }
        bytes.replaceSubrange(change.offset..<change.offset + source.count, with: source)
    }

    private static func resize(_ bytes: inout [UInt8], to count: Int) {
        if count < bytes.count { bytes.removeLast(bytes.count - count) } else { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
    }
}
