"""The pages of `vna browse` on a polled archive: what they show, in both languages, and what they refuse."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, quote
from xml.etree import ElementTree as ET

import pytest
from support import NOW, ROOT, FakeClock, mounted, poll, rows, sealed, value, vna

pytest.importorskip("datasette")

import feedparser
import yaml

from crawler import identity
from crawler.changes import Kind
from crawler.coverage import take_stock
from crawler.identity import Decision
from crawler.room import charts, rendering
from crawler.room.language import of
from crawler.room.plugin import ROUTES
from crawler.room.requests import Ask
from crawler.room.room import Room
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage import FILE, open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Dateline, ImageBlock, Reading, Related, Repair, TextBlock

HOSTILE = "<script>alert(1)</script>\u202e\x1b]0;x\x07&amp;'\"><img src=x onerror=alert(1)>{{ 7*7 }}"
LONG, EMPTY, REPAIRED = 900_001, 900_002, 900_003
PAGES = ["/", "/find", "/find?q=vietnam", "/timeline", "/timeline?q=vietnam&q=chine", "/coverage", "/changes"]
ELSEWHERE = (
    "/nope",
    "/nope.json",
    "/article",
    "/article/x",
    "/feed.rss",
    "/find.xlsx",
    "/vnab",
    "/FIND",
    "/%00",
    "/%ff",
)
OF_DATASETTE = ("/vna.json", "/.json", "/-/versions.json", "/favicon.ico", "/-/static/app.css")
PAGES += ["/changes?kind=edits", "/removed", "/prominence", "/help", f"/article/{LONG}", f"/article/{EMPTY}"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A site of two sections: one article edited silently, one openly, one removed; then three unusual articles."""
    folder, clock = tmp_path_factory.mktemp("room"), FakeClock()
    small = Options(section_size=2, no_api=True, sections=SECTIONS[:2])
    with mounted(clock, articles=3, options=small) as site:
        for number in site.fake_site.ids()[:-8]:
            site.fake_site.unpublish(number)
        poll(folder, clock)
        ids = site.fake_site.ids()
        site.fake_site.revise(ids[-1], silent=True)
        site.fake_site.revise(ids[-2])
        clock.advance(hours=14)
        poll(folder, clock, everything=True)
    with open_archive(folder) as opened:
        with opened.transaction():
            for intent in (hostile(), empty(), repaired()):
                opened.save_article(intent)
            opened.set_article_state(ids[-3], "gone", clock.now())
        with opened.posts() as posts:
            ledger = take_stock(posts)
        opened.save_ledger(ledger, NOW)
    return folder


def saved(key, article, reading=None):
    return ArticleIntent(
        key=key,
        article=article,
        reading=reading or Reading(article.text),
        decision=Decision("new", 1),
        fingerprint=str(key),
        body_key=identity.body_key(article),
        simhash=0,
        published_on="2026-11-23",
        parser=1,
        now=NOW,
    )


def hostile():
    return saved(
        LONG,
        Article(
            title=HOSTILE + "x" * 10_000,
            lead=HOSTILE,
            blocks=(
                *(TextBlock(kind, HOSTILE) for kind in ("paragraph", "heading", "quote", "list_item", "table", "note")),
                ImageBlock("javascript:alert(1)", HOSTILE, HOSTILE, HOSTILE),
            ),
            related=(Related(HOSTILE, HOSTILE, HOSTILE, "javascript:alert(1)", 5),),
            post_id=LONG,
            url="javascript:alert(1)",
            section=HOSTILE,
            dateline=Dateline(HOSTILE, HOSTILE, HOSTILE),
            byline=HOSTILE,
            tags=(HOSTILE,),
            published_at=HOSTILE,
            modified_at=HOSTILE,
        ),
    )


def empty():
    return saved(EMPTY, Article(title="", post_id=EMPTY, published_at="2026-11-23T10:00:00+07:00"))


def repaired():
    text = "Le ministre des Affairesétrangères à Hà Nội.\n\nFin."
    article = Article(
        title="Réparation",
        blocks=tuple(TextBlock("paragraph", part) for part in text.split("\n\n")),
        post_id=REPAIRED,
        section="Politique",
        published_at="2026-11-23T11:00:00+07:00",
    )
    repair = Repair("glued-words", text.index("Affaires"), "Affairesétrangères", "Affaires étrangères")
    return saved(REPAIRED, article, Reading(text.replace(repair.before, repair.after), (repair,)))


@pytest.fixture(scope="module")
def room(archive):
    return Room(archive, clock=FakeClock(NOW.replace(day=23, hour=5)))


def ask(room, address, *, accept="fr", cookies=None):
    """Return the response to a request for an address."""
    path, _, query = address.partition("#")[0].partition("?")
    for pattern, view in ROUTES:
        if match := re.match(f"^{pattern}", path):
            return room.answer(
                view,
                path,
                parse_qs(query, keep_blank_values=True),
                headers={"accept-language": accept},
                cookies=cookies or {},
                base="http://127.0.0.1:8001",
                variables=match.groupdict(),
            )
    raise AssertionError(f"no page at {path}")


def page(room, address, **options):
    found = ask(room, address, **options)
    assert found.status == 200, found.body
    return found.body.decode("utf-8")


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_each_page_is_complete_in_both_languages(room, address):
    french, english = (page(room, address, accept=code) for code in ("fr", "en-GB,en;q=0.9,fr;q=0.8"))
    assert (french.count('<html lang="fr"'), english.count('<html lang="en"')) == (1, 1)
    assert "Aller au contenu" in french
    assert "Skip to the content" in english
    for html in (french, english):
        assert html.rstrip().endswith("</html>")
        assert len(html) < 60_000 or str(LONG) in address
        tags = [one for one in re.findall(r"<[^>]*>", html) if "alert(1)" not in one]
        loaded = [one for one in tags if re.match(r"<(?:script|link|img|iframe|form|input)\b", one)]
        assert not [one for one in loaded if re.search(r"""(?:src|href|action)=["'](?:\w+:)?//""", one)]
        assert not [one for one in tags if re.search(r"<style|<script(?! src=)|\s(?:on\w+|style)=", one)]


