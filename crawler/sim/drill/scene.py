"""What the troubles of a drill are played on: the agency, the machine, and what happens when.

Boundary: order in time; what a trouble does is in `troubles`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from crawler.sim.drill.agency import Agency
from crawler.sim.drill.clock import SharedClock
from crawler.sim.drill.machine import Machine
from crawler.sim.reconcile import Span

_PATIENCE = 30.0  # seconds of real time until a process that does nothing is given up
_QUIET = 0.05  # seconds in which an answer under way comes to its end


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], object] = field(compare=False)
    between: bool = field(compare=False)  # turns of the service: it is about the service itself


class Stage:
    """Lets things happen at their time while the service works."""

    def __init__(self, folder: Path, agency: Agency, machine: Machine, clock: SharedClock) -> None:
        self.folder = folder
        self.agency = agency
        self.machine = machine
        self.clock = clock
        self.day = clock.true()
        self.kills = 0
        self._blind: list[datetime] = []
        self.blind: list[Span] = []
        self._events: list[_Event] = []
        clock.moved = self._go_on

    # --- planning

    def at(self, hour: float, act: Callable[[], object]) -> None:
        """Let something happen to the site at an hour of the day."""
        self._plan(hour, act, between=False)

    def service_at(self, hour: float, act: Callable[[], object]) -> None:
        """Let something happen to the service, between two of its turns."""
        self._plan(hour, act, between=True)

    def _plan(self, hour: float, act: Callable[[], object], *, between: bool) -> None:
        event = _Event(self.day + timedelta(hours=hour), len(self._events), act, between)
        self._events = sorted([*self._events, event])

    def live(self, until: datetime) -> None:
        """Live until an instant."""
        self.machine.live(until, self._between)
        self.day = until

    def _go_on(self) -> None:
        """Let happen to the site what is due."""
        self._happen(lambda event: not event.between)

    def _between(self) -> datetime | None:
        """Let everything happen that is due; give when the next thing does."""
        self._happen(lambda _: True)
        return self._events[0].at if self._events else None

    def _happen(self, chosen: Callable[[_Event], bool]) -> None:
        now = self.clock.true()
        for event in [event for event in self._events if event.at <= now and chosen(event)]:
            self._events.remove(event)
            event.act()

    # --- what can happen

    def refuse(self) -> None:
        """Let the site refuse connections."""
        self.agency.refuse()
        self._blinded()

    def accept(self) -> None:
        """Let it accept them again."""
        self.agency.accept()
        self._sighted()

    def stop(self) -> None:
        """Stop the service for a while."""
        self.machine.stop()
        self._blinded()

    def start(self) -> None:
        """Start it again."""
        self.machine.start()
        self._sighted()

    def fill_disk(self) -> None:
        """Let the reserve be more than the disk has."""
        self.machine.stop()
        self.machine.start(full=True)
        self._blinded()

    def free_disk(self) -> None:
        """Let the reserve be free again."""
        self.machine.stop()
        self.machine.start()
        self._sighted()

    def kill(self, requests: int, pause: float, until: datetime) -> None:
        """Let a process of its own work, and kill it so many requests later, and some seconds."""
        self.machine.stop()
        asked, deadline = self.agency.requests + requests, time.monotonic() + _PATIENCE
        command = [sys.executable, "-m", "crawler.sim.drill", str(self.folder), self.agency.url, until.isoformat()]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:  # noqa: S603 - our own
            try:
                while self.agency.requests < asked and child.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.002)
                    self._go_on()
                time.sleep(pause)
                self.kills += child.poll() is None
            finally:
                child.kill()
        time.sleep(_QUIET)
        self.agency.take_back()
        self.machine.start()

    def tear(self) -> None:
        """Leave at the end of the newest WARC file what a crash of the machine leaves: half a record."""
        self.machine.stop()
        newest = max((self.folder / "warc").rglob("*.warc.gz"), key=lambda file: file.name)
        with newest.open("r+b") as file:
            begin = file.read(600)
            file.seek(0, os.SEEK_END)
            file.write(begin[:150])
        self.machine.start()

    def _blinded(self) -> None:
        self._blind.append(self.clock.true())

    def _sighted(self) -> None:
        self.blind.append(Span(self._blind.pop(), self.clock.true()))
