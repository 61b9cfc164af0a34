"""The service of a drill: its own jobs and its own watch over a real archive, in the time of the drill.

Boundary: opening, turns, looks, the end; what a job does is the service's own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from crawler import app, config
from crawler.daemon.jobs import jobs
from crawler.daemon.watch import Watch
from crawler.daemon.watchdog import Pulse
from crawler.daemon.worker import Steps, Turns
from crawler.repair.lexicon import Lexicon
from crawler.sim.drill.clock import SharedClock
from crawler.storage import Archive

TICK = timedelta(seconds=10)  # the service looks no more often
_LONGEST = timedelta(minutes=15)  # without a look
_LOOK = timedelta(minutes=5)
_TIMEOUT = 3.0  # seconds of real time: on loopback an answer that is not there by then does not come
_ENDLESS = 1 << 62  # bytes


def settings(folder: Path, url: str) -> config.Config:
    """Give the configuration: that of nobody but the program, for a site on this machine."""
    return config.Config(
        root=f"{url}/",
        archive=folder,
        reserve=0,
        health="",
        timeout=_TIMEOUT,
        attempts=2,
        markups=config.load_markups(),
    )


class Machine:
    """Runs the service, or does not."""

    def __init__(self, folder: Path, url: str, clock: SharedClock, lexicon: Lexicon | None) -> None:
        self.config = settings(folder, url)
        self._clock = clock
        self._lexicon = lexicon
        self._parts = ExitStack()
        self._turns: Turns | None = None
        self._looked = clock.true()

    @property
    def running(self) -> bool:
        """Whether it does."""
        return self._turns is not None

    def start(self, *, full: bool = False) -> None:
        """Begin as the service does; with a full disk, its reserve is more than any disk has."""
        self.config = replace(self.config, reserve=_ENDLESS if full else 0)
        pulse = Pulse(self._clock)
        opened = app.working(self.config, "drill", Steps(), clock=pulse, lexicon=self._lexicon)
        context = self._parts.enter_context(opened)
        self._archive = context.archive
        self._turns = Turns(context, jobs(self.config), pulse)
        self._watch = Watch(self.config, self._clock.now, lambda: 0.0, timedelta(minutes=10))
        self._turns.first()

    def stop(self) -> None:
        """End."""
        self._turns = None
        self._parts.close()

    def live(self, until: datetime, between: Callable[[], datetime | None] = lambda: None) -> None:
        """Do what is due until an instant; `between` turns something else may happen, and gives when the next does."""
        while (now := self._clock.true()) < until:
            upcoming = between() or until
            if self._turns is not None:
                self._turns.turn()
                self._look(now)
            now = self._clock.true()
            self._clock.move_to(max(min(until, upcoming, now + self._until_due()), now + TICK))
            self._clock.moved()

    def archive(self) -> Archive:
        """Open what it has for reading."""
        return app.reading_archive(self.config.archive)

    def _look(self, now: datetime) -> None:
        if now - self._looked >= _LOOK:
            self._looked = now
            self._watch.look()

    def _until_due(self) -> timedelta:
        """Say how long there is nothing to do."""
        if self._turns is None:
            return _LONGEST
        now = self._clock.now()
        held = {name: row.next_due_at for name, row in self._archive.jobs().items() if row.next_due_at}
        due = [max(self._archive.next_due() or now, held.pop("poll", now)), *held.values()]
        return max(TICK, min(_LONGEST, *(at - now for at in due)))
