"""Classify edits of news texts, and print the confusion of kinds.

./run.sh bench edits              edits written before the classifier, half of them held out (no rule was tuned on them),
                                  and edits that were written later by somebody who had not read its rules
./run.sh bench edits --wrong      also print each edit of the tuned half, and of the later ones, that got other kinds
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crawler import lexicon
from crawler.changes import Kind, changes_between, kinds_of
from crawler.types import Article, ImageBlock, TextBlock

DATA = Path(__file__).parent / "data"
TITLE = "Un titre qui ne change pas"
TEXT = "Un paragraphe qui ne change pas."


@dataclass(frozen=True)
class Edit:
    """One written edit: the kinds that a reader would name, and the two articles."""

    kinds: frozenset[str]
    line: str
    old: Article
    new: Article


def article(field: str, text: str) -> Article:
    values: dict[str, object] = {"title": TITLE, "lead": "Un chapeau.", "published_at": "2025-04-29T14:30:44+07:00"}
    blocks: list[TextBlock | ImageBlock] = [TextBlock("paragraph", TEXT)]
    if field == "text":
        blocks = [TextBlock("paragraph", part) for part in text.split("¶")]
    elif field == "captions":
        blocks.append(ImageBlock("https://mediafr.vietnamplus.vn/1.jpg", "", text or None))
    else:
        values[field] = text
    return Article(blocks=tuple(blocks), **values)


def edits(name: str) -> list[Edit]:
    """Return the edits of a file in the folder of the data."""
    found = []
    for line in (DATA / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        kinds, field, edit = (part.strip(" ") for part in line.split("|", 2))
        before, after = (part.strip() for part in edit.split("=>"))
        found.append(Edit(frozenset(kinds.split(",")), line, article(field, before), article(field, after)))
    return found


def macro_f1(pairs: list[tuple[frozenset[str], frozenset[str]]]) -> tuple[float, list[tuple[str, int, int, int]]]:
    """Return the macro F1 of (right, found) kinds, and for each kind the number of right, missed and false ones."""
    rows, total = [], 0.0
    for kind in Kind:
        hit = sum(kind in right and kind in found for right, found in pairs)
        missed = sum(kind in right and kind not in found for right, found in pairs)
        false = sum(kind not in right and kind in found for right, found in pairs)
        total += 2 * hit / (2 * hit + missed + false) if hit else 0.0
        rows.append((str(kind), hit, missed, false))
    return total / len(Kind), rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wrong", action="store_true")
    options = parser.parse_args()
    words = lexicon.load()
    frequency = words.frequency if words else None
    for name, is_halved in (("edits.txt", True), ("edits_later.txt", False)):
        known = edits(name)
        found = [frozenset(map(str, kinds_of(changes_between(e.old, e.new, frequency)))) for e in known]
        pairs = [(edit.kinds, kinds) for edit, kinds in zip(known, found, strict=True)]
        print(f"== {name}")
        _print_scores(pairs, is_halved=is_halved)
        if options.wrong:
            for edit, kinds in list(zip(known, found, strict=True))[:: 2 if is_halved else 1]:
                if edit.kinds != kinds:
                    print(f"{','.join(sorted(kinds))} <- {edit.line}")
    return 0


def _print_scores(pairs: list[tuple[frozenset[str], frozenset[str]]], *, is_halved: bool) -> None:
    halves = (("tuned half", pairs[::2]), ("held-out half", pairs[1::2])) if is_halved else ()
    for name, part in (*halves, ("all", pairs)):
        score, rows = macro_f1(part)
        exact = sum(right == kinds for right, kinds in part)
        print(f"{name}: macro F1 {score:.3f}; {exact} of {len(part)} edits have exactly the right kinds")
    print(f"{'kind':10} {'right':>6} {'missed':>6} {'false':>6}")
    for kind, hit, missed, false in rows:
        print(f"{kind:10} {hit:6} {missed:6} {false:6}")
    print("confusion, right kinds -> found kinds:")
    confused = Counter((right, kinds) for right, kinds in pairs if right != kinds)
    for (right, kinds), count in confused.most_common():
        print(f"  {','.join(sorted(right)):20} -> {','.join(sorted(kinds)) or '-':30} {count}")
