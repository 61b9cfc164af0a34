"""Measure precision and recall of the repair of glued words.

    ./run.sh bench glue [-v] [FILE...]   files: clean text, one paragraph a line (default: three of benchmarks/data)

The texts are the seeds with their gold standard, and clean text: with its line breaks removed, with one space removed,
and unchanged. -v prints the counts of each way to remove spaces, and every error.

Everything is deterministic except the timing and the memory.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from benchmarks import profiles
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import interleaved
from crawler import lexicon
from crawler.parse import seedtext
from crawler.repair import GLUE, Lexicon, repair, words
from crawler.types import Repair

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WIDTHS = (66, 72, 76, 79, 80, 84)
TEXTS = ("tuned.txt", "news.txt", "unseen.txt")
_CLEAN, _GLUED = "repair of clean text", "repair of text without line breaks"
_MEMORY = """
from crawler import lexicon, repair
def kb(): return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
before = kb()
repair.repair("la stratégiede sécurité du paysest claire", lexicon.load())
print(kb() - before)
"""


@dataclass
class Score:
    """Counts of lost spaces that were found, missed, or wrongly inserted."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / ((self.right + self.wrong) or 1)

    @property
    def recall(self) -> float:
        return self.right / ((self.right + self.missed) or 1)

    def add(self, glued: str, lost: set[int], found: set[int]) -> None:
        self.right += len(lost & found)
        self.wrong += len(found - lost)
        self.missed += len(lost - found)
        self.examples += [f"WRONG {_around(glued, at)}" for at in sorted(found - lost)]
        self.examples += [f"MISS  {_around(glued, at)}" for at in sorted(lost - found)]

    def row(self, name: str) -> str:
        return f"{name:34} {self.right + self.missed:6} {self.right:6} {self.wrong:5} {self.missed:6}   {self.precision:.4f}  {self.recall:.4f}"


def _around(text: str, at: int) -> str:
    return f"{text[max(0, at - 30) : at]}|{text[at : at + 25]}"


def lose(lines: list[str]) -> tuple[str, set[int]]:
    """Join lines without a space; return the text and the offsets of the lost line breaks."""
    lost: set[int] = set()
    text = ""
    for line in lines:
        if text and not text.endswith("-"):
            lost.add(len(text))
        text += line
    return text, lost


def inserted(edit: Repair) -> set[int]:
    """Return where an edit inserted spaces, as offsets in the verbatim text."""
    found: set[int] = set()
    i = 0
    for char in edit.after:
        if edit.before[i : i + 1] == char:
            i += 1
        elif char == " ":
            found.add(edit.offset + i)
    return found


def measure(paragraphs: list[tuple[str, set[int]]], known: Lexicon | None, score: Score, *, whole: bool) -> None:
    """Repair paragraphs as pages of six (`whole`) or one at a time, and add the counts to `score`."""
    for page in _pages(paragraphs, 6 if whole else 1):
        edits = [e for e in repair("\n\n".join(p for p, _ in page), known).repairs if e.rule in GLUE]
        found = {at for e in edits for at in inserted(e)}
        start = 0
        for glued, lost in page:
            score.add(glued, lost, {at - start for at in found if start <= at < start + len(glued)})
            start += len(glued) + 2


