"""The reconciliation of an archive with the site's ground truth, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.sim.reconcile import ArchiveContents, GroundTruth, HeldArticle, PublishedText, Span, Version, reconcile
from crawler.types import ImageBlock, TextBlock

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=10)


def hour(n):
    return BEGIN + timedelta(hours=n)


def published(text="Texte.", title="Titre", **more):
    return PublishedText(title, more.pop("lead", "Chapeau"), (text,), **more)


def test_published_text_holds_body_texts_and_captions():
    blocks = (
        TextBlock("paragraph", "Un."), ImageBlock("https://x/a.jpg", caption="Légende."), TextBlock("note", "Lire aussi"),
        ImageBlock("https://x/b.jpg"), TextBlock("quote", "Deux."),
    )  # fmt: skip
    assert PublishedText.from_blocks("Titre", None, blocks) == PublishedText(
        "Titre", "", ("Un.", "Deux."), ("Légende.", "")
    )


ONE, TWO, THREE = published("Un."), published("Deux."), published("Trois.")


ONLINE = (Span(BEGIN),)


def truth(*versions, key=1, online=ONLINE, copy_of=None):
    """An article with these versions, an hour each; those in brackets were shown to no client."""
    steps = [(v[0], False) if isinstance(v, list) else (v, True) for v in versions or (ONE,)]
    return GroundTruth(
        key, tuple(Version(s, hour(n), shown) for n, (s, shown) in enumerate(steps)), tuple(online), copy_of
    )


def archived(*revisions, key=1, state="live", now=None):
    revisions = revisions or (ONE,)
    return HeldArticle(key, f"/a-post{key}.vnp", state, now or revisions[-1], revisions)


def result(truths, articles, *pairs, outages=(), faults=()):
    archive = ArchiveContents(articles, frozenset(frozenset(pair) for pair in pairs), faults)
    return reconcile(truths, archive, outages, NOW)


AWAY = (Span(BEGIN, hour(20)),)
JUST_NOW = (Span(BEGIN, NOW - timedelta(hours=50)),)
BACK = (Span(BEGIN, hour(20)), Span(hour(30)))
BRIEFLY = (Span(BEGIN, hour(5)),)
TWIN = truth(key=2, copy_of=1)

ONE_ARTICLE = {
    "held": (truth(), archived(), []),
    "held with all its versions": (truth(ONE, TWO, ONE), archived(ONE, TWO, ONE), []),
    "not held": (truth(), None, ["article"]),
    "not held, although it was online long enough before its removal": (truth(online=AWAY), None, ["article"]),
    "a revision is missing": (truth(ONE, TWO, THREE), archived(ONE, THREE), ["revision"]),
    "revisions in another order": (truth(ONE, TWO, THREE), archived(TWO, ONE, THREE), ["revision", "false revision"]),
    "changed back to its first text, and that revision is missing": (
        truth(ONE, TWO, ONE),
        archived(ONE, TWO),
        ["revision", "text"],
    ),
    "a version in between was shown to no client": (truth(ONE, [TWO], ONE), archived(ONE), []),
    "a revision that was never published": (truth(ONE), archived(THREE, ONE), ["false revision"]),
    "one revision too many": (truth(ONE), archived(ONE, ONE), ["false revision"]),
    "the current version was not seen": (truth(ONE, [TWO]), archived(ONE), ["text"]),
    "the row differs from its last revision": (truth(), archived(ONE, now=TWO), ["text", "text"]),
    "the row has no revisions": (truth(), replace(archived(), revisions=()), ["revision", "text"]),
    "held, although not recorded as shown": (truth([ONE], TWO), archived(ONE, TWO), []),
    "online, but suspected to be removed": (truth(), archived(state="suspect"), ["state"]),
    "removed": (truth(online=AWAY), archived(state="gone"), []),
    "removed, but held as live": (truth(online=AWAY), archived(), ["state"]),
    "removed days ago, but only suspected": (truth(online=AWAY), archived(state="suspect"), ["state"]),
    "removed recently": (truth(online=JUST_NOW), archived(), []),
    "removed before its last version was seen": (truth(ONE, [TWO], online=AWAY), archived(state="gone"), []),
    "republished": (truth(online=BACK), archived(), []),
    "republished, but held as gone": (truth(online=BACK), archived(state="gone"), ["state"]),
}


@pytest.mark.parametrize(("true", "held", "kinds"), ONE_ARTICLE.values(), ids=ONE_ARTICLE)
def test_one_article(true, held, kinds):
    found = result([true], [held] if held else [])
    assert [item.kind for item in found.lost] == kinds
    assert all(item.id == 1 and item.says for item in found.lost)
    assert (found.published, found.held) == (1, int(held is not None))


def fields(*, right, held, revision=None):
    """An article whose fields have the values `right` on the site and `held` in the archive."""
    version = Version(ONE, BEGIN, True, {"byline": ["X"]}, {name: [value] for name, value in right.items()})
    return (
        replace(truth(), versions=(version,)),
        replace(archived(), fields=held, revision_fields=(revision or {"byline": "X"},)),
    )


FIELDS = {
    "all right": (fields(right={"tags": ("a", "b")}, held={"tags": ("a", "b")}), []),
    "a lost tag": (fields(right={"tags": ("a", "b")}, held={"tags": ("a",)}), ["tags of the article"]),
    "tags in another order": (fields(right={"tags": ("a", "b")}, held={"tags": ("b", "a")}), ["tags of the article"]),
    "not stored at all": (fields(right={"section": "S"}, held={}), ["section of the article"]),
    "absent on the site": (fields(right={"byline": None}, held={"byline": "Y"}), ["byline of the article"]),
    "two fields": (fields(right={"a": 1, "b": 2}, held={"a": 2, "b": 1}), ["a of the article", "b of the article"]),
    "a field of a revision": (fields(right={}, held={}, revision={"byline": None}), ["byline of revision 1"]),
}


@pytest.mark.parametrize(("article", "wrong"), FIELDS.values(), ids=FIELDS)
def test_wrong_fields_are_reported(article, wrong):
    true, held = article
    lost = result([true], [held]).lost
    assert [item.says.partition(" is ")[0] for item in lost] == wrong
    assert {item.kind for item in lost} <= {"field"}


def test_fields_are_compared_with_the_best_version_of_the_same_text():
    versions = tuple(Version(ONE, hour(n), True, {}, {"modified_at": [n], "byline": ["X"]}) for n in range(3))
    true = replace(truth(), versions=versions)
    assert result([true], [replace(archived(), fields={"modified_at": 1, "byline": "X"})]).lost == ()
    (wrong,) = result([true], [replace(archived(), fields={"modified_at": 1, "byline": "Y"})]).lost
    assert wrong.says == "byline of the article is 'Y' instead of 'X'"


def test_the_fields_of_a_revision_with_another_text_are_not_compared():
    true, held = fields(right={}, held={}, revision={"byline": "another"})
    wrong = replace(held, revisions=(TWO,))
    assert "field" not in {item.kind for item in result([true], [wrong]).lost}


NOT_FOUND = {
    "three times over 25 hours": ([0, 1, 25], True),
    "three times within a day": ([0, 1, 24], False),
    "twice": ([0, 30], False),
    "once": ([0], False),
    "never": ([], False),
}


@pytest.mark.parametrize(("hours", "right"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_an_article_is_gone_only_after_confirmations(hours, right):
    true = replace(truth(online=AWAY), not_found=tuple(map(hour, hours)))
    lost = result([true], [archived(state="gone")]).lost
    assert [item.kind for item in lost] == ([] if right else ["state"])
    assert result([true], [archived(state="suspect")]).lost[0].kind == "state", "removed long ago"


OUTAGES = {
    "removed before any poll": (BRIEFLY, (), True),
    "removed during an outage": (AWAY, (Span(hour(2), hour(17)),), True),
    "an outage that left enough time": (AWAY, (Span(hour(2), hour(10)),), False),
    "an outage at another time": (AWAY, (Span(hour(40), hour(90)),), False),
    "a continuing outage, but the page is still online": ((Span(hour(30)),), (Span(hour(20)),), False),
    "online twice, each time during an outage": (
        (Span(BEGIN, hour(9)), Span(hour(20), hour(29))), (Span(hour(1), hour(8)), Span(hour(21), hour(28))), True
    ),
}  # fmt: skip


@pytest.mark.parametrize(("online", "outages", "unobtainable"), OUTAGES.values(), ids=OUTAGES)
def test_an_unobtainable_article_is_reported_but_not_lost(online, outages, unobtainable):
    found = result([truth(online=online)], [], outages=outages)
    assert bool(found.unseen) == unobtainable
    assert bool(found.lost) == (not unobtainable)
    assert [item.kind for item in found.lost + found.unseen] == ["article"]


UNSEEN = {
    "between two others": (truth(ONE, [TWO], THREE), archived(ONE, THREE), ["online for 60 min"]),
    "the last one before the removal": (
        truth(ONE, [TWO], online=AWAY),
        archived(state="gone"),
        ["online for 1140 min"],
    ),
    "a text that was held before": (truth(ONE, TWO, [ONE], THREE), archived(ONE, TWO, THREE), []),
    "none": (truth(ONE, TWO), archived(ONE, TWO), []),
}


@pytest.mark.parametrize(("true", "held", "messages"), UNSEEN.values(), ids=UNSEEN)
def test_versions_that_no_client_received_are_reported(true, held, messages):
    found = result([true], [held])
    assert found.lost == ()
    assert [message in item.says for message, item in zip(messages, found.unseen, strict=True)] == [True] * len(
        messages
    )


SEVERAL = {
    "a copy, recognised": ([truth(), TWIN], [archived(), archived(key=2)], [(1, 2)], []),
    "a copy, not recognised": ([truth(), TWIN], [archived(), archived(key=2)], [], [("copy", 2)]),
    "a copy that is not held": ([truth(), TWIN], [archived()], [], [("article", 2)]),
    "wrongly marked as a copy": ([truth(), truth(key=2)], [archived(), archived(key=2)], [(2, 1)], [("copy", 2)]),
    "never published": ([truth()], [archived(), archived(key=7)], [], [("article", 7)]),
    "one URL twice": (
        [truth(), truth(key=2)], [archived(), replace(archived(key=2), url="/a-post1.vnp")], [], [("twice", None)]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("truths", "articles", "pairs", "lost"), SEVERAL.values(), ids=SEVERAL)
def test_several_articles(truths, articles, pairs, lost):
    found = result(truths, articles, *pairs)
    assert [(item.kind, item.id) for item in found.lost] == lost


def test_damaged_evidence_is_a_loss():
    found = result([truth()], [archived()], faults=["damaged record"])
    assert [(item.kind, item.says) for item in found.lost] == [("evidence", "damaged record")]


def test_the_figures():
    truths = [truth(ONE, ONE, TWO), truth(key=2, online=AWAY), truth(key=3, online=AWAY), truth(key=4, copy_of=1)]
    found = result(truths, [archived(ONE, TWO), archived(key=2, state="gone"), archived(key=4)], (1, 4))
    assert (found.published, found.held, found.shown, found.revisions) == (4, 3, 5, 4)
    assert (found.removed, found.tombstones, found.copies) == (2, 1, 1)


def test_a_difference_is_reported_with_its_fields():
    (item,) = result([truth(ONE, [replace(ONE, title="T" * 80, captions=("Photo",))])], [archived(ONE)]).lost
    assert item.says.endswith(": title, captions")
    (item,) = result([truth(published(title="T" * 80))], []).lost
    assert item.says.endswith("T" * 59 + "…")
