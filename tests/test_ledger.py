"""Tests of the ledger over an archive: stored rows, `vna coverage`, the disk reserve, and `vna status`."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from support import (
    NOW,
    SITE,
    FakeClock,
    RecordedProgress,
    configured,
    copy_archive,
    mocked_http,
    mounted,
    poll,
    rows,
    value,
    vna,
    working,
)

from crawler import app, collect, opening
from crawler.coverage import take_stock
from crawler.errors import DiskLow
from crawler.health.figures import Size
from crawler.pipeline.fetching import fetch
from crawler.pipeline.pages import visit_page
from crawler.pipeline.run import recorded
from crawler.purpose import Purpose
from crawler.storage import FILE, disk, open_archive
from crawler.types import PageForFetch, Sighting, SourceFound
from crawler.warc import WarcStore

# --- a site with omissions --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """Poll a fake site with 37 articles that no sitemap lists and whose pages are empty, and 5 that no list names."""
    folder = tmp_path_factory.mktemp("ledger") / "archive"
    clock = FakeClock()
    with mounted(clock, articles=80, seed=4) as site:
        truth = [n for n in site.fake_site.ids() if f"{site.fake_site.story(n).published:%Y-%m}" == "2026-11"]
        chosen = random.Random(2).sample(truth[5:-5], 42)
        hidden, omitted = chosen[:5], chosen[5:]
        for post_id in chosen:
            site.fake_site.hide(post_id, "all" if post_id in hidden else "sitemap")
        for post_id in omitted:
            site.fake_site.fault("empty", site.fake_site.story(post_id).path)
        poll(folder, clock)
    return folder, site, truth, sorted(hidden), sorted(omitted)


def printed(folder, *words):
    outcome = vna("--archive", folder, "coverage", "--json", *words)
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def november(found):
    return next(r for r in found["coverage"] if (r["month"], r["section"]) == ("2026-11", ""))


def test_missing_articles_are_listed_one_by_one(polled):
    folder, _, truth, hidden, omitted = polled
    found = printed(folder)
    assert [one["page"] for one in found["missing"]] == omitted
    assert {one["state"] for one in found["missing"]} == {"rejected"}
    month = november(found)
    assert (month["known"], month["held"], month["missing"]) == (len(truth) - 5, len(truth) - 42, 37)
    assert month["low"] <= len(truth) <= month["high"]
    assert all(any(low <= n <= high for low, high in found["unasked"]) for n in hidden)
    assert set(month["channels"]) >= {"sitemap", "section", "feed", "home"}


def test_asking_for_every_id_makes_the_bounds_exact(polled, tmp_path):
    folder, site, truth, hidden, _ = polled
    here = copy_archive(folder, tmp_path / "archive")
    ranges = [(low, high) for low, high in printed(here)["unasked"] if low > truth[0]]
    with mocked_http(site.reply, site.clock), working(here, site.clock) as run, recorded(run, "backfill"):
        for post_id in (n for low, high in ranges for n in range(low, high + 1)):
            ask(run, post_id, f"{SITE}/x-post{post_id}.vnp")
    found = printed(here)
    month = november(found)
    assert month["known"] == month["low"] == len(truth)
    assert month["channels"]["ids"] == len(hidden)
    newer = [low for low, _ in found["unasked"] if low > truth[0]]
    assert newer == [], "only ids older than the news of this site may remain"
    assert month["high"] == month["known"] + month["unasked"]


def ask(run, post_id, url):
    """Ask for an id as a backfill does: store an existing article, and record an absent one."""
    now = run.clock.now()
    response = fetch(run, url, Purpose.page(post_id))
    if response.fetched.status == 404:
        with run.transaction():
            run.archive.add_absent(post_id, url, now, run.capture_ids[response.ref])
        return
    with run.transaction():
        run.archive.add_sightings("ids", [Sighting(url, post_id)], now, None)
    visit_page(run, PageForFetch(post_id, url, "known", 0, now, None, None))


def test_tables_contain_what_the_command_prints(polled):
    folder, *_ = polled
    found = printed(folder)
    stored = rows(folder, "SELECT * FROM coverage ORDER BY month, section")
    assert [r | {"channels": json.loads(r["channels"])} for r in stored] == [
        r | {"computed_at": found["computed_at"]} for r in found["coverage"]
    ]
    assert value(folder, "SELECT count(*) FROM missing") == 37
    printed(folder)
    assert value(folder, "SELECT count(*) FROM coverage") == len(stored), "the old ledger is replaced"


def test_ledger_as_text(polled):
    folder, _, truth, *_ = polled
    outcome = vna("--archive", folder, "coverage", "--since", "2026-11-03", "--until", "2026-11")
    assert outcome.code == 0
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("2026-11")]
    assert line.split()[1:5] == [str(len(truth) - 5), str(len(truth) - 42), "37", "0"]
    assert "█" in line
    assert "▒" in line
    assert "missing, 20 of 37:" in outcome.out
    assert "vna backfill --via ids" in outcome.out
    whole = vna("--archive", folder, "coverage").out
    assert "2018-10 to 2021-11" in whole, "consecutive months without known articles are one line"


def test_ledger_of_a_section(polled):
    folder, *_ = polled
    found = printed(folder, "--section", "politique")
    assert {r["section"] for r in found["coverage"]} == {"Politique"}
    assert sum(r["missing"] for r in found["coverage"]) == len(found["missing"]) > 0
    assert found["coverage"][0]["unasked"] is None
    text = vna("--archive", folder, "coverage", "--section", "Politique").out
    assert "backfill" not in text


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["--section", "Horoscope"], ["Horoscope", "Politique"]),
        (["--since", "lundi"], ["--since lundi", "2024-01"]),
        (["--until", "2024-13"], ["--until 2024-13"]),
        (["--chart", "/nowhere/at/all.svg"], ["/nowhere/at/all.svg", "another path"]),
    ],
)
def test_wrong_arguments(polled, words, fragments):
    outcome = vna("--archive", polled[0], "coverage", *words)
    assert outcome.code == 1
    assert all(fragment in outcome.err for fragment in fragments)


def test_chart_is_written(polled, tmp_path):
    file = tmp_path / "coverage.svg"
    outcome = vna("--archive", polled[0], "coverage", "--since", "2026-01", "--chart", file)
    assert str(file) in outcome.err
    root = ET.parse(file).getroot()
    assert len(root.findall("{http://www.w3.org/2000/svg}g")) == len(
        printed(polled[0], "--since", "2026-01")["coverage"]
    ) - len([r for r in printed(polled[0], "--since", "2026-01")["coverage"] if r["section"]])


def test_read_only_archive_prints_the_ledger_without_storing_it(polled, tmp_path):
    """SQLite opens a file read-only when the write version in its header is above 2, even for root."""
    here = copy_archive(polled[0], tmp_path / "archive")
    printed(here)
    with (here / FILE).open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")
    outcome = vna("--archive", here, "coverage", "--json")
    assert outcome.code == 0
    assert "not stored" in outcome.err
    assert len(json.loads(outcome.out)["missing"]) == 37


# --- stored rows ------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    with open_archive(tmp_path / "archive") as opened:
        yield opened


def only(archive):
    with archive.posts() as posts:
        (post,) = posts
    return post


def sight(archive, source, kind=None, name=None, **changes):
    with archive.transaction():
        if kind:
            archive.add_sources([SourceFound(kind, source, name)], None)
        archive.add_sightings(source, [Sighting(f"{SITE}/x-post7.vnp", 7, **changes)], NOW, NOW)


def test_channels_of_a_page_are_those_of_its_sources(archive):
    sight(archive, f"{SITE}/sitemaps/news-2024-3.xml", "sitemap")
    sight(archive, f"{SITE}/politique/", "section", "Politique")
    sight(archive, "related:Monde")
    post = only(archive)
    assert post.channels == {"sitemap", "section", "related"}
    assert (post.listed_in, post.section, post.hinted_on, post.held) == ("2024-03", "Politique", None, False)


def test_date_of_a_source_is_a_day_in_hanoi(archive):
    sight(archive, f"{SITE}/rss/home.rss", "feed")
    archive.db.execute("UPDATE pages SET published_hint = '2024-01-15T20:00:00Z'")
    assert only(archive).hinted_on == "2024-01-16"


def test_page_without_sightings_has_the_channel_that_first_named_it(archive):
    with archive.transaction():
        archive.add_page(PageForFetch(7, f"{SITE}/x-post7.vnp", "known", 0, NOW, None, None), "ids")
    assert only(archive).channels == {"ids"}


def test_posts_are_a_snapshot_that_can_be_iterated_repeatedly(archive, tmp_path):
    """Each post has only its own sightings, and a post that another process adds meanwhile is not included."""
    with archive.transaction():
        archive.add_page(PageForFetch(3, f"{SITE}/x-post3.vnp", "known", 0, NOW, None, None), "ids")
        archive.add_page(PageForFetch(9, f"{SITE}/x-post9.vnp", "known", 0, NOW, None, None), "related:Monde")
    sight(archive, f"{SITE}/rss/home.rss", "feed")
    expected = [(3, {"ids"}), (7, {"feed"}), (9, {"related"})]
    with archive.posts() as posts, open_archive(tmp_path / "archive") as other:
        assert [(post.id, post.channels) for post in posts] == expected
        with other.transaction():
            other.add_page(PageForFetch(8, f"{SITE}/x-post8.vnp", "known", 0, NOW, None, None), "ids")
        assert [(post.id, post.channels) for post in posts] == expected
    with archive.posts() as posts:
        assert [post.id for post in posts] == [3, 7, 8, 9]


def test_imported_texts_count_until_their_article_is_held(polled, tmp_path):
    here = copy_archive(polled[0], tmp_path / "archive")
    text, other = tmp_path / "a.txt", tmp_path / "b.txt"
    text.write_text(vna("--archive", here, "show", value(here, "SELECT max(id) FROM articles")).out, "utf-8")
    other.write_text("Un titre\n\nUn texte que la rédaction a gardé.\n", "utf-8")
    assert vna("--archive", here, "import", text, other).code == 0
    with opening.reading_archive(here) as archive, archive.posts() as posts:
        imported = [post for post in posts if post.id < 0]
    assert [post.channels for post in imported] == [{"import"}], "the other text is an article that is held"
    assert printed(here)["coverage"][0]["month"] == "", "its month is unknown"


def test_open_gaps_and_datings_are_shown(polled, tmp_path):
    here = copy_archive(polled[0], tmp_path / "archive")
    with open_archive(here) as archive, archive.transaction():
        archive.db.execute(
            """INSERT INTO gaps (source, opened_at, since, until, state, note)
               SELECT id, '2026-11-21T08:00:00Z', '2026-11-19T08:00:00Z', '2026-11-21T08:00:00Z', 'open', 'sitemap down'
               FROM sources WHERE kind = 'home'"""
        )
        archive.db.execute("UPDATE articles SET published_on = NULL WHERE id = (SELECT max(id) FROM articles)")
    found = printed(here)
    assert [(g["source"], g["note"]) for g in found["gaps"]] == [(f"{SITE}/", "sitemap down")]
    assert [d["kind"] for d in found["datings"]] == ["undated"]
    assert printed(here, "--until", "2026-10")["datings"] == []
    assert value(here, "SELECT count(*) FROM datings") == 1
    text = vna("--archive", here, "coverage").out
    assert "open gap: https://fr.vietnamplus.vn/, 2026-11-19T08:00:00Z to 2026-11-21T08:00:00Z: sitemap down" in text
    assert "1 undated" in text
    status = vna("--archive", here, "status").out
    assert "sitemap down" in status.partition("open gaps")[2]


def test_coverage_of_an_empty_archive(archive, tmp_path):
    found = printed(tmp_path / "archive", "--chart", tmp_path / "empty.svg")
    assert (found["coverage"], found["missing"], found["unasked"]) == ([], [], [])
    assert "0 known" in vna("--archive", tmp_path / "archive", "coverage").out
    with archive.posts() as posts:
        assert take_stock(posts).datings == ()


# --- the disk ---------------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_below_the_disk_reserve(tmp_path, clock):
    """The run stops between two requests. The next run does not repeat the requests that were archived."""
    here = tmp_path / "archive"
    left = iter([10**9] * 12 + [10] + [10**9] * 12 + [10])
    config = configured(here, reserve=10**6)
    with mounted(clock, articles=10) as site:
        for run in (1, 2):
            with (
                pytest.raises(DiskLow, match="less than the reserve") as stopped,
                app.working(config, "poll", RecordedProgress(), clock=clock, free=lambda _: next(left)) as work,
            ):
                collect.poll(work)
            assert "[archive] reserve" in stopped.value.hint
            assert rows(here, "SELECT outcome FROM runs") == [{"outcome": "stopped"}] * run
            with WarcStore(here / "warc") as warc:
                assert [record.url for record in warc.records()] == [f"{SITE}{path}" for path in site.wire.paths]
    assert len(site.wire.paths) > 20
    assert len(set(site.wire.paths)) == len(site.wire.paths)


def test_size_is_recorded_once_a_day(tmp_path, clock):
    here = tmp_path / "archive"
    for pause in (2, 22, 24):
        with working(here, clock) as context, recorded(context, "poll"):
            clock.advance(hours=pause)
    recorded_days = rows(here, "SELECT * FROM disk ORDER BY day")
    assert [r["day"] for r in recorded_days] == ["2026-11-21", "2026-11-22"]
    assert all(r["free_bytes"] > 0 and r["db_bytes"] > 0 for r in recorded_days)


def test_size_is_the_sum_of_the_files(tmp_path):
    (tmp_path / "warc" / "2026").mkdir(parents=True)
    (tmp_path / "warc" / "2026" / "a.warc.gz").write_bytes(b"x" * 1000)
    (tmp_path / "warc" / "gone.warc.gz").symlink_to(tmp_path / "nowhere")
    (tmp_path / "vna.db").write_bytes(b"x" * 30)
    (tmp_path / "vna.db-wal").write_bytes(b"x" * 7)
    assert disk.measured(tmp_path, "2026-11-21", lambda _: 5) == Size("2026-11-21", 1000, 37, 5)


def test_one_size_per_day_is_kept_for_thirty_days(archive):
    for number in range(40):
        day = (NOW + timedelta(days=number)).date().isoformat()
        archive.save_disk(day, 10, 1, 5)
        archive.save_disk(day, 100 * number, 1, 5)
    sizes = archive.sizes()
    assert len(sizes) == 30
    assert (sizes[0].warc_bytes, sizes[-1].warc_bytes) == (1000, 3900)


@pytest.mark.parametrize(
    ("reserve", "words"),
    [(0, ["grows by 10.0 MB a day", "days until the reserve"]), (1 << 60, ["below the reserve", "nothing is fetched"])],
)
def test_status_shows_when_the_disk_reserve_is_reached(archive, tmp_path, reserve, words):
    archive.save_disk("2026-11-20", 0, 0, 5)
    archive.save_disk("2026-11-21", 9_000_000, 1_000_000, 5)
    config = tmp_path / "crawler.toml"
    config.write_text(f"[archive]\ndir = '{tmp_path / 'archive'}'\nreserve = {reserve}\n", "utf-8")
    shown = vna("--config", config, "status").out
    assert all(word in shown for word in words)
    forecast = json.loads(vna("--config", config, "status", "--json").out)["disk"]
    assert (forecast["growth"], forecast["reserve"]) == (10_000_000, reserve)
    assert forecast["days_until_full"] == (0 if reserve else forecast["free_bytes"] // 10_000_000)


def test_status_shows_incidents(archive, tmp_path):
    archive.db.execute(
        """INSERT INTO incidents (kind, subject, detail, opened_at, seen_at)
           VALUES ('drift', 'markup', 'a fifth of the pages', '2026-11-21T08:00:00Z', '2026-11-21T08:00:00Z')"""
    )
    shown = vna("--archive", tmp_path / "archive", "status").out
    assert "a fifth of the pages" in shown.partition("incidents")[2]
    assert [
        r["kind"] for r in json.loads(vna("--archive", tmp_path / "archive", "status", "--json").out)["incidents"]
    ] == ["drift"]
