"""Read pages, lists and pictures: ordinary ones in this process, expensive ones in a process of their own with limits.

`parse.guard` refuses pages that would cost too much, but it only estimates, and the HTML parser is a C library. So a page
that may be expensive is read in a second process, which the kernel ends at its limits. This process goes on, and the
page's row says what happened.

A page is expensive if counting its bytes and tags does not already prove that it is cheap, however it is nested
(`guard.is_cheap`): it is long, has many tags, or has formatting elements whose copies could fill the memory.

A picture is expensive if its header or its length announces more than an ordinary picture has; one whose header announces
more than any camera makes is not decoded at all.

Boundary: starts and ends the parser process; `requests` defines what is asked and answered.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import BinaryIO, cast

from crawler.discover import Discovery
from crawler.errors import ParserStopped, SourceReaderStopped, StopError
from crawler.markup import ListSelectors, Markup
from crawler.parse import decode, guard
from crawler.parser_process import values
from crawler.parser_process.child import OUT_OF_MEMORY
from crawler.parser_process.requests import (
    Answer,
    ListRequest,
    PageRequest,
    PictureRequest,
    Request,
    Result,
    read,
    result_of,
)
from crawler.pictures import SHOWN, DecodedPicture, Header, PictureProblem
from crawler.site import FRENCH, Site
from crawler.types import Article, SourceForPoll


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the parser process: seconds of CPU time and in all, bytes of memory and of its result.

    `memory` is the address space beyond that of the interpreter, which takes about 35 MB. A page that `guard` accepts needs
    at most 120 MB and 6 s.
    """

    cpu: int = 15
    wall: float = 300.0
    memory: int = 200_000_000
    result: int = 60_000_000


LIMITS = Limits()
#: Bytes of a body in UTF-16 or of a list above which it is not even decoded: it is expensive.
_CERTAINLY_EXPENSIVE = 4 * guard.CHEAP_LENGTH
_HTML = frozenset({"home", "section", "feed_index"})  # kinds of sources that are HTML pages
#: A picture with more pixels is not decoded, because it could exceed the limits. A JPEG is decoded at a lower resolution, so that
#: only a progressive one needs more than a few MB; the decoder of WebP keeps several copies for animations.
_MOST_PIXELS = {"image/jpeg": 25_000_000, "image/webp": 8_000_000}
_MOST_PIXELS_OF_OTHERS = 12_000_000
#: Limits below which a picture is decoded in this process: 16 MB of pixels, and passes over them in a few tenths of a second.
_CHEAP_PIXELS = 4_000_000
_CHEAP_PICTURE = 3_000_000  # bytes
_CHEAP_SCANS = 24  # of a progressive JPEG; each is a pass over the whole picture, and real ones have about 10
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # of the environment; everything else may be a secret


def parse_page(
    body: bytes,
    url: str,
    *,
    content_type: str | None,
    fetched_at: datetime,
    markups: Sequence[Markup],
    edition: Site = FRENCH,
) -> Article:
    """Return the article on one page, as `crawler.parse.page.parse_page` does.

    Raises:
        NotAnArticle: the page is not an article.
        MarkupDrift: the page says that it is an article, but it has none of the known layouts.
        ParserStopped: the parser exceeded a limit or crashed.
        StopError: the parser process cannot be started.

    """
    request = PageRequest(url, content_type, fetched_at, markups, edition)
    if _is_cheap_page(body, content_type):
        return cast("Article", read(request, body))
    try:
        return cast("Article", _read_apart(request, body))
    except _Stopped as stopped:
        raise ParserStopped(url, str(stopped)) from None


def discover(
    source: SourceForPoll,
    body: bytes,
    url: str,
    site: Site,
    now: datetime,
    *,
    asked: str | None = None,
    layouts: Sequence[ListSelectors] = (),
) -> Discovery:
    """Return what one response of a source lists, as `crawler.discover.discover` does.

    Feeds and sitemaps are always read in this process: their reader is not a C library, takes linear time and has limits
    of its own.

    Raises:
        UnreadableSource: the response is not of the source's kind.
        SourceReaderStopped: the reader exceeded a limit or crashed.
        StopError: the parser process cannot be started.

    """
    request = ListRequest(source, url, site, now, asked, layouts)
    if _is_cheap_list(source.kind, body):
        return cast("Discovery", read(request, body))
    try:
        return cast("Discovery", _read_apart(request, body))
    except _Stopped as stopped:
        raise SourceReaderStopped(url, str(stopped)) from None


def require_decoder() -> None:
    """Raise an error unless the library that decodes pictures is installed.

    Raises:
        StopError: it is not installed.

    """
    if find_spec("PIL") is None:
        raise StopError(
            "Pillow, which decodes pictures, is not installed",
            "install it with: pip install 'vna-archive[images]'",
        )


