"""Find glued words, which run together because a line break was lost, and return the missing spaces as edits.

A spot is a place where a space may be missing. It is weighed by the words around it (`score`) and by its position among
the lines of its block (`wrap`).

Boundary: one text and a lexicon in, edits out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, KeysView, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter

from crawler.repair import quotes, score, shapes, words, wrap
from crawler.repair.lexicon import Lexicon, PageLexicon
from crawler.repair.lines import BlockSpots, Spot
from crawler.types import Repair

RULE = "glued-words"
SURE = 0.84  # probability of a missing space from which on a spot is repaired
_MIN_ODDS = -7.0  # log odds; spots below this are ignored
_MIN_BEST_ODDS = 0.0  # log odds; a text without one spot above this has nothing to repair
_LONGEST = 3000  # characters weighed at once; a longer block is cut
_MOST_SETTLED, _LONGEST_SETTLED = 1 << 14, 30  # most chunks that are kept, and most characters of one
_MOST_LEXICONS = 4  # whose settled chunks are kept
#: Relative likelihood of a lost line break at a place that this rule does not repair but that may end a line.
_AT_HYPHEN = 0.5  # the line ended at a hyphen, where a lost break leaves no trace
_AT_SIGN = 3.0  # a space is missing at a sign; `typography` repairs it

#: Marks of an address, host name, file name, handle or entity; no rule may change a chunk that contains one.
_ADDRESS = re.compile(r"@|://|www\.|\w\.(?:vn|com|org|net|fr|info|asia|gov|edu)\b|[#_\\]|&\w+;", re.IGNORECASE)
#: A sign that every mark of `_ADDRESS` contains: a quick test.
_ADDRESS_SIGN = re.compile(r"[@#_\\&]|:(?=//)|\.(?=[^\W\d])|[wW](?=[wW])")
#: Signs at which a space is missing, because a letter or bracket follows directly.
_SIGN_BREAK = re.compile(
    r"(?<=\d%)(?=[^\W\d_])|(?<=[^\W\d_])(?=\"\w)|(?<=\w\")(?=[^\W\d_])|(?<=[^\W\d_],)(?=\d)|(?<= [:–-])(?=[^\W\d_])|(?<=[^\W\d_][,;.!?])(?=[^\W\d_])|(?<=[^\W\d_]{2})(?=\()|(?<=[\w)»\"”][.])(?=[A-ZÀ-Þ])|(?<=[)»”])(?=[^\W\d_])|(?<=[^\W\d_])(?=[«“])"
)
#: Finds a sign beside each place that `_SIGN_BREAK` finds, and beside others: a quick test.
_BESIDE_SIGN = re.compile(r"[%\",;.!?)»”](?=[\w×])|[\"(«“](?<=\w.)|[:–-](?<= .)(?=[^\W\d_])")
_HYPHEN = re.compile(r"[-–](?<=[^\W_].)(?=[^\W_])")
#: A number beside a letter or apostrophe, but no ordinal such as `1er`: a quick test for what `_number_splits` weighs.
_BESIDE_NUMBER = re.compile(r"\d(?:(?=[^\W\d_])(?!(?:e|è|ᵉ|er|ère|ème)\b)|(?<=[^\W\d_]\d)|(?<=['’]\d))")
#: `aujourd'` without `hui`. The only settled word that decides about its neighbour.
_BROKEN_TODAY = re.compile(r"[Dd]['’](?<=[Aa][Uu][Jj][Oo][Uu][Rr][Dd].)(?![Hh][Uu][Ii](?![^\W\d_]|['’]))")
_CHUNK = re.compile(r"(?:[\w’']|(?<=\d)[.,](?=\d))+")
_WORD_END = re.compile(r"\s|$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text that is weighed separately: a block or, if the block is too long, a part of it."""

    start: int
    text: str


