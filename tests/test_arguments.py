"""Arguments: paths, `-`, empty values and misspelt options."""

from __future__ import annotations

import json
import sys

import pytest
import typer
from example_archive import build
from support import SEEDS, vna

from crawler.cli import commands
from crawler.cli import main as command_line

COMMANDS = typer.main.get_command(sys.modules[command_line.__module__].app).commands
TEXT = next(iter(sorted(SEEDS.glob("*.txt")))).read_bytes()
FOLDERS = {
    "rebuild": ["rebuild", "--into", "-"],
    "backup": ["backup", "-"],
    "restore": ["restore", "-"],
    "init": ["init", "-"],
    "archive": ["--archive", "-", "import", "text.txt"],
    "export of Parquet": ["export", "--format", "parquet", "--out", "-"],
    "reparse into a dataset": ["reparse", "--out", "-"],
}
FILES = {
    "configuration": ["--config", "-", "status"],
    "evidence pack": ["verify", "-"],
    "WARC file": ["backfill", "--warc", "-"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one; it also gets a small archive."""
    monkeypatch.chdir(tmp_path)
    for name in ("VNA_ARCHIVE", "VNA_SITE", "VNA_RATE", "VNA_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    build(tmp_path / "archive")
    return tmp_path


@pytest.mark.parametrize("words", [*FOLDERS.values(), *FILES.values()], ids=[*FOLDERS, *FILES])
def test_a_hyphen_is_neither_a_folder_nor_a_file(folder, words):
    (folder / "text.txt").write_bytes(TEXT)
    outcome = vna(*words)
    assert outcome.code == 2, outcome
    assert "folder" in outcome.err or "standard input cannot be read here" in outcome.err
    assert not (folder / "-").exists()


def test_a_folder_may_be_called_a_hyphen_if_its_path_is_written(folder):
    assert vna("init", "./-").code == 0
    assert (folder / "-" / "config" / "crawler.toml").is_file()


@pytest.mark.parametrize("command", ["parse", "repair", "import"])
def test_a_hyphen_is_standard_input_and_a_path_to_it_is_a_file(folder, command):
    options = {"parse": ["--url", "https://fr.vietnamplus.vn/x-post1.vnp"]}.get(command, [])
    missing = vna(command, "./-", *options, stdin=TEXT)
    assert missing.code == 1, missing
    assert "No such file" in missing.err
    (folder / "-").write_bytes(TEXT)
    read = [vna(command, source, *options, stdin=TEXT) for source in ("./-", "-")]
    assert read[0].code == read[1].code == (3 if command == "parse" else 0)
    if command == "repair":
        assert read[0].out == read[1].out != ""


def test_json_names_standard_input_as_it_was_given(folder):
    outcome = vna("import", "--json", "-", stdin=TEXT)
    assert json.loads(outcome.out)["file"] == "-"
    assert "standard input: " in vna("import", "-", stdin=b"").err


EMPTY = {
    "folder": ["backup", ""],
    "folder to write": ["rebuild", "--into", ""],
    "new folder": ["init", ""],
    "archive": ["--archive", "", "status"],
    "configuration": ["--config", "", "status"],
    "output": ["export", "--format", "csv", "--out", ""],
    "file": ["repair", ""],
    "section": ["search", "riz", "--section", ""],
    "one of several sections": ["export", "--format", "csv", "--section", "Politique", "--section", ""],
    "first day": ["export", "--format", "csv", "--since", ""],
    "day of a check": ["verify", "--since", ""],
    "time": ["show", "101", "--as-of", ""],
    "query of changes": ["changes", "--query", ""],
    "query": ["search", ""],
    "id": ["show", ""],
    "site": ["--site", "", "status"],
}


@pytest.mark.parametrize("words", EMPTY.values(), ids=EMPTY)
def test_an_empty_argument_is_not_a_missing_one(folder, words):
    outcome = vna(*words)
    assert outcome.code == 2, outcome
    assert "it is empty" in outcome.err
    assert outcome.out == ""
    assert [path.name for path in folder.iterdir()] == ["archive"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_empty_arguments(name):
    options = [one for one in COMMANDS[name].params if one.param_type_name == "argument"]
    if options and options[0].name != "index":
        outcome = vna(name, "")
        assert outcome.code == 2, outcome
        assert "empty" in outcome.err or "Missing option" in outcome.err


@pytest.mark.parametrize("command", ["show", "history", "similar", "cite"])
@pytest.mark.parametrize("word", ["--jsn", "-x", "--5"])
def test_a_misspelt_option_is_not_an_id(folder, command, word):
    outcome = vna(command, word)
    assert outcome.code == 2, outcome
    assert f"no such option: {word}" in outcome.err


def test_a_misspelt_option_is_not_a_word_of_the_query_of_a_pack(folder):
    outcome = vna("evidence", "riz", "--limt", "3", "--out", "pack.zip")
    assert outcome.code == 2
    assert "no such option: --limt" in outcome.err


def test_an_address_of_another_edition_is_named_as_such(folder):
    outcome = vna("show", "https://en.vietnamplus.vn/title-post101.vnp")
    assert outcome.code == 1
    assert "is not an address of https://fr.vietnamplus.vn/" in outcome.err


def test_a_time_that_is_none_names_its_option(folder):
    for words in (
        ["show", "101", "--as-of"],
        ["show", "101", "--known-at"],
        ["changes", "--since"],
        ["cite", "101", "--as-of"],
    ):
        assert f"{words[-1]} hier is not a time" in vna(*words, "hier").err


def test_a_file_is_not_a_folder(folder):
    (folder / "file").touch()
    (folder / "archive" / "warc").mkdir()
    for words in (
        ["export", "--format", "text", "--out", "file"],
        ["rebuild", "--into", "file"],
        ["--archive", "file", "poll"],
    ):
        outcome = vna("--site", "http://127.0.0.1:9", *words)
        assert outcome.code == 1, outcome
        assert "is not a folder" in outcome.err


def test_a_pack_is_not_sealed(folder):
    assert "a pack is always checked completely" in vna("verify", "pack.zip", "--seal").err


@pytest.mark.parametrize(
    "words", [["reparse", "--dry-run", "--since"], ["parse", "page.html", "--url", "https://x/", "--fetched-at"]]
)
def test_a_time_may_be_a_day_a_month_or_relative(folder, words):
    (folder / "page.html").write_text("<html></html>")
    for value in ("2026-11", "yesterday", "3d", "2026-11-01T08:00:00+07:00"):
        assert vna(*words, value).code == (3 if words[0] == "parse" else 0)
    assert f"{words[-1]} hier is not a time" in vna(*words, "hier").err


def test_a_pack_counts_each_article_once(folder):
    outcome = vna("evidence", "101", "101", "--out", "pack.zip")
    assert "1 article," in outcome.err, outcome


def test_status_and_estimates_without_a_rate_limit(folder):
    free = ["--site", "http://127.0.0.1:9", "--rate", "0"]
    assert "rate limit none" in vna(*free, "status").out
    assert "without a delay" in vna(*free, "backfill", "--since", "2024", "--dry-run").out
    assert "at 1 per second" in vna("backfill", "--since", "2024", "--dry-run").out


def test_sections_are_named_in_alphabetical_order(folder):
    assert "choose from Économie, Politique, Société" in vna("coverage", "--section", "Sport").err


def test_a_search_for_silent_edits_that_finds_none_says_so(folder):
    outcome = vna("changes", "--silent", "--since", "2030")
    assert (outcome.code, outcome.err) == (0, "no silent edit since 2030\n")


def test_only_the_command_that_is_used_is_made(monkeypatch):
    made, make = [], commands.get_command_from_info
    monkeypatch.setattr(
        commands,
        "get_command_from_info",
        lambda info, **more: made.append(info.callback.__name__) or make(info, **more),
    )
    program = typer.main.get_command(sys.modules[command_line.__module__].app)
    assert made == []
    assert program(["status", "--help"], standalone_mode=False) == 0
    assert made == ["status"]
    assert len(program.commands) == len(COMMANDS) > 30
    assert made == ["status"]
