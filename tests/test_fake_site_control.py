"""The fake site: actions, faults, control endpoints, and the real socket."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from fake_site_reader import GZIP, NOW, SEED_IDS, Clock, fake_site, get, page, page_of, read, tree, truth

from crawler.errors import BadInput
from crawler.sim.site import SiteRequest, parse_fault, serve
from crawler.sim.site.faults import KINDS
from crawler.sim.site.story import slugify
from crawler.types import ImageBlock

# --- actions ------------------------------------------------------------------------------------------------------------


def test_a_published_story_is_dated_now_and_in_every_list():
    clock = Clock()
    site = fake_site(50, now=clock)
    newest = max(site.ids())
    clock.time += timedelta(hours=3)
    ids = site.publish(3)
    assert len(ids) == 3
    assert ids == sorted(ids)
    assert ids[0] > newest
    for post_id in ids:
        story = site.story(post_id)
        assert story.published == clock.time
        for path in ("/", "/rss/home.rss", "/sitemaps/google-news.xml", "/sitemaps/news-2026-11.xml"):
            assert story.path in page(site, path)


@pytest.mark.parametrize("post_id", [SEED_IDS["000"], 257619])
def test_revise(post_id):
    clock = Clock()
    site = fake_site(0, now=clock)
    before = site.story(post_id)
    clock.time += timedelta(hours=1)
    site.revise(post_id, text="Une précision de dernière minute.")
    reading = read(page_of(site, post_id))
    assert reading["texts"][-2] == "Une précision de dernière minute."
    assert reading["texts"][-1] == truth(before)["texts"][-1]
    site.revise(post_id, title="Un autre titre : enfin")
    after = site.story(post_id)
    assert (after.title, after.slug) == ("Un autre titre : enfin", slugify("Un autre titre : enfin", before.published))
    assert after.modified == clock.time
    assert read(page(site, before.path))["title"] == "Un autre titre : enfin"
    assert f"<lastmod>{clock.time.isoformat()}" in page(
        site, f"/sitemaps/news-{before.published:%Y}-{before.published.month}.xml"
    )


def test_revise_without_arguments_corrects_the_body():
    site = fake_site(100)
    for post_id in site.ids():
        before = site.story(post_id)
        site.revise(post_id)
        after = site.story(post_id)
        assert after.title == before.title
        assert truth(after)["texts"] != truth(before)["texts"], post_id


def test_a_new_title_changes_the_generated_alts():
    site = fake_site(0)
    site.revise(SEED_IDS["003"], title="Titre neuf")
    assert [i.alt for i in site.story(SEED_IDS["003"]).blocks if isinstance(i, ImageBlock)] == [
        "Titre neuf ảnh 1",
        "Titre neuf ảnh 2",
    ]


PICTURE_FORMATS = {"webp": b"RIFF", "jpg": b"\xff\xd8\xff", "png": b"\x89PNG", "gif": b"GIF89a"}


def test_pictures_are_served_in_the_format_of_their_name():
    site = fake_site(1)
    for extension, start in PICTURE_FORMATS.items():
        one, other = (get(site, f"/images/0a/{name}.{extension}", {}) for name in "ab")
        assert one.body.startswith(start)
        assert one.body != other.body
        assert one.body == get(site, f"/images/0a/a.{extension}", {}).body


@pytest.mark.parametrize(
    ("how", "same_address", "same_bytes"),
    [("replace", False, False), ("in_place", True, False), ("copy", False, False), ("recompress", True, False)],
)
def test_the_editors_change_a_picture(how, same_address, same_bytes):
    site = fake_site(8)
    post_id = next(i for i in site.ids()[::-1] if site.story(i).picture)
    before = urlsplit(site.story(post_id).picture.url).path
    old = get(site, before).body
    after = urlsplit(site.edit_picture(post_id, how).picture.url).path
    assert (after == before, get(site, after).body == old) == (same_address, same_bytes)
    assert after in get(site, site.story(post_id).path).decoded.decode()
    assert (get(site, before).body == old) == (how in ("replace", "copy"))


@pytest.mark.parametrize(
    "arguments", [{"how": "burn"}, {"number": 99}, {"number": -1}, {"post_id": 1}, {"how": ""}, {"what": "x"}]
)
def test_an_impossible_edit_of_a_picture_is_refused(arguments):
    site = fake_site(8)
    post_id = next(i for i in site.ids()[::-1] if site.story(i).picture)
    body = json.dumps({"post_id": post_id} | arguments).encode()
    response = site.respond(SiteRequest("POST", "/__replica__/picture", {"Content-Type": "application/json"}, body))
    assert response.status == 400
    assert json.loads(response.decoded)["hint"]


@pytest.mark.parametrize(("status", "seen"), [(404, 404), (410, 410), (200, 200), (302, 302)])
def test_unpublish(status, seen):
    site = fake_site(20)
    post_id = site.ids()[-1]
    story = site.story(post_id)
    site.unpublish(post_id, status)
    response = get(site, story.path)
    assert response.status == seen
    assert b"article__body" not in (response.decoded or b"")
    assert post_id not in site.ids()
    assert story.path not in page(site, "/rss/home.rss")
    with pytest.raises(BadInput, match="no story"):
        site.revise(post_id)


@pytest.mark.parametrize(("lists", "listed"), [("all", False), ("sitemap", True)])
def test_hide(lists, listed):
    site = fake_site(20)
    post_id = site.ids()[-1]
    story = site.story(post_id)
    assert post(site, "hide", {"post_id": post_id, "lists": lists}) == (200, {"post_id": post_id, "lists": lists})
    month = f"/sitemaps/news-{story.published:%Y}-{story.published.month}.xml"
    assert story.path not in page(site, month)
    assert story.path not in page(site, "/sitemaps/google-news.xml")
    assert (story.path in page(site, "/rss/home.rss")) == listed
    assert (story.path in page(site, "/")) == listed
    assert is_whole_page(get(site, story.path, {})), "its page stays online"
    assert post_id in site.ids()
    site.unpublish(post_id)
    assert post_id not in site.ids()
    with pytest.raises(BadInput, match="argument 'lists'"):
        site.hide(site.ids()[0], "feed")


def test_republish_under_another_slug():
    site = fake_site(20)
    post_id = site.ids()[-1]
    before = site.story(post_id)
    site.unpublish(post_id, 410)
    wanted = {"post_id": post_id, "title": "De retour"}
    assert post(site, "republish", wanted) == (200, wanted | {"path": f"/de-retour-post{post_id}.vnp"})
    assert site.story(post_id).blocks[-1] == before.blocks[-1]
    assert f"/de-retour-post{post_id}.vnp" in page(site, "/")
    assert is_whole_page(get(site, before.path, {}))
    site.unpublish(post_id)
    assert site.republish(post_id).title == "De retour"
    with pytest.raises(BadInput, match="was not taken offline"):
        site.republish(post_id)


def test_copy():
    site = fake_site(20)
    post_id = site.ids()[-1]
    status, answer = post(site, "copy", {"post_id": post_id})
    twin = site.story(answer["post_id"])
    assert (status, twin.blocks) == (200, site.story(post_id).blocks)
    assert twin.published > site.story(post_id).published
    assert [story_id for story_id in site.ids() if story_id >= post_id] == [post_id, twin.post_id]
    assert twin.path in page(site, "/")


def test_a_silent_change_keeps_the_modification_date():
    site = fake_site(20)
    before = site.story(site.ids()[-1])
    after = site.revise(before.post_id, text="Une phrase de plus.", silent=True)
    assert (after.modified, after.blocks == before.blocks) == (before.modified, False)


def test_the_observer_sees_every_response_to_a_reader():
    site, seen = fake_site(5), []
    site.observer = lambda request, response, fault: seen.append((request.path, response.status, fault and fault.kind))
    site.fault("error", times=1)
    for path in ("/", "/", "/nowhere"):
        get(site, path)
    post(site, "publish", {})
    assert seen == [("/", 500, "error"), ("/", 200, None), ("/nowhere", 404, None)]


def is_whole_page(response):
    broken = response.abort or response.delay or response.pause or response.cut_after is not None or response.length
    other = b"<h1>404</h1>" in response.body or response.header("Content-Encoding")
    return response.status == 200 and not broken and not other and len(response.body) > 50_000


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "charset" not in kind])  # it leaves the page whole
def test_faults_are_counted_and_limited_to_their_path(kind):
    site = fake_site(5)
    site.fault(kind, path="/politique/*", times=2)
    seen = [is_whole_page(get(site, p, {})) for p in ("/economie/", "/politique/?a=1", "/politique/", "/politique/")]
    assert seen == [True, False, False, True]
    assert site.state()["faults"] == []


@pytest.mark.parametrize(
    ("kind", "status", "check"),
    [
        ("throttle", 429, lambda r: r.header("Retry-After") == "2"),
        ("unavailable", 503, lambda r: r.header("Retry-After") == "2"),
        ("error", 500, lambda r: True),
        ("forbidden", 403, lambda r: True),
        ("down", 0, lambda r: r.abort),
        ("hang", 0, lambda r: r.abort and r.delay == 60),
        ("truncate", 200, lambda r: r.cut_after == len(r.body) // 2),
        ("slow", 200, lambda r: r.pause > 0),
        ("block", 200, lambda r: "navigateur" in r.decoded.decode()),
        ("empty", 200, lambda r: r.body == b"default.html"),
        ("garbage", 200, lambda r: r.header("Content-Encoding") == "gzip" and r.body[:2] != b"\x1f\x8b"),
        ("not_html", 200, lambda r: r.header("Content-Type") == "application/pdf"),
        ("charset", 200, lambda r: "Économie" in r.body.decode(r.header("Content-Type").partition("charset=")[2])),
    ],
)
def test_what_each_fault_does(kind, status, check):
    site = fake_site(5)
    site.fault(kind)
    response = get(site, "/")
    assert response.status == status
    assert check(response)
    site.clear()
    assert get(site, "/").status == 200


def test_retry_after_as_a_date():
    site = fake_site(0)
    site.fault("throttle", seconds=90, form="date")
    assert get(site, "/").header("Retry-After") == "Sat, 21 Nov 2026 08:01:30 GMT"


def test_parse_fault():
    fault = parse_fault("throttle:/rss/*:3")
    assert (fault.kind, fault.path, fault.times) == ("throttle", "/rss/*", 3)
    assert parse_fault("down") == parse_fault("down:")
    assert parse_fault("error::2").path is None


@pytest.mark.parametrize(
    "spec", ["", "trottle", "throttle:rss", "throttle:/rss:0", "throttle:/rss:x", "throttle:/a:1:2", "throttle:/a:-1"]
)
def test_parse_fault_rejects_invalid_text_with_a_hint(spec):
    with pytest.raises(BadInput) as caught:
        parse_fault(spec)
    assert caught.value.hint


def classes(html):
    return {c for n in tree(html).one("body").all() for c in n.classes}


def test_redesign_changes_all_names_but_neither_metadata_nor_text():
    site = fake_site(60)
    post_id = site.ids()[-1]
    story, before = site.story(post_id), page_of(site, post_id)
    site.redesign()
    after = page_of(site, post_id)
    assert classes(before)
    assert classes(after)
    assert not classes(before) & classes(after)
    assert "<h1" not in after
    assert "itemprop=" not in after.partition("</head>")[2]
    assert after.partition("<style>")[0] == before.partition("<style>")[0]
    assert all(text in tree(after).one("body").text for text in truth(story)["texts"])
    site.redesign()
    assert not classes(page_of(site, post_id)) & classes(after)
    site.clear()
    assert classes(page_of(site, post_id)) == classes(before)


def test_state_counts_requests_of_readers_only():
    site = fake_site(3)
    get(site, "/robots.txt")
    get(site, "/robots.txt")
    get(site, "/__replica__/state")
    state = site.state()
    assert state["requests"] == {"/robots.txt": 2}
    assert [(path, status) for _, path, status in state["log"]] == [("/robots.txt", 200)] * 2
    assert state["log"][0][0] <= state["log"][1][0] <= time.monotonic()
    assert state["articles"] == site.ids()
    assert {s["name"] for s in state["sections"]} >= {"Politique", "Économie"}
    assert state["times"]["now"] == NOW.isoformat()


# --- control over HTTP --------------------------------------------------------------------------------------------------


def post(site, action, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = site.respond(SiteRequest("POST", f"/__replica__/{action}", {}, content))
    return response.status, json.loads(response.body)


def test_actions_over_http():
    site = fake_site(10)
    status, published = post(site, "publish", {"n": 2})
    assert status == 200
    assert published["ids"] == site.ids()[-2:]
    post_id = published["ids"][0]
    assert post(site, "revise", {"post_id": post_id, "title": "Neuf"})[1]["title"] == "Neuf"
    assert post(site, "unpublish", {"post_id": post_id, "status": 410}) == (200, {"post_id": post_id, "status": 410})
    assert post(site, "fault", {"kind": "error", "path": "/rss/*", "times": 1})[1]["kind"] == "error"
    assert post(site, "redesign", {}) == (200, {"design": 1, "kind": "elements"})
    assert post(site, "redesign", {"kind": "nested", "seed": 7}) == (200, {"design": 7, "kind": "nested"})
    assert site.state()["design_kind"] == "nested"
    assert post(site, "clear", b"")[0] == 200
    assert site.state()["design"] == 0


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("explode", {}),
        ("publish", b"{"),
        ("publish", []),
        ("publish", {"n": 0}),
        ("publish", {"n": True}),
        ("publish", {"count": 3}),
        ("revise", {}),
        ("redesign", {"kind": "upside-down"}),
        ("revise", {"post_id": 1}),
        ("revise", {"post_id": SEED_IDS["000"], "title": " "}),
        ("revise", {"post_id": SEED_IDS["000"], "text": 5}),
        ("unpublish", {"post_id": SEED_IDS["000"], "status": 500}),
        ("fault", {}),
        ("fault", {"kind": "trottle"}),
        ("fault", {"kind": ["down"]}),
        ("fault", {"kind": "down", "times": 0}),
        ("fault", {"kind": "down", "path": 3}),
        ("fault", {"kind": "slow", "seconds": "x"}),
        ("fault", {"kind": "throttle", "form": "never"}),
        ("clear", {"all": True}),
    ],
)
def test_invalid_control_requests_get_an_error_and_a_hint(action, body):
    site = fake_site(0)
    before = site.state()
    status, answer = post(site, action, body)
    assert status == 400
    assert answer["error"]
    assert answer["hint"]
    assert site.state() == before


@pytest.mark.parametrize(("method", "path"), [("GET", "/__replica__/nothing"), ("PUT", "/__replica__/state")])
def test_other_control_requests_are_rejected(method, path):
    assert fake_site(0).respond(SiteRequest(method, path)).status == 400


def test_readers_cannot_post():
    assert fake_site(0).respond(SiteRequest("POST", "/", {}, b"x")).status == 405


# --- on a socket --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served():
    with serve(lambda url: fake_site(100, base=url)) as site:
        yield site


@pytest.fixture
def site(served):
    served.fake_site.clear()
    return served


def connect(site):
    return closing(http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10))


def fetch(url, data=None, headers=None):
    request = urllib.request.Request(url, data, headers or {})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status, dict(response.headers), response.read()


def test_keep_alive_gzip_and_chunks(site):
    with connect(site) as connection:
        sockets = set()
        for path in ("/", "/robots.txt", "/rss/home.rss", "/nulle-part", "/politique/"):
            connection.request("GET", path, headers=GZIP)
            sockets.add(id(connection.sock))
            response = connection.getresponse()
            body = gzip.decompress(response.read())
            assert body
            html = (response.headers["Content-Type"] or "").startswith("text/html")
            assert (response.headers["Transfer-Encoding"] == "chunked") is html
            assert (response.headers["Content-Length"] is None) is html
        assert len(sockets) == 1
        connection.request("HEAD", "/politique/")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/robots.txt")
        assert b"Sitemap" in connection.getresponse().read()


def test_links_use_the_address_of_the_socket(site):
    _, _, home = fetch(site.url + "/")
    link = tree(home.decode()).one("article", "story").one("a").attrs["href"]
    assert link.startswith(site.url)
    assert fetch(link)[0] == 200


def test_truncate_ends_the_body_early(site):
    site.fake_site.fault("truncate", path="/politique/", times=1)
    with connect(site) as connection:
        connection.request("GET", "/politique/")
        with pytest.raises(http.client.IncompleteRead) as caught:
            connection.getresponse().read()
    assert len(caught.value.partial) > 10_000


def test_down_closes_without_a_response(site):
    site.fake_site.fault("down", times=1)
    with connect(site) as connection:
        connection.request("GET", "/")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    assert fetch(site.url + "/robots.txt")[0] == 200


def test_slow_and_hang_delay_the_response(site):
    site.fake_site.fault("slow", times=1, seconds=0.5)
    start = time.monotonic()
    assert len(fetch(site.url + "/")[2]) > 50_000
    assert 0.4 < time.monotonic() - start < 5
    site.fake_site.fault("hang", times=1, seconds=0.3)
    start = time.monotonic()
    with connect(site) as connection:
        connection.request("GET", "/")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    assert 0.25 < time.monotonic() - start < 5


def test_actions_over_the_socket(site):
    _, _, body = fetch(f"{site.control}/publish", json.dumps({"n": 1}).encode())
    post_id = json.loads(body)["ids"][0]
    state = json.loads(fetch(f"{site.control}/state")[2])
    assert state["articles"][-1] == post_id
    assert "/__replica__/state" not in state["requests"]
    assert json.loads(fetch(f"{site.control}/state?log=0")[2])["log"] == []
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(f"{site.control}/publish", b'{"n": "x"}')
    with caught.value as error:
        assert error.code == 400
        assert "'n'" in json.loads(error.read())["error"]


def test_several_readers_at_once(site):
    paths = ["/", "/politique/", "/rss/home.rss", "/sitemap.xml"] * 5
    failures = []

    def reader(path):
        try:
            assert fetch(site.url + path)[0] == 200
        except Exception as error:  # noqa: BLE001 - asserted below, in the main thread
            failures.append(error)

    threads = [threading.Thread(target=reader, args=(p,)) for p in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_close_ends_a_hanging_connection():
    server = serve(lambda url: fake_site(0, base=url))
    server.fake_site.fault("hang")
    with connect(server) as connection:
        connection.request("GET", "/")
        time.sleep(0.1)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < 3
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    with pytest.raises(urllib.error.URLError):
        fetch(server.url)


def test_a_failing_factory_leaves_no_socket_behind():
    def failing(url):
        raise ValueError(url)

    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        serve(failing)