@pytest.mark.parametrize(
    "address", [f"/article/{LONG}", f"/article/{EMPTY}", "/find?q=alert", "/", "/find", "/removed"]
)
def test_no_text_of_the_archive_is_markup(room, address):
    html = page(room, address)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html)  # in no attribute
    assert not re.search("[\u202e\x1b\x07]", html)
    assert "49" not in re.findall(r"{{ 7\*7 }}|49", html)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/article/1", 404),
        ("/article/-7", 404),
        ("/capture/999999", 404),
        (f"/article/{EMPTY}?as_of=2020-01-01", 404),
        (f"/article/{EMPTY}?as_of=then", 400),
        (f"/article/{EMPTY}?known_at=2020-01-01", 404),
        (f"/article/{EMPTY}?known_at=2026-13-01", 400),
        (f"/article/{EMPTY}?revision=7", 404),
        (f"/article/{EMPTY}?revision=x", 400),
        (f"/article/{EMPTY}?revision=" + "9" * 30, 400),
        (f"/article/{EMPTY}?q=%22", 400),
        (f"/article/{EMPTY}/cite.bib?as_of=2020-01-01", 404),
        (f"/article/{EMPTY}/cite.txt?revision=0", 404),
        ("/article/1/cite.ris", 404),
        ("/article/1/evidence.zip", 404),
        ("/changes?kind=x", 400),
        ("/feed.atom?kind=figure&kind=x", 400),
        (f"/article/{EMPTY}?as_of=9999-12-31T23:59:59-12:00", 400),
        ("/find?q=%22", 400),
        ("/find?q=-Cuba", 400),
        ("/find?q=since:then", 400),
        ("/find?since=2026-02-30", 400),
        ("/find?until=0x", 400),
        ("/find?since=99999999w", 400),
        ("/find?month=2026-13", 400),
        ("/find?year=x", 400),
        ("/find?key=x", 400),
        ("/find?sort=random", 400),
        ("/find?year=0", 400),
        ("/find.csv?year=0", 400),
        ("/find.jsonl?year=10000", 400),
        ("/feed.atom?year=-1", 400),
        ("/find?year=" + "9" * 30, 400),
        ("/find.csv?month=0000-01", 400),
        ("/find?month=2024-1", 400),
        ("/find?month=2024x01", 400),
        ("/find?key=" + "9" * 30, 400),
        ("/find?q=a&sort=relevance&key=-1.5_" + "9" * 30, 400),
        ("/changes?key=2026-11-23T00:00:00Z_" + "9" * 30, 400),
        ("/removed?key=9999-12-31T23:59:59-12:00_5", 400),
        ("/coverage?month=0000-01", 400),
        ("/find?q=" + "a" * 2000, 400),
        ("/timeline?q=" + "a" * 2000, 400),
        ("/changes?key=x", 400),
        ("/removed?key=2026_x", 400),
        ("/coverage?month=2026", 400),
        ("/prominence?on=9999-12-31", 400),
        ("/feed.atom?kind=x", 400),
        ("/feed.json?content=x", 400),
        ("/find?section=Nope", 400),
        ("/find?q=vietnam+section:Nope", 400),
        ("/find.csv?section=Nope", 400),
        ("/timeline?q=vietnam&section=Nope", 400),
        ("/timeline?q=a&q=b&q=c&q=d&q=e", 400),
        ("/timeline?q=a&q=b&since=2024&since=2025", 400),
        ("/find?q=vietnam&q=chine", 400),
        ("/find.csv?q=vietnam&kind=photo&kind=video", 400),
        ("/find?q=a&sort=oldest&sort=newest", 400),
        ("/coverage?month=2024-01&month=2024-02", 400),
        ("/prominence?on=2026-11-21&on=2026-11-22", 400),
        (f"/article/{EMPTY}?revision=1&revision=2", 400),
        (f"/article/{EMPTY}/cite.txt?as_of=2026&as_of=2027", 400),
        ("/changes?silent=" + "1" * 2000, 400),
        ("/changes?kind=" + "x" * 2000, 400),
        ("/feed.atom?kind=photo&kind=video", 400),
        ("/feed.atom?kind=edits&kind=gaps", 400),
        ("/feed.json?q=a&q=b", 400),
        ("/feed.atom?section=Nope", 400),
        ("/feed.json?q=vietnam&section=Nope", 400),
        ("/find?kind=x", 400),
        ("/find.jsonl?kind=edits", 400),
        ("/find?since=2026-02&until=2026-01", 400),
        ("/find?q=vietnam+since:2026&until=2025", 400),
        ("/timeline?since=2026-02&until=2026-01", 400),
        ("/feed.atom?kind=edits&section=Politique", 400),
        ("/feed.json?kind=figure&q=vietnam", 400),
        ("/feed.atom?kind=removals&since=2026", 400),
        ("/feed.atom?kind=gaps&place=Paris", 400),
        (f"/article/{EMPTY}?view=x", 400),
        (f"/article/{EMPTY}?as_of=2020", 404),
        (f"/article/{EMPTY}?known_at=2020-01", 404),
    ],
)
def test_what_cannot_be_answered_is_said_in_both_languages(room, address, status):
    french, english = (ask(room, address, accept=code) for code in ("fr", "en"))
    assert (french.status, english.status) == (status, status)
    headings = [re.search(r"<h1>(.+)</h1>", one.body.decode())[1] for one in (french, english)]
    assert headings[0] != headings[1]


#: Searches with a mistake, and how the page says so in French.
MISTAKES = {
    "riz -section:Sports": "Un filtre ne peut pas être exclu",
    "riz SAUF depuis:2024": "Un filtre ne peut pas être exclu",
    "(riz since:2024) OR paix": "Un filtre ne peut pas être entre parenthèses",
    "riz section:(Sports OR Politique)": "Un filtre a une seule valeur",
    "(" * 11 + "riz" + ")" * 11: "Cette recherche a trop de niveaux de parenthèses",
    "riz (-chine)": "Des parenthèses ne peuvent pas contenir seulement des mots exclus",
    "-chine": "Une recherche doit contenir",
    "riz since:hier": "Un jour s’écrit",
}


