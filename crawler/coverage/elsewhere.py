"""Where a capture of a missing article may be had: addresses for whoever wants to fetch them from elsewhere.

Boundary: pure; strings only. Nothing here asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.coverage.ledger import Missing

#: The Wayback Machine goes to the capture nearest to a date; `id_` asks for the page as it was captured.
_WAYBACK = "https://web.archive.org/web/{when}id_/{url}"
_NEWEST = "2"  # of a page whose month is not known


def capture_addresses(missing: Iterable[Missing]) -> list[str]:
    """Give an address for each missing article whose own address is known."""
    return [_WAYBACK.format(when=_when(one.month), url=one.url) for one in missing if one.url]


def _when(month: str) -> str:
    return f"{month.replace('-', '')}15" if month else _NEWEST
