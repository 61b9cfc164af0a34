"""Build the addresses at which the Wayback Machine may have captures of missing articles.

Boundary: pure; strings only. Nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.coverage.ledger import Missing

#: The Wayback Machine redirects to the capture nearest to a date; `id_` asks for the original page, without its banner.
_WAYBACK = "https://web.archive.org/web/{when}id_/{url}"
_NEWEST = "2"  # a date for pages without a known month: the newest capture is the nearest


def capture_addresses(missing: Iterable[Missing]) -> list[str]:
    """Return a Wayback Machine address for each missing article whose address on the site is known."""
    return [_WAYBACK.format(when=_when(one.month), url=one.url) for one in missing if one.url]


def _when(month: str) -> str:
    return f"{month.replace('-', '')}15" if month else _NEWEST
