"""Conversion between Python values and column values."""

from __future__ import annotations

from datetime import datetime

from crawler.clock import from_text, to_text
from crawler.types import ErrorKind


def optional_text(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 text in UTC; None if `instant` is None."""
    return to_text(instant) if instant is not None else None


def optional_instant(text: str | None) -> datetime | None:
    """Return the instant that a stored text stands for; None if `text` is None or empty."""
    return from_text(text) if text else None


def optional_kind(text: str | None) -> ErrorKind | None:
    """Return the kind of error that a stored text stands for; None if `text` is None."""
    return ErrorKind(text) if text is not None else None
