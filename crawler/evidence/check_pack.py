"""Check an evidence pack: `python3 check_pack.py PACK.zip`. Needs Python 3.8 or newer, and nothing else; works offline.

Every byte of a pack is determined by its files: the ZIP file is not compressed, and the order, the times and all other
fields are fixed. This script computes each byte again and names what differs. Then it compares the WARC records, the rows and the
texts, and follows the path of each record and revision to the root of the seal that covers it, and the chain of the seals.

Exit codes: 0 the pack is intact, 1 it cannot be read as a pack, 2 wrong usage, 5 it differs from what was written.

Boundary: reads one file, with the standard library alone. `vna verify PACK.zip` calls `check`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = 1  # of the pack; a reader of an older format cannot check a newer one
MANIFEST = "manifest.json"
SEALS = "seals.jsonl"
MOST_BYTES = (1 << 32) - 1  # larger ZIP files need fields that a pack does not have
MOST_FILES = 65_535
ROW_DIGITS = 8  # hexadecimal digits of the digest of a row
_MOST_MANIFEST = 50_000_000
_NAME = re.compile(r"[\w./-]{1,200}", re.ASCII)  # of a file in a pack
_OF_NO_ARTICLE = re.compile(r"(manifest\.json|README\.md|check_pack\.py|seals\.jsonl|timestamps/[0-9a-f]{64}\.tsr)")
_MOST_RECORD = 60_000_000  # a WARC record, decompressed; see crawler/warc/reading.py
_FLAGS = 0x800  # names are UTF-8
_DATE = 0x21  # 1 January 1980, the first day that a ZIP file can state
_COMMENT = re.compile(rb"sha256:[0-9a-f]{64}")
_UNSEALED = "not sealed yet"
_UNPROVED = "sealed, but not proved, because other records in the same file were damaged"
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)


class NotAPack(Exception):
    """The file cannot be read as an evidence pack; the message says why."""


def local_header(name: str, size: int, crc: int) -> bytes:
    """Return the bytes before the content of a file in a ZIP file."""
    encoded = name.encode()
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, _FLAGS, 0, 0, _DATE, crc, size, size, len(encoded), 0) + encoded


def directory_entry(name: str, size: int, crc: int, offset: int) -> bytes:
    """Return the entry of a file in the directory of a ZIP file; `offset` is that of its local header."""
    header = local_header(name, size, crc)
    return b"PK\x01\x02\x14\x00" + header[4:30] + struct.pack("<3H2L", 0, 0, 0, 0, offset) + header[30:]


def end_record(files: int, offset: int, size: int, manifest: bytes) -> bytes:
    """Return the last bytes of the ZIP file, which end with the digest of the manifest."""
    comment = _comment(manifest)
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, files, files, size, offset, len(comment)) + comment


def _comment(manifest: bytes) -> bytes:
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}".encode()


def row_digests(content: bytes) -> str:
    """Return the first digits of the digest of each line of a file, one after the other."""
    return "".join(hashlib.sha256(line).hexdigest()[:ROW_DIGITS] for line in content.splitlines())


def canonical(value: Any) -> bytes:
    """Return JSON as it is hashed: without spaces, keys in alphabetical order."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def climb(leaf: bytes, path: Iterable[str]) -> str:
    """Return the root of a Merkle tree (RFC 6962) from the bytes of a leaf and the steps of its path."""
    found = hashlib.sha256(b"\0" + leaf).digest()
    for step in path:
        other = bytes.fromhex(step[1:])
        found = hashlib.sha256(b"\1" + (other + found if step[0] == "L" else found + other)).digest()
    return found.hex()


