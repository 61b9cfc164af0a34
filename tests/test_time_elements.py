"""The elements of an article that show its times: which is the publication, and which the last change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.markup import ArticleSelectors, Attributes, BodySelectors, Markup, RelatedSelectors
from crawler.parse.page import parse_page

LAYOUT = Markup(
    "small",
    ArticleSelectors(("h1",), (".body",), time=("time",)),
    BodySelectors(),
    RelatedSelectors("Voir plus"),
    attributes=Attributes(time=("data-time", "datetime")),
)
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def parse(times, head=""):
    page = (
        f'<!doctype html><html><head><meta property="og:type" content="article">{head}</head><body><main><h1>Un titre modifié</h1>'
        f'<div class="sapo">La loi est publiée et modifiée</div><div class="meta">{times}</div><div class="body"><p>Un texte.</p></div>'
        "</main></body></html>"
    )
    url = "https://fr.vietnamplus.vn/a-post1.vnp"
    return parse_page(page.encode(), url, content_type=None, fetched_at=NOW, markups=[LAYOUT])


OLD, NEW = (
    '<time datetime="2024-08-27T20:18+0700">27/08/2024</time>',
    '<time datetime="2024-08-30T12:40+0700">30/08/2024</time>',
)
BOTH = "Mis à jour le 30/08/2024 à 12:40 - Publié le 27/08/2024 à 20:18"
PUBLISHED, MODIFIED = "2024-08-27T20:18:00+07:00", "2024-08-30T12:40:00+07:00"
ELEMENTS = {
    "without a label": (OLD, PUBLISHED, None),
    "labels before the elements": (f"Mis à jour le {NEW} - Publié le {OLD}", PUBLISHED, MODIFIED),
    "publication first": (f"Publié le {OLD}, modifié le {NEW}", PUBLISHED, MODIFIED),
    "labels in elements": (f"<b>Mis à jour</b> <span>{NEW}</span> <b>Publié</b> <span>{OLD}</span>", PUBLISHED, MODIFIED),
    "only a change": (f"Actualisé le {NEW}", None, MODIFIED),
    "labels in the texts": (
        f"{NEW.replace('>30', '>Mis à jour le 30')}{OLD.replace('>27', '>Publié le 27')}", PUBLISHED, MODIFIED,
    ),
    "label without a readable time": (
        f"{NEW.replace('>30/08/2024', '>Mis à jour hier')}{OLD}", PUBLISHED, MODIFIED,
    ),
    "itemprop": (
        f'{NEW.replace("<time", "<time itemprop=dateModified")}{OLD.replace("<time", "<time itemprop=datePublished")}', PUBLISHED, MODIFIED,
    ),
    "CSS class": (f'{NEW.replace("<time", "<time class=updated")}{OLD}', PUBLISHED, MODIFIED),
    "CSS classes of a publication": (OLD.replace("<time", '<time class="published updated"'), PUBLISHED, None),
    "both in one text": (f"<time>{BOTH}</time>", PUBLISHED, MODIFIED),
    "both in one text, the attribute has the publication": (
        f'<time datetime="2024-08-27T20:18+0700">{BOTH}</time>', PUBLISHED, MODIFIED,
    ),
    "both in one text, the attribute has the change": (
        f'<time datetime="2024-08-30T12:40+0700">{BOTH}</time>', PUBLISHED, MODIFIED,
    ),
    "day and time in elements": ("<time><b>27/08/2024</b><b>20:18</b></time>", PUBLISHED, None),
    "day and time in nested elements": ("<time><i>27/08</i><i>/2024<u>20:18</u></i></time>", PUBLISHED, None),
    "label, day and time in elements": (
        "<time><b>Publié le</b><b>27/08/2024</b><b>20h18</b><b>modifié le</b><b>30/08/2024</b><b>12h40</b></time>", PUBLISHED, MODIFIED,
    ),
    "day and time in paragraphs": ("<time><p>27/08/2024</p><p>20:18</p></time>", PUBLISHED, None),
    "hidden day in a time without a day": ("<time>Hier <span hidden>26/08/2024 10:00</span></time>", None, None),
    "script in a time without a day": ("<time>Hier<script>a('26/08/2024 10:00')</script></time>", None, None),
    "words for a day, then a day": (f"<time>Hier</time>{OLD}", PUBLISHED, None),
    "age, then a day without an attribute": ("<time>il y a 3 heures</time><time>27/08/2024 20:18</time>", PUBLISHED, None),
    "time of day, then an attribute": (
        '<time>20:18</time><time datetime="2024-08-27T20:18+0700">mardi</time>', PUBLISHED, None,
    ),
    "changed lately, then the day of the change": (
        f"{OLD}<time class=updated>Hier</time>{NEW.replace('<time', '<time class=updated')}", PUBLISHED, MODIFIED,
    ),
    "no element with a day": ("<time>Hier</time><time>20:18</time>", None, None),
    "labels in cells of a table": (
        f"<table><tr><td>Mis à jour</td><td>{NEW}</td></tr><tr><td>Publié</td><td>{OLD}</td></tr></table>", PUBLISHED, MODIFIED,
    ),
    "labels in a list of terms": (f"<dl><dt>Mis à jour</dt><dd>{NEW}</dd><dt>Publié</dt><dd>{OLD}</dd></dl>", PUBLISHED, MODIFIED),
    "label in a block before it": (f"<div>Dernière mise à jour :</div> {NEW}", None, MODIFIED),
    "label in a block around it": (f"<div>Cập nhật</div><div><i><b><u>{NEW}</u></b></i></div>", MODIFIED, None),
    "label in an attribute": (f"{NEW.replace('<time', '<time title=Actualisé')}{OLD}", PUBLISHED, MODIFIED),
    "label that screen readers read": (f"{NEW.replace('<time', '<time aria-label=Actualisé')}{OLD}", PUBLISHED, MODIFIED),
    "text in an attribute": (OLD.replace("<time", '<time title="Mis à jour par Minh Anh"'), PUBLISHED, None),
    "time of another element before it": (f"<div>Mis à jour {NEW}</div>{OLD}", PUBLISHED, MODIFIED),
    "heading and lead that end like a label": (f"<p>La loi est modifiée</p>{OLD}", PUBLISHED, None),
}  # fmt: skip


@pytest.mark.parametrize(("html", "published", "modified"), ELEMENTS.values(), ids=ELEMENTS)
def test_publication_and_change(html, published, modified):
    article = parse(html)
    assert (article.published_at, article.modified_at) == (published, modified)
    assert article.problems == (() if published else ("published_at: none on the page",))


def test_a_visible_time_that_cannot_be_read_is_a_problem():
    article = parse(
        "<time>31/02/2024 10:00</time>", '<meta property="article:published_time" content="2024-08-27T20:18+07:00">'
    )
    assert article.published_at == PUBLISHED
    assert article.problems == ("published_at: visible text: the date is impossible: '31/02/2024 10:00'",)
    assert parse("<time>Il y a 2 heures</time>").problems == ("published_at: none on the page",)


@pytest.mark.parametrize("name", ["DC.date.issued", "dcterms.issued", "parsely-pub-date"])
def test_other_names_of_the_time_of_publication(name):
    article = parse("", f'<meta name="{name}" content="2024-08-27T20:18+07:00">')
    assert (article.published_at, article.modified_at) == (PUBLISHED, None)


def test_the_time_of_change_in_open_graph():
    article = parse(OLD, '<meta property="og:updated_time" content="2024-08-30T12:40+07:00">')
    assert (article.published_at, article.modified_at) == (PUBLISHED, MODIFIED)


def test_a_time_before_anything_else_has_no_label():
    article = parse("").published_at, parse(OLD.replace("<time", "<time id=x")).published_at
    assert article == (None, PUBLISHED)


def test_an_attribute_that_is_no_time_is_reported_though_another_element_has_one():
    article = parse(f'<time datetime="2024-13-27">Hier</time>{OLD}')
    assert article.published_at == PUBLISHED
    assert any("2024-13-27" in problem for problem in article.problems)
