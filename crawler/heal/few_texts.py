"""Learns a layout from a few known texts, such as the seeds at first contact, and from pages of unknown articles.

Each text is verified with a layout that was learned from the others. The pages of unknown articles must contradict the
layout nowhere: their metadata, the place of the agency's dateline and signature, and repeated texts show errors.

Boundary: pure; `healing` counts what was found, and decides whether it suffices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crawler.heal import compare, learn, provisional
from crawler.heal.places import KnownPage, Places, find
from crawler.heal.text_index import squeeze
from crawler.markup import Markup
from crawler.parse import head, structure
from crawler.parse.page import read_with_layout
from crawler.site import AGENCIES
from crawler.types import Article

_ROUNDS = 3  # of guessing articles with a layout, and learning a layout from the guesses
_START = 20  # letters of the lead that the first paragraph repeats (dossier section 6)
_AGENCIES = tuple(map(squeeze, AGENCIES))
NOT_READ = "the layout does not read the page"
TEXT_BEFORE = "text is before the dateline"
TEXT_AFTER = "text is after the signature"
OTHER_TEXT = "the text differs from the one in the metadata"
REPEATED = "a text is on several pages"


@dataclass(frozen=True, slots=True)
class FewTexts:
    """A layout learned from a few texts; `others` contains for each text a layout that was learned without it."""

    layout: Markup
    others: tuple[Markup, ...]
    boxes: frozenset[str]  # outlines of texts that are not the article


def learn_from(known: Sequence[Places], further: Sequence[Places], name: str, about: str, valid_from: date) -> FewTexts:
    """Return a layout for pages of `known` texts and of `further` articles, of which only the metadata is known."""
    kinds = provisional.kinds_of(known)
    texts = [place.known.article for place in known]
    layout = learn.learn([*known, *further], name, about, valid_from)
    boxes = frozenset[str]()
    for _ in range(_ROUNDS):
        read = [a for p in further if (a := read_with_layout(p.known.page, layout)) is not None]
        boxes |= provisional.repeated(read, texts)
        found = [find(provisional.guess(p, layout, boxes, kinds), p.index) for p in further]
        better = [place for place in found if isinstance(place, Places)]
        candidate = learn.learn([*known, *better], name, about, valid_from)
        if candidate == layout or not all(is_read(place, candidate) for place in known):
            break
        layout = candidate
    rest = ([*(p for p in known if p is not left), *further] for left in known)
    others = (learn.learn(pages, name, about, valid_from) for pages in rest)
    return FewTexts(layout, tuple(others), boxes)


def is_read(place: Places, layout: Markup) -> bool:
    """Whether a layout reads all known fields of a page exactly."""
    return all(compare.exact(place.known, read_with_layout(place.known.page, layout)).values())


def contradiction(known: KnownPage, found: Article | None, boxes: frozenset[str]) -> str | None:
    """Return the reason why an article of which only the metadata is known is not read correctly; None if there is none."""
    if found is None:
        return NOT_READ
    texts = found.paragraphs
    stated = _stated_text(known)
    if stated is not None:
        return None if squeeze("".join(texts)) == squeeze(stated) else OTHER_TEXT
    if any(structure.dateline(text) for text in texts[1:]) and not structure.dateline(texts[0]):
        return TEXT_BEFORE
    if any(structure.signature(text) for text in texts[:-1]) and structure.signature_of(texts) is None:
        return TEXT_AFTER
    if any(provisional.outline(text) in boxes - {""} for text in texts):
        return REPEATED
    return None


def is_proven(known: KnownPage, found: Article | None) -> bool:
    """Whether the text of a page certainly begins and ends where it should, or is the one in the metadata.

    It begins with the dateline or with what the lead says, and ends with the name of the agency.
    """
    if found is None or not found.paragraphs:
        return False
    if _stated_text(known) is not None:
        return True
    first, last = found.paragraphs[0], found.paragraphs[-1]
    begins = structure.dateline(first) is not None or _begins_like(first, known.article.lead)
    return begins and (structure.signature_of(found.paragraphs) is not None or squeeze(last).endswith(_AGENCIES))


def _begins_like(paragraph: str, lead: str | None) -> bool:
    start = squeeze(lead or "")[:_START]
    return len(start) == _START and squeeze(paragraph).startswith(start)


def _stated_text(known: KnownPage) -> str | None:
    return head.text_of(known.page.head.news_article(known.page.post_id).get("articleBody"))
