"""Plant defects in copies of the program, run a short drill with each, and print the promise that reports it.

Each defect replaces one piece of the source, so that the program still runs, but breaks one promise. The drill runs in
a process of its own with a time limit; a program that fails or never ends is reported as well. `--only PATTERN` runs the
defects whose names match a regular expression; `--all` prints everything that was reported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LIMIT = 300.0  # seconds for one drill
#: The drill in the process with the defect: the scenarios that break the most promises, and few articles.
_DRILL = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from crawler.pipeline import Silent
from crawler.sim.drill import runner, scenarios
runner.TABLE = tuple(s for s in scenarios.TABLE if s.plan.__name__ in {plans!r})
runner._PER_DAY, runner._BEFORE, runner.SETTLING = 3, 6, {settling}
days = sum(s.days for s in runner.TABLE)
result = runner.run(
    Path(sys.argv[1]), Path("seeds"), days=days, seed=5, lexicon=None, progress=Silent(), report=lambda day: None
)
print(json.dumps([[item.kind, item.says] for item in result.reconciliation.lost]))
"""
_ALL = ("_edited", "_throttled", "_broken_responses", "_killed", "_moved")
_EDITED, _REMOVED, _KILLED = ("_edited",), ("_edited", "_moved"), ("_killed",)
_THROTTLED, _LIMITED = ("_throttled",), ("_moved", "nothing")


@dataclass(frozen=True)
class Defect:
    """A defect: in `file`, the text `old` is replaced by `new`. `plans` are the scenarios that show it."""

    name: str
    file: str
    old: str
    new: str
    plans: tuple[str, ...] = _EDITED


