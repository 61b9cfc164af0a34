"""Characters that are shown as escapes, and credentials that are redacted."""

from __future__ import annotations

import json
import time

import pytest

from crawler import redact, visible
from crawler.errors import ConfigError, Unreachable

# --- characters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\x08\x08b\x7f", r"a\x08\x08b\x7f"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("a\x00\x85", r"a\x00\x85"),
        ("\u202eabc\u2066\u200e\u061c", r"\u202eabc\u2066\u200e\u061c"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\ud83d", r"\ud83d"),
        ("\ue000\ufeff\uffff", r"\ue000\ufeff\uffff"),
        ("\U000e0041\U0010ffff", r"\U000e0041\U0010ffff"),
        ("z" + "\u0301" * 6, "z" + "\u0301" * 4 + r"\u0301\u0301"),
        ("z" + "\u0301\u200d" * 6, "z" + "\u0301\u200d" * 4 + "\\u0301\u200d" * 2),
    ],
)
def test_what_a_terminal_would_interpret_is_an_escape(text, shown):
    assert visible.line(text) == shown
    assert visible.line(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Été à Huế, « ça » œuvre — 5 €",
        "Vie\u0323\u0302t Nam",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001fae9",
        "1\u00a0000\u202f000 co\u00adop a\u200bb",
        "עברית العربية ไทย 한국어 中文",
        r"C:\x1b [red] :smile:",
    ],
)
def test_letters_accents_emoji_and_spaces_stay(text):
    assert visible.line(text) == text
    assert visible.block(text) == text


def test_a_block_keeps_its_lines():
    assert visible.block("a\n\tb\r\x0b\x0c") == "a\n\tb\\r\\x0b\\x0c"


def test_a_long_line_is_cut_with_a_mark():
    assert visible.line("x" * 20, 10) == "x" * 10 + "… (20 characters)"
    assert visible.line("x" * 10, 10) == "x" * 10


def test_json_is_safe_to_print_and_exact():
    value = {"é": "\x1b\x7f\x9b\u202e\u2028\U000e0041\ud83d\n", "n": [1, None]}
    for options in ({}, {"indent": 1}, {"ascii_only": True}):
        text = visible.json_text(value, **options)
        assert json.loads(text) == value
        assert visible.block(text) == text
    assert "é" in visible.json_text(value)


# --- credentials ------------------------------------------------------------------------------------------------------

MALFORMED = [
    "mailto://user:PASSWORD@host",
    "mailto//user:PASSWORD@host",
    "mailto:user:PASSWORD@host",
    "mailto:/user:PASSWORD@host",
    "mailto:///user:PASSWORD@host",
    "https:\\\\user:PASSWORD@host/x",
    "user:PASSWORD@host",
    "//user:PASSWORD@host",
    "https://user:PASS@WORD@host",
    "https://user:PASS/WORD@host",
    "https://user:PASS?WORD@host",
    "https://user:PASS#WORD@host",
    "https://user:PASS WORD@host",
    "https://user:PASS\nWORD@host",
    "https://user:PASS%40WORD@host",
    "https://user:PASS%3AWORD@[::1]:80/x",
    "https://user:PASSWORD@[::1/x",
    "https://user:PASS'WORD@host",
    'https://user:PASS"WORD@host',
    "https://user:PASSWORD\uff20host/",
    "https://user\uff1aPASSWORD@host/",
    "https://üser:PASSWORDß@hôst/",
    "https://PASSWORD@host",
    "https://:PASSWORD@host",
    "https://user:@PASSWORD@host",
    "HTTPS://USER:PASSWORD@HOST",
    "mailto://us er:PASSWORD@host",
    "https://user:12/PASSWORD@host",
    "https://user:PA:SS:WORD@host:99/p",
    "https://a.b/?u=https%3A%2F%2Fuser%3APASSWORD%40host",
    "netloc 'user:PASSWORD\uff20h' contains invalid characters under NFKC normalization",
    "{'authorization': 'Basic PASSWORD=='}",
    "Authorization: Bearer PASSWORD",
    'Authorization: Digest username="u", response="PASSWORD"',
    "(b'Proxy-Authorization', b'Basic PASSWORD')",
    "Set-Cookie: a=PASSWORD; b=PASSWORD",
    "AUTH PLAIN PASSWORD==",
    "https://h.fr/?token=PASSWORD&x=1",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_credentials_are_redacted_in_malformed_addresses_and_headers(text):
    shown = redact.redacted(f"cannot use {text}")
    assert "PASS" not in shown
    assert "WORD" not in shown
    assert shown.startswith("cannot use ")


@pytest.mark.parametrize(
    "text",
    [
        "https://fr.vietnamplus.vn/a@b-post1.vnp",
        "http://127.0.0.1:8080/x@y",
        "https://[::1]:80/a@b",
        "2026-01-01T10:00:00Z INFO new: 1 Titre (https://h/x, run 1)",
        "http://127.0.0.1:80: no response; write to a@b.fr",
        "write to veille@bibliotheque.fr",
        'such as ["mailto://user:password@your.domain"]',
    ],
)
def test_other_texts_stay(text):
    assert redact.redacted(text) == text


def test_known_secrets_are_redacted_wherever_they_are():
    secrets = redact.secrets_of("smtp://archive:Se:sa@m!@post.fr/x", host="post.fr")
    assert (
        redact.redacted("archive: Se:sa@m! at post.fr, YXJjaGl2ZTpTZTpzYUBtIQ==", secrets) == "***: *** at post.fr, ***"
    )
    found = redact.secrets_of("mailto://me:pw12@h.fr?to=a@b.fr", host="h.fr")
    assert {"pw12", "bWU6cHcxMg=="} <= found, "a password may be short, and its address may contain another @"
    assert redact.secrets_of("a:b", host=None) == {"a:b"}


@pytest.mark.parametrize("text", ["://", "a:", ":@", "://a:b ", "a:b@", "authorization:", "%3a%2f%2f", "://u:x@", "@"])
def test_the_time_grows_with_the_length_of_the_text(text):
    start = time.process_time()
    redact.redacted(text * (200_000 // len(text)))
    assert time.process_time() - start < 5  # 0.1 to 0.7 s; with a quadratic pattern, minutes


def test_the_message_of_an_error_is_safe_to_print():
    bad = "https://me:PASSWORD@h.fr/\x1b[31m\u202e"
    stop, page = ConfigError(f"a\nb {bad}", bad), Unreachable(bad, f"c {bad}")
    page.__cause__ = ValueError(f"d\n{bad}")
    for text in (str(stop), stop.hint, str(page)):
        assert "PASSWORD" not in text
        assert r"https://***@h.fr/\x1b[31m\u202e" in text
    assert str(stop).startswith("a\nb")
    assert ": d https" in str(page)


def test_the_texts_in_a_json_value_are_redacted():
    value = {"a": ["user:PASSWORD@host", 1, None, ("https://u:PASSWORD@h.fr/",)]}
    assert redact.in_values(value) == {"a": ["***@host", 1, None, ["https://***@h.fr/"]]}
