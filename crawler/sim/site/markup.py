"""Helpers for rendering HTML: escaping, line wrapping, dates.

Boundary: strings only. This is not `crawler.markup`, the crawler's own knowledge of the site's markup, which this
package must not use: the pages follow the site dossier alone.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from crawler.sim.site.story import HANOI

PIXEL = (
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # dossier section 7: lazy images
)

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
#: Only a single space between two visible characters may become a line break; a no-break space may not.
_WRAP = re.compile(r"([^\n]{58,76}\S) (?=\S)")


def text(value: str) -> str:
    """Escape a text that becomes the content of an HTML element."""
    return escape(value, quote=False)


def attr(value: str) -> str:
    """Escape a text that becomes the value of an HTML attribute in double quotes."""
    return escape(value)


def wrapped(value: str) -> str:
    """Escape a text and break it into source lines, as an HTML editor does; browsers display the same text."""
    return text(_WRAP.sub("\\1\n", value))


def entities(value: str) -> str:
    """Replace each no-break space with `&nbsp;`."""
    return value.replace("\u00a0", "&nbsp;")


def iso(moment: datetime) -> str:
    """Format a time as in the site's meta tags and sitemaps: `2025-04-29T14:30:44+07:00` (dossier section 15)."""
    return moment.astimezone(HANOI).isoformat(timespec="seconds")


def compact(moment: datetime) -> str:
    """Format a time for the attribute `datetime` of a `time` element: its offset has no colon (dossier section 5)."""
    return moment.astimezone(HANOI).strftime("%Y-%m-%dT%H:%M:%S%z")


def visible(moment: datetime) -> str:
    """Format a time as it is shown to readers; the format of the French site is not known (dossier section 5)."""
    return moment.astimezone(HANOI).strftime("%d/%m/%Y %H:%M")


def today(moment: datetime) -> str:
    """Format the date that the page header shows, which is the date of the request (dossier section 15)."""
    local = moment.astimezone(HANOI)
    return f"{_WEEKDAYS[local.weekday()].capitalize()} {local:%d/%m/%Y}"


def rfc822(moment: datetime) -> str:
    """Format a time as in the RSS feeds, with the offset `+0700`."""
    return format_datetime(moment.astimezone(HANOI))


def query(value: str) -> str:
    """Escape a text that becomes a value in the query string of a URL."""
    return quote(value, safe="")


def time_tag(moment: datetime, classes: str = "time") -> str:
    """Render a `time` element as it is used in articles and list items."""
    stamp = int(moment.timestamp())
    return f'<time class="{classes}" datetime="{compact(moment)}" data-time="{stamp}">{visible(moment)}</time>'