def _pages(items: list[tuple[str, set[int]]], size: int) -> list[list[tuple[str, set[int]]]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def remove_one_space(paragraph: str) -> tuple[str, set[int]]:
    """Remove one space between two words; which one depends only on the text."""
    gaps = [
        i for i, c in enumerate(paragraph) if c == " " and paragraph[i - 1].isalpha() and paragraph[i + 1].isalpha()
    ]
    if not gaps:
        return paragraph, set()
    at = gaps[zlib.crc32(paragraph.encode()) % len(gaps)]
    return paragraph[:at] + paragraph[at + 1 :], {at}


def seeds(known: Lexicon | None) -> dict[str, Score]:
    """Measure the seeds against their gold standard: as pages with title and lead as hints, and line by line without."""
    whole, lines = Score(), Score()
    for path in sorted((ROOT / "seeds").glob("*.txt")):
        article = seedtext.read(path.read_text(encoding="utf-8"))
        lost = _gold(path.name[:3], article.text)
        reading = repair(article.text, known, hints=(article.title, article.lead or ""))
        whole.add(article.text, lost, {at for e in reading.repairs if e.rule in GLUE for at in inserted(e)})
        start = 0
        for line in article.text.split("\n\n"):
            here = {at - start for at in lost if start <= at < start + len(line)}
            measure([(line, here)], known, lines, whole=False)
            start += len(line) + 2
    return {"whole pages with hints": whole, "line by line": lines}


def _gold(seed: str, text: str) -> set[int]:
    found: set[int] = set()
    for line in (ROOT / "tests" / "gold" / "seeds.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(seed):
            before, after = line[4:].split("¦")
            found.add(text.index(before + after) + len(before))
    return found


def without_line_breaks(paragraphs: list[str], known: Lexicon | None) -> dict[str, Score]:
    """Wrap clean paragraphs at several widths, remove the line breaks, and measure."""
    found = {}
    for hyphens, width, whole in product((False, True), WIDTHS, (True, False)):
        glued = [lose(textwrap.wrap(p, width, break_on_hyphens=hyphens)) for p in paragraphs]
        score = found[f"W={width}{' hyphens' if hyphens else ''} {'pages of 6' if whole else 'line by line'}"] = Score()
        measure(glued, known, score, whole=whole)
    return found


def with_one_lost_space(paragraphs: list[str], known: Lexicon | None) -> dict[str, Score]:
    """Remove one space from each paragraph, then from each sentence, and measure."""
    sentences = [s for p in paragraphs for s in re.split(r"(?<=[a-z»]\.) ", p) if len(s) > 40]
    found = {}
    for name, lines in (("one space of a paragraph", paragraphs), ("one space of a sentence", sentences)):
        score = found[name] = Score()
        measure([remove_one_space(line) for line in lines], known, score, whole=False)
    return found


def edits_of_clean_text(paragraphs: list[str], known: Lexicon | None) -> list[str]:
    """Return the edits of clean text; there should be none."""
    edits = [e for p in paragraphs for e in repair(p, known).repairs]
    return [f"CLEAN {e.rule} {e.before!r} -> {e.after!r}" for e in edits if e.rule in GLUE]


def show(examples: list[str]) -> None:
    """Print examples."""
    print(*(f"    {e}" for e in examples), sep="\n", end="\n" if examples else "")


def quality_rows(title: str, found: Mapping[str, Score], *, verbose: bool) -> list[Row]:
    """Return precision and recall, each as the range over several ways to remove spaces from a text."""
    scores = found.values()
    if verbose:
        for name, score in found.items():
            print(score.row(f"{title}, {name}"))
            show(score.examples)
    return [
        Row.of(f"{title}: precision", (score.precision for score in scores), ""),
        Row.of(f"{title}: recall", (score.recall for score in scores), ""),
    ]


def cost(texts: Sequence[list[str]], known: Lexicon | None) -> tuple[dict[str, list[float]], Callable[[], object]]:
    """Return the CPU seconds of repairing twelve paragraphs of each text as a page, and a call that repairs all of them."""
    clean = ["\n\n".join(paragraphs[:12]) for paragraphs in texts]
    glued = ["\n\n".join(lose(textwrap.wrap(p, 79))[0] for p in paragraphs[:12]) for paragraphs in texts]
    contenders: dict[str, Callable[[], object]] = {
        "tokenising": lambda: [words.tokens(page) for page in clean],
        _CLEAN: lambda: [repair(page, known) for page in clean],
        _GLUED: lambda: [repair(page, known) for page in glued],
    }
    return interleaved(contenders), lambda: [repair(page, known) for page in (*clean, *glued)]


def lexicon_memory() -> float:
    """Return by how many MB a new process grows when it loads the lexicon and repairs a text."""
    done = subprocess.run([sys.executable, "-c", _MEMORY], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("-v", action="store_true", help="also print all counts and errors")
    parser.add_argument("files", nargs="*", type=Path, default=[HERE / "data" / name for name in TEXTS])


def run(options: argparse.Namespace) -> Result:
    """Measure the quality and the cost of the repair."""
    known = lexicon.load()
    texts = {f.name: [line for line in f.read_text("utf-8").splitlines() if line.strip()] for f in options.files}
    in_seeds = seeds(known)
    rows = quality_rows("seeds", in_seeds, verbose=options.v)
    wrong: list[str] = []
    for name, paragraphs in texts.items():
        rows += quality_rows(f"{name}, no line breaks", without_line_breaks(paragraphs, known), verbose=options.v)
        rows += quality_rows(f"{name}, one space missing", with_one_lost_space(paragraphs, known), verbose=options.v)
        wrong += edits_of_clean_text(paragraphs, known)
    if options.v:
        show(wrong)
    seconds, repair_all = cost(list(texts.values()), known)
    times = {name: [value / len(texts) * 1000 for value in values] for name, values in seconds.items()}
    memory = [lexicon_memory() for _ in range(3)]
    rows += [Row.of(name, values, "ms a page") for name, values in times.items()]
    return Result(
        "glue",
        "How many glued words are separated, how many other words are damaged, and what does the repair cost?",
        [*rows, Row.of("lexicon in memory", memory, "MB")],
        [
            Goal("seeds: precision", min(score.precision for score in in_seeds.values()), "", at_least=1),
            Goal("seeds: recall", min(score.recall for score in in_seeds.values()), "", at_least=1),
            Goal("words separated in clean text", len(wrong), "", at_most=0),
            Goal.of(_CLEAN, times[_CLEAN], "ms a page", at_most=0.3),
            Goal.of(_GLUED, times[_GLUED], "ms a page", at_most=5),
            Goal.of("lexicon in memory", memory, "MB", at_most=10),
        ],
        notes=(
            "Precision is the share of the inserted spaces that are right, recall the share of the missing spaces that are"
            " inserted. The seeds were checked by hand. The other texts are clean: spaces are removed from them in several"
            " ways, over which the table gives the range. The rules were tuned on `tuned.txt` and half of `news.txt`;"
            " `unseen.txt` was only measured. A page is twelve paragraphs; CPU time."
        ),
    ).explained(lambda: [profiles.of_call("repair", lambda: [repair_all() for _ in range(5)])])