@pytest.mark.parametrize("address", ["/find", "/timeline", "/feed.atom", f"/article/{EMPTY}"])
@pytest.mark.parametrize(("text", "message"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_in_a_search_is_named_in_french(room, address, text, message):
    refused = ask(room, f"{address}?q={quote(text)}", accept="fr")
    (content,) = re.findall(r"<main.*</main>", refused.body.decode(), re.DOTALL)
    assert (refused.status, message in unescape(content)) == (400, True), content
    assert not re.search(r'lang="en"|write|cannot|parentheses', content)


def test_a_parameter_that_stands_twice_with_one_value_is_accepted(room):
    assert ask(room, "/find?q=vietnam&q=vietnam&sort=newest&sort=newest").status == 200
    assert ask(room, "/timeline?q=a&q=b&q=c&q=d&q=a&q=").status == 200
    assert ask(room, "/feed.atom?kind=figure&kind=name&kind=edits").status == 200


# --- language and theme -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "cookies", "address", "code"),
    [
        ("", {}, "/help", "fr"),
        ("de, es;q=0.5", {}, "/help", "fr"),
        ("en-US", {}, "/help", "en"),
        ("fr;q=0.3, en;q=0.7", {}, "/help", "en"),
        ("en", {"lang": "fr"}, "/help", "fr"),
        ("fr", {"lang": "fr"}, "/help?lang=en", "en"),
        ("en", {"lang": "xx"}, "/help?lang=xx", "en"),
        ("en;q=x, *;q=1", {}, "/help", "fr"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_best_accepted_one(room, accept, cookies, address, code):
    assert f'<html lang="{code}"' in page(room, address, accept=accept, cookies=cookies)


def test_a_choice_is_remembered(room):
    assert ask(room, "/help?lang=en").cookies == {"lang": "en"}
    assert ask(room, "/help").cookies == {}
    dark = ask(room, "/find?q=a&theme=dark")
    assert (dark.status, dark.headers["Location"], dark.cookies) == (302, "/find?q=a", {"theme": "dark"})
    assert 'data-theme="dark"' in page(room, "/help", cookies={"theme": "dark"})
    assert "data-theme" not in page(room, "/help", cookies={"theme": '"><script>'})


def test_numbers_and_dates_are_written_in_the_language_of_the_page(room):
    french, english = (text_of(page(room, f"/article/{REPAIRED}", accept=code)) for code in ("fr", "en"))
    assert "23 novembre 2026, 11 h 00" in french
    assert "23 November 2026, 11:00" in english


# --- an article -------------------------------------------------------------------------------------------------------


def test_repairs_are_marked_and_can_be_undone(room):
    html = page(room, f"/article/{REPAIRED}")
    assert 'title="Affairesétrangères" tabindex="-1">Affaires étrangères</span>' in html
    html = page(room, f"/article/{REPAIRED}?view=published")
    assert 'title="Affaires étrangères" tabindex="-1">Affairesétrangères</span>' in html


def test_an_article_shows_its_versions_captures_and_positions(room, archive):
    key = value(archive, "SELECT article FROM revisions WHERE revision = 2 ORDER BY article DESC LIMIT 1")
    html = page(room, f"/article/{key}", accept="en")
    assert re.search(r"<del>[^<]+</del><ins>[^<]+</ins>", html)
    text = text_of(html)
    assert "version 1 → version 2" in text
    assert "the page names no new time of modification" in text
    assert html.count("sha256:") >= 2
    assert "Home page" in text
    seen_at = value(archive, "SELECT seen_at FROM revisions WHERE revision = 1 AND article = ?", key)
    earlier = page(room, f"/article/{key}?as_of={seen_at}", accept="en")
    assert "Version 1 of 2. What the site showed on" in text_of(earlier)
    changed = [
        value(archive, "SELECT blocks FROM revisions WHERE article = ? AND revision = ?", key, n) for n in (1, 2)
    ]
    assert changed[0] != changed[1]


def test_a_time_is_read_as_the_command_reads_it(room, archive, tmp_path):
    """A day means its end in UTC: the site showed the second version from 22:00 UTC on; the archive knew it a day later."""
    folder = shutil.copytree(archive, tmp_path / "copy")
    key = value(folder, "SELECT article FROM revisions WHERE revision = 2 ORDER BY article DESC LIMIT 1")
    with closing(sqlite3.connect(folder / FILE)) as db:
        times = (("2026-11-21T22:00:00Z", "2026-11-22T10:00:00Z", key),)
        db.executemany("UPDATE revisions SET seen_at = ?, known_at = ? WHERE revision = 2 AND article = ?", times)
        db.commit()
    copy = Room(folder, clock=room.clock)
    for parameters, number in (
        ({"as_of": "2026-11-21"}, 2), ({"as_of": "2026-11-21T23:00+02:00"}, 1), ({"as_of": "2026-11-21T22:00"}, 2),
        ({"as_of": "2026-11-22", "known_at": "2026-11-21"}, 1), ({"known_at": "2026-11-22"}, 2), ({"revision": "1"}, 1),
    ):  # fmt: skip
        query = "&".join(f"{name}={quote(text)}" for name, text in parameters.items())
        assert f"Version {number} of 2." in text_of(page(copy, f"/article/{key}?{query}", accept="en")), parameters
        options = [word for name, text in parameters.items() for word in (f"--{name.replace('_', '-')}", text)]
        shown = json.loads(vna("--archive", folder, "show", key, *options, "--format", "json").out)
        title = value(folder, "SELECT title FROM revisions WHERE article = ? AND revision = ?", key, number)
        assert shown["title"] == title


def test_hits_of_a_search_are_marked_in_the_article_it_leads_to(room):
    (address,) = set(re.findall(rf'href="(/article/{REPAIRED}[^"]*)"', page(room, "/find?q=etrangeres+noi")))
    html = page(room, unescape(address), accept="en")
    assert 'Affaires </span><mark><span class="repair"' in html
    assert "<mark>Nội</mark>" in html
    assert '<a class="first-hit" href="#hit">2 hits</a>' in html
    assert html.count('id="hit"') == 1
    title = page(room, f"/article/{REPAIRED}?q=reparation", accept="en")
    assert '<h1 id="hit"><mark>Réparation</mark></h1>' in title
    assert "No hit in this text" in page(room, f"/article/{REPAIRED}?q=riz", accept="en")
    assert "<mark>" not in page(room, f"/article/{REPAIRED}")


@pytest.mark.parametrize(("ending", "form"), [("txt", "text"), ("bib", "bibtex"), ("ris", "ris"), ("json", "csl-json")])
def test_a_citation_is_the_one_of_the_command(room, archive, ending, form):
    key, seen_at = rows(archive, "SELECT article, seen_at FROM revisions WHERE revision = 2 LIMIT 1")[0].values()
    first = value(archive, "SELECT seen_at FROM revisions WHERE article = ? AND revision = 1", key)
    for time in (first, seen_at):
        served = ask(room, f"/article/{key}/cite.{ending}?as_of={time}")
        assert f'filename="vna-{key}-{1 if time == first else 2}.{ending}"' in served.headers["Content-Disposition"]
        cited = vna("--archive", archive, "cite", key, "--as-of", time, "--format", form)
        assert served.body.decode() == cited.out
    assert ask(room, f"/article/{REPAIRED}/cite.{ending}").status == 200  # without a capture
    shown = unescape(page(room, f"/article/{key}?as_of={first}&known_at={seen_at}"))
    assert f"/article/{key}/cite.{ending}?as_of={quote(first)}&known_at={quote(seen_at)}" in shown
    assert cited.out.strip() in unescape(page(room, f"/article/{key}"))


def test_an_evidence_pack_is_the_one_of_the_command(archive, tmp_path):
    """Also while another process writes."""
    archive = shutil.copytree(archive, tmp_path / "copy")
    sealed(archive, FakeClock())
    room = Room(archive, clock=FakeClock())
    key = value(archive, "SELECT article FROM revisions WHERE revision = 2 LIMIT 1")
    assert vna("--archive", archive, "evidence", key, "--out", tmp_path / "pack.zip").code == 0
    with open_archive(archive) as writing, writing.transaction():
        writing.db.conn.execute("UPDATE articles SET checked_at = checked_at WHERE id = ?", [key])
        served = ask(room, f"/article/{key}/evidence.zip")
    assert (served.status, served.content_type) == (200, "application/zip")
    assert served.body == (tmp_path / "pack.zip").read_bytes()
    assert f'href="/article/{key}/evidence.zip"' in page(room, f"/article/{key}")


@pytest.mark.parametrize("limit", ["_MOST_BYTES", "_MOST_CHARACTERS"])
def test_a_large_pack_is_left_to_the_command(room, archive, monkeypatch, limit):
    monkeypatch.setattr(f"crawler.room.pages.proof.{limit}", 10)
    key = value(archive, "SELECT article FROM revisions WHERE revision = 2 LIMIT 1")
    found = ask(room, f"/article/{key}/evidence.zip", accept="en")
    assert found.status == 413
    assert f"vna evidence {key} --out evidence-{key}.zip" in found.body.decode()


def test_damaged_evidence_is_said(archive, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "copy")
    for file in (folder / "warc").rglob("*.gz"):
        file.write_bytes(b"x" * file.stat().st_size)
    key = value(folder, "SELECT article FROM revisions WHERE revision = 2 LIMIT 1")
    found = ask(Room(folder, clock=FakeClock()), f"/article/{key}/evidence.zip", accept="en")
    assert found.status == 503
    assert "The evidence of this article cannot be read." in found.body.decode()


def test_similar_articles_are_listed_from_both_sides(room, archive, tmp_path, monkeypatch):
    folder = shutil.copytree(archive, tmp_path / "copy")
    words = " ".join(f"mot{n} phrase du texte commun" for n in range(40))
    with open_archive(folder) as opened, opened.transaction():
        for key, text in ((900_010, "Le " + words), (900_011, "Le " + words)):
            article = Article(
                title=f"Dépêche {key}", blocks=(TextBlock("paragraph", text),), post_id=key, section="Sports"
            )
            opened.save_article(saved(key, article))
        opened.db.conn.execute("INSERT INTO similar VALUES (900010, 900002, 'extends', 0.87, 'Un passage <b>')")
    copy = Room(folder, clock=room.clock)
    first, other, stored = (page(copy, f"/article/{key}", accept="en") for key in (900_010, 900_011, EMPTY))
    assert re.search(
        r'href="/article/900011" lang="fr">Dépêche 900011</a>.*the same text again · 100 %', first
    )  # not stored
    assert re.search(r'href="/article/900010" lang="fr">Dépêche 900010</a>.*the same text again · 100 %', other)
    assert "extended by this article · 87 %" in first
    assert "extends this article · 87 %" in stored
    assert "Un passage &lt;b&gt;" in stored
    monkeypatch.setattr("crawler.room.pages.article._LONGEST_SIMILAR", 10)
    long = page(copy, "/article/900010", accept="en")
    assert "the same text again" not in long
    assert "extended by this article" in long


def test_an_open_edit_is_not_called_silent(room, archive):
    keys = [row["article"] for row in rows(archive, "SELECT article FROM revisions WHERE revision = 2")]
    silent = [key for key in keys if "names no new time" in page(room, f"/article/{key}", accept="en")]
    assert (len(keys), len(silent)) == (2, 1)


def test_only_the_last_captures_are_in_the_table(room, archive, monkeypatch):
    monkeypatch.setattr("crawler.room.pages.article._MOST_LATER", 1)
    row = rows(archive, "SELECT article, raw_id FROM revisions WHERE revision = 2 LIMIT 1")[0]
    table = page(room, f"/article/{row['article']}", accept="en").partition('id="captures"')[2]
    assert re.findall(r'<a href="/capture/(\d+)">', table) == [str(row["raw_id"])]
    assert "1 earlier capture is not shown." in table


def test_a_removed_article_keeps_its_text_below_a_band(room, archive):
    key = value(archive, "SELECT article FROM states WHERE state = 'gone'")
    html = page(room, f"/article/{key}")
    assert "L’agence a retiré cet article" in html
    title = value(archive, "SELECT title FROM articles WHERE id = ?", key)
    assert title in unescape(page(room, "/removed"))


def test_the_archived_page_runs_nothing_and_is_decoded(room, archive):
    number = value(archive, "SELECT raw_id FROM articles WHERE raw_id IS NOT NULL LIMIT 1")
    assert f'src="/capture/{number}/page" sandbox' in page(room, f"/capture/{number}")
    found = ask(room, f"/capture/{number}/page")
    assert found.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert found.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<html" in found.body.decode("utf-8")


# --- lists ------------------------------------------------------------------------------------------------------------


def test_hits_are_marked_as_they_are_written(room):
    html = page(room, "/find?q=etrangeres")
    assert "<mark>étrangères</mark>" in html
    assert "<mark>Nội</mark>" in page(room, "/find?q=ha+noi")


def test_facets_narrow_a_search_and_each_filter_can_be_removed(room, archive):
    html = page(room, "/find?q=vietnam", accept="en")
    found = dict(re.findall(r'href="(/find\?q=vietnam&amp;year=\d+)">(\d+)</a>', html))
    address, year = next(iter(found.items()))
    narrowed = page(room, unescape(address), accept="en")
    assert f'<a class="chip" href="/find?q=vietnam" title="Remove this filter">{year}' in narrowed
    count = value(archive, "SELECT count(*) FROM articles WHERE id < 900000 AND substr(published_on, 1, 4) = ?", year)
    assert int(re.search(r"<b>(\d+) articles?</b>", narrowed)[1]) <= count


@pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
def test_a_list_is_paged_by_key_without_gaps_or_repetitions(room, archive, monkeypatch, sort):
    monkeypatch.setattr("crawler.room.pages.search._LIMIT", 2)
    rows = list(csv.DictReader(io.StringIO(ask(room, f"/find.csv?q=vietnam&sort={sort}").body.decode("utf-8-sig"))))
    whole = [row["id"] for row in rows]
    found, address = [], f"/find?q=vietnam&sort={sort}"
    while address:
        html = page(room, address)
        found += re.findall(r'href="/article/(-?\d+)(?:\?q=vietnam)?" class="item"', html)
        following = re.search(r'href="([^"]+)" rel="next"', html)
        address = unescape(following[1]) if following else None
    assert found == whole
    assert len(found) > 4


def test_exports_have_the_columns_of_the_command(room):
    lines = ask(room, "/find.jsonl?q=etrangeres").body.decode().splitlines()
    assert REPAIRED in [json.loads(line)["id"] for line in lines]


def test_changes_say_which_edits_were_silent(room, archive):
    silent = re.findall(r'<h3><a href="/article/(\d+)"', page(room, "/changes?kind=edits"))
    both = re.findall(r'<h3><a href="/article/(\d+)"', page(room, "/changes"))
    assert (len(silent), len(both)) == (1, 2)
    assert set(silent) < set(both)


def test_changes_are_filtered_by_kind(room, archive, monkeypatch):
    listed = json.loads(vna("--archive", archive, "changes", "--json").out)
    kinds = {row["id"]: set(row["kinds"]) for row in listed if row["what"] == "revised"}
    assert len(kinds) == 2
    for kind in Kind:
        for silent in (False, True):
            address = f"/changes?kind={kind}" + "&silent=1" * silent
            found = {int(key) for key in re.findall(r'<h3><a href="/article/(\d+)"', page(room, address))}
            assert found == {row["id"] for row in listed if kind in row["kinds"] and (row["silent"] or not silent)}
            feed = feedparser.parse(ask(room, address.replace("/changes", "/feed.atom")).body)
            assert len(feed.entries) == len(found)
    both = "&".join(f"kind={kind}" for kind in Kind)
    assert len(re.findall("<h3>", page(room, f"/changes?{both}"))) == 2
    assert "chiffre" in page(room, "/changes")
    assert "wording" in page(room, "/changes", accept="en")


@pytest.mark.parametrize("limit", ["events._MOST_READ", "comparisons._MOST"])
def test_a_rare_kind_is_searched_page_by_page(room, monkeypatch, limit):
    monkeypatch.setattr(f"crawler.room.pages.{limit}", 1)
    address, pages = "/changes?kind=quote", 0
    while address:
        html = page(room, address, accept="en")
        pages += 1
        following = re.search(r'href="([^"]+)" rel="next"', html)
        assert ("The next page searches older ones." in html) == bool(following)
        address = unescape(following[1]) if following else None
    assert pages == 2


def test_texts_that_are_too_long_are_not_compared_and_not_left_out(room, monkeypatch):
    monkeypatch.setattr("crawler.room.pages.comparisons._LONGEST", 10)
    html = page(room, "/changes?kind=caption", accept="en")
    assert html.count("<h3>") == 2
    assert "Changed: " in html
    assert "<del>" not in html


def test_the_timeline_counts_the_hits_of_each_period(room, archive):
    html = page(room, "/timeline?q=title:R%C3%A9paration&since=2026-11-20&until=2026-11-25", accept="en")
    assert "23 November 2026" in text_of(html)
    assert f"/find?q={quote('title:Réparation')}&amp;since=2026-11-23&amp;until=2026-11-23" in html
    months = page(room, "/timeline?q=vietnam&since=2018-01-01", accept="en")
    total = int(re.search(r'class="count">(\d+)', months)[1])
    assert total == len(ask(room, "/find.jsonl?q=vietnam&since=2018-01-01&until=2026-11-23").body.splitlines())


def test_a_wrong_date_does_not_add_centuries(room):
    ask_in_2026 = Ask("/", {}, of("en"), "", "", NOW)
    assert [ask_in_2026.oldest_month(month) for month in ("0201-05", "2018-05")] == ["1986-01", "2018-05"]


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("since=today", "since=2026-11-23"),
        ("since=Yesterday&until=today", "since=2026-11-22&until=2026-11-23"),
        ("since=3d", "since=2026-11-20"),
        ("since=2026-11&until=2026-11", "since=2026-11-01&until=2026-11-30"),
        ("until=2026", "until=2026-12-31"),
        ("q=vietnam+since:3d", "q=vietnam&since=2026-11-20"),
        ("q=vietnam+until:yesterday", "q=vietnam&until=2026-11-22"),
    ],
)
def test_days_are_written_as_on_the_command_line(room, address, same):
    assert ask(room, f"/find.csv?{address}").body == ask(room, f"/find.csv?{same}").body


def test_the_form_of_the_search_shows_a_relative_day_as_a_date(room):
    assert 'name="since" value="2026-11-23"' in page(room, "/find?since=today")


@pytest.mark.parametrize(
    ("form", "day"), [("today", "2026-11-23"), ("2026-11", "2026-11-30"), ("2026", "2026-12-31"), ("0d", "2026-11-23")]
)
def test_a_time_in_an_address_accepts_the_days_of_the_command_line(room, form, day):
    found, same = (page(room, f"/article/{EMPTY}?as_of={value}") for value in (form, day))
    shown = [text_of(re.search(r"(?s)<main.*</main>", one)[0]) for one in (found, same)]
    assert shown[0] == shown[1]
    assert f'value="{day}"' in found


def test_a_section_is_found_without_its_capitals_and_accents(room):
    assert ask(room, "/find.csv?section=POLITIQUE").body == ask(room, "/find.csv?section=Politique").body
    assert "Politique" in text_of(ask(room, "/find?section=Nope").body.decode())


def test_messages_of_a_french_page_are_french(room):
    for query in ("%22", "-Cuba", "since:then+vietnam"):
        assert "hint" not in (shown := text_of(ask(room, f"/find?q={query}").body.decode()))
        assert not re.search(r"\b(?:search|word|day)\b", shown), shown


def test_a_timeline_ends_today_if_its_last_day_is_in_the_future(room):
    charts_ = [
        page(room, f"/timeline?q=vietnam{more}").partition("<svg")[2].partition("</svg>")[0]
        for more in ("", "&until=2300")
    ]
    assert charts_[0] == charts_[1] != ""


def test_a_null_character_separates_words(room):
    assert ask(room, "/find.csv?q=vietnam%00viet").body == ask(room, "/find.csv?q=vietnam+viet").body


@pytest.mark.parametrize(("few", "shown"), [(1, False), (400, True)])
def test_the_front_page_adds_the_day_before_a_day_with_few_articles(room, monkeypatch, few, shown):
    monkeypatch.setattr("crawler.room.pages.front._FEW", few)
    assert ('<h2 class="earlier">' in page(room, "/")) is shown


def test_a_random_article_exists(room):
    found = ask(room, "/random")
    assert found.status == 302
    assert ask(room, found.headers["Location"]).status == 200


def test_a_heat_map_shades_months_by_their_number_of_articles():
    found = charts.heat_map({"2026-01": 1, "2026-02": 100}, {"2026-03": 2}, "2026-01", "2026-03", of("en"))
    assert re.findall(r"<title>([^<]+)</title><rect (class=\S+|fill=\S+)", found.svg) == [
        ("January 2026: 1", 'class="heat1"'),
        ("February 2026: 100", 'class="heat5"'),
        ("March 2026: 0, missing 2", 'fill="url(#empty)"'),
    ]
    assert found.bounds == (1, 20, 40, 60, 80)


def test_coverage_lists_what_is_known(room):
    text = text_of(page(room, "/coverage?month=2026-11", accept="en"))
    assert "articles are known; the archive holds" in text
    assert "Missing articles of November 2026" in text


# --- feeds ------------------------------------------------------------------------------------------------------------

FEEDS = [
    "q=vietnam",
    "kind=articles&place=Paris",
    "kind=photo",
    "section=Politique",
    "kind=edits",
    "kind=changes&content=summary",
    "kind=figure&kind=name",
    "kind=removals",
    "kind=gaps",
    "content=summary",
    "q=alert",
]


@pytest.mark.parametrize("parameters", FEEDS)
def test_atom_feeds_are_well_formed_and_stable(room, parameters):
    address = f"/feed.atom?{parameters}"
    found = ask(room, address)
    assert found.headers["ETag"] == ask(room, address).headers["ETag"]
    feed = feedparser.parse(found.body)
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    ids = [entry.id for entry in feed.entries]
    assert len(ids) == len(set(ids))
    assert all(entry.updated and entry.title for entry in feed.entries)
    assert feed.feed.updated == max((entry.updated for entry in feed.entries), default="1970-01-01T00:00:00Z")
    assert len(ids) == {"kind=edits": 1, "kind=removals": 1, "kind=gaps": 0}.get(parameters, len(ids))


@pytest.mark.parametrize("parameters", FEEDS)
def test_json_feeds_follow_the_schema(room, parameters):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(__file__).parent / "data" / "json-feed-1.1.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(ask(room, f"/feed.json?{parameters}").body), schema)


def test_a_feed_has_the_hits_of_the_search_it_belongs_to(room):
    html = page(room, "/find?q=vietnam&kind=article&year=2026")
    address = unescape(re.search(r'type="application/atom\+xml"[^>]+href="([^"]+)"', html)[1])
    entries = feedparser.parse(ask(room, address).body).entries
    listed = re.findall(r'href="/article/(-?\d+)\?q=vietnam" class="item"', html)
    assert [entry.link.rpartition("/")[2] for entry in entries][: len(listed)] == listed
    assert len(feedparser.parse(ask(room, "/feed.atom?kind=articles").body).entries) > len(entries)


def test_the_list_of_feeds_names_each_section_and_watch(archive):
    room = Room(archive, watches={"Mer": "mer Orientale"}, clock=FakeClock())
    root = ET.fromstring(ask(room, "/feeds.opml").body)
    outlines = {one.get("text"): one.get("xmlUrl") for one in root.iter("outline")}
    assert outlines["Mer"] == "http://127.0.0.1:8001/feed.atom?q=mer+Orientale"
    assert outlines["Politique"].endswith("/feed.atom?section=Politique")
    assert {"Modifications silencieuses", "Articles retirés", "Lacunes"} <= set(outlines)


# --- archives that cannot be read -------------------------------------------------------------------------------------


def test_a_page_that_was_shown_is_shown_again_while_the_archive_cannot_be_read(archive, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "copy")
    room = Room(folder, clock=FakeClock())
    assert "L’archive ne peut pas être lue pour l’instant" not in page(room, "/changes")
    (folder / FILE).rename(folder / "moved.db")
    assert "L’archive ne peut pas être lue pour l’instant" in page(room, "/changes")
    assert ask(room, "/removed").status == 503
    (folder / "moved.db").rename(folder / FILE)
    assert "L’archive ne peut pas être lue pour l’instant" not in page(room, "/changes")


def test_only_the_last_pages_are_kept(archive, tmp_path, monkeypatch):
    monkeypatch.setattr("crawler.room.room._KEPT", 2)
    folder = shutil.copytree(archive, tmp_path / "copy")
    room = Room(folder, clock=FakeClock())
    for address in ("/help", "/changes", "/removed"):
        page(room, address)
    (folder / FILE).unlink()
    assert [ask(room, address).status for address in ("/help", "/changes", "/removed")] == [503, 200, 200]


def test_a_database_that_was_replaced_is_opened_again(archive, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "copy")
    room = Room(folder, clock=FakeClock())
    assert ask(room, f"/article/{EMPTY}").status == 200
    shutil.copy(folder / FILE, tmp_path / "new.db")
    with closing(sqlite3.connect(tmp_path / "new.db")) as db:
        db.execute("DELETE FROM revisions WHERE article = ?", [EMPTY])
        db.execute("DELETE FROM articles WHERE id = ?", [EMPTY])
        db.commit()
    (tmp_path / "new.db").replace(folder / FILE)
    assert ask(room, f"/article/{EMPTY}").status == 404


def test_a_newer_database_and_no_database_are_said_plainly(archive, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "copy")
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
    found = ask(Room(folder, clock=FakeClock()), "/", accept="en")
    assert found.status == 503
    assert "A newer version of the program wrote this archive." in found.body.decode()
    assert ask(Room(tmp_path / "none", clock=FakeClock()), "/").status == 503


def test_a_locked_database_is_said_plainly(archive, tmp_path, monkeypatch):
    monkeypatch.setattr("crawler.room.room._WAIT", 20)
    folder = shutil.copytree(archive, tmp_path / "copy")
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    room = Room(folder, clock=FakeClock())
    assert ask(room, "/help").status == 200
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert ask(room, "/removed").status == 503
    assert ask(room, "/removed").status == 200


def test_empty_tables_are_said_in_words(tmp_path):
    open_archive(tmp_path).close()
    room = Room(tmp_path, clock=FakeClock())
    for address in ["/", "/find", "/find?q=a", "/timeline?q=a", "/coverage", "/changes", "/removed", "/prominence"]:
        assert 'class="none"' in page(room, address)
    assert ask(room, "/random").status == 404
    assert not feedparser.parse(ask(room, "/feed.atom").body).bozo


def test_a_search_that_takes_too_long_ends(room, monkeypatch):
    monkeypatch.setattr("crawler.room.room._SECONDS", -1.0)
    monkeypatch.setattr("crawler.storage.evidence._STEPS", 1)
    assert ask(room, "/find?q=vietnam").status == 503


def test_static_files_are_those_of_the_package_only():
    assert rendering.static_file("room.css").status == 200
    assert rendering.static_file("room.js").content_type.startswith("text/javascript")
    assert [rendering.static_file(name) for name in ("../room.py", "rendering.py", "none.css")] == [None] * 3


# --- the command and the server ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "form"), [((), "atom"), (("etrangeres",), "json"), (("--section", "Politique"), "atom")]
)
def test_the_command_writes_the_same_articles_to_a_file(archive, room, tmp_path, words, form):
    out = tmp_path / "feed"
    done = vna("--archive", archive, "feed", *words, "--format", form, "--out", out)
    assert done.code == 0, done.err
    parameters = {(): "", ("etrangeres",): "q=etrangeres"}.get(words, "section=Politique")
    served = ask(room, f"/feed.{form}?{parameters}").body
    if form == "atom":
        ids = [[entry.id for entry in feedparser.parse(content).entries] for content in (out.read_bytes(), served)]
    else:
        ids = [[item["id"] for item in json.loads(content)["items"]] for content in (out.read_bytes(), served)]
    assert ids[0] == ids[1]


def served(archive, addresses):
    """Return the responses of Datasette with the plugins of the project, in this process."""

    from datasette.app import Datasette  # noqa: PLC0415 - it takes a second, in each worker that imports this module

    metadata = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))
    datasette = Datasette([str(archive / FILE)], metadata=metadata, plugins_dir=str(ROOT / "config" / "datasette"))

    async def responses():
        return [await datasette.client.get(address, headers=headers) for address, headers in addresses]

    return asyncio.run(responses())


