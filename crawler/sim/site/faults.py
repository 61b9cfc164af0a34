"""Faults that can be injected into the fake site.

A fault is written as `kind[:path-glob[:times]]`, for example `throttle:/rss/*:3`.

Boundary: values and pure functions. The fake site chooses the fault for a request; the server carries out delays and
broken connections.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from email.utils import format_datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal, get_args

from crawler.errors import BadInput
from crawler.sim.site.messages import HTML, SLOW_PIECES, SiteResponse, always_gzip, make_response, redirect
from crawler.sim.site.timeline import seeded_rng

Kind = Literal[
    "throttle",  # 429 with Retry-After
    "throttle_bare",  # 429 without Retry-After
    "unavailable",  # 503 with Retry-After
    "unavailable_bare",  # 503 without Retry-After
    "error",  # 500
    "forbidden",  # 403
    "down",  # the connection closes without a response
    "truncate",  # the connection closes in the middle of the body
    "reset",  # the connection is reset in the middle of the body
    "short",  # the connection closes before the length that the header gives
    "slow",  # the body arrives in small pieces with pauses
    "hang",  # nothing arrives for a minute, then the connection closes
    "block",  # 200 and a bot wall
    "captcha",  # 200 and a captcha
    "consent",  # 200 and a page that asks for consent
    "soft_404",  # 200 and the page for missing articles
    "empty",  # 200 and 12 bytes
    "garbage",  # random bytes declared as gzip
    "cut_gzip",  # gzip data that ends in the middle
    "endless",  # a body that does not end
    "bomb",  # a small body that is huge when decompressed
    "loop",  # a redirect to the same address
    "excursion",  # a redirect to another host
    "not_html",  # a PDF instead of the page
    "charset",  # the same page in windows-1252, declared in its header
    "false_charset",  # the same page in windows-1252, declared as UTF-8
]
KINDS: tuple[str, ...] = get_args(Kind)
Form = Literal["seconds", "date"]

_HANG = 60.0  # seconds
_ENDLESS = 5000  # repetitions of 13,000 bytes: 65 MB, more than any client should read
_BOMB = 64_000_000  # bytes


@dataclass(frozen=True, slots=True)
class SiteFault:
    """One fault. `path` is a glob for the request paths that the fault affects; None means all paths.

    `times` is the number of further requests that it affects; None means all requests until the fault is removed.
    """

    kind: Kind
    path: str | None = None
    times: int | None = None
    seconds: float | None = None  # Retry-After, or how long a slow or hanging response takes
    form: Form = "seconds"  # format of Retry-After

    def applies_to(self, path: str) -> bool:
        """Whether the glob of the fault matches `path`, with or without the query string."""
        return self.path is None or fnmatchcase(path, self.path) or fnmatchcase(path.partition("?")[0], self.path)

    def after_use(self) -> SiteFault | None:
        """Return the fault as it is after it has affected one more request, or None if it is then used up."""
        if self.times is None:
            return self
        return replace(self, times=self.times - 1) if self.times > 1 else None


def make_fault(
    kind: object,
    path: object = None,
    times: object = None,
    seconds: object = None,
    form: object = "seconds",
) -> SiteFault:
    """Check values from JSON or the command line, and return the fault that they describe.

    Raises:
        BadInput: a value is invalid.

    """
    if kind not in KINDS:
        raise BadInput(f"unknown fault {kind!r}", _kind_hint(kind))
    if path is not None and not (isinstance(path, str) and path.startswith(("/", "*"))):
        raise BadInput(f"invalid path glob {path!r} for fault {kind!r}", "write a glob such as /rss/* or *")
    if times is not None and (type(times) is not int or times < 1):
        raise BadInput(f"invalid number of times {times!r} for fault {kind!r}", "write a whole number, at least 1")
    if seconds is not None and (type(seconds) not in (int, float) or not 0 <= seconds <= _HANG * 60):  # type: ignore[operator]
        raise BadInput(f"invalid number of seconds {seconds!r} for fault {kind!r}", "write a number from 0 to 3600")
    if form not in get_args(Form):
        raise BadInput(f"invalid form {form!r} of Retry-After for fault {kind!r}", "write seconds or date")
    return SiteFault(kind, path, times, seconds, form)  # type: ignore[arg-type]


def _kind_hint(kind: object) -> str:
    close = get_close_matches(str(kind), KINDS, 1)
    return f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(KINDS)}"


def parse_fault(spec: str) -> SiteFault:
    """Return the fault that is written in `spec` as `kind[:path-glob[:times]]`.

    Raises:
        BadInput: the text does not have this form, or a part of it is invalid.

    """
    parts = spec.split(":")
    if len(parts) > 3:
        raise BadInput(f"invalid fault {spec!r}", "write kind[:path-glob[:times]], for example throttle:/rss/*:3")
    kind, path, times = (part.strip() or None for part in (*parts, "", "")[:3])
    if times is not None and not times.isdecimal():
        raise BadInput(
            f"invalid number of times {times!r} in fault {spec!r}",
            "write a whole number, for example throttle:/rss/*:3",
        )
    return make_fault(kind, path, None if times is None else int(times))


# --- responses ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault needs to make its response: the time, the path, and functions that return pages."""

    regular: Callable[[], SiteResponse]
    bot_wall: Callable[[], str]
    missing: Callable[[], str]
    path: str
    now: datetime


