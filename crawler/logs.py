"""The service's log: one line an event on stderr, for people or as JSON, with the run and the address it is about.

Secrets never reach a line: the texts that are named as such, and credentials in any address, are struck out of the
finished line, whoever wrote it.

Boundary: the standard library's logging, set up once; what is worth a line is decided by whoever logs.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_STRUCK = "***"
_OWN = "crawler"
_LEVELS = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))

_bound: ContextVar[tuple[int | None, str | None]] = ContextVar("bound", default=(None, None))


@contextmanager
def bound(run: int | None = None, url: str | None = None) -> Iterator[None]:
    """Bind a run and an address to every line that is logged in the block."""
    token = _bound.set((run, url))
    try:
        yield
    finally:
        _bound.reset(token)


def logger(name: str) -> logging.Logger:
    """Give the logger of one part of the program."""
    return logging.getLogger(f"{_OWN}.{name}")


def is_journal(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Say whether a stream leads to systemd's journal, as the environment has it (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


@contextmanager
def logging_to(
    stream: IO[str], form: str, secrets: Iterable[str] = (), *, verbose: bool = False, journal: bool = False
) -> Iterator[None]:
    """Write our own lines, and the warnings of libraries, to a stream while the block lasts.

    `journal`: it leads to systemd's journal, which takes the level from the beginning of each line.
    """
    handler = (_ToJournal if journal else logging.StreamHandler)(stream)
    handler.setFormatter(formatter(form, secrets))
    handler.addFilter(_only_ours_or_warnings)
    root, own = logging.getLogger(), logging.getLogger(_OWN)
    before = root.handlers[:], root.level, own.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick while the last one is acted on is no news
    own.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        root.handlers[:], root.level, own.level = before


def reform(form: str, secrets: Iterable[str]) -> None:
    """Write in another form from now on, with other secrets."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(form, secrets))


def formatter(form: str, secrets: Iterable[str] = ()) -> logging.Formatter:
    """Make the formatter of a form: "json" or "human"."""
    return (_Json if form == "json" else _Human)(_struck(secrets))


def _struck(secrets: Iterable[str]) -> re.Pattern[str] | None:
    found = sorted(filter(None, secrets), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, found))) if found else None


def _only_ours_or_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == _OWN


class _ToJournal(logging.StreamHandler[IO[str]]):
    """Puts the level before each line as sd-daemon(3) has it, so that `journalctl -p warning` finds what it should."""

    def format(self, record: logging.LogRecord) -> str:
        level = next(number for least, number in _LEVELS if record.levelno >= least)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).split("\n"))


class _Clean(logging.Formatter):
    """What both forms share."""

    def __init__(self, secrets: re.Pattern[str] | None) -> None:
        super().__init__()
        self._secrets = secrets

    def _clean(self, text: str) -> str:
        text = _CREDENTIALS.sub(f"{_STRUCK}@", text)
        return self._secrets.sub(_STRUCK, text) if self._secrets else text


class _Human(_Clean):
    """`2026-01-31T08:15:00Z INFO new: 245060 Titre (https://..., run 12)`."""

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        message = record.getMessage()
        about = [url] if url and url not in message else []
        about += [f"run {run}"] if run else []
        line = f"{_at(record)} {record.levelname} {message}"
        if about:
            line += f" ({', '.join(about)})"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._clean(line)


class _Json(_Clean):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "part": record.name.removeprefix(f"{_OWN}."),
            "message": record.getMessage(),
            "run": run,
            "url": url,
            "trace": self.formatException(record.exc_info) if record.exc_info else None,
        }
        cleaned = {k: self._clean(v) if isinstance(v, str) else v for k, v in line.items() if v is not None}
        return json.dumps(cleaned, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
