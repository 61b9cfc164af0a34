"""Addresses are requested as the site names them and compared by post id, from the link to the rows and back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from socketserver import StreamRequestHandler, ThreadingTCPServer

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from support import (
    FakeClock,
    edited,
    fetching,
    http_response,
    mocked_http,
    mounted,
    poll,
    rows,
    script,
    settings,
    value,
    vna,
)
from test_captures import WarcBuilder, capture_of, import_files
from test_rebuild import assert_rebuilt_equal

from crawler import urls
from crawler.discover import lists
from crawler.discover.found import deduplicate
from crawler.errors import Disallowed
from crawler.fetch.client import Fetcher
from crawler.parse import head
from crawler.sim.site import Options
from crawler.sim.site.story import AWKWARD_PATHS, SECTIONS
from crawler.site import FRENCH, Site
from crawler.storage import FILE, open_archive
from crawler.types import Sighting, SourceFound

ROOT = "https://fr.vietnamplus.vn"
LONG = "mot-" * 500

#: For each link: what is requested, the canonical form for comparison, and the kind of page or the post id.
ADDRESSES = {
    # percent escapes
    "/caf%E9-post1.vnp": ("/caf%E9-post1.vnp", "/caf%E9-post1.vnp", 1),
    "/r%26d-post1.vnp": ("/r%26d-post1.vnp", "/r%26d-post1.vnp", 1),
    "/c%2B%2B-post1.vnp": ("/c%2B%2B-post1.vnp", "/c%2B%2B-post1.vnp", 1),
    "/24%2F7-post1.vnp": ("/24%2F7-post1.vnp", "/24%2F7-post1.vnp", 1),
    "/a%20b-post1.vnp": ("/a%20b-post1.vnp", "/a%20b-post1.vnp", 1),
    "/v%C5%93ux-post1.vnp": ("/v%C5%93ux-post1.vnp", "/v%C5%93ux-post1.vnp", 1),
    "/v%c5%93ux-post1.vnp": ("/v%c5%93ux-post1.vnp", "/v%C5%93ux-post1.vnp", 1),
    "/vœux-post1.vnp": ("/v%C5%93ux-post1.vnp", "/v%C5%93ux-post1.vnp", 1),
    "/%41%7e-post1.vnp": ("/%41%7e-post1.vnp", "/A~-post1.vnp", 1),
    "/%253F-post1.vnp": ("/%253F-post1.vnp", "/%253F-post1.vnp", 1),
    "/%zz-post1.vnp": ("/%zz-post1.vnp", "/%25zz-post1.vnp", 1),
    "/100%-post1.vnp": ("/100%-post1.vnp", "/100%25-post1.vnp", 1),
    "/a%00b-post1.vnp": ("/a%00b-post1.vnp", "/a%00b-post1.vnp", 1),
    # characters
    "/a+b-post1.vnp": ("/a+b-post1.vnp", "/a+b-post1.vnp", 1),
    "/a b-post1.vnp": ("/a%20b-post1.vnp", "/a%20b-post1.vnp", 1),
    "/l'an-post1.vnp": ("/l'an-post1.vnp", "/l'an-post1.vnp", 1),
    '/a"b-post1.vnp': ("/a%22b-post1.vnp", "/a%22b-post1.vnp", 1),
    "/a|b-post1.vnp": ("/a|b-post1.vnp", "/a%7Cb-post1.vnp", 1),
    "/[a]-post1.vnp": ("/[a]-post1.vnp", "/%5Ba%5D-post1.vnp", 1),
    "/(a)~b-post1.vnp": ("/(a)~b-post1.vnp", "/(a)~b-post1.vnp", 1),
    "/a;b:c@d,e-post1.vnp": ("/a;b:c@d,e-post1.vnp", "/a;b:c@d,e-post1.vnp", 1),
    "/!*$&=-post1.vnp": ("/!*$&=-post1.vnp", "/!*$&=-post1.vnp", 1),
    "/a<b>`{}-post1.vnp": ("/a%3Cb%3E%60%7B%7D-post1.vnp", "/a%3Cb%3E%60%7B%7D-post1.vnp", 1),
    "/\ud800-post1.vnp": ("/%EF%BF%BD-post1.vnp", "/%EF%BF%BD-post1.vnp", 1),
    f"/{LONG}post1.vnp": (f"/{LONG}post1.vnp", f"/{LONG}post1.vnp", 1),
    # what a browser does
    "  /a-post1.vnp\n": ("/a-post1.vnp", "/a-post1.vnp", 1),
    "/a-po\n\tst1.vnp": ("/a-post1.vnp", "/a-post1.vnp", 1),
    "\\a-post1.vnp": ("/a-post1.vnp", "/a-post1.vnp", 1),
    "../x/./a-post1.vnp": ("/x/a-post1.vnp", "/x/a-post1.vnp", "other"),
    "/x/%2e%2E/a-post1.vnp": ("/a-post1.vnp", "/a-post1.vnp", 1),
    "/a-post1.vnp#commentaires": ("/a-post1.vnp", "/a-post1.vnp", 1),
    "HTTPS://u:p@FR.VietnamPlus.VN:443/A-post1.vnp": ("/A-post1.vnp", "/A-post1.vnp", 1),
    f"{ROOT}//a-post1.vnp": ("//a-post1.vnp", "/a-post1.vnp", 1),
    "http://m.fr.vietnamplus.vn/a%26-post1.vnp": ("/a%26-post1.vnp", "/a%26-post1.vnp", 1),
    # queries
    "/a-post1.vnp?b=2&a=%2f+%20&&c": ("/a-post1.vnp?b=2&a=%2f+%20&&c", "/a-post1.vnp", 1),
    "/search.vnp?q=r%26d+x%2Fy": ("/search.vnp?q=r%26d+x%2Fy", "/search.vnp?q=r%26d+x%2Fy", "search"),
    "/search.vnp?q=huế'": ("/search.vnp?q=hu%E1%BA%BF%27", "/search.vnp?q=hu%E1%BA%BF'", "search"),
    # forms of an article's address
    "/post-59774.vnp": ("/post-59774.vnp", "/post-59774.vnp", 59774),
    "/-post7.vnp": ("/-post7.vnp", "/-post7.vnp", 7),
    "/titre/7.vnp": ("/titre/7.vnp", "/titre/7.vnp", 7),
    "/titre-post7.VNP": ("/titre-post7.VNP", "/titre-post7.VNP", 7),
    "/Titre-Post7.Vnp": ("/Titre-Post7.Vnp", "/Titre-Post7.Vnp", 7),
    "/titre-post7.vnp/": ("/titre-post7.vnp/", "/titre-post7.vnp/", 7),
    "/titre-post7%2Evnp": ("/titre-post7%2Evnp", "/titre-post7.vnp", 7),
    "/titre-%70ost%37.vnp": ("/titre-%70ost%37.vnp", "/titre-post7.vnp", 7),
    "/titre-post0007.vnp": ("/titre-post0007.vnp", "/titre-post0007.vnp", 7),
    "/tag-post7.vnp": ("/tag-post7.vnp", "/tag-post7.vnp", 7),
    "/Home/Un-titre/20119/104340.vnplus": ("/Home/Un-titre/20119/104340.vnplus",) * 2 + (104340,),
    "/home/un-titre/201109/104340.VNPLUS": ("/home/un-titre/201109/104340.VNPLUS",) * 2 + (104340,),
    # lists and other pages
    "/Home/Un-titre/201113/104340.vnplus": ("/Home/Un-titre/201113/104340.vnplus",) * 2 + ("other",),
    "/Home/Politique.vnplus": ("/Home/Politique.vnplus",) * 2 + ("section",),
    "/Home/Politique/Trang-2.vnplus": ("/Home/Politique/Trang-2.vnplus",) * 2 + ("section",),
    "/politique/page2.vnp": ("/politique/page2.vnp",) * 2 + ("section",),
    "/soci%c3%a9t%c3%a9/": ("/soci%c3%a9t%c3%a9/", "/soci%C3%A9t%C3%A9/", "section"),
    "/tags/hanoi.vnp": ("/tags/hanoi.vnp",) * 2 + ("topic",),
    "/tags/2026.vnp": ("/tags/2026.vnp",) * 2 + ("topic",),
    "/tags/hanoi/page2.vnp": ("/tags/hanoi/page2.vnp",) * 2 + ("topic",),
    "/topic/parti-135.VNP": ("/topic/parti-135.VNP",) * 2 + ("topic",),
    "/author/12.vnp/": ("/author/12.vnp/",) * 2 + ("topic",),
    "/Home/POLITIQUE.rss": ("/Home/POLITIQUE.rss",) * 2 + ("feed",),
    # numbers that are no post ids
    "/titre-post0.vnp": ("/titre-post0.vnp",) * 2 + ("other",),
    "/titre-post-7.vnp": ("/titre-post-7.vnp",) * 2 + ("other",),
    "/post-0.vnp": ("/post-0.vnp",) * 2 + ("other",),
    "/titre-post9223372036854775808.vnp": ("/titre-post9223372036854775808.vnp",) * 2 + ("other",),
    "/titre-post７.vnp": ("/titre-post%EF%BC%97.vnp",) * 2 + ("other",),
    "/24%2F7.vnp": ("/24%2F7.vnp",) * 2 + ("section",),
}
each_address = pytest.mark.parametrize("link", ADDRESSES, ids=lambda link: ascii(link)[:40])


@each_address
def test_an_address_is_requested_as_named_and_compared_in_its_canonical_form(link):
    sent, compared, form = ADDRESSES[link]
    address = FRENCH.address(f"{ROOT}/politique/", link)
    assert address == ROOT + sent
    assert urls.absolute(address, address) == address, "what is stored is requested unchanged"
    assert urls.canonical(address) == ROOT + compared
    assert urls.post_id(address) == (form if isinstance(form, int) else None)
    assert urls.shape(address) == ("article" if isinstance(form, int) else form)


BASES = {
    "none": ("", "/post-1.vnp"),
    "another folder": ('<base href="/autre/">', "/autre/post-1.vnp"),
    "a relative one": ('<base href="../x/y">', "/x/post-1.vnp"),
    "only the first one counts": ('<base target="_top"><base href="/a/"><base href="/b/">', "/a/post-1.vnp"),
    "another site": ('<base href="https://example.org/a/">', None),
    "one that is no address": ('<base href="https://[">', "/post-1.vnp"),
}


@pytest.mark.parametrize(("base", "path"), BASES.values(), ids=BASES)
def test_links_are_resolved_against_the_base_of_the_page(base, path):
    link = "1.vnp" if path and path.count("/") > 1 else "post-1.vnp"
    tree = LexborHTMLParser(f'<head>{base}<link rel="canonical" href="{link}"></head><a href="{link}">Un</a>')
    expected = None if path is None else ROOT + path.replace("post-1.vnp", link)
    assert [seen.url for seen in lists.stories(tree, f"{ROOT}/", FRENCH)] == [expected] * (path is not None)
    assert head.read(tree, f"{ROOT}/").canonical == (expected or f"https://example.org/a/{link}")


class _OneLine(StreamRequestHandler):
    """Records the request line of a request, byte by byte, and answers with an empty page."""

    def handle(self):
        while line := self.rfile.readline().rstrip(b"\r\n"):
            self.server.lines.append(line)
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def recording_server():
    with ThreadingTCPServer(("127.0.0.1", 0), _OneLine) as server:
        server.daemon_threads, server.lines = True, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_server_receives_each_address_as_it_is_named(tmp_path):
    with recording_server() as server:
        root = f"http://127.0.0.1:{server.server_address[1]}/"
        site = Site(root)
        links = {link.replace(ROOT, root[:-1]): sent for link, (sent, *_) in ADDRESSES.items() if "://" not in link}
        with Fetcher(settings(rate=0, root=root), tmp_path, site.owns, FakeClock()) as fetcher:
            got = [fetcher.get(site.address(f"{root}politique/", link)) for link in links]
    assert [line.decode("ascii") for line in server.lines] == [
        f"GET {sent} HTTP/1.1" for sent in ("/robots.txt", *links.values())
    ]
    assert [response.target for response in got] == list(links.values())
    assert [response.url for response in got] == [root[:-1] + sent for sent in links.values()]


# --- links to print pages, other sites --------------------------------------------------------------------------------

PRINT_PAGES = {
    "/Utilities/Print.aspx?contentid=77": 77,
    "/utilities/PRINT.ASPX?lang=fr&ContentID=077&x": 77,
    "/Print.aspx?contentid=77": 77,
    "/Utilities/Print.aspx?contentid=": None,
    "/Utilities/Print.aspx?contentid=-7": None,
    "/Utilities/Print.aspx?contentid=99999999999999999999": None,
    "/Utilities/Print.aspx?contentid=７": None,
    "/Utilities/Print.aspx?id=7": None,
    "/Utilities/Print.aspx": None,
    "/Utilities/Blueprint.aspx?contentid=7": None,
}


@pytest.mark.parametrize(("link", "post_id"), PRINT_PAGES.items(), ids=PRINT_PAGES)
def test_the_id_in_the_address_of_a_print_page_is_that_of_an_article(link, post_id):
    assert urls.post_id(ROOT + link) == post_id
    assert urls.is_print_page(ROOT + link) == (post_id is not None)
    assert (urls.shape(ROOT + link) == "article") == (post_id is not None)


def test_a_link_to_a_print_page_gives_an_address_without_a_slug_unless_there_is_a_better_one():
    links = ["/Utilities/Print.aspx?contentid=7", "/Utilities/Print.aspx?contentid=8", "/titre/8.vnp", "/x-post8.vnp"]
    tree = LexborHTMLParser("".join(f'<a href="{link}">Titre</a>' for link in links))
    found = deduplicate(list(lists.stories(tree, ROOT, FRENCH)))
    assert [seen.url for seen in found] == [f"{ROOT}/post-7.vnp", f"{ROOT}/titre/8.vnp"]


@pytest.mark.parametrize(
    "link",
    [
        "https://fr.daihoidang.vn/titre/7.vnp",
        "https://beta-fr.daihoidang.vn/titre-post7.vnp",
        "https://en.vietnamplus.vn/title-post7.vnp",
    ],
)
def test_an_address_with_another_id_sequence_is_not_ours(link):
    assert FRENCH.address(ROOT, link) is None
    assert FRENCH.is_other_edition(link)


# --- which of several addresses is requested --------------------------------------------------------------------------

CURRENT, OTHER, OLDER, BARE = (f"{ROOT}{p}" for p in ("/a-post7.vnp", "/b-post7.vnp", "/a/7.vnp", "/post-7.vnp"))


@pytest.mark.parametrize(
    ("stored", "named", "expected"),
    [
        (CURRENT, OTHER, True),
        (OLDER, CURRENT, True),
        (BARE, OLDER, True),
        (CURRENT, OLDER, False),
        (CURRENT, BARE, False),
        (CURRENT, f"{OTHER}?utm_source=rss", False),
        (f"{OTHER}?utm_source=rss", CURRENT, True),
        (OLDER, f"{CURRENT}?utm_source=rss", True),
        (OLDER, BARE, False),
        ("urn:vna-import:x", BARE, True),
    ],
)
def test_an_older_form_does_not_replace_a_newer_one(stored, named, expected):
    assert urls.replaces(named, stored) is expected


def test_each_known_address_is_tried_in_turn():
    assert urls.next_address(CURRENT, []) is None
    assert urls.next_address(CURRENT, [CURRENT]) is None
    assert urls.next_address(CURRENT, [OLDER, OTHER]) == OTHER
    assert urls.next_address(OTHER, [OLDER, CURRENT]) == OLDER
    assert urls.next_address(OLDER, [OTHER, CURRENT]) == CURRENT


def name(archive, clock, url, source="s", *, due=True, past=False):
    """Let a source name article 7 at the address `url`; return the row of the page."""
    with open_archive(archive) as opened, opened.transaction():
        opened.add_sightings(source, [Sighting(url, 7)], clock.now(), clock.now() if due else None, past=past)
    return row(archive)


def row(archive):
    return rows(archive, "SELECT url, state, failures, next_due_at FROM pages WHERE id = 7")[0]


def test_the_newest_address_that_the_site_names_is_requested(tmp_path, clock):
    assert name(tmp_path, clock, OLDER)["url"] == OLDER
    assert name(tmp_path, clock, CURRENT)["url"] == CURRENT, "the form that the site uses today"
    assert name(tmp_path, clock, OLDER, "related")["url"] == CURRENT, "an old link"
    assert name(tmp_path, clock, OTHER, "feed")["url"] == OTHER, "a new slug"
    assert name(tmp_path, clock, CURRENT)["url"] == OTHER, "named before: two sources do not alternate"
    assert name(tmp_path, clock, f"{ROOT}/c-post7.vnp", "warc:x", past=True)["url"] == OTHER
    assert rows(tmp_path, "SELECT source, url FROM sightings ORDER BY source") == [
        {"source": "feed", "url": OTHER},
        {"source": "related", "url": OLDER},
        {"source": "s", "url": CURRENT},
        {"source": "warc:x", "url": f"{ROOT}/c-post7.vnp"},
    ]


@pytest.mark.parametrize(
    ("state", "failures", "then"),
    [("live", 0, 0), ("suspect", 2, 1), ("gone", 3, 1), ("failed", 7, 0), ("rejected", 8, 0), ("drift", 1, 0)],
)
def test_a_new_address_of_a_page_that_failed_is_tried_at_once(tmp_path, clock, state, failures, then):
    name(tmp_path, clock, CURRENT)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("UPDATE pages SET state = ?, failures = ?, next_due_at = NULL", (state, failures))
    changed = name(tmp_path, clock, OLDER, "feed")
    due = None if state == "live" else "2026-11-21T08:00:00Z"
    url = CURRENT if state == "live" else OLDER
    assert changed == {"url": url, "state": state, "failures": then, "next_due_at": due}


SMALL = Options(sections=SECTIONS[:1], section_size=5, feed_size=5, home_size=8, no_api=True, no_samples=True)


# --- a site with awkward addresses ------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


ALL = len(AWKWARD_PATHS)
FEW = 6  # the newest articles, of which one has an escaped ampersand in its address


@contextmanager
def awkward_site(clock, articles=ALL, **options):
    """Mount a fake site with one article for each awkward address, or fewer."""
    chosen = replace(SMALL, awkward=True, section_size=30, feed_size=30, **options)
    with mounted(clock, articles=articles, options=chosen) as site:
        yield site


def awkward_stories(site):
    return [story for i in site.fake_site.ids() if (story := site.fake_site.story(i)).awkward]


def test_articles_at_awkward_addresses_are_archived_and_stay(archive, clock):
    with awkward_site(clock) as site:
        report = poll(archive, clock)
        stories = awkward_stories(site)
        assert len(stories) == len(AWKWARD_PATHS)
        assert (report.gone, report.failed, report.rejected) == (0, 0, 0)
        for story in stories:
            url = ROOT + story.sent_path
            found = rows(
                archive,
                """SELECT p.url AS requested, p.state, r.url AS captured, a.url AS stated FROM pages p
                   JOIN articles a ON a.id = p.id JOIN raw r ON r.id = a.raw_id WHERE p.id = ?""",
                story.post_id,
            )
            assert found == [{"requested": url, "state": "live", "captured": url, "stated": url}]
            assert value(archive, "SELECT count(*) FROM fetches WHERE url = ? AND status = 200", url) == 1
            assert site.wire.count(story.sent_path) == 1
        for wait in ({"hours": 2}, {"days": 2}):
            clock.advance(**wait)
            assert poll(archive, clock, everything=True).gone == 0
        assert value(archive, "SELECT count(*) FROM pages WHERE state <> 'live'") == 0
        with open_archive(archive) as opened:
            targets = {r["url"] for r in opened.db["raw"].rows}
        assert {ROOT + story.sent_path for story in stories} <= targets
    assert_rebuilt_equal(archive, clock)
    assert urls_of(archive / "rebuilt") == urls_of(archive)


def urls_of(archive):
    return rows(archive, "SELECT page, source, url FROM sightings ORDER BY 1, 2"), rows(
        archive, "SELECT id, url FROM pages ORDER BY id"
    )


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/caf%E9%26%2b-post1.vnp?x=%2f&a+b", "/caf%E9%26%2b-post1.vnp?x=%2f&a+b"),
        ("caf%zz-post1.vnp#haut", "/caf%zz-post1.vnp"),
        ("/v\u0153ux-post1.vnp".encode(), "/v%C5%93ux-post1.vnp"),
        (b"/caf\xe9-post1.vnp", "/caf%E9-post1.vnp"),
    ],
)
def test_a_redirect_is_followed_as_named(tmp_path, clock, location, target):
    moved = httpx.Response(301, headers={"Location": location})
    with mocked_http(script(moved, http_response(b"<p>")), clock) as wire, fetching(tmp_path, clock) as fetcher:
        assert fetcher.get(f"{ROOT}/a-post1.vnp").url == ROOT + target
    assert wire.paths[-1] == target


def test_robots_rules_are_compared_with_the_address_as_requested(tmp_path, clock):
    rules = "User-agent: *\nDisallow: /a%2Fb\nDisallow: /Utilities/\n"
    with (
        mocked_http(script(http_response(b"<p>"), robots=rules), clock),
        fetching(tmp_path, clock) as fetcher,
    ):
        assert fetcher.get(f"{ROOT}/a/b-post1.vnp").status == 200
        for path in ("/a%2Fb-post1.vnp", "/Utilities/Print.aspx?contentid=7"):
            with pytest.raises(Disallowed):
                fetcher.get(ROOT + path)


# --- one article under two addresses, one of which does not lead to it ------------------------------------------------


@pytest.mark.parametrize("how", [404, 410, "soft", "home"])
def test_no_removal_is_concluded_from_one_of_two_addresses(archive, clock, how):
    """The feed names an address that the site does not know; the home page names the right one."""
    with awkward_site(clock, articles=FEW, not_found=how) as site:
        story = next(s for s in awkward_stories(site) if "%26" in s.path)
        site.edit = edited("/rss/home.rss", lambda body: body.replace(b"%26", b"&amp;"))
        poll(archive, clock)
        states = [row_of(archive, story)]
        for wait in (1, 59, 60, 120, 24 * 60, 48 * 60):
            clock.advance(minutes=wait)
            poll(archive, clock)
            states.append(row_of(archive, story))
    assert states[-1] == (ROOT + story.sent_path, "live")
    assert "gone" not in {state for _, state in states}
    assert value(archive, "SELECT count(*) FROM articles WHERE id = ? AND state = 'live'", story.post_id) == 1
    if how in (404, "home"):  # a status, and a page elsewhere
        assert_rebuilt_equal(archive, clock)
        assert urls_of(archive / "rebuilt") == urls_of(archive)


def row_of(archive, story):
    return tuple(rows(archive, "SELECT url, state FROM pages WHERE id = ?", story.post_id)[0].values())


def test_an_article_is_gone_after_both_addresses_were_not_found(archive, clock):
    with awkward_site(clock, articles=FEW) as site:
        story = next(s for s in awkward_stories(site) if "%26" in s.path)
        poll(archive, clock)
        site.edit = edited("/rss/home.rss", lambda body: body.replace(b"%26", b"&amp;"))
        clock.advance(hours=2)
        poll(archive, clock, everything=True)
        site.fake_site.unpublish(story.post_id, 404)
        site.wire.clear()
        for wait in (1, 30, 60, 24 * 60, 48 * 60):
            clock.advance(minutes=wait)
            poll(archive, clock, everything=wait == 1)
    assert row_of(archive, story)[1] == "gone"
    asked = {path for path in site.wire.paths if str(story.post_id) in path}
    assert asked == {story.sent_path, story.sent_path.replace("%26", "&")}
    assert_rebuilt_equal(archive, clock)


# --- archives of earlier versions -------------------------------------------------------------------------------------


def reencoded(site, base, link):
    """Return the address that versions before schema 4 requested."""
    url = urls.absolute(base, link)
    return urls.reencoded(url) if url is not None and site.owns(url) else None


def forget_addresses(archive):
    """Turn an archive into one that was upgraded from a schema before 5."""
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        db.execute("UPDATE sightings SET url = NULL")
        db.execute("UPDATE _sqlite_migrations SET applied_at = '2026-01-01 00:00:00+00:00' WHERE name = '0001_first'")


def test_an_archive_with_reencoded_addresses_gets_those_of_the_site(archive, clock, monkeypatch):
    with awkward_site(clock) as site:
        for story in awkward_stories(site):
            if "%2F" in story.path:  # re-encoded, it named no article at all: a rebuild finds more than the old version
                site.fake_site.unpublish(story.post_id, 404)
        stories = awkward_stories(site)
        with monkeypatch.context() as patch:
            patch.setattr(Site, "address", reencoded)
            poll(archive, clock)
            clock.advance(hours=2)
            poll(archive, clock)
        forget_addresses(archive)
        lost = {story.post_id for story in stories if row_of(archive, story)[1] == "suspect"}
        assert len(lost) >= 6, "%E9, %26, %2B, %20, %zz, a query"
        assert_rebuilt_equal(archive, clock)
        shutil.rmtree(archive / "rebuilt")
        clock.advance(minutes=30)
        poll(archive, clock, everything=True)
        clock.advance(days=2)
        poll(archive, clock)
    assert {row_of(archive, story) for story in stories} == {(ROOT + s.sent_path, "live") for s in stories}
    assert value(archive, "SELECT count(*) FROM articles WHERE state <> 'live'") == 0
    assert_rebuilt_equal(archive, clock)


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        (f"{ROOT}/caf%E9%26b%2fc//d-post1.vnp?utm=1", f"{ROOT}/caf%EF%BF%BD&b/c/d-post1.vnp"),
        (f"{ROOT}/v%c5%93ux-post1.vnp", f"{ROOT}/v%C5%93ux-post1.vnp"),
        (f"{ROOT}/l'an(1)!-post1.vnp", f"{ROOT}/l'an(1)!-post1.vnp"),
    ],
)
def test_the_address_under_which_earlier_versions_stored_a_capture(url, stored):
    assert urls.reencoded(url) == stored


def test_a_capture_that_an_earlier_version_imported_is_not_imported_again(archive, clock, tmp_path, monkeypatch):
    with awkward_site(clock) as site:
        story = next(s for s in awkward_stories(site) if "%E9" in s.path)
        capture = capture_of(site, story.post_id, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Site, "address", reencoded)
        assert dict(import_files(archive, clock, capture)[0].verdicts) == {"new": 1}
    assert value(archive, "SELECT url FROM raw") == ROOT + story.sent_path.replace("%E9", "%EF%BF%BD")
    assert dict(import_files(archive, clock, capture)[0].verdicts) == {"known": 1}


def test_an_old_capture_does_not_cancel_the_visit_of_a_page_that_the_site_lists(tmp_path, clock):
    """The layout of 2011 is unknown. A print page is no capture of an article."""
    expected = name(tmp_path, clock, CURRENT)
    paths = ("/Home/Un-titre/20119/7.vnplus", "/Home/Un-titre/201110/8.VNPLUS", "/Utilities/Print.aspx?contentid=9")
    capture = WarcBuilder()
    for path in paths:
        capture.add(ROOT + path, b"<html><body><div class=dtText>Un texte</div>")
    (result,) = import_files(tmp_path, clock, capture.write(tmp_path / "2011.warc.gz"))
    assert dict(result.verdicts) == {"unread": 2}
    assert row(tmp_path) == expected
    assert rows(tmp_path, "SELECT id, url, state FROM pages WHERE id > 7") == [
        {"id": 8, "url": ROOT + paths[1], "state": "drift"}
    ]
    assert [r["url"] for r in rows(tmp_path, "SELECT url FROM raw ORDER BY id")] == [ROOT + path for path in paths[:2]]


# --- lists ------------------------------------------------------------------------------------------------------------


def test_two_spellings_of_a_list_are_one_source_requested_as_named_first(tmp_path, clock):
    named = [
        f"{ROOT}/soci%c3%a9t%c3%a9/",
        f"{ROOT}/soci%C3%A9t%C3%A9/",
        f"{ROOT}//soci%c3%a9t%c3%a9/",
        f"{ROOT}/a%2Fb/",
    ]
    with open_archive(tmp_path) as opened, opened.transaction():
        for number, url in enumerate(named):
            opened.add_sources([SourceFound("section", url, f"Nom {number}")], clock.now())
        assert [(s.url, s.name) for s in opened.sources_of_kind("section")] == [
            (named[0], "Nom 2"),
            (named[3], "Nom 3"),
        ]
        assert opened.source(named[1]).url == named[0]
        assert opened.source(f"{ROOT}/a/b/") is None


def test_a_section_is_requested_as_the_home_page_names_it(archive, clock):
    with mounted(clock, options=SMALL) as site:
        link = b'<nav><a href="/soci%c3%a9t%c3%a9/?x=%2f">S</a><a href="/soci%C3%A9t%C3%A9/?x=%2F">S</a></nav></body>'
        site.edit = edited("/", lambda body: body.replace(b"</body>", link))
        poll(archive, clock)
    assert [path for path in site.wire.paths if "soci%" in path] == ["/soci%c3%a9t%c3%a9/?x=%2f"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_print_page_is_not_requested_but_its_article_is(archive, clock, order):
    with mounted(clock, articles=2, options=SMALL) as site:
        known, hidden = site.fake_site.ids()[-2:]
        site.fake_site.hide(hidden)
        path = site.fake_site.story(known).path
        links = [f'<a href="/Utilities/Print.aspx?contentid={i}">Imprimer</a>' for i in (known, hidden)]
        html = "".join([*links, f'<a href="{path}">Titre</a>'][::order]).encode()
        site.edit = edited("/", lambda body: body.replace(b"<body", html + b"<body"))
        poll(archive, clock)
    assert value(archive, "SELECT url FROM pages WHERE id = ?", known) == ROOT + path
    assert value(archive, "SELECT url FROM pages WHERE id = ?", hidden) == f"{ROOT}/post-{hidden}.vnp"
    assert value(archive, "SELECT state FROM pages WHERE id = ?", hidden) == "live"
    assert not [path for path in site.wire.paths if "rint" in path]


# --- citations --------------------------------------------------------------------------------------------------------


def test_a_citation_names_the_address_that_was_fetched(archive, clock):
    with mounted(clock, articles=1, options=SMALL) as site:
        story = site.fake_site.story(max(site.fake_site.ids()))
        stated = f"/autre-titre-post{story.post_id}.vnp"
        canonical = f'rel="canonical" href="{ROOT}{story.path}"'.encode()
        changed = canonical.replace(story.path.encode(), stated.encode())
        site.edit = edited(story.path, lambda body: body.replace(canonical, changed))
        poll(archive, clock)
    shown = json.loads(vna("--archive", archive, "show", story.post_id, "--format", "json").out)
    assert (shown["url"], shown["fetched_url"]) == (ROOT + stated, ROOT + story.path)
    for form in ("markdown", "html"):
        text = vna("--archive", archive, "show", story.post_id, "--format", form).out
        assert ROOT + story.path in text
        assert stated not in text
    exported = vna("--archive", archive, "export", "--format", "csv").out
    assert f",{ROOT}{story.path}" in exported


def test_an_address_of_another_id_sequence_does_not_select_an_article(archive, clock):
    with mounted(clock, articles=1, options=SMALL) as site:
        poll(archive, clock)
        post_id = max(site.fake_site.ids())
    for host, code in (("fr.vietnamplus.vn", 0), ("en.vietnamplus.vn", 1), ("fr.daihoidang.vn", 1)):
        assert vna("--archive", archive, "show", f"https://{host}/titre/{post_id}.vnp").code == code
