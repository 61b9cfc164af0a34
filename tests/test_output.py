"""What a hostile site writes into titles, names and addresses must not reach a terminal, a log, an alert or a file name."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import ClassVar
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from support import NOW, ROOT, FakeClock, hook, mounted, on_terminal, poll, rows, run_process, vna

from crawler import alerts, export, logs, render, urls
from crawler.cli import progress
from crawler.cli.plan_progress import PlanBar
from crawler.coverage.chart import chart
from crawler.daemon.endpoint import health_page
from crawler.daemon.metrics import Metrics
from crawler.daemon.systemd import Notifier
from crawler.health.figures import Condition
from crawler.outcome import Outcome, OutcomeKind
from crawler.proxies import proxy_secrets
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.types import Article, ImageBlock, Reading, StoredArticle, TextBlock

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it
apprise = pytest.mark.skipif(find_spec("apprise") is None, reason="the extra [alerts] is not installed")
SMALL = Options(sections=SECTIONS[:1], section_size=8, feed_size=8, home_size=10, no_samples=True)
#: Sets the clipboard, erases, changes colours in C1, moves back, reorders, hides, and is markup for rich.
ATTACK = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\x08\x7f\u202e\u2066\U000e0041[red]x[/][link=a]:smile:"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def with_attacks(_, response):
    """Put the attack into the title, the texts, the author and the names of links of each page."""
    if b"<head>" not in response.decoded:
        return response
    attack = ATTACK.encode()
    body = response.decoded
    for end in (b"</h1>", b"</p>", b"</a>", b"</title>", b"</span>"):
        body = body.replace(end, attack + end)
    body = body.replace(b'<meta property="og:title" content="', b'<meta property="og:title" content="' + attack)
    headers = tuple((k, v) for k, v in response.headers if k not in ("Content-Encoding", "ETag", "Last-Modified"))
    return replace(response, headers=headers, body=body)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """An archive of a site that puts the attack everywhere, and that changed every article once."""
    folder, clock = tmp_path_factory.mktemp("hostile") / "archive", FakeClock(NOW)
    with mounted(clock, articles=4, options=SMALL) as site:
        site.edit = with_attacks
        poll(folder, clock)
        for number in site.fake_site.ids():
            site.fake_site.revise(number)
        clock.advance(hours=1)
        poll(folder, clock, everything=True)
    return folder


@pytest.fixture(scope="module")
def number(hostile):
    return max(row["id"] for row in rows(hostile, "SELECT id FROM articles"))


COMMANDS = [
    "show ID", "show ID --format markdown", "show ID --format html", "show ID --format json", "search x", "search x --json",
    "history ID", "history ID --json", "changes", "changes --json", "status", "status --json", "coverage", "coverage --json",
    "alerts", "verify", "export --format jsonl",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_control_character(hostile, number, command):
    outcome = vna("--archive", hostile, *command.replace("ID", str(number)).split())
    assert outcome.code in (0, 5)
    assert outcome.out or command == "alerts"
    assert not RAW.findall(outcome.out + outcome.err)


def test_the_title_is_shown_with_escapes_and_without_markup(hostile, number):
    shown = vna("--archive", hostile, "search", "x").out
    assert r"\x1b]52;c;aGk=" in shown
    assert "[red]x[/][link=a]:smile:" in shown
    assert r"\x1b" in vna("--archive", hostile, "show", number).out


def test_json_and_exports_keep_the_exact_text(hostile, number):
    (stored,) = rows(hostile, "SELECT title FROM articles WHERE id = ?", number)
    assert "\x1b]52;" in stored["title"]
    assert json.loads(vna("--archive", hostile, "show", number, "--format", "json").out)["title"] == stored["title"]
    exported = vna("--archive", hostile, "export", "--format", "jsonl").out.splitlines()
    assert stored["title"] in [json.loads(line)["title"] for line in exported]
    table = csv.DictReader(io.StringIO(vna("--archive", hostile, "export", "--format", "csv").out))
    assert stored["title"] in [row["title"] for row in table]


@pytest.mark.parametrize(
    "command", ["export --format csv", "export --format text", "show ID", "search x", "show \x1b[31m\u202e"]
)
def test_a_terminal_gets_no_control_character(hostile, number, command):
    shown = on_terminal("--archive", hostile, *command.replace("ID", str(number)).split(" "))
    assert r"\x1b" in shown
    assert not RAW.findall(shown)


@pytest.mark.parametrize("argument", ["--\x1b[31m", "--limit=\x1b[31m[red]", "a\u202e\x9b"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_usage_error_is_shown_with_escapes(tmp_path, argument, encoding):
    encodings = {"PYTHONIOENCODING": encoding, "LC_ALL": "C.UTF-8"}
    outcome = run_process("--archive", tmp_path, "search", argument, "x", env=encodings, new=True)
    assert outcome.code in (1, 2)
    assert not RAW.findall(outcome.err)


def test_a_traceback_has_neither_control_characters_nor_passwords(tmp_path):
    code = (
        "from crawler.cli import main, streams; streams.prepare()\n"
        "raise ValueError('a\\x1b]0;x\\x07 https://u:PASSWORD@h.fr/ \\u202e')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, env={**os.environ})
    shown = done.stderr.decode()
    assert "Traceback" in shown
    assert r"https://***@h.fr/ \u202e" in shown
    assert not RAW.findall(shown)


# --- progress bars ----------------------------------------------------------------------------------------------------


def test_bars_read_no_markup_and_show_no_control_character(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200, color_system=None, _environ={})
    attack = f"{ATTACK}[/nothing]\n"
    bar = progress.Live(*progress.Bar()._progress.columns, console=console)
    bar.__class__ = progress.Bar
    with bar:
        bar.phase("pages", 2)
        bar.step(Outcome(OutcomeKind.NEW, None, None, attack))
    plan = PlanBar(console)
    with plan:
        plan.plan(
            f"plan {attack}",
            type("P", (), {"summary": lambda _: "", "speed": lambda _: "", "finished": 1, "remaining": 1})(),
        )
        plan.step(Outcome(OutcomeKind.FAILED, None, None, attack))
        plan.wait(attack, NOW, NOW - NOW)
        sys.stderr.write(f"{ATTACK}\n")
    shown = screen.getvalue()
    assert r"\x1b]52;c;aGk=\x07" in shown
    assert "[red]x[/][link=a]:smile:[/nothing]" in shown
    assert "\x1b]52" not in shown
    assert "\u202e" not in shown


# --- log, alerts, systemd, endpoint -----------------------------------------------------------------------------------

FORGED = f"new\n2026-01-01T00:00:00Z ERROR forged\r\u2028{ATTACK}"


@pytest.mark.parametrize("form", ["human", "json"])
@pytest.mark.parametrize("journal", [False, True])
def test_a_message_cannot_forge_a_line_of_the_log(form, journal):
    stream = io.StringIO()
    with logs.logging_to(stream, form, journal=journal), logs.bound(1, f"https://h.fr/{ATTACK}\n"):
        logs.logger("x").info("%s", FORGED)
        logging.getLogger(f"lib\n{ATTACK}").warning("%s", FORGED)
    written = stream.getvalue()
    assert len(written.splitlines()) == 2
    assert not RAW.findall(written)
    if form == "json":
        for line in written.splitlines():
            assert not RAW.findall(
                "".join(str(v) for v in json.loads(line.removeprefix("<6>").removeprefix("<4>")).values())
            )


def test_a_long_message_is_cut_and_a_traceback_is_indented():
    stream = io.StringIO()
    with logs.logging_to(stream, "human"):
        logs.logger("x").info("a" * 100_000)
        try:
            raise ValueError("b" * 100_000 + f"\n{FORGED}")  # noqa: TRY301
        except ValueError:
            logs.logger("x").critical("bug", exc_info=True)
    first, *others = stream.getvalue().split("\n")
    assert first.endswith("… (100000 characters)")
    assert sum(map(len, others)) < 50_000
    assert not [line for line in others[1:] if line and not line.startswith("  ")]


@apprise
def test_an_alert_has_neither_control_characters_nor_passwords():
    with hook() as server:
        alerts.send(
            [f"json://127.0.0.1:{server.server_port}/"], f"vna: {FORGED}", f"<b>x</b>\n{ATTACK} https://u:PASSWORD@h.fr"
        )
    (message,) = server.received
    assert not RAW.findall(message["title"] + message["message"])
    assert "\n" not in message["title"]
    assert "PASSWORD" not in message["message"]


class FakeSmtp:
    """Records the mails instead of sending them."""

    sent: ClassVar[list[str]] = []

    def __init__(self, *_, **__):
        pass

    def sendmail(self, _from, _to, mail):
        self.sent.append(mail)

    def __getattr__(self, _name):
        return lambda *_, **__: None


@apprise
@pytest.mark.parametrize("form", ["", "&format=html", "&format=markdown"])
def test_a_mail_is_plain_text_or_escaped(monkeypatch, form):
    monkeypatch.setattr("smtplib.SMTP", FakeSmtp)
    attack = f'<img src="https://evil.example/"><script>x</script> &lt; {FORGED}'
    alerts.send([f"mailto://u:PASSWORD@h.fr?to=a@h.fr&mode=insecure{form}"], f"title {FORGED}", attack)
    mail = email.message_from_string(FakeSmtp.sent.pop(), policy=email.policy.default)
    assert "\n" not in mail["Subject"]
    assert not mail["MAINPID"]
    parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    assert len(parts) == (2 if form == "&format=html" else 1)
    page = parts.get("text/html", "")
    for content in (*parts.values(), mail["Subject"]):
        assert not RAW.findall(content)
    assert "<script>" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mailto//user:PASSWORD@h.fr", "***://***"),
        ("user:PASSWORD@h.fr", "***://***"),
        ("mailto://user:PASS@WORD/x@h.fr", "mailto://***"),
        ("mailto://user:PASS#WORD@h.fr", "mailto://***"),
        ("mailto://user:PASS/WORD@h.fr", "mailto://***"),
        ("mailto://user:12/PASSWORD@h.fr", "mailto://***"),
        ("mailto://PASS:WORD@[::1", "mailto://***"),
        ("mailto://user:PASS WORD@h.fr", "mailto://***"),
        ("mailto://user:PASSWORD@h.fr\n", "mailto://***"),
        ("mailto://user:PASSWORD\uff20h.fr", "mailto://***"),
        ("MAILTO://user:PASSWORD@H.fr:25", "MAILTO://h.fr"),
        ("json://user:PASSWORD@[::1]:80/x?to=a@b.fr&cc=c", "json://::1"),
        ("json://u:p?PASS=WORD@h.fr", "json://***"),
        ("", "***://***"),
    ],
)
def test_a_malformed_recipient_is_shown_without_its_secrets(address, shown):
    assert alerts.masked(address) == shown
    alerts.secrets([address])


def test_the_status_of_systemd_is_one_line(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "s"))
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "s")}).status(f"failing\nMAINPID=1 {ATTACK} https://u:PASSWORD@h.fr")
        text = manager.recv(10_000).decode()
    assert len(text.splitlines()) == 1
    assert not RAW.findall(text)
    assert "PASSWORD" not in text


def test_the_health_page_has_neither_control_characters_nor_passwords():
    condition = Condition("source", f"https://u:PASSWORD@h.fr/{ATTACK}", failing=True, message=FORGED, action=ATTACK)
    text = health_page([condition])[2].decode()
    assert not RAW.findall(text)
    assert "PASSWORD" not in text
    assert json.loads(text)["conditions"][0]["says"] == FORGED


def test_the_passwords_of_proxies_are_secrets():
    found = proxy_secrets({"HTTPS_PROXY": "http://u:PA%40SSWORD@proxy.fr:3128", "http_proxy": "http://proxy.fr:3128"})
    assert {"PA%40SSWORD", "PA@SSWORD"} <= found
    assert "proxy.fr" not in found


def test_the_configuration_shows_no_password(tmp_path):
    file = tmp_path / "config" / "crawler.toml"
    file.parent.mkdir()
    file.write_text(
        '[site]\nroot = "ftp://u:PASSWORD@h.fr"\n[poll]\nadd = ["x://u:PASS/WORD@h.fr"]\n'
        '[alerts]\nto = ["mailto//u:PASSWORD@h.fr"]\n"mailto://u:PASSWORD@h.fr" = 1\n'
    )
    outcome = vna("--config", file, "--site", "u:PASSWORD@h.fr", "status")
    assert outcome.code == 1
    assert "WORD" not in outcome.out + outcome.err


# --- Markdown, HTML, CSV, file names ----------------------------------------------------------------------------------


def stored(title, *blocks, lead=None, url=None):
    article = Article(title, lead, blocks, url=url)
    reading = Reading(article.text)
    return StoredArticle(
        article=article, reading=reading, id=1, revision=1, state="live", first_seen_at="a", checked_at="b", parser=1
    )


SCRIPTS = [
    "javascript:x", "JaVaScRiPt:x", " javascript:x", "java\tscript:x", "javascript&#58;x", "javascript&colon;x", "data:text/html,x",
    "vbscript:x", "file:///etc", "//evil.example/x", "/\\evil.example", "https:\\\\evil.example", "https://a@evil.example/",
    "https://h.fr/\u202ex", "javascript%3Ax",
]  # fmt: skip


@pytest.mark.parametrize("url", SCRIPTS)
def test_the_address_of_a_picture_is_no_script(url):
    article = stored("T", ImageBlock(url, "a"))
    assert "![a]()" in render.markdown(article)
    assert 'src="" alt="a"' in render.as_html(article)


def test_the_address_of_a_picture_cannot_end_its_place():
    article = stored("T", ImageBlock('https://h.fr/a (b)"><x>&lt;y', "a"))
    assert "![a](https://h.fr/a%20%28b%29%22%3E%3Cx%3E\\&lt;y)" in render.markdown(article)
    assert 'src="https://h.fr/a (b)&quot;&gt;&lt;x&gt;&amp;lt;y"' in render.as_html(article)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](javascript:x)", r"\[a\](javascript:x)"),
        ("![a](b)<img src=x>", r"!\[a\](b)\<img src=x\>"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("12. a", r"12\. a"),
        ("===", r"\==="),
        ("    a\n# b | c", r"a # b \| c"),
        ("`a` *b* _c_ ~d~", r"\`a\` \*b\* \_c\_ \~d\~"),
        ("&lt;b&gt; &#60; R&D", r"\&lt;b\&gt; \&#60; R&D"),
        ("https://evil.example www.evil.example a@b.fr", r"https\://evil.example www\.evil.example a\@b.fr"),
        ("\\[a]", r"\\\[a\]"),
        ("Le PIB : +7,5 % (2-3 ans) à « Huế »", "Le PIB : +7,5 % (2-3 ans) à « Huế »"),
        ("a\x1b\u202e", r"a\x1b\u202e"),
    ],
)
def test_no_text_is_read_as_markdown(text, shown):
    assert render.markdown(stored(text, lead=text)).startswith(f"# {shown}\n\n**{shown}**\n\n")


def test_the_citation_shows_a_deceptive_address_as_text():
    assert "[a](b)" not in render.markdown(stored("T", url="https://h.fr/[a](b)"))


def test_the_html_page_executes_nothing():
    page = render.as_html(stored("<script>x</script>\x1b\u202e", TextBlock("table", "</pre><x>"), lead="' \""))
    assert "default-src 'none'" in page
    assert "script-src" not in page
    assert "<script" not in page
    assert "<x>" not in page
    assert not RAW.findall(page)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"), ("  =1", "'  =1"),
        ('"=1"', "'\"=1\""), ("'=1", "''=1"), ("\u00a0=1", "'\u00a0=1"), ("\uff1d1", "'\uff1d1"), ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"), ("\n\t=1", "'\n\t'=1"), ("a = 1", "a = 1"), ("3-4 @ 5", "3-4 @ 5"), ("", ""),
    ],
)  # fmt: skip
def test_excel_calculates_no_text(text, cell):
    def written(write):
        out = io.StringIO(newline="")
        assert write([stored(text)], out) == 1
        return out.getvalue()

    exact, excel = written(export.table), written(export.excel_table)
    assert next(csv.DictReader(io.StringIO(exact, newline="")))["title"] == text
    assert excel.startswith("\ufeffid,")
    assert next(csv.DictReader(io.StringIO(excel, newline="")))["title"] == cell


def test_the_option_is_for_csv_alone(hostile, tmp_path):
    assert vna("--archive", hostile, "export", "--format", "jsonl", "--excel").code == 2
    assert vna("--archive", hostile, "export", "--format", "csv", "--excel", "--out", tmp_path / "x.csv").code == 0
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://fr.vietnamplus.vn", "https-fr.vietnamplus.vn"),
        ("fr.vietnamplus.vn:8443", "fr.vietnamplus.vn-8443"),
        ("http://127.0.0.1:8080", "http-127.0.0.1-8080"),
        ("https://u:PASSWORD@h.fr", "https-h.fr"),
        ("h..//../x", "h-x"),
        ("https://h.fr/\x1b\u202e\n../é", "https-h.fr-"),
    ],
)
def test_a_file_is_named_after_a_host_with_safe_characters(origin, name):
    assert urls.file_name(origin) == name


def test_the_names_of_long_hosts_are_short_and_different():
    one, other = (urls.file_name(f"https://{'a' * 300}{end}.fr") for end in "bc")
    assert one != other
    assert len(one) == len(other) == 100


def test_every_file_of_the_archive_has_a_safe_name(hostile):
    for file in hostile.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,100}", file.name), file


def test_the_log_of_the_service_has_no_control_character(hostile):
    stream = io.StringIO()
    titles = [row["title"] for row in rows(hostile, "SELECT title FROM articles")]
    with logs.logging_to(stream, "human"):
        for title in titles:
            logs.logger("worker").info("%s", Outcome(OutcomeKind.NEW, None, None, title))
    assert len(stream.getvalue().splitlines()) == len(titles)
    assert not RAW.findall(stream.getvalue())


def test_the_chart_of_a_section_is_valid_xml():
    ET.fromstring(chart([], f"</text><script>{ATTACK}"))


def test_a_secret_of_the_configuration_is_redacted_in_any_message(tmp_path):
    file = tmp_path / "config" / "crawler.toml"
    file.parent.mkdir()
    file.write_text('[alerts]\nto = ["mailto://me:PASSWORD@h.fr"]\n')
    outcome = run_process("--config", file, "--archive", tmp_path / "in-PASSWORD", "status", env={"LC_ALL": "C.UTF-8"})
    assert outcome.code == 1
    assert "in-***" in outcome.err
    assert "PASSWORD" not in outcome.err


def test_a_label_of_a_metric_is_one_line():
    page = Metrics(0).page_without_rows(0.0, [Condition(f"a\n{ATTACK}", "", failing=True, message="m")]).decode()
    assert r'vna_trouble{kind="a\\n\\x1b]52' in page
    assert not RAW.findall(page)
