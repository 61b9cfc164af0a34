"""Renders the templates of the reading room.

Every value is escaped: control and bidirectional characters become visible (`crawler.visible`), then HTML is escaped.
Only `Markup` made by this package is written as it is.

Boundary: templates and values in, bytes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from crawler import snippets, visible
from crawler.marks import MarkedText
from crawler.room import language
from crawler.room.language import Language
from crawler.room.requests import Ask, Page, RoomResponse

STATIC = Path(__file__).parent / "static"
#: Everything comes from this server. The pages contain neither scripts nor styles of their own.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; connect-src 'none'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_LONG = 300  # characters of a title or a lead in a list
_ELEMENTS = {"removed": "del", "added": "ins"}


def page(found: Page, ask: Ask, stale: str | None = None) -> RoomResponse:
    """Return a rendered page. `stale` is the time of its values if the archive cannot be read any more."""
    template = _environment(ask.language.code).get_template(found.template)
    body = template.render(ask=ask, lang=ask.language, stale=stale, **found.values).encode("utf-8")
    return RoomResponse(found.status, "text/html; charset=utf-8", body, {"Content-Security-Policy": POLICY})


@cache
def _environment(code: str) -> Environment:
    chosen = language.of(code)
    environment = Environment(
        loader=PackageLoader("crawler.room"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(chosen.gettext, chosen.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {"static": static_address, "ngettext": chosen.counted}
    environment.filters |= {
        "short": short,
        "pieces": marked,
        "address": quote,
        "number": chosen.number,
        "instant": chosen.instant,
        "time": chosen.time_of_day,
        "when": lambda text: when(chosen, text),
    }
    return environment


def _visible(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return "" if value is None else value
    return visible.block(value)


def one_line(text: str) -> str:
    """Return a text with its spaces and line breaks collapsed; no-break spaces stay as published."""
    return snippets.SPACES.sub(" ", text).strip(" ")


def short(text: str | None, limit: int = _LONG) -> str:
    """Return a text for a list: one of more than `limit` characters is cut at a word, with the sign `…`."""
    text = one_line(text or "")
    if len(text) <= limit:
        return text
    cut = text[:limit]
    return f"{cut.rpartition(' ')[0] or cut}…"


def marked(pieces: Sequence[MarkedText]) -> Markup:
    """Return the HTML of a marked text. A repair has the other spelling in a tooltip."""
    shown = []
    for piece in pieces:
        text = escape(visible.block(piece.text))
        if piece.kind == "repair":
            text = Markup('<span class="repair" title="{}" tabindex="-1">{}</span>').format(
                visible.line(piece.other) or "∅", text or "∅"
            )
        elif piece.kind:
            name = _ELEMENTS[piece.kind]
            text = Markup(f"<{name}>{{}}</{name}>").format(text)  # noqa: S704 - constant names
        if piece.is_hit:
            text = Markup("<mark>{}</mark>").format(text)
        shown.append(text)
    return Markup("").join(shown)


def when(chosen: Language, text: str | None) -> Markup:
    """Return an instant in words, in an element with its exact value; any other text is only escaped."""
    instant = language.parsed_instant(text)
    if instant is None:
        return escape(visible.line(text or ""))
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), chosen.instant(text))


@cache
def static_address(name: str) -> str:
    """Return the address of a static file; it changes with the content, so that a browser may keep the file."""
    return f"/-/room/{name}?{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@cache
def static_file(name: str) -> RoomResponse | None:
    """Return the response with a static file; None if there is no such file."""
    types = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in types or not path.is_file():
        return None
    return RoomResponse(
        200, types[path.suffix], path.read_bytes(), {"Cache-Control": "private, max-age=31536000, immutable"}
    )
