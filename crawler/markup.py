"""Markup files, which contain the CSS selectors that find each field in one layout of the site.

Each layout is one TOML file in `crawler/markups/` or in the user's markup folder. This module validates the files and
chooses layouts by the date of the fetch. When the site changes its layout, one new file is enough.

Boundary: text in, values out; `config` reads the files. selectolax is used only to check selectors.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from crawler.errors import ConfigError

Selectors = tuple[str, ...]


class Names(tuple[str, ...]):
    """Names of HTML attributes. They have a separate type, so that they are not validated as CSS selectors."""

    __slots__ = ()


class Paths(tuple[str, ...]):
    """Paths in the data of a script. They have a separate type, so that they are not validated as CSS selectors."""

    __slots__ = ()


#: Dossier section 5: the headline and the body of any article on a page, also of another one that is loaded below the first.
FULL_STORY = "h1, [itemprop=articleBody], .article__body"
_NAME = re.compile(r"[a-z][a-z0-9_:-]*")
# Dossier section 7; the two before `src` are those of proxies that make pages faster (Cloudflare, mod_pagespeed).
_IMAGE = Names(
    (
        "data-src", "data-original", "data-lazy-src", "data-photo-original-src", "data-cfsrc", "data-pagespeed-lazy-src", "src",
    )
)  # fmt: skip
#: Attributes with several files of one picture; all but `srcset` are for lazy loading, as `data-src` is.
IMAGE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_TIME = Names(("data-time", "datetime"))  # dossier section 15
_NONE = Names()
_NO_PATHS = Paths()


@dataclass(frozen=True, slots=True)
class ArticleSelectors:
    """CSS selectors of the article's elements.

    `title` and `body` are searched in the whole page (by `parse.frame`). For each other field, the first selector that
    matches inside the article is used. `beside` selects lists of other stories inside the article; no field is read
    from them. `inner_title` selects headlines inside the body, for pages on which no headline is outside it.
    """

    title: Selectors
    body: Selectors
    lead: Selectors = ()
    byline: Selectors = ()
    time: Selectors = ()
    breadcrumb: Selectors = ()
    tags: Selectors = ()
    avatar: Selectors = ()
    beside: Selectors = ()
    inner_title: Selectors = ()


@dataclass(frozen=True, slots=True)
class BodySelectors:
    """CSS selectors of the parts of the body that are not its running text.

    - `noise`: elements that are ignored.
    - `picture`: containers of pictures.
    - `bare_caption`: picture containers whose caption is plain text without an element of its own.
    - `caption`: elements of captions.
    - `note`: side notes, which are stored separately.
    - `player`: video and audio players.
    - `related`: links to other stories.
    """

    noise: Selectors = ()
    picture: Selectors = ()
    bare_caption: Selectors = ()
    caption: Selectors = ()
    note: Selectors = ()
    player: Selectors = ()
    related: Selectors = ()


@dataclass(frozen=True, slots=True)
class RelatedSelectors:
    """CSS selectors of the related stories at the foot of the page.

    The class of the element around these stories is unknown, so they are found by the visible text of their heading,
    `heading`. `item` selects one story; `title` and `summary` select parts of a story.
    """

    heading: str = "Voir plus"
    item: Selectors = ()
    title: Selectors = ()
    summary: Selectors = ()


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names of the HTML attributes with the URL of a picture (`image`) or with a time (`time`), most trusted first.

    `caption` contains the attributes of a picture, or of the element around it, with its caption, if no element has it.
    """

    image: Names = _IMAGE
    time: Names = _TIME
    caption: Names = _NONE


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Where a JSON script has the article, if the page itself does not show it (see `parse.script_data`).

    `script` selects the script. The others are paths in its data, such as `/props/article/title`; the step `*` stands for
    all items of a list. The other tables of the layout then read a page in which each field has the class `data-` and its
    name, such as `data-body`.
    """

    script: Selectors = ()
    title: str = ""
    lead: str = ""
    byline: str = ""
    section: str = ""
    time: str = ""
    tags: str = ""
    picture: str = ""
    caption: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class ListSelectors:
    """Where a list has the post ids of its stories, if no address of an article is on the page.

    `item` selects the elements of stories. The post id is a number in the attribute `id` of such an element, or of the
    first element inside it that has the attribute; `number` says which one of several numbers (`first` or `last`).
    `title` selects the headline: the item itself, or an element inside it.

    If only a JSON script has the list, `script` selects it. `stories` are the paths of the stories in its data, such as
    `/props/stories/*`; `story_id` and `story_title` are names or paths in the data of one story, such as `post/id`.
    """

    item: Selectors = ()
    id: Names = _NONE
    number: str = "last"
    title: Selectors = ()
    script: Selectors = ()
    stories: Paths = _NO_PATHS
    story_id: str = ""
    story_title: str = ""

    def __bool__(self) -> bool:
        """Whether the table is not empty."""
        return bool(self.item or self.script)


@dataclass(frozen=True, slots=True)
class Learned:
    """Marks a layout that `vna heal` has learned, not written by a person.

    It is tried only after all written layouts, and only on pages fetched from `since` to `until` (None: no end), so that
    it never changes what was read before. `doubtful` contains the fields that it does not read exactly on every page: a
    difference in these fields alone is not a revision. A layout that corrects others, because a redesign has only moved some
    fields, names these in `replaces`, and is tried directly before them.
    """

    since: datetime
    until: datetime | None = None
    doubtful: Names = _NONE
    replaces: Names = _NONE

    def covers(self, at: datetime) -> bool:
        """Whether the layout may be tried on a page fetched at `at`."""
        return self.since <= at and (self.until is None or at <= self.until)


@dataclass(frozen=True, slots=True)
class Markup:
    """One layout, for pages fetched from `valid_from` to `valid_until`, both inclusive; None means no limit.

    `learned` is None for a layout that a person has written.
    """

    name: str
    article: ArticleSelectors
    body: BodySelectors = BodySelectors()
    related: RelatedSelectors = RelatedSelectors()
    attributes: Attributes = Attributes()
    about: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    data: DataPaths = DataPaths()
    lists: ListSelectors = ListSelectors()
    learned: Learned | None = None

    def covers(self, day: date) -> bool:
        """Whether pages fetched on `day` (UTC) may have this layout."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


