"""Alert delivery and the log: what is sent, to whom, and what must never appear in it."""

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
from crawler.daemon.alert_delivery import AlertDelivery
from crawler.errors import NotDelivered
from crawler.health.figures import Condition, Incident, IncidentChanges

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it
apprise = pytest.mark.skipif(find_spec("apprise") is None, reason="the extra [alerts] is not installed")
SECRET = "mailto://archive:Sesam-Oeffne-Dich@post.bibliotheque.fr?to=veille@bibliotheque.fr"


def address(server):
    return f"json://user:geheimnis@127.0.0.1:{server.server_port}/token-abcdef"


# --- sending ----------------------------------------------------------------------------------------------------------


@apprise
def test_every_recipient_gets_the_message():
    with hook() as one, hook() as two:
        alerts.send([address(one), address(two)], "vna: trouble", "drift, since ...")
    for server in (one, two):
        (message,) = server.received
        assert (message["title"], message["message"]) == ("vna: trouble", "drift, since ...")


@apprise
def test_a_failed_recipient_is_named_without_secrets(caplog):
    with hook() as working_hook, hook(500) as failing_hook, pytest.raises(NotDelivered) as caught:
        alerts.send([address(failing_hook), "nonsense://x", address(working_hook)], "title", "body")
    assert len(working_hook.received) == 1
    shown = f"{caught.value} {caught.value.hint} {caplog.text}"
    assert "json://127.0.0.1" in shown
    assert "nonsense://***" in shown
    assert "geheimnis" not in shown
    assert "token" not in shown


def test_without_apprise_the_hint_tells_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as if the optional dependency were not installed
    with pytest.raises(NotDelivered) as caught:
        alerts.send(["json://127.0.0.1/"], "title", "body")
    assert "pip install" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (SECRET, "mailto://post.bibliotheque.fr"),
        ("json://127.0.0.1:9000/hook", "json://127.0.0.1"),
        ("tgram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/12345678", "tgram://***"),
        ("json:///path", "json://***"),
    ],
)
def test_a_recipient_is_shown_without_its_secrets(url, shown):
    assert alerts.masked(url) == shown


def test_the_secret_parts_of_a_recipient_url():
    found = alerts.secrets([SECRET, "tgram://110201543:AAHdqTcvCH1vGWJx/12345678", "json://u:p%40ss%20wort@host/"])
    assert {SECRET, "archive", "Sesam-Oeffne-Dich", "110201543", "AAHdqTcvCH1vGWJx", "12345678"} <= found
    assert "post.bibliotheque.fr" not in found
    assert "p%40ss%20wort" in found


# --- retries, per recipient -------------------------------------------------------------------------------------------


def incident(number=1, **values):
    return Incident(number, "drift", "", "3 of 9 pages\nlook", NOW, NOW, **values)


def titles(server):
    return [message["title"] for message in server.received]


@apprise
def test_a_failing_recipient_is_retried_with_backoff_and_others_are_notified_once():
    delivery = AlertDelivery()
    with hook() as working_hook, hook(500) as failing_hook:
        for minute in range(120):
            result = delivery.deliver(
                [address(working_hook), address(failing_hook)], [incident()], NOW + timedelta(minutes=minute)
            )
            assert not result.complete
        assert (len(working_hook.received), len(failing_hook.received)) == (1, 5)  # at 0, 5, 15, 35 and 75 minutes
        result = delivery.deliver([address(working_hook)], [incident(), incident(2)], NOW)
        assert result.complete, "a new incident does not wait"
        assert titles(working_hook) == ["vna: incident: drift"] * 2


@apprise
def test_a_recipient_that_missed_the_start_of_an_incident_still_gets_both_messages():
    delivery, closed = AlertDelivery(), incident(closed_at=NOW + timedelta(hours=1))
    with hook() as working_hook, hook(500) as failing_hook:
        recipients = [address(working_hook), address(failing_hook)]
        assert "json://127.0.0.1" in str(delivery.deliver(recipients, [incident()], NOW).errors[0])
        failing_hook.status = 200
        assert delivery.deliver(recipients, [closed], NOW + timedelta(hours=1)).complete
        assert titles(working_hook) == ["vna: incident: drift", "vna: resolved: drift"]
        assert titles(failing_hook) == ["vna: incident: drift", "vna: resolved: drift"]


@apprise
def test_a_clock_that_is_set_back_does_not_delay_retries_for_days():
    delivery = AlertDelivery()
    with hook(500) as failing_hook:
        for day in (3, 0):
            delivery.deliver([address(failing_hook)], [incident()], NOW + timedelta(days=day))
        assert len(failing_hook.received) == 2


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    with working(tmp_path / "archive", FakeClock()) as context:
        trouble = Condition("drift", "", failing=True, message="3 of 9 pages", action="look")
        context.archive.save_incidents(IncidentChanges(opened=(trouble,)), NOW)
    return tmp_path / "archive"


