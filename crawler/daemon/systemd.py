"""Notifications to systemd that the service is ready, reloading, alive or stopping (sd_notify(3), `Type=notify`).

Boundary: sends datagrams to the socket given by the environment variable NOTIFY_SOCKET; sends nothing if it is not set.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from crawler import redact, visible
from crawler.clock import monotonic_microseconds

_LONGEST = 500  # characters of a status line


class Notifier:
    """Sends notifications to systemd. `watched` is whether systemd expects watchdog messages."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watched = bool(self._address and for_us and environ.get("WATCHDOG_USEC"))

    def ready(self, status: str) -> None:
        """Report that the service has started or has finished reloading."""
        self._send("READY=1", f"STATUS={_shown(status)}")

    def status(self, status: str) -> None:
        """Set the status line that `systemctl status` shows."""
        self._send(f"STATUS={_shown(status)}")

    def reloading(self) -> None:
        """Report that the configuration is being reloaded. Call `ready` when this is done."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={monotonic_microseconds()}")

    def alive(self) -> None:
        """Send a watchdog message if the systemd unit sets WatchdogSec."""
        if self.watched:
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the service is shutting down."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # sd_notify(3) recommends ignoring errors: the service must also run without its manager
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            notify.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, self._address)


def _shown(status: str) -> str:
    """Return a status as one line: a line break in it would start another assignment, such as `MAINPID=`."""
    return visible.line(redact.redacted(status), _LONGEST)
