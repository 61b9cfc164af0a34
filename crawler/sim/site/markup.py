"""Small tools for writing HTML: escapes, source lines that wrap, dates.

Boundary: strings only. Not to be confused with the crawler's own knowledge of the markup, which this package
must not know: the pages follow the site dossier alone.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from crawler.sim.site.story import HANOI

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # dossier 7: lazy images

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
#: Only single spaces between two visible characters may turn into line ends; NBSP is no such space.
_WRAP = re.compile(r"([^\n]{58,76}\S) (?=\S)")


def text(value: str) -> str:
    """Escape for element content."""
    return escape(value, quote=False)


def attr(value: str) -> str:
    """Escape for an attribute in double quotes."""
    return escape(value)


def wrapped(value: str) -> str:
    """Break source lines at spaces, as an editor's HTML does; a reader sees the same text."""
    return text(_WRAP.sub("\\1\n", value))


def entities(value: str) -> str:
    """Write no-break spaces as entities."""
    return value.replace("\u00a0", "&nbsp;")


def iso(moment: datetime) -> str:
    """Write an instant as the site's meta tags and sitemaps do: `2025-04-29T14:30:44+07:00` (dossier 15)."""
    return moment.astimezone(HANOI).isoformat(timespec="seconds")


def compact(moment: datetime) -> str:
    """Write an instant as `time[datetime]` has it: the offset without a colon (dossier 5)."""
    return moment.astimezone(HANOI).strftime("%Y-%m-%dT%H:%M:%S%z")


def visible(moment: datetime) -> str:
    """Write an instant for the reader; the French wording of the site is unknown (dossier 5)."""
    return moment.astimezone(HANOI).strftime("%d/%m/%Y %H:%M")


def today(moment: datetime) -> str:
    """Write the date that the page header shows: that of the visit (dossier 15)."""
    local = moment.astimezone(HANOI)
    return f"{_WEEKDAYS[local.weekday()].capitalize()} {local:%d/%m/%Y}"


def rfc822(moment: datetime) -> str:
    """Write an instant as feeds do, `+0700`."""
    return format_datetime(moment.astimezone(HANOI))


def query(value: str) -> str:
    """Quote for a query string."""
    return quote(value, safe="")


def time_tag(moment: datetime, classes: str = "time") -> str:
    """Write the `time` element of articles and list items."""
    stamp = int(moment.timestamp())
    return f'<time class="{classes}" datetime="{compact(moment)}" data-time="{stamp}">{visible(moment)}</time>'
