"""Fuzz test of the readers of all formats: each accepts any bytes, or raises an expected error, within two seconds.

    python -m tests.fuzz --seconds 60                   # all readers, each for its share of the time
    python -m tests.fuzz --seconds 60 --reader feed     # one of them

The inputs are mutated examples. They come from a seed, so that a run can be repeated: input `n` of a reader is always the
same. An input that fails is saved in `tests/fuzz/found/`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from protego import Protego

from crawler import config, markup, query
from crawler.backup import contents
from crawler.discover import discover
from crawler.errors import CrawlerError
from crawler.fetch.inflate import inflate
from crawler.fetch.robots import affordable
from crawler.parse import json_text, seedtext
from crawler.sim.site import Options, SiteRequest, build
from crawler.site import Site
from crawler.types import SourceForPoll
from crawler.warc.foreign import captures
from crawler.warc.import_tally import ImportTally
from crawler.warc.scan import scan

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOUND = HERE / "found"
BASE = "https://fr.vietnamplus.vn"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
LIMIT = 2.0  # seconds of CPU time for one input
_SAVED = 10  # failing inputs of one reader that are saved
_SHORT = 200  # inputs of each reader in the test suite
_COMMON = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"9" * 400, b"-1", b"1e999", b"\r\n", b"\n\n", b" " * 3000, b'"', b"'", b"[" * 300,
    b"{" * 300, b"%", b"*" * 50, b"$", b"\\", b"\\u0000", b"\\ud800", b"null", b"\xe2\x80\xae", b"2026-02-30T99:99:99", b"../" * 20,
)  # fmt: skip
_XML = (
    b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&#0;", b"&#x110000;", b"&a;", b"<?xml",
    b"<item>" * 50, b"</item>", b"<url><loc>", b"xmlns:x='y'", b"http://[::1", b"//user:pw@h:99999/", b"javascript:x", b"<rss>", b"<urlset>",
)  # fmt: skip
_WARC = (
    b"WARC/1.0\r\n", b"WARC/9.9\n", b"Content-Length: 0\r\n", b"Content-Length: 99999999999\r\n", b"\r\n\r\n", b"WARC-Type: revisit\r\n",
    b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"WARC-Date: 0000\r\n", b"5\r\nabcde\r\n",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader, examples of what it reads, and pieces that are inserted into them."""

    read: Callable[[bytes], object]
    examples: Sequence[bytes]
    pieces: Sequence[bytes] = _COMMON


def readers(folder: Path) -> dict[str, Reader]:
    """Return all readers; files are written into `folder`."""
    site = build(
        BASE,
        seeds_dir=ROOT / "seeds",
        articles=8,
        now=lambda: NOW,
        options=Options(section_size=4, home_size=6, feed_size=4),
    )

    def page(path: str) -> bytes:
        return site.respond(SiteRequest("GET", path)).decoded

    def through_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
        def run(data: bytes) -> object:
            file = folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)
            return read(file)

        return run

    feed, news, index, home, section = (
        page(p) for p in ("/rss/politique.rss", "/sitemaps/google-news.xml", "/sitemap.xml", "/", "/politique/")
    )
    api = page("/api/morenews-zone-1-0.html")
    xml = (*_COMMON, *_XML)
    warc = _warc_record()
    layouts = [file.read_bytes() for file in sorted((ROOT / "crawler" / "markups").glob("*.toml"))]
    settings = (ROOT / "config" / "crawler.toml").read_bytes()
    queries = ['"diên biên phu" -tourisme', "section:politique date:2026-01..2026-02 tô*", "a OR b (c)"]
    manifest = {
        "made_at": "2026-11-21T08:00:00Z", "schema": 9, "articles": 1, "database_bytes": 5, "database_sha256": "0" * 64, "identity": None,
        "warc": [{"file": "2026/a.warc.gz", "bytes": 1, "sha256": "0" * 64}],
    }  # fmt: skip
    return {
        "feed": Reader(lambda data: _discover("feed", data), [feed, b'{"version":"https://jsonfeed.org/version/1","items":[{"url":"/x-post1.vnp"}]}'], xml),
        "feed index": Reader(lambda data: _discover("feed_index", data), [page("/rss.html")], xml),
        "sitemap": Reader(lambda data: _discover("sitemap", data), [news, page("/sitemaps/news-2026-11.xml")], xml),
        "sitemap index": Reader(lambda data: _discover("sitemap_index", data), [index], xml),
        "home": Reader(lambda data: _discover("home", data), [home], xml),
        "section": Reader(lambda data: _discover("section", data), [section], xml),
        "api": Reader(lambda data: _discover("list", data), [api, b'{"data":{"contents":[{"url":"/x-post1.vnp","title":"x","date":1}]}}']),
        "json": Reader(json_text.load, [b'{"@type":"NewsArticle","a":[1,2.5,"x\\u00e9",null,true]}', api]),
        "robots": Reader(_robots, [page("/robots.txt"), b"User-agent: a\nUser-agent: vna-archive\nDisallow: /*x$\nCrawl-delay: 2\nSitemap: /s.xml\n"]),
        "warc": Reader(through_file("f.warc", _foreign), [warc * 3], (*_COMMON, *_WARC)),
        "warc.gz": Reader(through_file("f.warc.gz", _foreign), [gzip.compress(warc, mtime=0) * 3], (*_COMMON, *_WARC)),
        "own warc": Reader(through_file("o.warc.gz", lambda file: list(scan(file, "o"))), [gzip.compress(warc, mtime=0) * 3], (*_COMMON, *_WARC)),
        "own warc, inside": Reader(through_file("p.warc.gz", _recompressed), [warc], (*_COMMON, *_WARC)),
        "body": Reader(_body, [gzip.compress(home, mtime=0), home], _COMMON),
        "config": Reader(through_file("config/crawler.toml", config.load), [settings]),
        "layout": Reader(lambda data: markup.load_all([("x.toml", data.decode("utf-8", "replace"))]), layouts),
        "query": Reader(lambda data: query.parse(data.decode("utf-8", "surrogateescape")), [q.encode() for q in queries]),
        "seed text": Reader(_seed_text, [file.read_bytes() for file in sorted((ROOT / "seeds").glob("*.txt"))[:5]]),
        "manifest": Reader(through_file(f"backup/{contents.MANIFEST}", lambda file: contents.read_backup(file.parent)), [json.dumps(manifest).encode()]),
    }  # fmt: skip


