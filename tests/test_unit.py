"""The systemd unit: its limits fit those of the program, and `systemctl status` has the reason of a failed start."""

from __future__ import annotations

import socket
from configparser import ConfigParser
from contextlib import closing
from datetime import timedelta

import pytest
from support import ROOT, vna

from crawler.daemon import Rhythm
from crawler.health import checks


@pytest.fixture
def unit():
    parser = ConfigParser(strict=False, interpolation=None)  # keys may come twice, and % means something else there
    parser.optionxform = str
    parser.read(ROOT / "config" / "vna.service")
    return parser


def test_the_page_in_hand_has_time_to_be_finished(unit):
    assert int(unit["Service"]["TimeoutStopSec"]) > Rhythm().grace + 10


def test_a_worker_that_hangs_is_an_alarm_before_it_is_restarted(unit):
    minutes = int(unit["Service"]["WatchdogSec"].removesuffix("min"))
    assert timedelta(minutes=minutes) > checks._SILENT + timedelta(minutes=5)


def test_systemd_hears_why_there_is_no_start(tmp_path, monkeypatch):
    """All mistakes, on one line: the next line would be another message."""
    (tmp_path / "crawler.toml").write_text('[politeness]\nrate = -1\nattempts = "x"\n')
    monkeypatch.chdir(tmp_path)  # a socket's address must be short
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind("notify")
        manager.settimeout(5)
        done = vna("--config", tmp_path / "crawler.toml", "run", env={"NOTIFY_SOCKET": "notify"})
        told = manager.recv(4096).decode()
    assert done.code == 1
    assert told.startswith("STATUS=")
    assert "\n" not in told
    for words in ("[politeness] rate", "[politeness] attempts", "correct these"):
        assert words in told
