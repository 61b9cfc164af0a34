"""Each red state of the service, brought about for real and read with `curl`; then its cause is taken away.

The service is a process of its own, as are the site's socket, the disk, the database and the evidence; its clock is
moved on by hours. Each state must show in /healthz (503, in words), in /metrics and in `vna status`, be told once, be
green again when its cause is gone, and that be told once, too. `NAME...` for some of the states alone.
"""

from __future__ import annotations

import fcntl
import os
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.redmanners import manners
from benchmarks.redstage import RESERVE, NotSeen, Stage, staged

DAY = 24
FLOOR = 1620  # seconds: the shortest interval of a source, less its jitter
Act = Callable[[Stage], object]
Samples = dict[str, float]


@dataclass(frozen=True)
class State:
    """A red state: how it comes and goes, and how it shows.

    `figure` is the sample of /metrics that tells of it; `holds` says of its value, and all others, whether it does.
    `hours` is how much time may go by until it is red, and as many until it is green; 0: it is so at once.
    """

    name: str
    how: str
    cause: Act
    mend: Act
    kind: str
    words: str
    figure: str
    holds: Callable[[float, Samples], bool]
    hours: int = 0
    subject: str = ""
    told: bool = True  # False: perhaps, when it is over
    late: bool = False  # nobody can be told before it is over


@dataclass
class Row:
    """What was seen of a state."""

    state: State
    code: int = 0
    words: str = ""
    figure: str = ""
    listed: bool = False
    begun: int = 0
    over: int = 0
    green: int = 0
    wrong: str = ""

    @property
    def good(self) -> bool:
        once = self.begun == self.over == 1 or (not self.state.told and self.begun == self.over == 0)
        shown = (self.code, self.green, self.listed) == (503, 200, self.state.told)
        return once and shown and not self.wrong


# --- causes, and what takes them away -----------------------------------------------------------------------------------


def refuse(stage: Stage) -> None:
    """Nobody listens at the site's port."""
    stage.site.close()


def listen(stage: Stage) -> None:
    double = stage.double
    stage.serve(lambda _: double, int(double.url.rpartition(":")[2]))


def clear(stage: Stage) -> None:
    stage.double.clear()


def hold_lock(stage: Stage) -> None:
    """Keep the lock that each request waits for, as a process does that is stopped while it has it."""
    (path,) = (stage.archive / "state").glob("budget-*.lock")
    stage.lock = path.open("ab")
    fcntl.flock(stage.lock, fcntl.LOCK_EX)
    stage.move(timedelta(hours=3))


def let_go(stage: Stage) -> None:
    stage.lock.close()


def move_database(stage: Stage) -> None:
    (stage.archive / "vna.db").rename(stage.archive / "moved.db")


def return_database(stage: Stage) -> None:
    (stage.archive / "moved.db").rename(stage.archive / "vna.db")


