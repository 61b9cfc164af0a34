"""Opens an archive for commands that send no requests: for reading, for small changes and for checks.

These commands start quickly because this module does not import the HTTP client and the pipeline.

Boundary: connects the database and the WARC files of one archive; `app` opens an archive for work on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.anchors import Anchors
from crawler.archive_files import WARC_FOLDER
from crawler.config import Config
from crawler.errors import SchemaTooOld, WarcError
from crawler.storage import FILE, Archive, open_archive
from crawler.storage.archive_identity import stored_identity
from crawler.storage.base import is_read_only
from crawler.warc import CdxjIndex, WarcStore
from crawler.warc.archive_id import archive_ids
from crawler.warc.seals import Seal, Seals


def reading_archive(folder: Path) -> Archive:
    """Open an archive for reading. A database of an older version is upgraded first, as by any command that writes.

    Raises:
        StorageError: there is no archive, or it cannot be read or upgraded.

    """
    try:
        return open_archive(folder, read_only=True)
    except SchemaTooOld as error:
        if is_read_only(folder / FILE):
            raise SchemaTooOld(
                f"{error}, and it cannot be upgraded, because its folder cannot be written",
                "copy the archive to a folder that can be written, and run the command there",
            ) from error
        opened_archive(folder).close()
        return open_archive(folder, read_only=True)


def writing_archive(folder: Path) -> Archive:
    """Open an archive for writing without a lock: the caller writes only rows that no other process writes.

    Raises:
        StorageError: there is no archive, or it cannot be opened.

    """
    reading_archive(folder).close()  # raises an error with a hint if there is none
    return opened_archive(folder, create=False)


def opened_archive(folder: Path, *, create: bool = True) -> Archive:
    """Open an archive for writing. A database without an identity gets that of the WARC files, if they have one.

    Raises:
        StorageUnavailable: the database is missing, and `create` is False.

    """
    is_new = stored_identity(folder / FILE) is None
    archive = open_archive(folder, create=create)
    found = {identity for _, identity in archive_ids(folder / WARC_FOLDER)} if is_new else set()
    if len(found) == 1 and archive.known_identity() is not None:  # a damaged database may lack the table
        archive.set_identity(*found)
    return archive


@contextmanager
def auditing(config: Config) -> Iterator[tuple[Archive, WarcStore]]:
    """Open an archive and its WARC files to check them, while other processes may work there.

    The check of the search index is a write for SQLite, but an archive that cannot be written can be checked as well.

    Raises:
        StorageError: there is no archive, or it cannot be opened.

    """
    open_it = reading_archive if is_read_only(config.archive / FILE) else writing_archive
    with open_it(config.archive) as archive, WarcStore(config.archive / WARC_FOLDER) as warc:
        yield archive, warc


def sound_seals(folder: Path) -> list[Seal]:
    """Return the seals of the archive in `folder`, oldest first.

    Raises:
        WarcError: a seal is damaged, or the file cannot be read.

    """
    seals, faults = Seals(folder).read()
    if faults:
        raise WarcError(f"{faults[0].where} is damaged: {faults[0].detail}", "run `vna verify`")
    return seals


def anchors(config: Config) -> Anchors:
    """Return the anchors of the seals of an archive."""
    return Anchors(config.archive, config.timestamp_url, config.timestamp_roots, config.publish_seals)


def time_stamps(folder: Path, seals: Iterable[Seal]) -> dict[str, bytes]:
    """Return the time stamps of these seals that the archive in `folder` has, by the digest of the seal."""
    known = {seal.digest for seal in seals}
    return {digest: reply for digest, reply in Anchors(folder).replies().items() if digest in known}


def cdxj_index(config: Config, warc: WarcStore) -> CdxjIndex:
    """Return the CDXJ index of an archive."""
    return CdxjIndex(config.archive, warc)
