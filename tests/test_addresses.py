"""Addresses are requested as the site names them and compared by post id, from the link to the rows and back."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from support import (
    FakeClock,
    settings,
)

from crawler import urls
from crawler.fetch import Fetcher
from crawler.site import FRENCH, Site

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
