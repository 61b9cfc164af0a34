"""Inline elements: the text reads as a browser shows it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.parse import dom, inline


def prepared(html):
    """Return the text of the first element of a page, and the problems."""
    tree = LexborHTMLParser(html)
    problems = inline.prepare(tree)
    return dom.text(tree.body.first_child), problems


SUPERSCRIPTS = {
    # powers
    "10<sup>9</sup> unités": "10^9 unités",
    "10<sup>-9</sup> m": "10^-9 m",
    "10<sup>n</sup>": "10^n",
    "<b>10</b><sup>9</sup>": "10^9",
    "<span>10</span><!-- --><sup><i>9</i></sup>": "10^9",
    "10<b><sup>9</sup></b>": "10^9",
    "10<sup>9</sup>unités": "10^9 unités",
    "x<sup>2</sup> + 5y<sup>3</sup>": "x^2 + 5y^3",
    "E=mc<sup>2</sup>": "E=mc^2",
    "(1+2)<sup>2</sup>": "(1+2)^2",
    "x<sup>n</sup>": "x^n",
    # footnotes
    "note<sup>1</sup>.": "note 1.",
    "note<sup>1</sup> suite": "note 1 suite",
    "note<sup>12</sup>": "note 12",
    "note<sup>a</sup>": "note a",
    "mot<a href='#n1'><sup>1</sup></a>": "mot 1",
    "mot<sup><a href='#n1'>1</a></sup>": "mot 1",
    "mot<sup>[1]</sup>, mot<sup>(2)</sup>, mot<sup>*</sup>": "mot[1], mot(2), mot*",
    "mot<sup>1</sup><sup>,</sup><sup>2</sup>": "mot 1,2",
    "mot<sup>1</sup><sup>2</sup>": "mot 1 2",
    "la phrase.<sup>3</sup>": "la phrase. 3",
    "« mot »<sup>3</sup>": "« mot » 3",
    "l'agence (VNA)<sup>1</sup>": "l'agence (VNA) 1",
    "note <sup>1</sup>": "note 1",
    "<sup>1</sup>Voir le rapport": "1 Voir le rapport",
    "mot<br><sup>1</sup>Voir": "mot 1 Voir",
    # units
    "331 000 km<sup>2</sup>": "331 000 km2",
    "5m<sup>3</sup>, 3 cm<sup>2</sup>, 2 dam<sup>2</sup>, 9 M<sup>2</sup>": "5m3, 3 cm2, 2 dam2, 9 M2",
    "30 hab./km<sup>2</sup>": "30 hab./km2",
    "9,8 m/s<sup>2</sup>": "9,8 m/s2",
    "km<sup>-2</sup>": "km^-2",
    "40 000 m<sup>3</sup>/jour": "40 000 m3/jour",
    "k<b>m</b><sup>2</sup>": "km2",
    # ordinals and abbreviations
    "XIX<sup>e</sup> siècle": "XIXe siècle",
    "<span>xix</span><sup>e</sup> siècle, note<sup>e</sup>": "xixe siècle, note e",
    "le 45<sup>e</sup>, 1<sup>er</sup>, 1<sup>re</sup>, 2<sup>nd</sup>, 3<sup>ème</sup>": "le 45e, 1er, 1re, 2nd, 3ème",
    "1<sup>st</sup>, 4<sup>th</sup>": "1st, 4th",
    "n<sup>o</sup> 5, N<sup>os</sup> 6": "no 5, Nos 6",
    "M<sup>me</sup> Lan, M<sup>lle</sup> Mai, D<sup>r</sup> An, C<sup>ie</sup>": "Mme Lan, Mlle Mai, Dr An, Cie",
    "Vietnam<sup>TM</sup>, Vietnam<sup>+</sup>": "VietnamTM, Vietnam+",
    "le 13<sup>ᵉ</sup> congrès, n<sup>º</sup> 5": "le 13ᵉ congrès, nº 5",
    "8<sup>h</sup>30, 12<sup>H</sup>": "8h30, 12H",
    "B<sup>d</sup> Voltaire": "Bd Voltaire",
    "30<sup>0</sup>C, 86<sup>0</sup>F, 21<sup>0</sup>30": "30^0C, 86^0F, 21^0 30",
    # chemistry
    "<sup>14</sup>C et <sup>235</sup>U": "14C et 235U",
    "Ca<sup>2+</sup>, Na<sup>+</sup>": "Ca2+, Na+",
    "SO<sub>4</sub><sup>2-</sup>": "SO4^2-",
    "a<sup></sup>b": "ab",
    # the distance in the tree is limited
    f"10{'<!-- -->' * 99}<sup>9</sup>": "109",
}
SUBSCRIPTS = {
    "CO<sub>2</sub>, H<sub>2</sub>O": "CO2, H2O",
    "C<sub>6</sub>H<sub>12</sub>O<sub>6</sub>": "C6H12O6",
    "PM<sub>2.5</sub> et PM<sub>2,5</sub>": "PM2.5 et PM2,5",
    "10 t CO<sub>2</sub>eq": "10 t CO2eq",
    "x<sub>1</sub>, V<sub>max</sub>, log<sub>2</sub>": "x1, Vmax, log2",
    "1010<sub>2</sub>": "1010_2",
    "CO<sub>2</sub>5": "CO2 5",
    "note<sub>1</sub>": "note 1",
}
OTHERS = {
    "anti<wbr>gel, <small>a</small><mark>b</mark><abbr title='x'>c</abbr>": "antigel, abc",
    "co\u200bopération, por&shy;tuaire": "co\u200bopération, por\u00adtuaire",
    "il dit <q>oui</q>": "il dit «oui»",
    "il dit <q><b>« oui</b> »</q>": "il dit « oui »",
    "il dit <q></q>": "il dit «»",
    f"il dit <q>{'<u>' * 99}« oui »": "il dit «« oui »»",
    "<ruby>漢字<rt>kanji</rt></ruby>": "漢字(kanji)",
    "<ruby>漢字<rp>(</rp><rt>kanji</rt><rp>)</rp></ruby>": "漢字(kanji)",
    "<ins>15</ins> %": "15 %",
}


@pytest.mark.parametrize(
    ("html", "expected"), (SUPERSCRIPTS | SUBSCRIPTS | OTHERS).items(), ids=SUPERSCRIPTS | SUBSCRIPTS | OTHERS
)
def test_text(html, expected):
    assert prepared(f"<p>{html}</p>") == (expected, ())


LEFT_OUT = {
    "a correction": ("de <del>12</del> <ins>15</ins> %", "de 15 %", "text: deleted text is left out: '12'"),
    "s and strike": ("<s>1</s>a<strike>2</strike>", "a", "text: deleted text is left out: '1', '2'"),
    "one in another": ("a<del>1<del>2</del></del>", "a", "text: deleted text is left out: '12'"),
    "inside other elements": ("a <b><i><del>1</del></i></b>", "a", "text: deleted text is left out: '1'"),
    "many": ("a" + "<del>b</del>" * 5, "a", "text: deleted text is left out: 'b', 'b', 'b' and 2 more"),
    "a long one": (f"a<del>{'b' * 99}</del>", "a", f"text: deleted text is left out: '{'b' * 60}'"),
    "empty": ("a<del></del>", "a", None),
    "a whole line": ("<del>12</del>.", "12.", "text: 1 lines consist only of deleted text, which is kept"),
    "one in a whole line": ("<del>1<del>2</del></del>.", "12.", "text: 1 lines consist only of deleted text, which is kept"),
    "a picture": ("a<del>b<img src=x></del>", "ab", "text: 1 lines consist only of deleted text, which is kept"),
    "hidden": ("a<span hidden>1</span><b style='color:red; Display : NONE'>2</b>", "a", "text: hidden text is left out: '1', '2'"),
    "invisible": ("a<span style='visibility:hidden'>1</span>", "a", "text: hidden text is left out: '1'"),
    "hidden and empty": ("a<span hidden></span>", "a", None),
    "another style": ("a<span style='color:red'>1</span>", "a1", None),
}  # fmt: skip


@pytest.mark.parametrize(("html", "expected", "problem"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_text_that_is_left_out_is_a_problem(html, expected, problem):
    assert prepared(f"<p>{html}</p>") == (expected, (problem,) if problem else ())


def test_an_unclosed_deletion_does_not_swallow_the_article():
    tree = LexborHTMLParser("<body><h1>Un <s>titre</h1><p>Premier.</p><p>Deuxième.</p></body>")
    inline.prepare(tree)
    assert dom.text(tree.body) == "Un Premier. Deuxième."
    tree = LexborHTMLParser("<body><div><del><p>Premier.</p><p>Deuxième.</p></div></body>")
    inline.prepare(tree)
    assert dom.text(tree.body) == "Premier. Deuxième."


def test_larger_hidden_elements_and_elements_asked_for_are_read():
    tree = LexborHTMLParser("<div><div style='display:none'>1</div><span id=x hidden>2</span></div>")
    assert inline.prepare(tree) == ()
    assert dom.text(tree.css_first("div")) == "1"
    assert dom.text(tree.css_first("#x")) == "2"


PIECES = st.sampled_from(
    "<sup> </sup> <sub> </sub> <del> </del> <s> <q> </q> <ruby> <rt> </rt> <rp> <p> </p> <b> </b> <br> 10 2 e km mot . ( <td> hidden".split()
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_page_is_prepared(html):
    tree = LexborHTMLParser(f"<body>{html}")
    inline.prepare(tree)
    assert dom.text(tree.body) is not None
