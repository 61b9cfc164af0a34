"""Find glued words, which run together because a line break was lost, and return the missing spaces as edits.

A spot is a place where a space may be missing. It is weighed by the words around it (`score`) and by its position among
the lines of its block (`wrap`).

Boundary: one text and a lexicon in, edits out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from crawler.repair import quotes, score, shapes, words, wrap
from crawler.repair.lexicon import Lexicon
from crawler.types import Repair

RULE = "glued-words"
SURE = 0.84  # probability of a missing space from which on a spot is repaired
_MIN_ODDS = -7.0  # log odds; spots below this are ignored
_MIN_BEST_ODDS = 0.0  # log odds; a text without one spot above this has nothing to repair
_LONGEST = 3000  # characters weighed at once; a longer block is cut
#: Relative likelihood of a lost line break at a place that this rule does not repair but that may end a line.
_AT_GAP = 0.004  # the break left its space behind
_AT_HYPHEN = 0.5  # the line ended at a hyphen, where a lost break leaves no trace
_AT_SIGN = 3.0  # a space is missing at a sign; `typography` repairs it

#: Marks of an address, host name, file name, handle or entity; no rule may change a chunk that contains one.
_ADDRESS = re.compile(r"@|://|www\.|\w\.(?:vn|com|org|net|fr|info|asia|gov|edu)\b|[#_\\]|&\w+;", re.IGNORECASE)
#: Signs at which a space is missing, because a letter or bracket follows directly.
_SIGN_BREAK = re.compile(
    r"(?<=\d%)(?=[^\W\d_])|(?<=[^\W\d_])(?=\"\w)|(?<=\w\")(?=[^\W\d_])|(?<=[^\W\d_],)(?=\d)|(?<= [:–-])(?=[^\W\d_])|(?<=[^\W\d_][,;.!?])(?=[^\W\d_])|(?<=[^\W\d_]{2})(?=\()|(?<=[\w)»\"”][.])(?=[A-ZÀ-Þ])|(?<=[)»”])(?=[^\W\d_])|(?<=[^\W\d_])(?=[«“])"
)
#: A number beside a letter or apostrophe: a quick test for what `_number_splits` weighs.
_BESIDE_NUMBER = re.compile(r"\d(?:(?=[^\W\d_])|(?<=[^\W\d_]\d)|(?<=['’]\d))")
_CHUNK = re.compile(r"(?:[\w’']|(?<=\d)[.,](?=\d))+")
_WORD_END = re.compile(r"\s|$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text that is weighed separately: a block or, if the block is too long, a part of it."""

    start: int
    text: str


def find(text: str, lexicon: Lexicon) -> list[Repair]:
    """Return edits that insert a space wherever one is missing with a probability of at least `SURE`."""
    pieces = list(_pieces(text))
    scored = [_splits(piece.text, lexicon) for piece in pieces]
    if not any(s.odds > _MIN_BEST_ODDS for found in scored for s in found):
        return []
    blocks = [_block_spots(p.text, found) for p, found in zip(pieces, scored, strict=True)]
    posteriors = wrap.posteriors(blocks)
    judged = zip(pieces, blocks, posteriors, strict=True)
    return [edit for piece, block, chances in judged for edit in _edits(piece, block, chances)]


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
    found = [s for run in runs(text, lexicon) for s in score.splits(run, lexicon)]
    if _BESIDE_NUMBER.search(text):
        found += _number_splits(text, lexicon)
    return sorted((s for s in found if s.odds > _MIN_ODDS), key=lambda s: s.offset)


def _number_splits(text: str, lexicon: Lexicon) -> Iterator[score.Split]:
    """Yield a possible split, with its odds, for each place where a number and a word touch."""
    spans = protected(text)
    for one, two in pairwise(words.TOKEN.finditer(text)):
        if one.end() != two.start() or any(a <= one.start() < b for a, b in spans):
            continue
        if one[0][0].isdigit():
            yield score.Split(two.start(), shapes.before_word(one[0], two[0].replace("’", "'"), lexicon), two.start())
        elif two[0][0].isdigit():
            yield score.Split(two.start(), shapes.after_word(one[0], two[0], lexicon), two.start())


@lru_cache(maxsize=4)  # each rule asks for the chunks of the same text
def protected(text: str) -> tuple[tuple[int, int], ...]:
    """Return the start and end of each chunk that no rule may change, such as a web address or a file name."""
    if not _ADDRESS.search(text):
        return ()
    return tuple(m.span() for m in re.finditer(r"\S+", text) if _ADDRESS.search(m[0]))


def runs(text: str, lexicon: Lexicon) -> Iterator[score.LetterRun]:
    """Yield the runs of letters that may be two words, each with the tokens before and after it.

    Single letters, protected chunks, and runs that are one word whatever stands beside them are left out.
    """
    matches = list(words.TOKEN.finditer(text.replace("’", "'")))
    closing = quotes.closing_apostrophes(text)  # they are no part of the word
    found = [m[0][:-1] if m.end() - 1 in closing else m[0] for m in matches]
    settled = {token for token in set(found) if len(token) < 2 or score.is_settled(token, lexicon)}
    spans = protected(text)
    for i, token in enumerate(found):
        if token in settled and not (i and found[i - 1].lower() == "aujourd'" and len(token) > 1):
            continue
        start = matches[i].start()
        if not token[0].isalpha() or any(a <= start < b for a, b in spans):
            continue
        left = found[i - 1] if i else "\n"
        right = found[i + 1] if i + 1 < len(found) else "\n"
        touches_number = left[0].isdigit() and not text[start - 1].isspace()
        yield score.LetterRun(start, token, left, right, touches_number)


def _block_spots(text: str, splits: Sequence[score.Split]) -> wrap.BlockSpots:
    spots = [wrap.Spot(s.offset, _next_end(text, s.offset), s.odds, run=s.run) for s in splits]
    taken = {s.offset for s in splits}
    signs = [m.start() for m in _SIGN_BREAK.finditer(text) if m.start() not in taken]
    spots += [wrap.Spot(at, _next_end(text, at), 0.0, _AT_SIGN) for at in signs]
    spots += [wrap.Spot(m.start(), _next_end(text, m.end()), 0.0, _AT_GAP) for m in re.finditer(r"\s+", text)]
    hyphens = [m.end() for m in re.finditer(r"(?<=[^\W_])[-–](?=[^\W_])", text)]
    spots += [wrap.Spot(at, _next_end(text, at), 0.0, _AT_HYPHEN) for at in hyphens]
    return wrap.BlockSpots(len(text), tuple(sorted(spots, key=lambda s: s.offset)))


def _next_end(text: str, offset: int) -> int:
    match = _WORD_END.search(text, offset)
    return match.start() if match else len(text)


def _edits(piece: Piece, block: wrap.BlockSpots, chances: Sequence[float]) -> Iterator[Repair]:
    """Yield one edit for each string of glued words, so that the table `repairs` shows whole words."""
    best: dict[int, tuple[float, int]] = {}  # a run of letters is split at one place at a time
    for spot, chance in zip(block.spots, chances, strict=True):
        if chance >= SURE:
            best[spot.run] = max(best.get(spot.run, (0.0, 0)), (chance, spot.offset))
    sure = sorted(offset for _, offset in best.values())
    for match in _CHUNK.finditer(piece.text):
        cuts = [o for o in sure if match.start() < o < match.end()]
        if cuts:
            ends = [match.start(), *cuts, match.end()]
            after = " ".join(piece.text[a:b] for a, b in pairwise(ends))
            yield Repair(RULE, piece.start + match.start(), match[0], after)