def find(text: str, page: PageLexicon) -> list[Repair]:
    """Return edits that insert a space wherever one is missing with a probability of at least `SURE`."""
    chunks = _SETTLED.without(set(text.split()), page.base)
    rest = "\n".join(chunks)
    odds = score.possible_splits(set(words.tokens(rest)), page)
    neighbours_matter = _has_neighbours_that_matter(rest)
    if not neighbours_matter:
        _settle(chunks, odds.keys(), page.base)
    if max(odds.values(), default=0.0) <= _MIN_BEST_ODDS and not neighbours_matter:
        return []
    doubtful = {token for token, most in odds.items() if most > _MIN_ODDS}
    pieces = list(_pieces(text))
    likely = {token for token in doubtful if odds[token] > _MIN_BEST_ODDS}
    # A cut inside a word makes other neighbours.
    neighbours_matter = neighbours_matter or any(len(piece.text) == _LONGEST for piece in pieces)
    may_split = _may_split if neighbours_matter else _may_split_words
    if not any(may_split(piece.text, page, likely) for piece in pieces):
        return []
    scored = [_splits(piece.text, page, doubtful) for piece in pieces]
    if not any(split.odds > _MIN_BEST_ODDS for found in scored for split in found):
        return []
    blocks = [_block_spots(p.text, found) for p, found in zip(pieces, scored, strict=True)]
    posteriors = wrap.posteriors_without_lines(blocks, SURE)
    if posteriors is None:
        spaces = [tuple([m.start() for m in re.finditer(r"\s+", piece.text)]) for piece in pieces]
        posteriors = wrap.posteriors([replace(block, spaces=at) for block, at in zip(blocks, spaces, strict=True)])
    judged = zip(pieces, blocks, posteriors, strict=True)
    return [edit for piece, block, chances in judged for edit in _edits(piece, block, chances)]


class _SettledChunks:
    """Chunks of earlier texts, between white space, that contain nothing to repair, whatever the page shows.

    Articles share most of their words. The chunks of the lexicons that were used last are kept.
    """

    def __init__(self) -> None:
        self._by_lexicon: dict[Lexicon, set[str]] = {}

    def without(self, chunks: set[str], lexicon: Lexicon) -> set[str]:
        """Return the chunks of a text that are not settled."""
        return chunks - self._by_lexicon.get(lexicon, set())

    def add(self, chunks: Collection[str], lexicon: Lexicon) -> None:
        """Add settled chunks; if there are too many, drop the earlier ones first."""
        settled = self._by_lexicon.pop(lexicon, set())
        if len(settled) > _MOST_SETTLED:
            settled.clear()
        settled.update(chunks)
        self._by_lexicon[lexicon] = settled  # as the last one
        for earlier in tuple(self._by_lexicon)[:-_MOST_LEXICONS]:
            self._by_lexicon.pop(earlier, None)  # another thread may have dropped it

    def clear(self) -> None:
        """Drop all chunks."""
        self._by_lexicon.clear()


_SETTLED = _SettledChunks()


def forget() -> None:
    """Drop the chunks of earlier texts that contain nothing to repair."""
    _SETTLED.clear()


def _settle(chunks: Collection[str], odds: KeysView[str], lexicon: Lexicon) -> None:
    """Remember the chunks that contain no token of `odds`. No neighbour matters in `chunks`."""
    short = [chunk for chunk in chunks if len(chunk) <= _LONGEST_SETTLED]
    settled = [chunk for chunk in short if odds.isdisjoint((chunk,) if chunk.isalpha() else words.tokens(chunk))]
    _SETTLED.add(settled, lexicon)


def _has_neighbours_that_matter(text: str) -> bool:
    """Whether a word touches a number, a closing apostrophe or `aujourd'`, and may be two words for this reason.

    The answer is the same if each chunk between white space is tested alone.
    """
    beside = _BESIDE_NUMBER.search(text) or _BROKEN_TODAY.search(text)
    return beside is not None or quotes.may_have_apostrophes(text)


def _pieces(text: str) -> Iterator[Piece]:
    for match in re.finditer(r"[^\n]+", text):
        start, end = match.span()
        while end - start > _LONGEST:
            cut = text.rfind(" ", start, start + _LONGEST)
            cut = cut if cut > start else start + _LONGEST
            yield Piece(start, text[start:cut])
            start = cut
        yield Piece(start, text[start:end])


def _may_split(text: str, page: PageLexicon, likely: Collection[str]) -> bool:
    """Whether a space is missing somewhere more probably than not, judged by the words alone: a quick test.

    All tokens but `likely` are probably one word, whatever is beside them.
    """
    if _has_neighbours_that_matter(text):
        return any(split.odds > _MIN_BEST_ODDS for split in _splits(text, page, likely))
    return _may_split_words(text, page, likely)


def _may_split_words(text: str, page: PageLexicon, likely: Collection[str]) -> bool:
    """Return what `_may_split` returns, for a text without neighbours that matter."""
    plain = text.replace("’", "'")
    if not any(token in plain for token in likely):
        return False
    found = ["\n", *words.tokens(text), "\n"]
    neighbours = zip(found, found[1:], found[2:], strict=False)
    runs_ = (score.LetterRun(0, token, left, right) for left, token, right in neighbours if token in likely)
    return any(split.odds > _MIN_BEST_ODDS for run in runs_ for split in score.splits(run, page))


