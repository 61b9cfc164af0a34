"""JSON-LD with the faults that templates make is read, and the problem is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.parse import head, json_text, loose_json

URL = "https://fr.vietnamplus.vn/a-post1.vnp"
NEWS = {"@type": "NewsArticle", "headline": "Un titre"}
FAULTY = {
    "comma after the last member": '{"@type": "NewsArticle", "headline": "Un titre",}',
    "comma after the last item": '{"@graph": [{"@type": "NewsArticle", "headline": "Un titre"},]}',
    "comma on a line of its own": '{"@type": "NewsArticle", "headline": "Un titre"\n,\n}',
    "two commas": '{"@type": "NewsArticle",, "headline": "Un titre"}',
    "comma before the first member": '{, "@type": "NewsArticle", "headline": "Un titre"}',
    "comma after the document": '{"@type": "NewsArticle", "headline": "Un titre"},',
    "comments": '/* a, {b} */ {"@type": "NewsArticle", // "x": 1\n "headline": "Un titre"}',
    "comment without its end": '{"@type": "NewsArticle", "headline": "Un titre"} /* fin',
    "no-break space": '{\u00a0"@type": "NewsArticle",\u200b"headline": "Un titre"}',
    "escaped apostrophe": r'{"@type": "NewsArticle", "headline": "Un\ titre"}',
    "two documents": '{"@type": "NewsArticle", "headline": "Un titre"}{"@type": "WebPage"}',
    "two documents with a comma": '{"@type": "NewsArticle", "headline": "Un titre"}, {"@type": "WebPage"}',
    "no comma between two items": '[{"@type": "NewsArticle", "headline": "Un titre"} {"@type": "WebPage"}]',
    "entities": json.dumps(NEWS).replace('"', "&quot;"),
}


def read(source):
    script = f'<script type="application/ld+json">{source}</script>'
    return head.read(LexborHTMLParser(script), URL)


@pytest.mark.parametrize("source", FAULTY.values(), ids=FAULTY)
def test_faulty_json_ld_is_read_and_is_a_problem(source):
    found = read(source)
    assert [dict(news) for news in found.news] == [NEWS]
    assert found.problems[0].startswith("JSON-LD: script 1 is faulty and was read after correction")


@pytest.mark.parametrize("source", ['{"headline": "Le "riz""}', '{"a": 1', "{'a': 1}", '{"a" 1}', "a"], ids=str)
def test_what_can_be_read_in_several_ways_stays_broken(source):
    found = read(source)
    assert found.news == ()
    assert found.problems[0].startswith("JSON-LD: script 1 is broken")


def test_strings_are_not_changed():
    value = {"a": "x,}] // y /* z */ \\ \u00a0 ,, {}{}", "b": ["\\'", '"']}
    assert json_text.load(loose_json.corrected(json.dumps(value, ensure_ascii=False))).value == [value]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_json_without_faults_stays_as_it_is(value):
    assert json.loads(loose_json.corrected(json.dumps(value))) == [value]


@given(st.text('{}[],:"\\/* \n1a&quot;', max_size=40))
def test_any_text_can_be_corrected(source):
    assert loose_json.corrected(source).startswith("[")
