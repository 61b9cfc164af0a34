"""The frame of the benchmarks: names and options, verdicts, JSON, recorded sections, profiles, environments."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import curves, document, environments, profiles, report, timing
from benchmarks.report import Goal, Profile, Result, Row
from crawler import fold

RESULT = Result(
    "stub",
    "How long?",
    [Row.of("one | two", [3.0, 1.0, 2.0], "ms")],
    [Goal.of("one ÷ two", [2.0, 4.0], at_most=4), Goal("hits", 0.5, "", at_least=0.9), Goal("size", 12, "kB")],
    "A note.",
)


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """Put a benchmark in the place of `parse`, and let it record into `tmp_path`."""
    module = types.ModuleType("benchmarks.parse", "A stub.")
    module.result = RESULT
    module.run = lambda options: (sys.stdout.write("progress\n"), module.result)[1]

    def add_options(parser):
        parser.add_argument("--articles", type=int, default=1)
        parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[1])
        parser.add_argument("--keep", type=Path)
        parser.add_argument("--no-peer", action="store_true")

    module.add_options = add_options
    monkeypatch.setitem(sys.modules, "benchmarks.parse", module)
    monkeypatch.setattr(document, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(document, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(bench, "GROUPS", {"": ("parse",), "all": ("parse", "parse")})
    return module


def exit_code(arguments):
    try:
        return bench.main(arguments)
    except SystemExit as error:
        return error.code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["unknown"], 2),
        (["unknown", "--json"], 2),
        (["__main__"], 2),
        (["report"], 2),
        (["--bad"], 2),
        (["all", "--bad"], 2),
        (["all", "--articles", "1"], 2),
        (["parse", "--bad"], 2),
        (["parse", "--articles", "x"], 2),
        (["parse", "extra"], 2),
        (["parse", "--js"], 2),
        (["outage", "--bad"], 2),
        (["budget", "--json"], 2),
        (["curves", "--sizes", "1000"], 2),
        (["curves", "--sizes", "1000,100"], 2),
        (["curves", "--sizes", "10,100"], 2),
        (["curves", "--sizes", "1000,many"], 2),
        (["--help"], 0),
        (["parse", "--help"], 0),
        (["parse"], 5),
        ([], 5),
        (["all"], 5),
        (["--json"], 5),
    ],
)
def test_exit_codes(stub, arguments, code):
    assert exit_code(arguments) == code


def test_a_met_goal_and_a_failed_installation(stub, capsys):
    stub.result = Result("stub", "?", [], [Goal("x", 1, at_most=1)])
    assert bench.main(["parse"]) == 0

    def fail(_options):
        raise environments.InstallError("cannot install one==1: no network")

    results = [lambda: RESULT, lambda: fail(None)]
    stub.run = lambda _options: results.pop()()
    assert bench.main(["all"]) == 1
    assert results == [], "the others run, and a failure is not hidden by a missed goal"
    stub.run = fail
    assert bench.main(["parse"]) == 1
    assert "parse: cannot install one==1: no network" in capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (False, 0), (True, 1), (2, 2)])
def test_a_benchmark_that_prints_has_its_own_exit_code(stub, returned, code):
    stub.main = lambda: sys.argv == ["parse", "--own"] and returned
    assert bench.main(["parse", "--own"]) == code


def test_json_is_all_of_stdout(stub, capsys):
    bench.main(["all", "--json"])
    captured = capsys.readouterr()
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert len(found) == 2
    assert found[0]["options"] == []
    assert captured.err.count("progress") == 2
    assert found[0]["rows"] == [{"label": "one | two", "median": 2, "unit": "ms", "low": 1, "high": 3, "runs": 3}]
    assert [goal["verdict"] for goal in found[0]["goals"]] == ["met", "missed", "no goal"]
    assert found[0]["machine"].keys() == {"cores", "cpu", "memory_gb", "python", "sqlite", "program", "load"}
    assert json.loads(json.dumps(report.from_json(found[0]).as_json())) == found[0]


def test_the_text_has_every_figure(stub, capsys):
    bench.main(["parse"])
    out = capsys.readouterr().out
    assert re.search(r"one \| two +2 ms +1 - 3 \(3\)", out)
    assert re.search(r"met +one ÷ two +3 × \(2 - 4\), goal ≤ 4 ×", out)
    assert re.search(r"missed +hits +0\.500, goal ≥ 0\.9$", out, re.MULTILINE)
    assert "A note." in out


def test_every_name_is_a_benchmark():
    assert len(set(bench.NAMES)) == len(bench.NAMES)
    assert set(bench.GROUPS["all"]) < set(bench.NAMES)
    for name in bench.NAMES:
        module = bench.MODULES.get(name, f"benchmarks.{name}")
        tree = ast.parse((Path(__file__).parents[1] / f"{module.replace('.', '/')}.py").read_text("utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        if "main" not in functions:
            assert ast.unparse(functions["run"].returns) == "Result", name
        else:
            assert name not in bench.GROUPS["all"], f"{name} has no result"


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal("x", 4, at_most=4), "met"),
        (Goal("x", 4.01, at_most=4), "missed"),
        (Goal("x", 8, at_least=8), "met"),
        (Goal("x", 7.99, at_least=8), "missed"),
        (Goal("x", float("nan"), at_most=4), "missed"),
        (Goal("x", float("nan"), at_least=4), "missed"),
        (Goal("x", 3, at_least=2, at_most=4), "met"),
        (Goal("x", 5, at_least=2, at_most=4), "missed"),
        (Goal("x", 1, at_least=2, at_most=4), "missed"),
        (Goal("x", 0, at_most=0), "met"),
        (Goal("x", 3), "no goal"),
    ],
)
def test_verdicts(goal, verdict):
    assert goal.verdict == verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "0.123"),
        (1.006, "1.01"),
        (35.06, "35.1"),
        (1234.5, "1,234"),
        (260000, "260,000"),
        (1.0, "1"),
        (None, "-"),
    ],
)
def test_numbers(value, text):
    assert report.number(value) == text


def test_a_profile_is_made_only_for_a_missed_goal():
    made = (Profile("p", "%", [("a", 1.0)]),)
    assert RESULT.explained(lambda: made).profiles == made
    fine = replace(RESULT, goals=[Goal("x", 1, at_most=1)])
    assert fine.explained(lambda: pytest.fail("made")).profiles == ()


def test_a_new_result_replaces_only_its_own_section(stub):
    for name, variant in (("b", ""), ("a", ""), ("a", "10 articles")):
        document.record(replace(RESULT, name=name, variant=variant, date="2026-01-01"))
    before = document.PAGE.read_text()
    document.record(replace(RESULT, name="a", date="2026-02-02", notes="Another note."))
    after = document.PAGE.read_text()
    assert re.findall("^## (.+)", after, re.MULTILINE) == ["All goals", "a", "a 10 articles", "b"]
    sections = [dict(re.findall(r"^## (.+)\n(?s:(.+?))(?=^## |\Z)", text, re.MULTILINE)) for text in (before, after)]
    assert [name for name in sections[0] if sections[0][name] != sections[1][name]] == ["All goals", "a"]
    assert "Another note." in sections[1]["a"]
    assert "| [a](#a) | one ÷ two | 3 × | ≤ 4 × | met | 2026-02-02 |" in sections[1]["All goals"]
    assert "| one ∣ two | 2 | ms | 1 - 3 | 3 |" in after
    assert "**missed**" in after
    assert list(json.loads(document.RESULTS.read_text())) == ["a", "a 10 articles", "b"]


def test_recorded_results_keep_options_and_profiles(stub):
    stub.result = replace(RESULT, profiles=(Profile("a poll", "% of own time", [("crawler.parse", 60.0)]),))
    bench.main(["parse", "--record", "--keep", "secret", "--no-peer", "--sizes", "1,2", "--articles", "3"])
    page = document.PAGE.read_text()
    assert "Run `./run.sh bench stub --articles 3 --sizes 1,2 --no-peer`." in page
    assert "Profile: a poll." in page
    assert "| crawler.parse | 60.0 |" in page
    assert document.load()["stub"].options == ("--articles", "3", "--sizes", "1,2", "--no-peer")
    bench.main(["parse", "--articles", "1", "--record"])
    assert document.load()["stub"].options == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": {"name": "a"}}'])
def test_a_damaged_file_of_results_is_not_overwritten(stub, text):
    document.RESULTS.write_text(text)
    with pytest.raises(ValueError, match="restore it from the repository"):
        document.record(RESULT)
    assert document.RESULTS.read_text() == text


def test_the_page_in_the_repository_is_up_to_date():
    assert document.PAGE.read_text("utf-8") == document.markdown(document.load())


def test_the_page_names_no_path_and_no_benchmark_that_is_gone():
    results = document.load()
    assert {result.name for result in results.values()} <= {*bench.NAMES}
    assert not re.search(r"/(?:tmp|home|root|work)/", document.PAGE.read_text("utf-8"))


def test_rounds_are_interleaved_and_the_first_one_is_not_counted():
    calls = []
    ticks = iter(range(100))
    found = timing.interleaved(
        {name: lambda name=name: calls.append(name) for name in "ab"}, repeats=2, clock=lambda: float(next(ticks))
    )
    assert calls == list("ababab")
    assert found == {"a": [1, 1], "b": [1, 1]}
    assert timing.ratios([2, 9], [1, 3]) == [2, 3]


@pytest.mark.parametrize("power", [0, 0.5, 1, 1.05, 2])
def test_the_exponent_of_a_power_is_found(power):
    sizes = [1000, 10_000, 100_000]
    assert curves.exponent(sizes, [0.003 * size**power for size in sizes]) == pytest.approx(power)


def test_the_exponent_is_that_of_least_squares():
    assert curves.exponent([1, 10, 100], [1, 100, 100]) == pytest.approx(1)
    with pytest.raises(ValueError, match="two different sizes"):
        curves.exponent([10, 10], [1, 2])


def test_a_profile_groups_own_time_by_unit():
    found = profiles.of_call("fold", lambda: [fold.fold("Điện Biên Phủ" * 20) for _ in range(200)])
    assert "crawler.fold" in dict(found.parts)
    assert any(name.startswith("crawler.fold: ") for name, _ in found.functions)
    assert 99 < sum(share for _, share in found.parts) <= 101


def test_a_profile_of_a_process_and_of_its_imports():
    assert "Python" in dict(profiles.of_module("json", "json.tool", [str(document.RESULTS)]).parts)
    parts = dict(profiles.of_imports("help", ["--version"]).parts)
    assert parts["Python"] > 5
    assert any(name.startswith("crawler.") for name in parts)


def test_an_environment_is_made_again_if_its_installation_was_interrupted(tmp_path, monkeypatch):
    commands = []

    def run(command, **_options):
        commands.append(command)
        if "venv" in command:
            (tmp_path / "peer" / "bin").mkdir(parents=True)
            (tmp_path / "peer" / "bin" / "python").touch()
        code = int("pip" in command and len(commands) == 2)
        return subprocess.CompletedProcess(command, code, "", "no network")

    monkeypatch.setattr(environments.subprocess, "run", run)
    with pytest.raises(environments.InstallError, match="cannot install one==1: no network"):
        environments.python_with(["one==1"], tmp_path / "peer")
    for _ in range(2):
        environments.python_with(["one==1"], tmp_path / "peer")
    environments.python_with(["one==2"], tmp_path / "peer")
    assert len(commands) == 6
