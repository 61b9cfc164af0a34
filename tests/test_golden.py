"""Every golden page gives the expected result that is stored with it (see tests/golden/README.md)."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

import pytest

from crawler import lexicon, markup
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.parse.page import parse_page
from crawler.records import article_json
from crawler.repair import repair

GOLDEN = Path(__file__).parent / "golden"
LAYOUTS = sorted((Path(markup.__file__).parent / "markups").glob("*.toml"))
MARKUPS = markup.load_all((path.name, path.read_text(encoding="utf-8")) for path in LAYOUTS)
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((GOLDEN / "pages").glob("*.json"))}

LEXICON = lexicon.load()

ARTICLE, NOT_AN_ARTICLE, DRIFT = 0, 3, 4
#: The fields of an article's JSON, which scripts depend on.
FIELDS = {
    "id", "post_id", "url", "kind", "section", "title", "lead", "blocks", "dateline", "signature", "byline", "tags",
    "published_at", "published_raw", "modified_at", "related", "text", "clean", "repairs", "markup", "provenance", "problems",
    "word_count",
}  # fmt: skip
BLOCK_TYPES = {"paragraph", "heading", "quote", "list_item", "table", "image", "note"}
KINDS = {"article", "photo", "video", "infographic"}


def parse(body, url, content_type, fetched_at):
    """Parse a page as `vna parse` does. Only this function calls the parser."""
    return parse_page(body, url, content_type=content_type, fetched_at=fetched_at, markups=MARKUPS)


def as_json(article):
    """Return the JSON object that `vna parse` prints for an article."""
    return json.loads(json.dumps(article_json(article, reading=repair(article.text, LEXICON))))


def read(case):
    """Return the exit code of `vna parse`, the article as JSON (or None) and the error (or None)."""
    body = gzip.decompress((GOLDEN / "pages" / f"{case}.html.gz").read_bytes())
    about = CASES[case]
    try:
        article = parse(body, about["url"], about["content_type"], datetime.fromisoformat(about["fetched_at"]))
    except NotAnArticle as error:
        return NOT_AN_ARTICLE, None, error
    except MarkupDrift as error:
        return DRIFT, as_json(error.article), error
    return ARTICLE, as_json(article), None


def matches(expected, actual):
    """Whether `actual` matches `expected`: equal, except that an object may have additional keys.

    An empty alt or summary may be null or "".
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(
            key in actual
            and (matches(value, actual[key]) or (key in {"alt", "summary"} and not value and not actual[key]))
            for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(matches, expected, actual))
    return type(expected) is type(actual) and expected == actual


def is_subsequence(expected, actual):
    remaining = iter(actual)
    return all(any(matches(item, other) for other in remaining) for item in expected)


