"""A disk that is really full: the service runs in a process whose WARC folder is on a small file system in memory.

Linux mounts the file system in namespaces of the process, for which it needs no rights on most machines. So writes fail
with ENOSPC, in the middle of a record if there is room for a part of it. Afterwards the files are copied back.

Boundary: one process with its mount; `drill` decides when it runs.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from crawler.archive_files import WARC_FOLDER

_COPY, _DONE = "warc.copy", "warc.full"
_FULL = 65_536  # free bytes below which a response does not fit
_TIMEOUT = 900.0  # real seconds
#: $1: the WARC folder, $2 and $3: two folders for copies, $4: the size in bytes; then the command. Prints the free bytes.
_SCRIPT = """
warc=$1 copy=$2 done=$3 size=$4; shift 4
cp -a "$warc/." "$copy" && mount -t tmpfs -o "size=$size" tmpfs "$warc" && cp -a "$copy/." "$warc" || exit 9
"$@"
df --output=avail -B1 "$warc" | tail -n 1
cp -a "$warc/." "$done"
"""


def run_on_full_disk(archive: Path, room: int, command: Sequence[str]) -> bool:
    """Run a command that can add at most `room` bytes to the WARC files of an archive; return whether the disk was full.

    Return False, too, if this machine does not let the process mount a file system; then nothing has changed.
    """
    warc, copy, done = archive / WARC_FOLDER, archive / _COPY, archive / _DONE
    size = sum(-(-path.stat().st_size // 4096) * 4096 for path in warc.rglob("*") if path.is_file()) + room
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    for folder in (copy, done):
        folder.mkdir()
    try:
        words = ["sh", "-c", _SCRIPT, "sh", str(warc), str(copy), str(done), str(size), *command]
        ended = subprocess.run(  # noqa: S603 - our own
            [unshare, "--map-root-user", "--mount", *words], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_TIMEOUT, check=False,
        )  # fmt: skip
        if ended.returncode or not any(done.iterdir()):
            return False
        shutil.copytree(done, warc, dirs_exist_ok=True)
        return int(ended.stdout.split()[-1]) < _FULL
    finally:
        for folder in (copy, done):
            shutil.rmtree(folder)