_TABLES = {
    "article": ArticleSelectors,
    "body": BodySelectors,
    "related": RelatedSelectors,
    "attributes": Attributes,
    "data": DataPaths,
    "lists": ListSelectors,
    "learned": Learned,
}
_REQUIRED = ("title", "body")
_REQUIRED_OF_LISTS = (("item", "id"), ("script", "stories", "story_id"))  # one of the groups
_NUMBERS = ("first", "last")


@lru_cache(maxsize=32)  # to parse and check the files takes 6 ms, and a process may load the same ones many times
def load(file: str, text: str) -> Markup:
    """Parse one markup file; `file` is its name for error messages.

    Raises:
        ConfigError: the file is invalid. The message lists every error, one per line, with file and key.

    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # RecursionError: thousands of nested lists
        raise _invalid([f"{file}: not valid TOML: {error}"]) from error
    errors = [f"{file}: {error}" for error in _errors(data)]
    if errors:
        raise _invalid(errors)
    return Markup(
        name=data["name"],
        about=data.get("about", ""),
        valid_from=data.get("valid_from"),
        valid_until=data.get("valid_until"),
        article=ArticleSelectors(**_tupled(data.get("article", {"title": [], "body": []}))),
        body=BodySelectors(**_tupled(data.get("body", {}))),
        related=RelatedSelectors(**_tupled(data.get("related", {}))),
        attributes=Attributes(**_tupled(data.get("attributes", {}))),
        data=DataPaths(**_tupled(data.get("data", {}))),
        lists=ListSelectors(**_tupled(data.get("lists", {}))),
        learned=Learned(**_tupled(data["learned"])) if "learned" in data else None,
    )


def load_all(files: Iterable[tuple[str, str]]) -> tuple[Markup, ...]:
    """Parse several markup files, given as pairs of file name and text.

    A later layout replaces an earlier one with the same `name`.

    Raises:
        ConfigError: at least one file is invalid. The message lists the errors of all files.

    """
    markups: dict[str, Markup] = {}
    errors: list[str] = []
    for file, text in files:
        try:
            layout = load(file, text)
        except ConfigError as error:
            errors.append(str(error))
        else:
            markups[layout.name] = layout
    if errors:
        raise _invalid(errors)
    return tuple(markups.values())


def choose(markups: Sequence[Markup], fetched_at: datetime) -> tuple[Markup, ...]:
    """Return all layouts in the order in which to try them for a page fetched at `fetched_at`.

    Layouts that are valid on the date of the fetch come first, and the newest of them is at the front. The other
    layouts follow, also newest first, because a page may be older than its fetch (if it comes from a cache or an
    import).

    Learned layouts come last, newest first, and only those that cover the time of the fetch. One that corrects a written
    layout comes directly before it.
    """
    day = fetched_at.astimezone(UTC).date()
    written = [m for m in markups if m.learned is None]
    newest_first = sorted(written, key=lambda m: (m.valid_from or date.min, m.name), reverse=True)
    learned = [(m.learned.since, m.name, m) for m in markups if m.learned is not None and m.learned.covers(fetched_at)]
    last = [m for *_, m in sorted(learned, key=lambda entry: entry[:2], reverse=True)]
    ordered = (*sorted(newest_first, key=lambda m: not m.covers(day)), *last)
    first = ((m, [c for c in last if c.learned is not None and m.name in c.learned.replaces]) for m in ordered)
    return tuple(dict.fromkeys(layout for m, corrections in first for layout in (*corrections, m)))


def list_selectors(markups: Sequence[Markup], fetched_at: datetime) -> tuple[ListSelectors, ...]:
    """Return the tables `[lists]` of the layouts, in the order in which to try them for a response of that time."""
    return tuple(layout.lists for layout in choose(markups, fetched_at) if layout.lists)


def _invalid(errors: Sequence[str]) -> ConfigError:
    return ConfigError("\n".join(errors), "correct the file; docs/new-layout.md describes every key")


def _errors(data: Mapping[str, Any]) -> list[str]:
    found = _table_errors("", data, {"name": str, "about": str, "valid_from": date, "valid_until": date, **_TABLES})
    found += [f"name: missing; write a short name such as {'cms-2024'!r}"] * ("name" not in data)
    for table, kind in _TABLES.items():
        content = data.get(table)
        if isinstance(content, dict):
            found += _table_errors(f"{table}.", content, get_type_hints(kind))
    learned = data.get("learned")
    if isinstance(learned, dict) and "since" not in learned:
        found.append("learned.since: missing; write a time such as 2024-01-31T08:00:00Z")
    found += _list_errors(data.get("lists"))
    article = data.get("article")
    if isinstance(article, dict):
        found += [f"article.{key}: missing; write a list of CSS selectors" for key in _REQUIRED if not article.get(key)]
    elif article is not None or not data.get("lists"):  # a layout may be of lists alone
        found.append("[article]: missing; write a table with at least title and body")
    start, end = data.get("valid_from"), data.get("valid_until")
    if isinstance(start, date) and isinstance(end, date) and end < start:
        found.append(f"valid_until: {end} is before valid_from {start}")
    return found


def _list_errors(table: Any) -> list[str]:
    if not isinstance(table, dict):
        return []
    found = [] if table.get("number", "last") in _NUMBERS else [f"lists.number: must be one of {', '.join(_NUMBERS)}"]
    if not any(all(table.get(key) for key in group) for group in _REQUIRED_OF_LISTS):
        found.append("[lists]: incomplete; write item and id, or script, stories and story_id")
    return found


def _table_errors(prefix: str, data: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, value in data.items():
        if key not in expected:
            found.append(f"{prefix}{key}: unknown key; known keys: {', '.join(expected)}")
        else:
            found += [f"{prefix}{key}: {error}" for error in _value_errors(value, expected[key])]
    return found


def _value_errors(value: Any, kind: Any) -> list[str]:
    if kind is Names:
        valid = isinstance(value, list) and value and all(isinstance(v, str) and _NAME.fullmatch(v) for v in value)
        return [] if valid else ['must be a list of attribute names, such as ["data-src", "src"]']
    if kind is Paths:
        valid = isinstance(value, list) and value and all(isinstance(v, str) and v.startswith("/") for v in value)
        return [] if valid else ['must be a list of paths, such as ["/props/stories/*"]']
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            return ["must be a list of CSS selectors"]
        return [error for selector in value for error in _selector_errors(selector)]
    valid, expected = _scalar(value, kind)
    return [] if valid else [f"must be {expected}"]


def _scalar(value: Any, kind: Any) -> tuple[bool, str]:
    """Return whether a value that is not a list has the right type, and a description of that type."""
    if datetime in (kind, *get_args(kind)):
        is_instant = isinstance(value, datetime) and value.tzinfo is not None
        return is_instant, "a time such as 2024-01-31T08:00:00Z, without quotes"
    if kind is date:
        is_date = isinstance(value, date) and not isinstance(value, datetime)
        return is_date, "a date such as 2024-01-31, without quotes"
    if kind is str:
        return isinstance(value, str) and bool(value.strip()), "a non-empty string in quotes"
    return isinstance(value, dict), "a table"


def _selector_errors(selector: Any) -> list[str]:
    if not isinstance(selector, str) or not selector.strip():
        return [f"{selector!r} is not a CSS selector"]
    return [] if _is_supported(selector) else [f"{selector!r} is not a CSS selector that the parser supports"]


@lru_cache(maxsize=1 << 9)  # several layouts use the same selectors
def _is_supported(selector: str) -> bool:
    try:
        LexborHTMLParser("<p>").css(selector)
    except SelectolaxError:
        return False
    return True


def _tupled(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