def as_text(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def at(record, path):
    for key in path.split("."):
        record = record[key]
    return record


def difference(expected, actual):
    """Describe a difference; for two lists, only the first item that differs."""
    if isinstance(expected, list) and isinstance(actual, list):
        for n, (one, other) in enumerate(zip_longest(expected, actual, fillvalue="nothing")):
            if not matches(one, other):
                return f"item {n}: expected {one!r}, got {other!r}"
    return f"expected {expected!r}, got {actual!r}"


def differences(about, record):
    """Describe every difference between a case and the parsed article."""
    wrong = [
        f"{key}: {difference(value, record[key])}"
        for key, value in about["expect"].items()
        if not matches(value, record[key])
    ]
    for key, parts in about.get("contains", {}).items():
        wrong += [f"{key} does not contain {part!r}" for part in parts if part not in as_text(record[key])]
    for key, parts in about.get("excludes", {}).items():
        wrong += [f"{key} contains {part!r}" for part in parts if part in as_text(record[key])]
    for key, instant in about.get("same_instant", {}).items():
        if record[key] is None or datetime.fromisoformat(record[key]) != datetime.fromisoformat(instant):
            wrong.append(f"{key}: expected the time {instant}, got {record[key]!r}")
    wrong += [f"{path} is empty" for path in about.get("present", ()) if not at(record, path)]
    if about.get("problems") and not record["problems"]:
        wrong.append("no problem was reported")
    prefix = about.get("related_prefix")
    if prefix is not None and not matches(prefix, record["related"][: len(prefix)]):
        wrong.append(f"related does not start with the expected stories: {record['related']!r}")
    if not is_subsequence(about.get("related_among", ()), record["related"]):
        wrong.append(f"related does not contain the expected stories: {record['related']!r}")
    return wrong


@pytest.mark.parametrize("case", CASES)
def test_page_gives_the_expected_result(case):
    about = CASES[case]
    code, record, error = read(case)
    assert code == about["exit"], f"{about['about']}: {error or 'parsed as an article'}"
    for part in about.get("missing_contains", ()):
        assert part in error.missing
    if code == NOT_AN_ARTICLE:
        assert error.reason
        assert about.get("reason_contains", "").lower() in error.reason.lower()
        return
    wrong = differences(about, record)
    assert not wrong, "\n".join([about["about"], *wrong])


@pytest.mark.parametrize("case", [name for name, about in CASES.items() if about["exit"] == ARTICLE])
def test_article_json_has_the_documented_fields(case):
    record = read(case)[1]
    assert record.keys() == FIELDS
    assert record["kind"] in KINDS
    assert {block["type"] for block in record["blocks"]} <= BLOCK_TYPES
    for block in record["blocks"]:
        expected = {"type", "url", "alt", "caption", "credit"} if block["type"] == "image" else {"type", "text"}
        assert block.keys() == expected
        assert block.get("text", "x").strip(), "empty block"
    assert all(item.keys() == {"post_id", "url", "title", "summary", "caption"} for item in record["related"])
    body = [
        block["text"] for block in record["blocks"] if block["type"] in {"paragraph", "heading", "quote", "list_item"}
    ]
    assert record["text"] == "\n\n".join(body)
    assert record["published_at"] or record["problems"], "published_at is missing, but no problem was reported"


def test_pages_cover_every_field_block_type_and_exit_code():
    expects = [about["expect"] for about in CASES.values()]
    checked = {key for expect in expects for key in expect}
    for about in CASES.values():
        checked |= {path.split(".")[0] for path in about.get("present", ())}
    assert checked >= FIELDS, f"no page checks {FIELDS - checked}"
    assert {block["type"] for expect in expects for block in expect.get("blocks", ())} == BLOCK_TYPES
    assert {expect["kind"] for expect in expects if "kind" in expect} == KINDS
    assert {about["exit"] for about in CASES.values()} == {ARTICLE, NOT_AN_ARTICLE, DRIFT}


def test_pages_cover_every_layout():
    checked = {about["expect"].get("markup") for about in CASES.values()}
    assert {layout.name for layout in MARKUPS} <= checked


def test_pages_cover_the_edge_cases_of_the_dossier():
    named = {number for about in CASES.values() for number in about["dossier"]}
    pages = {4, 5, 6, 7, 8, 14, 15, 16} | {
        f"18.{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 16, 17, 18, 19, 20, 21, 22)
    }
    assert {str(number) for number in pages} <= named


def test_pages_are_up_to_date(tmp_path):
    subprocess.run([sys.executable, GOLDEN / "make_pages.py", tmp_path], check=True, capture_output=True)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {path.name for path in (GOLDEN / "pages").iterdir()}
    for path in tmp_path.iterdir():
        stored, new = (GOLDEN / "pages" / path.name).read_bytes(), path.read_bytes()
        if path.suffix == ".gz":  # the compressed bytes depend on the zlib version
            stored, new = gzip.decompress(stored), gzip.decompress(new)
        assert stored == new, f"{path.name} is out of date: run tests/golden/make_pages.py"