@pytest.fixture(scope="module")
def responses(archive):
    """The responses to some requests, all from one server: to start it takes a second."""
    environment = pytest.MonkeyPatch()
    environment.setenv("VNA_HOSTS", "localhost")
    environment.setenv("VNA_CONFIG", str(ROOT / "config" / "crawler.toml"))
    addresses = [
        ("/", {}), ("/feed.atom", {}), ("/help?lang=en", {}), ("/vna", {}), ("/vna/articles", {}), ("/-/room/none.css", {}),
        (rendering.static_address("room.css"), {}), ("/help?" + "&".join(f"a{n}=1" for n in range(50)), {}),
        ("/vna/articles.json?_search=etrangeres&_shape=array&_col=id", {}),
        ("/vna/articles.json?_search=zzzz&_shape=array", {}), ("/vna/search?query=vietnam", {}), ("/vna/coverage", {}),
        *((address, {}) for address in (*ELSEWHERE, *OF_DATASETTE)),
    ]  # fmt: skip
    try:
        found = dict(zip([address for address, _ in addresses], served(archive, addresses), strict=True))
        etag = found["/feed.atom"].headers["etag"]
        (found["unchanged"],) = served(archive, [("/feed.atom", {"If-None-Match": etag})])
        known = (f"W/{etag}", f'"x", {etag}', f'"x",W/{etag},"y"', "*", '"x"', etag.strip('"'), "")
        found["known"] = served(archive, [("/feed.atom", {"If-None-Match": value}) for value in known])
    finally:
        environment.undo()
    return found


