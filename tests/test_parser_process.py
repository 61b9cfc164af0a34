"""The parser process: the same results as in this process, its limits, and what a run does when it is stopped."""

from __future__ import annotations

import gzip
import stat
import sys
from dataclasses import replace
from datetime import datetime

import pytest
from support import MARKUPS, NOW, ROOT, SITE, FakeClock, assert_intact, edited, mounted, poll, rows, value, vna, working
from test_bugs import failing_conditions
from test_captures import WarcBuilder, import_files
from test_guard import HARMLESS, HAZARDS
from test_hostile_addresses import SMALL

from crawler.discover import Discovery
from crawler.errors import (
    EmptySource,
    MarkupDrift,
    NotAnArticle,
    ParserStopped,
    SourceMoved,
    SourceReaderStopped,
    StopError,
    UnreadableSource,
    UnsafeSource,
)
from crawler.parser_process import child, discover, parent, parse_page, values
from crawler.parser_process.requests import Answer, ListRequest, PageRequest, ParserBug, read, result_of
from crawler.pipeline import reparse
from crawler.sim.site import SiteRequest, build
from crawler.site import Site
from crawler.types import Article, ErrorKind, SourceForPoll, SourceFound

URL = f"{SITE}/le-titre-post245060.vnp"
LARGE = b"<!--" + b"x" * 230_000 + b"-->"
PAGES = sorted((ROOT / "tests" / "golden" / "pages").glob("*.html.gz"))


def page_request(url=URL):
    return PageRequest(url, None, NOW, MARKUPS, Site())


def list_request(kind, url=f"{SITE}/x", asked=None):
    return ListRequest(SourceForPoll(f"{SITE}/x", kind, None, "ok", 0, None, None), url, Site(), NOW, asked)


def outcome(function, *arguments):
    """Return the result of a function, or everything that code or people can see of its exception."""
    try:
        return function(*arguments)
    except (NotAnArticle, MarkupDrift, UnreadableSource) as error:
        return type(error), str(error), {k: v for k, v in vars(error).items() if not k.startswith("__")}


def answered(request, body):
    """Read as the parser process does, and return what arrives."""
    return result_of(values.from_bytes(values.to_bytes(child._answer(request, body)), Answer))


def test_each_golden_page_is_cheap_and_arrives_equal():
    for number, path in enumerate(PAGES):
        body = gzip.decompress(path.read_bytes())
        assert parent._is_cheap_page(body), path
        if number % 5 == 0:
            assert outcome(answered, page_request(), body) == outcome(read, page_request(), body), path


@pytest.fixture(scope="module")
def site():
    return build(SITE, seeds_dir=ROOT / "seeds", articles=8, now=lambda: NOW)


LISTS = {
    "home": "/", "section": "/politique/", "feed_index": "/rss.html", "feed": "/rss/politique.rss", "sitemap": "/sitemaps/news-2026-11.xml",
    "sitemap_index": "/sitemap.xml", "news_sitemap": "/sitemaps/google-news.xml", "list": "/api/morenews-zone-1-0.html",
}  # fmt: skip


@pytest.mark.parametrize("kind", LISTS)
def test_each_list_of_the_site_is_cheap_and_arrives_equal(site, kind):
    body = site.respond(SiteRequest("GET", LISTS[kind])).decoded
    assert parent._is_cheap_list(kind, body)
    for changed in (body, b"", b"<html>", b'{"error_code": 1, "error_message": "x"}', body.replace(b"<", b"&")):
        for url, asked in ((f"{SITE}/x", None), (f"{SITE}/elsewhere/", f"{SITE}/x")):
            request = list_request(kind, url, asked)
            assert outcome(answered, request, changed) == outcome(read, request, changed)


def test_the_seeds_as_pages_are_cheap(site):
    bodies = [site.respond(SiteRequest("GET", site.story(post_id).path)).decoded for post_id in site.ids()]
    assert len(bodies) > 10
    assert all(map(parent._is_cheap_page, bodies))
    long_article = bodies[0].replace(b"</p>", b" Une phrase de plus." * 300 + b"</p>", 10)
    assert len(long_article) > 60_000
    assert parent._is_cheap_page(long_article)


@pytest.mark.parametrize("page", HAZARDS.values(), ids=HAZARDS)
def test_a_hazard_is_expensive(page):
    body = page.encode("utf-8", "ignore")
    assert not parent._is_cheap_page(body)
    assert not parent._is_cheap_list("home", body)


@pytest.mark.parametrize("escape", ["<", "\\u003c", "\\u003C"])
def test_html_in_json_is_measured_without_its_escapes(escape):
    fragment = f"{escape}b>{escape}p>" * 11_000
    body = f'{{"data": {{"articles": "{fragment}"}}}}'.encode()
    assert not parent._is_cheap_list("list", body)
    assert not parent._is_cheap_list("list", body.decode().encode("utf-16"))
    assert parent._is_cheap_list("list", body[:2000])


