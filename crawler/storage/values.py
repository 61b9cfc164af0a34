"""Values as columns hold them."""

from __future__ import annotations

from datetime import datetime

from crawler.clock import to_text


def optional_text(instant: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return to_text(instant) if instant is not None else None
