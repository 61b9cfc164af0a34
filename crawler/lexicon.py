"""The French lexicon for the repair of glued words, loaded on first use.

Boundary: reads the optional package `wordfreq` and the project's own texts; the rules are in `crawler.repair`. Without
this package there is no lexicon, and the caller reports that glued words are not repaired.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from crawler.repair.lexicon import Corpus, Lexicon, WordList

_DATA = ("prose.txt", "phrases.txt")


@lru_cache(maxsize=1)
def load() -> Lexicon | None:
    """Return the lexicon, or None if the package `wordfreq` (optional dependency `[repair]`) is not installed."""
    try:
        from wordfreq import get_frequency_dict  # noqa: PLC0415 - slow, and optional
    except ImportError:
        return None
    base = WordList(get_frequency_dict("fr", wordlist="large"), _read("compounds.txt").split())
    return Corpus(base, (_read(name) for name in _DATA), grammar=True)


def _read(name: str) -> str:
    return resources.files("crawler.repair").joinpath("data", name).read_text(encoding="utf-8")