#: Addresses of tables that Datasette cannot use, and what their pages name.
OF_NO_TABLE = {
    "/vna/articles?_sort=nope": "Cannot sort table by nope",
    "/vna/articles?_sort_desc=%1b": "Cannot sort table by",
    "/vna/articles?_sort=id&_sort_desc=id": "_sort and _sort_desc",
    "/vna/articles.json?_sort=nope": "Cannot sort table by nope",
    "/vna/articles.csv?_sort=%ff": "Cannot sort table by",
    "/vna/stored_revisions?_sort=nope": "Cannot sort table by nope",
    "/vna/articles?_through=x": "the value of _through",
    "/vna/articles?_through=[]": "the value of _through",
    "/vna/articles?_through={}": "the value of _through",
    '/vna/articles?_through={"table":"x","column":"y","value":"z"}': "Invalid _through",
    "/vna/articles?_timelimit=x": "the value of _timelimit",
    "/vna.json?sql=select+1&_timelimit=x": "the value of _timelimit",
    "/vna/articles?id__in=[1": "the value of id__in",
}


def test_an_address_of_tables_that_cannot_be_used_is_named(archive, monkeypatch, capsys):
    monkeypatch.setenv("VNA_HOSTS", "localhost")
    for response, (address, fault) in zip(
        served(archive, [(address, {}) for address in OF_NO_TABLE]), OF_NO_TABLE.items(), strict=True
    ):
        assert response.status_code == 400, address
        assert fault in response.text, address
        assert "Correct the address" in response.text, address
        assert (".json" in address) == response.headers["content-type"].startswith("application/json")
    assert "locals" not in "".join(capsys.readouterr()), "printing the values of variables takes 0.3 s"


