"""A site that names hostile addresses everywhere: none is reached, and the other articles are archived in the same run."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from html import escape
from urllib.parse import quote

import httpx
import pytest
from support import SITE, assert_intact, fetching, mocked_http, mounted, poll, rows, value
from test_fetch import BODY, PAGE, http_response, script
from test_origins import REFUSED

from crawler.errors import BadStatus, FetchError, Refused, Unreachable
from crawler.sim.site import Options
from crawler.sim.site.messages import SiteResponse, redirect
from crawler.sim.site.story import SECTIONS

SMALL = Options(sections=SECTIONS[:2], section_size=6, feed_size=6, home_size=8, no_samples=True)
#: Forms that a header can carry.
LOCATIONS = [form for form in REFUSED if "\n" not in form]


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def hosts(wire):
    return {(request.url.scheme, request.url.host, request.url.port) for request in wire.requests}


def redirected(location):
    return httpx.Response(301, headers={"Location": location.encode()})


HOME = {("https", "fr.vietnamplus.vn", None)}


def test_no_redirect_of_a_page_leads_elsewhere(clock, tmp_path):
    for number, form in enumerate(LOCATIONS):
        with (
            mocked_http(script(redirected(form)), clock) as wire,
            fetching(tmp_path / str(number), clock, attempts=1) as fetcher,
            pytest.raises((Refused, BadStatus, Unreachable, FetchError)),
        ):
            fetcher.get(PAGE)
        assert hosts(wire) == HOME, form


def test_no_redirect_of_robots_leads_elsewhere(clock, tmp_path):
    for number, form in enumerate(LOCATIONS):

        def reply(request, form=form):
            return redirected(form) if request.url.path == "/robots.txt" else http_response(BODY)

        with mocked_http(reply, clock) as wire, fetching(tmp_path / str(number), clock, attempts=1) as fetcher:
            assert fetcher.get(PAGE).status == 200
        assert hosts(wire) == HOME, form


PICTURE = "https://mediafr.vietnamplus.vn/images/0a/a.jpg"


def test_no_redirect_of_a_picture_leads_elsewhere(clock, tmp_path):
    hosts_of_pictures = ("https://mediafr.vietnamplus.vn",)
    for number, form in enumerate(
        [*LOCATIONS, "https://fr-api.vietnamplus.vn/a.jpg", "https://media.vietnamplus.vn/a.jpg"]
    ):
        with (
            mocked_http(script(redirected(form)), clock) as wire,
            fetching(tmp_path / str(number), clock, attempts=1, pictures=hosts_of_pictures) as fetcher,
            pytest.raises((Refused, BadStatus, Unreachable, FetchError)),
        ):
            fetcher.get(PICTURE, is_picture=True)
        assert hosts(wire) <= {("https", "mediafr.vietnamplus.vn", None)} | HOME, form


def test_the_hosts_of_pictures_serve_no_pages(clock, tmp_path):
    """Neither a link nor a redirect of a page leads to a host that is allowed for pictures only."""
    with (
        mocked_http(script(redirected(PICTURE)), clock) as wire,
        fetching(tmp_path / "state", clock, attempts=1, pictures=("https://mediafr.vietnamplus.vn",)) as fetcher,
    ):
        for address in (PICTURE, PAGE):
            with pytest.raises(Refused):
                fetcher.get(address)
        assert hosts(wire) == HOME


def test_hostile_addresses_of_pictures_are_not_requested(archive, clock):
    with mounted(clock, articles=3, options=SMALL) as site:
        forms = itertools.cycle(REFUSED)

        def edit(request, response):
            if "-post" not in request.path:
                return response
            body = re.sub(rb'(data-src=")[^"]+', lambda m: m[1] + escape(next(forms)).encode(), response.decoded)
            return replace(response, headers=response.headers[:1], body=body)

        site.edit = edit
        for _ in range(3):
            poll(archive, clock, everything=True, keep_pictures="all")
            clock.advance(hours=1)
        assert value(archive, "SELECT count(*) FROM images") >= 3
        assert hosts(site.wire) == HOME
    assert value(archive, "SELECT count(*) FROM pictures") == 0
    assert_intact(archive)


def poisoned(kind, site):
    """Return an `edit` of the responses of `site` that adds all hostile addresses to one kind of page."""
    links = "".join(
        f'<a class="cms-link" href="{form}/a-post{900_000 + n}.vnp">x</a>' for n, form in enumerate(REFUSED)
    )
    items = "".join(
        f"<item><title>x</title><link><![CDATA[{form}/a-post{910_000 + n}.vnp]]></link></item>"
        for n, form in enumerate(REFUSED)
    )
    entries = "".join(
        f"<url><loc><![CDATA[{form}/a-post{920_000 + n}.vnp]]></loc></url>" for n, form in enumerate(REFUSED)
    )
    changes = {
        "home": lambda r: r.path == "/" and (b"<body>", b"<body>" + links.encode()),
        "section": lambda r: r.path == f"/{SECTIONS[0].slug}/" and (b"<body>", b"<body>" + links.encode()),
        "feed": lambda r: r.path.endswith(".rss") and (b"<item>", items.encode() + b"<item>"),
        "sitemap": lambda r: "/sitemaps/" in r.path and (b"<url>", entries.encode() + b"<url>"),
        "canonical": lambda r: r.path.endswith(".vnp") and (f'"{SITE}'.encode(), b'"https://127.0.0.1'),
    }

    def edit(request, response):
        change = changes[kind](request)
        if not change or response.status != 200:
            return response
        body = response.decoded.replace(*change, 1) if kind != "canonical" else response.decoded.replace(*change)
        headers = tuple((k, v) for k, v in response.headers if k.lower() not in ("content-encoding", "content-length"))
        return type(response)(response.status, headers, body, chunked=response.chunked)

    site.edit = edit


@pytest.mark.parametrize("kind", ["home", "section", "feed", "sitemap", "canonical"])
def test_hostile_links_are_not_requested_and_the_other_articles_are_archived(archive, clock, kind):
    with mounted(clock, articles=4, options=SMALL) as site:
        poisoned(kind, site)
        poll(archive, clock)
        held = {row["id"] for row in rows(archive, "SELECT id FROM articles")}
        if kind != "canonical":
            assert set(site.fake_site.ids()[-4:]) <= held
        assert hosts(site.wire) == HOME
    assert_intact(archive)


KINDS = {
    "robots": "/robots.txt", "section": "/*/", "sitemap": "/sitemap*", "feed": "/rss*", "api": "/api/*", "article": "/*-post*",
}  # fmt: skip


def test_redirects_of_every_kind_of_address_reach_nothing_else(archive, clock):
    """Each request except that of the home page is redirected to the next form."""
    seen = dict.fromkeys(KINDS, 0)
    with mounted(clock, articles=6, options=replace(SMALL, no_api=False)) as site:

        def edit(request, response):
            kind = next((kind for kind, pattern in KINDS.items() if fnmatchcase(request.path, pattern)), None)
            if kind is None:
                return response
            seen[kind] += 1
            form = LOCATIONS[(seen[kind] - 1) % len(LOCATIONS)]
            return SiteResponse(302, (("Location", quote(form, safe=":/@?#[]%\\;&=+$,!*'() \t")),))

        site.edit = edit
        for _ in range(5):
            poll(archive, clock, everything=True, list_api=True, api_hosts=(SITE,))
            clock.advance(hours=25)  # robots.txt is requested again
        assert hosts(site.wire) == HOME
    assert all(number >= 5 for number in seen.values()), seen
    assert value(archive, "SELECT count(*) FROM sources WHERE error_kind = 'refused'") > 5
    assert_intact(archive)


def test_articles_that_redirect_elsewhere_do_not_stop_the_others_in_this_run_and_later(archive, clock):
    with mounted(clock, articles=12, options=SMALL) as site:
        ids = site.fake_site.ids()[-12:]
        poison = dict(zip(ids[::2], ["https://127.0.0.1/", "http://169.254.169.254/", f"{SITE}:8443/x-post1.vnp", f"http://{SITE[8:]}/x-post2.vnp",
                                     "https://user:secret@10.0.0.1/", "//[::1]/"], strict=True))  # fmt: skip
        paths = {site.fake_site.story(post_id).path: target for post_id, target in poison.items()}
        site.edit = lambda request, response: redirect(paths[request.path]) if request.path in paths else response
        poll(archive, clock)
        for _ in range(3):
            site.fake_site.publish(1)
            clock.advance(hours=2)
            poll(archive, clock)
        held = {row["id"] for row in rows(archive, "SELECT id FROM articles")}
        assert set(site.fake_site.ids()) - set(poison) <= held
        assert not set(poison) & held
        assert hosts(site.wire) == HOME
    refused = rows(archive, "SELECT error, error_kind FROM pages WHERE state = 'failed'")
    assert [row["error_kind"] for row in refused] == ["refused"] * len(poison)
    assert "secret" not in str(refused)
    assert value(archive, "SELECT count(*) FROM pages WHERE state = 'failed' AND next_due_at IS NULL") == 0
    assert_intact(archive)
