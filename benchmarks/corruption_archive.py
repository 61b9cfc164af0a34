"""The archive that the corruption benchmark damages: some days of polls of the fake site, and imports."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.poll import SEEDS
from crawler import app, collect, config, urls
from crawler.lexicon import load
from crawler.pipeline import Run, Silent, import_file
from crawler.pipeline.captures import CaptureBatch, CaptureImport
from crawler.sim.site import FakeSite, Options, SiteRequest, serve
from crawler.sim.site import build as build_site
from crawler.sim.site.story import SECTIONS
from crawler.storage.locks import Role
from crawler.warc import WarcStore
from crawler.warc.seals import Seals

ADDRESS = "site"  # the file with the address of the site
_BEGIN = datetime(2026, 11, 21, 8, tzinfo=UTC)
_OLD_CAPTURE = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
_DAYS = 4
_STORIES = 9  # articles on the site at the beginning


@dataclass
class _Clock:
    time: datetime = _BEGIN

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=max(0.0, seconds))


def make(folder: Path) -> None:
    """Make the archive in a folder, and write the address of the site that it archives to a file next to it.

    It has revisions, removals, a return, duplicates, failed requests, gaps, imported texts and imported captures, and a
    seal for each day.
    """
    clock = _Clock()
    options = Options(section_size=3, no_api=True, sections=SECTIONS[:1], validators=True)
    with serve(lambda url: build_site(url, seeds_dir=SEEDS, articles=12, now=clock.now, options=options)) as server:
        site = server.fake_site
        settings = config.load(None, config.Overrides(archive=folder, site=server.url, rate=0))
        for post_id in site.ids()[:-_STORIES]:
            site.unpublish(post_id)
        ids = sorted(site.ids(), reverse=True)
        with _run(settings, clock, "text") as run:
            for path in sorted(SEEDS.glob("*.txt"))[:2]:
                import_file(run, path.name, path.read_text("utf-8"))
        for day in range(_DAYS):
            _change(site, ids, day)
            with _run(settings, clock, "collect") as run:
                collect.poll(run)
            clock.time += timedelta(hours=3)
            with _run(settings, clock, "collect") as run:
                collect.poll(run, ignore_due=True)
            if day == 1:
                with _run(settings, clock, "backfill") as run:
                    _import_capture(run, site, folder.with_name("other.warc.gz"))
            with WarcStore(folder / "warc") as warc, _run(settings, clock, "text") as run:
                Seals(folder).append(warc, run.archive.identity(), clock.now(), run.archive.rows_to_seal)
            clock.time += timedelta(hours=21)
        folder.with_name(ADDRESS).write_text(server.url)


def _change(site: FakeSite, ids: list[int], day: int) -> None:
    """Change the site as its editors do, and let some requests fail; `ids` are the articles of the first day."""
    if day == 0:
        return
    site.publish(2)
    site.revise(ids[day], text=f"Le ministère a corrigé ce texte le jour {day}. Il compte {day} phrases.")
    site.revise(ids[day + 1], title=f"Un nouveau titre du jour {day}")
    if day == 1:
        site.unpublish(ids[6], 404)
        site.unpublish(ids[7], 302)
        site.copy(ids[3])
    if day == 2:
        site.fault("error", site.story(ids[2]).path, 8)
        site.fault("truncate", "/rss/*", 4)
    if day == 3:
        site.republish(ids[7])


def _import_capture(run: Run, site: FakeSite, file: Path) -> None:
    """Import an old capture of a page from a WARC file of another collection."""
    story = site.story(sorted(site.ids())[-9])
    body = site.respond(SiteRequest("GET", story.path)).decoded
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
    record = writer.create_warc_record(
        urls.absolute(run.site.root, story.path), "response", payload=io.BytesIO(body), length=len(body),
        http_headers=headers, warc_headers_dict={"WARC-Date": f"{_OLD_CAPTURE:%Y-%m-%dT%H:%M:%SZ}"},
    )  # fmt: skip
    writer.write_record(record)
    file.write_bytes(buffer.getvalue())
    batch, result = CaptureBatch(run), CaptureImport(file.name)
    batch.read(file, result)
    batch.finish()


@contextmanager
def _run(settings: config.Config, clock: _Clock, role: Role) -> Iterator[Run]:
    with app.working(settings, "bench", Silent(), role=role, clock=clock, lexicon=load()) as run:
        yield run