def test_a_bug_in_a_page_is_not_taken_for_an_address_that_cannot_be_used(archive, monkeypatch, capsys):
    monkeypatch.setenv("VNA_HOSTS", "localhost")

    def fails(*_arguments, **_more):
        raise ValueError("a bug")

    monkeypatch.setattr(Room, "answer", fails)
    (response,) = served(archive, [("/help?x__in=1", {})])
    assert response.status_code == 500
    printed = "".join(capsys.readouterr())
    assert "Traceback" in printed
    assert "ValueError: a bug" in printed
    assert "locals" not in printed


def test_a_reader_that_has_the_feed_gets_no_body(responses):
    assert [one.status_code for one in responses["known"]] == [304, 304, 304, 304, 200, 200, 200]


def test_an_address_without_a_page_is_answered_in_the_language_of_the_reader(responses):
    for address in ELSEWHERE:
        assert responses[address].status_code == 404, address
        assert "Aucune page ne se trouve à cette adresse." in responses[address].text
    for address in OF_DATASETTE:
        assert responses[address].status_code == 200, address


def test_datasette_serves_the_pages_with_their_own_policy(responses):
    front = responses["/"]
    assert front.status_code == 200
    assert front.headers["content-security-policy"] == rendering.POLICY
    assert front.headers["x-frame-options"] == "DENY"
    assert "unsafe" not in rendering.POLICY
    assert "lang=en" in responses["/help?lang=en"].headers["set-cookie"]
    assert responses["unchanged"].status_code == 304
    assert responses[rendering.static_address("room.css")].headers["cache-control"].startswith("private, max-age=")
    assert responses["/-/room/none.css"].status_code == 404
    assert responses["/help?" + "&".join(f"a{n}=1" for n in range(50))].status_code == 400


