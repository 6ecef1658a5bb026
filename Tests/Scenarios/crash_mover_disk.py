"""The list of operations that kill_at.c wrote down, and the disks that a power cut may have left after any of them.

What is certain: of a file its bytes at its last sync, of a folder its names at its own last sync; a folder whose name is lost takes everything in it along. All that
happened since may be there or not: bytes sector by sector (512), each as after some number of the writes since, so that later bytes may be there without earlier ones
and one write may be torn; names one by one, each up to some change of it. A rename happens whole or not at all, as on file systems with a journal.

    nothing    what is certain, and no more
    sectors    every sector and every name by its own chance
    half       the end of each file without its beginning, or the other way round

Standard library only.
"""
import os
import struct

KINDS = " create write truncate sync rename link unlink mkdir rmdir request lock".split(" ")
HEAD = struct.Struct("<IIQQqIIII")
SECTOR = 512
REMAINS = ("nothing", "sectors", "half")


class Operation:
    __slots__ = ("number", "kind", "path", "other", "offset", "bytes", "is_folder")

    def __init__(self, number, kind, path, other, offset, content, is_folder):
        self.number, self.kind, self.path, self.other, self.offset, self.bytes, self.is_folder = number, kind, path, other, offset, content, is_folder


def read_record(file, root):
    """Every operation in its order, paths relative to the root."""
    with open(file, "rb") as f:
        content = f.read()
    at, operations = 0, []
    while at < len(content):
        magic, kind, number, _, offset, path, other, size, is_folder = HEAD.unpack_from(content, at)
        assert magic == 0x4C4C494B, "the record is damaged"
        at += HEAD.size
        names = []
        for count in (path, other):
            name = content[at:at + count].decode()
            names.append(name[len(root):].strip("/") if name.startswith(root) else name)
            at += count
        operations.append(Operation(number, KINDS[kind], names[0], names[1], offset, content[at:at + size], bool(is_folder)))
        at += size
    return operations


def traits(kind, path):
    """An operation's kind and file for people: of a request its method, and what it is about."""
    if kind != "request":
        return kind, file_class(path)
    method, _, url = path.partition(" ")
    # http://host/bucket/prefix/archive/key, or .../staging/key
    what, _, key = url.split("?")[0].split("/", 5)[-1].partition("/")
    return method, file_class(("cold/" if what == "archive" else "staging/") + key)


def file_class(path):
    """What a file is, for people."""
    name = path.rpartition("/")[2]
    if path.startswith("keys"):
        return "keys"
    if path.startswith("hot/") or path == "hot":
        return {"isotherm.db": "database", "isotherm.db-wal": "database log", "isotherm.db-shm": "database shm"}.get(name, "hot, folder")
    if "/.hoodie" in "/" + path or path.endswith(".hoodie_partition_metadata"):
        return "hudi timeline"
    if name.endswith(".parquet") or "year=" in path:
        return "hudi base file"
    if "moves/" in path or path.startswith("staging"):
        return "staging"
    if path.startswith("cold") or "/cold/" in path:
        return "hudi base file"
    if "/translog" in path:
        return "index translog"
    if name.endswith((".seg", ".live", ".upd")):
        return "index segment"
    if path.startswith("indexes"):
        return "index catalogue" if not name.startswith("commit-") else "index commit"
    return "data folder"


class File:
    __slots__ = ("synced", "changes")

    def __init__(self, synced=b""):
        self.synced, self.changes = synced, []


class Folder:
    __slots__ = ("synced", "names", "changes")

    def __init__(self):
        self.synced, self.names, self.changes = {}, {}, []