def _splits(text: str, lexicon: PageLexicon, doubtful: Collection[str]) -> list[score.Split]:
    """Return the places where a space may be missing. Only the tokens `doubtful` may be split without their neighbours.

    The odds of all others are below the bound by which the doubtful ones were chosen.
    """
    plain = text.replace("’", "'")
    if not any(token in plain for token in doubtful) and not _has_neighbours_that_matter(text):
        return []
    found = [s for run in runs(text, doubtful) for s in score.splits(run, lexicon)]
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
    if not _ADDRESS_SIGN.search(text) or not _ADDRESS.search(text):
        return ()
    return tuple(m.span() for m in re.finditer(r"\S+", text) if _ADDRESS.search(m[0]))


def runs(text: str, doubtful: Collection[str]) -> Iterator[score.LetterRun]:
    """Yield the runs of letters that may be two words, each with the tokens before and after it.

    These are the tokens `doubtful`, and those whose neighbours matter. Single letters and protected chunks are left out.
    """
    matches = list(words.TOKEN.finditer(text.replace("’", "'")))
    found = [m[0] for m in matches]
    if closing := quotes.closing_apostrophes(text):  # they are not part of the word
        found = [m[0][:-1] if m.end() - 1 in closing else m[0] for m in matches]
        doubtful = {*doubtful, *(token for token, m in zip(found, matches, strict=True) if token != m[0])}
    chosen = [i for i, token in enumerate(found) if token in doubtful]
    decisive = {token for token in set(found) if token[0].isdigit() or _is_today(token)}
    if decisive:
        after = (i for i in range(1, len(found)) if found[i - 1] in decisive)
        chosen = sorted({*chosen, *(i for i in after if len(found[i]) > 1 and found[i][0].isalpha())})
    spans = protected(text)
    for i in chosen:
        token, start = found[i], matches[i].start()
        if any(a <= start < b for a, b in spans):
            continue
        left = found[i - 1] if i else "\n"
        right = found[i + 1] if i + 1 < len(found) else "\n"
        touches_number = left[0].isdigit() and not text[start - 1].isspace()
        yield score.LetterRun(start, token, left, right, touches_number)


def _is_today(token: str) -> bool:
    return len(token) == 8 and token.lower() == "aujourd'"


def _block_spots(text: str, splits: Sequence[score.Split]) -> BlockSpots:
    """Return the spots of a block, without its spaces."""
    spots = [Spot(s.offset, _next_end(text, s.offset), s.odds, run=s.run) for s in splits]
    beside = {at for m in _BESIDE_SIGN.finditer(text) for at in m.span()} - {s.offset for s in splits}
    spots += [Spot(at, _next_end(text, at), 0.0, _AT_SIGN) for at in beside if _SIGN_BREAK.match(text, at)]
    spots += [Spot(m.end(), _next_end(text, m.end()), 0.0, _AT_HYPHEN) for m in _HYPHEN.finditer(text)]
    return BlockSpots(len(text), tuple(sorted(spots, key=attrgetter("offset"))))


def _next_end(text: str, offset: int) -> int:
    match = _WORD_END.search(text, offset)
    return match.start() if match else len(text)


def _edits(piece: Piece, block: BlockSpots, chances: Sequence[float]) -> Iterator[Repair]:
    """Yield one edit for each string of glued words, so that the table `repairs` shows whole words."""
    best: dict[int, tuple[float, int]] = {}  # a run of letters is split at one place at a time
    for spot, chance in zip(block.spots, chances, strict=True):
        if chance >= SURE:
            best[spot.run] = max(best.get(spot.run, (0.0, 0)), (chance, spot.offset))
    sure = sorted(offset for _, offset in best.values())
    for chunk in _chunks(piece.text, sure):
        cuts = [o for o in sure if chunk.start() < o < chunk.end()]
        ends = [chunk.start(), *cuts, chunk.end()]
        after = " ".join(piece.text[a:b] for a, b in pairwise(ends))
        yield Repair(RULE, piece.start + chunk.start(), chunk[0], after)


def _chunks(text: str, offsets: Sequence[int]) -> Iterator[re.Match[str]]:
    """Yield the chunks around the offsets of spots, which are in order; each spot is inside a chunk."""
    end = 0
    for offset in offsets:
        if offset >= end:  # else the spot is in the chunk before
            start = max(end, text.rfind(" ", 0, offset))
            chunk = next(m for m in _CHUNK.finditer(text, start) if m.end() > offset)
            end = chunk.end()
            yield chunk
