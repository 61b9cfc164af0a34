"""The page of one article in one of its revisions, and the page of one capture.

Boundary: reads rows and WARC records, and arranges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from crawler import citation, marks, query, render, visible
from crawler.changes import is_silent
from crawler.clock import named_instant
from crawler.errors import PageError, StopError
from crawler.parse.decode import decode
from crawler.pictures import SHOWN, Replacement
from crawler.room.language import _, parsed_instant, time_between
from crawler.room.pages import search
from crawler.room.pages.comparisons import Comparisons
from crawler.room.pages.pictures import as_picture, picture_path
from crawler.room.requests import Ask, BadRequest, NotHere, Page, RoomResponse
from crawler.room.room import Desk
from crawler.storage.readers import row_id
from crawler.types import Article, StoredArticle

_MOST_VERSIONS = 20  # differences on one page, the newest ones
_MOST_STAYS = 4  # sources that showed the article: the home page, and sections
_MOST_LATER = 12  # captures that the table shows
_MOST_SIMILAR = 12
_LONGEST_SIMILAR = 60_000  # characters; for longer texts, only the stored relations are shown
_CONTEXT = 160  # characters beside a change
_LONGEST_CHANGE = 2000  # characters of an added or removed passage
#: The archived page runs no script and loads nothing; only its own styles apply.
_PAGE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


@dataclass(frozen=True)
class ShownRevision:
    """The revision of an article that an address names: the current one, one by its number, or that of an instant.

    `as_of` is the instant of which the site is shown, `known_at` that of which the archive is; both are UTC, ISO 8601.
    """

    stored: StoredArticle
    as_of: str | None
    known_at: str | None
    number: int | None

    @property
    def parameters(self) -> dict[str, str | None]:
        """The parameters of an address that names the same revision."""
        number = None if self.number is None else str(self.number)
        return {"as_of": self.as_of, "known_at": self.known_at, "revision": number}


def chosen(desk: Desk, ask: Ask) -> ShownRevision:
    """Return the revision that an address names, as `vna show --revision --as-of --known-at` does.

    Raises:
        NotHere: the archive does not have the article, or did not have it then.
        BadRequest: a time or number cannot be read.

    """
    key = int(ask.variables["id"])
    as_of, known_at, number = _instant(ask, "as_of"), _instant(ask, "known_at"), _number(ask)
    if as_of is None and known_at is None and number is None:
        stored = desk.archive.article(key)
    else:
        stored = desk.archive.revision(key, number=number, as_of=as_of, known_at=known_at)
    if stored is None and desk.archive.article(key) is None:
        raise NotHere(_("The archive has no such article."))
    if stored is None:
        raise NotHere(
            _("The article has no such version.") if number is not None and not (as_of or known_at)
            else _("The site or the archive had no such article at that time.")
        )  # fmt: skip
    return ShownRevision(stored, as_of, known_at, number)


def article(desk: Desk, ask: Ask) -> Page:
    """Return the page of an article, in its current form or in an earlier one.

    Raises:
        NotHere: the archive does not have the article, or did not have it at that time.
        BadRequest: a parameter cannot be read.

    """
    shown, archive = chosen(desk, ask), desk.archive
    stored, key = shown.stored, shown.stored.id
    wanted = search.parsed(ask.get("q") or "", desk.synonyms, ask.today)
    versions = archive.history(key)
    repairs = stored.reading.repairs
    as_published = _is_published_view(ask) or not repairs
    captures = archive.captures_of([key])[key]
    current = next((row for row in versions if row["revision"] == stored.revision), None)
    held = archive.held_ids([story.post_id for story in stored.article.related if story.post_id])
    before, after = archive.beside(key)
    return Page(
        "article.html",
        {
            "shown": shown,
            "stored": stored,
            "article": stored.article,
            **_text(stored, wanted, repaired=not as_published),
            "as_published": as_published,
            "versions": versions,
            "differences": _differences(desk, versions, archive.revision_articles(key)),
            "seen_at": current and current["seen_at"],
            "captures": captures[-_MOST_LATER:],
            "first_shown": {row["raw_id"]: row["revision"] for row in versions},
            "earlier_captures": max(0, len(captures) - _MOST_LATER),
            "states": archive.state_changes(key),
            "stays": _stays(archive.positions(key)),
            "related": [(story, story.post_id in held) for story in stored.article.related],
            "similar": archive.similar_articles(key, _LONGEST_SIMILAR)[:_MOST_SIMILAR],
            "neighbours": archive.same_day(key, stored.article.section, published_day(stored)),
            "before": before,
            "after": after,
            "citations": citations(desk, stored),
            "web_address": web_address(stored.fetched_url or stored.article.url),
            "pictures": {image.url: web_address(image.url) for image in stored.article.images},
            "held_pictures": _held_pictures(desk, stored),
        },
    )


def _is_published_view(ask: Ask) -> bool:
    """Whether an address asks for the text as published; without `view`, it is the repaired text."""
    view = ask.get("view")
    if view not in (None, "published"):
        raise BadRequest(_("The parameter view is published, or left out."), view)
    return view == "published"


def citations(desk: Desk, stored: StoredArticle) -> dict[str, str]:
    """Return the citations of a revision by format, as `vna cite` prints them."""
    capture = citation.CitedCapture(*desk.archive.raw_row(stored.raw_id))
    texts = {name: visible.block(write(stored, capture)) for name, write in citation.TEXTS.items()}
    return texts | {"csl-json": visible.json_text(citation.csl_json(stored, capture), indent=2)}


def _text(stored: StoredArticle, wanted: query.Query | None, *, repaired: bool) -> dict[str, Any]:
    """Return the title, the lead and the blocks of a page with the repairs and the hits of a search marked."""
    title, lead = (marks.hits(text or "", wanted) for text in (stored.article.title, stored.article.lead))
    passages = [
        replace(passage, pieces=marks.with_hits(passage.pieces, wanted))
        for passage in marks.passages(stored.article.blocks, stored.reading.repairs, repaired=repaired)
    ]
    count = sum(piece.is_hit for pieces in (title, lead, *(p.pieces for p in passages)) for piece in pieces)
    first = next((n for n, passage in enumerate(passages) if any(piece.is_hit for piece in passage.pieces)), None)
    return {
        "title": title, "lead": lead, "passages": passages, "hits": count if wanted else None, "first_hit": first,
    }  # fmt: skip


def _held_pictures(desk: Desk, stored: StoredArticle) -> dict[str, dict[str, Any]]:
    """Return the held pictures that a revision shows, by address; `path` is None if browsers do not show the format."""
    addresses = [image.url for image in stored.article.images if image.url]
    found = desk.archive.pictures_shown(stored.id, stored.revision, addresses)
    for row in found.values():
        row["path"] = picture_path(row["digest"]) if row["media_type"] in SHOWN else None
    return found


def published_day(stored: StoredArticle) -> str | None:
    """Return the day of publication in Hanoi; None if the page gives no date."""
    instant = parsed_instant(stored.article.published_at)
    return instant.date().isoformat() if instant else None


def web_address(url: str | None) -> str | None:
    """Return an address that a link may lead to: http or https, without a user name; None for any other."""
    checked = render.web_url(url)
    return checked if checked.startswith(("http://", "https://")) else None


def _instant(ask: Ask, name: str) -> str | None:
    """Return a time in UTC; a day, month or year stands for its end, a time without an offset is in UTC, as in `vna show`."""
    value = ask.get(name)
    try:
        return None if value is None else named_instant(value, ask.now.date(), end_of_day=True)
    except ValueError as error:
        raise BadRequest(_("A time is written as 2024-01-31 or 2024-01-31T08:15:00Z."), str(value)) from error


def _number(ask: Ask) -> int | None:
    value = ask.get("revision")
    try:
        return None if value is None else row_id(value)
    except ValueError as error:
        raise BadRequest(_("A version is a number, such as 2."), str(value)) from error


def _differences(desk: Desk, versions: Sequence[dict[str, Any]], articles: Sequence[Article]) -> list[dict[str, Any]]:
    """Return each revision after the first with the passages that changed, newest first."""
    found, comparisons = [], Comparisons(desk.frequency())
    pairs = list(zip(pairwise(versions), pairwise(articles), strict=True))[-_MOST_VERSIONS:]
    for (old, new), (before, after) in reversed(pairs):
        replaced = [Replacement(**one) for one in new["replaced_pictures"]]
        compared = comparisons.between(before, after, replaced, _CONTEXT, _LONGEST_CHANGE)
        found.append({
            "old": old, "new": new, "passages": compared.passages, "later": time_between(old["seen_at"], new["seen_at"]),
            "kinds": compared.kinds, "silent": is_silent(before.modified_at, after.modified_at),
        })  # fmt: skip
    return found


def _stays(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one line for each source that showed the article: from when to when, how long, and the best position."""
    sources: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        sources.setdefault(row["url"], []).append(row)
    stays = []
    for found in sources.values():
        lengths = [time_between(row["seen_at"], row["last_seen_at"]) for row in found]
        stays.append({
            "kind": found[0]["kind"], "name": found[0]["name"], "from": found[0]["seen_at"],
            "to": max(row["last_seen_at"] for row in found), "length": sum(filter(None, lengths), timedelta()),
            "best": min(row["position"] for row in found) + 1,
        })  # fmt: skip
    return sorted(stays, key=lambda stay: (stay["kind"] != "home", stay["best"]))[:_MOST_STAYS]


