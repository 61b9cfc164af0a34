"""The guarantees in docs/guarantees.md: each row names a test, a check of the drill and a benchmark that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks import defects
from benchmarks.__main__ import NAMES

ROOT = Path(__file__).parents[1]
DRILL = ROOT / "crawler" / "sim"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "guarantees.md").read_text("utf-8").splitlines()
    if line.startswith("|") and "---" not in line
]
PROMISES = [row for row in ROWS if len(row) == 4 and row[0] != "promise"]
TROUBLES = [row for row in ROWS if len(row) == 3 and row[0] != "trouble"]


@cache
def texts_of(folder):
    """Return all string constants of the source files in a folder."""
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def functions_of(path):
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


def assert_test_exists(name):
    path, _, function = name.strip("`").partition("::")
    assert function.startswith("test_")
    assert function in functions_of(ROOT / path)


def plain(cell):
    (name,) = re.fullmatch(r"`(.+)`", cell).groups()
    return name


def test_the_document_has_both_tables():
    assert len(PROMISES) >= 20
    assert len(TROUBLES) >= 30
    assert len({row[0] for row in PROMISES + TROUBLES}) == len(PROMISES + TROUBLES)


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0])
def test_a_promise_is_backed(row):
    _, test, check, bench = row
    assert_test_exists(test)
    assert plain(check) in texts_of(DRILL)
    assert plain(bench) in NAMES


@pytest.mark.parametrize("row", TROUBLES, ids=lambda row: row[0])
def test_a_trouble_is_tried(row):
    _, in_the_drill, test = row
    assert_test_exists(test)
    assert in_the_drill == "-" or plain(in_the_drill) in texts_of(DRILL)


def test_every_kind_of_loss_is_a_promise():
    calls = [
        node
        for path in DRILL.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Discrepancy"
    ]
    kinds = {call.args[0].value for call in calls} - {"version"}  # a version that no crawler could see is no loss
    assert kinds == {plain(row[2]) for row in PROMISES}


def test_the_benchmark_of_defects_fits_the_source():
    """Each defect replaces a piece of the source, which a change of the source may reword."""
    stale = [d.name for d in defects.DEFECTS if d.old not in (ROOT / "crawler" / d.file).read_text("utf-8")]
    assert stale == []