# --- the real process -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (page_request(), f"<div>{HARMLESS['3.1 MB of paragraphs']}</div>".encode()[:300_000]),
        (list_request("home"), b'<a href="/un-titre-post8.vnp">Un titre</a>' * 6_000),
        (list_request("section"), b"<p>" * 70_000),
    ],
    ids=["page", "home", "empty section"],
)
def test_an_expensive_response_is_read_in_the_parser_process(request_, body):
    assert outcome(parent._read_apart, request_, body) == outcome(read, request_, body)


def test_an_expensive_article_is_read_in_the_parser_process(site):
    body = site.respond(SiteRequest("GET", site.story(site.ids()[0]).path)).decoded + LARGE
    url = SITE + site.story(site.ids()[0]).path
    article = parse_page(body, url, content_type=None, fetched_at=NOW, markups=MARKUPS)
    assert isinstance(article, Article)
    assert article == read(page_request(url), body)
    home = site.respond(SiteRequest("GET", "/")).decoded + LARGE
    request = list_request("home", f"{SITE}/")
    found = discover(request.source, home, request.url, Site(), NOW)
    assert isinstance(found, Discovery)
    assert (found.sightings, found.sources) == (read(request, home).sightings, read(request, home).sources)


PARAGRAPHS = ("<!doctype html><p>" + "<p>Une phrase." * 100_000).encode()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"cpu": 1}, "1 s of CPU time"),
        ({"memory": 70_000_000}, "of memory"),
        ({"wall": 0.01}, "stopped after"),
        ({"result": 10}, "for the result"),
    ],
    ids=str,
)
def test_the_parser_process_is_stopped_at_its_limits(monkeypatch, limits, message):
    monkeypatch.setattr(parent, "LIMITS", replace(parent.Limits(), **limits))
    body = {"cpu": COSTLY, "memory": PARAGRAPHS}.get(next(iter(limits)), b"<p>")
    with pytest.raises(parent._Stopped, match=message):
        parent._read_apart(page_request(), body)


COSTLY = (f"<p {' '.join(f'a{n}=1' for n in range(45_000))}>").encode()  # 45,000 attributes of one tag take 3 s