def check(path: Path) -> tuple[dict[str, Any], list[str], list[str]]:
    """Check a pack; return its manifest, a sentence for each difference, and a sentence for each seal that covers it.

    Raises:
        NotAPack: the file is not a pack, or a newer version wrote it.

    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would never be opened, and a device may have no end
            raise NotAPack("it is a folder" if stat.S_ISDIR(found.st_mode) else "it is not a regular file")
        if found.st_size > MOST_BYTES:
            raise NotAPack(f"{found.st_size} bytes are more than a pack can have")
        with path.open("rb") as file:
            return _PackCheck(path, file, found.st_size).run()
    except OSError as error:
        raise NotAPack(f"cannot be read: {error.strerror}") from error


class _PackCheck:
    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        self._is_marked = False  # as a pack
        self._faults: list[str] = []
        self._notes: list[str] = []

    def run(self) -> tuple[dict[str, Any], list[str], list[str]]:
        """Return the manifest, the faults and the notes."""
        try:
            raw = self._manifest_bytes()
            manifest = _manifest(raw)
        except ValueError as error:
            if not self._is_marked:
                raise NotAPack(f"{error}, so not an evidence pack") from None
            return {}, [*self._faults, str(error)], []
        if sum(one["size"] for one in manifest["files"]) > self._size:
            self._compare_names(manifest)
        elif self._is_canonical(manifest, raw):
            self._check_contents(manifest)
        return manifest, self._faults, self._notes

    def _manifest_bytes(self) -> bytes:
        """Return the bytes of the manifest, which is the first file; a ValueError says why they cannot be read."""
        head, tail = self._read(0, 30 + len(MANIFEST)), self._read(self._size - 71, 71)
        size = struct.unpack("<L", head[22:26])[0] if len(head) > 30 else 0
        raw = self._read(len(head), size) if size <= _MOST_MANIFEST else b""
        self._is_marked = bool(_COMMENT.fullmatch(tail))
        if _comment(raw) == tail:
            return raw
        try:  # by the directory of the ZIP file, as of a pack that another program packed again
            with zipfile.ZipFile(self._path) as packed:
                comment, entry = packed.comment, packed.NameToInfo.get(MANIFEST)
                self._is_marked = bool(_COMMENT.fullmatch(comment)) or "check_pack.py" in packed.NameToInfo
                raw = _content(packed, entry) if entry and entry.file_size <= _MOST_MANIFEST else b""
        except _UNREADABLE:
            self._is_marked |= head[30:] == MANIFEST.encode()
            damaged = f"{MANIFEST}, its header or the directory of the ZIP file is damaged"
            raise ValueError(damaged if self._is_marked else "not a ZIP file that can be read") from None
        if not raw:
            raise ValueError(f"{MANIFEST} is larger than that of any pack" if entry else f"no {MANIFEST} in it")
        if _COMMENT.fullmatch(comment) and comment != _comment(raw):
            self._faults.append(f"{MANIFEST} differs from its digest at the end of the file")
        return raw

    def _is_canonical(self, manifest: dict[str, Any], raw: bytes) -> bool:
        """Compare every byte with the one that the manifest determines; note each part that differs."""
        own = {"name": MANIFEST, "size": len(raw), "crc32": zlib.crc32(raw), "sha256": _comment(raw)[7:].decode()}
        entries: list[tuple[str, bytes]] = []
        position = headers = 0
        for one in (own, *manifest["files"]):
            name, size, crc = one["name"], one["size"], one["crc32"]
            header = local_header(name, size, crc)
            header_differs = self._read(position, len(header)) != header
            content = self._read(position + len(header), size)
            content_differs = (hashlib.sha256(content).hexdigest(), zlib.crc32(content)) != (one["sha256"], crc)
            headers += header_differs
            if (header_differs and content_differs) or headers > 1:  # no single change of a byte
                self._compare_names(manifest)
                return False
            if header_differs:
                self._faults.append(f"the header of {name} differs (byte {position} and after)")
            if content_differs:
                self._content_fault(one, content)
            entries.append((name, directory_entry(name, size, crc, position)))
            position += len(header) + size
        start = position
        for name, entry in entries:
            if self._read(position, len(entry)) != entry:
                self._faults.append(f"the directory entry of {name} differs (byte {position} and after)")
            position += len(entry)
        end = end_record(len(entries), start, position - start, raw)
        if self._read(position, len(end)) != end:
            self._faults.append(f"the end record of the ZIP file differs (byte {position} and after)")
        if (more := self._size - position - len(end)) > 0:
            self._faults.append(f"{more} additional bytes at the end of the file")
        return not self._faults

    def _content_fault(self, listed: dict[str, Any], content: bytes) -> None:
        right = str(listed.get("rows", ""))
        found = row_digests(content) if right else ""
        step = range(0, len(right) + 1, ROW_DIGITS)
        wrong = [i for i in step if found[i : i + ROW_DIGITS] != right[i : i + ROW_DIGITS]]
        where = f": row {wrong[0] // ROW_DIGITS + 1}" if wrong else ": the end of a row" if right else ""
        self._faults.append(f"{listed['name']} differs from its digest in {MANIFEST}{where}")

    def _compare_names(self, manifest: dict[str, Any]) -> None:
        """Name the files that were added, removed or changed when the layout of the ZIP file is another one."""
        right = {str(one["name"]): one for one in manifest["files"]}
        try:
            with zipfile.ZipFile(self._path) as packed:
                there = {entry.filename: entry for entry in packed.infolist()}
                if any(entry.compress_type for entry in there.values()):  # they are not unpacked: it may be a bomb
                    self._faults.append("the files are compressed: a pack is as large as its files together")
                    return
                self._faults.append("the layout of the ZIP file differs: bytes were added or removed")
                self._faults += [f"additional file: {name}" for name in sorted(there) if name not in {*right, MANIFEST}]
                self._faults += [f"missing file: {name}" for name in sorted(right) if name not in there]
                for name in sorted(set(right) & set(there)):
                    if (size := there[name].file_size) != right[name]["size"]:
                        self._faults.append(f"{name} has {size} bytes instead of {right[name]['size']}")
                    elif hashlib.sha256(_content(packed, there[name])).hexdigest() != right[name]["sha256"]:
                        self._faults.append(f"{name} differs from its digest in {MANIFEST}")
        except _UNREADABLE as error:
            self._faults.append(f"its files cannot be read: {error or type(error).__name__}")

    def _check_contents(self, manifest: dict[str, Any]) -> None:
        """Compare the WARC records, the rows, the texts and the seals of each article with each other."""
        sealed: Counter[str] = Counter()
        self._faults += _unlisted(manifest)
        with zipfile.ZipFile(self._path) as packed:
            seals = self._seals(packed)
            revisions = Counter(name.partition("/revisions/")[0] for name in packed.namelist() if "/revisions/" in name)
            for key in manifest["articles"]:
                try:
                    self._faults += _article_faults(packed, key, revisions[f"articles/{key}"])
                    self._faults += _proof_faults(packed, f"articles/{key}", seals, sealed)
                except _MALFORMED as error:
                    self._faults.append(f"the files of article {key} are incomplete or cannot be read: {error}")
            stamped = {name[11:-4] for name in packed.namelist() if name.startswith("timestamps/")}
        for digest, count in sealed.items():
            note, stamp = digest, f"; time stamp: timestamps/{digest}.tsr" if digest in stamped else ""
            if digest in seals:
                note = f"sealed on {str(seals[digest].get('at'))[:10]}, root {seals[digest]['root']}, seal {digest}"
            self._notes.append(f"{note}: {count} records and revisions{stamp}")

    def _seals(self, packed: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
        """Return the seals by digest; note each one that does not continue the chain."""
        seals: dict[str, dict[str, Any]] = {}
        previous = ""
        for number, line in enumerate(packed.read(SEALS).splitlines() if SEALS in packed.namelist() else [], start=1):
            try:
                seal = json.loads(line)
                digest = seal.pop("digest")
                if hashlib.sha256(canonical(seal)).hexdigest() != digest or seal["previous"] != previous:
                    self._faults.append(f"{SEALS}, row {number}: the seal does not continue the chain")
                previous, seals[digest] = digest, {"root": "", **seal}
            except _MALFORMED:
                self._faults.append(f"{SEALS}, row {number}: not a seal")
        return seals

    def _read(self, start: int, size: int) -> bytes:
        self._file.seek(max(start, 0))
        return self._file.read(size)


def _content(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of a file in a ZIP file, but no more bytes than its entry states."""
    with packed.open(entry) as file:
        if len(data := file.read(entry.file_size + 1)) == entry.file_size:
            return data
    raise ValueError(f"{entry.filename} is larger than it states")


