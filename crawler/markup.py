"""Dated markup versions: where a layout of the site keeps each field, as data.

One TOML file each (`crawler/markups/*.toml`, and more from the config folder); this module checks a file's content,
all mistakes at once, and chooses by fetch time. A new site layout is one new file.

Boundary: text in, values out; reading the files is `config`'s. selectolax serves only to check selectors.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, get_origin, get_type_hints

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from crawler.errors import ConfigError

Selectors = tuple[str, ...]


class Names(tuple[str, ...]):
    """Attribute names; a type of their own, so that they are not checked as selectors."""

    __slots__ = ()


_NAME = re.compile(r"[a-z][a-z0-9_:-]*")
_IMAGE = Names(("data-src", "data-original", "data-lazy-src", "data-photo-original-src", "src"))  # dossier 7
_TIME = Names(("data-time", "datetime"))  # dossier 15


@dataclass(frozen=True, slots=True)
class ArticleSelectors:
    """The article's own elements; of each list the first selector that matches inside the article wins."""

    title: Selectors
    body: Selectors
    lead: Selectors = ()
    byline: Selectors = ()
    time: Selectors = ()
    breadcrumb: Selectors = ()
    tags: Selectors = ()
    avatar: Selectors = ()
    beside: Selectors = ()


@dataclass(frozen=True, slots=True)
class BodySelectors:
    """What stands inside the body beside its text."""

    noise: Selectors = ()
    picture: Selectors = ()
    bare_caption: Selectors = ()
    caption: Selectors = ()
    note: Selectors = ()
    player: Selectors = ()
    related: Selectors = ()


@dataclass(frozen=True, slots=True)
class RelatedSelectors:
    """The block at the foot of the page: `heading` is its visible text (the container's class is unknown), `item` one story."""

    heading: str = "Voir plus"
    item: Selectors = ()
    title: Selectors = ()
    summary: Selectors = ()


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names of attributes, in order of trust: where an image's real address is, where a time's instant is."""

    image: Names = _IMAGE
    time: Names = _TIME


@dataclass(frozen=True, slots=True)
class Markup:
    """One layout; `valid_from` and `valid_until` bound the days on which pages in it were fetched (None = open)."""

    name: str
    article: ArticleSelectors
    body: BodySelectors = BodySelectors()
    related: RelatedSelectors = RelatedSelectors()
    attributes: Attributes = Attributes()
    about: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    def covers(self, day: date) -> bool:
        """Say whether pages fetched on `day` (UTC) may be in this layout."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


_TABLES = {
    "article": ArticleSelectors,
    "body": BodySelectors,
    "related": RelatedSelectors,
    "attributes": Attributes,
}
_REQUIRED = ("title", "body")


def load(file: str, text: str) -> Markup:
    """Read one markup file.

    Raises:
        ConfigError: listing every mistake, each with file and key.

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refuse([f"{file}: not valid TOML: {error}"]) from error
    mistakes = [f"{file}: {mistake}" for mistake in _mistakes(data)]
    if mistakes:
        raise _refuse(mistakes)
    return Markup(
        name=data["name"],
        about=data.get("about", ""),
        valid_from=data.get("valid_from"),
        valid_until=data.get("valid_until"),
        article=ArticleSelectors(**_tupled(data["article"])),
        body=BodySelectors(**_tupled(data.get("body", {}))),
        related=RelatedSelectors(**_tupled(data.get("related", {}))),
        attributes=Attributes(**_tupled(data.get("attributes", {}))),
    )


def load_all(files: Iterable[tuple[str, str]]) -> tuple[Markup, ...]:
    """Read several files, given as (file, text); later files replace earlier ones of the same name.

    Raises:
        ConfigError: listing the mistakes of all files at once.

    """
    markups: dict[str, Markup] = {}
    mistakes: list[str] = []
    for file, text in files:
        try:
            one = load(file, text)
        except ConfigError as error:
            mistakes.append(str(error))
        else:
            markups[one.name] = one
    if mistakes:
        raise _refuse(mistakes)
    return tuple(markups.values())


def choose(markups: Sequence[Markup], fetched_at: datetime) -> tuple[Markup, ...]:
    """Order the layouts to try for a page fetched at `fetched_at`: those of that day first, newest first in each group.

    The others follow because a page may be older than its capture (a cache, an import), and which of them is used is
    recorded with the article.
    """
    day = fetched_at.astimezone(UTC).date()
    newest_first = sorted(markups, key=lambda m: (m.valid_from or date.min, m.name), reverse=True)
    return tuple(sorted(newest_first, key=lambda m: not m.covers(day)))


def _refuse(mistakes: Sequence[str]) -> ConfigError:
    return ConfigError("\n".join(mistakes), "correct the file; docs/new-layout.md describes every key")


def _mistakes(data: Mapping[str, Any]) -> list[str]:
    found = _wrong_values("", data, {"name": str, "about": str, "valid_from": date, "valid_until": date, **_TABLES})
    found += [f"name: missing, a short text such as {'cms-2024'!r}"] * ("name" not in data)
    for table, kind in _TABLES.items():
        content = data.get(table)
        if isinstance(content, dict):
            found += _wrong_values(f"{table}.", content, get_type_hints(kind))
    article = data.get("article")
    if not isinstance(article, dict):
        found.append("[article]: missing, a table with at least title and body")
    else:
        found += [f"article.{key}: missing, a list of CSS selectors" for key in _REQUIRED if not article.get(key)]
    start, end = data.get("valid_from"), data.get("valid_until")
    if isinstance(start, date) and isinstance(end, date) and end < start:
        found.append(f"valid_until: {end} is before valid_from {start}")
    return found


def _wrong_values(prefix: str, data: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, value in data.items():
        if key not in expected:
            found.append(f"{prefix}{key}: unknown key; known are {', '.join(expected)}")
        else:
            found += [f"{prefix}{key}: {wrong}" for wrong in _wrong_value(value, expected[key])]
    return found


def _wrong_value(value: Any, kind: Any) -> list[str]:
    if kind is Names:
        good = isinstance(value, list) and value and all(isinstance(v, str) and _NAME.fullmatch(v) for v in value)
        return [] if good else ['must be a list of attribute names, such as ["data-src", "src"]']
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            return ["must be a list of CSS selectors"]
        return [wrong for selector in value for wrong in _wrong_selector(selector)]
    if kind is date:
        good = isinstance(value, date) and not isinstance(value, datetime)
        return [] if good else ["must be a date such as 2024-01-31, without quotes"]
    if kind is str:
        return [] if isinstance(value, str) and value.strip() else ["must be a text in quotes"]
    return [] if isinstance(value, dict) else ["must be a table"]


def _wrong_selector(selector: Any) -> list[str]:
    if not isinstance(selector, str) or not selector.strip():
        return [f"{selector!r} is no CSS selector"]
    try:
        LexborHTMLParser("<p>").css(selector)
    except SelectolaxError:
        return [f"{selector!r} is no CSS selector that the parser knows"]
    return []


def _tupled(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def selector_keys() -> dict[str, tuple[str, ...]]:
    """List the keys of each table of a markup file, for the documentation and its test."""
    return {name: tuple(f.name for f in fields(kind)) for name, kind in _TABLES.items()}