def fill_disk(stage: Stage) -> None:
    """Leave hardly more than the reserve; where no small disk could be had, raise the reserve of the large one."""
    free = os.statvfs(stage.archive)
    left = free.f_bavail * free.f_frsize
    if not stage.mounted:
        stage.reserve(left - left // 50)
        stage.hang_up()
        return
    with (stage.archive / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, left - RESERVE - RESERVE // 20)


def empty_disk(stage: Stage) -> None:
    if not stage.mounted:
        stage.reserve(0)
        stage.hang_up()
        return
    (stage.archive / "ballast").unlink()


def unplug(stage: Stage) -> None:
    """Take the disk for backups away: the link to it leads nowhere."""
    (stage.folder / "backup-disk").rename(stage.folder / "unplugged")


def plug_in(stage: Stage) -> None:
    (stage.folder / "unplugged").rename(stage.folder / "backup-disk")


def refuse_alerts(stage: Stage) -> None:
    """Refuse what is to be told of another trouble."""
    stage.hook.refusing = True
    refuse(stage)


def take_alerts(stage: Stage) -> None:
    stage.hook.refusing = False
    listen(stage)


def hide_section(stage: Stage) -> None:
    """Take every story of one section off the lists."""
    section = stage.double.story(stage.double.ids()[-1]).section
    for number in stage.double.ids():
        if stage.double.story(number).section == section:
            stage.double.hide(number)
    stage.quiet = True


def publish(stage: Stage) -> None:
    stage.quiet = False
    stage.double.publish(30)


def redesign(stage: Stage) -> None:
    stage.double.redesign()
    stage.double.publish(10)


def flood(stage: Stage) -> None:
    """Publish more between two polls than a list shows; neither sitemaps nor further pages help."""
    for path in ("/sitemaps/*", "*page=*", "*/p[0-9]*"):
        stage.double.fault("error", path)
    stage.double.publish(60)


def flip_bytes(stage: Stage) -> None:
    """Change one byte in the middle of four answers: a verification takes one answer in four, each time others."""
    for file, offset, length in stage.rows("SELECT file, offset, length FROM raw ORDER BY id LIMIT 4"):
        with (stage.archive / "warc" / file).open("r+b") as warc:
            warc.seek(offset + length // 2)
            byte = warc.read(1)[0]
            warc.seek(-1, os.SEEK_CUR)
            warc.write(bytes([byte ^ 0xFF]))


def lose_robots(stage: Stage) -> None:
    """Lose the copy of robots.txt, and get no other."""
    stage.double.fault("error", "/robots.txt")
    for copy in (stage.archive / "state").glob("robots-*"):
        copy.unlink()


def set_back(stage: Stage) -> None:
    stage.move(timedelta(days=-3))


def set_right(stage: Stage) -> None:
    stage.move(timedelta(days=3))


def kill_thrice(stage: Stage) -> None:
    for _ in range(3):
        stage.kill()


def end_over_home(stage: Stage) -> None:
    """Leave what three processes leave that each came to its end while it had the home page in hand."""
    note = stage.archive / "state" / "in-hand-collect"
    stage.kill(lambda: note.write_text(f"3 source:{stage.double.url}/\n"))


def wait(_: Stage) -> None:
    """Do nothing: it is over by itself."""


def fault(kind: str, path: str | None = None) -> Act:
    return lambda stage: stage.double.fault(kind, path)


def some(value: float, _: Samples) -> bool:
    return value >= 1


STATES = (
    State("refused", "the site's port is closed", refuse, listen, "poll", "it says: ",
          "vna_last_good_poll_timestamp_seconds", lambda v, m: m["now"] - v > 3 * FLOOR, 8),
    State("errors", "each page answers 500", fault("error"), clear, "poll", "more than three intervals",
          "vna_last_good_poll_timestamp_seconds", lambda v, m: m["now"] - v > 3 * FLOOR, 8),
    State("worker", "another process keeps the request budget's lock", hold_lock, let_go, "worker", "no sign of life",
          "vna_worker_silent_seconds", lambda v, _: v > 900),
    State("restarts", "the service is killed three times", kill_thrice, wait, "restarts", "to its end 3 times in a row",
          'vna_job_failures{job="service"}', lambda v, _: v == 3),
    State("bug", "three processes ended over the home page", end_over_home, wait, "bug", "came to its end over this",
          'vna_sources{state="failing"}', some, 3),
    State("archive", "the database is moved away", move_database, return_database, "archive", "no archive at",
          'vna_trouble{kind="archive"}', some, told=False),
    State("disk", "its disk is filled up to near the reserve", fill_disk, empty_disk, "disk", "the reserve",
          "vna_disk_free_bytes", lambda v, m: v < 1.1 * m["vna_disk_reserve_bytes"]),
    State("backup", "the disk for backups is gone", unplug, plug_in, "job", "failed: ",
          'vna_job_failures{job="backup"}', some, 12, "backup"),
    State("alerts", "the webhook answers 500", refuse_alerts, take_alerts, "job", "could not tell json://127.0.0.1",
          'vna_job_failures{job="alerts"}', some, 12, "alerts", late=True),
    State("items", "a section's stories are off the lists", hide_section, publish, "items", "shows no article",
          'vna_sources{state="failing"}', some, 36),
    State("page", "articles answer 500, lists do not", fault("error", "/*-post*.vnp"), clear, "page",
          "failed again and again", "vna_pages_failing", lambda v, _: v >= 3, 2 * DAY),
    State("verify", "a byte of each of four answers is flipped", flip_bytes, flip_bytes, "job", "faults, the first",
          'vna_job_failures{job="verify"}', some, 9 * DAY, "verify"),
    State("drift", "the layout changes", redesign, clear, "drift", "markup that is not known",
          "vna_drift_ratio", lambda v, _: v > 0.2, 2 * DAY),
    State("gap", "60 stories between two polls; sitemaps and paging fail", flood, clear, "gap", "could not be filled",
          "vna_gaps_open", some, 3 * DAY),
    State("source", "the feeds answer 500", fault("error", "/rss/*"), clear, "source", "no good answer since",
          'vna_sources{state="failing"}', some, 3 * DAY),
    State("robots", "robots.txt answers 500, no copy is left", lose_robots, clear, "job", "robots.txt answers 500",
          'vna_job_failures{job="robots"}', lambda v, _: v >= 3, 2 * DAY, "robots"),
    State("clock", "the clock is set back by three days", set_back, set_right, "clock", "the archive has answers of",
          'vna_trouble{kind="clock"}', some),
)  # fmt: skip


# --- showing -------------------------------------------------------------------------------------------------------------


def show(stage: Stage, state: State) -> Row:
    """Bring a state about, look at it, take its cause away, and look again."""
    row = Row(state)
    first = len(stage.hook.told)
    state.cause(stage)
    condition: dict[str, Any] = {}

    def seen() -> bool:
        row.code, red = stage.health()
        found = [c for c in red if c["kind"] == state.kind and state.subject in c["subject"]]
        condition.update(next((c for c in found if state.words in c["says"]), {}))
        return bool(condition)

    try:
        stage.come(seen, state.hours, f"the state {state.name}")
        name = f"{condition['kind']} {condition['subject']}".strip()
        row.words = f"{name}: {condition['says']}"
        measure(stage, row)
        if state.told:
            stage.wait(lambda: state.late or told(stage, first, f"{name}, since"), f"the alarm {name}")
        row.listed = listed(stage, name)
        state.mend(stage)
        stage.pass_until(lambda: green(stage), max(state.hours, 3), f"green after {state.name}")
        row.green = stage.health()[0]
        stage.step()  # so long that it is over
        stage.wait(lambda: tellings(stage, row, first, name), f"the end of {name}")
    except NotSeen as error:
        row.wrong = str(error)
    return row


def green(stage: Stage) -> bool:
    return stage.health()[0] == 200


def measure(stage: Stage, row: Row) -> None:
    """Read the figure of a state."""
    metrics, figure = stage.metrics(), row.state.figure
    value = metrics.get(figure)
    row.figure = f"{figure} {value:.10g}" if value is not None else f"{figure} is missing"
    if value is None or not row.state.holds(value, metrics | {"now": stage.clock.seconds}):
        row.wrong = f"/metrics: {row.figure}"
    if metrics.get(f'vna_trouble{{kind="{row.state.kind}"}}') != 1:
        row.wrong = f"/metrics: no trouble of kind {row.state.kind}"


def tellings(stage: Stage, row: Row, first: int, name: str) -> bool:
    """Count how often somebody was told of a trouble, and of its end; say whether there is nothing left to tell."""
    row.begun, row.over = told(stage, first, f"{name}, since"), told(stage, first, f"{name}: over")
    return row.begun <= row.over and (row.begun > 0 or not row.state.told)


def told(stage: Stage, first: int, words: str) -> int:
    """Count how often somebody was told, since a message."""
    return sum(message.count(words) for message in stage.hook.told[first:])


def listed(stage: Stage, name: str) -> bool:
    """Say whether `vna status` lists a trouble, and all else that is red."""
    found = stage.status()
    there = {f"{i['kind']} {i['subject']}".strip() for i in found["incidents"]} if found else set()
    red = {f"{c['kind']} {c['subject']}".strip() for c in stage.health()[1]}
    return name in there and red <= there


def report(row: Row) -> None:
    """Print a row of the table."""
    short = textwrap.shorten(row.words, 120, placeholder=" ...")
    print(
        f"{row.state.name:9}{row.state.how:58}{row.code or '-':<5}{row.green or '-':<6}{row.begun}/{row.over:<5}{row.figure}"
    )
    print(f"{'':9}{short}", flush=True)
    if not row.good:
        print(f"{'':9}NOT as it should be: {row.wrong or 'see the figures'}", flush=True)


def main() -> int:
    names = sys.argv[1:]
    chosen = [state for state in STATES if not names or state.name in names]
    begun = time.monotonic()
    with staged() as stage:
        stage.pass_until(lambda: green(stage), 3, "health at the beginning")
        print(f"{'state':9}{'brought about by':58}{'red':5}{'after':6}{'told':7}figure", flush=True)
        rows = []
        for state in chosen:
            rows.append(show(stage, state))
            report(rows[-1])
            if rows[-1].wrong and not green(stage):
                break
        polite = stage.child.poll() is None and manners(stage)
        stage.child.terminate()
        code = stage.child.wait(30)
    red = sum(row.good for row in rows)
    print(f"{red} of {len(chosen)} states, in {time.monotonic() - begun:.0f} s; exit code after SIGTERM: {code}")
    return 0 if red == len(chosen) and polite and code == 0 else 1