def _unlisted(manifest: dict[str, Any]) -> list[str]:
    """Return a sentence for each file that the manifest has twice, and for each part of the pack that it does not name."""
    names = Counter([MANIFEST, *(one["name"] for one in manifest["files"])])
    parts = {"/".join(name.split("/")[:2]) for name in names if not _OF_NO_ARTICLE.fullmatch(name)}
    unknown = sorted(parts - {f"articles/{key}" for key in manifest["articles"]})
    faults = [f"{MANIFEST} lists {name} {count} times" for name, count in names.items() if count > 1]
    return faults + [f"{part}: not part of a pack of the articles that {MANIFEST} names" for part in unknown]


def _article_faults(packed: zipfile.ZipFile, key: int, revision_files: int) -> list[str]:
    folder = f"articles/{key}"
    captures = [json.loads(line) for line in packed.read(f"{folder}/captures.jsonl").splitlines()]
    rows = [json.loads(line) for line in packed.read(f"{folder}/revisions.jsonl").splitlines()]
    records = packed.read(f"{folder}/records.warc.gz")
    found = [(number, _record_fault(row, records)) for number, row in enumerate(captures, start=1)]
    faults = [f"{folder}/captures.jsonl, row {number}: {fault}" for number, fault in found if fault is not None]
    digests = {row["digest"] for row in captures} | {None}
    for number, row in enumerate(rows, start=1):
        name = f"{folder}/revisions/{number}"
        revision = json.loads(packed.read(f"{name}.json"))
        if revision["capture"] not in digests:
            faults.append(f"{name}.json: no capture of the pack has its digest")
        if packed.read(f"{name}.txt").decode() != revision["text"]:
            faults.append(f"{name}.json: its text differs from the file beside it")
        if (row["article"], revision["revision"]) != (key, number) or not _is_of_row(revision, row):
            faults.append(f"{name}.json: it differs from row {number} of revisions.jsonl")
    if revision_files != 2 * len(rows):
        faults.append(f"{folder}/revisions.jsonl: not every revision of the pack has one row")
    return faults


