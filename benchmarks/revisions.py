"""Edits, cosmetic changes, removals, restorations and an outage at a fake site, and what the archive says about them.

500 articles; 60 of them are edited as in data/edits_later.txt, 200 change only in form, 20 are removed, 5 of these come back.

./run.sh bench revisions
"""

from __future__ import annotations

import argparse
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.edits import Edit, edits, macro_f1
from benchmarks.month import SharedClock
from benchmarks.poll import SEEDS
from crawler import app, collect, config, lexicon
from crawler.changes import changes_between, kinds_of
from crawler.errors import SitePaused
from crawler.pipeline import Silent
from crawler.sim.site import FakeSite, build, serve
from crawler.types import Article, ImageBlock, TextBlock

EDITS, COSMETIC, REMOVED, RESTORED = 60, 200, 20, 5
_QUOTES = str.maketrans({"'": "’", "’": "'", "–": "-", " ": "\u00a0"})


def set_story(site: FakeSite, post_id: int, **values: object) -> None:
    world = site._context.world  # noqa: SLF001 - the site's own verbs cannot make these edits
    world._stories[post_id] = replace(world.story(post_id), **values)  # noqa: SLF001
    world._changed()  # noqa: SLF001


def content(article: Article, field: str, picture: ImageBlock) -> dict[str, object]:
    """Return the values of a story for one side of an edit; only the field of the edit differs between both sides."""
    captions = article.images[0].caption if field == "captions" else picture.caption
    return {
        "title": article.title,
        "lead": article.lead,
        "blocks": (replace(picture, caption=captions), *(b for b in article.blocks if isinstance(b, TextBlock))),
    }


def in_other_form(post_id: int, site: FakeSite) -> dict[str, object]:
    """Return the story with other spaces, quotes or Unicode forms, which no reader can see."""
    story = site.story(post_id)

    def changed(text: str) -> str:
        return unicodedata.normalize("NFD", text) if post_id % 2 else text.translate(_QUOTES)

    blocks = tuple(replace(b, text=changed(b.text)) if isinstance(b, TextBlock) else b for b in story.blocks)
    return {"blocks": blocks, "lead": changed(story.lead) if story.lead else story.lead}


def chosen(known: list[Edit], count: int) -> Iterator[Edit]:
    """Yield edits of all kinds in turn; edits of the time of publication are left out, because a list shows it, too."""
    usable = [edit for edit in known if edit.line.split("|")[1].strip() != "published_at"]
    by_kind: dict[frozenset[str], list[Edit]] = {}
    for edit in usable:
        by_kind.setdefault(edit.kinds, []).append(edit)
    while count > 0:
        for one in by_kind.values():
            if one and count > 0:
                count -= 1
                yield one.pop()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=500)
    options = parser.parse_args()
    clock = SharedClock()
    words = lexicon.load()
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=options.articles, now=clock.now)) as serving,
        tempfile.TemporaryDirectory() as folder,
        app.working(
            config.load(None, config.Overrides(archive=Path(folder), site=serving.url, rate=0)),
            "bench",
            Silent(),
            clock=clock,
        ) as work,
    ):
        site = serving.fake_site
        articles = [i for i in sorted(site.ids()) if any(isinstance(b, ImageBlock) for b in site.story(i).blocks)]
        plain = [i for i in articles if site.story(i).kind == "article" and site.story(i).lead]
        chosen_edits = dict(zip(plain[:EDITS], chosen(edits("edits_later.txt"), EDITS), strict=True))
        for post_id, edit in chosen_edits.items():
            picture = next(b for b in site.story(post_id).blocks if isinstance(b, ImageBlock))
            set_story(site, post_id, **content(edit.old, edit.line.split("|")[1].strip(), picture))
        for _ in range(2):
            collect.poll(work, ignore_due=True)
            clock.sleep(3600)
        held = work.archive.db["articles"].count
        false = work.archive.db.execute("SELECT count(*) FROM revisions WHERE revision > 1").fetchone()[0]
        print(f"{held} articles held, {false} revisions before any edit")
        for post_id, edit in chosen_edits.items():
            picture = next(b for b in site.story(post_id).blocks if isinstance(b, ImageBlock))
            set_story(site, post_id, **content(edit.new, edit.line.split("|")[1].strip(), picture))
        for post_id in plain[EDITS : EDITS + COSMETIC]:
            set_story(site, post_id, **in_other_form(post_id, site))
        removed = sorted(site.ids())[-REMOVED:]
        for number, post_id in enumerate(removed):
            site.unpublish(post_id, (404, 410, 200, 302)[number % 4])
        collect.poll(work, ignore_due=True)
        site.fault("error")
        clock.sleep(7200)
        with suppress(SitePaused):  # the outage: the circuit breaker opens
            collect.poll(work, ignore_due=True)
        site.clear()
        for _ in range(14):
            clock.sleep(6 * 3600)
            collect.poll(work)
        gone = work.archive.db.execute("SELECT count(*) FROM articles WHERE state = 'gone'").fetchone()[0]
        for post_id in removed[-RESTORED:]:
            site.republish(post_id)
        for _ in range(8):
            clock.sleep(6 * 3600)
            collect.poll(work)
        return report(work.archive, chosen_edits, gone, words.frequency if words else None)


def report(archive: object, chosen_edits: dict[int, Edit], gone: int, frequency: object) -> int:
    rows = list(archive.db.query("SELECT article, revision FROM revisions WHERE revision > 1"))
    revised = Counter(row["article"] for row in rows)
    false = {key: count for key, count in revised.items() if key not in chosen_edits or count > 1}
    restored = [row for row in archive.all_changes() if row["what"] == "live"]
    print(f"{len(rows)} revisions for {len(chosen_edits)} edits, {sum(false.values())} of them false")
    print(f"{gone} gone of {REMOVED}, {len(restored)} restored of {RESTORED}")
    pairs = []
    for key, edit in chosen_edits.items():
        if key in revised:
            found = kinds_of(changes_between(*archive.revision_pair(key, 2), frequency))
            pairs.append((edit.kinds, frozenset(map(str, found))))
    score, table = macro_f1(pairs)
    print(f"kinds: macro F1 {score:.3f}; {sum(a == b for a, b in pairs)} of {len(pairs)} exactly right")
    for kind, hit, missed, wrong in table:
        print(f"  {kind:10} right {hit:3}  missed {missed:3}  false {wrong:3}")
    return int(len(rows) != EDITS or bool(false) or gone != REMOVED or len(restored) != RESTORED)
