"""Conversion between Python values and column values, and conditions that several queries share."""

from __future__ import annotations

from datetime import datetime

from crawler.clock import from_text, to_text
from crawler.types import ErrorKind

#: Of a row `s` of `states`: a removal (`gone`), a possible one (`suspect`, if still so), or a return after a removal.
IS_REMOVAL_OR_RETURN = """CASE s.state
  WHEN 'gone' THEN TRUE
  WHEN 'suspect' THEN s.at = (SELECT max(at) FROM states WHERE article = s.article)
  ELSE 'gone' = (SELECT state FROM states b WHERE b.article = s.article AND b.at < s.at ORDER BY b.at DESC LIMIT 1) END"""


def optional_text(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 text in UTC; None if `instant` is None."""
    return to_text(instant) if instant is not None else None


def optional_instant(text: str | None) -> datetime | None:
    """Return the instant that a stored text stands for; None if `text` is None or empty."""
    return from_text(text) if text else None


def optional_kind(text: str | None) -> ErrorKind | None:
    """Return the kind of error that a stored text stands for; None if `text` is None."""
    return ErrorKind(text) if text is not None else None
