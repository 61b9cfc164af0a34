"""Measure precision and recall of the repair of glued words.

    ./run.sh bench glue [-v] [FILE...]   files: clean text, one paragraph a line (default: benchmarks/data)

The texts are the seeds with their gold standard, and clean text: with its line breaks removed, with one space removed,
and unchanged. The rules were tuned on `tuned.txt` and half of `news.txt`
(see `kinds`); `unseen.txt` was only measured. -v prints every error.

Everything is deterministic except the timing, which is also printed as a ratio to tokenising the same text.
"""

from __future__ import annotations

import re
import sys
import textwrap
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from benchmarks.timing import medians, table
from crawler import lexicon
from crawler.parse import seedtext
from crawler.repair import GLUE, Lexicon, repair, words
from crawler.types import Repair

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WIDTHS = (66, 72, 76, 79, 80, 84)


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


def seeds(known: Lexicon | None) -> None:
    """Measure the seeds against their gold standard: as pages with title and lead as hints, and line by line without."""
    whole, lines, rules = Score(), Score(), Counter[str]()
    for path in sorted((ROOT / "seeds").glob("*.txt")):
        article = seedtext.read(path.read_text(encoding="utf-8"))
        lost = _gold(path.name[:3], article.text)
        reading = repair(article.text, known, hints=(article.title, article.lead or ""))
        rules.update(e.rule for e in reading.repairs)
        whole.add(article.text, lost, {at for e in reading.repairs if e.rule in GLUE for at in inserted(e)})
        start = 0
        for line in article.text.split("\n\n"):
            here = {at - start for at in lost if start <= at < start + len(line)}
            measure([(line, here)], known, lines, whole=False)
            start += len(line) + 2
    print(
        whole.row("seeds, whole pages with hints"), lines.row("seeds, line by line"), f"rules: {dict(rules)}", sep="\n"
    )


def _gold(seed: str, text: str) -> set[int]:
    found: set[int] = set()
    for line in (ROOT / "tests" / "gold" / "seeds.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(seed):
            before, after = line[4:].split("¦")
            found.add(text.index(before + after) + len(before))
    return found


def without_line_breaks(paragraphs: list[str], known: Lexicon | None) -> None:
    """Wrap clean paragraphs at several widths, remove the line breaks, and measure."""
    for hyphens, width, whole in product((False, True), WIDTHS, (True, False)):
        glued = [lose(textwrap.wrap(p, width, break_on_hyphens=hyphens)) for p in paragraphs]
        score = Score()
        measure(glued, known, score, whole=whole)
        print(score.row(f"W={width}{' hyphens' if hyphens else ''} {'pages of 6' if whole else 'line by line'}"))
        show(score.examples)


def with_one_lost_space(paragraphs: list[str], known: Lexicon | None) -> None:
    """Remove one space from each paragraph, then from each sentence, and measure."""
    sentences = [s for p in paragraphs for s in re.split(r"(?<=[a-z»]\.) ", p) if len(s) > 40]
    for name, lines in (("one spot per paragraph", paragraphs), ("one spot per sentence", sentences)):
        score = Score()
        measure([remove_one_space(line) for line in lines], known, score, whole=False)
        print(score.row(name))
        show(score.examples)


def clean(paragraphs: list[str], known: Lexicon | None) -> None:
    """Count the edits in clean text; there should be none."""
    edits = [e for p in paragraphs for e in repair(p, known).repairs]
    glue = [f"CLEAN {e.rule} {e.before!r} -> {e.after!r}" for e in edits if e.rule in GLUE]
    counts = dict(Counter(e.rule for e in edits))
    print(
        f"clean text: {len(glue)} glued-* edits in {sum(len(p.split()) for p in paragraphs)} words; by rule: {counts}"
    )
    show(glue)


def show(examples: list[str]) -> None:
    """Print examples, with -v only."""
    if "-v" in sys.argv:
        print(*(f"    {e}" for e in examples), sep="\n", end="\n" if examples else "")


def cost(paragraphs: list[str], known: Lexicon | None) -> None:
    """Print the CPU time of repairing twelve paragraphs as one page: as they are, and without their line breaks."""
    page = "\n\n".join(paragraphs[:12])
    glued = "\n\n".join(lose(textwrap.wrap(p, 79))[0] for p in paragraphs[:12])
    found = medians(
        {
            "tokenising": lambda: words.tokens(page),
            "repair, as they are": lambda: repair(page, known),
            "repair, without line breaks": lambda: repair(glued, known),
        }
    )
    print(f"cost of {len(page)} characters:")
    table(found, 1, "tokenising")


def main() -> None:
    known = lexicon.load()
    print(f"{'':34}   lost  right wrong missed   P       R")
    seeds(known)
    files = [Path(a) for a in sys.argv[1:] if not a.startswith("-")] or sorted((HERE / "data").glob("*.txt"))
    for file in files:
        paragraphs = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        print(f"\n{file.name}: {len(paragraphs)} paragraphs\n{'':34}   lost  right wrong missed   P       R")
        without_line_breaks(paragraphs, known)
        with_one_lost_space(paragraphs, known)
        clean(paragraphs, known)
        cost(paragraphs, known)


if __name__ == "__main__":
    main()
