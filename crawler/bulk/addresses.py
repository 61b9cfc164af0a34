"""Find and open WARC files: in a folder, or at any address that fsspec knows, such as `s3://bucket/warc`.

Boundary: lists and opens files. fsspec is an optional dependency (extra `dask`), needed only for addresses.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, cast

from crawler import archive_files
from crawler.archive_files import WARC_SUFFIX
from crawler.errors import BadInput, StopError

_HINT = "name a folder with WARC files (*.warc.gz), one such file, or their address, such as s3://bucket/warc"


def is_address(source: str) -> bool:
    """Whether `source` is an address for fsspec, and not a path."""
    return "://" in source


def warc_files(source: str) -> list[tuple[str, int]]:
    """Return the paths or addresses of the WARC files in a folder, in order, with their sizes in bytes.

    Raises:
        BadInput: the folder cannot be read, or has no WARC file.
        StopError: `source` is an address, and the library for it is not installed.

    """
    try:
        files = _remote_files(source) if is_address(source) else _local_files(Path(source))
    except ImportError as error:
        raise StopError(f"cannot open {source}: {error}", "install the package that the message names") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {source}: {error}", _HINT) from error
    if not files:
        raise BadInput(f"no WARC files (*{WARC_SUFFIX}) at {source}", _HINT)
    return sorted(files)


def open_file(file: str) -> IO[bytes]:
    """Open a file that `warc_files` returned.

    Raises:
        OSError: it cannot be opened.

    """
    if not is_address(file):
        return Path(file).open("rb")
    filesystem, path = _fsspec().core.url_to_fs(file)
    return cast("IO[bytes]", filesystem.open(path, "rb"))


def _local_files(source: Path) -> list[tuple[str, int]]:
    if source.is_file():
        paths = [source] if source.name.endswith(WARC_SUFFIX) else []
    elif source.is_dir():
        paths = list(archive_files.warc_files(source))
    else:
        raise FileNotFoundError("it does not exist")
    return [(str(path.absolute()), path.stat().st_size) for path in paths]


def _remote_files(source: str) -> list[tuple[str, int]]:
    filesystem, path = _fsspec().core.url_to_fs(source)
    if not filesystem.exists(path):
        raise FileNotFoundError("it does not exist")
    found = filesystem.find(path, detail=True)
    return [
        (filesystem.unstrip_protocol(name), int(info["size"]))
        for name, info in found.items()
        if name.endswith(WARC_SUFFIX) and info["type"] == "file"
    ]


def _fsspec() -> ModuleType:
    if find_spec("fsspec") is None:
        raise StopError(
            "fsspec, which opens addresses, is not installed", "install it with: pip install 'vna-archive[dask]'"
        )
    import fsspec  # noqa: PLC0415 - optional

    return cast("ModuleType", fsspec)
