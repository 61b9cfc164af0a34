"""Telling somebody, and the log: what is said, to whom, and what must never be in it."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec

import pytest
from support import NOW, FakeClock, hook, vna, working

from crawler import alerts, logs
from crawler.daemon.alert_delivery import Telling
from crawler.errors import NotTold
from crawler.health.checks import Condition
from crawler.health.incidents import Changes, Incident

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise looks for it
apprise = pytest.mark.skipif(find_spec("apprise") is None, reason="the extra [alerts] is not installed")
SECRET = "mailto://archive:Sesam-Oeffne-Dich@post.bibliotheque.fr?to=veille@bibliotheque.fr"


def address(server):
    return f"json://user:geheimnis@127.0.0.1:{server.server_port}/token-abcdef"


# --- sending ----------------------------------------------------------------------------------------------------------


@apprise
def test_a_message_arrives_at_each_address():
    with hook() as one, hook() as two:
        alerts.send([address(one), address(two)], "vna: trouble", "drift, since ...")
    for server in (one, two):
        ((told),) = server.asked
        assert (told["title"], told["message"]) == ("vna: trouble", "drift, since ...")


@apprise
def test_who_could_not_be_told_is_named_without_secrets(caplog):
    with hook() as well, hook(500) as ill, pytest.raises(NotTold) as refused:
        alerts.send([address(ill), "nonsense://x", address(well)], "title", "body")
    assert len(well.asked) == 1
    told = f"{refused.value} {refused.value.hint} {caplog.text}"
    assert "json://127.0.0.1" in told
    assert "nonsense://***" in told
    assert "geheimnis" not in told
    assert "token" not in told


def test_without_the_library_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as where the extra is not installed
    with pytest.raises(NotTold) as refused:
        alerts.send(["json://127.0.0.1/"], "title", "body")
    assert "pip install" in refused.value.hint


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (SECRET, "mailto://post.bibliotheque.fr"),
        ("json://127.0.0.1:9000/hook", "json://127.0.0.1"),
        ("tgram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/12345678", "tgram://***"),
        ("json:///path", "json://***"),
    ],
)
def test_an_address_is_named_by_what_is_no_secret(one, shown):
    assert alerts.masked(one) == shown


def test_the_secret_parts_of_an_address_are_known():
    found = alerts.secrets([SECRET, "tgram://110201543:AAHdqTcvCH1vGWJx/12345678", "json://u:p%40ss%20wort@host/"])
    assert {SECRET, "archive", "Sesam-Oeffne-Dich", "110201543", "AAHdqTcvCH1vGWJx", "12345678"} <= found
    assert "post.bibliotheque.fr" not in found
    assert "p%40ss%20wort" in found


# --- who was told, and who not -----------------------------------------------------------------------------------------


def incident(number=1, **values):
    return Incident(number, "drift", "", "3 of 9 pages\nlook", NOW, NOW, **values)


def titles(server):
    return [told["title"] for told in server.asked]


@apprise
def test_an_address_that_refuses_is_asked_again_ever_more_rarely_and_others_are_told_once():
    telling = Telling()
    with hook() as well, hook(500) as ill:
        for minute in range(120):
            told = telling.tell([address(well), address(ill)], [incident()], NOW + timedelta(minutes=minute))
            assert not told.everybody
        assert (len(well.asked), len(ill.asked)) == (1, 5)  # at 0, 5, 15, 35 and 75 minutes
        assert telling.tell([address(well)], [incident(), incident(2)], NOW).everybody  # what is new does not wait
        assert titles(well) == ["vna: trouble: drift"] * 2


@apprise
def test_who_refused_the_beginning_hears_of_the_end_and_so_does_who_took_it():
    telling, over = Telling(), incident(closed_at=NOW + timedelta(hours=1))
    with hook() as well, hook(500) as ill:
        everybody = [address(well), address(ill)]
        assert "json://127.0.0.1" in str(telling.tell(everybody, [incident()], NOW).refused[0])
        ill.status = 200
        assert telling.tell(everybody, [over], NOW + timedelta(hours=1)).everybody
        assert titles(well) == ["vna: trouble: drift", "vna: well again: drift"]
        assert titles(ill) == ["vna: trouble: drift", "vna: well again: drift"]


@apprise
def test_a_clock_that_is_set_back_makes_nobody_wait_for_days():
    telling = Telling()
    with hook(500) as ill:
        for day in (3, 0):
            telling.tell([address(ill)], [incident()], NOW + timedelta(days=day))
        assert len(ill.asked) == 2


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    with working(tmp_path / "archive", FakeClock()) as context:
        trouble = Condition("drift", "", red=True, says="3 of 9 pages", do="look")
        context.archive.save_incidents(Changes(opened=(trouble,)), NOW)
    return tmp_path / "archive"


def configured(folder, *to):
    file = folder / "config" / "crawler.toml"
    file.parent.mkdir()
    file.write_text(f"[alerts]\nto = {json.dumps(to)}\n")
    return file


def test_troubles_are_listed(archive):
    assert "3 of 9 pages" in vna("--archive", archive, "alerts").out
    (row,) = json.loads(vna("--archive", archive, "alerts", "--json").out)
    assert (row["kind"], row["opened_at"], row["told_at"]) == ("drift", "2026-11-21T08:00:00Z", None)
    (row,) = json.loads(vna("--archive", archive, "status", "--json").out)["incidents"]
    assert row["kind"] == "drift"


def test_no_trouble_is_said_to_be_none(tmp_path):
    with working(tmp_path / "archive", FakeClock()):
        pass
    outcome = vna("--archive", tmp_path / "archive", "alerts")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no trouble" in outcome.err


@apprise
def test_a_test_message_is_sent_and_it_says_to_whom(tmp_path):
    with hook() as server:
        outcome = vna("--config", configured(tmp_path, address(server)), "alerts", "--test")
        as_json = vna("--config", tmp_path / "config" / "crawler.toml", "alerts", "--test", "--json")
    assert outcome.out == "told json://127.0.0.1\n"
    assert json.loads(as_json.out) == {"told": ["json://127.0.0.1"]}
    assert [told["title"] for told in server.asked] == ["vna: a test"] * 2


@pytest.mark.parametrize("to", [(), ("json://127.0.0.1:1/token-abcdef",)], ids=["nobody", "nobody_there"])
def test_a_test_message_that_cannot_be_sent_is_an_error(tmp_path, to):
    outcome = vna("--config", configured(tmp_path, *to), "alerts", "--test")
    assert outcome.code == 1
    assert "hint:" in outcome.err
    assert "token" not in outcome.err


# --- the log ----------------------------------------------------------------------------------------------------------


@contextmanager
def logged(form, secrets=(), **options):
    stream = io.StringIO()
    with logs.logging_to(stream, form, secrets, **options):
        yield stream


def test_the_journal_gets_the_level_of_each_line():
    with logged("human", journal=True) as stream:
        logs.logger("worker").info("new")
        try:
            {}["a bug"]
        except KeyError:
            logs.logger("worker").critical("ended", exc_info=True)
    lines = stream.getvalue().splitlines()
    assert [line[:3] for line in lines] == ["<6>", *["<2>"] * (len(lines) - 1)]
    assert len(lines) > 3


def test_a_stream_is_the_journals_when_the_environment_names_it(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert logs.is_journal(stream, named)
        assert not logs.is_journal(stream, {})
        assert not logs.is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
    assert not logs.is_journal(stream, named), "it is closed"
    assert not logs.is_journal(io.StringIO(), named)


def test_a_line_of_json_has_the_run_and_the_address_that_it_is_about():
    with logged("json") as stream, logs.bound(12, "https://fr.vietnamplus.vn/x-post1.vnp"):
        logs.logger("worker").info("new: %s %s", 1, "Titre « é »")
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info", "part": "worker", "message": "new: 1 Titre « é »", "run": 12,
        "url": "https://fr.vietnamplus.vn/x-post1.vnp",
    }  # fmt: skip


def test_a_line_for_people_says_the_same():
    with logged("human") as stream:
        with logs.bound(12, "https://a.b/c"):
            logs.logger("worker").info("failed: https://a.b/c")
            logs.logger("worker").info("new")
        logs.logger("service").warning("stopped")
    first, second, third = (line.split(" ", 1)[1] for line in stream.getvalue().splitlines())
    assert first == "INFO failed: https://a.b/c (run 12)"
    assert second == "INFO new (https://a.b/c, run 12)"
    assert third == "WARNING stopped"


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_secret_is_in_a_line_whoever_wrote_it(form):
    with logged(form, alerts.secrets([SECRET])) as stream:
        logs.logger("x").info("told %s", SECRET)
        logging.getLogger("some.library").warning("login of archive with Sesam-Oeffne-Dich failed")
        logging.getLogger("some.library").warning("proxy http://me:short@proxy.local/ refused")
        try:
            int(SECRET)
        except ValueError:
            logs.logger("x").critical("a bug", exc_info=True)
    told = stream.getvalue()
    assert "Sesam" not in told
    assert "short" not in told
    assert "proxy.local" in told
    assert "Traceback" in told


def test_libraries_say_only_what_is_a_warning_and_details_are_for_those_who_ask():
    with logged("human") as stream:
        logging.getLogger("httpx").info("HTTP Request: GET ...")
        logs.logger("x").debug("detail")
    assert stream.getvalue() == ""
    with logged("human", verbose=True) as stream:
        logs.logger("x").debug("detail")
    assert "DEBUG detail" in stream.getvalue()


def test_the_form_can_change_on_the_way():
    with logged("human") as stream:
        logs.reform("json", ["geheim"])
        logs.logger("x").info("geheim")
    assert json.loads(stream.getvalue())["message"] == "***"


def test_the_log_leaves_logging_as_it_was():
    before = logging.getLogger().handlers[:], logging.getLogger().level, logging.getLogger("crawler").level
    with logged("json"):
        pass
    assert (logging.getLogger().handlers, logging.getLogger().level, logging.getLogger("crawler").level) == before
