"""Feeds of searches, sections, silent edits, removals and gaps, and the list of all feeds.

Boundary: reads rows; `crawler.feeds` writes the formats.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from crawler import feeds
from crawler.changes import Kind
from crawler.room.language import _
from crawler.room.pages import events, search
from crawler.room.requests import LONGEST, Ask, BadRequest, RoomResponse
from crawler.room.room import Desk

_LIMIT = 40
_TYPES = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}
_REMOVALS, _GAPS = "Articles retirés", "Lacunes"


def feed(desk: Desk, ask: Ask) -> RoomResponse:
    """Return a feed; `content` is `full` or `summary`.

    `kind` is `articles` (the default), a kind of article such as `photo`, `edits` (silent ones), `changes` (all edits),
    kinds of changes such as `figure`, or `removals` or `gaps`.

    Raises:
        BadRequest: a parameter cannot be read.

    """
    form, kinds, content = ask.variables["format"], ask.all("kind") or ("articles",), ask.get("content") or "full"
    makers = {_MAKERS.get(kind) for kind in kinds}
    maker = makers.pop()
    if maker is None or makers or content not in ("full", "summary"):
        raise BadRequest(_("There is no such feed."), ", ".join((*kinds, content))[:LONGEST])
    if maker is not _articles and (filtered := next(filter(ask.get, search.PARAMETERS), None)):
        raise BadRequest(_("Only feeds of articles have this filter."), filtered)
    found = maker(desk, ask, content == "full")
    body = feeds.FORMATS[form](found).encode("utf-8")
    return RoomResponse(200, _TYPES[form], body, {"ETag": f'"{sha256(body).hexdigest()[:32]}"'})


def _articles(desk: Desk, ask: Ask, full: bool) -> feeds.Feed:
    if ask.get("kind") == "articles":
        kept = {name: values for name, values in ask.parameters.items() if name != "kind"}
        asked = search.asked(desk, replace(ask, parameters=kept))
    else:
        asked = search.asked(desk, ask)
    identity = desk.archive.identity()
    entries = [
        feeds.article_entry(identity, stored, seen_at, f"{ask.base}/article/{stored.id}", full=full)
        for stored, seen_at in search.newest(desk, asked, _LIMIT)
    ]
    title = feeds.search_title(asked.text, asked.filters.section, asked.filters.place)
    return _feed(ask, identity, title, entries, ask.link("/find", q=asked.text, section=asked.filters.section))


def _edits(desk: Desk, ask: Ask, full: bool) -> feeds.Feed:
    identity = desk.archive.identity()
    kinds, silent = events.asked_kinds(ask)
    rows, _next_key = events.edits(desk, kinds=kinds, silent=silent, limit=_LIMIT)
    entries = [feeds.edit_entry(identity, row, f"{ask.base}/article/{row['id']}#versions", full=full) for row in rows]
    title = feeds.edits_title(kinds, silent=silent)
    home = ask.link("/changes", kind=kinds, silent="1" if silent else None)
    return _feed(ask, identity, title, entries, home)


def _removals(desk: Desk, ask: Ask, _full: bool) -> feeds.Feed:
    identity = desk.archive.identity()
    rows = desk.archive.removals(limit=_LIMIT)
    entries = [feeds.removal_entry(identity, row, f"{ask.base}/article/{row['id']}") for row in rows]
    return _feed(ask, identity, _REMOVALS, entries, "/removed")


def _gaps(desk: Desk, ask: Ask, _full: bool) -> feeds.Feed:
    identity = desk.archive.identity()
    rows = desk.archive.newest_gaps(_LIMIT)
    entries = [feeds.gap_entry(identity, row, f"{ask.base}/coverage#gaps") for row in rows]
    return _feed(ask, identity, _GAPS, entries, "/coverage")


_ARTICLE_KINDS = ("article", "photo", "video", "infographic")
_MAKERS = (
    {"articles": _articles, "edits": _edits, "removals": _removals, "gaps": _gaps}
    | dict.fromkeys(_ARTICLE_KINDS, _articles)
    | dict.fromkeys(("changes", *Kind), _edits)
)


def _feed(ask: Ask, identity: str, title: str, entries: list[feeds.Entry], home: str) -> feeds.Feed:
    own = ask.link(lang=None)
    parameters = own.partition("?")[2]
    return feeds.Feed(feeds.feed_id(identity, "feed", parameters), title, entries, ask.base + own, ask.base + home)


def outlines(desk: Desk, ask: Ask) -> RoomResponse:
    """Return the list of all feeds (OPML): all articles, each section, silent edits, removals, gaps, watched searches."""
    found = [feeds.Outline("Tous les articles", f"{ask.base}/feed.atom", f"{ask.base}/")]
    for name in desk.archive.section_names():
        links = (ask.link(path, section=name) for path in ("/feed.atom", "/find"))
        found.append(feeds.Outline(name, *(ask.base + link for link in links)))
    for title, kind, home in (
        (feeds.edits_title((), silent=True), "edits", "/changes?silent=1"),
        (feeds.edits_title((), silent=False), "changes", "/changes"),
        (_REMOVALS, "removals", "/removed"),
        (_GAPS, "gaps", "/coverage"),
    ):
        found.append(feeds.Outline(title, f"{ask.base}/feed.atom?kind={kind}", ask.base + home))
    for name, text in desk.watches.items():
        links = (ask.link(path, q=text) for path in ("/feed.atom", "/find"))
        found.append(feeds.Outline(name, *(ask.base + link for link in links)))
    body = feeds.opml("Archive de l'Agence vietnamienne d'information", found).encode("utf-8")
    return RoomResponse(
        200, "text/x-opml; charset=utf-8", body, {"Content-Disposition": 'inline; filename="feeds.opml"'}
    )
