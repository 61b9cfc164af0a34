"""JSON of the site: characters and numbers that cannot be stored, repeated keys, and documents that are refused."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.parse import json_text

HALVES = "halves of characters or NUL, read as U+FFFD"
DAMAGED = "bytes that are not utf-8, read as U+FFFD"
VALUES = {
    "first half of a character": (r'"a\ud83d"', "a\ufffd", [HALVES]),
    "second half of a character": (r'"\ude00a"', "\ufffda", [HALVES]),
    "halves in the wrong order": (r'"\ude00\ud83d"', "\ufffd\ufffd", [HALVES]),
    "both halves": (r'"\ud83d\ude00"', "😀", []),
    "escaped backslash before the letters": (r'"\\ud83d"', r"\ud83d", []),
    "half of a character in a key": (r'{"\ud83d": 1}', {"\ufffd": 1}, [HALVES]),
    "half of a character in a list in an object": (r'{"a": [["\ud83d"]]}', {"a": [["\ufffd"]]}, [HALVES]),
    "half of a character as bytes": (b'"a\xed\xa0\xbd"', "a\ufffd\ufffd\ufffd", [DAMAGED]),
    "half of a character without an escape": ('"\ud83d"', "\ufffd", [HALVES]),
    "NUL": (r'"a\u0000b"', "a\ufffdb", [HALVES]),
    "other control characters": ('"a\\u0001\nb"', "a\x01\nb", []),
    "noncharacter": (r'"\uFFFE"', "\ufffe", []),
    "damaged bytes": ('"é'.encode()[:-1] + b'"', "\ufffd", [DAMAGED]),
    "Latin-1 bytes": ('["é", "café"]'.encode("latin-1"), ["\ufffd", "caf\ufffd"], [DAMAGED]),
    "damaged bytes and half of a character": (b'"\xe9\\ud83d"', "\ufffd\ufffd", [DAMAGED, HALVES]),
    "U+FFFD in the document": ('"\ufffd"', "\ufffd", []),
    "UTF-16 bytes": ('"é"'.encode("utf-16"), "é", []),
    "NaN and infinite": ("[NaN, Infinity, -Infinity]", [None, None, None], []),
    "number too large for a float": ("1e999", "1e999", []),
    "large number": ("9" * 18, int("9" * 18), []),
    "number too large to convert": ("9" * 5000, "9" * 5000, []),
    "repeated key": ('{"a": 1, "a": 2}', {"a": 2}, ["several values of 'a', the last one is used"]),
    "repeated key, equal values": ('{"a": 1, "a": 1}', {"a": 1}, []),
    "brackets in a string": (json.dumps("[" * 500 + '"'), "[" * 500 + '"', []),
    "nested up to the limit": ("[" * 100 + "]" * 100, json.loads("[" * 100 + "]" * 100), []),
}


@pytest.mark.parametrize(("source", "expected", "problems"), VALUES.values(), ids=VALUES)
def test_load(source, expected, problems):
    loaded = json_text.load(source)
    assert loaded.value == expected
    assert list(loaded.problems) == problems
    assert loaded.has_lost_characters == (DAMAGED in problems or HALVES in problems)


REFUSED = {
    "truncated": '{"a": ',
    "empty": "",
    "nested too deeply": "[" * 101 + "]" * 101,
    "nested, not closed": '{"a":' * 100_000,
    "too large": " " * 4_000_000 + "1",
    "bytes that are no text": b"\xff",
}


@pytest.mark.parametrize("source", [b'\xef\xbb\xbf{"a": 1}', '\ufeff{"a": 1}', '\ufeff{"a": 1}'.encode("utf-16-le")])
def test_a_byte_order_mark_is_skipped(source):
    assert json_text.load(source).value == {"a": 1}


def test_text():
    assert [json_text.text(value) for value in ("a", None, 1, [])] == ["a", "", "", ""]


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_other_documents_are_refused(source):
    with pytest.raises(ValueError):
        json_text.load(source)


def test_the_deepest_document_is_read_from_a_deep_call():
    """Otherwise it would depend on the caller whether a page can be read, and a rebuild could differ."""

    def deep(levels):
        return deep(levels - 1) if levels else json_text.load("[" * 100 + r'"\ud83d"' + "]" * 100)

    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    assert deep(sys.getrecursionlimit() - used - 250).problems == (HALVES,)


ANYTHING = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@settings(max_examples=80, deadline=None)
@given(ANYTHING)
def test_every_value_can_be_stored(value):
    json.dumps(json_text.load(json.dumps(value)).value, ensure_ascii=False).encode()


def test_a_document_of_too_many_values_is_refused():
    with pytest.raises(ValueError, match="more than 300000 values"):
        json_text.load("[" + "0," * 300_000 + "0]")
