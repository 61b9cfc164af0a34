"""Export articles to files: JSON Lines, CSV or seed texts.

Boundary: takes articles and writes files. A file is written under a temporary name and renamed when it is complete and
on the disk, so that readers never see part of a file. Devices, named pipes and open descriptors are written directly.
`article_fields` says which columns the CSV has.
"""

from __future__ import annotations

import csv
import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from crawler import files, records, render, visible
from crawler.article_fields import CSV_FIELDS, FieldType
from crawler.errors import BadInput
from crawler.parse.seedtext import SEPARATOR
from crawler.types import StoredArticle

#: Where a spreadsheet may read a formula: at the start of a cell, also after spaces and quotes. A program that expects
#: semicolons, as Excel in French does, starts a cell at each semicolon and line break of a text.
_FORMULA = re.compile(
    "(^|[;\t\r\n])(?=[ \x00-\x08\x0b\x0c\x0e-\x1f'\"\x85\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
    "[=+@\uff1d\uff0b\uff0d\uff20\u2212-])"
)
_MAX_LINKS = 40  # symbolic links in a row, as in Linux


def jsonl(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write one JSON object per line, with the keys of `vna show --format json`; return the number of articles."""
    count = 0
    for stored in articles:
        count += 1
        out.write(visible.json_text(render.as_json(stored)) + "\n")
    return count


def table(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write CSV (RFC 4180) with a header line; tags are separated by `;`. Return the number of articles."""
    return _table(articles, out, lambda value: value)


def excel_table(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write CSV as `table` does, for a spreadsheet program; return the number of articles.

    The file starts with a byte order mark, so that Excel reads the accents. A text that a spreadsheet would calculate as
    a formula starts with an apostrophe, so that it is shown as text.
    """
    out.write("\ufeff")
    return _table(articles, out, _as_text)


def _as_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = _FORMULA.sub(r"\1'", value)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def _table(articles: Iterable[StoredArticle], out: IO[str], cell: Callable[[object], object]) -> int:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(field.name for field in CSV_FIELDS)
    count = 0
    for stored in articles:
        count += 1
        writer.writerow([cell(value) for value in _csv_row(stored)])
    return count


def texts(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write seed texts, separated by form feeds, as `vna import` reads them; return the number of articles."""
    count = 0
    for stored in articles:
        count += 1
        out.write((f"\n{SEPARATOR}\n" if count > 1 else "") + render.text(stored))
    out.write("\n" if count else "")
    return count


def text_files(articles: Iterable[StoredArticle], folder: Path) -> int:
    """Write each article as a seed text to the file `<id>.txt` in `folder`; return the number of articles.

    Raises:
        BadInput: the folder or a file cannot be written.

    """
    with _translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for stored in articles:
        count += 1
        path = folder / f"{stored.id}.txt"
        if path.is_symlink():  # the name comes from the article, not from the user
            _refuse_link(path, "an export into a folder follows no links in it")
        with replacing(path, sync=False) as out:
            out.write(render.text(stored))
    os.sync()  # once: to sync each of 260,000 files takes longer than to write them
    return count


WRITERS: dict[str, Callable[[Iterable[StoredArticle], IO[str]], int]] = {"jsonl": jsonl, "csv": table, "text": texts}


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[IO[str]]:
    """Open a temporary file for writing; give it the name `path` when the block ends without an exception.

    A file that is there is replaced as a whole and keeps its mode and owner; a symbolic link stays, and its target is
    replaced. Another name of the file (a hard link) keeps the old content. What is not a file, such as a device, a
    named pipe or an open descriptor (`/dev/stdout`, `/dev/fd/3`), is written directly and never replaced.

    With `sync`, the file is on the disk when the block has ended.

    Raises:
        BadInput: the file cannot be written.

    """
    with _translated(path):
        if path.is_symlink() and not files.is_trusted(path, path.lstat().st_uid):
            _refuse_link(path, "it belongs to another user")
        target = Path(os.path.realpath(path))
        descriptor = open_descriptor(path)
        if descriptor is not None or (target.exists() and not target.is_file()):
            with _opened_directly(target, descriptor) as out:
                yield out
            return
        with _replaced(target, sync=sync) as out:
            yield out


def _refuse_link(path: Path, reason: str) -> NoReturn:
    raise BadInput(f"{path} is a symbolic link, and {reason}", "remove the link, or choose another path")


def open_descriptor(path: Path) -> int | None:
    """Return the number of this process's file descriptor that `path` names, such as 1 for `/dev/stdout`; else None."""
    for _ in range(_MAX_LINKS):
        place = os.path.realpath(path.parent)
        if place == f"/proc/{os.getpid()}/fd" and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(place) / path.readlink()
    return None


@contextmanager
def _opened_directly(target: Path, descriptor: int | None) -> Iterator[IO[str]]:
    """Open what must not be replaced. A descriptor is duplicated, because opening it again would start at its begin."""
    if descriptor is None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        opened = os.open(target, os.O_WRONLY | os.O_NOCTTY)
    else:
        opened = os.dup(descriptor)
    with open(opened, "w", encoding="utf-8", newline="") as out:  # noqa: PTH123 - a descriptor has no path
        yield out


@contextmanager
def _replaced(target: Path, *, sync: bool) -> Iterator[IO[str]]:
    before = target.stat() if target.exists() else None
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    unfinished = files.temporary_name(target)
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as out:
            yield out
            if before is not None:
                _copy_owner_and_mode(out.fileno(), before)
            if sync:
                out.flush()
                os.fsync(out.fileno())
        unfinished.replace(target)
        if sync:
            files.sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)  # it was renamed, or never created


def _copy_owner_and_mode(file: int, before: os.stat_result) -> None:
    for owner, group in ((-1, before.st_gid), (before.st_uid, -1)):
        with suppress(PermissionError):  # only root may give a file away
            os.fchown(file, owner, group)
    os.fchmod(file, stat.S_IMODE(before.st_mode))  # after the owner: a change of owner resets some bits


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn a system error in the block into `BadInput`."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}", "choose another path") from error


def _csv_row(stored: StoredArticle) -> list[object]:
    row: list[object] = []
    for field in CSV_FIELDS:
        value = records.stored_value(field, stored)
        row.append(";".join(value) if field.type is FieldType.TEXT_LIST else value)
    return row
