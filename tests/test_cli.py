"""The commands: output, exit codes, and one clear message with a hint for every expected failure."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer.main
from support import (
    NOW,
    ROOT,
    SEED_ARTICLES,
    SEED_TEXTS,
    SEEDS,
    SITE,
    assert_intact,
    copy_archive,
    process,
    rows,
    run_process,
    value,
    vna,
)

from crawler import resources
from crawler.cli import main as command_line
from crawler.cli import output, serving, state
from crawler.cli.progress import Bar, Lines
from crawler.errors import ArticleNotFound, StopError
from crawler.outcome import Outcome, OutcomeKind, PercentPhase
from crawler.sim import demo
from crawler.sim.site import SECTIONS, Options, SiteRequest, build, serve
from crawler.storage import FILE, open_archive, schema
from crawler.storage.locks import holding
from crawler.types import RunReport

cli = sys.modules[command_line.__module__]  # `crawler.cli.main` is the function, not the module
COMMANDS = typer.main.get_command(cli.app).commands
REPORT = "sightings fetched new revised unchanged duplicate rejected failed gone bytes requests seconds".split()
ARTICLE = (
    "id post_id url kind section title lead blocks dateline signature byline tags published_at published_raw modified_at "
    "related text clean repairs markup provenance problems word_count"
).split()
ARCHIVED_ARTICLE = [*ARTICLE[:-1], *"revision state first_seen_at checked_at word_count fetched_url".split()]
SEED = 108403  # the first seed's id on the fake site


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Run each test in a folder of its own, without the environment variables of the user."""
    monkeypatch.chdir(tmp_path)
    for name in ("VNA_ARCHIVE", "VNA_SITE", "VNA_RATE", "VNA_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, now=lambda: datetime.now(UTC))) as serving_:
        yield serving_


@pytest.fixture(scope="session")
def small_site():
    """A site with three articles, for tests in which a poll only has to take place."""
    options = Options(no_samples=True, sections=SECTIONS[:2])
    with serve(
        lambda url: build(url, seeds_dir=SEEDS, now=lambda: datetime.now(UTC), articles=3, options=options)
    ) as serving_:
        yield serving_


@pytest.fixture(scope="session")
def polled_archive(site, tmp_path_factory):
    """Return an archive created by `vna poll` and `vna import`, and the output of the poll."""
    folder = tmp_path_factory.mktemp("polled_archive") / "archive"
    polled = vna("--archive", folder, "--site", site.url, "--rate", 0, "poll", "--json")
    vna("--archive", folder, "import", *sorted(SEEDS.glob("*.txt"))[:2])
    return folder, polled


@pytest.fixture
def archive(polled_archive):
    return polled_archive[0]


@pytest.fixture
def archive_copy(archive, tmp_path):
    """Return a copy of the archive that the test may change."""
    return copy_archive(archive, tmp_path / "copy")


def refused(outcome, *words, code=1):
    """Assert that a command failed with one message and a hint, without data and without a traceback."""
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    for word in words:
        assert word in outcome.err, (word, outcome.err)
    assert re.search(r"hint: \S|Try 'vna", outcome.err), outcome.err
    assert outcome.err.count("vna: ") <= max(1, outcome.err.count("\n") - 1)


# --- help and documentation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_summary_an_example_and_help_for_each_option(name):
    shown = vna(name, "--help")
    assert shown.code == 0
    assert f"Example: vna {name}" in shown.out or f"| vna {name}" in shown.out
    summary = COMMANDS[name].help.strip().splitlines()[0]
    assert summary[0].isupper()
    assert summary.endswith(".")
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    page = ROOT / "docs" / "commands.md"
    if not page.exists():
        pytest.skip("docs/commands.md is not written yet")
    text = page.read_text("utf-8")
    assert f"\n## vna {name}\n" in text
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert parameter.opts[0] in text.partition(f"\n## vna {name}\n")[2].partition("\n## ")[0]


def test_global_options_name_their_variables():
    shown = vna("--help").out
    for name in ("VNA_CONFIG", "VNA_ARCHIVE", "VNA_SITE", "VNA_RATE"):
        assert name in shown
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("option", ["-h", "--help", "--version"])
def test_help_and_version_exit_with_0(option):
    assert vna(option).code == 0


def test_the_list_of_commands_fits_a_narrow_terminal():
    shown = vna("--help", env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).out.partition("Commands:")[2]
    assert shown.count("\n") == len(COMMANDS) + 1
    assert "..." not in shown, "no summary is cut"


def test_shell_completion():
    """Run as the shell does: the script that `--show-completion` prints sets these variables."""

    def completed(words):
        variables = {"_VNA_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return run_process(env=variables).out.split()

    assert completed("vna ba") == ["backfill", "backup"]
    assert completed("vna export --format ") == ["jsonl", "csv", "parquet", "text", "tei", "wacz"]


NOT_LOADED = {
    "crawler.cli.main": {
        "httpx", "marisa_trie", "selectolax", "warcio", "sqlite_utils", "rapidfuzz", "crawler.sim.site",
    },
    "crawler.daemon": {"rich", "pygments", "typer"},
}  # fmt: skip


@pytest.mark.parametrize(("module", "libraries"), NOT_LOADED.items())
def test_what_importing_the_command_line_and_the_service_does_not_load(module, libraries):
    """Libraries that take long, or memory as long as the service runs."""
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not libraries & set(done.stdout.split())


@pytest.mark.parametrize("command", ["latest", "search Vietnam", "coverage", "status"])
def test_a_reading_command_does_not_load_what_only_collecting_needs(command, archive):
    program = (
        "import sys; from crawler.cli import main\ntry: main()\nexcept SystemExit: pass\nprint('loaded', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--archive", archive, *command.split()],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.rpartition("loaded ")[2].split())
    assert "crawler.storage" in loaded
    assert not {"httpx", "marisa_trie", "apscheduler", "pyarrow"} & loaded


# --- poll -------------------------------------------------------------------------------------------------------------


def test_poll_json_has_the_documented_keys(polled_archive):
    archive, polled = polled_archive
    assert polled.code == 0
    report = json.loads(polled.out)
    assert list(report) == REPORT
    assert polled.out.count("\n") == 1
    assert (report["new"], report["fetched"], report["failed"]) == (41, 41, 0)
    assert report["requests"] == value(archive, "SELECT count(*) FROM fetches")
    assert "articles: 41 to do" in polled.err
    assert_intact(archive)


def test_poll_prints_one_line(archive_copy, site):
    polled = vna("--archive", archive_copy, "--site", site.url, "--rate", 0, "poll")
    assert polled.code == 0
    assert polled.out == "0 new, 0 revised, 0 unchanged; 0 requests, 0 bytes, 0.0 s\n"


def test_a_poll_without_due_pages_announces_none(archive_copy, site):
    outcome = vna("--archive", archive_copy, "--site", site.url, "--rate", 0, "poll")
    assert outcome.code == 0
    assert "articles:" not in outcome.err


def test_a_page_that_was_not_found_once_is_not_called_gone():
    assert output.report_line(RunReport(gone=2)).startswith("0 new, 0 revised, 0 unchanged, 2 not found;")


def test_poll_exits_with_5_if_a_page_needs_attention(archive_copy, site):
    (page,) = rows(archive_copy, "SELECT id FROM pages ORDER BY id DESC LIMIT 1")
    with open_archive(archive_copy) as opened, opened.transaction():
        opened.db.conn.execute("UPDATE pages SET next_due_at = CASE id WHEN ? THEN '2026' END", [page["id"]])
        opened.db.conn.execute("UPDATE sources SET next_due_at = NULL")
    site.fake_site.fault("block", path="/*-post*", times=1)
    polled = vna("--archive", archive_copy, "--site", site.url, "--rate", 0, "poll", "--json")
    assert polled.code == 5
    assert json.loads(polled.out)["rejected"] == 1
    assert "1 page" in polled.err
    assert "vna status" in polled.err
    status = vna("--archive", archive_copy, "status")
    assert f"live   {page['id']}" in status.out.partition("needs attention")[2], (
        "the article is held, its page could not be parsed"
    )


@contextmanager
def closed_port():
    """Yield a port of this machine on which no process listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def once(tmp_path):
    """Return a configuration with a single attempt per request."""
    file = tmp_path / "once.toml"
    file.write_text("[politeness]\nattempts = 1\n")
    return file


def test_poll_without_a_network(tmp_path, once):
    with closed_port() as port:
        outcome = vna(
            "--config", once, "--archive", tmp_path / "a", "--site", f"http://127.0.0.1:{port}", "--rate", 0, "poll"
        )
    refused(outcome, f"http://127.0.0.1:{port}/robots.txt", "vna demo", "cannot reach")
    assert value(tmp_path / "a", "SELECT outcome FROM runs") == "stopped"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_show_as_text_equals_the_seed(archive):
    shown = vna("--archive", archive, "show", SEED)
    assert shown.code == 0
    assert lines(shown.out) == lines(SEED_TEXTS["000"])


def lines(text):
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


def test_show_as_json_has_the_documented_keys(archive):
    shown = json.loads(vna("--archive", archive, "show", SEED, "--format", "json").out)
    assert list(shown) == ARCHIVED_ARTICLE
    assert (shown["id"], shown["post_id"], shown["kind"], shown["title"]) == (
        SEED,
        SEED,
        "article",
        SEED_ARTICLES["000"].title,
    )
    assert {tuple(block) for block in shown["blocks"]} == {
        ("type", "text"),
        ("type", "url", "alt", "caption", "credit"),
    }
    assert set(shown["dateline"]) == {"place", "date", "agency"}
    assert {tuple(story) for story in shown["related"]} == {("post_id", "url", "title", "summary", "caption")}
    assert {tuple(repair) for repair in shown["repairs"]} <= {("rule", "before", "after")}
    assert shown["published_at"] == "2018-09-19T17:42:07+07:00"


@pytest.mark.parametrize(
    ("format_", "begin"), [("text", SEED_ARTICLES["000"].title), ("markdown", "# "), ("html", "<!doctype html>")]
)
def test_show_formats(archive, format_, begin):
    assert vna("--archive", archive, "show", SEED, "--format", format_).out.startswith(begin)


def test_show_accepts_an_address(archive):
    by_id = vna("--archive", archive, "show", SEED).out
    for address in (f"{SITE}/x-post{SEED}.vnp", f"{SITE}/x/{SEED}.vnp", f"/x-post{SEED}.vnp"):
        assert vna("--archive", archive, "show", address).out == by_id


def test_negative_ids_are_not_options(archive):
    for words in (
        ("show", "-1"),
        ("show", "-1", "--format", "json"),
        ("show", "--format", "json", "-1"),
        ("show", "--", "-1"),
    ):
        shown = vna("--archive", archive, *words)
        assert shown.code == 0, words
        assert SEED_ARTICLES["000"].title in shown.out
    assert json.loads(vna("--archive", archive, "show", "-2", "--format", "json").out)["id"] == -2
    assert json.loads(vna("--archive", archive, "history", "-1", "--json").out)[0]["article"] == -1
    real_one = run_process("--archive", archive, "show", "-1")
    assert (real_one.code, lines(real_one.out)) == (0, lines(SEED_TEXTS["000"]))


def test_search(archive):
    found = json.loads(vna("--archive", archive, "search", "affaires", "etrangeres", "--json").out)
    assert SEED in {row["id"] for row in found}
    assert {tuple(row) for row in found} == {
        ("id", "url", "published_at", "published_on", "section", "title", "lead", "snippet")
    }
    ids = [row["id"] for row in found]
    assert ids == sorted(ids, reverse=True)
    shown = vna("--archive", archive, "search", "affaires étrangères", "--limit", "2")
    assert shown.out.count("\n") == 4
    assert "**" in shown.out
    assert "2 articles" in shown.err
    assert "--limit" in shown.err


def test_a_search_without_results_exits_with_0(archive):
    found = vna("--archive", archive, "search", "xylophone")
    assert (found.code, found.out) == (0, "")
    assert "0 articles" in found.err
    assert json.loads(vna("--archive", archive, "search", "xylophone", "--json").out) == []


@pytest.mark.parametrize(
    "words",
    [['"'], ["l'économie"], ["covid-19"], ["a*b"], ["(x"], ["title:"], ["NEAR(a b)"], ["-Cuba", "Laos"], ["é" * 5000]],
)
def test_no_query_is_a_syntax_error(archive, words):
    found = vna("--archive", archive, "search", *words)
    assert found.code == 0 or "no search term" in found.err


def add_revision(archive_copy, **values):
    """Add a revision, seen on 1 December, to the article `SEED`."""
    columns = {"title": "title", "lead": "lead", "modified_at": "modified_at"} | {
        n: f"'{v}'" for n, v in values.items()
    }
    with open_archive(archive_copy) as opened, opened.transaction():
        opened.db.conn.execute(f"UPDATE articles SET revision = 2, title = {columns['title']} WHERE id = ?", [SEED])
        opened.db.conn.execute(
            f"""INSERT INTO revisions SELECT article, 2, '2026-12-01T08:00:00Z', '["title"]', fingerprint, url, section, kind,
               {columns["title"]}, {columns["lead"]}, blocks, byline, tags, published_at, {columns["modified_at"]}, raw_id,
               '2026-12-01T08:00:00Z', '[]'
               FROM revisions WHERE article = ?""",
            [SEED],
        )


def test_history_and_changes(archive_copy, site):
    add_revision(archive_copy, title="Un autre titre")
    history = json.loads(vna("--archive", archive_copy, "history", SEED, "--json").out)
    assert [row["revision"] for row in history] == [1, 2]
    assert history[1]["changed"] == ["title"]
    assert isinstance(history[0]["blocks"], list), "JSON, not a string that contains JSON"
    shown = vna("--archive", archive_copy, "history", SEED).out
    assert re.search(r"^  title: .*\[-.+-\]\{\+.+\+\}.*  \(headline", shown, re.MULTILINE)
    assert history[1]["kinds"][0] == "headline"
    assert history[1]["silent"]
    changes = json.loads(vna("--archive", archive_copy, "changes", "--json").out)
    assert [(row["id"], row["what"], row["changed"]) for row in changes] == [(SEED, "revised", ["title"])]
    assert "Un autre titre" in vna("--archive", archive_copy, "changes").out
    assert json.loads(vna("--archive", archive_copy, "changes", "--since", "2027-01-01", "--json").out) == []
    old, new = SEED_ARTICLES["000"].title, "Un autre titre"
    for change in changes[0]["changes"]:
        assert (change["field"], change["kinds"][0]) == ("title", "headline")
        assert old[change["before_offset"] :].startswith(change["before"])
        assert new[change["after_offset"] :].startswith(change["after"])


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--kind", "headline"], 1),
        (["--kind", "figure", "--kind", "headline"], 1),
        (["--kind", "figure"], 0),
        (["--until", "2026-12-01"], 1),
        (["--until", "2026-12-01T07:00:00Z"], 0),
        (["--section", "politique"], 1),
        (["--section", "Sports"], 0),
        (["--query", "ornithorynque"], 1),  # only the changed words have it
        (["--query", "cybersécurité"], 0),
        (["--silent"], 0),
    ],
)
def test_filters_of_changes(archive_copy, words, count):
    add_revision(archive_copy, title="Un ornithorynque", modified_at="2026-12-01")
    found = json.loads(vna("--archive", archive_copy, "changes", "--json", *words).out)
    assert len(found) == count


def test_an_unknown_kind_of_change(archive):
    found = vna("--archive", archive, "changes", "--kind", "titre")
    assert found.code == 2
    assert "--kind: there is no kind 'titre'" in found.err


def test_a_day_without_an_hour_means_its_end(archive_copy):
    add_revision(archive_copy, title="Un autre titre")
    shown = [vna("--archive", archive_copy, "show", SEED, "--as-of", t).out for t in ("2026-12-01", "2026-12-01T07:00")]
    assert [text.startswith("Un autre titre") for text in shown] == [True, False]


def test_similar_articles(archive):
    pair = next(iter(rows(archive, "SELECT article, other FROM duplicates WHERE kind = 'same text'")))
    for key, other in ((pair["article"], pair["other"]), (pair["other"], pair["article"])):
        found = json.loads(vna("--archive", archive, "similar", key, "--json").out)
        assert (found[0]["id"], found[0]["kind"], found[0]["score"]) == (other, "reissue", 1.0)
        assert found[0]["passage"]
        shown = vna("--archive", archive, "similar", key)
        assert f"{other:>8}" in shown.out
        assert found[0]["title"] in shown.out
        assert "similar article" in shown.err
    assert vna("--archive", archive, "similar", "12345").code == 1


def test_changed_words_have_colours_only_on_a_terminal(archive_copy):
    add_revision(archive_copy, title="Un autre \x1btitre")
    command = ["--archive", archive_copy, "history", SEED]
    plain = run_process(*command).out
    leader, follower = os.openpty()
    with process(*command, stdout=follower, stderr=None) as running:
        os.close(follower)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while data := os.read(leader, 65536):
                shown += data
    os.close(leader)
    assert running.returncode == 0
    assert b"\x1b[32m{+" in shown
    assert b"\\x1b" in shown, "the site's own control character stays visible"
    assert "{+Un autre" in plain
    assert "\x1b[32m" not in plain
    assert vna("--archive", archive_copy, "show", SEED, "--revision", "1").out.startswith(SEED_ARTICLES["000"].title)
    for words in (("--revision", "3"), ("--as-of", "2001-01-01")):
        outcome = vna("--archive", archive_copy, "show", SEED, *words)
        assert outcome.code == 1
        assert words[1] in outcome.err


def test_status(archive):
    found = json.loads(vna("--archive", archive, "status", "--json").out)
    assert (found["articles"], found["article_states"], found["duplicates"]) == (43, {"live": 43}, 2)
    assert found["last_run"]["report"]["new"] == 41
    shown = vna("--archive", archive, "status").out
    assert shown.startswith("articles   43")
    assert "41 live" in shown
    assert "needs attention" not in shown


# --- export -----------------------------------------------------------------------------------------------------------


def test_export_json_lines(archive, tmp_path):
    printed = vna("--archive", archive, "export", "--format", "jsonl")
    articles = [json.loads(line) for line in printed.out.splitlines()]
    assert len(articles) == 43
    assert [a["id"] for a in articles] == sorted(a["id"] for a in articles)
    assert all(list(a) == ARCHIVED_ARTICLE for a in articles)
    assert vna("--archive", archive, "export", "--format", "jsonl", "--out", tmp_path / "x.jsonl").out == ""
    assert (tmp_path / "x.jsonl").read_text("utf-8") == printed.out
    assert [p.name for p in tmp_path.iterdir()] == ["x.jsonl"], "no temporary file is left"


def test_export_csv(archive):
    import csv  # noqa: PLC0415

    table = list(
        csv.DictReader(io.StringIO(vna("--archive", archive, "export", "--format", "csv", "--until", "2018-12-31").out))
    )
    assert [row["id"] for row in table] == [str(SEED)]
    assert table[0]["dateline_place"] == "Paris"
    assert table[0]["text"].startswith("Paris, 19 septembre (VNA)")


def test_export_text_can_be_imported(archive, tmp_path):
    vna("--archive", archive, "export", "--format", "text", "--with-related", "--out", tmp_path / "texts")
    assert lines((tmp_path / "texts" / f"{SEED}.txt").read_text("utf-8")) == lines(SEED_TEXTS["000"])
    assert len(list((tmp_path / "texts").iterdir())) == 43
    whole = vna("--archive", archive, "export", "--format", "text", "--until", "2023-12-31")
    (tmp_path / "whole.txt").write_text(whole.out, "utf-8")
    again = vna("--archive", tmp_path / "again", "import", tmp_path / "whole.txt")
    assert again.code == 0, again.err
    assert [line.split("  ", 2)[2] for line in again.out.splitlines()] == [
        SEED_ARTICLES[n].title for n in ("000", "003", "002", "004", "001")
    ]


def test_a_failed_export_keeps_the_old_file(archive, archive_copy, tmp_path):
    target = tmp_path / "corpus.jsonl"
    target.write_text("the last good one")
    content = bytearray((archive_copy / FILE).read_bytes())
    content[len(content) // 3 :] = os.urandom(len(content) - len(content) // 3)
    (archive_copy / FILE).write_bytes(content)
    outcome = vna("--archive", archive_copy, "export", "--format", "jsonl", "--out", target)
    refused(outcome, FILE)
    assert target.read_text() == "the last good one"
    assert [p.name for p in tmp_path.iterdir() if "unfinished" in p.name] == []


# --- offline ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pages():
    fake_site = build(SITE, seeds_dir=SEEDS, now=lambda: NOW, options=Options())
    story = fake_site.story(SEED)
    good = fake_site.respond(SiteRequest("GET", story.path)).body
    fake_site.redesign()
    drift = fake_site.respond(SiteRequest("GET", story.path)).body
    return {
        "good": good,
        "drift": drift,
        "home": fake_site.respond(SiteRequest("GET", "/")).body,
        "url": SITE + story.path,
    }


@pytest.mark.parametrize("form", ["plain", "gzipped", "stdin", "stdin gzipped"])
def test_parse(pages, tmp_path, form):
    body = gzip.compress(pages["good"]) if "gzipped" in form else pages["good"]
    (tmp_path / "page.html").write_bytes(body)
    given = {"stdin": body} if "stdin" in form else {}
    source = "-" if "stdin" in form else tmp_path / "page.html"
    parsed = vna("parse", source, "--url", pages["url"], "--fetched-at", "2026-11-21T08:00:00Z", **given)
    assert parsed.code == 0
    article = json.loads(parsed.out)
    assert list(article) == ARTICLE
    assert (article["id"], article["title"]) == (SEED, SEED_ARTICLES["000"].title)
    text = vna("parse", source, "--url", pages["url"], "--format", "text", **given)
    assert lines(text.out) == lines(SEED_TEXTS["000"])
    assert not (tmp_path / "archive").exists(), "no archive is created"


@pytest.mark.parametrize(("page", "code"), [("good", 0), ("home", 3), ("drift", 4)])
def test_the_exit_code_of_parse_says_what_the_page_is(pages, tmp_path, page, code):
    (tmp_path / "page.html").write_bytes(pages[page])
    parsed = run_process("parse", tmp_path / "page.html", "--url", pages["url"])
    assert parsed.code == code
    assert "Traceback" not in parsed.err
    assert bool(parsed.out) == (code != 3)
    if code == 4:
        assert "layout drift" in parsed.err
        assert "docs/new-layout.md" in parsed.err
        assert json.loads(parsed.out)["title"], "the fields found in the page head"
    if code == 3:
        assert "not an article" in parsed.err


def test_repair(tmp_path):
    text = "la stratégiede sécurité\nrien à faire\n"
    (tmp_path / "t.txt").write_text(text, "utf-8")
    for outcome in (vna("repair", stdin=text), vna("repair", tmp_path / "t.txt")):
        assert outcome.code == 0
        assert outcome.out.splitlines() == [
            "la stratégie de sécurité",
            "rien à faire",
        ]
    assert [vna("repair", *options, stdin="").out for options in ([], ["--json"])] == ["", ""]
    assert vna("repair", stdin="\n\n").out == "\n\n"
    shown = [json.loads(line) for line in vna("repair", "--json", stdin=text).out.splitlines()]
    assert [list(row) for row in shown] == [["text", "clean", "repairs"]] * 2
    assert shown[1] == {"text": "rien à faire", "clean": "rien à faire", "repairs": []}


def test_import(tmp_path):
    files = sorted(SEEDS.glob("*.txt"))
    archive = tmp_path / "a"
    first = vna("--archive", archive, "import", "--json", *files)
    done = [json.loads(line) for line in first.out.splitlines()]
    assert [list(row) for row in done] == [["file", "id", "verdict", "title"]] * 5
    assert [(row["id"], row["verdict"]) for row in done] == [(-n, "new") for n in range(1, 6)]
    again = vna("--archive", archive, "import", *files)
    assert again.out.splitlines()[0] == f"-1  unchanged  {SEED_ARTICLES['000'].title}"
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe")
    mixed = vna("--archive", archive, "import", tmp_path / "bad.txt", files[0])
    assert mixed.code == 5
    assert "unchanged" in mixed.out, "the other files are imported"
    assert "bad.txt" in mixed.err
    (tmp_path / "page.html").write_text("<!doctype html>\n\n<p>Un.")
    none = vna("--archive", archive, "import", tmp_path / "bad.txt", tmp_path / "page.html")
    assert (none.code, none.out) == (1, "")
    assert "page.html: not a text in the seed format" in none.err
    lines = [line for line in none.err.splitlines() if line.startswith("vna:")]
    assert [line.count(name) for line, name in zip(lines, ("bad.txt", "page.html"), strict=True)] == [1, 1]
    assert_intact(archive)


@pytest.mark.parametrize(
    "content",
    [b"T\n\n" + b"x " * 5_000_001, gzip.compress(b" " * 10_000_001), b"T\n\n" + b"x" * 1_000_001, b"T\n\n" + b"x\n" * 200_000],
    ids=["large", "gzip", "long line", "many lines"],
)  # fmt: skip
def test_a_costly_file_is_not_imported_but_the_others_are(tmp_path, content):
    (tmp_path / "x.txt").write_bytes(content)
    done = vna("--archive", tmp_path / "a", "import", tmp_path / "x.txt", min(SEEDS.glob("*.txt")))
    assert (done.code, done.out.count("  new  ")) == (5, 1)
    assert "split the file" in done.err


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "12345"], "no article 12345"),
        (["show", "0"], "no article 0"),
        (["show", "x"], "neither an id nor"),
        (["show", "²"], "neither an id nor"),
        (["show", "9" * 30], "neither an id nor"),
        (["show", "https://example.org/"], "neither an id nor"),
        (["show", str(SEED), "--as-of", "gestern"], "gestern is not a time"),
        (["show", str(SEED), "--as-of", "0001-01-01T00:00:00+07:00"], "not a time"),
        (["history", "12345"], "no article 12345"),
        (["history", "x"], "neither an id nor"),
        (["search", "-Cuba"], "no search term"),
        (["search", "?!"], "no search term"),
        (["search", "Cuba", "--since", "2024-13-01"], "2024-13-01 is not a day"),
        (["search", "Cuba since:hier"], "hier"),
        (["changes", "--since", "hier"], "hier is not a time"),
        (["export", "--format", "jsonl", "--since", "hier"], "hier is not a day"),
        (["export", "--format", "jsonl", "--out", "none/x.jsonl"], "cannot write none/x.jsonl"),
        (["export", "--format", "csv", "--out", f"{__file__}/x.csv"], "cannot write"),
        (["export", "--format", "text", "--out", __file__], "cannot write"),
        (["export", "--format", "jsonl", "--out", "."], "cannot write"),
        (["import", "none.txt"], "none.txt"),
        (["import", "."], "."),
        (["import", "empty.txt"], "empty.txt"),
        (["repair", "none.txt"], "none.txt"),
        (["repair", "latin.txt"], "not UTF-8"),
        (["repair", "broken.gz"], "damaged gzip"),
        (["parse", "none.html", "--url", SITE], "none.html"),
        (["parse", ".", "--url", SITE], "."),
        (["parse", "broken.gz", "--url", SITE], "damaged gzip"),
        (["parse", "big.html", "--url", SITE], "over the limit"),
        (["parse", "empty.txt", "--url", SITE, "--fetched-at", "hier"], "hier"),
        (["parse", "empty.txt", "--url", SITE, "--fetched-at", "0001-01-01T00:00:00+07:00"], "not a time"),
        (["replica", "--fault", "trottle"], "throttle"),
        (["replica", "--fault", "error:rss"], "path"),
    ],
)
def test_a_wrong_value_exits_with_1_and_a_message(archive_copy, tmp_path, words, said):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    (tmp_path / "big.html").write_bytes(bytes(10_000_001))
    outcome = vna("--archive", archive_copy, *words)
    assert outcome.code == 1, outcome
    assert said in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Usage"),
        (["pol"], "pol"),
        (["poll", "--al"], "--al"),
        (["poll", "extra"], "extra"),
        (["show"], "ID"),
        (["show", "1", "2"], "2"),
        (["show", "--5"], "--5"),
        (["show", "1", "--format", "pdf"], "pdf"),
        (["show", "1", "--revision", "x"], "--revision"),
        (["show", "1", "--revision", "0"], "--revision"),
        (["show", "1", "--revision", "9" * 30], "--revision"),
        (["search"], "QUERY"),
        (["search", "Cuba", "--jsno"], "--jsno"),
        (["search", "Cuba", "--limit", "0"], "--limit"),
        (["search", "Cuba", "--limit", "9" * 30], "--limit"),
        (["history"], "ID"),
        (["changes", "--limit", "-1"], "--limit"),
        (["status", "--jsno"], "--jsno"),
        (["export"], "--format"),
        (["export", "--format", "xml"], "xml"),
        (["import"], "FILE"),
        (["repair", "a", "b"], "b"),
        (["parse", "x.html"], "--url"),
        (["parse", "x.html", "--url", "fr.vietnamplus.vn/titre-post1.vnp"], "not a web address"),
        (["parse", "x.html", "--url", "file:///tmp/x.html"], "not a web address"),
        (["parse", "x.html", "--url", ""], "--url"),
        (["parse", "x.html", "--url", f"{SITE}/\udcff-post1.vnp"], "not UTF-8"),
        (["parse", "x.html", "--url", SITE, "--content-type", "text/html\udcff"], "not UTF-8"),
        (["parse", "x.html", "--url", SITE, "--format", "xml"], "xml"),
        (["browse", "--port", "99999"], "--port"),
        (["replica", "--articles", "-1"], "--articles"),
        (["demo", "extra"], "extra"),
        (["--rate", "fast", "status"], "--rate"),
    ],
)
def test_wrong_usage_exits_with_2(archive, words, said):
    outcome = vna("--archive", archive, *words) if words else vna()
    assert outcome.code == 2
    assert said.lower() in (outcome.err + outcome.out).lower()
    assert "Traceback" not in outcome.err


READERS = [
    ["show", "1"],
    ["search", "x"],
    ["history", "1"],
    ["changes"],
    ["status"],
    ["export", "--format", "csv"],
    ["browse"],
    ["reparse"],
    ["heal"],
]


@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
def test_reading_without_an_archive(tmp_path, words):
    refused(vna("--archive", tmp_path / "none", *words), "no archive at", "vna poll")
    assert not (tmp_path / "none").exists()


def test_the_hint_names_each_section_once(archive):
    outcome = vna("--archive", archive, "search", "vietnam", "--section", "xyzzy")
    names = outcome.err.partition("choose from ")[2].strip().split(", ")
    assert len(names) == len(set(names)) > 1


def test_the_demo_archive_is_used_if_there_is_no_other(archive, tmp_path):
    copy_archive(archive, tmp_path / "archive" / "demo")
    outcome = vna("status")
    assert outcome.code == 0
    assert "demo archive" in outcome.err


@pytest.mark.parametrize("words", [*READERS, ["import", "x.txt"], ["poll"]], ids=lambda words: words[0])
def test_a_database_of_a_newer_version(tmp_path, once, words):
    archive = tmp_path / "a"
    with open_archive(archive) as opened:
        opened.db.conn.execute(f"PRAGMA user_version = {schema.version() + 1}")
    refused(
        vna("--config", once, "--archive", archive, "--site", "http://127.0.0.1:9", *words), "schema version", "upgrade"
    )


@pytest.mark.parametrize("words", [["status"], ["search", "x"], ["import", "x.txt"]], ids=lambda words: words[0])
def test_a_file_that_is_not_a_database(tmp_path, words):
    (tmp_path / FILE).write_text("no database " * 100)
    refused(vna("--archive", tmp_path, *words), "not a database", "backup")


@pytest.mark.parametrize("words", [["poll"], ["import", "x.txt"], ["demo"]], ids=lambda words: words[0])
def test_an_archive_that_cannot_be_written(tmp_path, words):
    (tmp_path / "file").touch()
    outcome = vna("--archive", tmp_path / "file", "--site", "http://127.0.0.1:9", *words)
    refused(outcome, str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("role", "words"), [("collect", ["poll"]), ("text", ["import", "x.txt"])], ids=["poll", "import"]
)
def test_the_archive_is_held_by_another_process(archive_copy, role, words):
    (archive_copy / "x.txt").write_text("x")
    with holding(archive_copy, role, words[0], "2026-11-21T08:00:00Z"):
        outcome = run_process("--archive", archive_copy, "--site", "http://127.0.0.1:9", *words)
        refused(outcome, f"pid {os.getpid()}", "since 2026-11-21T08:00:00Z", "only read")
        assert vna("--archive", archive_copy, "status").code == 0


def test_all_mistakes_in_the_configuration_are_reported(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('[site]\nrot = "x"\n[politeness]\nrate = "fast"\n[poll]\nlist_pages = 0\n')
    outcome = run_process("--config", file, "status")
    refused(outcome, "rot", "did you mean root", "rate", "list_pages", str(file))
    assert outcome.err.count("vna: ") == 3


@pytest.mark.parametrize(
    ("variable", "content", "words"),
    [
        ("VNA_SITE", "ftp://x", ["--site", "web address"]),
        ("VNA_RATE", "-1", ["--rate", "at least 0"]),
        ("VNA_RATE", "nan", ["--rate"]),
        ("VNA_RATE", "0", ["rate 0", "this machine"]),
        ("VNA_RATE", "100", ["too fast"]),
        ("VNA_CONFIG", "none.toml", ["none.toml"]),
    ],
)
def test_mistakes_in_environment_variables(archive, variable, content, words):
    refused(vna("--archive", archive, "status", env={variable: content}), *words)


def test_global_options_from_the_environment(archive, archive_copy, site):
    assert json.loads(vna("status", "--json", env={"VNA_ARCHIVE": str(archive)}).out)["articles"] == 43
    env = {"VNA_ARCHIVE": str(archive_copy), "VNA_SITE": site.url, "VNA_RATE": "0"}
    assert vna("poll", env=env).code == 0
    assert vna("--archive", archive_copy, "status", env={"VNA_ARCHIVE": "/nowhere"}).code == 0, (
        "the option overrides the variable"
    )


# --- processes --------------------------------------------------------------------------------------------------------


def test_a_closed_stdout_exits_with_0(archive):
    for words in (["export", "--format", "jsonl"], ["show", SEED]):
        with process("--archive", archive, *words) as running:
            assert running.stdout.read(5)
            running.stdout.close()
            assert running.wait(30) == 0
            messages = running.stderr.read()
            assert messages in (b"", b"43 articles\n") or messages.startswith(b"108403 ")


def test_a_closed_stderr_does_not_end_the_run(small_site, tmp_path):
    with process("--archive", tmp_path / "w", "--site", small_site.url, "--rate", 0, "poll", "--json") as running:
        assert running.stderr.readline()
        running.stderr.close()
        out = running.stdout.read()
        assert running.wait(60) == 0
    assert json.loads(out)["new"] == 3


def test_sigint_stops_a_poll(tmp_path, small_site):
    small_site.fake_site.fault("hang", path="/*-post*", seconds=20)
    try:
        with process("--archive", tmp_path / "w", "--site", small_site.url, "--rate", 0, "poll") as running:
            while b"articles:" not in running.stderr.readline():
                pass
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 130
            assert b"Traceback" not in running.stderr.read()
    finally:
        small_site.fake_site.clear()
    assert value(tmp_path / "w", "SELECT outcome FROM runs") == "stopped"
    with holding(tmp_path / "w", "collect", "poll", "now"):
        assert_intact(tmp_path / "w")


def asked(address, body=None):
    request = urllib.request.Request(address, data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.loads(response.read())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_fake_site_as_a_process(how):
    with process("replica", "--articles", 3, "--seed", 7, "--fault", "error:/sports/:1") as running:
        first = json.loads(running.stdout.readline())
        assert list(first) == ["url", "control"]
        assert first["url"].startswith("http://127.0.0.1:")
        found = asked(f"{first['control']}/state")
        assert len(found["articles"]) == 44
        (new,) = asked(f"{first['control']}/publish", {"n": 1})["ids"]
        asked(f"{first['control']}/revise", {"post_id": new, "title": "Neuf"})
        asked(f"{first['control']}/unpublish", {"post_id": new, "status": 410})
        with pytest.raises(urllib.error.HTTPError) as caught:
            asked(f"{first['url']}/x-post{new}.vnp")
        assert caught.value.code == 410
        caught.value.close()
        with pytest.raises(urllib.error.HTTPError) as caught:
            asked(f"{first['url']}/sports/")
        assert caught.value.code == 500
        caught.value.close()
        running.send_signal(how)
        assert running.wait(20) == 0
        assert running.stdout.read() == b""
        assert running.stderr.read() == b""


def test_the_fake_site_on_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused(run_process("replica", "--port", taken.getsockname()[1]), "cannot serve", "another --port")


@pytest.fixture
def small_demo(tmp_path_factory, monkeypatch):
    """A demo with one seed article and its related stories. `test_wheel.py` runs the whole demo."""
    seeds = tmp_path_factory.mktemp("seeds")
    shutil.copy(min(SEEDS.glob("*.txt")), seeds)
    monkeypatch.setattr(resources, "seeds", lambda: seeds)
    monkeypatch.setattr(demo, "_GENERATED", 0)


@pytest.mark.usefixtures("small_demo")
def test_demo(tmp_path):
    shown = vna("demo")
    assert shown.code == 0, shown
    assert shown.out.count("   ok: ") == 5
    assert "FAILED" not in shown.out
    assert (tmp_path / "archive" / "demo" / FILE).exists()
    assert "archive/demo" in shown.out
    assert_intact(tmp_path / "archive" / "demo")


@pytest.mark.usefixtures("small_demo")
def test_demo_reports_a_failed_check(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_SEARCH", "xylophone")
    shown = vna("--archive", tmp_path / "d", "demo")
    assert shown.code == 1
    assert "FAILED: 0 articles" in shown.out
    assert "the demo failed" in shown.err


def test_demo_refuses_the_folder_of_a_real_archive(archive_copy):
    before = sorted(archive_copy.rglob("*"))
    refused(vna("--archive", archive_copy, "demo"), "contains an archive")
    assert sorted(archive_copy.rglob("*")) == before


@pytest.mark.parametrize("words", [["replica"], ["demo"], ["browse"], ["init", "new"]], ids=lambda words: words[0])
def test_an_installation_without_its_data_files(archive, monkeypatch, tmp_path, words):
    monkeypatch.setattr(resources, "_package", lambda: tmp_path / "none")
    monkeypatch.setattr(serving, "find_spec", lambda _: "found")
    options = ("--archive", archive) if words == ["browse"] else ()
    refused(vna(*options, *words), "installation is incomplete", "again")


def test_browse_without_datasette(archive, monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda _: None)
    refused(vna("--archive", archive, "browse"), "Datasette is not installed", "pip install 'vna-archive[browse]'")


def test_output_is_utf_8_in_the_c_locale(archive):
    shown = run_process("--archive", archive, "show", SEED, env={"LC_ALL": "C", "LANG": ""}, new=True)
    assert shown.code == 0
    assert "stratégie" in shown.out


# --- main, and the small parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StopError("one\ntwo", "do this"), "vna: one\nvna: two\n  hint: do this\n"),
        (StopError("one"), "vna: one\n"),
        (ArticleNotFound(5), "vna: no article 5 in this archive\n  hint: find ids with `vna search`"),
    ],
)
def test_main_prints_expected_failures(monkeypatch, capsys, error, said):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith(said)


def test_main_does_not_catch_bugs(monkeypatch):
    def fail():
        raise sqlite3.OperationalError("no such column: x")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(sqlite3.OperationalError):
        cli.main()


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (25_300_000, "25.3 MB"), (7e9, "7.0 GB")]
)
def test_sizes(count, shown):
    assert output.size(count) == shown


def test_a_bar_and_lines_take_the_same_calls(capsys):
    for watcher in (Bar(), Lines(), Lines(1)):
        with watcher as progress:
            progress.phase("articles", 2)
            progress.step(Outcome(OutcomeKind.UNCHANGED, detail="x"))
            progress.step(Outcome(OutcomeKind.NEW, detail="é" * 500))
    assert capsys.readouterr().err.count("unchanged: x") >= 1


def test_lines_show_the_percent_of_a_phase_in_percent(capsys):
    with Lines() as progress:
        for name in ("upgrade", "rebuild"):
            phase = PercentPhase(progress, name, 1000)
            for done in range(0, 250, 5):
                phase.reach(done, f"{done} rows")
    each = ["upgrade (%): 100 to do", "  10 %: 100 rows", "  20 %: 200 rows"]
    assert capsys.readouterr().err.splitlines() == [*each, "rebuild (%): 100 to do", *each[1:]]


def test_data_goes_to_the_pipe_while_a_bar_is_shown():
    ours, theirs = os.openpty()
    code = "from crawler.cli.progress import Bar\nwith Bar() as bar:\n    bar.phase('x', 1)\n    print('data')"
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=True).stdout
    for end in (ours, theirs):
        os.close(end)
    assert shown == b"data\n"


def test_the_folder_of_the_demo():
    assert Path("archive/demo") == state.DEMO


def test_the_demo_archive_does_not_replace_a_named_one(tmp_path, monkeypatch):
    """A configuration file named with --config also selects the archive."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / state.DEMO).mkdir(parents=True)
    (tmp_path / state.DEMO / "vna.db").touch()
    (tmp_path / "crawler.toml").touch()
    assert "using the demo archive" in vna("status").err
    assert "using the demo archive" not in vna("--config", tmp_path / "crawler.toml", "status").err


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("https://name.invalid/", "cannot reach https://name.invalid: cannot resolve host name name.invalid"),
        (
            "https://192.0.2.1/",
            "no contact is configured",
        ),  # an address reserved for documentation; no request is sent
    ],
    ids=["the host name cannot be resolved", "the host name is an address"],
)
def test_the_real_site_is_not_polled_without_a_contact(tmp_path, root, message):
    polled = vna("--archive", tmp_path / "archive", "--site", root, "poll")
    assert polled.code == 1
    assert message in polled.err
    assert "vna demo" in polled.err
    assert not (tmp_path / "archive").exists(), "nothing was written"
