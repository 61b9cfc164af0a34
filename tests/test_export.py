"""`vna export`: what is selected, what the files contain, and what remains after a kill or on a full disk."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from itertools import product

import pytest
from example_archive import ARTICLES, GLUED, SPACED, article, build
from lxml import etree
from pyarrow import dataset as reader
from support import ROOT, vna
from test_tei import EVERY_CHARACTER, SCHEMA

from crawler.selection import Selection
from crawler.storage import open_archive
from crawler.types import ImageBlock, Related, TextBlock

FORMATS = ("jsonl", "csv", "parquet", "text", "tei")
RIZ_THEN = "Les exportations de riz augmentent de 12 %"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build(tmp_path_factory.mktemp("example"))


def exported(archive, *words, code=0):
    outcome = vna("--archive", archive, "export", *words)
    assert outcome.code == code, outcome
    return outcome


def rows(archive, *words):
    return [json.loads(line) for line in exported(archive, "--format", "jsonl", *words).out.splitlines()]


def ids(archive, *words):
    return [row["id"] for row in rows(archive, *words)]


# --- selection --------------------------------------------------------------------------------------------------------

CONDITIONS = [
    ["--query", "riz"],
    ["--query", '"ambassadeur de France"'],
    ["--query", "exportations -café"],
    ["--query", "ambassadeur section:politique since:2024-02-01"],
    ["--query", "hanoi", "--section", "POLITIQUE", "--until", "2024-03-31"],
    ["--query", "riz OU typhon", "--since", "2024-09-01"],
    ["--query", "neige"],
]


@pytest.mark.parametrize("words", CONDITIONS, ids=repr)
def test_an_export_selects_what_a_search_finds(archive, words):
    query, *rest = words[1:]
    found = json.loads(vna("--archive", archive, "search", query, *rest, "--json", "--limit", 1000).out)
    assert ids(archive, *words) == sorted(row["id"] for row in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [-1, 101, 102, 103, 104, 105, 106, 107, 108, 109]),
        (["--section", "economie"], [106, 107]),
        (["--section", "economie", "--section", "Société"], [105, 106, 107, 108]),
        (["--kind", "photo"], [108]),
        (["--kind", "photo", "--kind", "article", "--section", "Société"], [105, 108]),
        (["--state", "gone"], [104]),
        (["--state", "gone", "--as-of", "2024-05-01"], []),
        (["--state", "live", "--until", "2024-04-30"], [101, 102, 103]),
        (["--since", "2025-01-01"], [109]),
        (["--as-of", "2024-04-10", "--query", "ambassadeur"], [101, 102, 103, 104]),
        (["--as-of", "2024-04-10", "--kind", "photo"], []),
        (["--as-of", "2024-05-08", "--query", "sécheresse"], []),
        (["--revisions", "--as-of", "2024-05-10", "--query", "sécheresse"], [106, 106]),
        (["--known-at", "2024-01-05"], [-1, 101]),
    ],
    ids=repr,
)
def test_conditions_are_combined(archive, words, expected):
    assert ids(archive, *words) == expected


def test_an_instant_selects_texts_of_that_time(archive):
    old = rows(archive, "--as-of", "2024-08-21", "--query", "café", "--columns", "id,revision,title")
    assert old == [{"id": 107, "revision": 1, "title": "Les exportations de riz et de café progressent"}]
    assert [row["title"] for row in rows(archive, "--as-of", "2024-05-08", "--query", "riz")] == [RIZ_THEN]
    assert rows(archive, "--as-of", "2024-05-10", "--query", "sécheresse")[0]["revision"] == 2


def test_revisions_are_consecutive(archive):
    found = rows(archive, "--revisions", "--query", "riz")
    assert [(row["id"], row["revision"]) for row in found] == [(106, 1), (106, 2), (107, 1), (107, 2)]
    assert found[0]["title"] == RIZ_THEN
    then = rows(archive, "--revisions", "--as-of", "2024-08-21", "--section", "Économie")
    assert [(row["id"], row["revision"]) for row in then] == [(106, 1), (106, 2), (107, 1)]


def test_the_storage_yields_the_same_articles_by_day(archive):
    with open_archive(archive, read_only=True) as opened:
        for wanted in (Selection(), Selection(revisions=True), Selection(as_of="2026-01-01T00:00:00Z")):
            by_id = [(one.id, one.revision) for one in opened.selected(wanted)]
            by_day = [(one.id, one.revision) for one in opened.selected(wanted, by_day=True)]
            assert sorted(by_day) == by_id
            assert by_day[0] == (-1, 1), "articles without a day come first"


# --- columns and texts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format_", "names"), [*product(("jsonl", "csv"), ("id,title", "clean, ID", "published_on,id,problems"))]
)
def test_columns_are_chosen_in_the_given_order(archive, format_, names):
    out = exported(archive, "--format", format_, "--columns", names, "--query", "typhon").out
    wanted = [name.strip().lower() for name in names.split(",")]
    header = list(json.loads(out)) if format_ == "jsonl" else next(csv.reader(io.StringIO(out)))
    assert header == wanted


def test_parquet_has_the_chosen_columns_and_every_selection(archive, tmp_path):
    words = ("--columns", "id,title,dateline_place,published_on", "--revisions", "--section", "Économie")
    exported(archive, "--format", "parquet", "--out", tmp_path / "set", *words)
    table = reader.dataset(tmp_path / "set", partitioning="hive").to_table()
    assert table.schema.names == ["id", "title", "dateline_place", "published_on", "year", "month"]
    assert sorted(table["id"].to_pylist()) == [106, 106, 107, 107]
    exported(archive, "--format", "parquet", "--out", tmp_path / "set", "--as-of", "2024-05-08", "--query", "riz")
    assert reader.dataset(tmp_path / "set", partitioning="hive").to_table()["title"].to_pylist() == [RIZ_THEN]


@pytest.mark.parametrize(
    ("option", "has", "has_not"),
    [("--clean", {"clean"}, {"text", "blocks", "repairs"}), ("--verbatim", {"text", "blocks"}, {"clean", "repairs"})],
)
def test_rows_have_one_reading_of_the_text(archive, option, has, has_not):
    (row,) = rows(archive, option, "--query", "mémoire")
    assert has <= row.keys()
    assert not has_not & row.keys()


@pytest.mark.parametrize("format_", ["text", "tei"])
def test_texts_are_verbatim_unless_clean(archive, format_):
    words = ("--format", format_, "--query", "mémoire")
    assert GLUED in exported(archive, *words).out
    assert GLUED in exported(archive, *words, "--verbatim").out
    clean = exported(archive, *words, "--clean").out
    assert SPACED in clean
    assert GLUED not in clean


def test_voir_plus_is_left_out_of_texts_unless_asked(archive):
    words = ("--format", "text", "--query", "président français")
    assert "Voir plus" not in exported(archive, *words).out
    assert "Voir plus" in exported(archive, *words, "--with-related").out


def test_bom_marks_csv_and_changes_nothing_else(archive):
    plain, marked = (exported(archive, "--format", "csv", *words).out for words in ((), ("--bom",)))
    assert marked == "\ufeff" + plain


@pytest.mark.parametrize(("format_", "suffix"), [("text", "txt"), ("tei", "xml")])
def test_a_folder_has_one_file_for_each_article_or_revision(archive, tmp_path, format_, suffix):
    exported(archive, "--format", format_, "--section", "Économie", "--out", tmp_path / "now")
    exported(archive, "--format", format_, "--section", "Économie", "--revisions", "--out", tmp_path / "all")
    assert sorted(path.name for path in (tmp_path / "now").iterdir()) == [f"106.{suffix}", f"107.{suffix}"]
    assert len(list((tmp_path / "all").iterdir())) == 4
    assert "sécheresse" in (tmp_path / "all" / f"106-2.{suffix}").read_text("utf-8")


def test_a_tei_corpus_is_one_valid_file_if_its_name_says_so(archive, tmp_path):
    exported(archive, "--format", "tei", "--out", tmp_path / "corpus.xml")
    tree = etree.parse(tmp_path / "corpus.xml")
    SCHEMA.assertValid(tree)
    assert len(tree.getroot()) == 1 + len(ARTICLES)
    assert (tmp_path / "corpus.xml").read_text("utf-8") == exported(archive, "--format", "tei").out


# --- wrong options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["csv", "--kind", "foto"], "did you mean photo?"),
        (["text", "--state", "goen"], "did you mean gone?"),
        (["csv", "--columns", "id,titel"], "did you mean title"),
        (["parquet", "--columns", "publishedon"], "did you mean published_on"),
        (["csv", "--columns", " ,"], "no column"),
        (["csv", "--columns", "id", "--clean"], "name the columns"),
        (["text", "--columns", "id"], "not for --format text"),
        (["tei", "--with-related"], "not for --format tei"),
        (["jsonl", "--bom"], "not for --format jsonl"),
        (["wacz", "--query", "riz"], "not for --format wacz"),
        (["wacz", "--revisions"], "not for --format wacz"),
    ],
    ids=repr,
)
def test_a_wrong_option_is_a_usage_error_and_writes_nothing(archive, tmp_path, words, said):
    outcome = exported(archive, "--format", *words, "--out", tmp_path / "x", code=2)
    assert said in outcome.err
    assert outcome.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["jsonl", "--since", "2024-02-01", "--until", "2024-01-01"], "is after"),
        (["wacz", "--since", "2024-02", "--until", "2024-01"], "is after"),
        (["csv", "--query", "riz since:2024-02-01", "--until", "2024-01-01"], "is after"),
        (["jsonl", "--section", "Politiqe"], "did you mean Politique?"),
        (["jsonl", "--query", "riz section:economi"], "did you mean Économie?"),
    ],
    ids=repr,
)
def test_periods_and_sections_are_refused_as_by_search(archive, tmp_path, words, said):
    outcome = exported(archive, "--format", *words, "--out", tmp_path / "x", code=1)
    assert said in outcome.err
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_texts_is_not_written(archive, tmp_path):
    outcome = vna("--archive", archive, "export", "--format", "tei", "--query", "neige", "--out", tmp_path / "x.xml")
    assert (outcome.code, "at least one" in outcome.err) == (1, True)
    assert not list(tmp_path.iterdir())


# --- standard output --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--format", "jsonl"],
        ["export", "--format", "csv", "--bom"],
        ["export", "--format", "text"],
        ["export", "--format", "tei"],
        ["feed", "riz"],
        ["feed", "--format", "json"],
    ],
    ids=" ".join,
)
def test_a_hyphen_is_standard_output(archive, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.xml"
    if words == ["export", "--format", "text"]:  # with a file name, a folder of files
        expected = exported(archive, *words[1:]).out
    else:
        assert vna("--archive", archive, *words, "--out", file).code == 0
        expected = file.read_bytes().decode().replace("\r\n", "\n")  # as the runner of the tests reads stdout
        file.unlink()
    outcome = vna("--archive", archive, *words, "--out", "-")
    assert (outcome.code, outcome.out) == (0, expected)
    assert re.fullmatch(r"\d+ articles?\n", outcome.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--format", "parquet", "--out", "-"],
        ["export", "--format", "wacz", "--out", "-"],
        ["export", "--format", "csv", "--card", "--out", "-"],
        ["export", "--format", "parquet", "--out", "/dev/stdout"],
        ["export", "--format", "wacz", "--out", "/dev/null"],
        ["evidence", "1", "--out", "/dev/null"],
        ["reparse", "--out", "-"],
        ["coverage", "--chart", "-"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_standard_output_is_a_usage_error(archive, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    outcome = vna("--archive", archive, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert re.search(r"choose .* with --(out|chart)", outcome.err)
    assert list(tmp_path.iterdir()) == []


def test_a_file_may_be_named_like_standard_output(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert vna("--archive", archive, "feed", "--out", "./-").code == 0
    assert (tmp_path / "-").read_text().startswith("<?xml")


# --- hostile content --------------------------------------------------------------------------------------------------

MARKUP = '</p><script>alert(1)</script>&amp;]]> =1+1 "; \u202eelif\u2066 ' + EVERY_CHARACTER.replace("\ud800", "")
HOSTILE = {
    1: article(1, "2024-01-01", MARKUP, MARKUP, MARKUP.replace("\n", " "), lead=MARKUP, byline=MARKUP, tags=(MARKUP, ";"), url=MARKUP,
               signature=MARKUP, problems=(MARKUP,), provenance={MARKUP: MARKUP}, related=(Related(MARKUP, MARKUP, MARKUP, MARKUP),)),
    2: article(2, "2024-01-01", "Politique", "x" * 10_000, "Un texte."),
    3: article(3, "2024-01-01", "Politique", "Sans corps", "", blocks=()),
    4: article(4, "2024-01-01", "Politique", "", "", blocks=(ImageBlock(MARKUP, MARKUP, MARKUP, MARKUP), TextBlock("table", MARKUP))),
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    import example_archive  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"ARTICLES": HOSTILE, "REVISED": {}, "GONE": {}}.items():
            patch.setattr(example_archive, name, value)
        return build(tmp_path_factory.mktemp("hostile"))


def test_json_csv_and_parquet_give_back_every_value(hostile, tmp_path):
    with open_archive(hostile, read_only=True) as opened:
        stored = list(opened.export())
    read_json = rows(hostile)
    exported(hostile, "--format", "csv", "--out", tmp_path / "a.csv")
    exported(hostile, "--format", "parquet", "--out", tmp_path / "set")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        read_csv = list(csv.DictReader(file))
    read_parquet = reader.dataset(tmp_path / "set").to_table().sort_by("id").to_pylist()
    assert len(stored) == len(read_json) == len(read_csv) == len(read_parquet) == len(HOSTILE)
    for one, *found in zip(stored, read_json, read_csv, read_parquet, strict=True):
        for row in found:
            for name in ("title", "lead", "section", "byline", "signature", "url", "text", "clean"):
                assert (row[name] or None) == (getattr(one.article, name, one.reading.clean) or None), name
        assert found[0]["tags"] == found[2]["tags"] == list(one.article.tags)
        assert [image["alt"] for image in found[2]["blocks"] if image["type"] == "image"] == [
            i.alt for i in one.article.images
        ]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_data_card_of_hostile_articles_is_safe(hostile, tmp_path, format_):
    exported(hostile, "--format", format_, "--card", "--out", tmp_path / "set", "--query", "alert OU texte OU corps")
    exported(hostile, "--format", format_, "--card", "--out", tmp_path / "set")
    card = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "\u202e" not in card
    assert "\x1b" not in card
    assert "<script" not in card.replace("\\<", "")
    assert max(map(len, card.splitlines())) < 2000
    assert json.loads((tmp_path / "set" / "datapackage.json").read_text("utf-8"))["resources"]


def test_text_and_tei_of_hostile_articles(hostile, tmp_path):
    exported(hostile, "--format", "tei", "--out", tmp_path / "x.xml")
    SCHEMA.assertValid(etree.parse(tmp_path / "x.xml"))
    exported(hostile, "--format", "text", "--out", tmp_path / "texts")
    assert (tmp_path / "texts" / "2.txt").read_text("utf-8").startswith("x" * 10_000)
    assert len(list((tmp_path / "texts").iterdir())) == len(HOSTILE)


# --- killed, and without space ----------------------------------------------------------------------------------------

TARGETS = {
    "jsonl": "a.jsonl", "csv": "a.csv", "parquet": "set", "text": "texts", "tei": "a.xml",
    "csv --card": "card", "parquet --card": "card-parquet", "tei --card": "card-tei",
}  # fmt: skip
_KILLED = """
import os, signal, sys
from pathlib import Path
from crawler import config, dataset, export, handover, opening, query, render, selection, tei  # once, not in each child
from crawler.dataset import table
from crawler.storage.as_of import AsOf
from crawler.cli.main import app
yielded = AsOf.selected
def killed(self, wanted, **order):
    for number, stored in enumerate(yielded(self, wanted, **order)):
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        yield stored
AsOf.selected = killed
for name, target in {targets}.items():
    if not os.fork():
        app(["--archive", sys.argv[1], "export", "--format", *name.split(), "--out", str(Path(sys.argv[2]) / target)])
