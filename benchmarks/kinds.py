"""Measure the repair of each kind of missing space: `./run.sh bench kinds [-v] [--held-back]`.

The paragraphs of `data/news.txt` were written before the rules were tuned. Each space of a kind is removed alone, with
the rest of its sentence left whole. Then all line breaks are removed from whole paragraphs, with the first line shortened
by several lengths so that other words stand at the breaks. The rules were tuned on every second paragraph;
`--held-back` measures the others. -v prints every error.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from benchmarks.glue import Score, inserted, lose, show
from crawler import lexicon
from crawler.repair import GLUE, Lexicon, repair

NEWS = Path(__file__).resolve().parent / "data" / "news.txt"
INDENTS = (0, 13, 29, 47, 61)  # columns of an opening tag on the first line
_CAPITAL = "[A-ZÀ-ÖØ-ÞĐ]"
_NAME = rf"{_CAPITAL}[a-zà-ÿ]+"
_WORD = "[a-zà-ÿœ]"
_SHORT = "(?:à|a|et|de|du|en|est|sur|par|au|aux|dans|qui|ont|la|le|les|des)"
_UNITS = r"(?:km|kg|m|MW|h|m2|ha|%|USD)\b"
_VALID = re.compile(rf"«|.[»:;]|\d{_UNITS}")  # what is right with a space and without

#: The kinds: what stands before the space that is removed, and what stands after it.
KINDS = {
    "before a figure": (rf"{_WORD}{{2}}", r"\d"),
    "after a figure": (r"\d", rf"(?!{_UNITS}){_WORD}{{2}}"),
    "after a per cent sign": ("%", _WORD),
    "before a quotation": (_WORD, r"[«“]|\"\w"),
    "after a quotation": (r"[»”]|\w\"", rf"{_WORD}{{2}}|[àa] "),
    "before a bracket": (r"\w", r"\("),
    "after a bracket": (r"\)", _WORD),
    "after a colon or dash": ("[:–]", r"\w"),
    "after a comma": (f"{_WORD},", r"\w"),
    "after a sentence": (r"(?:[a-zé]{3}|\d\d|[%)»])\.", rf"{_CAPITAL}|«"),
    "after an acronym": ("[A-Z]{2}", _WORD),
    "before an acronym": (rf"{_WORD}{{2}}", r"[A-Z]{2,}\b"),
    "inside a name": (_NAME, _NAME),
    "before a name": (rf"\b{_WORD}{{2,}}", _NAME),
    "after à": ("à", rf"{_CAPITAL}|{_WORD}"),
    "after a name": (_NAME, _WORD),
    "at a short word": (rf"{_WORD}{{3}}", rf"{_SHORT} "),
    "after a short word": (rf" {_SHORT}", rf"{_WORD}{{3}}"),
    "between long words": (rf"{_WORD}{{4}}", rf"{_WORD}{{4}}"),
}


def paragraphs(held_back: bool) -> list[str]:
    """Return the paragraphs on which the rules were tuned, or the ones that were held back."""
    return NEWS.read_text(encoding="utf-8").splitlines()[held_back::2]


def spots(kind: str, text: str) -> Iterator[int]:
    """Yield the offset of every space of a kind."""
    before, after = (re.compile(pattern) for pattern in (f"(?:{KINDS[kind][0]})$", KINDS[kind][1]))
    for match in re.finditer(" ", text):
        if before.search(text, max(0, match.start() - 30), match.start()) and after.match(text, match.end()):
            yield match.start()


def context(text: str, at: int) -> tuple[str, int]:
    """Return the sentence around an offset, with the sentence after it, and the offset in this text."""
    ends = [m.end() for m in re.finditer(r"[a-zé»)%\d]\. (?=[A-ZÀ«])", text)]
    start = max((e for e in ends if e <= at - 3), default=0)
    stop = [e for e in ends if e > at]
    return text[start : stop[-1] if len(stop) > 1 else len(text)].strip(), at - start


def add(score: Score, glued: str, lost: set[int], known: Lexicon) -> None:
    edits = [e for e in repair(glued, known).repairs if e.rule in GLUE]
    score.add(glued, lost, {at for e in edits for at in inserted(e)})


def alone(texts: list[str], known: Lexicon) -> Iterator[tuple[str, Score]]:
    """Remove one space of each kind at a time, and yield the counts of each kind."""
    for kind in KINDS:
        score = Score()
        for paragraph in texts:
            for offset in spots(kind, paragraph):
                text, at = context(paragraph, offset)
                add(score, text[:at] + text[at + 1 :], {at}, known)
        yield kind, score


def wrapped(texts: list[str], known: Lexicon) -> Iterator[tuple[str, Score]]:
    """Remove all line breaks, and yield the counts for each width of the lines."""
    for width in (78, 79, 80):
        score = Score()
        for paragraph in texts:
            for indent in INDENTS:
                lines = textwrap.wrap(paragraph, width, initial_indent="#" * indent, break_on_hyphens=False)
                glued, lost = lose([lines[0].lstrip("#"), *lines[1:]])
                add(score, glued, {at for at in lost if not _VALID.match(glued[at - 1 : at + 5])}, known)
        yield f"every line break of {width} columns", score


def main() -> None:
    parser = argparse.ArgumentParser(prog="kinds", description=__doc__)
    parser.add_argument("-v", action="store_true", help="print every error")
    parser.add_argument("--held-back", action="store_true", help="measure the other half of the paragraphs")
    options = parser.parse_args()
    known = lexicon.load()
    assert known is not None
    texts = paragraphs(options.held_back)
    print(f"{'one space missing':34}   lost  right wrong missed   P       R")
    for name, score in (*alone(texts, known), *wrapped(texts, known)):
        print(score.row(name))
        if options.v:
            show(score.examples)


if __name__ == "__main__":
    main()