def write_at(content, offset, data):
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def resize(content, size):
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class Disk:
    def __init__(self, base, operations):
        """The base folder, all of it on the disk; nothing has happened yet."""
        self.operations, self.at = operations, 0
        self.root = self._load(base)

    def _load(self, path):
        folder = Folder()
        for entry in os.scandir(path):
            if entry.is_dir():
                node = self._load(entry.path)
            elif entry.name.endswith("-shm"):
                continue
            else:
                with open(entry.path, "rb") as f:
                    node = File(f.read())
            folder.names[entry.name] = folder.synced[entry.name] = node
        return folder

    def _parent(self, path):
        folder, _, name = path.rpartition("/")
        node = self.root
        for part in folder.split("/") if folder else []:
            node = node.names[part]
        return node, name

    def _node(self, path):
        if not path:
            return self.root
        parent, name = self._parent(path)
        return parent.names[name]

    def advance(self, end):
        """Until `end` operations have happened."""
        while self.at < end:
            self._do(self.operations[self.at])
            self.at += 1

    def _do(self, o):
        if o.kind in ("request", "lock") or o.path.endswith(("-shm", " (deleted)")):
            return
        if o.kind in ("create", "mkdir"):
            parent, name = self._parent(o.path)
            parent.names[name] = node = Folder() if o.kind == "mkdir" else File()
            parent.changes.append((None, name, node))
        elif o.kind == "write":
            self._node(o.path).changes.append((o.offset, o.bytes))
        elif o.kind == "truncate":
            self._node(o.path).changes.append((o.offset, None))
        elif o.kind == "sync":
            node = self._node(o.path)
            if isinstance(node, Folder):
                node.synced, node.changes = dict(node.names), []
            elif node.changes:
                content = bytearray(node.synced)
                for change in node.changes:
                    self._apply(content, change)
                node.synced, node.changes = bytes(content), []
        elif o.kind in ("unlink", "rmdir"):
            parent, name = self._parent(o.path)
            del parent.names[name]
            parent.changes.append((None, name, None))
        elif o.kind == "link":
            parent, name = self._parent(o.other)
            parent.names[name] = node = self._node(o.path)
            parent.changes.append((None, name, node))
        elif o.kind == "rename":
            (source, old), (target, new) = self._parent(o.path), self._parent(o.other)
            node = target.names[new] = source.names.pop(old)
            assert source is target, "a rename from folder to folder: not modelled"
            target.changes.append((old, new, node))
        else:
            raise AssertionError(o.kind)

    @staticmethod
    def _apply(content, change):
        offset, data = change
        if data is None:
            resize(content, offset)
        else:
            write_at(content, offset, data)

    def image(self, remains, dice, target):
        """Writes the disk as it may be found now into a folder."""
        self._image(self.root, remains, dice, target)

    def differs(self, path):
        """How a real folder differs from all that was written down, in words; "" when it does not: then nothing went past the record."""
        expected, wrong = self._whole(self.root, ""), []
        for folder, _, names in os.walk(path):
            for name in names:
                inner = os.path.relpath(f"{folder}/{name}", path)
                if name.endswith("-shm"):
                    continue
                with open(f"{folder}/{name}", "rb") as f:
                    if expected.pop(inner, None) != f.read():
                        wrong.append(f"{inner} is another")
        return ", ".join(wrong + [f"{name} is not there" for name in expected])

    def _whole(self, folder, at):
        found = {}
        for name, node in folder.names.items():
            inner = f"{at}/{name}".strip("/")
            if isinstance(node, Folder):
                found |= self._whole(node, inner)
            else:
                content = bytearray(node.synced)
                for change in node.changes:
                    self._apply(content, change)
                found[inner] = bytes(content)
        return found

    def _image(self, folder, remains, dice, target):
        os.makedirs(target, exist_ok=True)
        for name, node in self._names(folder, remains, dice).items():
            path = f"{target}/{name}"
            if isinstance(node, Folder):
                self._image(node, remains, dice, path)
            else:
                with open(path, "wb") as f:
                    f.write(self._content(node, remains, dice))

    @staticmethod
    def _names(folder, remains, dice):
        names = dict(folder.synced)
        if remains == "nothing":
            return names
        missing = set()
        for old, new, node in folder.changes:
            # A name's changes come in order; from one that is missing on all are.
            if new in missing or old in missing or dice.random() < 0.5:
                missing |= {new, old} - {None}
            elif node is None:
                names.pop(new, None)
            else:
                if old is not None:
                    names.pop(old, None)
                names[new] = node
        return names

    @classmethod
    def _content(cls, file, remains, dice):
        if remains == "nothing" or not file.changes:
            return file.synced
        whole, sizes = bytearray(file.synced), [len(file.synced)]
        for change in file.changes:
            cls._apply(whole, change)
            sizes.append(len(whole))
        longest, count = max(sizes), len(file.changes)
        sectors = longest // SECTOR + 1
        if remains == "half":
            pivot, end_is_there = dice.randint(0, sectors), dice.random() < 0.5
            seen = [count if (at >= pivot) == end_is_there else 0 for at in range(sectors)]
            size = len(whole) if end_is_there else len(file.synced)
        else:
            seen = [count if r < 0.5 else 0 if r < 0.875 else dice.randint(0, count) for r in (dice.random() for _ in range(sectors))]
            size = dice.choice(sizes)
        content = bytearray(file.synced)
        resize(content, longest)
        for number, (offset, data) in enumerate(file.changes):
            end = longest if data is None else offset + len(data)
            start = offset
            while start < end:
                following = min(end, (start // SECTOR + 1) * SECTOR)
                if seen[start // SECTOR] > number:
                    content[start:following] = bytes(following - start) if data is None else data[start - offset:following - offset]
                start = following
        resize(content, size)
        return bytes(content)
