"""The documents: references to the site dossier resolve, links and quoted paths exist, every page can be reached."""

from __future__ import annotations

import ast
import functools
import io
import json
import re
import tokenize
from itertools import groupby
from pathlib import Path

import pytest
from support import ROOT

from crawler.probe.assumptions import ASSUMPTIONS

DOSSIER = ROOT / "docs" / "site-dossier.md"
PAGES = [
    path
    for pattern in ("*.md", "docs/*.md", "archive/*.md", "config/*.md", "tests/**/*.md", "crawler/**/*.md")
    for path in sorted(ROOT.glob(pattern))
]
SOURCES = [
    path
    for folder in ("crawler", "tests", "config", "docs", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".toml", ".md", ".yaml", ".yml", ".service"} and path != Path(__file__)
]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


# --- the site dossier -------------------------------------------------------------------------------------------------

NUMBER = r"\d+(?:\.\d+)?"
REFERENCE = re.compile(rf"\bsections?\s+({NUMBER}(?:(?:,\s*(?:and\s+)?|\s+and\s+|\s+to\s+){NUMBER})*)", re.IGNORECASE)
BARE = re.compile(rf"\bdossier\s+{NUMBER}", re.IGNORECASE)
OTHER_DOCUMENT = re.compile(r"\bRFC \d+, section [\d.]+")


def numbers_of(dossier):
    """Return the numbers of the sections and of their numbered items, such as `18` and `18.22`."""
    numbers = set()
    section = None
    for line in dossier.splitlines():
        if heading := re.match(r"## (\d+)\. ", line):
            section = heading[1]
            numbers.add(section)
        elif item := re.match(r"(\d+)\. ", line):
            numbers.add(f"{section}.{item[1]}")
    return numbers


def texts_of(source, suffix):
    """Yield the texts of a file: string literals and blocks of comment lines of Python, paragraphs of other files."""
    if suffix != ".py":
        yield from re.split(r"\n[ \t]*\n", source)
        return
    yield from (
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    comments = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.COMMENT]
    for _, block in groupby(enumerate(comments), key=lambda numbered: numbered[1].start[0] - numbered[0]):
        yield "\n".join(comment.string for _, comment in block)


def references_of(text):
    """Return the sections that a text refers to; `sections 5 to 8` are four. Without the word "dossier", none."""
    if not re.search(r"\bdossier\b", text, re.IGNORECASE):
        return []
    plain = OTHER_DOCUMENT.sub(" ", re.sub(r"\s*\n[ \t]*#?:?[ \t]*", " ", text))
    found = []
    for match in REFERENCE.finditer(plain):
        found += re.findall(NUMBER, match[1])
        for first, last in re.findall(r"\b(\d+) to (\d+)\b", match[1]):
            found += map(str, range(int(first), int(last) + 1))
    return found


@functools.cache
def texts_about_the_dossier():
    """Return the texts of all files that name the dossier, each with the name of its file."""
    sources = [(path, path.read_text("utf-8")) for path in SOURCES]
    naming = [(path, source) for path, source in sources if "dossier" in source.lower()]
    return [(name_of(path), text) for path, source in naming for text in texts_of(source, path.suffix)]


def test_every_reference_to_the_dossier_resolves():
    numbers = numbers_of(DOSSIER.read_text("utf-8"))
    references = [(name, number) for name, text in texts_about_the_dossier() for number in references_of(text)]
    assert len(references) > 150
    assert [(name, number) for name, number in references if number not in numbers] == []


def test_references_to_the_dossier_have_one_form():
    bare = [(name, match[0]) for name, text in texts_about_the_dossier() for match in BARE.finditer(text)]
    assert bare == [], 'write "dossier section N"'


def test_the_sections_of_assumptions_and_golden_pages_exist():
    numbers = numbers_of(DOSSIER.read_text("utf-8"))
    named = {assumption.dossier for assumption in ASSUMPTIONS}
    for path in (ROOT / "tests" / "golden" / "pages").glob("*.json"):
        named |= set(json.loads(path.read_text("utf-8"))["dossier"])
    assert len(named) > 30
    assert named <= numbers


