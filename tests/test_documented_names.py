"""Names in the documents and messages: configuration keys, commands, options, tables and views exist."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import typer.main
from support import ROOT

from crawler.cli.main import app
from crawler.storage import open_archive

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "archive").glob("*.md")]
MODULES = sorted((ROOT / "crawler").rglob("*.py"))
CONFIGURATION = tomllib.loads((ROOT / "config" / "crawler.toml").read_text("utf-8"))
KEY = re.compile(r"`\[(\w+)\] (\w+)")
COMMAND = re.compile(r"\bvna (?:--[a-z]+ \S+ )?([a-z]+)\b([^\n`#|]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
TABLES_OF_REBUILD = re.compile(r"^\| ((?:`\w+` ?)+) \|", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unknown_keys(text):
    """Return the configuration keys in a text, such as `[poll] floor`, that the file of the configuration lacks."""
    found = KEY.findall(text)
    return [f"[{table}] {key}" for table, key in found if table in CONFIGURATION and key not in CONFIGURATION[table]]


def unknown_options(text):
    """Return the options in a text that the command before them does not have."""
    known = known_options()
    return [
        f"vna {name} {option}"
        for name, rest in COMMAND.findall(text)
        for option in OPTION.findall(rest)
        if name in known and option not in known[name]
    ]


@cache
def known_options():
    """Return the options of each command, with the global ones."""
    command = typer.main.get_command(app)
    return {name: {"--help", *_options(one), *_options(command)} for name, one in command.commands.items()}


def _options(command):
    return [option for param in command.params for option in (*param.opts, *param.secondary_opts)]


def test_configuration_keys_and_options_exist():
    texts = {name_of(path): path.read_text("utf-8") for path in (*DOCUMENTS, *MODULES)}
    wrong = {name: unknown_keys(text) + unknown_options(text) for name, text in texts.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_unknown_names_are_found():
    assert unknown_keys("`[site] list_api` and `[poll] list_api = true`, but not `[Service] X`") == ["[site] list_api"]
    assert unknown_options("`vna export --format csv --colums id`, `vna --archive DIR backup DIR --warc`") == [
        "vna export --colums"
    ]


def test_the_tables_of_the_rebuild_exist(tmp_path):
    with open_archive(tmp_path) as archive:
        existing = {name for (name,) in archive.db.execute("SELECT name FROM sqlite_master")}
    rows = TABLES_OF_REBUILD.findall((ROOT / "docs" / "rebuild.md").read_text("utf-8"))
    named = {name for row in rows for name in re.findall(r"\w+", row)}
    assert len(named) > 30
    assert named <= existing