def capture(desk: Desk, ask: Ask) -> Page:
    """Return the page about one capture, which shows the archived page in a frame.

    Raises:
        NotHere: there is no such capture.

    """
    found = desk.archive.capture(int(ask.variables["id"]))
    if found is None:
        raise NotHere(_("The archive has no such capture."))
    ref, row = found
    return Page("capture.html", {"capture": row, "ref": ref, "web_address": web_address(row["url"])})


def archived_page(desk: Desk, ask: Ask) -> Page | RoomResponse:
    """Return the archived page itself, for the frame: no script runs in it, and it loads nothing.

    Raises:
        NotHere: there is no such capture.

    """
    from crawler.pipeline.stored_pages import response_of  # noqa: PLC0415 - needs 25 MB, and most visitors do not

    found = desk.archive.capture(int(ask.variables["id"]))
    if found is None:
        raise NotHere(_("The archive has no such capture."))
    try:
        response = response_of(desk.warc.read(found[0]))
    except (StopError, PageError, OSError) as error:
        return Page("unreadable.html", {"detail": str(error)}, 503)
    if not response.content:
        return Page("unreadable.html", {"detail": ""})
    if (shown := as_picture(response.content)) is not None:
        return shown
    form = response.header("Content-Type") or ""
    is_html = "html" in form.lower() or response.content.lstrip()[:1] == b"<"
    text = decode(response.content, form).text
    return RoomResponse(
        200,
        f"text/{'html' if is_html else 'plain'}; charset=utf-8",
        text.encode("utf-8", "replace"),
        {"Content-Security-Policy": _PAGE_POLICY, "X-Frame-Options": "SAMEORIGIN"},
    )
