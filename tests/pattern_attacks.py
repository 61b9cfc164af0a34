"""Collect all regular expressions of the package, and make texts on which a backtracking matcher is slow.

The texts are made from the parts of a pattern: each character and each group that it can match, and whole matches,
repeated, after what the pattern begins with, and before a character that ends the match.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._constants as sre
import re._parser as parser
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path

import crawler

_CATEGORIES = {
    sre.CATEGORY_DIGIT: "1", sre.CATEGORY_NOT_DIGIT: "a", sre.CATEGORY_SPACE: " ", sre.CATEGORY_NOT_SPACE: "a",
    sre.CATEGORY_WORD: "a", sre.CATEGORY_NOT_WORD: "!",
}  # fmt: skip
_CANDIDATES = "a1 !A<>é\n\"'=/-.,:&;([\tz_\0"
_UNITS = 40


def patterns() -> dict[str, re.Pattern]:
    """Return all compiled patterns of the package by the name that holds them; the simulation reads only its own texts."""
    found: dict[str, re.Pattern] = {}
    for module in pkgutil.walk_packages(crawler.__path__, "crawler."):
        if module.name.endswith("__main__") or ".sim" in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for number, pattern in enumerate(_inside(value)):
                found.setdefault(
                    f"{module.name.removeprefix('crawler.')}.{name}{f'[{number}]' if number else ''}", pattern
                )
    return {name: pattern for name, pattern in found.items() if not name.startswith("sim.")}


def _inside(value: object, depth: int = 0) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4:
        if isinstance(value, dict):
            value = (*value, *value.values())
        elif is_dataclass(value) and not isinstance(value, type):
            value = [getattr(value, field.name, None) for field in fields(value)]
        if isinstance(value, tuple | list | set | frozenset):
            for item in value:
                yield from _inside(item, depth + 1)


def only_anchored(name: str, pattern: re.Pattern) -> bool:
    """Whether the module uses a pattern only at one position of a text (`match`, `fullmatch`), not to search it."""
    parts = name.partition("[")[0].split(".")
    module = importlib.import_module(".".join(["crawler", *parts[:-1]]))
    source = Path(module.__file__).read_text("utf-8")
    used = set(re.findall(rf"\b{re.escape(parts[-1])}\.(\w+)", source)) - {"pattern"}
    return bool(used) and used <= {"match", "fullmatch"}


def attacks(pattern: re.Pattern, size: int) -> Iterator[str]:
    """Yield attack texts of about `size` characters."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    whole = _sample(tree)
    units = dict.fromkeys([*_parts(tree), *(whole[:end] for end in (2, 3, 5)), whole, whole[:-1], whole[1:]])
    starts = dict.fromkeys(["", *(whole[:end] for end in (1, 4))])
    for unit in islice((u for u in units if u), _UNITS):
        for start in starts:
            for end in ("", "\0"):
                yield start + unit * (size // len(unit)) + end


def _parts(tree) -> Iterator[str]:
    """Yield a sample of each part of a pattern."""
    for operation, argument in tree:
        sample = _sample([(operation, argument)])
        yield sample
        for inner in _subtrees(operation, argument):
            yield _sample(inner)
            yield from _parts(inner)


def _subtrees(operation, argument):
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [argument[2]]
    if operation is sre.SUBPATTERN:
        return [argument[-1]]
    if operation is sre.ATOMIC_GROUP:
        return [argument]
    if operation is sre.BRANCH:
        return argument[1]
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    return []


def _sample(tree) -> str:
    """Return a text that a pattern matches, or nearly."""
    out = ""
    for operation, argument in tree:
        if operation is sre.LITERAL:
            out += chr(argument)
        elif operation is sre.NOT_LITERAL:
            out += "a" if argument != ord("a") else "b"
        elif operation is sre.ANY:
            out += "x"
        elif operation is sre.IN:
            out += _member(argument)
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            out += _sample(argument[2]) * min(max(argument[0], 1), 4)
        elif operation is sre.BRANCH:
            out += _sample(argument[1][0])
        elif operation in (sre.SUBPATTERN, sre.ATOMIC_GROUP, sre.ASSERT):
            out += _sample(_subtrees(operation, argument)[0])
    return out


def _member(items) -> str:
    """Return a character of a class."""
    negated = items[0][0] is sre.NEGATE
    if not negated:
        operation, argument = items[0]
        if operation is sre.LITERAL:
            return chr(argument)
        return chr(argument[0]) if operation is sre.RANGE else _CATEGORIES.get(argument, "a")
    source = "".join(_source(item) for item in items[1:])
    return next((c for c in _CANDIDATES if re.fullmatch(f"[^{source}]", c)), "a")


def _source(item) -> str:
    operation, argument = item
    if operation is sre.LITERAL:
        return re.escape(chr(argument))
    if operation is sre.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return {
        sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_NOT_SPACE: r"\S",
        sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
    }[argument]  # fmt: skip


def seconds(pattern: re.Pattern, text: str, *, anchored: bool) -> float:
    """Return the CPU time of applying a pattern to a text as the package does."""
    subject = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
    start = time.thread_time()
    if anchored:
        pattern.match(subject)
        pattern.fullmatch(subject)
    else:
        for _ in pattern.finditer(subject):
            pass
    return time.thread_time() - start


def growth(
    pattern: re.Pattern, *, anchored: bool, small: int, large: int, worth: float, most: float
) -> tuple[float, str]:
    """Return the largest factor by which the time grows from `small` to `large` texts, and the beginning of that text.

    Times below `worth` seconds do not count. The search ends at the first factor above `most`.
    """
    worst, shown = 0.0, ""
    for short, long in zip(attacks(pattern, small), attacks(pattern, large), strict=True):
        first = seconds(pattern, short, anchored=anchored)
        if first * (large / small) ** 2 < worth:
            continue
        for _ in range(3):  # a busy machine may slow down one measurement, but not each of three
            factor = seconds(pattern, long, anchored=anchored) / max(seconds(pattern, short, anchored=anchored), 1e-6)
            if factor <= most:
                break
        if factor > worst:
            worst, shown = factor, long[:30]
        if worst > most:
            break
    return worst, shown
