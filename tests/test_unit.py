"""The systemd unit: its limits match those of the program, and `systemctl status` shows why a start failed."""

from __future__ import annotations

import socket
from configparser import ConfigParser
from contextlib import closing
from datetime import timedelta

import pytest
from support import ROOT, vna

from crawler.daemon import Intervals
from crawler.health import checks


@pytest.fixture
def unit():
    parser = ConfigParser(strict=False, interpolation=None)  # keys may occur twice, and % is systemd syntax
    parser.optionxform = str
    parser.read(ROOT / "config" / "vna.service")
    return parser


def test_a_stop_leaves_time_to_finish_the_current_page(unit):
    assert int(unit["Service"]["TimeoutStopSec"]) > Intervals().grace + 10


def test_a_hanging_worker_raises_an_alert_before_it_is_restarted(unit):
    minutes = int(unit["Service"]["WatchdogSec"].removesuffix("min"))
    assert timedelta(minutes=minutes) > checks._SILENT + timedelta(minutes=5)


def test_systemd_is_notified_why_a_start_failed(tmp_path, monkeypatch):
    """All mistakes are on one line: sd_notify treats the next line as another message."""
    (tmp_path / "crawler.toml").write_text('[politeness]\nrate = -1\nattempts = "x"\n')
    monkeypatch.chdir(tmp_path)  # the path of a Unix socket is limited to about 100 bytes
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind("notify")
        manager.settimeout(5)
        done = vna("--config", tmp_path / "crawler.toml", "run", env={"NOTIFY_SOCKET": "notify"})
        status = manager.recv(4096).decode()
    assert done.code == 1
    assert status.startswith("STATUS=")
    assert "\n" not in status
    for text in ("[politeness] rate", "[politeness] attempts", "correct these"):
        assert text in status
