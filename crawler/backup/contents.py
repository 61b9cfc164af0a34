"""The manifest of a backup: its values, how it is read and written.

Boundary: the file `manifest.json`. Its values are checked, because a manifest may be damaged or come from a stranger.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from crawler import files
from crawler.archive_files import WARC_SUFFIX
from crawler.backup.files import require_regular
from crawler.errors import BadInput
from crawler.storage import FILE
from crawler.warc.manifest import Fault, ManifestEntry, sha256

MANIFEST = "manifest.json"
NEXT, NEXT_MANIFEST = f"{FILE}.next", f"{MANIFEST}.next"
_MOST_BYTES = 100_000_000  # of a manifest, which has about 300 bytes for each WARC file
_HEX = frozenset("0123456789abcdef")
_LONGEST = 200  # bytes of one part of a name; file systems allow 255, and some suffixes are added
_REPORTED = ("copied", "repaired", "damaged", "refused")  # attributes of `Backup` that are not in the manifest
_OTHER_FOLDER = "give the folder that was passed to `vna backup`"
_DAMAGED = (
    "choose another backup or another folder; if only the manifest is damaged, copy `vna.db` and `warc` into a new archive "
    "folder and run `vna verify` there"
)


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a backup, as its manifest lists them, and what was done to make it.

    `identity` is the identity of the archive; None if a version without identities made the backup. `copied` is the
    number of WARC files copied this time. `repaired` names the files of the backup that were damaged and have been
    replaced (WARC files, the seals or the database), `damaged` the damaged WARC files of which the backup had no copy
    yet, and `refused` the files of the archive (WARC files or the seals) that contain less than the backup, or something
    else; the backup keeps its copies of these.
    """

    made_at: str
    schema: int
    articles: int
    database_bytes: int
    database_sha256: str
    warc: tuple[ManifestEntry, ...]
    identity: str | None = None
    copied: int = 0
    repaired: dict[str, Fault] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    refused: dict[str, Fault] = field(default_factory=dict)

    @property
    def warc_bytes(self) -> int:
        """The total size of the WARC files, in bytes."""
        return sum(entry.bytes for entry in self.warc)


def read_backup(folder: Path) -> Backup:
    """Return the manifest that matches the database of the backup in `folder`.

    Raises:
        BadInput: the folder is not a backup, or no manifest matches its database.

    """
    found = read_manifests(folder) or [_read_manifest(folder / MANIFEST)]
    require_regular(folder / FILE)
    digest = sha256(folder / FILE) if (folder / FILE).exists() else None
    for made in found:
        if made.database_sha256 == digest:
            return made
    raise BadInput(
        f"{folder / FILE} does not match the digest in {MANIFEST}: the backup is damaged",
        "choose another backup; or, if this one contains WARC files, copy its folder `warc` into a new archive folder and "
        "run `vna --archive DIR rebuild --into DIR`",
    )


def read_manifests(folder: Path) -> list[Backup]:
    """Return the manifests in a folder: normally one, none if there is no backup, two after an interruption.

    Raises:
        BadInput: a manifest is damaged, or names files outside the folder of the WARC files.

    """
    found = []
    if os.path.lexists(folder / MANIFEST):
        found.append(_read_manifest(folder / MANIFEST))
    if os.path.lexists(folder / NEXT_MANIFEST):
        # An incomplete one describes no database here: the database is replaced only after it has been written.
        with suppress(BadInput):
            found.append(_read_manifest(folder / NEXT_MANIFEST))
    return found


def _read_manifest(file: Path) -> Backup:
    require_regular(file)
    try:
        data: dict[str, Any] = json.loads(files.read_named(file, _MOST_BYTES).decode("utf-8"))
        made = Backup(**{**data, "warc": tuple(ManifestEntry(**entry) for entry in data["warc"])})
        _check_values(data, made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason, hint = (error.strerror, _OTHER_FOLDER) if isinstance(error, OSError) else (error, _DAMAGED)
        raise BadInput(f"{file.parent} is not a backup: {file.name}: {reason}", hint) from error
    if (wrong := unsafe_name(entry.file for entry in made.warc)) is not None:
        raise BadInput(
            f"{file} is not safe to use: {wrong}",
            "choose another backup: this manifest was not written by `vna backup`, or it was changed",
        )
    return made


def _check_values(data: dict[str, Any], made: Backup) -> None:
    """Raise `ValueError` or `TypeError` unless all values have the type and form that `vna backup` writes."""
    if made.identity is not None:
        UUID(made.identity)
    texts = [made.made_at, made.database_sha256]
    numbers = [made.schema, made.articles, made.database_bytes]
    sums = [made.database_sha256]
    for entry in made.warc:
        texts += [entry.file, entry.sha256]
        numbers += [entry.bytes, entry.mtime_ns, entry.copied_bytes or 0]
        sums.append(entry.sha256)
    if any(name in data for name in _REPORTED):
        raise ValueError("it contains unknown keys")
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is expected")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("a number is not valid")
    if any(len(digest) != 64 or not _HEX.issuperset(digest) for digest in sums):
        raise ValueError("a digest is not valid")


def unsafe_name(names: Iterable[str]) -> str | None:
    """Return why files with these names cannot be written into one folder, each under its own name; None if they can.

    Names that differ only in case or in the composition of accents are the same file on some disks.
    """
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if any(ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000 for char in name):
            return f"the name {name!r} contains control characters"
        if "\\" in name or any(part in ("", ".", "..") or len(part.encode()) > _LONGEST for part in parts):
            return f"the name {name!r} does not denote a file in the folder of the WARC files"
        if not name.endswith(WARC_SUFFIX) or parts[-1] == WARC_SUFFIX:
            return f"the name {name!r} is not that of a WARC file"
        key = _key(name)
        if key in seen:
            return f"two files have the same name: {seen[key]!r} and {name!r}"
        seen[key] = name
    for name in seen.values():
        parents = name.split("/")[:-1]
        for count in range(1, len(parents) + 1):
            if (parent := _key("/".join(parents[:count]))) in seen:
                return f"{seen[parent]!r} is both a file and a folder"
    return None


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def put_in_place(target: Path, made: Backup) -> None:
    """Replace the old database and manifest of a backup with the new ones, by renaming the new files.

    If the process is killed after it has renamed only the database, the matching manifest still has its temporary name;
    `read_backup` finds the manifest under that name.
    """
    (target / NEXT_MANIFEST).unlink(missing_ok=True)
    with files.create(target / NEXT_MANIFEST) as file:
        text = json.dumps({k: v for k, v in asdict(made).items() if k not in _REPORTED}, indent=1)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    files.sync_folder(target)
    (target / NEXT).replace(target / FILE)
    files.sync_folder(target)
    (target / NEXT_MANIFEST).replace(target / MANIFEST)
    files.sync_folder(target)
