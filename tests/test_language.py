"""The language of the project: one meaning for each class name, no retired words, docstrings that start plainly."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "crawler"

#: Words that an earlier version used for concepts that have a standard term (docs/glossary.md), as patterns.
#: A pattern matches whole words; parts of an identifier count as words.
RETIRED = {
    "patience(?! sort)": "rate limit, circuit breaker, backoff",
    "habits?": "publication rate",
    "sonar": "id probing",
    "outlook": "estimate",
    "reel": "record stream",
    "on air": "live",
    "pulse": "heartbeat",
    "telling": "alert delivery",
    "knock": "signal",
    "in ?hand": "crash marker",
    "put(s|ting)? (off|aside)": "quarantine",
    "swap": "replace",
    "lied": "mismatch",
    "heir": "fallback source",
    "hurry": "mark due",
    "left pages": "abandoned pages",
    "double of": "fake site",
    "replica": "fake site",
    "take answer": "handle response",
    "rhythms?": "publication rate",
    "anew": "again",
    "whoever": "a noun",
    "stood": "was, appeared",
    "errors? of usage": "usage error",
    "more by less": "with less",
}

#: Names that databases, files and scripts depend on, so that they keep a retired word.
FIXED_NAMES = re.compile(
    r"\brhythms\b"  # a table
    r"|['\"`]sonar['\"`]"  # plan_steps.kind, and the purpose of a record
    r"|\bin-hand-"  # the crash marker's file
    r"|/__replica__|</?channel>|['\"]channel/"  # the fake site's control path; an XML element of RSS
    r"|\bvna replica\b|['\"(]replica['\"),]|\bdef replica\b|\breplica\(|^ +replica  +",  # a command
    re.MULTILINE,
)

#: Files that are data, not language, and those that list the retired words.
EXEMPT = re.compile(
    r"^(tests/golden/pages/|tests/data/|tests/schemas/|tests/gold/|seeds/|crawler/sim/site/data/|crawler/repair/data/"
    r"|benchmarks/data/|tests/test_language\.py$|crawler/storage/schema/m000[12])"
)


def _files(*suffixes):
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [name for name in names if name.endswith(suffixes) and not EXEMPT.match(name) and (ROOT / name).is_file()]


def words(text):
    """Return a text in lower case with identifiers split into words."""
    text = FIXED_NAMES.sub(" ", text)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return re.sub(r"[_\W]+", " ", text).lower()


TEXTS = _files(".py", ".md", ".toml", ".yaml", ".yml", ".service", ".sh", "Containerfile")
PATTERN = re.compile(rf"\b(?:{'|'.join(RETIRED)})\b")


def retired_words(text):
    """Return the retired words in a text, each with its line."""
    if (match := PATTERN.search(words(text))) is None:
        return []
    lines = enumerate(text.splitlines(), 1)
    places = [f"line {number}: {found[0]}" for number, line in lines if (found := PATTERN.search(words(line)))]
    return places or [f"across two lines: {match[0]}"]


def test_no_retired_word_returns():
    texts = {name: (ROOT / name).read_text("utf-8") for name in TEXTS}
    assert {name: found for name, text in texts.items() if (found := retired_words(text))} == {}


@pytest.mark.parametrize(
    "line", ["class Patience:", "left_pages(", "it is put off", "a double of the site", "TakeAnswer"]
)
def test_a_retired_word_is_found(line):
    assert PATTERN.search(words(line))


@pytest.mark.parametrize(
    "line", ["FROM rhythms", 'kind == "sonar"', "`vna replica --port 1`", "in-hand-collect", "doubled"]
)
def test_fixed_names_are_not_retired_words(line):
    assert not PATTERN.search(words(line))


@cache
def _trees():
    return {path.relative_to(ROOT): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def test_no_class_name_is_defined_twice():
    places = defaultdict(list)
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


#: First words of a docstring that an earlier version used instead of "Return", "Whether" or a noun.
ODD_OPENINGS = {"Give", "Gives", "Say", "Says", "Tell", "Tells", "Have", "Has", "Hand"}


def test_docstrings_start_plainly():
    odd = []
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if text and text.split()[0].rstrip(":,;.") in ODD_OPENINGS:
                    odd.append(f"{path}: {text.splitlines()[0]}")
    assert odd == []


def test_the_glossary_has_each_term_once():
    rows = [line for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    terms = [
        term.strip() for row in rows for term in row.split("|")[1].split(",") if term.strip() not in ("term", "name")
    ]
    assert sorted(terms) == sorted(set(terms))


def test_every_glossary_entry_names_an_existing_place():
    rows = [line for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    places = [
        cell for row in rows for cell in re.findall(r"`(crawler/[\w/.]+)`|\]\(([\w.-]+\.md)\)", row.split("|")[3])
    ]
    assert len(places) > 50
    missing = [a or b for a, b in places if not ((ROOT / a).exists() if a else (ROOT / "docs" / b).exists())]
    assert missing == []


def test_french_punctuation_of_the_pages_stays_with_its_word():
    text = (ROOT / "crawler/room/locale/fr/LC_MESSAGES/room.po").read_text("utf-8")
    french = re.findall(r'(?m)^msgstr(?:\[\d\])? ((?:".*"\n?)+)', text)[1:]
    odd = [line for block in french for line in block.splitlines() if re.search(r"[ ][:;!?»]|«[ ]", line)]
    assert len(french) > 300
    assert odd == []