def test_the_search_box_of_the_table_is_answered_as_the_command_is(responses, archive):
    found = [row["id"] for row in responses["/vna/articles.json?_search=etrangeres&_shape=array&_col=id"].json()]
    expected = json.loads(vna("--archive", archive, "search", "etrangeres", "--limit", "1000", "--json").out)
    assert found == [row["id"] for row in expected]
    assert responses["/vna/articles.json?_search=zzzz&_shape=array"].json() == []


def test_datasette_shows_few_columns_and_hides_internals(responses):
    table = responses["/vna/articles"].text
    assert len(re.findall(r"<th\b[^>]*data-column=", table)) == 9
    assert f'<a href="/article/{REPAIRED}">Réparation</a>' in table
    visible = responses["/vna"].text.partition("hidden table")[0]
    assert "_sqlite_migrations" not in visible
    assert "articles_fts" not in re.sub(r"<textarea.*?</textarea>", "", visible, flags=re.DOTALL)


def test_every_table_view_and_column_is_described(archive):
    tables = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))["databases"]["vna"]["tables"]
    with closing(sqlite3.connect(archive / FILE)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        ):
            columns = {row[1] for row in db.execute(f"PRAGMA table_xinfo({name})")}
            if tables[name].get("hidden"):
                continue
            assert tables[name]["description"], name
            assert set(tables[name]["columns"]) == columns, name
