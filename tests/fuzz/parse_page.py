"""Fuzz test of the parser: for any bytes, it returns an article or raises an expected error within two seconds.

Run it with `./run.sh bench fuzz-page`. Without atheris, the mutations come from a random seed, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from crawler import config, records
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.parse import seedtext
from crawler.parse.page import parse_page

HERE = Path(__file__).parent
PAGES = HERE.parent / "golden" / "pages"
FOUND = HERE / "found"
URL = "https://fr.vietnamplus.vn/le-titre-post245060.vnp"
MARKUPS = config.load_markups()
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMIT = 2.0  # seconds of CPU time, so that other processes on the machine do not count
NASTY = (
    b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"&#0;", b"&#x110000;",
    b"<p", b"<table><tr>", b"<template>", b"<svg>", b"<noscript>", b"<script>", b"<style>", b"<base href='//[x'>", b"<div>" * 300,
    b"<b><p>" * 50, b"<a href='http://[::1'>", b"charset=utf-16", b"charset=rot13", b'{"@type":' * 40, b"[" * 3000, b"Voir plus",
    b"<h3>Voir plus</h3>", b"Lire aussi : <a href='/x-post1.vnp'>", b"(VNA) -", b"-VNA", b"Photo : ", b"\xc2\xa0", b"9" * 400,
    b"<figure><img src=", b"<figcaption>", b"article:published_time", b"99999-99-99T99:99:99+99:99", b"data-time='99999999999999'",
)  # fmt: skip


def check(data: bytes) -> str:
    """Parse one page and serialise the result; return the kind of outcome."""
    try:
        article = parse_page(data, URL, content_type=None, fetched_at=NOW, markups=MARKUPS)
    except NotAnArticle:
        return "not an article"
    except MarkupDrift as error:
        article = error.article
        kind = "drift"
    else:
        kind = "article"
    json.dumps(records.article_json(article)).encode()
    text = seedtext.write(article)
    if article.title and article.title.strip():
        again = seedtext.write(seedtext.read(text))
        assert seedtext.write(seedtext.read(again)) == again, "writing and reading the seed text again changes it"
    return kind


def timed(data: bytes) -> str:
    """Check one page, including the time limit; return the kind of outcome."""
    start = time.process_time()
    kind = check(data)
    spent = time.process_time() - start
    assert spent < LIMIT, f"took {spent:.1f} s"
    return kind


def corpus() -> list[bytes]:
    """Return the golden pages."""
    return [gzip.decompress(f.read_bytes()) for f in sorted(PAGES.glob("*.html.gz"))]


def mutate(pages: list[bytes], rng: random.Random) -> bytes:
    """Change a page in one to eight places: bit flips, cuts, copies, pieces of other pages, nasty pieces, removed tags."""
    data = bytearray(rng.choice(pages))
    for _ in range(rng.randint(1, 8)):
        if not data:
            break
        start = rng.randrange(len(data))
        end = min(len(data), start + int(rng.expovariate(1 / 60)) + 1)
        match rng.randrange(8):
            case 0:
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end] * rng.randint(1, 20)
            case 3:
                other = rng.choice(pages)
                cut = rng.randrange(len(other) or 1)
                data[start:end] = other[cut : cut + rng.randint(1, 400)]
            case 4:
                data[start:start] = rng.choice(NASTY)
            case 5:
                del data[start:]
            case 6:
                tag = data.find(b"<", start)
                close = data.find(b">", tag)
                if 0 <= tag < close:
                    del data[tag : close + 1]
            case _:
                data[start:end] = bytes(rng.randrange(256) for _ in range(end - start))
    return bytes(data)


def pages(seed: int, runs: int) -> Iterator[bytes]:
    """Yield `runs` mutated pages; the same seed yields the same pages."""
    known = corpus()
    rng = random.Random(seed)
    for _ in range(runs):
        yield mutate(known, rng)


def work(seed: int, runs: int) -> tuple[Counter[str], float, int]:
    """Check the pages of one worker; save a page that fails, then raise the error.

    Return the outcomes, the slowest page in seconds of CPU time, and the peak memory in kilobytes.
    """
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for number, data in enumerate(pages(seed, runs)):
        start = time.process_time()
        try:
            outcomes[timed(data)] += 1
        except BaseException:
            FOUND.mkdir(exist_ok=True)
            (FOUND / f"seed{seed}-{number}.html").write_bytes(data)
            raise
        slowest = max(slowest, time.process_time() - start)
    return outcomes, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def plain(runs: int, jobs: int, seed: int) -> None:
    """Run without atheris and print the outcomes."""
    began = time.monotonic()
    shares = [(seed + job, runs // jobs + (job < runs % jobs)) for job in range(jobs)]
    with multiprocessing.Pool(jobs) as pool:
        results = pool.starmap(work, shares)
    total = sum((outcomes for outcomes, _, _ in results), Counter())
    print(f"{sum(total.values())} mutated pages: {dict(total.most_common())}")
    print(f"slowest {max(slow for _, slow, _ in results):.2f} s (limit {LIMIT} s), no unexpected exception")
    print(
        f"largest process {max(rss for _, _, rss in results) / 1024:.0f} MB, {time.monotonic() - began:.0f} s in total"
    )


def guided(runs: int) -> None:
    """Run coverage-guided with atheris, starting from the golden pages; install atheris if it is missing."""
    if importlib.util.find_spec("atheris") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "atheris>=3,<4"], check=True)
    import atheris

    atheris.instrument_all()
    folder = HERE / "corpus"
    folder.mkdir(exist_ok=True)
    for number, page in enumerate(corpus()):
        (folder / f"golden-{number}").write_bytes(page)
    FOUND.mkdir(exist_ok=True)

    def target(data: bytes) -> None:
        timed(data)

    options = [f"-runs={runs}", "-timeout=4", "-max_len=200000", f"-artifact_prefix={FOUND}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(folder)], target)
    atheris.Fuzz()


def main(arguments: list[str] | None = None) -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="Run coverage-guided, with the package atheris.")
    options = parser.parse_args(arguments)
    if options.atheris:
        guided(options.runs)
    else:
        plain(options.runs, options.jobs, options.seed)


if __name__ == "__main__":
    main()
