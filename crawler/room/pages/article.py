"""The page of one article with its evidence, and the page of one capture.

Boundary: reads rows and WARC records, and arranges them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from crawler import marks, render
from crawler.clock import to_text
from crawler.errors import PageError, StopError
from crawler.parse.decode import decode
from crawler.pictures import SHOWN
from crawler.room.language import _, parsed_instant, time_between
from crawler.room.pages.pictures import as_picture, picture_path
from crawler.room.requests import Ask, BadRequest, NotHere, Page, RoomResponse
from crawler.room.room import Desk
from crawler.site import HANOI
from crawler.types import StoredArticle

_MOST_VERSIONS = 20  # differences on one page, the newest ones
_MOST_STAYS = 4  # sources that showed the article: the home page, and sections
_MOST_LATER = 12  # captures that the table shows
#: The archived page runs no script and loads nothing; only its own styles apply.
_PAGE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


def article(desk: Desk, ask: Ask) -> Page:
    """Return the page of an article, in its current form or as of a time.

    Raises:
        NotHere: the archive does not have the article, or did not have it at that time.
        BadRequest: the time cannot be read.

    """
    key = int(ask.variables["id"])
    archive = desk.archive
    as_of = _instant(ask)
    stored = archive.article(key) if as_of is None else archive.revision(key, as_of=as_of)
    if stored is None:
        raise NotHere(
            _("The archive had no such article at that time.") if as_of else _("The archive has no such article.")
        )
    versions = archive.history(key)
    repairs = stored.reading.repairs
    as_published = ask.get("view") == "published" or not repairs
    captures = archive.captures(key)
    current = next((row for row in versions if row["revision"] == stored.revision), None)
    held = archive.held_ids([story.post_id for story in stored.article.related if story.post_id])
    section, day = stored.article.section, published_day(stored)
    before, after = archive.beside(key)
    return Page(
        "article.html",
        {
            "stored": stored,
            "article": stored.article,
            "passages": list(marks.passages(stored.article.blocks, repairs, repaired=not as_published)),
            "as_published": as_published,
            "as_of": as_of,
            "versions": versions,
            "differences": _differences(versions),
            "seen_at": current and current["seen_at"],
            "captures": captures[-_MOST_LATER:],
            "earlier_captures": max(0, len(captures) - _MOST_LATER),
            "states": archive.states(key),
            "stays": _stays(archive.positions(key)),
            "related": [(story, story.post_id in held) for story in stored.article.related],
            "similar": archive.duplicates_of(key),
            "neighbours": archive.same_day(key, section, day),
            "day": day,
            "before": before,
            "after": after,
            "citation": render.citation(stored),
            "web_address": web_address(stored.fetched_url or stored.article.url),
            "pictures": {image.url: web_address(image.url) for image in stored.article.images},
            "held_pictures": _held_pictures(desk, stored),
        },
    )


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


def _instant(ask: Ask) -> str | None:
    """Return the time in `as_of` in UTC; a day stands for its end in Hanoi."""
    value = ask.get("as_of")
    if value is None:
        return None
    try:
        if len(value) == len("2024-01-31"):
            end = datetime.combine(date.fromisoformat(value), time(), HANOI) + timedelta(days=1, seconds=-1)
            return to_text(end)
        instant = datetime.fromisoformat(value)
        return to_text(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise BadRequest(_("A time is written as 2024-01-31 or 2024-01-31T08:15:00Z."), value) from error


def _differences(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each revision after the first with the passages that changed, newest first."""
    found = []
    for old, new in list(pairwise(versions))[-_MOST_VERSIONS:]:
        passages = [(d.field, marks.shortened(d.pieces, 160)) for d in marks.differences(old, new)]
        found.append({
            "old": old, "new": new, "passages": passages, "later": time_between(old["seen_at"], new["seen_at"]),
            "silent": old["modified_at"] == new["modified_at"],
        })  # fmt: skip
    return list(reversed(found))


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
