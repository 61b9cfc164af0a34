"""The repaired reading of a text that was broken on its way to the page, beside the original that never changes.

Boundary: pure. Text in, reading out, the same for the same input for ever; no I/O, no clock, no randomness. What is
known of the language comes in as a `Lexicon`; without one, only the rules that need none run.

The rules are an ordered tuple of small named functions from a text to its edits. They run in order, and again until
none finds anything, so that repairing a repaired text changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crawler.repair import glue, typography
from crawler.repair.edits import apply, compose
from crawler.repair.lexicon import Corpus, Lexicon, WordList
from crawler.types import Reading, Repair

__all__ = ["GLUE", "RULES", "Corpus", "Lexicon", "Rule", "WordList", "apply", "flags", "glue_count", "repair"]

_LONGEST = (
    60_000  # characters; several times the longest text at hand, and odd ones can take time that grows with the square
)
_BROKEN = 3  # sure spots from which on a page counts as broken
_ROUNDS = 40  # a text settles in two or three; one that never does is left as it is


@dataclass(frozen=True, slots=True)
class Rule:
    """One fix: `find` reads a text and returns its edits, in order and apart from one another."""

    name: str
    find: Callable[[str, Lexicon], list[Repair]]
    needs_lexicon: bool = False


def _plain(find: Callable[[str], list[Repair]]) -> Callable[[str, Lexicon], list[Repair]]:
    return lambda text, _: find(text)


#: In order. Words come before signs: the place of a lost line break is measured in the text as it arrived.
RULES: tuple[Rule, ...] = (
    Rule("nfc", _plain(typography.nfc)),
    Rule("glued-words", glue.find, needs_lexicon=True),
    Rule("glued-sentence", _plain(typography.sentence)),
    Rule("glued-comma", _plain(typography.comma)),
    Rule("glued-bracket", _plain(typography.bracket)),
    Rule("glued-figure", _plain(typography.figure)),
    Rule("torn-signature", _plain(typography.agency)),
    Rule("torn-ordinal", _plain(typography.ordinal)),
    Rule("torn-elision", _plain(typography.elision)),
    Rule("torn-capital", typography.capital, needs_lexicon=True),
    Rule("spaces", _plain(typography.spaces)),
)

#: The rules that mend what lost line breaks did.
GLUE = frozenset(rule.name for rule in RULES if rule.name.startswith("glued-"))

_NOTHING = WordList({})


def repair(text: str, lexicon: Lexicon | None, *, hints: Sequence[str] = ()) -> Reading:
    """Return the repaired reading of a text: one block, or several on lines of their own.

    A text that is far longer than any article comes back as it is. `hints` are clean texts of the same page (title, lead, summaries, captions); they may hold the same words unbroken.
    """
    if len(text) > _LONGEST:
        return Reading(text)
    known = _NOTHING if lexicon is None else _with_page(lexicon, text, hints)
    rules = [rule for rule in RULES if lexicon is not None or not rule.needs_lexicon]
    reading = Reading(text)
    for _ in range(_ROUNDS):
        after = _round(reading, rules, known)
        if after.clean == reading.clean:
            return reading
        reading = after
    return Reading(text)


def _with_page(lexicon: Lexicon, text: str, hints: Sequence[str]) -> Lexicon:
    page = Corpus(lexicon, hints)
    page.learn_names(text)
    return page


def _round(reading: Reading, rules: Sequence[Rule], known: Lexicon) -> Reading:
    clean, edits = reading.clean, reading.repairs
    for rule in rules:
        found = rule.find(clean, known)
        edits = compose(edits, found)
        clean = apply(clean, found)
    return Reading(clean, edits)


def flags(reading: Reading) -> tuple[str, ...]:
    """Give the problem of a text that arrived broken, as `problems` lists it; nothing for one or two spots."""
    count = glue_count(reading)
    return (f"text: {count} spots where words run together, as after lost line breaks",) if count >= _BROKEN else ()


def glue_count(reading: Reading) -> int:
    """Count the spots where line breaks were lost: three and more, and the page arrived broken."""
    return sum(edit.rule in GLUE for edit in reading.repairs)
