"""Rows are recomputed with the settings that were in force when the records were written, whatever they are now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from support import SITE, FakeClock, fetched, mounted, poll, value, working
from test_verify_rows import verified

from crawler import app
from crawler.pipeline import RunSettings
from crawler.pipeline.recorded_settings import settings_text, with_settings
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.site import Site
from crawler.warc import WarcStore

SMALL = Options(section_size=2, home_size=4, no_api=True, sections=SECTIONS[:2])
ADDED, EXCLUDED = f"/{SECTIONS[1].slug}/page1.vnp", "/rss/*"


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    """An archive that was polled with other settings each time; the last ones brought no response."""
    folder, clock = tmp_path_factory.mktemp("varied") / "archive", FakeClock()
    with mounted(clock, articles=3, options=SMALL) as site:
        for post_id in sorted(site.fake_site.ids())[:-4]:
            site.fake_site.unpublish(post_id)
        for settings in (
            {"list_pages": 1, "floor": 3600, "ceiling": 86_400, "articles_per_poll": 3},
            {"list_pages": 3, "add": (f"{SITE}{ADDED}",)},
            {"exclude": (EXCLUDED,), "names": {"/": "À la une"}},
        ):
            poll(folder, clock, everything=True, **settings)
            clock.advance(minutes=1)
        poll(folder, clock, exclude=(EXCLUDED, "/sitemaps/*"))
    return folder


def test_rows_do_not_depend_on_the_present_settings(varied):
    assert value(varied, "SELECT count(*) FROM sources WHERE state = 'excluded'") > 0
    found = verified(varied)
    assert (found.faults, found.unasked) == ([], 0)


def test_files_are_continued_only_with_the_same_settings(varied):
    with WarcStore(varied / "warc") as warc:
        recorded = [warc.run_settings(name) for name in warc.names()]
        records = [sum(1 for _ in warc.records(name)) for name in warc.names()]
    assert len(set(recorded)) == len(recorded) == 4
    assert records[-1] == 0 < min(records[:3])


SETTINGS = RunSettings(
    list_pages=7,
    min_interval=timedelta(minutes=9),
    max_interval=timedelta(days=2),
    articles_per_poll=2.5,
    add=("/été.vnp",),
    exclude=("/x*", "a\r\nb"),
    names={"/": "À la « une »\n"},
)


def test_settings_are_read_as_they_were_recorded(tmp_path):
    site = Site("https://example.org/", ("https://api.example.org",))
    text = settings_text(SETTINGS, site)
    assert text.isascii()
    assert text.isprintable()
    with working(tmp_path / "archive", FakeClock()) as run:
        read = with_settings(replace(run, settings=RunSettings(id_probes=3)), text)
        assert (read.settings, read.site) == (replace(SETTINGS, id_probes=3), site)


def as_recorded_before(settings, site):
    """Return the text of a version that polled for each expected article, and read on for each new one."""
    values = json.loads(settings_text(settings, site))
    del values["articles_per_poll"], values["reads_on_for_any"]
    return json.dumps(values)


def test_settings_of_earlier_versions(tmp_path):
    text = as_recorded_before(SETTINGS, Site("https://example.org/", ()))
    with working(tmp_path / "archive", FakeClock()) as run:
        read = with_settings(run, text).settings
    assert read == replace(SETTINGS, id_probes=read.id_probes, articles_per_poll=1, reads_on_for_any=True)


@pytest.mark.parametrize(
    ("recorded", "articles"), [(as_recorded_before, 1), (lambda *_: "", 2)], ids=["recorded", "not recorded"]
)
def test_further_pages_that_an_earlier_version_read(tmp_path, monkeypatch, recorded, articles):
    """It read them after a single new article; the rows depend on these pages."""
    folder, clock, of = tmp_path / "archive", FakeClock(), app.run_settings
    options = replace(SMALL, sections=SECTIONS[:1], section_size=6, no_samples=True)
    with mounted(clock, articles=8, options=options) as site:
        with monkeypatch.context() as patch:
            patch.setattr(app, "run_settings", lambda config: replace(of(config), reads_on_for_any=True))
            patch.setattr(app, "settings_text", recorded)
            poll(folder, clock, articles_per_poll=articles)
            site.fake_site.publish(2)
            clock.advance(days=1)
            site.wire.clear()
            poll(folder, clock, articles_per_poll=articles)
        assert [path for path in site.wire.paths if path.startswith("/api/get-zone")]
    found = verified(folder)
    assert (found.faults, found.unasked) == ([], 0)


@pytest.mark.parametrize("sources", [0, 1, 1000])
def test_settings_of_any_length_are_read(tmp_path, sources):
    add = tuple(f"/{sha256(bytes(number)).hexdigest()}.vnp" for number in range(sources))
    text = settings_text(replace(SETTINGS, add=add), Site("https://example.org/", ()))
    with WarcStore(tmp_path, settings=text) as warc:
        warc.append(fetched())
        (name,) = warc.names()
        assert warc.run_settings(name) == text


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "null", '{"names": []}'])
def test_unreadable_settings_are_ignored(tmp_path, text):
    with working(tmp_path / "archive", FakeClock()) as run:
        configured = replace(run.settings, reads_on_for_any=True)
        whole = settings_text(SETTINGS, run.site)
        missing = [whole.replace(f'"{name}"', '"other"') for name in ("list_pages", "floor", "add", "names", "root")]
        for unreadable in (text, *missing):
            read = with_settings(run, unreadable)
            assert (read.settings, read.site) == (configured, run.site)