def interpreter(monkeypatch, folder, script):
    """Replace the interpreter of the parser process by a shell script."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(path))


CRASH = "kill -SEGV $$"
UNREADABLE = [
    "echo x", "echo '{}'", "echo '[]'", "echo null", """echo '{"article": null, "discovery": null, "failure": null}'""",
    """echo '{"article": {"title": 1}, "discovery": null, "failure": null}'""", "printf '\\377'", "yes [ | head -c 100000", "exit 0",
]  # fmt: skip


@pytest.mark.parametrize("script", [CRASH, "kill -KILL $$", "kill -ABRT $$", *UNREADABLE])
def test_a_crash_or_a_false_answer_is_an_expected_error(monkeypatch, tmp_path, script):
    interpreter(monkeypatch, tmp_path, script)
    with pytest.raises(ParserStopped, match="parser process") as stopped:
        parse_page(LARGE, URL, content_type=None, fetched_at=NOW, markups=MARKUPS)
    assert stopped.value.kind == ErrorKind.BUG
    request = list_request("home")
    with pytest.raises(SourceReaderStopped, match="parser process"):
        discover(request.source, LARGE, request.url, Site(), NOW)


def test_an_unexpected_exception_and_a_wrong_installation_are_bugs(monkeypatch, tmp_path):
    with pytest.raises(ParserBug, match=r"Traceback[\s\S]*AttributeError"):
        parent._read_apart(replace(page_request(), markups=[None]), b"<p>x" * 20)
    interpreter(monkeypatch, tmp_path, "echo no module >&2; exit 1")
    with pytest.raises(RuntimeError, match="no module"):
        parent._read_apart(page_request(), LARGE)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(StopError, match="cannot be started"):
        parent._read_apart(page_request(), LARGE)


def test_the_parser_process_gets_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    interpreter(monkeypatch, tmp_path, f"/usr/bin/env > {tmp_path}/environment; pwd >> {tmp_path}/environment; {CRASH}")
    with pytest.raises(ParserStopped):
        parse_page(LARGE, URL, content_type=None, fetched_at=NOW, markups=MARKUPS)
    text = (tmp_path / "environment").read_text()
    assert "secret" not in text
    assert "PYTHONPATH=" in text
    assert text.splitlines()[-1] == "/"


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_after_the_parser_process_crashed_on_an_article(monkeypatch, tmp_path):
    clock, archive = FakeClock(), tmp_path / "a"
    with mounted(clock, articles=3, options=SMALL) as site:
        published = set(site.fake_site.ids())
        victim = max(published)
        site.edit = edited(site.fake_site.story(victim).path, lambda body: body + LARGE)
        with monkeypatch.context() as patched:
            interpreter(patched, tmp_path, CRASH)
            poll(archive, clock)
        assert {row["id"] for row in rows(archive, "SELECT id FROM articles")} == published - {victim}
        (page,) = rows(archive, "SELECT state, error, error_kind, next_due_at FROM pages WHERE id = ?", victim)
        assert (page["state"], page["error_kind"]) == ("rejected", ErrorKind.BUG)
        assert page["error"].endswith("the parser process crashed with the signal SIGSEGV")
        assert page["next_due_at"] is not None
        assert [condition.kind for condition in failing_conditions(archive, clock)] == ["bug"]
        with working(archive, clock, role="read") as run:
            assert reparse(run).newly_read == 1, "the archived page can be read now"
        assert failing_conditions(archive, clock) == []
        with monkeypatch.context() as patched:
            interpreter(patched, tmp_path, CRASH)
            clock.advance(hours=12)
            poll(archive, clock, everything=True)
        (page,) = rows(archive, "SELECT state, error_kind FROM pages WHERE id = ?", victim)
        assert page == {"state": "live", "error_kind": ErrorKind.BUG}
        assert value(archive, "SELECT state FROM articles WHERE id = ?", victim) == "live", "the held article is kept"
    assert_intact(archive)


def test_a_run_goes_on_after_the_parser_process_crashed_on_lists(monkeypatch, tmp_path):
    clock, archive = FakeClock(), tmp_path / "a"
    with mounted(clock, articles=3, options=SMALL) as site:
        published = set(site.fake_site.ids())

        def edit(request, response):
            is_html = (response.header("Content-Type") or "").startswith("text/html") and "post" not in request.path
            return edited(request.path, lambda body: body + LARGE)(request, response) if is_html else response

        site.edit = edit
        with monkeypatch.context() as patched:
            interpreter(patched, tmp_path, CRASH)
            poll(archive, clock)
        failing = rows(archive, "SELECT kind, state, error FROM sources WHERE error_kind = 'bug'")
        assert {row["kind"] for row in failing} >= {"home", "feed_index"}
        assert all(row["state"] == "failing" and "SIGSEGV" in row["error"] for row in failing)
        assert value(archive, "SELECT count(*) FROM articles") > 0, "feeds and sitemaps are read"
        clock.advance(hours=2)
        site.edit = None
        poll(archive, clock)
        assert {row["id"] for row in rows(archive, "SELECT id FROM articles")} == published
        assert rows(archive, "SELECT 1 FROM sources WHERE error_kind = 'bug'") == []
    assert failing_conditions(archive, clock) == []
    assert_intact(archive)


def test_an_imported_capture_that_crashes_the_parser_process_is_listed(monkeypatch, tmp_path):
    clock, archive = FakeClock(), tmp_path / "a"
    at = datetime.fromisoformat("2021-03-04T05:06:07Z")
    with mounted(clock) as site:
        one, other = site.fake_site.ids()[:2]
        bodies = {
            n: site.fake_site.respond(SiteRequest("GET", site.fake_site.story(n).path)).decoded for n in (one, other)
        }
        address = {n: SITE + site.fake_site.story(n).path for n in (one, other)}
    builder = WarcBuilder().add(address[one], bodies[one] + LARGE, at=at).add(address[other], bodies[other], at=at)
    path = builder.write(tmp_path / "captures.warc.gz")
    with monkeypatch.context() as patched:
        interpreter(patched, tmp_path, CRASH)
        (result,) = import_files(archive, clock, path)
    assert dict(result.verdicts) == {"unread": 1, "new": 1}
    (page,) = rows(archive, "SELECT state, error, error_kind FROM pages WHERE id = ?", one)
    assert (page["state"], page["error_kind"], "SIGSEGV" in page["error"]) == ("failed", ErrorKind.BUG, True)
    with working(archive, clock, role="read") as run:
        assert reparse(run).newly_read == 1
    assert_intact(archive)


def test_vna_parse_says_why_the_page_was_not_parsed(monkeypatch, tmp_path):
    interpreter(monkeypatch, tmp_path, CRASH)
    (tmp_path / "page.html").write_bytes(LARGE)
    done = vna("parse", tmp_path / "page.html", "--url", URL)
    assert (done.code, done.out) == (3, "")
    assert "not safe to parse: the parser process crashed with the signal SIGSEGV" in done.err


@pytest.mark.parametrize(
    "error",
    [
        EmptySource("u", "m"), UnsafeSource("u", "m"),
        UnreadableSource("u", "m"), SourceMoved("u", SourceFound("sitemap", "v", "n", (2026, 11), NOW, "12")),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_errors_of_sources_arrive_equal(monkeypatch, error):
    def fail(*_):
        raise error from (None if isinstance(error, SourceMoved) else ValueError("the cause"))

    monkeypatch.setattr(child, "read", fail)
    assert outcome(answered, list_request("home"), b"") == outcome(fail)


@pytest.mark.parametrize("text", ["\ud83d", "\ud83d\ude00", "\0", "\u2028", "é\U0001f600"])
def test_any_text_arrives_equal(text):
    article = Article(title=text, tags=(text,), provenance={text: text})
    assert values.from_bytes(values.to_bytes(article), Article) == article