def configured(folder, *to):
    file = folder / "config" / "crawler.toml"
    file.parent.mkdir()
    file.write_text(f"[alerts]\nto = {json.dumps(to)}\n")
    return file


def test_incidents_are_listed(archive):
    assert "3 of 9 pages" in vna("--archive", archive, "alerts").out
    (row,) = json.loads(vna("--archive", archive, "alerts", "--json").out)
    assert (row["kind"], row["opened_at"], row["told_at"]) == ("drift", "2026-11-21T08:00:00Z", None)
    (row,) = json.loads(vna("--archive", archive, "status", "--json").out)["incidents"]
    assert row["kind"] == "drift"


def test_without_incidents_the_command_says_so(tmp_path):
    with working(tmp_path / "archive", FakeClock()):
        pass
    outcome = vna("--archive", tmp_path / "archive", "alerts")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no incidents" in outcome.err


@apprise
def test_a_test_message_is_sent_and_its_recipient_shown(tmp_path):
    with hook() as server:
        outcome = vna("--config", configured(tmp_path, address(server)), "alerts", "--test")
        as_json = vna("--config", tmp_path / "config" / "crawler.toml", "alerts", "--test", "--json")
    assert outcome.out == "sent to json://127.0.0.1\n"
    assert json.loads(as_json.out) == {"told": ["json://127.0.0.1"]}
    assert [told["title"] for told in server.received] == ["vna: test message"] * 2


@pytest.mark.parametrize("to", [(), ("json://127.0.0.1:1/token-abcdef",)], ids=["no_recipient", "unreachable"])
def test_an_undeliverable_test_message_is_an_error(tmp_path, to):
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


def test_journal_lines_start_with_their_priority():
    with logged("human", journal=True) as stream:
        logs.logger("worker").info("new")
        try:
            {}["a bug"]
        except KeyError:
            logs.logger("worker").critical("ended", exc_info=True)
    lines = stream.getvalue().splitlines()
    assert [line[:3] for line in lines] == ["<6>", *["<2>"] * (len(lines) - 1)]
    assert len(lines) > 3


def test_a_stream_is_the_journal_if_the_environment_names_it(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert logs.is_journal(stream, named)
        assert not logs.is_journal(stream, {})
        assert not logs.is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
    assert not logs.is_journal(stream, named), "the stream is closed"
    assert not logs.is_journal(io.StringIO(), named)


def test_a_json_line_has_the_run_and_the_url():
    with logged("json") as stream, logs.bound(12, "https://fr.vietnamplus.vn/x-post1.vnp"):
        logs.logger("worker").info("new: %s %s", 1, "Titre « é »")
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info", "part": "worker", "message": "new: 1 Titre « é »", "run": 12,
        "url": "https://fr.vietnamplus.vn/x-post1.vnp",
    }  # fmt: skip


def test_a_text_line_has_the_run_and_the_url():
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
def test_secrets_are_redacted_in_every_line(form):
    with logged(form, alerts.secrets([SECRET])) as stream:
        logs.logger("x").info("sent to %s", SECRET)
        logging.getLogger("some.library").warning("login of archive with Sesam-Oeffne-Dich failed")
        logging.getLogger("some.library").warning("proxy http://me:short@proxy.local/ refused")
        try:
            int(SECRET)
        except ValueError:
            logs.logger("x").critical("a bug", exc_info=True)
    written = stream.getvalue()
    assert "Sesam" not in written
    assert "short" not in written
    assert "proxy.local" in written
    assert "Traceback" in written


def test_libraries_log_only_warnings_and_debug_lines_need_verbose():
    with logged("human") as stream:
        logging.getLogger("httpx").info("HTTP Request: GET ...")
        logs.logger("x").debug("detail")
    assert stream.getvalue() == ""
    with logged("human", verbose=True) as stream:
        logs.logger("x").debug("detail")
    assert "DEBUG detail" in stream.getvalue()


def test_the_format_can_change_while_logging():
    with logged("human") as stream:
        logs.set_format("json", ["geheim"])
        logs.logger("x").info("geheim")
    assert json.loads(stream.getvalue())["message"] == "***"


def test_the_previous_logging_setup_is_restored():
    before = logging.getLogger().handlers[:], logging.getLogger().level, logging.getLogger("crawler").level
    with logged("json"):
        pass
    assert (logging.getLogger().handlers, logging.getLogger().level, logging.getLogger("crawler").level) == before
