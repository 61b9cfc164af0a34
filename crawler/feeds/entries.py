"""Turn rows of the archive into entries of feeds.

The id of an entry follows from the identity of the archive and from the kind and number of its subject, so that it stays
the same in a moved, rebuilt or restored archive.

Boundary: rows in, entries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha1
from html import escape
from typing import Any

from crawler import marks, render, visible
from crawler.changes import Kind
from crawler.feeds.formats import Entry
from crawler.types import StoredArticle

_SHOWN = 200  # characters of a summary
_ELEMENTS = {"removed": "del", "added": "ins"}
#: The kinds of changes in French: feeds are in the language of the articles.
CHANGES = {
    Kind.HEADLINE: "titre", Kind.LEAD: "chapeau", Kind.CAPTION: "légende", Kind.PICTURE: "image", Kind.ADDED: "ajout", Kind.REMOVED: "suppression",
    Kind.MOVED: "déplacement", Kind.QUOTE: "citation", Kind.DATE: "date", Kind.FIGURE: "chiffre", Kind.NAME: "nom",
    Kind.TYPO: "coquille", Kind.STYLE: "style",
}  # fmt: skip
_STATES = {"gone": "Retiré", "suspect": "Introuvable", "live": "De retour"}


def feed_id(identity: str, *subject: object) -> str:
    """Return a URN for a subject of an archive, such as `("article", 245060)`; the same subject gets the same one."""
    number = sha1("\0".join(map(str, (identity, *subject))).encode(), usedforsecurity=False).hexdigest()
    return f"urn:uuid:{number[:8]}-{number[8:12]}-5{number[13:16]}-a{number[17:20]}-{number[20:32]}"


def article_entry(
    identity: str, stored: StoredArticle, updated: str, address: str | None = None, *, full: bool = True
) -> Entry:
    """Return the entry of an article. `updated` is when its current content was first seen."""
    article = stored.article
    source = render.web_url(stored.fetched_url or article.url) or None
    summary = article.lead or next(iter(article.paragraphs), "")
    return Entry(
        id=feed_id(identity, "article", stored.id),
        title=article.title,
        updated=_instant(updated, stored.first_seen_at),
        published=_instant(article.published_at, stored.first_seen_at),
        address=address or source,
        source=source,
        summary=_cut(summary),
        content=render.html_body(article) if full else None,
        tags=(article.section,) if article.section else (),
    )


def edit_entry(identity: str, row: Mapping[str, Any], address: str | None = None, *, full: bool = True) -> Entry:
    """Return the entry of a later revision: its kinds of changes, and the passages that changed.

    The content of a revision never changes.
    """
    return _event_entry(
        feed_id(identity, "edit", row["id"], row["revision"]),
        "Modifié",
        row,
        address,
        summary=", ".join(CHANGES[kind] for kind in row["kinds"]),
        content="".join(f"<p>{_html(passage.pieces)}</p>" for passage in row["passages"]) if full else None,
    )


def edits_title(kinds: Iterable[Kind], *, silent: bool) -> str:
    """Return the title of a feed of edits: all, or those of some kinds; all or silent ones."""
    name = "Modifications silencieuses" if silent else "Modifications"
    words = ", ".join(CHANGES[kind] for kind in kinds)
    return f"{name} : {words}" if words else name


def removal_entry(identity: str, row: Mapping[str, Any], address: str | None = None) -> Entry:
    """Return the entry of a removal or of a return after a removal."""
    subject = feed_id(identity, "state", row["id"], row["at"])
    return _event_entry(subject, _STATES[row["state"]], row, address, summary=row["lead"] or "")


def _event_entry(
    subject: str, event: str, row: Mapping[str, Any], address: str | None, *, summary: str, content: str | None = None
) -> Entry:
    source = render.web_url(row["url"]) or None
    return Entry(
        id=subject,
        title=f"{event} : {row['title']}",
        updated=row["at"],
        published=row["at"],
        address=address or source,
        source=source,
        summary=_cut(summary),
        content=content,
    )


def gap_entry(identity: str, row: Mapping[str, Any], address: str | None = None) -> Entry:
    """Return the entry of a gap; when the gap is closed, its content changes."""
    closed = row["state"] == "closed"
    name = row["name"] or row["source"]
    return Entry(
        id=feed_id(identity, "gap", row["source"], row["opened_at"]),
        title=f"Lacune {'comblée' if closed else 'ouverte'} : {name}",
        updated=row["closed_at"] or row["opened_at"],
        published=row["opened_at"],
        address=address,
        source=address,
        summary=f"{name} : {row['since']} – {row['until']}",
    )


def _html(pieces: Iterable[marks.MarkedText]) -> str:
    shown = []
    for piece in pieces:
        text = escape(visible.block(piece.text))
        name = _ELEMENTS.get(piece.kind)
        shown.append(f"<{name}>{text}</{name}>" if name else text)
    return "".join(shown)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN].rstrip()}…"


def _instant(text: str | None, otherwise: str) -> str:
    """Return an instant in UTC as RFC 3339; `otherwise` if the page gives no valid time with an offset."""
    try:
        instant = datetime.fromisoformat(text or "")
        return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise
