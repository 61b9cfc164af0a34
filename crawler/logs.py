"""The service's log on stderr: one event per line, as text or JSON, with the run and the address that it concerns.

The secrets that the caller passes in, and the credentials in any URL, are redacted in the finished line, so that lines
from libraries are covered too.

Boundary: configures the logging of the standard library; the other modules decide what to log.
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
_REDACTED = "***"
_PACKAGE = "crawler"
#: Python levels with their syslog priorities, from sd-daemon(3).
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))

_bound: ContextVar[tuple[int | None, str | None]] = ContextVar("bound", default=(None, None))


@contextmanager
def bound(run: int | None = None, url: str | None = None) -> Iterator[None]:
    """Add a run id and a URL, if they are given, to every line that is logged in the block."""
    token = _bound.set((run, url))
    try:
        yield
    finally:
        _bound.reset(token)


def logger(name: str) -> logging.Logger:
    """Return the logger of one part of the program, such as "worker"."""
    return logging.getLogger(f"{_PACKAGE}.{name}")


def is_journal(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Whether a stream is connected to systemd's journal, according to JOURNAL_STREAM (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or not a real file
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


@contextmanager
def logging_to(
    stream: IO[str], form: str, secrets: Iterable[str] = (), *, verbose: bool = False, journal: bool = False
) -> Iterator[None]:
    """Log our own messages, and warnings of libraries, to a stream for the duration of the block.

    `form` is "json" or "human"; the texts in `secrets` are redacted; `verbose` adds debug messages. If `journal` is
    true, each line starts with its priority, which systemd's journal reads.
    """
    handler = (_ToJournal if journal else logging.StreamHandler)(stream)
    handler.setFormatter(formatter(form, secrets))
    handler.addFilter(_only_ours_or_warnings)
    root, package = logging.getLogger(), logging.getLogger(_PACKAGE)
    before = root.handlers[:], root.level, package.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns if a job is due while it is still running
    package.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        root.handlers[:], root.level, package.level = before


def set_format(form: str, secrets: Iterable[str]) -> None:
    """Change the format of the current log ("json" or "human") and the secrets that are redacted in it."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(form, secrets))


def formatter(form: str, secrets: Iterable[str] = ()) -> logging.Formatter:
    """Return the log formatter for the format `form` ("json" or "human"), which redacts the texts in `secrets`."""
    return (_Json if form == "json" else _Human)(_secret_pattern(secrets))


def _secret_pattern(secrets: Iterable[str]) -> re.Pattern[str] | None:
    found = sorted(filter(None, secrets), key=len, reverse=True)  # a secret may be part of a longer one
    return re.compile("|".join(map(re.escape, found))) if found else None


def _only_ours_or_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == _PACKAGE


class _ToJournal(logging.StreamHandler[IO[str]]):
    """Writes the syslog priority before each line (see sd-daemon(3)), so that `journalctl -p warning` can filter."""

    def format(self, record: logging.LogRecord) -> str:
        level = next(number for least, number in _PRIORITIES if record.levelno >= least)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).split("\n"))


class _Redacting(logging.Formatter):
    """Base class of both log formatters; redacts the given secrets, and credentials in URLs."""

    def __init__(self, secrets: re.Pattern[str] | None) -> None:
        super().__init__()
        self._secrets = secrets

    def _redacted(self, text: str) -> str:
        text = _CREDENTIALS.sub(f"{_REDACTED}@", text)
        return self._secrets.sub(_REDACTED, text) if self._secrets else text


class _Human(_Redacting):
    """Formats lines for people, such as `2026-01-31T08:15:00Z INFO new: 245060 Titre (https://..., run 12)`."""

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        message = record.getMessage()
        about = [url] if url and url not in message else []
        about += [f"run {run}"] if run else []
        line = f"{_timestamp(record)} {record.levelname} {message}"
        if about:
            line += f" ({', '.join(about)})"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return self._redacted(line)


class _Json(_Redacting):
    """Formats each event as one line with a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        line = {
            "at": _timestamp(record),
            "level": record.levelname.lower(),
            "part": record.name.removeprefix(f"{_PACKAGE}."),
            "message": record.getMessage(),
            "run": run,
            "url": url,
            "trace": self.formatException(record.exc_info) if record.exc_info else None,
        }
        redacted = {k: self._redacted(v) if isinstance(v, str) else v for k, v in line.items() if v is not None}
        return json.dumps(redacted, ensure_ascii=False)


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
