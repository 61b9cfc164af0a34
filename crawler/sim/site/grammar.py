"""A small grammar that makes French sentences out of word lists and templates.

Boundary: text in, text out; knows nothing of stories or of the site. All chance comes from the caller's generator.

Word lists (`data/words.txt`): `[name]` heads a plain list, `[name: a b c]` a list of records whose fields are
divided by `|`. Templates take from them:

- `{place}`, `{country.of}`  an entry or a field of it; the same one throughout one text. `{place2}` is another entry.
- `{place+}`                 an entry picked anew each time.
- `{place^}`                 with a capital first letter.
- `{#10-99}`, `{#1.5-9.9}`   a number, French style (`1.568`, `4,6`; years plain); `{#a=10-99}` names it, `{#a}` says it again.
- `<one|two|three>`          one of the wordings.
- `~`                        a no-break space.
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
_ELISION = re.compile(r"\b([Dd])e (?=[AEIOUÉÔ])")  # names only; the others are written elided
_HEADING = re.compile(r"\[(\w+)(?:: ([\w ]+))?\]")

Entry = Mapping[str, str]
Words = Mapping[str, tuple[Entry, ...]]


class Text:
    """One text under way: it remembers which entries and numbers it has used."""

    def __init__(self, rng: random.Random, words: Words) -> None:
        self._rng = rng
        self._words = words
        self._entries: dict[str, Entry] = {}
        self._numbers: dict[str, str] = {}

    def write(self, template: str) -> str:
        """Fill one template in."""
        previous = None
        text = template
        while text != previous:  # an entry or a wording may hold slots of its own
            previous = text
            text = _TOKEN.sub(self._token, text)
        return _ELISION.sub(r"\1'", text).replace("~", NBSP)

    def bind(self, name: str, **fields: str) -> None:
        """Settle an entry beforehand."""
        self._entries[name] = fields

    def _token(self, match: re.Match[str]) -> str:
        if match[1] is not None:
            return str(self._rng.choice(match[1].split("|")))
        return self._number(match[2]) if match[2].startswith("#") else self._slot(match[2])

    def _slot(self, slot: str) -> str:
        match = _SLOT.fullmatch(slot)
        if match is None:
            raise ValueError(f"not a slot: {slot!r}")
        entry = self._entry(match["list"], match["which"], fresh="+" in match["flags"])
        value = entry[match["field"] or "="]
        return value[:1].upper() + value[1:] if "^" in match["flags"] else value

    def _entry(self, name: str, which: str, *, fresh: bool) -> Entry:
        key = name + which
        if fresh or key not in self._entries:
            used = [e for k, e in self._entries.items() if k.rstrip("0123456789") == name]
            picked = self._pick(name, used)
            self._entries[key] = {field: self.write(value) for field, value in picked.items()}
        return self._entries[key]

    def _pick(self, name: str, used: list[Entry]) -> Entry:
        entries = self._words[name]
        for _ in range(8):  # two of a kind in one text should differ; a short list may run out
            entry = self._rng.choice(entries)
            if entry not in used:
                break
        return entry

    def _number(self, slot: str) -> str:
        match = _NUMBER.fullmatch(slot)
        if match is None:
            raise ValueError(f"not a number: {slot!r}")
        name = match["name"]
        if name in self._numbers:
            return self._numbers[name]
        value = _french(self._rng, match["low"], match["high"])
        if name:
            self._numbers[name] = value
        return value


def _french(rng: random.Random, low: str, high: str) -> str:
    if "." not in low:
        number = rng.randint(int(low), int(high))
        return str(number) if _is_year(low, high) else f"{number:,}".replace(",", ".")
    digits = len(low.partition(".")[2])
    return f"{rng.uniform(float(low), float(high)):,.{digits}f}".translate(str.maketrans(",.", ".,"))


def _is_year(low: str, high: str) -> bool:
    return low > "1900" and high < "2100" and len(low) == len(high) == 4


@cache
def words(file: str = "words.txt") -> Words:
    """Read the word lists."""
    lists: dict[str, tuple[Entry, ...]] = {}
    name, fields = "", ("=",)
    for line in lines(file):
        if heading := _HEADING.fullmatch(line):
            name, fields = heading[1], tuple((heading[2] or "=").split())
            lists[name] = ()
        else:
            lists[name] += (_entry(fields, line),)
    return lists


def lines(file: str) -> list[str]:
    """Read a data file: no blank lines, no comments."""
    text = (files("crawler.sim.site") / "data" / file).read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _entry(fields: tuple[str, ...], line: str) -> Entry:
    if fields == ("=",):
        return {"=": line}
    entry = dict(zip(fields, (part.strip() for part in line.split("|")), strict=True))
    return {"=": entry[fields[0]], **entry}
