"""After random events on the site and in the archive, and an update of the parser, a rebuild writes the same rows."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from support import FakeClock, mounted_small, poll, working
from test_captures import capture_of, import_files
from test_newer_parser import older_parser
from test_verify_rows import verified

from crawler import pipeline
from crawler.errors import BadInput
from crawler.pipeline import articles, stored_pages

#: What an older parser read, by what today's parser reads; each is used for some articles.
FAULTS = (
    lambda article: article,
    lambda article: replace(article, title=f"{article.title} (lu)"),
    lambda article: replace(article, blocks=article.blocks[:-1] or article.blocks),
    lambda article: replace(article, lead=None),
    lambda article: replace(article, tags=()),
)
EVENTS = {
    "publish": lambda site, key, rng: site.publish(rng.randrange(1, 3)),
    "revise": lambda site, key, rng: site.revise(key, title=f"Titre {rng.random()}"),
    "revise the text": lambda site, key, rng: site.revise(key, text=f"Texte {rng.random()}.", silent=rng.random() < 0.5),
    "unpublish": lambda site, key, rng: site.unpublish(key, status=rng.choice([404, 410, 200, 302])),
    "republish": lambda site, key, rng: site.republish(key),
    "refuse": lambda site, key, rng: site.fault("block", path=site.story(key).path),
    "cut": lambda site, key, rng: site.fault("truncate", path=site.story(key).path),
    "recover": lambda site, key, rng: site.clear(),
    "exchange a picture": lambda site, key, rng: site.edit_picture(key, "in_place"),
    "move a picture": lambda site, key, rng: site.edit_picture(key, "copy"),
    "copy": lambda site, key, rng: site.copy(key),
}  # fmt: skip
EXPECTED = {"different schedule", "different sightings in related stories"}  # after an update


class Life:
    """An archive of a small site, to which something happens at each step."""

    def __init__(self, folder, rng, site, clock):
        self.archive, self.folder, self.rng, self.site, self.clock = folder / "archive", folder, rng, site, clock
        self.options = rng.choice([{}, {"keep_pictures": "all"}])
        self.imports = 0
        self.log = []

    def step(self):
        what = self.rng.choice([*EVENTS, *["advance"] * 2, *["poll"] * 4, *["import"] * 2])
        key = self.rng.choice(sorted(self.site.fake_site.ids()))
        self.log.append((what, key))
        if what == "advance":
            self.clock.advance(hours=self.rng.choice([1, 5, 26, 80]))
        elif what == "poll":
            self.poll(everything=self.rng.random() < 0.6)
        elif what == "import":
            self.imports += 1
            at = self.clock.now() - timedelta(hours=self.rng.choice([0, 2, 30, 200, 4000]))
            file = capture_of(self.site, key, self.folder, when=at, name=f"{self.imports}.warc.gz")
            import_files(self.archive, self.clock, file)
        else:
            with suppress(BadInput):  # the event is impossible now
                EVENTS[what](self.site.fake_site, key, self.rng)

    def poll(self, *, everything=False):
        poll(self.archive, self.clock, everything=everything, **self.options)

    def reparse(self, *, dry_run=False):
        with working(self.archive, self.clock, role="read", **self.options) as run:
            return pipeline.reparse(run, dry_run=dry_run)


@pytest.mark.parametrize(("seed", "is_updated"), [(201, False), (203, True), (212, True)])
def test_each_row_is_that_of_a_rebuild(tmp_path, monkeypatch, seed, is_updated):
    rng, clock, parse, version = random.Random(seed), FakeClock(), stored_pages.parse_page, articles.PARSER_VERSION
    with mounted_small(clock) as site:
        life = Life(tmp_path, rng, site, clock)
        if is_updated:
            monkeypatch.setattr(stored_pages, "parse_page", older_parser(FAULTS))
            monkeypatch.setattr(articles, "PARSER_VERSION", 0)
        life.poll()
        for _ in range(rng.randrange(8, 16)):
            life.step()
        monkeypatch.setattr(stored_pages, "parse_page", parse)
        monkeypatch.setattr(articles, "PARSER_VERSION", version)
        if is_updated:
            life.reparse()
            life.poll(everything=True)
    assert [fault for fault in verified(life.archive).faults if fault.what not in EXPECTED] == [], life.log
    again = life.reparse(dry_run=True)
    assert (again.differing, again.false_revisions) == (0, 0), life.log
