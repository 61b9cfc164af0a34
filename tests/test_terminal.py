"""What people see on a terminal: whole words, marked hits, a pager; and what programs get in a pipe."""

from __future__ import annotations

import re

import pytest
from support import ROOT, on_terminal, run_process, vna

COLOUR = re.compile("\x1b\\[[0-9;]*m")
TITLE = (
    "Le Vietnam et la Russie renforcent leur coopération dans la lutte contre la criminalité transnationale organisée"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    seed = next(iter(sorted((ROOT / "seeds").glob("*.txt")))).read_text("utf-8")
    _, _, rest = seed.partition("\n")
    first, second = folder / "1.txt", folder / "2.txt"
    first.write_text(seed, "utf-8")
    second.write_text(f"{TITLE}\n{rest}", "utf-8")
    outcome = vna("--archive", folder / "archive", "import", first, second)
    assert outcome.code == 0, outcome.err
    return folder / "archive"


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("latest", 40),
        ("search coopération", 80),
        ("show -2", 120),
        ("status", 80),
        ("status", 60),
        ("coverage", 80),
        ("coverage", 50),
    ],
)
def test_lines_fit_the_terminal_and_no_word_is_broken(archive, command, columns):
    shown = on_terminal("--archive", archive, *command.split(), columns=columns)
    piped = vna("--archive", archive, *command.split())
    assert max(map(len, shown.splitlines())) <= columns
    assert {word for word in shown.split() if word.isalpha()} <= set((piped.out + piped.err).split())


def test_the_columns_of_months_stay_aligned_on_a_narrow_terminal(archive):
    shown = on_terminal("--archive", archive, "coverage", columns=50).splitlines()
    starts = [shown[0].index(name) for name in ("month", "known", "held", "missing", "gone", "undated")]
    row = next(line for line in shown if line.startswith("no month"))
    assert [row[at] != " " for at in starts] == [True] * 6


def test_values_of_the_status_begin_in_one_column(archive):
    shown = on_terminal("--archive", archive, "status", columns=40).partition("\n\n")[0].splitlines()
    assert all(len(line) > 11 and line[11] != " " for line in shown), shown
    assert any(line.startswith(" " * 11) for line in shown)


def test_hits_are_coloured_and_in_a_pipe_they_have_asterisks(archive):
    command = ("--archive", archive, "search", "coopération")
    coloured = on_terminal(*command, env={"TERM": "xterm"})
    assert "\x1b[1;33mcoopération\x1b[0m" in coloured
    assert "**" not in coloured
    for env in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal(*command, env=env)
        assert not COLOUR.search(plain)
    piped = run_process(*command).out
    assert any(line.endswith(TITLE) for line in piped.splitlines())
    assert not COLOUR.search(piped)


def test_long_output_is_shown_in_the_pager_with_its_messages(archive, tmp_path):
    seen = tmp_path / "seen"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {seen}\n")
    pager.chmod(0o755)
    command = ("--archive", archive, "search", "coopération")
    assert "articles" not in on_terminal(*command, lines=3, env={"PAGER": str(pager)})
    assert seen.read_text("utf-8").endswith("2 articles\n")
    seen.unlink()
    assert "2 articles" in on_terminal(*command, lines=100, env={"PAGER": str(pager)})
    assert not seen.exists()


@pytest.mark.parametrize("pager", ["", "cat", "/no/such/pager", "'"])
def test_without_a_pager_long_output_is_printed(archive, pager):
    shown = on_terminal("--archive", archive, "search", "coopération", lines=3, env={"PAGER": pager})
    assert shown.endswith("2 articles\n")


def test_a_pager_that_is_left_early_is_no_failure(archive):
    assert on_terminal("--archive", archive, "show", "-1", lines=3, env={"PAGER": "true"}) == ""


def test_the_line_about_an_article_is_apart_from_its_text(archive):
    piped = run_process("--archive", archive, "show", "-2")
    assert piped.out.startswith(TITLE)
    assert piped.err.startswith("-2 · ")
    assert on_terminal("--archive", archive, "show", "-2").startswith("-2 · ")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "search zzzz --since 2024-02 --until 2024-02",
            "0 articles match zzzz since 2024-02-01 until 2024-02-29; the archive",
        ),
        ("latest --since today", "0 articles since "),
        ("changes --kind figure --since 3d", "no change of kind figure since 3d"),
    ],
)
def test_nothing_found_names_what_was_searched(archive, command, expected):
    outcome = vna("--archive", archive, *command.split())
    assert (outcome.code, outcome.out) == (0, "")
    assert expected in outcome.err


@pytest.mark.parametrize(
    "command",
    [
        "search x --since 2024-02 --until 2024-01", "search x --since tomorrow", "search x --section Politque",
        "search x section:Politque", "latest --section zzz", "latest --since 2024-13", "changes --since 3d --until 4d",
        "changes --section zzz", "export --format jsonl --since 2024 --until 2023", "coverage --since 2024 --until 2023",
    ],
)  # fmt: skip
def test_an_impossible_period_or_section_is_refused(archive, command):
    outcome = vna("--archive", archive, *command.split())
    assert outcome.code == 1
    assert "hint" in outcome.err


def test_an_article_without_a_revision_then_has_others(archive):
    outcome = vna("--archive", archive, "show", "-1", "--as-of", "2001")
    assert (outcome.code, outcome.out) == (1, "")
    assert "no article -1 as of 2001 in this archive" in outcome.err
    assert "vna history -1" in outcome.err
    assert "vna history" not in vna("--archive", archive, "show", "-99", "--as-of", "2001").err
