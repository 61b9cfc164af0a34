"""The whole story on the double of the site: poll, read, search, revise, poll again, see the difference.

Boundary: a script over the public parts, with checks; each step that did not give what it should is reported.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from crawler import app, config, lexicon, pipeline, query, render
from crawler.errors import BadInput
from crawler.parse import seedtext
from crawler.pipeline import Progress
from crawler.sim.site import build, serve
from crawler.storage import FILE, Archive
from crawler.types import Article, RunReport, StoredArticle

_GENERATED = 24
_MARK = ".demo"
_SEARCH = "etrangeres niveaux"


@dataclass
class _Stage:
    archive: Path
    say: Callable[[str], None]
    failed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        self.say(f"\n── {text}")

    def check(self, good: bool, what: str) -> None:
        self.say(f"   {'ok' if good else 'FAILED'}: {what}")
        if not good:
            self.failed.append(what)


def run(archive: Path, seeds_dir: Path, progress: Progress, say: Callable[[str], None]) -> list[str]:
    """Play the demo in a fresh archive; give what did not come out as it should.

    Raises:
        BadInput: the folder holds an archive that is no demo's.

    """
    _fresh(archive)
    stage = _Stage(archive, say)
    seeds = [seedtext.read(f.read_text("utf-8")) for f in sorted(seeds_dir.glob("*.txt"))]
    with serve(lambda url: build(url, seeds_dir=seeds_dir, articles=_GENERATED, now=lambda: datetime.now(UTC))) as site:
        settings = config.load(None, config.Overrides(archive=archive, site=site.url, rate=0))
        settings = replace(settings, reserve=0)  # a few megabytes, on whatever machine a newcomer has
        stage.title(f"a double of the site, with the five seed articles, is served at {site.url}")
        alive = len(site.replica.ids())
        first = _poll(stage, settings, progress, "first poll: everything is new")
        stage.check(first.new == alive, f"{first.new} of {alive} articles are archived, in {first.requests} requests")
        chosen = _seeds_are_whole(stage, seeds)
        if chosen is None:
            return stage.failed
        _search(stage, seeds)
        stage.title("the agency revises one article and publishes two")
        revised = site.replica.ids()[-1]
        site.replica.revise(revised)
        site.replica.publish(2)
        second = _poll(stage, settings, progress, "second poll")
        stage.check((second.new, second.revised) == (2, 1), f"{second.new} new, {second.revised} revised")
        _history(stage, revised)
    _farewell(stage, chosen)
    return stage.failed


def _fresh(archive: Path) -> None:
    if (archive / FILE).exists() and not (archive / _MARK).exists():
        raise BadInput(f"{archive} holds an archive", "give the demo a folder of its own: vna --archive DIR demo")
    if (archive / _MARK).exists():
        shutil.rmtree(archive)
    archive.mkdir(parents=True, exist_ok=True)
    (archive / _MARK).write_text("`vna demo` empties this folder when it starts.\n", "utf-8")


def _poll(stage: _Stage, settings: config.Config, progress: Progress, what: str) -> RunReport:
    stage.title(what)
    with app.working(settings, "demo", progress, lexicon=lexicon.load()) as work:
        return pipeline.poll(work, ignore_due=True)


def _seeds_are_whole(stage: _Stage, seeds: list[Article]) -> StoredArticle | None:
    """Check that each seed leaves the archive as the same document; show one and give it."""
    with app.reading_archive(stage.archive) as archive:
        stored = [_find(archive, seed.title) for seed in seeds]
    same = [s is not None and render.text(s) == seedtext.write(seed) for s, seed in zip(stored, seeds, strict=True)]
    stage.title("one of the seeds, as archived")
    shown = stored[0]
    for line in render.text(shown).splitlines()[:7] if shown else ():
        stage.say(f"   {line[:150]}{'…' * (len(line) > 150)}")
    stage.check(all(same), f"{sum(same)} of {len(seeds)} seeds leave the archive as the same document")
    return shown


def _find(archive: Archive, title: str) -> StoredArticle | None:
    wanted = query.parse(f'title:"{title}"')
    found = archive.search(wanted.match, since=None, until=None, section=None, limit=100, rank=False)
    return next((archive.article(row["id"]) for row in found if row["title"] == title), None)


def _search(stage: _Stage, seeds: list[Article]) -> None:
    stage.title(f"search: {_SEARCH}")
    wanted = query.parse(_SEARCH)
    with app.reading_archive(stage.archive) as archive:
        found = archive.search(wanted.match, since=None, until=None, section=None, limit=50, rank=False)
    for row in found[:3]:
        stage.say(f"   {row['id']}  {row['title']}\n           {query.snippet([row['clean']], wanted)}")
    titles = {row["title"] for row in found}
    stage.check(seeds[0].title in titles, f"{len(found)} articles, the seed of 2018 with its broken words among them")


def _history(stage: _Stage, key: int) -> None:
    stage.title("what the agency changed")
    with app.reading_archive(stage.archive) as archive:
        revisions = archive.history(key)
    lines = render.difference(revisions[0], revisions[-1]) if len(revisions) > 1 else []
    for line in lines:
        stage.say(f"   {line[:150]}{'…' * (len(line) > 150)}")
    stage.check(len(revisions) == 2 and bool(lines), f"{len(revisions)} revisions of article {key} are kept")


def _farewell(stage: _Stage, chosen: StoredArticle) -> None:
    vna = f".venv/bin/vna --archive {stage.archive}"
    stage.title("try next")
    stage.say(f"   {vna} show {chosen.id} --format markdown")
    stage.say(f"   {vna} search '\"diên biên phu\" OR défense' --limit 5")
    stage.say(f"   {vna} browse")
