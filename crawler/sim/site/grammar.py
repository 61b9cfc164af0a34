"""A small template language that makes French sentences from word lists.

In a file of word lists (`data/words.txt`), the line `[name]` starts a plain list. The line `[name: a b c]` starts a
list of records with the fields `a`, `b` and `c`, separated by `|`. Templates use the lists as follows:

- `{place}`                  a random entry of the list `place`; within one text, always the same entry.
- `{country.of}`             the field `of` of the entry of the list `country`.
- `{place2}`                 a second entry of the same list.
- `{place+}`                 a new entry each time.
- `{place^}`                 the entry with a capital first letter.
- `{#10-99}`, `{#1.5-9.9}`   a random number in French format (`1.568`, `4,6`; years without a dot).
- `{#a=10-99}`, `{#a}`       a random number with the name `a`, and the same number again.
- `<one|two|three>`          one of the alternatives.
- `~`                        a no-break space.

Boundary: text in, text out; knows nothing of stories or of the site. The caller passes the random generator.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

NBSP = "\u00a0"
_TOKEN = re.compile(r"<([^<>]*)>|\{([^{}]*)\}")
_SLOT = re.compile(r"(?P<list>[a-z_]+)(?P<which>\d*)(?:\.(?P<field>\w+))?(?P<flags>[+^]*)")
_NUMBER = re.compile(r"#(?:(?P<name>[a-z]+))?=?(?:(?P<low>[\d.]+)-(?P<high>[\d.]+))?")
_ELISION = re.compile(r"\b([Dd])e (?=[AEIOUÉÔ])")  # for names; the templates elide other words themselves
_HEADING = re.compile(r"\[(\w+)(?:: ([\w ]+))?\]")

Fields = Mapping[str, str]
WordLists = Mapping[str, tuple[Fields, ...]]


class TemplateFiller:
    """Fills in the templates of one text, so that a slot such as `{place}` gets the same entry in all of them."""

    def __init__(self, rng: random.Random, words: WordLists) -> None:
        self._rng = rng
        self._words = words
        self._entries: dict[str, Fields] = {}
        self._numbers: dict[str, str] = {}

    def fill(self, template: str) -> str:
        """Return the text of a template, with its slots filled in and its alternatives chosen."""
        previous = None
        text = template
        while text != previous:  # an entry or an alternative may contain slots
            previous = text
            text = _TOKEN.sub(self._token, text)
        return _ELISION.sub(r"\1'", text).replace("~", NBSP)

    def _token(self, match: re.Match[str]) -> str:
        if match[1] is not None:
            return str(self._rng.choice(match[1].split("|")))
        return self._number(match[2]) if match[2].startswith("#") else self._slot(match[2])

    def _slot(self, slot: str) -> str:
        match = _SLOT.fullmatch(slot)
        if match is None:
            raise ValueError(f"invalid slot in template: {slot!r}")
        entry = self._entry(match["list"], match["which"], fresh="+" in match["flags"])
        value = entry[match["field"] or "="]
        return value[:1].upper() + value[1:] if "^" in match["flags"] else value

    def _entry(self, name: str, which: str, *, fresh: bool) -> Fields:
        key = name + which
        if fresh or key not in self._entries:
            used = [e for k, e in self._entries.items() if k.rstrip("0123456789") == name]
            picked = self._pick(name, used)
            self._entries[key] = {field: self.fill(value) for field, value in picked.items()}
        return self._entries[key]

    def _pick(self, name: str, used: list[Fields]) -> Fields:
        entries = self._words[name]
        for _ in range(8):  # two entries of a list should differ within a text, but a short list may run out
            entry = self._rng.choice(entries)
            if entry not in used:
                break
        return entry

    def _number(self, slot: str) -> str:
        match = _NUMBER.fullmatch(slot)
        if match is None:
            raise ValueError(f"invalid number slot in template: {slot!r}")
        name = match["name"]
        if name in self._numbers:
            return self._numbers[name]
        value = _french_number(self._rng, match["low"], match["high"])
        if name:
            self._numbers[name] = value
        return value


def _french_number(rng: random.Random, low: str, high: str) -> str:
    if "." not in low:
        number = rng.randint(int(low), int(high))
        return str(number) if _is_year(low, high) else f"{number:,}".replace(",", ".")
    digits = len(low.partition(".")[2])
    return f"{rng.uniform(float(low), float(high)):,.{digits}f}".translate(str.maketrans(",.", ".,"))


def _is_year(low: str, high: str) -> bool:
    return low > "1900" and high < "2100" and len(low) == len(high) == 4


@cache
def word_lists(file: str = "words.txt") -> WordLists:
    """Return the word lists of a data file, by name."""
    lists: dict[str, tuple[Fields, ...]] = {}
    name, fields = "", ("=",)
    for line in lines(file):
        if heading := _HEADING.fullmatch(line):
            name, fields = heading[1], tuple((heading[2] or "=").split())
            lists[name] = ()
        else:
            lists[name] += (_record(fields, line),)
    return lists


def lines(file: str) -> list[str]:
    """Return the lines of a data file, except blank lines and comments."""
    text = (files("crawler.sim.site") / "data" / file).read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _record(fields: tuple[str, ...], line: str) -> Fields:
    if fields == ("=",):
        return {"=": line}
    entry = dict(zip(fields, (part.strip() for part in line.split("|")), strict=True))
    return {"=": entry[fields[0]], **entry}