def _discover(kind: str, data: bytes) -> object:
    source = SourceForPoll(f"{BASE}/x", kind, None, "ok", 0, None, None)
    return discover(source, data, f"{BASE}/x", Site(BASE), NOW)


def _robots(data: bytes) -> object:
    rules = Protego.parse(affordable(data[:512_000].decode("utf-8-sig", "replace")))
    return (
        rules.can_fetch(f"{BASE}/un-titre-post1.vnp?a=b", "vna-archive"),
        rules.crawl_delay("vna-archive"),
        list(rules.sitemaps),
    )


def _foreign(file: Path) -> object:
    return list(captures(file, lambda _url: None, ImportTally()))


def _recompressed(file: Path) -> object:
    file.write_bytes(gzip.compress(file.read_bytes(), 1))
    return list(scan(file, "p"))


def _body(data: bytes) -> object:
    return [inflate(BASE, data, coding, 1_000_000) for coding in (None, "gzip")]


def _seed_text(data: bytes) -> object:
    return [seedtext.read(part) for part in data.decode("utf-8", "replace").split(seedtext.SEPARATOR)]


def _warc_record() -> bytes:
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>x</title></html>"
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {BASE}/x-post1.vnp\r\nWARC-Date: 2020-01-02T03:04:05Z\r\n"
        f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"


def mutated(reader: Reader, rng: random.Random) -> bytes:
    """Return an example that is changed in one to six places."""
    data = bytearray(rng.choice(reader.examples))
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + int(rng.expovariate(1 / 40)) + 1)
        match rng.randrange(6):
            case 0 if start < len(data):
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end] * rng.choice((1, 2, 10, 300))
            case 3:
                other = rng.choice(reader.examples)
                cut = rng.randrange(len(other) + 1)
                data[start:end] = other[cut : cut + rng.randint(1, 400)]
            case 4:
                del data[start:]
            case _:
                data[start:start] = rng.choice(reader.pieces)
    return bytes(data)


@dataclass
class Result:
    """What a run of one reader found."""

    inputs: int = 0
    refused: int = 0
    slowest: float = 0.0
    failures: int = 0


def run(name: str, reader: Reader, seed: int, *, seconds: float | None = None, inputs: int = _SHORT) -> Result:
    """Pass mutated examples to a reader, for `seconds` of CPU time or for a number of `inputs`; save those that fail."""
    result = Result()
    expected = (CrawlerError, ValueError) if name == "json" else CrawlerError
    end = None if seconds is None else time.process_time() + seconds
    while result.inputs < inputs if end is None else time.process_time() < end:
        data = mutated(reader, random.Random(f"{seed} {name} {result.inputs}"))
        start = time.process_time()
        failure = ""
        try:
            reader.read(data)
        except expected:
            result.refused += 1
        except Exception as error:  # noqa: BLE001 - any exception is a finding
            failure = f"{type(error).__name__}: {error}"[:200]
        took = time.process_time() - start
        result.slowest = max(result.slowest, took)
        if took > LIMIT:
            failure = failure or f"{took:.1f} s"
        if failure:
            result.failures += 1
        if failure and result.failures <= _SAVED:
            FOUND.mkdir(exist_ok=True)
            file = FOUND / f"{name.replace(' ', '-')}-{seed}-{result.inputs}"
            file.write_bytes(data)
            print(f"{file}: {failure}", file=sys.stderr)
        result.inputs += 1
    return result


def main(arguments: list[str] | None = None) -> int:
    """Print a table; return 1 if a reader raised an unexpected exception or was too slow."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="CPU time of all readers together")
    parser.add_argument("--reader", help="only this reader")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        known = readers(Path(folder))
        if options.reader is not None and options.reader not in known:
            parser.error(f"no reader {options.reader!r}; choose one of: {', '.join(known)}")
        chosen = {name: reader for name, reader in known.items() if options.reader in (None, name)}
        print(f"{'reader':18} {'inputs':>8} {'refused':>8} {'slowest':>9}  unexpected or too slow")
        failures = 0
        for name, reader in chosen.items():
            result = run(name, reader, options.seed, seconds=options.seconds / len(chosen))
            failures += result.failures
            print(
                f"{name:18} {result.inputs:8} {result.refused:8} {result.slowest:7.3f} s  {result.failures}", flush=True
            )
    return int(failures > 0)