def test_the_dossier_has_all_its_sections():
    numbers = numbers_of(DOSSIER.read_text("utf-8"))
    assert {number for number in numbers if "." not in number} == {str(n) for n in range(1, 22)}
    assert {n for n in numbers if n.startswith("18.")} == {f"18.{n}" for n in range(1, 24)}
    assert {n for n in numbers if n.startswith("19.")} == {f"19.{n}" for n in range(1, 14)}


def test_numbers_are_those_of_headings_and_items():
    assert numbers_of("# 7. Title\n## 1. One\n- 2 fact\n## 2. Two\n1. item\n   3 lines\n2. item\n") == {
        "1",
        "2",
        "2.1",
        "2.2",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(dossier section 2)", ["2"]),
        ("Dossier sections 2 and 18.19: x", ["2", "18.19"]),
        ("dossier sections 5, 6 and 9", ["5", "6", "9"]),
        ("The forms follow the site dossier: the head (section 4),\n    the foot (section 8)", ["4", "8"]),
        ("# one (dossier\n# section 99)", ["99"]),
        ("#: dossier\n#: section 99", ["99"]),
        ("dossier sections 5 to 7", ["5", "7", "5", "6", "7"]),
        ("section 3 of another document", []),
        ("RFC 9309, section 2.3.1.2 and the dossier", []),
        ("une section 3 des dossiers", []),
    ],
)
def test_references_are_found(text, expected):
    assert references_of(text) == expected


def test_references_are_found_in_docstrings_strings_and_comments():
    source = (
        '"""A (dossier\nsection 1)."""\nx = "dossier section 2"  # dossier section 3\n'
        "\n# dossier\n# section 4\n\n# section 5\n"
    )
    found = [number for text in texts_of(source, ".py") for number in references_of(text)]
    assert found == ["1", "2", "3", "4"]


def test_a_reference_without_the_word_section_is_found():
    assert BARE.search("(dossier 18.20)")
    assert not BARE.search("(dossier section 18.20)")


# --- links and paths --------------------------------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED_PATH = re.compile(
    r"(?<![\w/.~-])((?:crawler|tests|docs|config|seeds|benchmarks|\.ci)/[\w./*-]*\w/?|run\.sh)(?:::(\w+))?"
)
#: In a path, a word in capitals stands for a name that the reader chooses: `cases_NAME.py`.
PLACEHOLDER = re.compile(r"(?<![A-Za-z])[A-Z]{2,}(?![A-Za-z])")
#: Folders that a reader or a program creates.
CREATED = {"config/markups", "tests/fuzz/found/"}


def without_code(text):
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def links_of(text):
    """Return the targets of relative links, without fragments; code blocks have none."""
    targets = [target.partition("#")[0] for target in LINK.findall(without_code(text))]
    return [target for target in targets if target and not re.match(r"\w+:", target)]


