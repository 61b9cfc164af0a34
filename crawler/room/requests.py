"""The values of a request to the reading room and of its response.

Boundary: values only; `plugin` converts them from and to those of Datasette.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from crawler import days
from crawler.clock import to_text
from crawler.errors import BadInput
from crawler.room.language import Language, _
from crawler.site import HANOI
from crawler.storage.readers import row_id

LONGEST = 1000  # characters of one parameter: longer than any query that a person types
_MOST_YEARS = 40  # of a chart


WRITTEN_DAY = _("A day is written as 2024-01-31, a month as 2024-01, three days ago as 3d.")


class BadRequest(Exception):
    """A parameter of a request cannot be used. `message` is a text for translation; `detail` is shown as it is."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class NotHere(Exception):
    """The archive does not have what the request asks for. `message` is a text for translation."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Ask:
    """One request: its path, its parameters, and how to answer.

    `base` is the address of the server, such as `http://127.0.0.1:8001`, and `theme` is `light`, `dark` or empty.
    """

    path: str
    parameters: Mapping[str, Sequence[str]]
    language: Language
    theme: str
    base: str
    now: datetime
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> str:
        """The present day in Hanoi."""
        return self.now.astimezone(HANOI).date().isoformat()

    def oldest_month(self, month: str) -> str:
        """Return the first month of a chart: `month`, but at most 40 years ago.

        Otherwise one article with a wrong date would add centuries.
        """
        return max(month, f"{int(self.today[:4]) - _MOST_YEARS}-01")

    def get(self, name: str) -> str | None:
        """Return the value of a parameter without spaces around it; None if it is missing or empty.

        Raises:
            BadRequest: the value is too long, or the address has several values.

        """
        values = self.all(name)
        if len(values) > 1:
            raise BadRequest(_("An address can have only one value of this parameter."), name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter that an address may have several times, each once and without spaces around it.

        Raises:
            BadRequest: a value is too long.

        """
        values = [value.replace("\0", " ").strip() for value in self.parameters.get(name, ())]
        if any(len(value) > LONGEST for value in values):
            raise BadRequest(_("This address is too long."))
        return tuple(dict.fromkeys(value for value in values if value))

    def day(self, name: str) -> str | None:
        """Return the day that a parameter names, such as `2024-01-31` or `3d`; the first one if it names a period.

        Raises:
            BadRequest: the value names no day.

        """
        period = self._period(name)
        return period.first.isoformat() if period else None

    def last_day(self, name: str) -> str | None:
        """Return the day that a parameter names; the last one if it names a period, such as `2024-01`.

        Raises:
            BadRequest: the value names no day.

        """
        period = self._period(name)
        return period.last.isoformat() if period else None

    def _period(self, name: str) -> days.Period | None:
        value = self.get(name)
        try:
            return days.period(value, date.fromisoformat(self.today)) if value else None
        except BadInput as error:
            raise BadRequest(WRITTEN_DAY, str(value)) from error

    def month(self, name: str) -> str | None:
        """Return the value of a parameter that is a month, such as `2024-01`.

        Raises:
            BadRequest: the value is not a month.

        """
        value = self.get(name)
        try:
            return date.fromisoformat(f"{value}-01").isoformat()[:7] if value else None
        except ValueError as error:
            raise BadRequest(_("A month is written as 2024-01, a year as 2024."), str(value)) from error

    def key(self) -> tuple[str, int] | None:
        """Return the value of `key`, which is an instant and a number; None if it is missing.

        Raises:
            BadRequest: it has another form.

        """
        value = self.get("key")
        if value is None:
            return None
        at, _separator, number = value.rpartition("_")
        try:
            return to_text(datetime.fromisoformat(at)), row_id(number)
        except (ValueError, OverflowError) as error:
            raise BadRequest(_("This page of the list does not exist."), value) from error

    def link(self, path: str | None = None, **changes: str | Sequence[str] | None) -> str:
        """Return the address of a page: with a path, that page; without, this page with changed parameters."""
        changed = [
            (name, value)
            for name, given in changes.items()
            for value in ([given] if isinstance(given, str) else given or ())
        ]
        changed = [(name, value) for name, value in changed if value]
        if path is not None:
            return f"{path}?{urlencode(changed)}" if changed else path
        kept = [
            (name, value)
            for name, values in self.parameters.items()
            for value in values
            if name not in changes and value and len(value) <= LONGEST
        ]
        kept += changed
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


@dataclass(frozen=True)
class Page:
    """A page to render: the name of a template and its values. `status` is the HTTP status."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True)
class RoomResponse:
    """A finished response. `cookies` are the choices to remember, by name."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


def redirect(target: str, cookies: Mapping[str, str] | None = None) -> RoomResponse:
    """Return a response that leads to another address of this server."""
    return RoomResponse(302, "text/plain; charset=utf-8", b"", {"Location": target}, cookies or {})
