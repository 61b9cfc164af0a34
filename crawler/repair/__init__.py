"""Repair texts that lost spaces or line breaks before the site published them; the verbatim text never changes.

Each rule is a small named function that returns the edits for a text. The rules run in a fixed order, and the whole
sequence is repeated until no rule finds anything, so repairing a repaired text changes nothing. The last repetition takes
the evidence of the page from the repaired text.

Boundary: pure. Text in, repaired text and edits out; no I/O, no clock, no randomness. The caller passes the knowledge
of the language as a `Lexicon`; without a lexicon, only the rules that do not need one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crawler.repair import glue, typography
from crawler.repair.edits import apply, compose
from crawler.repair.lexicon import CachedLexicon, Corpus, Lexicon, PageLexicon, WordList
from crawler.types import Reading, Repair

__all__ = [
    "GLUE",
    "RULES",
    "CachedLexicon",
    "Corpus",
    "Lexicon",
    "PageLexicon",
    "Rule",
    "WordList",
    "apply",
    "flags",
    "forget_words",
    "glue_count",
    "repair",
]

#: Characters. Several times the longest known article; the time for an unusual text can grow with its square.
_LONGEST = 60_000
_BROKEN_PAGE = 3  # glued spots from which on a page is listed as broken
_MAX_ROUNDS = 40  # a text settles in two or three rounds; one that never settles is returned unchanged


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule. Its function `find` returns the edits for a text, in order of position and without overlap."""

    name: str
    find: Callable[[str, PageLexicon], list[Repair]]
    needs_lexicon: bool = False


def _without_lexicon(find: Callable[[str], list[Repair]]) -> Callable[[str, PageLexicon], list[Repair]]:
    return lambda text, _: find(text)


#: In order. Words come before signs, because the position of a lost line break is measured in the text as published.
RULES: tuple[Rule, ...] = (
    Rule("nfc", _without_lexicon(typography.nfc)),
    Rule("glued-words", glue.find, needs_lexicon=True),
    Rule("glued-sentence", _without_lexicon(typography.sentence)),
    Rule("glued-comma", _without_lexicon(typography.comma)),
    Rule("glued-bracket", _without_lexicon(typography.bracket)),
    Rule("glued-quote", _without_lexicon(typography.quote)),
    Rule("glued-colon", _without_lexicon(typography.colon)),
    Rule("glued-signature", _without_lexicon(typography.signature)),
    Rule("glued-country", _without_lexicon(typography.country)),
    Rule("glued-figure", _without_lexicon(typography.figure)),
    Rule("torn-signature", _without_lexicon(typography.agency)),
    Rule("torn-ordinal", _without_lexicon(typography.ordinal)),
    Rule("torn-elision", _without_lexicon(typography.elision)),
    Rule("torn-hyphen", _without_lexicon(typography.hyphen)),
    Rule("torn-capital", typography.capital, needs_lexicon=True),
    Rule("spaces", _without_lexicon(typography.spaces)),
)

#: The rules that repair the effects of lost line breaks.
GLUE = frozenset(rule.name for rule in RULES if rule.name.startswith("glued-"))

_NO_WORDS = WordList({})


def forget_words() -> None:
    """Empty the caches of what is known about the words of earlier texts, to free memory."""
    glue.forget()


def repair(text: str, lexicon: Lexicon | None, *, hints: Sequence[str] = ()) -> Reading:
    """Return the repaired text and the edits that produce it from `text`. Each line of `text` is one block.

    `hints` are other texts of the same page (title, lead, summaries, captions). They have no glued words, so they
    may show where the spaces belong in words that are glued in `text`. A text far longer than any article is returned
    unchanged.
    """
    if len(text) > _LONGEST:
        return Reading(text)
    base = _NO_WORDS if lexicon is None else lexicon
    rules = [rule for rule in RULES if lexicon is not None or not rule.needs_lexicon]
    reading, page, shown = Reading(text), PageLexicon(base, text, hints), text
    for _ in range(_MAX_ROUNDS):
        after = _round(reading, rules, page)
        if after.clean != reading.clean:
            reading = after
        elif reading.clean == shown or lexicon is None:
            return reading
        else:  # the repaired text may show more words side by side, such as two parts of a name
            shown, page = reading.clean, PageLexicon(base, reading.clean, hints)
    return Reading(text)


def _round(reading: Reading, rules: Sequence[Rule], page: PageLexicon) -> Reading:
    clean, edits = reading.clean, reading.repairs
    for rule in rules:
        if found := rule.find(clean, page):
            edits = compose(edits, found)
            clean = apply(clean, found)
    return Reading(clean, edits)


def flags(reading: Reading) -> tuple[str, ...]:
    """Return a text for the article's `problems` if at least three edits repair lost line breaks; otherwise nothing."""
    count = glue_count(reading)
    if count < _BROKEN_PAGE:
        return ()
    # Do not reword: archives store this text in `problems`, and an article must not list the same problem twice.
    return (f"text: {count} spots where words run together, as after lost line breaks",)


def glue_count(reading: Reading) -> int:
    """Return how many edits in `reading` come from the rules against lost line breaks (`GLUE`)."""
    return sum(edit.rule in GLUE for edit in reading.repairs)
