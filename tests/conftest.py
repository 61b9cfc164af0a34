"""Which tests are of the pure core and which of the edges: the first are run with coverage, the others without.

Tracing costs as much as the tests themselves, and only the pure core must be covered to its last branch.
"""

from __future__ import annotations

import signal

import pytest

#: Fixtures that make a test one of an edge: files, the clock, a double of the site, an archive.
WORLD = {"tmp_path", "tmp_path_factory", "clock", "archive", "site", "held", "made", "here"}


def pytest_configure():
    """Have SIGINT heard: a shell starts what runs in its background deaf to it, and the processes of the tests with it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    for item in items:
        name = item.module.__name__
        given = set(
            (getattr(item, "callspec", None) and item.callspec.params) or ()
        )  # a table's columns are no fixtures
        if name in EDGES or (name not in CORE and WORLD & set(item.fixturenames) - given):
            item.add_marker(pytest.mark.edge)


#: Modules whose every test is one of an edge, although some of them need no fixture.
EDGES = {"test_cli", "test_layers", "test_fake_site", "test_fake_site_control", "test_fake_site_lists", "test_ledger"}
EDGES |= {"test_storage", "test_warc", "test_fetch", "test_daemon", "test_source_polling", "test_gaps", "test_pipeline"}
EDGES |= {"test_politeness", "test_deadline", "test_rebuild", "test_verify", "test_new_layout", "test_golden_cli"}

#: Modules whose every test counts for the core: what the questions of the first contact are depends on the answers.
CORE = {"test_probe"}
