"""Write the files of an evidence pack as a canonical ZIP file: the same files give the same bytes.

Boundary: values in, bytes out, and one file. `check_pack` defines the bytes between the files.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler import files
from crawler.errors import BadInput
from crawler.evidence import check_pack

_MOST_CONTENT = 4_000_000_000  # bytes; the headers and the directory need the rest of 4 GiB


def packed(contents: Mapping[str, bytes], facts: Mapping[str, Any]) -> bytes:
    """Return the bytes of a pack; `contents` has the files by name, and `facts` the other fields of its manifest.

    Raises:
        BadInput: the pack would be larger than a ZIP file without extensions can be.

    """
    listed = [_listed(name, contents[name]) for name in sorted(contents)]
    manifest = (json.dumps({**facts, "files": listed}, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    if len(listed) + 1 > check_pack.MOST_FILES or sum(map(len, contents.values())) > _MOST_CONTENT:
        raise BadInput("the pack would be too large for one ZIP file", "choose fewer articles, with --limit or by id")
    parts, directory, position = [], b"", 0
    for name, content in [(check_pack.MANIFEST, manifest), *((one["name"], contents[one["name"]]) for one in listed)]:
        crc = zlib.crc32(content)
        directory += check_pack.directory_entry(name, len(content), crc, position)
        parts += [check_pack.local_header(name, len(content), crc), content]
        position += len(parts[-2]) + len(content)
    end = check_pack.end_record(len(listed) + 1, position, len(directory), manifest)
    return b"".join([*parts, directory, end])


def save_pack(pack: bytes, target: Path) -> None:
    """Write a pack, replacing a file that is there.

    Raises:
        BadInput: the file cannot be written.

    """
    try:
        files.replace(target, pack)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}", "choose another path") from error


def _listed(name: str, content: bytes) -> dict[str, Any]:
    listed = {
        "name": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "crc32": zlib.crc32(content),
    }
    return listed | ({"rows": check_pack.row_digests(content)} if name.endswith(".jsonl") else {})