for _ in {targets}:
    assert os.wait()[1] == signal.SIGKILL
"""


def test_a_killed_export_leaves_no_part_under_the_final_name(archive, tmp_path):
    (tmp_path / "a.csv").write_text("the last good one")
    program = _KILLED.replace("{targets}", repr(TARGETS))
    subprocess.run([sys.executable, "-c", program, archive, tmp_path], check=True, cwd=ROOT)
    shown = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert shown == {"a.csv", "texts"}
    assert (tmp_path / "a.csv").read_text() == "the last good one"
    for path in (tmp_path / "texts").glob("[!.]*"):
        assert path.read_text("utf-8") == _whole_text(archive, path.stem)
    for name in ("parquet", "csv --card"):  # their hidden folders are used again
        exported(archive, "--format", *name.split(), "--out", tmp_path / TARGETS[name])


def _whole_text(archive, key):
    with open_archive(archive, read_only=True) as opened:
        stored = opened.article(int(key))
    from crawler import render  # noqa: PLC0415

    return render.text(stored, related=False)


_FULL = """
mount -t tmpfs -o size=40k tmpfs "$1" || exit 9
shift; exec "$@"
"""
_EACH = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
from support import vna
folder, archive = Path(sys.argv[1]), sys.argv[2]
(folder / "fill").write_bytes(b"x" * 36_000)
for name, target in {targets}.items():
    done = vna("--archive", archive, "export", "--format", *name.split(), "--out", folder / target)
    left = sorted(path.name for path in folder.iterdir() if path.name not in ("fill", "texts"))
    left += [path.name for path in folder.rglob(".*.unfinished") if path.is_file()]
    print(done.code, "No space left" in done.err, "hint: " in done.err, left)
"""


def test_a_full_disk_leaves_no_part_under_the_final_name(hostile, tmp_path):
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is not installed")
    (tmp_path / "full").mkdir()
    program = _EACH.replace("{targets}", repr(TARGETS))
    words = ["sh", "-c", _FULL, "sh", tmp_path / "full", sys.executable, "-c", program, tmp_path / "full", hostile]
    done = subprocess.run(
        [unshare, "--map-root-user", "--mount", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode in (1, 9) and not done.stdout:
        pytest.skip("this machine does not let a process mount a file system")
    assert done.stdout.splitlines() == ["1 True True []"] * len(TARGETS), done


@pytest.mark.parametrize("form", ["text", "tei"])
def test_files_that_an_export_did_not_write_are_named(archive, tmp_path, form):
    out = tmp_path / "texts"
    assert "other file" not in exported(archive, "--format", form, "--out", out).err
    again = exported(archive, "--format", form, "--section", "Politique", "--out", out)
    assert "also has 5 other files, such as -1." in again.err
    assert "other file" not in exported(archive, "--format", form, "--out", out).err
