"""Messages are for people: if every message of the package becomes gibberish, nothing that is stored changes.

A copy of the package is made in which the words of every message are scrambled. The same scenario runs with both.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import message_scenario

from crawler import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "crawler"

#: In these units every literal with a space in it is a message, unless it is a docstring or SQL.
WHOLE = (
    "pipeline",
    "backfill",
    "replay",
    "schedule",
    "health",
    "daemon",
    "plans.py",
    "collect.py",
    "errors.py",
    "clock.py",
)
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|PRAGMA|WHERE|CREATE|FROM)\b")
EXCEPTIONS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
SKIPPED = ("sim", "cli", "data", "templates", "markups")


def scrambled(text: str) -> str:
    """Replace each word of three letters or more by a word that no code can know."""
    return re.sub(r"[A-Za-z]{3,}", lambda match: "zq" + match[0][::-1].lower(), text)


class Scrambler(ast.NodeTransformer):
    """Scrambles the messages of one module: arguments of exceptions and, in some units, every literal with a space."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.count = 0
        self._in_message = 0

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_message = name in EXCEPTIONS
        self._in_message += is_message
        self.generic_visit(node)
        self._in_message -= is_message
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):  # a docstring
            return node
        return self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = self.visit(node.value)  # not the format specification
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        if not isinstance(text, str) or SQL.search(text) or not (self._in_message or (self.whole and " " in text)):
            return node
        self.count += text != scrambled(text)
        return ast.copy_location(ast.Constant(scrambled(text)), node)


def scrambled_package(target: Path) -> int:
    """Copy the package with scrambled messages; return how many were scrambled.

    The copies are compiled modules: their source would have to be written and compiled, which takes longer.
    """
    shutil.copytree(PACKAGE, target / "crawler", ignore=shutil.ignore_patterns("__pycache__"))
    count = 0
    for path in sorted((target / "crawler").rglob("*.py")):
        unit = path.relative_to(target / "crawler").parts[0]
        if unit in SKIPPED:
            continue
        scrambler = Scrambler(whole=unit in WHOLE)
        tree = scrambler.visit(ast.parse(path.read_text("utf-8")))
        code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        path.with_suffix(".pyc").write_bytes(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code))
        path.unlink()
        count += scrambler.count
    return count


def stored_by_this_package(folder: Path) -> dict[str, object]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        message_scenario.main(folder)
    return json.loads(out.getvalue())


def stored_by(package: Path, folder: Path) -> dict[str, object]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT / "tests")])}
    scenario = ROOT / "tests" / "message_scenario.py"
    found = subprocess.run(
        [sys.executable, scenario, folder], env=environment, check=False, capture_output=True, text=True, cwd=folder
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def assert_every_kind_of_trouble(stored):
    outcomes = dict(stored["outcomes"])
    kinds = "new revised unchanged duplicate drift rejected failed suspect gone found listed absent"
    assert {kind for kind in kinds.split() if not outcomes.get(kind)} == set()
    error_kinds = {row[6] for row in stored["pages"]} | {row[6] for row in stored["sources"]}
    assert {"removed", "layout-drift", "http-status"} <= error_kinds
    assert stored["rebuild"][1] == [], "a rebuild gives the same rows"


def test_gibberish_messages_change_nothing_that_a_scenario_with_every_trouble_stores(tmp_path):
    package, plain, gibberish = (tmp_path / name for name in ("package", "plain", "gibberish"))
    for folder in (package, plain, gibberish):
        folder.mkdir()
    stored = stored_by_this_package(plain)
    assert_every_kind_of_trouble(stored)
    assert scrambled_package(package) > 200
    found = stored_by(package, gibberish)
    for name, rows in stored.items():
        assert found[name] == rows, name


def test_the_scrambler_scrambles_messages_alone():
    source = '''
def f(x):
    """A docstring stays."""
    sql = "SELECT a FROM b"
    key = "word"
    raise NotAnArticle(x, f"a page of {x:%Y} words", key)
'''
    whole = ast.unparse(Scrambler(whole=True).visit(ast.parse(source)))
    for part in ("A docstring stays.", "SELECT a FROM b", "key = 'word'", "{x:%Y}"):
        assert part in whole
    assert "page" not in whole
    assert "zqegap" in whole
