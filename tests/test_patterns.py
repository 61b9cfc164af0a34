"""Regular expressions are linear: no pattern of the package takes quadratic time on any attack text."""

from __future__ import annotations

import re

import pytest
from pattern_attacks import growth, only_anchored, patterns

PATTERNS = patterns()
#: Patterns that the package applies at one position only, by another name, or to texts of a limited length.
ANCHORED = {
    "parse.decode._UTF_16": "the start of a page",
    "parse.decode._UTF_16[1]": "the start of a page",
    "parse.syntax.SVG_TEXT": "after a tag inside SVG, once for each element",
    "repair.shapes.ROMAN": "one word",
}
LIMITED = {
    "parse.syntax.ATTRIBUTES": "the attributes of one tag, which consist of matches",
    "parse.time_text._ISO": "at most 300 characters",
    "parse.time_text._ISO_BASIC": "at most 300 characters",
}
SMALL, LARGE = 400, 4_000  # characters; the time of a quadratic pattern grows 100 times
MOST = 40  # times; a linear one grows 10 times, and a busy machine may double a time


def factor(pattern, *, anchored):
    return growth(pattern, anchored=anchored, small=SMALL, large=LARGE, worth=0.004, most=MOST)


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - LIMITED))
def test_a_pattern_takes_linear_time(name):
    anchored = name in ANCHORED or only_anchored(name, PATTERNS[name])
    found, text = factor(PATTERNS[name], anchored=anchored)
    assert found < MOST, f"{name}: {LARGE // SMALL} times the text takes {found:.0f} times as long: {text!r}..."


def test_the_exceptions_exist():
    assert (ANCHORED | LIMITED).keys() <= PATTERNS.keys()
    assert len(PATTERNS) > 150


@pytest.mark.parametrize(
    "pattern", [r"\s*,", r"<a\b[^>]*\bhref=", r"[ \t]*[\r\n]+", r"(\w+)@", rb"(?:%20|\s)+$", r"=(?!.*-b)"]
)
def test_the_attacks_find_patterns_that_are_quadratic_in_a_search(pattern):
    assert factor(re.compile(pattern), anchored=False)[0] > MOST


def test_the_attacks_find_patterns_that_are_quadratic_at_one_position():
    assert factor(re.compile(r"\s*x?\s*y"), anchored=True)[0] > MOST
