"""Troubles that a replica can be told to have.

Boundary: values and pure functions; the replica applies them, the server acts out what needs a socket.
A specification is `kind[:path-glob[:times]]`, for example `throttle:/rss/*:3`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Literal, get_args

from crawler.errors import BadInput
from crawler.sim.site.messages import HTML, Response, answer
from crawler.sim.site.timeline import chance

Kind = Literal[
    "throttle",  # 429 with Retry-After
    "unavailable",  # 503, the same
    "error",  # 500
    "forbidden",  # 403
    "down",  # the connection closes without an answer
    "truncate",  # the body breaks off in the middle
    "slow",  # the body comes in drops
    "hang",  # nothing comes for a minute
    "block",  # 200 and a wall against robots
    "empty",  # 200 and a dozen bytes
    "garbage",  # random bytes that claim to be gzip
    "not_html",  # a page that is something else
    "charset",  # the same page in windows-1252, and its header says so
]
KINDS: tuple[str, ...] = get_args(Kind)
Form = Literal["seconds", "date"]

_DROPS = 12  # pieces that a slow body comes in
_HANG = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble: on which paths (a glob; None is all), how many times more (None is until cleared)."""

    kind: Kind
    path: str | None = None
    times: int | None = None
    seconds: float | None = None  # Retry-After, or how long it is slow or hangs
    form: Form = "seconds"  # of Retry-After

    def hits(self, path: str) -> bool:
        """Tell whether it is about this path, with or without its query."""
        return self.path is None or fnmatchcase(path, self.path) or fnmatchcase(path.partition("?")[0], self.path)

    def spent(self) -> Fault | None:
        """Give what is left of it after one use."""
        if self.times is None:
            return self
        return replace(self, times=self.times - 1) if self.times > 1 else None


def make_fault(
    kind: object,
    path: object = None,
    times: object = None,
    seconds: object = None,
    form: object = "seconds",
) -> Fault:
    """Check the parts of a fault, as they come from JSON or from a command line.

    Raises:
        BadInput: one of them is not what a fault takes.

    """
    if kind not in KINDS:
        raise BadInput(f"unknown fault {kind!r}", _kind_hint(kind))
    if path is not None and not (isinstance(path, str) and path.startswith(("/", "*"))):
        raise BadInput(f"bad path glob {path!r} of fault {kind!r}", "write a path such as /rss/* or *")
    if times is not None and (type(times) is not int or times < 1):
        raise BadInput(f"bad number of times {times!r} of fault {kind!r}", "write a whole number from 1")
    if seconds is not None and (type(seconds) not in (int, float) or not 0 <= seconds <= _HANG * 60):  # type: ignore[operator]
        raise BadInput(f"bad number of seconds {seconds!r} of fault {kind!r}", "write a number from 0 to 3600")
    if form not in get_args(Form):
        raise BadInput(f"bad form {form!r} of fault {kind!r}", "write seconds or date")
    return Fault(kind, path, times, seconds, form)  # type: ignore[arg-type]


def _kind_hint(kind: object) -> str:
    close = get_close_matches(str(kind), KINDS, 1)
    return f"did you mean {close[0]!r}? " if close else f"the kinds are {', '.join(KINDS)}"


def parse_fault(spec: str) -> Fault:
    """Read `kind[:path-glob[:times]]`.

    Raises:
        BadInput: it is not of that form.

    """
    parts = spec.split(":")
    if len(parts) > 3:
        raise BadInput(f"bad fault {spec!r}", "write kind[:path-glob[:times]], for example throttle:/rss/*:3")
    kind, path, times = (part.strip() or None for part in (*parts, "", "")[:3])
    if times is not None and not times.isdecimal():
        raise BadInput(
            f"bad number of times {times!r} in fault {spec!r}", "write a whole number, for example throttle:/rss/*:3"
        )
    return make_fault(kind, path, None if times is None else int(times))


# --- what they do ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault needs to act: the site's own answer, made only when it is needed, and its wall against robots."""

    regular: Callable[[], Response]
    wall: Callable[[], str]
    now: datetime


def act(fault: Fault, scene: Scene) -> Response:
    """Answer instead of the site."""
    return _ACTS[fault.kind](fault, scene)


def _throttle(fault: Fault, scene: Scene) -> Response:
    return _asking_patience(429, fault, scene.now)


def _unavailable(fault: Fault, scene: Scene) -> Response:
    return _asking_patience(503, fault, scene.now)


def _asking_patience(status: int, fault: Fault, now: datetime) -> Response:
    seconds = 2 if fault.seconds is None else int(fault.seconds)
    until = format_datetime((now + timedelta(seconds=seconds)).astimezone(UTC), usegmt=True)
    value = until if fault.form == "date" else str(seconds)
    return _notice(status, str(status)).adding(("Retry-After", value))


def _notice(status: int, message: str) -> Response:
    return answer(f"<html><head><title>{message}</title></head><body><h1>{message}</h1></body></html>", status=status)


def _error(_: Fault, __: Scene) -> Response:
    return _notice(500, "Server Error in '/' Application.")


def _forbidden(_: Fault, __: Scene) -> Response:
    return _notice(403, "403 Forbidden")


def _down(_: Fault, __: Scene) -> Response:
    return Response(0, abort=True)


def _hang(fault: Fault, _: Scene) -> Response:
    return Response(0, delay=_HANG if fault.seconds is None else fault.seconds, abort=True)


def _truncate(_: Fault, scene: Scene) -> Response:
    """Break off in the middle; an answer without a body breaks off at once."""
    response = scene.regular()
    if not response.body:
        return replace(response, abort=True)
    return replace(response, chunked=True, cut_after=max(1, len(response.body) // 2))


def _slow(fault: Fault, scene: Scene) -> Response:
    seconds = 3.0 if fault.seconds is None else fault.seconds
    return replace(scene.regular(), chunked=True, pause=seconds / _DROPS)


def _block(_: Fault, scene: Scene) -> Response:
    return answer(scene.wall())


def _empty(_: Fault, __: Scene) -> Response:
    return answer("default.html")


def _garbage(fault: Fault, _: Scene) -> Response:
    noise = chance("garbage", fault.times).randbytes(3000)
    return Response(200, (("Content-Type", HTML), ("Content-Encoding", "gzip")), noise, chunked=True)


def _not_html(_: Fault, __: Scene) -> Response:
    return answer(b"%PDF-1.4\n" + chance("pdf").randbytes(4096), "application/pdf")


def _charset(_: Fault, scene: Scene) -> Response:
    """Change what carries a body, not what it says: letters that the charset lacks become references."""
    response = scene.regular()
    if response.header("Content-Type") != HTML or not response.body:
        return response
    return answer(response.decoded.decode().encode("cp1252", "xmlcharrefreplace"), "text/html;charset=windows-1252")


_ACTS: dict[Kind, Callable[[Fault, Scene], Response]] = {
    "throttle": _throttle,
    "unavailable": _unavailable,
    "error": _error,
    "forbidden": _forbidden,
    "down": _down,
    "truncate": _truncate,
    "slow": _slow,
    "hang": _hang,
    "block": _block,
    "empty": _empty,
    "garbage": _garbage,
    "not_html": _not_html,
    "charset": _charset,
}