def _is_of_row(revision: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a revision has the content of its row, which is what the seal covers."""
    blocks = [{name: value for name, value in b.items() if name != "joint"} for b in json.loads(row["blocks"])]
    right = {**row, "blocks": blocks, "tags": json.loads(row["tags"]), "id": row["article"]}
    texts = {block.get("text") for block in blocks} | {""}
    is_same = all(revision[name] == value for name, value in right.items() if name != "article")
    return is_same and set(revision["text"].split("\n\n")) <= texts


def _proof_faults(packed: zipfile.ZipFile, folder: str, seals: dict[str, Any], sealed: Counter[str]) -> list[str]:
    """Follow the path of each record and revision to the root of its seal; count the seals in `sealed`."""
    captures = [json.loads(line) for line in packed.read(f"{folder}/captures.jsonl").splitlines()]
    records = packed.read(f"{folder}/records.warc.gz")
    rows = packed.read(f"{folder}/revisions.jsonl").splitlines()
    faults, places, position, proved_rows = [], set(), 0, []
    for number, proof in enumerate(map(json.loads, packed.read(f"{folder}/proofs.jsonl").splitlines()), start=1):
        if "row" in proof:
            proved_rows.append(proof["row"])
            leaf = rows[proof["row"] - 1]
        else:
            start, length = proof["pack_offset"], proof["length"]
            position += length if start == position else MOST_BYTES
            places.add((proof["file"], proof["offset"], length, start))
            digest = hashlib.sha256(records[start : start + length]).hexdigest()
            leaf = canonical({**{name: proof[name] for name in ("file", "offset", "length")}, "sha256": digest})
        root = seals.get(proof["seal"], {}).get("root")
        note = _UNSEALED if proof["seal"] is None else _UNPROVED if proof["path"] is None else proof["seal"]
        if note == proof["seal"] and (not root or climb(leaf, proof["path"]) != root):
            faults.append(f"{folder}/proofs.jsonl, row {number}: its path does not lead to the root of a seal")
        else:
            sealed[note] += 1
    own = {(row["file"], row["offset"], row["length"], row["pack_offset"]) for row in captures}
    if not own <= places or position != len(records) or proved_rows != list(range(1, len(rows) + 1)):
        faults.append(f"{folder}/proofs.jsonl: not every record and revision has one row")
    return faults


def _manifest(raw: bytes) -> dict[str, Any]:
    """Return the manifest of a pack; a ValueError says how it differs from one."""
    if sum(map(raw.count, (b",", b"[", b"{"))) > 10 * MOST_FILES:  # they need 30 times the memory of their bytes
        raise ValueError(f"{MANIFEST} has more values than that of any pack")
    try:
        manifest = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise ValueError(f"{MANIFEST} is not JSON in UTF-8, or has too many levels") from None
    one = manifest if isinstance(manifest, dict) else {}
    number, files, articles = one.get("format"), one.get("files"), one.get("articles")
    if isinstance(number, int) and number > FORMAT:
        raise NotAPack(f"a newer version wrote it (format {number}); use the script in the pack")
    is_right = number == FORMAT and isinstance(files, list) and len(files) < MOST_FILES and all(map(_is_file, files))
    if not is_right or not isinstance(articles, list) or not all(isinstance(key, int) for key in articles):
        raise ValueError(f"{MANIFEST} is not that of a pack: its format, files or articles are missing or wrong")
    return one


def _is_file(listed: Any) -> bool:
    """Whether an entry of the manifest has the name, size and digests that a file in a pack can have."""
    one = listed if isinstance(listed, dict) else {}
    is_right = all(isinstance(n, int) and 0 <= n <= MOST_BYTES for n in (one.get("size"), one.get("crc32")))
    return is_right and all(isinstance(t, str) and _NAME.fullmatch(t) for t in (one.get("name"), one.get("sha256")))


def _record_fault(row: dict[str, Any], records: bytes) -> str | None:
    """Return how a WARC record differs from its row, or None: its address, its digest, the digest of its content."""
    member = records[row["pack_offset"] : row["pack_offset"] + row["length"]]
    engine = zlib.decompressobj(wbits=31)
    try:
        record = engine.decompress(member, _MOST_RECORD)
    except zlib.error as error:
        return f"its WARC record cannot be decompressed: {error}"
    if not engine.eof or engine.unused_data or engine.unconsumed_tail:
        return "its WARC record is incomplete, or too large"
    head, _, block = record.partition(b"\r\n\r\n")
    fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*?)\r?$", head.decode("utf-8", "replace"), re.MULTILINE))
    content = block[: int(fields.get("Content-Length", "0"))]
    body = content.partition(b"\r\n\r\n")[2] if fields.get("WARC-Type") in ("response", "revisit") else content
    digest = "sha256:" + base64.b32encode(hashlib.sha256(body).digest()).decode()
    if digest != row["digest"]:
        return f"the SHA-256 of the response in its WARC record is {digest}, not {row['digest']}"
    stated = fields.get("WARC-Payload-Digest", digest)
    if stated.startswith("sha256:") and stated != digest:
        return "the WARC record states another digest than that of its content"
    is_own = fields.get("WARC-Target-URI", "").strip("<>") == row["url"]
    return None if is_own else "its WARC record has another address"


def main(arguments: list[str]) -> int:
    """Check the pack that is named on the command line; return the exit code."""
    if len(arguments) != 1:
        print("usage: python3 check_pack.py PACK.zip", file=sys.stderr)
        return 2
    try:
        manifest, faults, notes = check(Path(arguments[0]))
    except NotAPack as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    articles = ", ".join(map(str, manifest.get("articles", [])))
    for line in faults or [f"intact: {len(manifest['files'])} files, articles {articles}", *notes]:
        print("".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in line))  # a pack may have escape sequences
    return 5 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
