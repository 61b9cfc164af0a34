"""What was lost: the site's truth against an archive's holdings, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.sim.reconcile import Archive, Holding, Said, Span, Truth, Version, settle
from crawler.types import ImageBlock, TextBlock

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=10)


def hour(n):
    return BEGIN + timedelta(hours=n)


def said(text="Texte.", title="Titre", **more):
    return Said(title, more.pop("lead", "Chapeau"), (text,), **more)


def test_what_an_article_says_is_its_text_and_its_captions():
    blocks = (
        TextBlock("paragraph", "Un."), ImageBlock("https://x/a.jpg", caption="Légende."), TextBlock("note", "Lire aussi"),
        ImageBlock("https://x/b.jpg"), TextBlock("quote", "Deux."),
    )  # fmt: skip
    assert Said.of("Titre", None, blocks) == Said("Titre", "", ("Un.", "Deux."), ("Légende.", ""))


ONE, TWO, THREE = said("Un."), said("Deux."), said("Trois.")


THERE = (Span(BEGIN),)


def truth(*versions, key=1, online=THERE, copy_of=None):
    """An article that said these, an hour each; those in brackets were shown to nobody."""
    steps = [(v[0], False) if isinstance(v, list) else (v, True) for v in versions or (ONE,)]
    return Truth(key, tuple(Version(s, hour(n), shown) for n, (s, shown) in enumerate(steps)), tuple(online), copy_of)


def holding(*revisions, key=1, state="live", now=None):
    revisions = revisions or (ONE,)
    return Holding(key, f"/a-post{key}.vnp", state, now or revisions[-1], revisions)


def account(truths, holdings, *pairs, blind=(), faults=()):
    archive = Archive(holdings, frozenset(frozenset(pair) for pair in pairs), faults)
    return settle(truths, archive, blind, NOW)


AWAY = (Span(BEGIN, hour(20)),)
JUST_NOW = (Span(BEGIN, NOW - timedelta(hours=50)),)
BACK = (Span(BEGIN, hour(20)), Span(hour(30)))
BRIEFLY = (Span(BEGIN, hour(5)),)
TWIN = truth(key=2, copy_of=1)

ONE_ARTICLE = {
    "held": (truth(), holding(), []),
    "held in all its versions": (truth(ONE, TWO, ONE), holding(ONE, TWO, ONE), []),
    "not held": (truth(), None, ["article"]),
    "not held, and removed after long enough": (truth(online=AWAY), None, ["article"]),
    "a revision is missing": (truth(ONE, TWO, THREE), holding(ONE, THREE), ["revision"]),
    "revisions in another order": (truth(ONE, TWO, THREE), holding(TWO, ONE, THREE), ["revision", "false revision"]),
    "it came back to what it said, and that is missing": (
        truth(ONE, TWO, ONE),
        holding(ONE, TWO),
        ["revision", "text"],
    ),
    "nobody was shown what stood in between": (truth(ONE, [TWO], ONE), holding(ONE), []),
    "a revision of what it never said": (truth(ONE), holding(THREE, ONE), ["false revision"]),
    "a revision too many": (truth(ONE), holding(ONE, ONE), ["false revision"]),
    "what stands now was not seen": (truth(ONE, [TWO]), holding(ONE), ["text"]),
    "the row says something else than its last revision": (truth(), holding(ONE, now=TWO), ["text", "text"]),
    "the row's revisions are gone": (truth(), replace(holding(), revisions=()), ["revision", "text"]),
    "seen, though not noted as shown": (truth([ONE], TWO), holding(ONE, TWO), []),
    "taken for removed": (truth(), holding(state="suspect"), ["state"]),
    "removed": (truth(online=AWAY), holding(state="gone"), []),
    "removed, and believed to be there": (truth(online=AWAY), holding(), ["state"]),
    "removed, and only suspected after days": (truth(online=AWAY), holding(state="suspect"), ["state"]),
    "removed not long ago": (truth(online=JUST_NOW), holding(), []),
    "removed with its last words unseen": (truth(ONE, [TWO], online=AWAY), holding(state="gone"), []),
    "back again": (truth(online=BACK), holding(), []),
    "back again, and held as gone": (truth(online=BACK), holding(state="gone"), ["state"]),
}


@pytest.mark.parametrize(("true", "held", "kinds"), ONE_ARTICLE.values(), ids=ONE_ARTICLE)
def test_one_article(true, held, kinds):
    found = account([true], [held] if held else [])
    assert [note.kind for note in found.lost] == kinds
    assert all(note.id == 1 and note.says for note in found.lost)
    assert (found.published, found.held) == (1, int(held is not None))


BLIND = {
    "gone before anybody looked": (BRIEFLY, (), True),
    "it went while the site refused": (AWAY, (Span(hour(2), hour(17)),), True),
    "refused for a while, but there was time": (AWAY, (Span(hour(2), hour(10)),), False),
    "refused at another time": (AWAY, (Span(hour(40), hour(90)),), False),
    "refused to this moment, but it is still there": ((Span(hour(30)),), (Span(hour(20)),), False),
    "refused at both times": (
        (Span(BEGIN, hour(9)), Span(hour(20), hour(29))), (Span(hour(1), hour(8)), Span(hour(21), hour(28))), True
    ),
}  # fmt: skip


@pytest.mark.parametrize(("online", "blind", "hopeless"), BLIND.values(), ids=BLIND)
def test_an_article_that_nobody_could_have_is_named_but_not_lost(online, blind, hopeless):
    found = account([truth(online=online)], [], blind=blind)
    assert bool(found.unseen) == hopeless
    assert bool(found.lost) == (not hopeless)
    assert [note.kind for note in found.lost + found.unseen] == ["article"]


UNSEEN = {
    "between two others": (truth(ONE, [TWO], THREE), holding(ONE, THREE), ["stood for 60 min"]),
    "the last one before it went": (truth(ONE, [TWO], online=AWAY), holding(state="gone"), ["stood for 1140 min"]),
    "the same as was held before": (truth(ONE, TWO, [ONE], THREE), holding(ONE, TWO, THREE), []),
    "nothing": (truth(ONE, TWO), holding(ONE, TWO), []),
}


@pytest.mark.parametrize(("true", "held", "words"), UNSEEN.values(), ids=UNSEEN)
def test_versions_that_nobody_saw_are_named(true, held, words):
    found = account([true], [held])
    assert found.lost == ()
    assert [word in note.says for word, note in zip(words, found.unseen, strict=True)] == [True] * len(words)


SEVERAL = {
    "a copy, recognised": ([truth(), TWIN], [holding(), holding(key=2)], [(1, 2)], []),
    "a copy, not recognised": ([truth(), TWIN], [holding(), holding(key=2)], [], [("copy", 2)]),
    "a copy that is not held": ([truth(), TWIN], [holding()], [], [("article", 2)]),
    "taken for a copy": ([truth(), truth(key=2)], [holding(), holding(key=2)], [(2, 1)], [("copy", 2)]),
    "never published": ([truth()], [holding(), holding(key=7)], [], [("article", 7)]),
    "one address twice": (
        [truth(), truth(key=2)], [holding(), replace(holding(key=2), url="/a-post1.vnp")], [], [("twice", None)]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("truths", "holdings", "pairs", "lost"), SEVERAL.values(), ids=SEVERAL)
def test_several_articles(truths, holdings, pairs, lost):
    found = account(truths, holdings, *pairs)
    assert [(note.kind, note.id) for note in found.lost] == lost


def test_damaged_evidence_is_a_loss():
    found = account([truth()], [holding()], faults=["damaged record"])
    assert [(note.kind, note.says) for note in found.lost] == [("evidence", "damaged record")]


def test_the_figures():
    truths = [truth(ONE, ONE, TWO), truth(key=2, online=AWAY), truth(key=3, online=AWAY), truth(key=4, copy_of=1)]
    found = account(truths, [holding(ONE, TWO), holding(key=2, state="gone"), holding(key=4)], (1, 4))
    assert (found.published, found.held, found.shown, found.revisions) == (4, 3, 5, 4)
    assert (found.removed, found.tombstones, found.copies) == (2, 1, 1)


def test_a_difference_is_named_by_its_field():
    (note,) = account([truth(ONE, [replace(ONE, title="T" * 80, captions=("Photo",))])], [holding(ONE)]).lost
    assert note.says.endswith(": title, captions")
    (note,) = account([truth(said(title="T" * 80))], []).lost
    assert note.says.endswith("T" * 59 + "…")
