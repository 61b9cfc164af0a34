"""A small French grammar for `Corpus`: the log odds (nats) against pairs of words that hardly ever stand side by side.

Boundary: closed lists of words and endings, written by hand, so that they also cover words that no learnt text
contains.
"""

from __future__ import annotations

from crawler.repair import words

_EXCLUDED = -4.0  # a pair that grammar excludes
_DISAGREES = -2.5  # singular beside plural

_SINGULAR = frozenset(
    "le la un une ce cet cette son sa mon ma ton ta notre votre leur chaque au du quel quelle".split()
)
_PLURAL = frozenset(
    "les des ces ses mes nos vos leurs aux plusieurs quelques deux trois quatre cinq six sept huit dix".split()
)
_DETERMINERS = (_SINGULAR | _PLURAL) - set("deux trois quatre cinq six sept huit dix".split())
#: Function words that may follow a determiner: `la plus`, `les deux`, `le même`, `un peu`.
_AFTER_DETERMINER = frozenset(
    """
    plus moins deux trois quatre cinq six sept huit dix même mêmes autre autres tout tous toute toutes peu dernier
    dernière mieux nôtre leur être avoir sein fait grâce très trop quel quels quelle quelles aussi bien tel telle tels
    telles premier première fois ici encore avant après dit contre comment pourquoi été avoirs pour
    """.split()
)
_PREPOSITIONS = frozenset(
    "à de dans sur pour par avec sans sous entre vers chez dès selon contre depuis pendant".split()
)
_NOT_AFTER_PREPOSITION = frozenset(
    "et ou a est sont ont ne que avait avaient était étaient sera seront aura auront soit il ils on je tu".split()
)
_SINGULAR_SUBJECT = frozenset("il elle on ce cela ça celui celle".split())
_PLURAL_SUBJECT = frozenset("ils elles ceux celles".split())
_SINGULAR_VERB = frozenset("a est avait était sera aura serait aurait doit peut va fait soit".split())
_PLURAL_VERB = frozenset(
    "ont sont avaient étaient seront auront seraient auraient doivent peuvent vont font soient".split()
)
_NOT_AFTER_NE = frozenset("un une des du au aux ce cet cette ces".split())


def bias(left: str, right: str) -> float:
    """Return a negative number (nats) if grammar makes `right` unlikely after `left`; 0.0 if no rule applies."""
    a, b = left.lower(), right.lower()
    if a in _DETERMINERS:
        return _after_determiner(a, b)
    if a in _PREPOSITIONS and b in _NOT_AFTER_PREPOSITION:
        return _EXCLUDED
    if (a in _SINGULAR_SUBJECT and b in _PLURAL_VERB) or (a in _PLURAL_SUBJECT and b in _SINGULAR_VERB):
        return _EXCLUDED
    if a in {"ne", "n'"} and b in _NOT_AFTER_NE:
        return _EXCLUDED
    return _agreement(a, b)


def _after_determiner(left: str, right: str) -> float:
    if right in words.FUNCTION:
        return 0.0 if right in _AFTER_DETERMINER else _EXCLUDED
    if not right[0].isalpha() or right.endswith("'"):
        return 0.0
    if left in _SINGULAR:
        return _DISAGREES if _looks_plural(right) else 0.0
    return 0.0 if right[-1] in "sxz" else _DISAGREES


def _agreement(left: str, right: str) -> float:
    """Return a negative number (nats) if a noun and the auxiliary after it do not agree in number, otherwise 0.0."""
    if left in words.FUNCTION or not left[0].isalpha() or left.endswith("'"):
        return 0.0
    if right in {"ont", "sont", "avaient", "étaient"}:
        return 0.0 if left[-1] in "sxz" else -1.0
    if right in {"a", "est", "avait", "était"}:
        return -1.0 if _looks_plural(left) else 0.0
    return 0.0


def _looks_plural(word: str) -> bool:
    return word not in words.INVARIANT and word[-1:] in {"s", "x"} and len(word) > 3
