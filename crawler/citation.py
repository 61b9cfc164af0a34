"""Cite an article as it is in the archive: the address that was fetched, the instant and the digest of the capture.

Boundary: values in, strings and JSON values out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from crawler.types import StoredArticle

AGENCY = "Agence vietnamienne d'information"
_UNFIT = re.compile(r"[\s{}\\^`|<>\"]")
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CitedCapture:
    """What a citation needs of a capture: when it was fetched (UTC, ISO 8601), and the digest of its body.

    For an imported text, it is the time of the import and the digest of the imported file. Both are empty if the archive has
    no capture of the article.
    """

    fetched_at: str
    digest: str


def text(stored: StoredArticle, capture: CitedCapture) -> str:
    """Return a citation in one line."""
    article = stored.article
    parts = [f"{_line(article.title)}. {AGENCY}"]
    if article.byline:
        parts.append(_line(article.byline))
    if article.published_at:
        parts.append(article.published_at)
    return f"{', '.join(parts)}. {_address(stored) or 'Imported text'} ({_note(stored, capture)})."


def bibtex(stored: StoredArticle, capture: CitedCapture) -> str:
    """Return an entry for BibLaTeX."""
    article, url = stored.article, _address(stored)
    fields = {
        "title": f"{{{_tex(article.title)}}}",
        "author": f"{{{_tex(article.byline)}}}" if article.byline else None,
        "organization": _tex(AGENCY),
        "date": _day(article.published_at),
        "url": url and _UNFIT.sub(lambda match: quote(match[0]), url),
        "urldate": capture.fetched_at[:10] or None,
        "langid": "french",
        "note": _tex(_note(stored, capture)),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@online{{{_key(stored)},", *lines, "}"])


def ris(stored: StoredArticle, capture: CitedCapture) -> str:
    """Return a record in the RIS format."""
    article = stored.article
    fields = [
        ("TY", "NEWS"),
        ("TI", article.title),
        ("AU", article.byline),
        ("PB", AGENCY),
        ("DA", (_day(article.published_at) or "").replace("-", "/")),
        ("UR", _address(stored)),
        ("Y2", capture.fetched_at[:10].replace("-", "/")),
        ("LA", "fr"),
        ("AN", str(stored.id)),
        ("N1", _note(stored, capture)),
    ]
    lines = [f"{tag}  - {_line(value)}" for tag, value in fields if value]
    return "\n".join([*lines, "ER  - "])


def csl_json(stored: StoredArticle, capture: CitedCapture) -> list[dict[str, Any]]:
    """Return the article as CSL-JSON, which Zotero and Pandoc read."""
    article, day = stored.article, _day(stored.article.published_at)
    item: dict[str, Any] = {
        "id": _key(stored),
        "type": "article-newspaper",
        "title": article.title,
        "publisher": AGENCY,
        "language": "fr",
        "note": _note(stored, capture),
    }
    if capture.fetched_at:
        item["accessed"] = _date_parts(capture.fetched_at[:10])
    if article.byline:
        item["author"] = [{"literal": article.byline}]
    if day:
        item["issued"] = _date_parts(day)
    if (url := _address(stored)) is not None:
        item["URL"] = url
    return [item]


#: The citations that are a text, by the name of their format; the other format is CSL-JSON.
TEXTS: Mapping[str, Callable[[StoredArticle, CitedCapture], str]] = {"text": text, "bibtex": bibtex, "ris": ris}


def _address(stored: StoredArticle) -> str | None:
    """Return the address that was fetched, because a reader can check it; the page may state another one."""
    return stored.fetched_url or stored.article.url


def _note(stored: StoredArticle, capture: CitedCapture) -> str:
    gone = ", no longer on the site" if stored.state == "gone" else ""
    captured = f"capture of {capture.fetched_at}, {capture.digest}" if capture.fetched_at else "no capture"
    return f"{captured}, revision {stored.revision}{gone}"


def _key(stored: StoredArticle) -> str:
    return f"vna{stored.id}r{stored.revision}".replace("-", "i")


def _day(published_at: str | None) -> str | None:
    """Return the day of publication as the site states it; None if it states no valid day."""
    try:
        return date.fromisoformat((published_at or "")[:10]).isoformat()
    except ValueError:
        return None


def _date_parts(day: str) -> dict[str, list[list[int]]]:
    return {"date-parts": [[int(part) for part in day.split("-")]]}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in _line(text))


def _line(text: str) -> str:
    return " ".join(text.split())