_Maker = Callable[[SiteFault, FaultContext], SiteResponse]


def faulty_response(fault: SiteFault, context: FaultContext) -> SiteResponse:
    """Return the response that a fault produces in place of the regular one."""
    return _RESPONSES[fault.kind](fault, context)


def _bare(status: int) -> _Maker:
    return lambda _, __: _error_page(status, str(status))


def _throttle(fault: SiteFault, context: FaultContext) -> SiteResponse:
    return _retry_later(429, fault, context.now)


def _unavailable(fault: SiteFault, context: FaultContext) -> SiteResponse:
    return _retry_later(503, fault, context.now)


def _retry_later(status: int, fault: SiteFault, now: datetime) -> SiteResponse:
    seconds = 2 if fault.seconds is None else int(fault.seconds)
    until = format_datetime((now + timedelta(seconds=seconds)).astimezone(UTC), usegmt=True)
    value = until if fault.form == "date" else str(seconds)
    return _error_page(status, str(status)).with_headers(("Retry-After", value))


def _error_page(status: int, message: str) -> SiteResponse:
    return make_response(
        f"<html><head><title>{message}</title></head><body><h1>{message}</h1></body></html>", status=status
    )


def _error(_: SiteFault, __: FaultContext) -> SiteResponse:
    return _error_page(500, "Server Error in '/' Application.")


def _forbidden(_: SiteFault, __: FaultContext) -> SiteResponse:
    return _error_page(403, "403 Forbidden")


def _down(_: SiteFault, __: FaultContext) -> SiteResponse:
    return SiteResponse(0, abort=True)


def _hang(fault: SiteFault, _: FaultContext) -> SiteResponse:
    return SiteResponse(0, delay=_HANG if fault.seconds is None else fault.seconds, abort=True)


