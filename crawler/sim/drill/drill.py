"""One drill: its fake site (the agency), its service, and the events that a scenario schedules.

Boundary: runs events in the order of their times; the scenarios are in `scenarios`.
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
from typing import Any

from crawler import request_settings
from crawler.archive_files import WARC_FOLDER, warc_files
from crawler.sim.drill.agency import Agency
from crawler.sim.drill.clock import SharedClock
from crawler.sim.drill.full_disk import run_on_full_disk
from crawler.sim.drill.power import BeforePowerFailure
from crawler.sim.drill.requests import Limit
from crawler.sim.drill.service import DrillService
from crawler.sim.drill.troubles import Trouble
from crawler.sim.reconcile import Span
from crawler.site import HANOI

KILLED = "process killed"
_MORE_THAN_ANY_DISK = 1 << 62  # bytes
_KILL_TIMEOUT = 30.0  # real seconds after which a process is killed even if it makes no requests
_BOOT = timedelta(minutes=1)
_LAST_RESPONSE = 0.05  # real seconds in which the server finishes a response to the killed process


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], object] = field(compare=False)
    between_runs: bool = field(compare=False)  # wait for the end of a run of the jobs: the event changes the service


class Drill:
    """Runs scheduled events while the service works.

    `outages` lists the periods when the site or the service was down.
    """

    def __init__(self, folder: Path, agency: Agency, service: DrillService, clock: SharedClock) -> None:
        self.folder = folder
        self.agency = agency
        self.service = service
        self.clock = clock
        self.day = clock.true()
        self.troubles: list[Trouble] = []
        self._begins: list[datetime] = []  # of the outage, or of another trouble that lasts
        self.outages: list[Span] = []
        self.limits: list[Limit] = []  # on the requests of the service
        self._events: list[_Event] = []
        clock.on_advance = self._run_site_events

    # --- scheduling

    def at(self, hour: float, act: Callable[[], object]) -> None:
        """Schedule `act`, an event at the site, for `hour` hours after the start of the current day."""
        self._schedule(hour, act, between_runs=False)

    def service_at(self, hour: float, act: Callable[[], object]) -> None:
        """Schedule `act`, an event that affects the service, for `hour` hours after the start of the current day.

        The event waits until no job is running.
        """
        self._schedule(hour, act, between_runs=True)

    def _schedule(self, hour: float, act: Callable[[], object], *, between_runs: bool) -> None:
        event = _Event(self.day + timedelta(hours=hour), len(self._events), act, between_runs)
        self._events = sorted([*self._events, event])

    def run_until(self, until: datetime) -> None:
        """Run the service and the due events until the time `until`, which becomes the start of the next day."""
        self.service.run_until(until, self._run_all_events)
        self.day = until

    def _run_site_events(self) -> None:
        """Run the due events at the site, but not those that affect the service."""
        self._run_events(lambda event: not event.between_runs)

    def _run_all_events(self) -> datetime | None:
        """Run all due events. Return the time of the next event, or None if there is none."""
        self._run_events(lambda _: True)
        return self._events[0].at if self._events else None

    def _run_events(self, chosen: Callable[[_Event], bool]) -> None:
        now = self.clock.true()
        for event in [event for event in self._events if event.at <= now and chosen(event)]:
            self._events.remove(event)
            event.act()

    # --- events

    def refuse(self) -> None:
        """Make the site refuse connections, and record the start of an outage."""
        self.agency.refuse()
        self._begin()

    def accept(self) -> None:
        """Make the site accept connections again, and record the end of the outage."""
        self.agency.accept()
        self._end_outage("connections refused")

    def stop(self) -> None:
        """Stop the service, and record the start of an outage."""
        self.service.stop()
        self._begin()

    def start(self) -> None:
        """Start the service again, and record the end of the outage."""
        self.service.start()
        self._end_outage("service stopped")

    def fill_disk(self) -> None:
        """Restart the service as if the disk were full, and record the start of an outage."""
        self.service.stop()
        self.service.start(reserve=_MORE_THAN_ANY_DISK)
        self._begin()

    def free_disk(self) -> None:
        """Restart the service with enough free disk space, and record the end of the outage."""
        self.service.stop()
        self.service.start()
        self._end_outage("disk space below the reserve")

    def use_up_disk(self, room: int, until: datetime) -> None:
        """Run the service until `until` in a process that can add only `room` bytes to the WARC files."""
        self.service.stop()
        self._begin()
        was_full = run_on_full_disk(self.folder, room, self._process(until))
        self.agency.discard_last_response()
        self.service.start()
        self._end_outage("disk full (ENOSPC)", was_full)

    def cap(self, requests: int) -> None:
        """Restart the service with a daily cap that leaves `requests` requests until midnight."""
        used = request_settings.rate_limit_status(self.service.config, self.clock).requests_today
        self._limit(self.day + timedelta(days=1), requests, "daily cap", daily_cap=used + requests)

    def be_quiet(self, hours: int) -> None:
        """Restart the service with quiet hours that begin now and end in `hours` hours."""
        end = self.clock.true() + timedelta(hours=hours)
        local = tuple(at.astimezone(HANOI).time().replace(second=0, microsecond=0) for at in (self.clock.true(), end))
        self._limit(end.replace(second=0, microsecond=0), 0, "quiet hours", quiet_hours=local)

    def lift_limits(self) -> None:
        """Restart the service without a daily cap and quiet hours."""
        self.service.stop()
        self.service.start()

    def _limit(self, end: datetime, requests: int, name: str, **settings: Any) -> None:
        self.service.stop()
        self.limits.append(Limit(self.clock.true(), end, requests, name))
        self.service.start(**settings)

    def redesign(self) -> None:
        """Change the layout of the site to one that the crawler does not know."""
        self.agency.redesign()
        self._begin()

    def recover(self) -> None:
        """Restore the original layout of the site."""
        self.agency.recover()
        self._note("unknown layout", begin=self._begins.pop())

    def burst(self, articles: int) -> None:
        """Publish more articles at once than the lists of the site show."""
        self.agency.publish(articles)
        self._note("more articles than lists show")

    def set_clock_error(self, seconds: float) -> None:
        """Set the error of the machine's clock; if the number is negative, the clock is slow, and if it is 0, right."""
        if seconds:
            self._begin()
        else:
            self._note("wrong clock", begin=self._begins.pop())
        self.clock.set_error(seconds)

    def kill(self, requests: int, pause: float, until: datetime) -> None:
        """Run the service in a separate process, and kill that process `pause` seconds after `requests` requests.

        `until` is the simulated time at which the separate process would end if it were not killed. After the kill, the
        service starts again in the current process.
        """
        self.service.stop()
        self._note(KILLED, self._run_and_kill(requests, pause, until))
        self.service.start()

    def lose_power(self, requests: int, pause: float, until: datetime) -> None:
        """Do the same as `kill`, but the killed process also loses everything that it has not forced to the disk."""
        self.service.stop()
        before = BeforePowerFailure(self.folder)
        self._note("power lost", self._run_and_kill(requests, pause, until, "record"))
        before.drop_unsynced()
        # The time of the last request is lost, too, but no machine starts in less than the time between two requests.
        self.clock.advance_to(self.clock.true() + _BOOT)
        self.service.start()

    def _run_and_kill(self, requests: int, pause: float, until: datetime, *arguments: str) -> bool:
        """Return whether the process was still running when it was killed."""
        wanted, deadline = self.agency.requests + requests, time.monotonic() + _KILL_TIMEOUT
        command = self._process(until)
        with subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:  # noqa: S603 - our own
            try:
                while self.agency.requests < wanted and child.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.002)
                    self._run_site_events()
                time.sleep(pause)
                running = child.poll() is None
            finally:
                child.kill()
        time.sleep(_LAST_RESPONSE)
        self.agency.discard_last_response()
        return running

    def _process(self, until: datetime) -> list[str]:
        """Return the command that runs the service in another process until the simulated time `until`."""
        return [sys.executable, "-m", "crawler.sim.drill", str(self.folder), self.agency.url, until.isoformat()]

    def tear(self) -> None:
        """Append an incomplete record to the newest WARC file, as if the machine had crashed while writing it."""
        self.service.stop()
        newest = max(warc_files(self.folder / WARC_FOLDER), key=lambda file: file.name)
        with newest.open("r+b") as file:
            start = file.read(600)
            file.seek(0, os.SEEK_END)
            file.write(start[:150])
        self._note("torn WARC file")
        self.service.start()

    def _begin(self) -> None:
        self._begins.append(self.clock.true())

    def _end_outage(self, name: str, happened: bool = True) -> None:
        begin = self._begins.pop()
        self.outages.append(Span(begin, self.clock.true()))
        self._note(name, happened, begin)

    def _note(self, name: str, happened: bool = True, begin: datetime | None = None) -> None:
        """Record a trouble that ends now, if it happened at all."""
        now = self.clock.true()
        if happened:
            self.troubles.append(Trouble(name, begin or now, now))
