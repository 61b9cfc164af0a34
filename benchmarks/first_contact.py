"""First contact with a fake site in another design from the first day: `vna probe`, `vna heal --adopt`, a poll.

The archive is empty, and no known layout reads a page of the site. Only the texts of the seeds are known. Prints how many
articles the archive holds then, and how many of these have all fields as the editors wrote them. `--poll-first` polls
between the probe and `vna heal`, so that more pages can be compared. `--random N` tries N random designs, `--kind KIND`
one kind.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import app, collect, config
from crawler.config import Config
from crawler.pipeline import Silent
from crawler.pipeline.heal import Proposal, propose
from crawler.pipeline.probe import run_probe
from crawler.sim.site import FakeSite, Options, Serving, build, designs, serve
from crawler.types import Article, ImageBlock, TextBlock

SEEDS = Path(__file__).parent.parent / "seeds"
ARTICLES, HISTORY, LATER = 60, 40, 20
_FIELDS = ("title", "lead", "text", "captions")


def main() -> int:
    """Print a line for each design; return 1 if a layout was adopted that reads less than 90 % of a field exactly."""
    parser = argparse.ArgumentParser(prog="first_contact", description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="number of random designs")
    parser.add_argument("--kind", choices=designs.KINDS, action="append", help="only this kind")
    parser.add_argument("--poll-first", action="store_true", help="poll between the probe and `vna heal`")
    chosen = parser.parse_args()
    kinds = chosen.kind or [kind for kind in designs.KINDS if kind != "random"]
    tried = [("random", seed) for seed in range(1, chosen.random + 1)] or [(kind, 1) for kind in kinds]
    results = Counter(_contact(kind, seed, poll_first=chosen.poll_first) for kind, seed in tried)
    print(f"{len(tried)} designs: {dict(results)}")
    return int(results["wrongly adopted"] > 0)


def _contact(kind: str, seed: int, *, poll_first: bool) -> str:
    now = [datetime.now(UTC) - timedelta(hours=6)]

    def make(url: str) -> FakeSite:
        options = Options(history=HISTORY, no_api=True)
        return build(url, seeds_dir=SEEDS, articles=ARTICLES, now=lambda: now[0], options=options)

    with serve(make) as site, tempfile.TemporaryDirectory() as folder:
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=0))
        site.fake_site.redesign(kind, seed)
        seeds = app.seeds()
        with app.working(settings, "probe", Silent(), probing=True, role="probe") as run:
            run_probe(run, seeds=seeds)
            requests = run.report.requests
        if poll_first:
            _poll(settings)
        start = time.process_time()
        with app.working(settings, "heal", Silent(), role="read") as run:
            proposal = propose(run, adopting=True, texts=tuple(seeds.values()))
        seconds = time.process_time() - start
        _poll(settings)
        now[0] += timedelta(hours=3)
        site.fake_site.publish(LATER)
        _poll(settings)
        return _report(f"{kind} {seed}", proposal, _exact(settings, site), requests, seconds)


def _poll(settings: Config) -> None:
    with app.working(settings, "bench", Silent()) as run:
        collect.poll(run, ignore_due=True)


def _exact(settings: Config, site: Serving) -> Counter[str]:
    """Return how many articles are online and archived, and how many have each field as their editors wrote it."""
    found: Counter[str] = Counter()
    with app.reading_archive(settings.archive) as archive:
        found["revisions"] = int(archive.db.execute("SELECT count(*) FROM revisions WHERE revision > 1").fetchone()[0])
        for post_id in site.fake_site.ids():
            found["online"] += 1
            stored, story = archive.article(post_id), site.fake_site.story(post_id)
            if stored is None:
                continue
            read = _texts(stored.article)
            equal = [one == other for one, other in zip(read, _texts(story), strict=True)]
            found["archived"] += 1
            found["exact"] += all(equal)
            found.update(name for name, is_equal in zip(_FIELDS, equal, strict=True) if is_equal)
    return found


def _texts(article: Article) -> tuple[object, ...]:
    texts = [b.text for b in article.blocks if isinstance(b, TextBlock)]
    return article.title, article.lead, texts, [b.caption for b in article.blocks if isinstance(b, ImageBlock)]


def _report(name: str, proposal: Proposal, found: Counter[str], requests: int, seconds: float) -> str:
    healing, adopted = proposal.healing, proposal.adoption is not None
    fields = ", ".join(f"{field} {found[field]}" for field in _FIELDS)
    print(
        f"{name:16} {requests} requests, {healing.complete} seeds {healing.share:.0%} exact, {healing.further} further pages"
        f" ({len(healing.contradicted)} contradict), {seconds:.1f} s CPU, {'adopted' if adopted else 'PROPOSED'},"
        f" archived {found['archived']} of {found['online']}, all exact {found['exact']} ({fields}),"
        f" false revisions {found['revisions']}",
        flush=True,
    )
    if not adopted:
        return "proposed"
    least = min(found[field] for field in _FIELDS) / found["online"]
    return "wrongly adopted" if least < 0.9 or found["revisions"] else "adopted"


if __name__ == "__main__":
    raise SystemExit(main())