def anchors_of(text):
    """Return the anchors of the headings of a page, formed as on GitHub."""
    headings = re.findall(r"^#+ (.*)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text, folder):
    return [target for target in links_of(text) if not (folder / target).exists()]


def broken_anchors(text, page):
    """Return the links to a heading of this or another page that does not exist."""
    broken = []
    for target in LINK.findall(without_code(text)):
        name, _, anchor = target.partition("#")
        other = page.parent / name if name else page
        if anchor and "://" not in target and other.is_file():
            content = text if other == page else other.read_text("utf-8")
            if anchor not in anchors_of(content):
                broken.append(target)
    return broken


def missing_paths(text):
    """Return the quoted paths that do not exist. A pattern must match a file, and a test must be in its file."""
    missing = []
    for quoted, test in QUOTED_PATH.findall(text):
        if quoted in CREATED or PLACEHOLDER.search(Path(quoted).name.replace("README", "")):
            continue
        found = sorted(ROOT.glob(quoted.rstrip("/")))
        if not found or (test and not any(f"def {test}(" in path.read_text("utf-8") for path in found)):
            missing.append(f"{quoted}::{test}" if test else quoted)
    return missing


def test_every_relative_link_leads_somewhere():
    assert sum(len(links_of(page.read_text("utf-8"))) for page in PAGES) > 40
    broken = {name_of(page): broken_links(page.read_text("utf-8"), page.parent) for page in PAGES}
    assert {name: links for name, links in broken.items() if links} == {}


def test_every_link_to_a_heading_leads_to_one():
    broken = {name_of(page): broken_anchors(page.read_text("utf-8"), page) for page in PAGES}
    assert {name: links for name, links in broken.items() if links} == {}


def test_every_quoted_path_exists():
    assert sum(len(QUOTED_PATH.findall(page.read_text("utf-8"))) for page in PAGES) > 100
    missing = {name_of(page): missing_paths(page.read_text("utf-8")) for page in PAGES}
    assert {name: paths for name, paths in missing.items() if paths} == {}


def names_in(text):
    """Return the names of code that a document quotes, such as `Archive.claim`; of paths and options there are none."""
    quoted = re.findall(r"`([A-Za-z_][\w.]*)`", without_code(text))
    return {part for name in quoted for part in name.split(".")}


def test_the_names_in_the_architecture_exist():
    """They are looked up as words in the source, so that the page cannot keep the old name of what was renamed."""
    known = set()
    for path in (*(ROOT / "crawler").rglob("*.py"), ROOT / "tests" / "test_layers.py"):
        known |= set(re.findall(r"\w+", path.read_text("utf-8"))) | set(path.relative_to(ROOT).with_suffix("").parts)
    names = names_in((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    assert len(names) > 50
    assert names - known == set()


def test_names_are_found():
    assert names_in("`Archive.claim`, `fetch` and `crawler/urls.py`, `-v`\n```\n`code`\n```\n") == {
        "Archive",
        "claim",
        "fetch",
    }


def unreachable(pages, start):
    """Return the pages that no chain of links from `start` leads to. `pages`: the text of each page by its path."""
    reached, todo = set(), [start]
    while todo:
        page = todo.pop()
        if page in pages and page not in reached:
            reached.add(page)
            todo += [(page.parent / target).resolve() for target in links_of(pages[page])]
    return set(pages) - reached


def test_every_document_can_be_reached_from_the_readme():
    start = (ROOT / "README.md").resolve()
    pages = {page.resolve(): page.read_text("utf-8") for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))}
    assert {page.name for page in unreachable(pages, start)} == set()


def test_a_broken_link_is_found():
    text = "[a](../README.md#x) [b](missing.md) [c](https://example.org/d.md) [d](#part)\n```\n[e](code.md)\n```\n"
    assert broken_links(text, ROOT / "docs") == ["missing.md"]


def test_a_broken_anchor_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# The `first` part\n")
    page = tmp_path / "page.md"
    text = "## Here\n[a](#here) [b](#there) [c](other.md#the-first-part) [d](other.md#second)"
    page.write_text(text)
    assert broken_anchors(text, page) == ["#there", "other.md#second"]


@pytest.mark.parametrize(
    "text",
    [
        "`crawler/missing.py`",
        "see tests/missing/.",
        "`tests/test_missing_*.py`",
        "`docs/missing.md`, then",
        "`tests/test_docs.py::test_that_is_missing`",
    ],
)
def test_a_missing_path_is_found(text):
    assert len(missing_paths(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`crawler/urls.py`, `tests/golden/`.",
        "`crawler/markups/*.toml`",
        "`tests/golden/cases_NAME.py`",
        "`tests/golden/README.md`",
        "`tests/test_docs.py::test_a_missing_path_is_found`",
        "/etc/crawler/missing.toml and other-tests/missing.py",
    ],
)
def test_an_existing_path_is_not_missing(text):
    assert missing_paths(text) == []


def test_an_unreachable_page_is_found():
    pages = {Path("/a.md"): "[b](docs/b.md)", Path("/docs/b.md"): "[a](../a.md)", Path("/docs/c.md"): "[b](b.md)"}
    assert unreachable(pages, Path("/a.md")) == {Path("/docs/c.md")}
