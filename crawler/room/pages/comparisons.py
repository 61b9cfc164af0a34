"""Comparisons of revisions for one page, which together take a limited time.

Boundary: values in, values out; `crawler.changes` compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from crawler import marks
from crawler.changes import ChangedPassage, Kind, changed_passages, changes_between, field_texts, kinds_of
from crawler.changes.kinds import Frequency
from crawler.types import Article

_LONGEST = 150_000  # characters of two revisions together; the time grows with the square: about 1 s
_MOST = 400_000  # characters of all comparisons of a page: 0.2 s; two revisions of an article usually have 8,000


@dataclass(frozen=True)
class RevisionComparison:
    """What changed between two revisions: the kinds and the passages; neither if they were not compared."""

    kinds: tuple[Kind, ...]
    passages: tuple[ChangedPassage, ...]
    is_complete: bool = True


@dataclass
class Comparisons:
    """The comparisons of one page. `frequency` tells how frequent a word is."""

    frequency: Frequency
    _left: int = field(default_factory=lambda: _MOST)

    @property
    def is_spent(self) -> bool:
        """Whether no further comparison is made."""
        return self._left <= 0

    def between(self, old: Article, new: Article, around: int, longest: int) -> RevisionComparison:
        """Return what changed; passages are cut as by `marks.shortened`."""
        length = sum(len(text) for article in (old, new) for text in field_texts(article).values())
        if length > _LONGEST or self.is_spent:
            return RevisionComparison((), (), is_complete=False)
        self._left -= length
        changes = changes_between(old, new, self.frequency)
        return RevisionComparison(
            kinds_of(changes),
            tuple(
                replace(one, pieces=marks.shortened(one.pieces, around, longest))
                for one in changed_passages(changes, old, new)
            ),
        )