def _truncate(_: SiteFault, context: FaultContext) -> SiteResponse:
    """Return the regular response with a body that ends in the middle; if it has no body, close the connection at once."""
    response = context.regular()
    if not response.body:
        return replace(response, abort=True)
    return replace(response, chunked=True, cut_after=max(1, len(response.body) // 2))


def _reset(_: SiteFault, context: FaultContext) -> SiteResponse:
    return replace(_truncate(_, context), reset=True)


def _short(_: SiteFault, context: FaultContext) -> SiteResponse:
    response = context.regular()
    half = response.body[: len(response.body) // 2]
    return replace(response, body=half, chunked=False, length=len(response.body) + 1)


def _slow(fault: SiteFault, context: FaultContext) -> SiteResponse:
    seconds = 3.0 if fault.seconds is None else fault.seconds
    return replace(context.regular(), chunked=True, pause=seconds / SLOW_PIECES)


def _block(_: SiteFault, context: FaultContext) -> SiteResponse:
    return make_response(context.bot_wall())


def _captcha(_: SiteFault, __: FaultContext) -> SiteResponse:
    return _notice(
        "Vérification de sécurité", "Cochez la case : je ne suis pas un robot.", '<div class="g-recaptcha"></div>'
    )


def _consent(_: SiteFault, __: FaultContext) -> SiteResponse:
    return _notice("Votre vie privée", "Nous utilisons des cookies.", "<button>Tout accepter</button>")


def _notice(title: str, text: str, element: str) -> SiteResponse:
    return make_response(
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p>{element}</body></html>"
    )


def _soft_404(_: SiteFault, context: FaultContext) -> SiteResponse:
    return make_response(context.missing())


def _cut_gzip(_: SiteFault, context: FaultContext) -> SiteResponse:
    response = context.regular()
    if not response.body:
        return replace(response, abort=True)
    whole = response if response.header("Content-Encoding") else always_gzip(response)
    return replace(whole, body=whole.body[: len(whole.body) // 2], chunked=True)


def _endless(_: SiteFault, __: FaultContext) -> SiteResponse:
    return replace(make_response(b"<p>encore</p>" * 1000), chunked=True, repeat=_ENDLESS)


def _bomb(_: SiteFault, __: FaultContext) -> SiteResponse:
    return SiteResponse(200, (("Content-Type", HTML), ("Content-Encoding", "gzip")), _bomb_body(), chunked=True)


@cache
def _bomb_body() -> bytes:
    return gzip.compress(bytes(_BOMB), 9, mtime=0)


def _loop(_: SiteFault, context: FaultContext) -> SiteResponse:
    return redirect(context.path)


def _excursion(_: SiteFault, context: FaultContext) -> SiteResponse:
    return redirect(f"http://elsewhere.invalid{context.path}")


def _empty(_: SiteFault, __: FaultContext) -> SiteResponse:
    return make_response("default.html")


def _garbage(fault: SiteFault, _: FaultContext) -> SiteResponse:
    noise = seeded_rng("garbage", fault.times).randbytes(3000)
    return SiteResponse(200, (("Content-Type", HTML), ("Content-Encoding", "gzip")), noise, chunked=True)


def _not_html(_: SiteFault, __: FaultContext) -> SiteResponse:
    return make_response(b"%PDF-1.4\n" + seeded_rng("pdf").randbytes(4096), "application/pdf")


def _false_charset(fault: SiteFault, context: FaultContext) -> SiteResponse:
    return replace(_charset(fault, context), headers=(("Content-Type", HTML),))


def _charset(_: SiteFault, context: FaultContext) -> SiteResponse:
    """Return the page encoded in windows-1252; letters that do not exist in this charset become character references."""
    response = context.regular()
    if response.header("Content-Type") != HTML or not response.body:
        return response
    return make_response(
        response.decoded.decode().encode("cp1252", "xmlcharrefreplace"), "text/html;charset=windows-1252"
    )


_RESPONSES: dict[Kind, _Maker] = {
    "throttle": _throttle,
    "throttle_bare": _bare(429),
    "unavailable": _unavailable,
    "unavailable_bare": _bare(503),
    "error": _error,
    "forbidden": _forbidden,
    "down": _down,
    "truncate": _truncate,
    "reset": _reset,
    "short": _short,
    "slow": _slow,
    "hang": _hang,
    "block": _block,
    "captcha": _captcha,
    "consent": _consent,
    "soft_404": _soft_404,
    "empty": _empty,
    "garbage": _garbage,
    "cut_gzip": _cut_gzip,
    "endless": _endless,
    "bomb": _bomb,
    "loop": _loop,
    "excursion": _excursion,
    "not_html": _not_html,
    "charset": _charset,
    "false_charset": _false_charset,
}
