"""The French lexicon for the repair of glued words, loaded on first use.

The word list takes little memory: the words are a MARISA trie and their frequencies a table of numbers of two bytes,
and both files are mapped into memory, so that all processes share them. `python -m benchmarks.word_list` makes the files
from the package wordfreq.

Boundary: reads the package's own data; the rules are in `crawler.repair`.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import marisa_trie

from crawler import repair, resources
from crawler.repair.lexicon import CachedLexicon, Corpus, WordList

_TEXTS = ("prose.txt", "phrases.txt")
_NUMBER = 2  # bytes, least significant first


class Frequencies(Mapping[str, float]):
    """The words of a list and their shares among all words of running text.

    A frequency is stored as a number of steps, each of which is 2.3 % smaller than the one before: `10 ** (-steps / 100)`.
    """

    def __init__(self, trie: Path, steps: Path) -> None:
        """Map the two files into memory."""
        self._trie = marisa_trie.Trie()
        self._trie.mmap(str(trie))
        with steps.open("rb") as file:
            self._steps = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, word: str) -> float:
        """Return the frequency of a word."""
        number = self._trie[word]
        steps = int.from_bytes(self._steps[number * _NUMBER : (number + 1) * _NUMBER], "little")
        return float(10 ** (-steps / 100))

    def __iter__(self) -> Iterator[str]:
        """Return an iterator over the words, which are in no particular order."""
        return iter(self._trie)

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self._trie)


def write(frequencies: Mapping[str, int], folder: Path) -> None:
    """Write the two files of a word list into `folder`; `frequencies` contains each word with its number of steps."""
    trie = marisa_trie.Trie(frequencies)
    trie.save(str(folder / "words.marisa"))
    in_order: Iterable[str] = (trie.restore_key(number) for number in range(len(trie)))
    (folder / "words.steps").write_bytes(b"".join(frequencies[word].to_bytes(_NUMBER, "little") for word in in_order))


@lru_cache(maxsize=1)
def load() -> CachedLexicon:
    """Return the lexicon."""
    folder = resources.lexicon()
    base = WordList(
        Frequencies(folder / "words.marisa", folder / "words.steps"),
        # 0.05 MB; a set of the words takes 1.3 MB
        marisa_trie.Trie((folder / "compounds.txt").read_text(encoding="utf-8").split()),
    )
    texts = ((folder / name).read_text(encoding="utf-8") for name in _TEXTS)
    return CachedLexicon(Corpus(base, texts, grammar=True))


def forget_words() -> None:
    """Empty the caches of what is known about the words of earlier texts, to free memory."""
    if load.cache_info().currsize:
        load().forget_frequencies()
    repair.forget_words()


@lru_cache(maxsize=1)
def digest() -> str:
    """Return the SHA-256 of the lexicon as a hex string: two programs with the same lexicon repair words alike."""
    engine = hashlib.sha256()
    for path in sorted(resources.lexicon().glob("*.*")):
        engine.update(path.name.encode() + path.read_bytes())
    return engine.hexdigest()
