"""Large pages: the costly ones are refused in little time, the others are read. These tests run without coverage."""

from __future__ import annotations

import time

import pytest
from test_guard import HARMLESS, HAZARDS, parse

from crawler.parse import guard


@pytest.mark.parametrize("page", HAZARDS.values(), ids=HAZARDS)
def test_hazard_refuses_costly_pages_in_linear_time(page):
    start = time.process_time()
    assert guard.hazard(page.encode("utf-8", "ignore"))
    assert time.process_time() - start < 10  # parsing them takes longer, or much memory


@pytest.mark.parametrize("page", HARMLESS.values(), ids=HARMLESS)
def test_hazard_accepts_pages_that_are_cheap_to_parse(page):
    assert guard.hazard(page.encode("utf-8", "ignore")) is None


DEEP = 1_500  # more than the recursion limit of Python; tests/test_guard.py has pages of 3,000 nested elements
NESTED = {
    "div": ("<div>", "</div>"), "story": ('<div class="story">', "</div>"), "figure": ("<figure>", "</figure>"),
    "table": ("<table><tr><td>", "</td></tr></table>"), "picture table": ('<table class="picture"><tr><td>', "</td></tr></table>"),
    "list": ("<ul><li>", "</li></ul>"), "note": ('<div class="cms-note">', "</div>"), "link": ('<div><a href="/b-post2.vnp">', "</a></div>"),
    "span": ("<span>", "</span>"), "related": ('<p class="cms-relate"><button>', "</button></p>"), "section": ("<section>", "</section>"),
    "headline": ('<div><h1 class="article__title">', "</h1></div>"), "body": ('<div class="article__body">', "</div>"), "caption": ('<div class="caption">', "</div>"),
    "lead": ('<div class="article__sapo">', "</div>"), "tags": ('<div class="article__tag"><a>', "</a></div>"),
    "breadcrumb": ('<div class="breadcrumb"><a>', "</a></div>"), "sidebar": ('<div class="sidebar">', "</div>"),
}  # fmt: skip


@pytest.mark.parametrize(("start", "end"), NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("place", ["in the body", "after the body", "unclosed"])
def test_deeply_nested_elements_are_read(start, end, place):
    nested = f"{start * DEEP}<p>Deux. Voir plus</p>{'' if place == 'unclosed' else end * DEEP}"
    began = time.process_time()
    article = parse("<p>Un.</p>", nested) if place == "after the body" else parse(f"<p>Un.</p>{nested}")
    assert article.text.startswith("Un.")
    assert time.process_time() - began < 2


def test_a_page_of_three_megabytes_is_read():
    article = parse(f"<p>{'Une phrase. ' * 9}</p>" * 28_500)
    assert len(article.blocks) == 28_500


def test_the_related_stories_of_a_page_are_read_in_linear_time_up_to_a_limit():
    links = "".join(f'<p>Lire aussi : <a href="/x-post{n}.vnp">Titre {n}</a></p>' for n in range(1, 10_000))

    def seconds():
        began = time.process_time()
        parse(f"<p>Un.</p>{links}")
        return time.process_time() - began

    assert any(seconds() < 3 for _ in range(3)), "1 s, or 2 s on a busy machine"
    article = parse(f"<p>Un.</p>{links}")
    assert len(article.related) == 1_000
    assert any(problem.startswith("related: ") for problem in article.problems)


@pytest.mark.parametrize(
    "scripts", [["[" + "[]," * 310_000 + "[]]"], ["[" + "{}," * 250_000 + "{}]"] * 2], ids=["one script", "two scripts"]
)
def test_large_json_ld_is_not_read_but_the_page_is(scripts):
    article = parse("<p>Un.</p>", "".join(f'<script type="application/ld+json">{one}</script>' for one in scripts))
    assert article.text.startswith("Un.")
    assert any(problem.startswith("JSON-LD: ") for problem in article.problems)
