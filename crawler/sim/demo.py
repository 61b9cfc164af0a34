"""The demo: poll the fake site, read an article, search, revise an article, poll again and show the difference.

Boundary: a script that uses the public modules and checks each result; it reports the checks that failed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from crawler import app, collect, config, files, lexicon, opening, query, render, snippets
from crawler.changes import changes_between, field_texts, marked_words
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
class _Demo:
    archive: Path
    write: Callable[[str], None]
    failed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        self.write("")
        self.write(f"── {text}")

    def check(self, good: bool, what: str) -> None:
        self.write(f"   {'ok' if good else 'FAILED'}: {what}")
        if not good:
            self.failed.append(what)


def run(
    archive: Path, seeds_dir: Path, progress: Progress, write: Callable[[str], None], program: str = "vna"
) -> list[str]:
    """Run the demo in a new archive and return a description of each check that failed.

    `program` is the command that starts the crawler, for the examples that the demo prints at the end.

    Raises:
        BadInput: the folder contains an archive that the demo did not create.

    """
    _prepare_folder(archive)
    demo = _Demo(archive, write)
    seeds = [seedtext.read(f.read_text("utf-8")) for f in sorted(seeds_dir.glob("*.txt"))]
    with serve(lambda url: build(url, seeds_dir=seeds_dir, articles=_GENERATED, now=lambda: datetime.now(UTC))) as site:
        settings = config.load(None, config.Overrides(archive=archive, site=site.url, rate=0))
        settings = replace(settings, reserve=0)  # the demo needs only a few megabytes
        demo.title(f"fake site with {len(seeds)} seed articles at {site.url}")
        online = len(site.fake_site.ids())
        first = _poll(demo, settings, progress, "first poll: all articles are new")
        demo.check(first.new == online, f"archived {first.new} of {online} articles in {first.requests} requests")
        example = _check_seeds(demo, seeds)
        if example is None:
            return demo.failed
        _search(demo, seeds)
        demo.title("the agency revises one article and publishes two new ones")
        revised = site.fake_site.ids()[-1]
        site.fake_site.revise(revised)
        site.fake_site.publish(2)
        second = _poll(demo, settings, progress, "second poll")
        demo.check((second.new, second.revised) == (2, 1), f"{second.new} new, {second.revised} revised")
        _history(demo, revised)
    _next_steps(demo, example, program)
    return demo.failed


def _prepare_folder(archive: Path) -> None:
    if (archive / FILE).exists() and not (archive / _MARK).exists():
        raise BadInput(f"{archive} already contains an archive", "choose another folder: vna --archive DIR demo")
    if (archive / _MARK).exists():
        shutil.rmtree(archive)
    files.make_folder(archive)
    files.replace(archive / _MARK, b"`vna demo` empties this folder when it starts.\n")


def _poll(demo: _Demo, settings: config.Config, progress: Progress, what: str) -> RunReport:
    demo.title(what)
    with app.working(settings, "demo", progress, lexicon=lexicon.load()) as work:
        return collect.poll(work, ignore_due=True)


def _check_seeds(demo: _Demo, seeds: list[Article]) -> StoredArticle | None:
    """Check that the archive returns each seed article unchanged.

    Print the first one and return it; if it is absent, return None.
    """
    with opening.reading_archive(demo.archive) as archive:
        stored = [_find(archive, seed.title) for seed in seeds]
    same = [s is not None and render.text(s) == seedtext.write(seed) for s, seed in zip(stored, seeds, strict=True)]
    demo.title("one of the seed articles, as archived")
    shown = stored[0]
    for line in render.text(shown).splitlines()[:7] if shown else ():
        demo.write(f"   {line[:150]}{'…' * (len(line) > 150)}")
    demo.check(all(same), f"the archive returns {sum(same)} of {len(seeds)} seed articles unchanged")
    return shown


def _find(archive: Archive, title: str) -> StoredArticle | None:
    wanted = query.parse(f'title:"{title}"')
    found = archive.search(wanted.match, since=None, until=None, section=None, limit=100, rank=False)
    return next((archive.article(row["id"]) for row in found if row["title"] == title), None)


def _search(demo: _Demo, seeds: list[Article]) -> None:
    demo.title(f"search: {_SEARCH}")
    wanted = query.parse(_SEARCH)
    with opening.reading_archive(demo.archive) as archive:
        found = archive.search(wanted.match, since=None, until=None, section=None, limit=50, rank=False)
    for row in found[:3]:
        demo.write(f"   {row['id']}  {row['title']}")
        demo.write(f"           {snippets.snippet([row['clean']], wanted)}")
    titles = {row["title"] for row in found}
    demo.check(
        seeds[0].title in titles,
        f"{len(found)} articles; the seed article of 2018, which has glued words, must be among them",
    )


def _history(demo: _Demo, key: int) -> None:
    demo.title("what the agency changed")
    with opening.reading_archive(demo.archive) as archive:
        revisions = archive.revision_articles(key)
    found = changes_between(revisions[0], revisions[-1])
    for change in found:
        pieces = marked_words(change, field_texts(revisions[-1])[change.field])
        line = f"{change.field}: {''.join(piece.bracketed for piece in pieces)}  ({', '.join(change.kinds)})"
        demo.write(f"   {line[:150]}{'…' * (len(line) > 150)}")
    demo.check(len(revisions) == 2 and bool(found), f"{len(revisions)} revisions of article {key} are archived")


def _next_steps(demo: _Demo, example: StoredArticle, program: str) -> None:
    vna = f"{program} --archive {demo.archive}"
    demo.title("next steps")
    demo.write(f"   {vna} show {example.id} --format markdown")
    demo.write(f"   {vna} search '\"diên biên phu\" OR défense' --limit 5")
    demo.write(f"   {vna} browse")
