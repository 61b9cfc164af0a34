"""The hostile files of `benchmarks.bombs`: foreign WARC files, damaged files of the archive, pages, seed texts."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

from benchmarks.bomb_answers import MB, gzipped

SITE = "https://fr.vietnamplus.vn"


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file, and the command that reads it. `write` writes it and returns how many articles the command must add."""

    name: str
    file: str
    command: tuple[str, ...]
    write: Callable[[Path, Path], int]
    real_site: bool = True


def _article(number: int) -> bytes:
    title = f"Accord numéro {number} entre Hanoï et Paris"
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{SITE}/x-post{number}.vnp"><meta property="og:type" content="article">'
        '<meta property="article:published_time" content="2019-03-05T08:30:00+07:00"></head><body>'
        f'<h1 class="article__title cms-title">{title}</h1><div class="article__body cms-body zce-content-body">'
        f"<p>Hanoï (VNA) - Le texte {number * 7919} a été signé.</p></div></body></html>"
    ).encode()


def _record(number: int, body: bytes, url: str = "", length: int | None = None) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
    return (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url or f'{SITE}/x-post{number}.vnp'}\r\n"
        f"WARC-Date: 2020-01-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012}>\r\n"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    ).encode() + block + b"\r\n\r\n"  # fmt: skip


def _member(data: bytes) -> bytes:
    return gzip.compress(data)


def _good(number: int) -> bytes:
    return _member(_record(number, _article(number)))


def _around(*members: bytes) -> Callable[[Path, Path], int]:
    """Return a writer of the members between two good records."""

    def write(target: Path, _archive: Path) -> int:
        target.write_bytes(b"".join([_good(1), *members, _good(2)]))
        return 2

    return write


def _lazily(members: Callable[[], Iterator[bytes]], good: int = 2) -> Callable[[Path, Path], int]:
    def write(target: Path, _archive: Path) -> int:
        with target.open("wb") as file:
            file.write(_good(1))
            for member in members():
                file.write(member)
            if good > 1:
                file.write(_good(2))
        return good

    return write


def _huge(number: int) -> Iterator[bytes]:
    """Yield `number` gzip members with a record of 1 GB each."""
    size = 1000 * MB
    yield from [gzipped(bytes(MB), 1000, start=_record(3, b"", length=size))] * number


def _many_records() -> Iterator[bytes]:
    small = _record(3, b"x", url="http://example.test/")
    for _ in range(100):
        yield gzipped(small * 1000, 10)  # 10 times 1,000 records


def _body_bombs() -> Iterator[bytes]:
    body = gzipped(bytes(MB), 5000)
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {SITE}/x-post7.vnp\r\nWARC-Date: 2020-01-02T03:04:05Z\r\n"
    )
    yield _member(head.encode() + f"Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n")


def _zstd_file(target: Path, _archive: Path) -> int:
    def frame(data: bytes) -> bytes:
        return zstandard.ZstdCompressor().compress(data)

    engine = zstandard.ZstdCompressor(level=19).compressobj()
    bomb = [
        engine.compress(_record(3, b"", length=10_000 * MB)),
        *(engine.compress(bytes(MB)) for _ in range(10_000)),
        engine.flush(),
    ]
    target.write_bytes(b"".join([frame(_record(1, _article(1))), *bomb, frame(_record(2, _article(2)))]))
    return 2


def _page(content: bytes) -> Callable[[Path, Path], int]:
    def write(target: Path, _archive: Path) -> int:
        target.write_bytes(content)
        return 0

    return write


def _own_warc(target: Path, archive: Path) -> int:
    """Append a record with an expanding body to a WARC file of the archive."""
    file = max((archive / "warc").rglob("*.warc.gz"))
    with file.open("ab") as out:
        for member in _huge(3):
            out.write(member)
    target.write_bytes(b"")
    return 0


def _own_body(target: Path, archive: Path) -> int:
    """Append a record whose body expands to a WARC file of the archive."""
    file = max((archive / "warc").rglob("*.warc.gz"))
    with file.open("ab") as out:
        for member in _body_bombs():
            out.write(member)
    target.write_bytes(b"")
    return 0


_WARC = ("backfill", "--warc", "FILE")
_PARSE = ("parse", "--url", f"{SITE}/x-post1.vnp", "FILE")

FILES = (
    HostileFile("WARC: 11 records of 1 GB in 11 MB", "bomb.warc.gz", _WARC, _lazily(lambda: _huge(11))),
    HostileFile("WARC: data that is no record, 11 GB", "bomb.warc.gz", _WARC, _lazily(lambda: iter([gzipped(b"x" * MB, 11_000)]))),
    HostileFile("WARC: lines of 11 GB", "bomb.warc.gz", _WARC, _lazily(lambda: iter([gzipped(b"\r\n" * (MB // 2), 11_000)]))),
    HostileFile("WARC: a header of 1 GB", "bomb.warc.gz", _WARC, _lazily(lambda: iter([gzipped(b"x" * MB, 1000, start=b"WARC/1.0\r\nA: ")]))),
    HostileFile("WARC: 10^6 records in 5 MB", "bomb.warc.gz", _WARC, _lazily(_many_records)),
    HostileFile("WARC: 400,000 empty members", "bomb.warc.gz", _WARC, _lazily(lambda: iter([gzip.compress(b"") * 400_000]))),
    HostileFile("WARC: a page of 5 GB in 5 MB", "bomb.warc.gz", _WARC, _lazily(_body_bombs)),
    HostileFile("WARC: zstd, 10 GB", "bomb.warc.zst", _WARC, _zstd_file),
    HostileFile("WARC: record of 9 MB, 400,000 chunks", "bomb.warc.gz", _WARC, _around(_member(_record(3, b"1\r\nx\r\n" * 1_500_000 + b"0\r\n\r\n")))),
    HostileFile("own WARC: a record of 3 GB, rebuild", "none", ("rebuild",), _own_warc, real_site=False),
    HostileFile("own WARC: a record of 3 GB, verify", "none", ("verify",), _own_warc, real_site=False),
    HostileFile("own WARC: a body of 5 GB, rebuild", "none", ("rebuild",), _own_body, real_site=False),
    HostileFile("own WARC: a body of 5 GB, verify", "none", ("verify",), _own_body, real_site=False),
    HostileFile("own WARC: a body of 5 GB, poll (crash recovery)", "none", ("poll",), _own_body, real_site=False),
    HostileFile("vna parse: 100,000 nested elements", "x.html", _PARSE, _page(b"<div>" * 100_000)),
    HostileFile("vna parse: 100 MB", "x.html", _PARSE, _page(b"<p>x" * 25_000_000)),
    HostileFile("vna import: seed text of 100 MB", "x.txt", ("import", "FILE"), _page(b"TITRE : x\n\n" + b"Le texte. " * 10_000_000)),
    HostileFile("vna parse: gzip, 1 GB", "x.html.gz", _PARSE, _page(gzipped(bytes(MB), 1000))),
    HostileFile("vna import: gzip, 1 GB", "x.txt", ("import", "FILE"), _page(gzipped(b" " * MB, 1000))),
    HostileFile("vna import: 9 MB of texts", "x.txt", ("import", "FILE"), _page("\f".join(f"Titre {n}\n\nUn texte {n}.\n" for n in range(300_000)).encode())),
    HostileFile("vna import: one line of 9 MB", "x.txt", ("import", "FILE"), _page(b"Titre\n\n" + b"Le texte. " * 900_000)),
    HostileFile("vna import: 9 MB of headings", "x.txt", ("import", "FILE"), _page(b"[Photo : x]\n\n" * 700_000)),
)  # fmt: skip
