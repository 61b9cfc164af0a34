"""`vna --help` prints a text that was made beforehand; it must be what the commands would print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from crawler import quick_help

pytestmark = pytest.mark.edge
PROGRAM = "import sys; sys.argv[0] = 'vna'; from crawler.__main__ import start; start(); print(len(sys.modules))"


@pytest.fixture
def _no_terminal(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda _: (_ for _ in ()).throw(OSError))


def run(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in (*quick_help._LANGUAGES, *quick_help._OTHER_TEXT)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT, env=environment | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_text_is_what_the_commands_print():
    quick, slow = run("--help"), run("--help", COLUMNS="80")
    help_, loaded = quick.stdout.rstrip("\n").rsplit("\n", 1)
    assert f"{help_}\n" == slow.stdout == Path(quick_help.FILE).read_text("ascii")
    assert int(loaded) < 150, "the commands were not loaded"


@pytest.mark.usefixtures("_no_terminal")
@pytest.mark.parametrize(
    ("arguments", "environment", "quick"),
    [
        (["/usr/bin/vna", "--help"], {}, True),
        (["vna", "-h"], {"LANG": "C.UTF-8"}, True),
        (["vna", "-h"], {"LANG": "en_GB.UTF-8", "LC_ALL": ""}, True),
        (["vna", "-h"], {"LANG": "fr_FR.UTF-8", "LC_ALL": "POSIX"}, True),
        (["vna", "-h"], {"LANG": "fr_FR.UTF-8"}, False),
        (["vna", "-h"], {"LANG": "en_GB.UTF-8", "LANGUAGE": "en:fr"}, False),
        (["vna", "-h"], {"COLUMNS": "60"}, False),
        (["vna", "-h"], {"_VNA_COMPLETE": "complete_bash"}, False),
        (["vna"], {}, False),
        (["vna", "show", "--help"], {}, False),
        (["vna", "--help", "show"], {}, False),
        (["crawler/__main__.py", "--help"], {}, False),
    ],
)
def test_any_other_request_is_left_to_the_commands(capfd, arguments, environment, quick):
    assert quick_help.print_help(arguments, environment) is quick
    assert capfd.readouterr().out == (Path(quick_help.FILE).read_text("ascii") if quick else "")


@pytest.mark.parametrize(("columns", "quick"), [(79, False), (80, True), (300, True), (0, True)])
@pytest.mark.usefixtures("capfd")
def test_a_narrow_terminal_is_left_to_the_commands(monkeypatch, columns, quick):
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    assert quick_help.print_help(["vna", "--help"], {}) is quick


@pytest.mark.usefixtures("_no_terminal")
def test_an_output_that_cannot_be_written_is_left_to_the_commands(monkeypatch):
    with Path("/dev/full").open("wb") as full:
        monkeypatch.setattr(quick_help, "_STDOUT", full.fileno())
        assert not quick_help.print_help(["vna", "--help"], {})
    monkeypatch.setattr(sys, "stdout", None)
    assert not quick_help.print_help(["vna", "--help"], {})
