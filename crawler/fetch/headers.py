"""Read the headers of responses that the client acts on: Location, Retry-After, Date.

Boundary: values in, values out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crawler import urls
from crawler.types import Fetched

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


def server_now(response: Fetched, now: datetime) -> datetime:
    """Return the server's time from the Date header of a response, or `now` if the header is absent or invalid.

    A date in a Retry-After header must be compared with the server's clock, which may differ from ours.
    """
    try:
        return parsedate_to_datetime(response.header("Date") or "").astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return now


def location(response: Fetched) -> str | None:
    """Return the absolute URL in the Location header of a response; None if there is no valid URL.

    Some servers do not percent-encode letters outside ASCII. Their bytes are percent-encoded here, UTF-8 or not, so that
    the server receives the bytes that it sent.
    """
    header = (response.header("Location") or "").encode("latin-1")
    return urls.absolute(response.url, _BEYOND_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), header).decode("ascii"))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return how many seconds after `now` a Retry-After header allows a request; None if it is absent or invalid.

    `value` is the content of the header: a number of seconds or a date.
    """
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value.strip())
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
