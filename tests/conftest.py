"""Mark each test that works on files, processes or sockets as `edge`; the other tests are those of the pure core.

The tests of the core run with coverage measurement, those of the edges without it: measuring takes as much time as the
tests themselves, and only the core must be covered completely. So tests with random examples or large inputs run with
those of the edges, too: named examples cover the core, and whether it is covered never depends on chance.
"""

from __future__ import annotations

import functools
import gc
import importlib
import multiprocessing
import os
import signal
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
import template_database
import typer.testing
from _pytest.runner import runtestprotocol
from support import FakeClock

#: A test that uses one of these fixtures is an edge test: files, the clock, a fake site.
EDGE_FIXTURES = {"tmp_path", "tmp_path_factory", "clock", "site"}

#: A module with one of these has tests with random examples, or tests that it marks itself.
EDGE_SIGNS = {"@given", "pytest.mark.edge"}


# `CliRunner` builds the tree of all commands for each call, which takes 27 ms; it never changes during the tests.
typer.testing._get_command = functools.cache(typer.testing._get_command)

# Worker processes are forked from one that has imported the modules, which takes 0.3 s of CPU time for each new interpreter.
# Tests that run a command with --jobs in a process of its own start new interpreters, as the command does for users.
_get_context = multiprocessing.get_context
multiprocessing.set_forkserver_preload(["crawler.app", "crawler.bulk.partition", "crawler.replay"])
multiprocessing.get_context = lambda method=None: _get_context("forkserver" if method == "spawn" else method)

# In CI a test must depend on nothing but the change. Elsewhere each run tries new examples, and so finds new faults.
hypothesis.settings.register_profile("reproducible", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("reproducible")


@pytest.fixture
def clock():
    return FakeClock()


def pytest_configure():
    """Restore the default handlers of signals. A shell starts background jobs with SIGINT ignored, and `nohup` with SIGHUP
    ignored; processes that the tests start would inherit that.
    """
    gc.disable()  # until the tests are collected: searching for garbage takes a fifth of the time, and there is none
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    template_database.use(copies=item.get_closest_marker("migrations") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Run a test in a worker, and report its call and what did not pass, but no setup and teardown that passed.

    A report takes about 1 ms of CPU time in the worker and in the main process, and there are 10,000 tests.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ or item.config.getoption("durations") is not None:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Import the modules in another order in each worker, if all of them are to be collected.

    In a new checkout, pytest compiles them, which takes 6 s of CPU time. So each worker finds what others have compiled.
    """
    folder, config, worker = Path(__file__).parent, session.config, os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if worker == "gw0" or [Path(name).resolve() for name in config.args] != [folder]:
        return
    paths = [path for path in sorted(folder.glob("test_*.py")) if not pytest_ignore_collect(path, config)]
    first = int(worker.removeprefix("gw")) * len(paths) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for path in paths[first:] + paths[:first]:
        with suppress(Exception, pytest.skip.Exception):  # the collection imports it again, and reports this
            importlib.import_module(path.stem)


def pytest_collection_finish():
    """Exempt what pytest has collected from garbage collection: its thousands of tests are never garbage."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def pytest_ignore_collect(collection_path, config):
    """Ignore modules that have no test of the chosen half, so that each half is collected in half of the time."""
    chosen, name = config.getoption("markexpr"), collection_path.stem
    if chosen not in ("edge", "not edge") or not name.startswith("test_"):
        return None
    if chosen == "not edge":
        return name in EDGES or None
    if name in EDGES:
        return None
    text = collection_path.read_text("utf-8")
    return not any(word in text for word in {*EDGE_SIGNS, *(() if name in CORE else EDGE_FIXTURES)}) or None


def pytest_collection_modifyitems(items):
    for item in items:
        name = item.module.__name__
        fixtures = set(item.fixturenames)
        if (callspec := getattr(item, "callspec", None)) is not None:
            fixtures -= set(callspec.params)  # a parameter of a table may have the name of a fixture
        on_edge = name in EDGES or (name not in CORE and EDGE_FIXTURES & fixtures)
        if on_edge or hypothesis.is_hypothesis_test(item.obj):
            item.add_marker(pytest.mark.edge)


#: Modules with edge tests only, although some of these tests use none of the fixtures above.
EDGES = {"test_cli", "test_layers", "test_fake_site", "test_fake_site_control", "test_fake_site_lists", "test_ledger"}
EDGES |= {"test_storage", "test_warc", "test_fetch", "test_daemon", "test_source_polling", "test_gaps", "test_pipeline"}
EDGES |= {"test_politeness", "test_deadline", "test_rebuild", "test_verify", "test_new_layout", "test_golden_cli"}
EDGES |= {"test_docs", "test_environment", "test_proxies", "test_local_servers", "test_browse", "test_large_pages"}
EDGES |= {"test_parser_process", "test_bulk"}
#: These read the source of the project. Measuring their coverage would take most of their time.
EDGES |= {"test_language", "test_patterns", "test_guarantees"}

#: Modules whose tests all count for the core. The probe's next question depends on earlier responses, so that its pure
#: code is covered only by tests that fetch from the fake site.
CORE = {"test_probe"}
