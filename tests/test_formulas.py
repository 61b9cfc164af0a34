"""Formulas in MathML are words of the text."""

from __future__ import annotations

import time

import pytest
from test_page_parts import parse

SUM = "<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>"
FORMULAS = {
    "<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>": "E=mc^2",
    "<mfrac><mn>1</mn><mn>2</mn></mfrac>": "1/2",
    f"<mfrac>{SUM}<mi>c</mi></mfrac>": "(a+b)/c",
    "<mfrac><msqrt><mi>a</mi></msqrt><msqrt><mi>b</mi><mo>-</mo><mi>c</mi></msqrt></mfrac>": "√a/√(b-c)",
    "<msub><mi>x</mi><mi>i</mi></msub>": "x_i",
    "<msub><mtext>CO</mtext><mn>2</mn></msub>": "CO2",
    "<msub><mn>1</mn><mn>2</mn></msub>": "1_2",
    "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>": "x_i^2",
    "<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>": "∑_i^n",
    "<mroot><mi>x</mi><mn>3</mn></mroot>": "x^1/3",
    "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd></mtr></mtable>": "1 2 3",
    "\n <mi>x</mi>\n <mo>\u2062</mo> <mi>y</mi>": "xy",
    "<msup>\n<mi>x</mi>\n<mn>2</mn>\n</msup><!-- x -->": "x^2",
    "<mtext>surface <b>nette</b></mtext>": "surface nette",
    "<semantics><mi>x</mi><annotation>\\xi</annotation></semantics>": "x",
    "x": "x",
}


@pytest.mark.parametrize(("formula", "expected"), FORMULAS.items())
def test_a_formula_is_read(formula, expected):
    body = f"<p>La formule <math>{formula}</math> est connue.</p>"
    assert parse(body).text == f"La formule {expected} est connue."


def test_a_formula_in_every_field():
    article = parse("<p>Un.</p>", title="<h1>Le <math><mi>x</mi></math></h1>")
    assert article.title == "Le x"


def test_a_formula_may_have_its_text_in_an_attribute():
    assert parse('<p>Un <math alttext="x^2"></math> deux.</p>').text == "Un x^2 deux."
    assert parse("<p>Un <math></math> deux.</p>").text == "Un deux."


@pytest.mark.parametrize("box", ['span class="katex-mathml"', "mjx-assistive-mml", 'span class="MJX_Assistive_MathML"'])
def test_a_formula_that_is_also_written_out_is_read_once(box):
    body = f"<p>Un <{box}><math><mi>x</mi></math></{box.split()[0]}><span>x</span> deux.</p>"
    assert parse(body).text == "Un x deux."


def test_a_hostile_formula_costs_little():
    start = time.process_time()
    text = parse(
        f"<p>Un.</p><math>{'<mrow>' * 5_000}<mi>x</mi></math>{'<math><mi>y</mi></math>' * 2_000}<p>Deux.</p>"
    ).text
    assert (text[:3], text[-5:]) == ("Un.", "Deux.")
    assert time.process_time() - start < 10
