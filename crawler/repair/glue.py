"""Words run together where a line break was lost: every spot weighed by its words, its place, and its block.

Boundary: reads one text and a lexicon, returns edits; what the words say is `score`, what the places say is `wrap`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crawler.repair import score, shapes, words, wrap
from crawler.repair.lexicon import Lexicon
from crawler.types import Repair

RULE = "glued-words"
SURE = 0.84  # of the probability that a space is missing there; below, the text stays as it is
_WORTH = -7.0  # log odds below which a place is not worth weighing
_HOPE = 0.0  # a block without one place above this has nothing to repair
_LONGEST = 3000  # characters weighed at once; a longer block is cut
_HIDDEN_GAP = 0.004  # the chance that a break left its space behind
_HIDDEN_HYPHEN = 0.5  # the chance that a line ended at a hyphen, where a lost break leaves no trace

#: What makes a chunk an address, a host or file name, a handle, an entity: no rule may touch it.
_ADDRESS = re.compile(r"@|://|www\.|\w\.(?:vn|com|org|net|fr|info|asia|gov|edu)\b|[#_\\]|&\w+;", re.IGNORECASE)
#: Signs after which a small or capital letter shows a missing space; digits against words are the same.
_SIGN_BREAK = re.compile(
    r"(?<=[^\W\d_][,;.!?])(?=[^\W\d_])|(?<=[^\W\d_]{2})(?=\()|(?<=[\w)»\"”][.])(?=[A-ZÀ-Þ])|(?<=[)»”])(?=[^\W\d_])|(?<=[^\W\d_])(?=[«“])"
)
_CHUNK = re.compile(r"[\w’']+(?:[.,]\d+)*")
_WORD_END = re.compile(r"\s|$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text that is weighed by itself."""

    start: int
    text: str


def find(text: str, lexicon: Lexicon) -> list[Repair]:
    """Return the missing spaces of a text that we are sure of."""
    pieces = list(_pieces(text))
    scored = [_splits(piece.text, lexicon) for piece in pieces]
    if not any(s.odds > _HOPE for found in scored for s in found):
        return []
    sheets = [_sheet(p.text, found) for p, found in zip(pieces, scored, strict=True)]
    chances = wrap.posteriors(sheets)
    judged = zip(pieces, sheets, chances, strict=True)
    return [edit for piece, sheet, chance in judged for edit in _edits(piece, sheet, chance)]


def _pieces(text: str) -> Iterator[Piece]:
    for match in re.finditer(r"[^\n]+", text):
        start, end = match.span()
        while end - start > _LONGEST:
            cut = text.rfind(" ", start, start + _LONGEST)
            cut = cut if cut > start else start + _LONGEST
            yield Piece(start, text[start:cut])
            start = cut
        yield Piece(start, text[start:end])


def _splits(text: str, lexicon: Lexicon) -> list[score.Split]:
    found = [s for run in runs(text) for s in score.splits(run, lexicon)]
    found += _figures(text, lexicon)
    return sorted((s for s in found if s.odds > _WORTH), key=lambda s: s.offset)


def _figures(text: str, lexicon: Lexicon) -> Iterator[score.Split]:
    """Yield the places where a figure and a word touch."""
    closed = protected(text)
    for one, two in pairwise(words.TOKEN.finditer(text)):
        if one.end() != two.start() or any(a <= one.start() < b for a, b in closed):
            continue
        if one[0][0].isdigit():
            yield score.Split(two.start(), shapes.before_word(one[0], two[0].replace("’", "'"), lexicon), two.start())
        elif two[0][0].isdigit():
            yield score.Split(two.start(), shapes.after_word(one[0], two[0], lexicon), two.start())


def protected(text: str) -> list[tuple[int, int]]:
    """Return the spans of addresses and the like."""
    return [m.span() for m in re.finditer(r"\S+", text) if _ADDRESS.search(m[0])]


def runs(text: str) -> Iterator[score.Run]:
    """Yield the runs of letters of a text with their neighbours, protected chunks left out."""
    closed = protected(text)
    found = [(m.start(), m[0].replace("’", "'")) for m in words.TOKEN.finditer(text)]
    for i, (start, token) in enumerate(found):
        if len(token) < 2 or not token[0].isalpha() or any(a <= start < b for a, b in closed):
            continue
        left = found[i - 1][1] if i else "\n"
        right = found[i + 1][1] if i + 1 < len(found) else "\n"
        figure = left[0].isdigit() and not text[start - 1].isspace()
        yield score.Run(start, token, left, right, figure)


def _sheet(text: str, splits: Sequence[score.Split]) -> wrap.Sheet:
    spots = [wrap.Spot(s.offset, _next_end(text, s.offset), s.odds, run=s.run) for s in splits]
    taken = {s.offset for s in splits}
    signs = [m.start() for m in _SIGN_BREAK.finditer(text) if m.start() not in taken]
    spots += [wrap.Spot(at, _next_end(text, at), 0.0, 3.0) for at in signs]
    spots += [wrap.Spot(m.start(), _next_end(text, m.end()), 0.0, _HIDDEN_GAP) for m in re.finditer(r"\s+", text)]
    hyphens = [m.end() for m in re.finditer(r"(?<=[^\W_])[-–](?=[^\W_])", text)]
    spots += [wrap.Spot(at, _next_end(text, at), 0.0, _HIDDEN_HYPHEN) for at in hyphens]
    return wrap.Sheet(len(text), tuple(sorted(spots, key=lambda s: s.offset)))


def _next_end(text: str, offset: int) -> int:
    match = _WORD_END.search(text, offset)
    return match.start() if match else len(text)


def _edits(piece: Piece, sheet: wrap.Sheet, chances: Sequence[float]) -> Iterator[Repair]:
    """Yield one edit per run of letters, so that a reader of the list sees the word and what became of it."""
    sure = [s.offset for s, chance in zip(sheet.spots, chances, strict=True) if chance >= SURE]
    for match in _CHUNK.finditer(piece.text):
        cuts = [o for o in sure if match.start() < o < match.end()]
        if cuts:
            ends = [match.start(), *cuts, match.end()]
            after = " ".join(piece.text[a:b] for a, b in pairwise(ends))
            yield Repair(RULE, piece.start + match.start(), match[0], after)
