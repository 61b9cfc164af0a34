"""What is wrong with a response of a source that could be read nevertheless.

Boundary: values only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

_SHOWN = 60  # characters of an example in a message


class ProblemKind(StrEnum):
    """The kinds of problems of a source. The value is for code; `description` is for people."""

    CUT_OFF = "cut-off"
    BAD_GZIP = "bad-gzip"
    TOO_LARGE = "too-large"
    TEXT_BEFORE = "text-before"
    TEXT_AFTER = "text-after"
    SEVERAL_ROOTS = "several-roots"
    NESTED_ROOTS = "nested-roots"
    MIXED_ENTRIES = "mixed-entries"
    BAD_TAGS = "bad-tags"
    UPPER_CASE = "upper-case"
    NO_NAMESPACE = "no-namespace"
    UNBOUND_PREFIX = "unbound-prefix"
    ENTITIES = "entities"
    AMPERSANDS = "ampersands"
    CONTROL_CHARACTERS = "control-characters"
    ENCODING = "encoding"
    LOST_CHARACTERS = "lost-characters"
    FAULTY_JSON = "faulty-json"
    NO_LINK = "no-link"
    NO_ARTICLES = "no-articles"
    DATES = "dates"
    MORE_SOURCES = "more-sources"
    MORE_ARTICLES = "more-articles"

    @property
    def description(self) -> str:
        """The problem as a phrase for messages."""
        return _DESCRIPTIONS[self]

    @property
    def loses_entries(self) -> bool:
        """Whether entries are missing because of the problem."""
        return self in _LOSSES

    @property
    def may_hide_entries(self) -> bool:
        """Whether entries may be missing because of the problem, so that a response without entries is unreadable."""
        return self not in _HARMLESS


_DESCRIPTIONS = {
    ProblemKind.CUT_OFF: "it is cut off",
    ProblemKind.BAD_GZIP: "its gzip data is damaged or incomplete",
    ProblemKind.TOO_LARGE: "it is too large to be read to its end",
    ProblemKind.TEXT_BEFORE: "it has other content before the data",
    ProblemKind.TEXT_AFTER: "it has other content after the data",
    ProblemKind.SEVERAL_ROOTS: "it has several root elements",
    ProblemKind.NESTED_ROOTS: "it has root elements inside each other",
    ProblemKind.MIXED_ENTRIES: "it lists both articles and sitemaps",
    ProblemKind.BAD_TAGS: "its tags do not match",
    ProblemKind.UPPER_CASE: "its tags are in upper case",
    ProblemKind.NO_NAMESPACE: "it declares no namespace",
    ProblemKind.UNBOUND_PREFIX: "it uses a prefix without a namespace",
    ProblemKind.ENTITIES: "it declares or uses entities, which are not expanded",
    ProblemKind.AMPERSANDS: "it has unescaped ampersands",
    ProblemKind.CONTROL_CHARACTERS: "it has control characters",
    ProblemKind.ENCODING: "its encoding is not the declared one",
    ProblemKind.LOST_CHARACTERS: "it has bytes or characters that are not text, read as U+FFFD",
    ProblemKind.FAULTY_JSON: "its JSON is faulty",
    ProblemKind.NO_LINK: "entries without a usable link",
    ProblemKind.NO_ARTICLES: "no entry links to an article of this site",
    ProblemKind.DATES: "doubtful dates",
    ProblemKind.MORE_SOURCES: "sections and feeds that are not added, because there are too many",
    ProblemKind.MORE_ARTICLES: "articles that are not used, because there are too many",
}
_LOSSES = frozenset(
    {
        ProblemKind.CUT_OFF,
        ProblemKind.BAD_GZIP,
        ProblemKind.TOO_LARGE,
        ProblemKind.NO_LINK,
        ProblemKind.MORE_ARTICLES,
    }
)
_HARMLESS = frozenset(
    {
        ProblemKind.NO_NAMESPACE,
        ProblemKind.UPPER_CASE,
        ProblemKind.TEXT_AFTER,
        ProblemKind.NO_LINK,
        ProblemKind.NO_ARTICLES,
        ProblemKind.DATES,
        ProblemKind.MORE_SOURCES,
        ProblemKind.MORE_ARTICLES,
    }
)
# Problems of what a file says, not of the file.
_OF_CONTENT = _HARMLESS - {ProblemKind.NO_NAMESPACE, ProblemKind.UPPER_CASE, ProblemKind.TEXT_AFTER}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: its kind, how often it occurs (0 if that is not counted), and an example, empty if there is none."""

    kind: ProblemKind
    count: int = 0
    example: str = ""

    def __str__(self) -> str:
        """Return the problem as a phrase, such as `entries without a usable link: 2 (first: 'Le riz')`."""
        number = f": {self.count}" if self.count else ""
        example = f" (first: {self.example[:_SHOWN]!r})" if self.example else ""
        return f"{self.kind.description}{number}{example}"


@dataclass(slots=True)
class Problems:
    """The problems found so far in one response, each kind once."""

    _found: dict[ProblemKind, Problem] = field(default_factory=dict)

    def add(self, kind: ProblemKind, example: str = "") -> None:
        """Add a problem that is not counted; the first example is kept."""
        self._found.setdefault(kind, Problem(kind, 0, example))

    def count(self, kind: ProblemKind, example: str = "") -> None:
        """Count one occurrence of a problem; the first example that is not empty is kept."""
        known = self._found.get(kind, Problem(kind))
        self._found[kind] = Problem(kind, known.count + 1, known.example or example)

    @property
    def found(self) -> tuple[Problem, ...]:
        """The problems in the order in which they were found."""
        return tuple(self._found.values())

    @property
    def may_hide_entries(self) -> bool:
        """Whether entries may be missing because of one of the problems."""
        return any(kind.may_hide_entries for kind in self._found)


def summary(problems: Iterable[Problem]) -> str | None:
    """Return one sentence about `problems` for the row of a source; None if there are no problems."""
    found = list(problems)
    if not found:
        return None
    what = "the file is damaged" if any(p.kind not in _OF_CONTENT for p in found) else "not all of it can be used"
    return f"{what}: {'; '.join(map(str, found))}"
