"""What systemd is told: ready, reloading, alive, stopping (sd_notify, Type=notify).

Boundary: datagrams on the socket that the environment names; without one, silence.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from crawler.clock import monotonic_microseconds


class Notifier:
    """Tells the service manager what goes on."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watched = bool(self._address and for_us and environ.get("WATCHDOG_USEC"))

    def ready(self, status: str) -> None:
        """Say that the service runs, or runs again after reloading."""
        self._send("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """Say what it does."""
        self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """Say that the configuration is read again."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={monotonic_microseconds()}")

    def alive(self) -> None:
        """Say that the worker moves, if somebody wants to know."""
        if self.watched:
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # a manager that is gone is no reason to fail: the protocol is one of good will (sd_notify(3))
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, self._address)