_PAGE, _ARTICLES, _STORE = "parse/page.py", "storage/articles.py", "warc/store.py"
_CLIENT, _LIMITS, _PAGES = "fetch/client.py", "rate_limit.py", "pipeline/pages.py"
DEFECTS = (
    # --- what an article says
    Defect("tags are not read", _PAGE, "tags=tags,", "tags=(),"),
    Defect("a tag is lost when it is stored", _ARTICLES, "for tag in article.tags]", "for tag in article.tags[1:]]"),
    Defect("the byline is lost", _PAGE, "byline=fields.byline(layout, found)", "byline=None"),
    Defect("the section is lost", _PAGE, "        section=section,\n        dateline", "        section=None,\n        dateline"),
    Defect("pictures are lost from the table", _ARTICLES, "self.save_images(key, article.images)", "self.save_images(key, article.images[:0])"),
    Defect("the lead picture is lost", _PAGE, "(*fields.avatar(page, layout, found, parts.blocks), *parts.blocks)", "(*parts.blocks,)"),
    Defect("captions are lost", "parse/body.py", "image.alt, caption, structure", "image.alt, None, structure"),
    Defect("credits are lost", "parse/body.py", "caption, structure.credit(caption)", "caption, None"),
    Defect("the lead is lost", _PAGE, "lead=lead,\n        blocks=blocks,\n        related", "lead=None,\n        blocks=blocks,\n        related"),
    Defect("the title is shortened", _PAGE, "title = found.text(found.title, layout)", "title = found.text(found.title, layout)[:40]"),
    Defect("the last paragraph is lost", _PAGE, "*parts.blocks)", "*parts.blocks[:-1])"),
    Defect("text is stored repaired", "types.py", 'return "\\n\\n".join(self.paragraphs)',
           'return "\\n\\n".join(self.paragraphs).replace(".Ils", ". Ils")'),
    Defect("texts are not repaired", "app.py", "return repair(article.text, lexicon, hints=hints(article))",
           "return Reading(article.text)"),
    Defect("the repaired text loses a word", "storage/revisions.py", "f.read(self.article, self.reading))",
           "f.read(self.article, self.reading)) if f.name != 'clean' else self.reading.clean.replace(' de ', ' ', 1)"),
    Defect("publication 7 hours off", "parse/times.py", "return Chosen(when.isoformat(),",
           "return Chosen(when.replace(tzinfo=UTC).isoformat(),"),
    Defect("modification time is lost", _PAGE, "modified_at=modified.iso", "modified_at=published.iso"),
    Defect("related stories are lost", _PAGE, "related=further[:_MAX_RELATED]", "related=()"),
    Defect("the signature is lost", _PAGE, "structure.signature_of(paragraphs) or structure.signature_of(_without_items(blocks))", "None"),
    Defect("the address gets a query", "parse/fields.py", "return urls.citable(stated)", 'return urls.citable(stated) + "?x=1"'),
    # --- what the archive adds
    Defect("first_seen_at is overwritten", _ARTICLES, '{"id", "first_seen_at"}', '{"id"}'),
    Defect("checked_at is not updated", _ARTICLES, "SET checked_at = ?, state = 'live' WHERE",
           "SET checked_at = coalesce(checked_at, ?), state = 'live' WHERE"),
    Defect("raw refers to another record", _PAGES, "key=key, raw_id=raw_id)", "key=key, raw_id=max(1, raw_id - 1))"),
    Defect("the search index is not updated", _ARTICLES, "        self._index(intent.key, intent.search_text())\n        self._set",
           "        self._set"),
    Defect("copies are not recognised", "identity.py", "duplicates = tuple(_duplicates(article, candidates, versions, published_on, key or body_key(article)))",
           "duplicates = ()", _REMOVED),
    Defect("unrelated articles are called copies", "identity.py", "        if other.body_key == key:", "        if True:", _REMOVED),
    # --- revisions and removals
    Defect("edits overwrite the article", "identity.py", 'Decision("revised", known.revision + 1, changed)',
           'Decision("unchanged", known.revision)'),
    Defect("changed titles are no edits", "identity.py", '        "title": article.title,\n', ""),
    Defect("each visit makes a revision", "identity.py", "if changed else Decision(", "if True else Decision(", _REMOVED),
    Defect("gone at the first 404", "schedule/pages.py", "if count > len(_CONFIRMATIONS)", "if count", _REMOVED),
    Defect("gone after a day", "schedule/pages.py", "timedelta(hours=1), timedelta(days=1)",
           "timedelta(hours=1), timedelta(hours=20)", _REMOVED),
    Defect("never gone", "schedule/pages.py", "timedelta(hours=1), timedelta(days=1)", "timedelta(hours=1), timedelta(days=9)", _REMOVED),
    Defect("a restored article stays gone", _ARTICLES, "SET checked_at = ?, state = 'live' WHERE id = ?",
           "SET checked_at = ? WHERE id = ?", ("_odd_pages",)),
    Defect("removed articles are never checked", "schedule/pages.py",
           "return now + max(rule.shortest, min(_in_whole_seconds(age * rule.share_of_age), rule.longest))", "return None", _REMOVED),
    # --- manners
    Defect("Retry-After is ignored", "fetch/headers.py", "    if not value:\n        return None", "    return None", _THROTTLED),
    Defect("a status 503 is no reason to wait", _LIMITS, "if status in (429, 503):", "if status in (429,):", _THROTTLED),
    Defect("requests are not spaced", _LIMITS, "    if not limits.interval:\n", "    if True:\n"),
    Defect("Crawl-delay is ignored", _CLIENT, "set_crawl_delay(self.robots.delay(url))", "set_crawl_delay(0.0)"),
    Defect("robots.txt is ignored", _CLIENT, "if not self.robots.allows(url):", "if not self.robots.allows(url) and False:"),
    Defect("robots.txt is read once a week", "fetch/robots.py", "_FRESH = timedelta(days=1)", "_FRESH = timedelta(days=7)", _LIMITED),
    Defect("the circuit breaker never opens", _LIMITS, "_OPEN_AFTER = 5", "_OPEN_AFTER = 5000", _THROTTLED),
    Defect("requests are never conditional", "schedule/conditional.py", "if fresh and not row.lies else", "if False else"),
    Defect("requests are anonymous", _CLIENT, 'f"vna-archive/{crawler.__version__} (+', 'f"Mozilla/5.0 (+'),
    Defect("the daily cap is ignored", _LIMITS, "if limits.daily_cap and", "if False and", _LIMITED),
    Defect("quiet hours are ignored", _LIMITS, "quiet = begin <= at", "quiet = False and begin <= at", _LIMITED),
    # --- evidence and durability
    Defect("fsync is never called", _STORE, "            os.fsync(file.fileno())", "            file.fileno()", _KILLED),
    Defect("the folder of a new file is not synced", _STORE, "            files.sync_folder(folder)\n", "", _KILLED),
    Defect("the database is not synced", "storage/base.py", "synchronous = NORMAL", "synchronous = OFF", _KILLED),
    Defect("records of a killed process are skipped", "replay/crash_recovery.py", "        replayer.replay_all()\n", "", _KILLED),
    Defect("a torn record is not cut off", "warc/tail.py", "def try_repair_tail(path: Path, start: int = 0) -> bool:\n",
           "def try_repair_tail(path: Path, start: int = 0) -> bool:\n    return True\n\n\ndef _unused(path: Path, start: int = 0) -> bool:\n", _KILLED),
    Defect("responses without news are not archived", "pipeline/fetching.py", "    ref = run.warc.append(fetched, str(purpose))\n    run.pending.append(PendingCapture(fetched, ref, purpose))\n",
           "    ref = run.warc.append(fetched, str(purpose))\n    if fetched.status != 304:\n        run.pending.append(PendingCapture(fetched, ref, purpose))\n"),
    Defect("times are rounded to the hour", _PAGES, "verdict = store_article(run, article, response.at,",
           "verdict = store_article(run, article, response.at.replace(minute=0),"),
    Defect("failed pages are never retried", "schedule/pages.py", "due = retry_at(now, failures) if failures < _GIVE_UP or archived else None",
           "due = None", ("_broken_responses",)),
)  # fmt: skip