def decode_picture(body: bytes, header: Header) -> DecodedPicture | PictureProblem:
    """Return the hashes of a picture whose header was read from `body`, or why it has none.

    Raises:
        StopError: the library or the parser process is missing.

    """
    require_decoder()
    if not SHOWN.get(header.media_type):
        return PictureProblem.FORMAT
    if header.pixels is None:
        return PictureProblem.DAMAGED
    if header.pixels > _MOST_PIXELS.get(header.media_type, _MOST_PIXELS_OF_OTHERS):
        return PictureProblem.TOO_LARGE
    request = PictureRequest(header)
    if _is_cheap_picture(body, header.pixels):
        decoded = cast("DecodedPicture", read(request, body))
    else:
        try:
            decoded = cast("DecodedPicture", _read_apart(request, body))
        except _Stopped:
            return PictureProblem.STOPPED
    return PictureProblem.DAMAGED if decoded.phash is None else decoded


def _is_cheap_picture(body: bytes, pixels: int) -> bool:
    is_small = pixels <= _CHEAP_PIXELS and len(body) <= _CHEAP_PICTURE
    return is_small and body.count(b"\xff\xda") <= _CHEAP_SCANS


def _is_cheap_page(body: bytes, content_type: str | None = None) -> bool:
    if b"\0" not in body:  # not UTF-16: each tag starts with the same byte as in UTF-8
        return guard.is_cheap(body)
    return len(body) <= _CERTAINLY_EXPENSIVE and guard.is_cheap(decode.decode(body, content_type).html)


def _is_cheap_list(kind: str, body: bytes) -> bool:
    if kind in _HTML:
        return _is_cheap_page(body)
    if kind != "list":
        return True
    if len(body) > _CERTAINLY_EXPENSIVE:
        return False
    text = body.decode(json.detect_encoding(body), "replace")  # HTML in JSON, possibly with escapes
    return guard.is_cheap(_JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).encode("utf-8", "replace"))


class _Stopped(Exception):
    """The parser process returned no result; the message is a clause that says why."""


def _read_apart(request: Request, body: bytes) -> Result:
    """Read a response in the parser process.

    Raises:
        _Stopped: the process exceeded a limit or crashed.
        StopError: the process cannot be started.

    """
    import pickle  # noqa: PLC0415 - 0.4 MB, and few responses are expensive

    with _scratch() as asked, _scratch() as answered, _scratch() as errors:
        pickle.dump(request, asked)
        asked.write(body)
        asked.seek(0)
        code = _run(asked, answered, errors)
        for file in (answered, errors):
            file.seek(0)
        if code != 0:
            raise _failed(code, errors.read(10_000).decode(errors="replace"))
        data = answered.read(LIMITS.result + 1)
    try:
        return result_of(values.from_bytes(data, Answer))
    except ValueError as error:
        raise _Stopped(f"the result of the parser process cannot be read: {error}") from error


def _run(asked: BinaryIO, answered: BinaryIO, errors: BinaryIO) -> int:
    """Run the parser process; return its exit code, or the negative number of the signal that ended it."""
    command = [sys.executable, "-P", "-m", "crawler.parser_process.child"]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # without these, the interpreter of some systems maps a file of 200 MB with all locales
    environment |= {"PYTHONUTF8": "1", "PYTHONCOERCECLOCALE": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)  # noqa: PTH100 - "" is the current folder
    limits = [str(LIMITS.cpu), str(LIMITS.memory), str(LIMITS.result)]
    try:
        child = subprocess.Popen(  # noqa: S603 - this interpreter and constants
            [*command, *limits], stdin=asked, stdout=answered, stderr=errors, env=environment, cwd="/"
        )
    except OSError as error:
        raise StopError(
            f"the parser process cannot be started: {error.strerror}",
            "check the free memory and the process limit (`ulimit -u`)",
        ) from error
    try:
        return child.wait(LIMITS.wall)
    except subprocess.TimeoutExpired:
        raise _Stopped(f"the parser process was stopped after {LIMITS.wall:.0f} s") from None
    finally:
        child.kill()
        child.wait()


def _failed(code: int, errors: str) -> Exception:
    """Return the exception for a parser process that ended with an exit code or signal other than 0."""
    if code == -signal.SIGXCPU:
        return _Stopped(f"the parser process was stopped at its limit of {LIMITS.cpu} s of CPU time")
    if code == -signal.SIGKILL:
        return _Stopped("the parser process was killed, for example because memory ran out")
    if code == OUT_OF_MEMORY:
        return _Stopped(f"the parser process was stopped at its limit of {LIMITS.memory // 10**6} MB of memory")
    if code == -signal.SIGXFSZ:
        return _Stopped(f"the parser process was stopped at its limit of {LIMITS.result // 10**6} MB for the result")
    if code < 0:
        name = str(-code)
        with suppress(ValueError):
            name = signal.Signals(-code).name
        return _Stopped(f"the parser process crashed with the signal {name}")
    return RuntimeError(f"the parser process ended with exit code {code}:\n{errors}")


def _scratch() -> BinaryIO:
    """Return a file without a name, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("vna-parser"), "w+b")  # noqa: PTH123 - a descriptor
    return cast("BinaryIO", tempfile.TemporaryFile())
