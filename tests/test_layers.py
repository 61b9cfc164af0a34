"""The rules of docs/architecture.md, checked in the source: imports, owners of libraries, lengths, docstrings.

A unit is a module or package directly below `crawler/`, or directly below `crawler/sim/`. Imports inside functions and
under `TYPE_CHECKING` count.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "crawler"

PURE = {
    "types", "errors", "urls", "site", "markup", "discover", "parse", "repair", "identity", "schedule", "rate_limit", "health",
    "plans", "plan_values", "outcome", "purpose", "coverage", "fold", "query", "snippets", "records", "render", "probe", "article_fields", "word_count", "finding", "local_http", "visible", "redact", "heal", "marks", "feeds", "watches", "changes", "similarity", "numerals", "citation", "selection", "tei", "data_card", "days", "merkle", "pictures", "article_history", "article_values",
}  # fmt: skip
EDGES = {
    "fetch",
    "warc",
    "storage",
    "export",
    "config",
    "logs",
    "lexicon",
    "alerts",
    "dataset",
    "proxies",
    "parser_process",
    "anchors",
    "worker_processes",
}
STEPS = {"pipeline", "replay", "backfill", "backup", "bulk", "collect", "evidence", "handover"}

#: What a unit may import besides itself. Pure units may import each other, but without cycles (see the test).
#: Each part of `sim` is a unit: the fake site, the drill, the demo, the reconciliation, the commands.
MAY_IMPORT = (
    dict.fromkeys(PURE, PURE)
    | dict.fromkeys(EDGES, PURE | {"archive_files", "clock", "files"})
    | {
        "types": set(),
        "fetch": PURE | {"clock", "files", "proxies"},
        "lexicon": PURE | {"resources"},
        "storage": PURE | {"archive_files", "clock", "files", "upgrade_display"},
        "upgrade_display": {"outcome"},
        "clock": {"days", "errors"},
        "files": set(),
        "archive_files": set(),
        "pipeline": PURE | {"clock", "fetch", "warc", "storage", "parser_process", "worker_processes"},
        "backfill": PURE | {"clock", "fetch", "warc", "storage", "pipeline", "parser_process"},
        "replay": PURE | {"anchors", "clock", "fetch", "warc", "storage", "pipeline", "backfill", "worker_processes"},
        "bulk": PURE | {"archive_files", "clock", "warc", "pipeline", "dataset", "lexicon", "worker_processes"},
        "collect": {"types", "pipeline", "replay"},
        "evidence": PURE | {"clock", "files", "storage", "warc"},
        "handover": PURE | {"clock", "files", "storage", "export", "dataset"},
        "backup": {"anchors", "archive_files", "clock", "errors", "files", "storage", "warc"},
        "resources": {"errors"},
        "quick_help": set(),
        "installation": {"errors", "files", "resources"},
        "known_secrets": {"alerts", "proxies", "config"},
        "opening": {"anchors", "archive_files", "errors", "config", "storage", "warc"},
        "request_settings": PURE | {"clock", "config", "fetch"},
        "room": PURE
        | {
            "archive_files",
            "clock",
            "config",
            "opening",
            "storage",
            "warc",
            "pipeline",
            "export",
            "evidence",
            "lexicon",
        },
        "app": PURE | EDGES | STEPS | {"archive_files", "clock", "opening", "request_settings", "resources"},
        "daemon": PURE
        | STEPS
        | {
            "clock",
            "app",
            "opening",
            "known_secrets",
            "config",
            "lexicon",
            "logs",
            "alerts",
            "storage",
            "backup",
            "anchors",
        },
        "cli": PURE
        | EDGES - {"fetch", "warc"}
        | STEPS
        | {"archive_files", "clock", "app", "opening", "request_settings", "known_secrets", "daemon", "installation"}
        | {"resources"}
        | {"sim.commands", "upgrade_display"},
        "sim": set(),
        "sim.site": {"types", "errors", "local_http", "parse"},
        "sim.reconcile": PURE,
        "sim.demo": PURE
        | {"clock", "files", "app", "opening", "collect", "config", "lexicon", "pipeline", "storage", "sim.site"},
        "sim.drill": PURE
        | {
            "archive_files",
            "clock",
            "files",
            "app",
            "opening",
            "request_settings",
            "config",
            "daemon",
            "logs",
            "pipeline",
            "replay",
            "storage",
            "sim.site",
            "sim.reconcile",
        },
        "sim.commands": PURE | {"cli", "resources", "sim.site", "sim.demo", "sim.drill"},
        "__main__": {"cli", "quick_help"},
        "api": PURE | {"clock", "dataset", "storage"},
        "__init__": {"api"},
    }
)
#: Units that collect, store or read articles. None of them may import the simulation.
COLLECTING = (
    PURE | EDGES | STEPS | {"clock", "files", "app", "opening", "known_secrets", "daemon", "installation", "resources"}
)

#: The units that may import a third-party library. Add a new library here together with its owner.
OWNERS = {
    "ada_url": {"urls"},
    "httpx": {"fetch"}, "httpcore": {"fetch"}, "tenacity": {"fetch"}, "protego": {"fetch"},
    "sqlite_utils": {"storage"}, "sqlite3": {"storage"},
    "warcio": {"warc"}, "brotli": {"fetch"}, "zstandard": {"fetch", "warc"},
    "apscheduler": {"daemon"},
    "typer": {"cli", "sim.commands"}, "rich": {"cli"}, "click": {"cli"},
    "selectolax": {"parse", "markup", "discover", "heal"},
    "webencodings": {"parse"},
    "snowballstemmer": {"fold"},
    "rapidfuzz": {"identity", "changes", "similarity"},
    "marisa_trie": {"lexicon"},
    "prometheus_client": {"daemon"},
    "apprise": {"alerts"},
    "rfc3161_client": {"anchors"}, "cryptography": {"anchors"},
    "pyarrow": {"dataset", "api"}, "pandas": {"api"}, "polars": {"api"},
    "dask": {"bulk"}, "distributed": {"bulk"}, "fsspec": {"bulk"},
    "PIL": {"parser_process"},
    "datasette": {"room"}, "jinja2": {"room"}, "markupsafe": {"room"},
}  # fmt: skip

#: Modules that pure units must not import: files, processes, network, threads, the clock, randomness, streams.
IMPURE = set(
    "os pathlib io shutil tempfile glob fileinput importlib pkgutil sqlite3 dbm fcntl mmap socket ssl select selectors http "
    "ftplib smtplib asyncio threading multiprocessing concurrent queue sched signal subprocess time random secrets uuid "
    "platform sys logging getpass locale argparse".split()
)
IMPURE_MODULES = {"urllib.request", "urllib.robotparser"}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
FILE_CALLS = {"read_text", "read_bytes", "write_text"}
CLOCK_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
CLOCK_OWNERS = {
    "clock",
    "cli",
    "sim.commands",
    "sim.site",
    "sim.demo",
    "sim.drill",
}  # the simulation is another program; commands read it once

MOST_LINES = 400
LONGEST_BODY = 50


def unit_of(name):
    """Return the unit of a dotted name without `crawler.`: its first part, or the first two inside `sim`."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "sim" else parts[0]


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path
    name: str  # dotted, without `crawler.`

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:  # on first use: each parallel process collects all modules, but tests only some
        return ast.parse(self.text)

    @property
    def unit(self) -> str:
        return unit_of(self.name)

    @cached_property
    def imports(self) -> list[str]:
        """The full dotted name of each imported object: `from a import b` may mean the module `a.b`."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{self.name}: write imports in full"
                found += [f"{node.module}.{alias.name}" for alias in node.names]
        return found


def _module(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
    return Module(path, name)


MODULES = [_module(path) for path in sorted(PACKAGE.rglob("*.py"))]
UNITS = sorted({module.unit for module in MODULES})
PURE_MODULES = [module for module in MODULES if module.unit in PURE]


def faults(modules, find):
    """Return what `find` reports about each module, by name. One test for all modules is faster than one for each."""
    return {module.name: found for module in modules if (found := find(module))}


def own_imports(module):
    """Return the imports from this project without `crawler.`; `import crawler` itself (for its version) is ignored."""
    return [name.removeprefix("crawler.") for name in module.imports if name.startswith("crawler.")]


def functions(module):
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


# --- import directions ------------------------------------------------------------------------------------------------


def test_every_unit_has_an_entry():
    assert set(UNITS) <= set(MAY_IMPORT), f"add entries for {set(UNITS) - set(MAY_IMPORT)}"


def test_imports_follow_the_architecture():
    def wrong(module):
        allowed = MAY_IMPORT[module.unit] | {module.unit}
        return [name for name in own_imports(module) if unit_of(name) not in allowed and unit_of(name) in UNITS]

    assert faults(MODULES, wrong) == {}


def test_complete_coverage_is_required_of_every_pure_unit():
    """`core` in run.sh lists the files that the tests must cover completely."""
    core = (PACKAGE.parent / "run.sh").read_text("utf-8").partition("core() {")[2].partition("\n}")[0]
    files = core.partition("for part in ")[2].partition(";")[0].split()
    packages = re.findall(r"crawler/(\w+)/\*", core)
    assert {name.replace("/", ".") for name in [*files, *packages]} == PURE | {"sim.reconcile"}


def test_pure_units_import_each_other_without_cycles():
    graph = {
        unit: {
            name.partition(".")[0]
            for module in PURE_MODULES
            if module.unit == unit
            for name in own_imports(module)
        } & PURE - {unit}
        for unit in PURE
    }  # fmt: skip
    assert len(list(TopologicalSorter(graph).static_order())) == len(PURE)


def test_only_public_names_of_another_unit_are_imported():
    wrong = [
        f"{module.name} imports {name}"
        for module in MODULES
        for name in own_imports(module)
        if unit_of(name) != module.unit and any(part.startswith("_") for part in name.split("."))
    ]
    assert not wrong


#: Units that make decisions about rows, and their modules that only define values.
DECIDING = {"schedule", "plans", "health"}
VALUE_MODULES = {"schedule.hourly_counts", "health.figures"}


def test_responses_are_read_through_the_parser_process():
    """Nothing else calls the readers of pages and lists; the probe gets its readers from the pipeline."""
    readers = {"parse.page.parse_page", "discover.discover"}
    assert {m.unit for m in MODULES for name in own_imports(m) if name in readers} == {"parser_process", "probe"}


def test_storage_imports_no_decisions():
    """Storage reads and writes values. Other units decide what to fetch, when to fetch it, and what is healthy."""
    wrong = [
        f"{module.name} imports {name}"
        for module in MODULES
        if module.unit == "storage"
        for name in own_imports(module)
        if unit_of(name) in DECIDING and ".".join(name.split(".")[:2]) not in VALUE_MODULES
    ]
    assert not wrong


def test_nothing_that_collects_imports_the_simulation():
    wrong = [
        f"{module.name} imports {name}"
        for module in MODULES
        if module.unit in COLLECTING
        for name in own_imports(module)
        if name.partition(".")[0] == "sim"
    ]
    assert not wrong


def test_only_the_list_of_commands_imports_the_simulation_commands():
    users = {m.name for m in MODULES for name in own_imports(m) if name.startswith("sim.") and m.unit != "sim"}
    assert {name for name in users if not name.startswith("sim.")} == {"cli.main"}


def test_the_fake_site_is_independent_of_the_crawler():
    """It shares only values, errors, the seed format and the checks of local requests with the code under test, so that both are unlikely to have the same bug."""
    allowed = ("sim.site", "types", "errors", "local_http", "parse.seedtext")
    wrong = []
    for module in MODULES:
        if module.unit == "sim.site":
            wrong += [name for name in own_imports(module) if not name.startswith(allowed)]
            wrong += [name for name in third_party(module) if name]
    assert not wrong


# --- libraries --------------------------------------------------------------------------------------------------------


def tops(module):
    return {name.partition(".")[0] for name in module.imports}


def third_party(module):
    return tops(module) - sys.stdlib_module_names - {"crawler"}


def test_only_owners_import_a_library():
    assert faults(MODULES, lambda m: third_party(m) - OWNERS.keys()) == {}, "a library without an owner"
    assert faults(MODULES, lambda m: {top for top in tops(m) & OWNERS.keys() if m.unit not in OWNERS[top]}) == {}


def test_pure_modules_import_nothing_impure():
    def impure(module):
        names = [name for name in module.imports if name.partition(".")[0] in IMPURE]
        return names + [n for n in module.imports for part in IMPURE_MODULES if f"{n}.".startswith(f"{part}.")]

    assert faults(PURE_MODULES, impure) == {}


def test_pure_modules_call_nothing_impure():
    def impure(module):
        calls = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
        names = [call.id for call in calls if isinstance(call, ast.Name) and call.id in IMPURE_CALLS]
        return names + [call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in FILE_CALLS]

    assert faults(PURE_MODULES, impure) == {}


def test_only_the_clock_module_reads_the_clock():
    def clocks(module):
        calls = {
            (node.func.value.id, node.func.attr)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        }
        return [*calls & CLOCK_CALLS, *tops(module) & {"time"}]

    assert faults([module for module in MODULES if module.unit not in CLOCK_OWNERS], clocks) == {}


# --- sizes and docstrings ----------------------------------------------------------------------------------------------


def test_no_file_is_too_long():
    assert faults(MODULES, lambda m: (lines := m.text.count("\n")) > MOST_LINES and lines) == {}


def body_lines(function):
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_no_function_is_too_long():
    assert faults(MODULES, lambda m: [f.name for f in functions(m) if body_lines(f) > LONGEST_BODY]) == {}


def test_every_module_has_a_docstring():
    assert faults(MODULES, lambda m: not ast.get_docstring(m.tree)) == {}


def public(nodes, prefix=""):
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


def test_every_public_name_of_the_pure_core_has_a_docstring():
    def undocumented(module):
        return [name for name, node in public(module.tree.body) if not ast.get_docstring(node)]

    assert faults(PURE_MODULES, undocumented) == {}


# --- slow imports -----------------------------------------------------------------------------------------------------

SLOW = [
    "httpx",
    "sqlite_utils",
    "selectolax",
    "rich.progress",
    "rapidfuzz",
    "snowballstemmer",
    "warcio",
    "marisa_trie",
    "protego",
    "apscheduler",
    "prometheus_client",
    "pyarrow",
    "distributed",
    "datasette",
    "jinja2",
]


def loaded(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_starting_the_command_loads_no_slow_library():
    assert not loaded("import crawler.cli") & set(SLOW)


def test_the_listed_slow_libraries_are_really_loaded():
    """The test above only means something if the application as a whole loads these libraries."""
    modules = loaded("import crawler.daemon, crawler.discover, crawler.query, crawler.cli.progress")
    assert (
        set(SLOW) - {"marisa_trie", "prometheus_client", "pyarrow", "distributed", "datasette", "jinja2"} <= modules
    ), "these are loaded only by the features that need them"
    assert "pyarrow" not in modules, "the service must not load it: it takes 60 MB"