def main() -> int:
    """Print the table; return 1 if a defect is not reported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    chosen = [d for d in DEFECTS if re.search(options.only, d.name)]
    print(f"{'defect':44} {'s':>4}  reported by")
    unseen = 0
    whole = Defect("none (the program as it is)", "__init__.py", "", "", _ALL)
    for defect in chosen if options.only else (whole, *chosen):
        start = time.monotonic()
        found = _found(defect, show_all=options.all)
        unseen += (not found) != (defect is whole)
        print(f"{defect.name:44} {time.monotonic() - start:4.0f}  {found or 'NOTHING'}", flush=True)
    print(f"{len(chosen)} defects, {unseen} of the rows above are not as they must be")
    return int(unseen > 0)


def _found(defect: Defect, *, show_all: bool) -> str:
    """Return what a drill of a copy of the program with `defect` reports; an empty text if it reports nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "crawler", folder / "crawler", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "seeds").mkdir()
        shutil.copy(max((ROOT / "seeds").glob("*.txt")), folder / "seeds")  # one text, so that a day takes a second
        _plant(defect, folder / "crawler" / defect.file)
        program = _DRILL.format(plans=set(defect.plans), settling=2 if "_moved" in defect.plans else 0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", program, str(folder / "archive")],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(folder)},
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return f"the drill: not finished after {_LIMIT:.0f} s"
        if done.returncode:
            return f"the drill: {done.stderr.strip().splitlines()[-1][:150]}"
        lost = json.loads(done.stdout.splitlines()[-1])
    if show_all:
        print(*(f"    {kind}: {says}" for kind, says in lost), sep="\n")
    return ", ".join(f"{promise} ({number})" for promise, number in Counter(map(_promise, lost)).most_common(4))


def _plant(defect: Defect, file: Path) -> None:
    text = file.read_text("utf-8")
    if text.count(defect.old) < 1:
        raise SystemExit(f"{defect.name}: {defect.file} does not contain {defect.old!r}")
    changed = text.replace(defect.old, defect.new, 1)
    compile(changed, str(file), "exec")  # a program that does not start proves nothing
    file.write_text(changed, "utf-8")


def _promise(found: tuple[str, str]) -> str:
    kind, says = found
    return f"{kind} {says.split()[0]}" if kind == "field" else kind
