"""Every failing health state of the service: cause it, read it with `curl`, remove the cause, and read it again.

The service is a real process with a real socket, disk, database and WARC files; only its clock is simulated. Each state
must appear in /healthz (status 503, with a message), in /metrics and in `vna status`, cause one alert, pass again when
its cause is removed, and cause one alert for its end. `NAME...` runs only these states.
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

from benchmarks.health_endpoint import check_endpoint
from benchmarks.health_test_bed import RESERVE, TestBed, TimedOut, running_test_bed

DAY = 24
MIN_INTERVAL = 1620  # seconds; the shortest poll interval of a source (1,800) minus its jitter
Action = Callable[[TestBed], object]
Samples = dict[str, float]


@dataclass(frozen=True)
class State:
    """A failing health state: its cause, and how it is reported.

    `kind`, `subject` and a fragment of the `message` identify the condition. `figure` is a sample of /metrics; `holds`
    checks its value, given all samples. `hours` is the simulated time within which the state must fail, and later pass;
    0 means at once.
    """

    name: str
    how: str
    inject: Action
    repair: Action
    kind: str
    message: str
    figure: str
    holds: Callable[[float, Samples], bool]
    hours: int = 0
    subject: str = ""
    alerted: bool = True  # False: an alert is optional
    late: bool = False  # an alert can only be delivered after the end


@dataclass
class Row:
    """The observations of one state."""

    state: State
    code: int = 0
    message: str = ""
    figure: str = ""
    listed: bool = False
    opened: int = 0
    resolved: int = 0
    code_after: int = 0
    wrong: str = ""

    @property
    def good(self) -> bool:
        once = self.opened == self.resolved == 1 or (not self.state.alerted and self.opened == self.resolved == 0)
        shown = (self.code, self.code_after, self.listed) == (503, 200, self.state.alerted)
        return once and shown and not self.wrong


# --- causes and repairs ------------------------------------------------------------------------------------------------


def refuse(bed: TestBed) -> None:
    """Close the socket of the site."""
    bed.site.close()


def listen(bed: TestBed) -> None:
    fake_site = bed.fake_site
    bed.serve(lambda _: fake_site, int(fake_site.url.rpartition(":")[2]))


def clear(bed: TestBed) -> None:
    bed.fake_site.clear()


def hold_lock(bed: TestBed) -> None:
    """Hold the lock of the request budget, as a process does that is suspended while it holds the lock."""
    (path,) = (bed.archive / "state").glob("budget-*.lock")
    bed.lock = path.open("ab")
    fcntl.flock(bed.lock, fcntl.LOCK_EX)
    bed.move_clock(timedelta(hours=3))


def let_go(bed: TestBed) -> None:
    bed.lock.close()


def move_database(bed: TestBed) -> None:
    (bed.archive / "vna.db").rename(bed.archive / "moved.db")


def return_database(bed: TestBed) -> None:
    (bed.archive / "moved.db").rename(bed.archive / "vna.db")


def fill_disk(bed: TestBed) -> None:
    """Fill the disk almost to the reserve; if no small disk could be mounted, raise the reserve instead."""
    free = os.statvfs(bed.archive)
    left = free.f_bavail * free.f_frsize
    if not bed.mounted:
        bed.reserve(left - left // 50)
        bed.reload()
        return
    with (bed.archive / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, left - RESERVE - RESERVE // 20)


def empty_disk(bed: TestBed) -> None:
    if not bed.mounted:
        bed.reserve(0)
        bed.reload()
        return
    (bed.archive / "ballast").unlink()


def unplug(bed: TestBed) -> None:
    """Remove the disk for backups: rename the folder that the link points to."""
    (bed.folder / "backup-disk").rename(bed.folder / "unplugged")


def plug_in(bed: TestBed) -> None:
    (bed.folder / "unplugged").rename(bed.folder / "backup-disk")


def refuse_alerts(bed: TestBed) -> None:
    """Reject alerts, and cause another failing state that must be reported."""
    bed.hook.refusing = True
    refuse(bed)


def take_alerts(bed: TestBed) -> None:
    bed.hook.refusing = False
    listen(bed)


def hide_section(bed: TestBed) -> None:
    """Remove every story of one section from the lists."""
    section = bed.fake_site.story(bed.fake_site.ids()[-1]).section
    for number in bed.fake_site.ids():
        if bed.fake_site.story(number).section == section:
            bed.fake_site.hide(number)
    bed.quiet = True


def publish(bed: TestBed) -> None:
    bed.quiet = False
    bed.fake_site.publish(30)


def redesign(bed: TestBed) -> None:
    bed.fake_site.redesign()
    bed.fake_site.publish(10)


def flood(bed: TestBed) -> None:
    """Publish more stories between two polls than a list shows, while sitemaps and further list pages fail."""
    for path in ("/sitemaps/*", "*page=*", "*/p[0-9]*"):
        bed.fake_site.fault("error", path)
    bed.fake_site.publish(60)


def flip_bytes(bed: TestBed) -> None:
    """Change one byte in the middle of four captures: each verification checks another quarter of the captures."""
    for file, offset, length in bed.rows("SELECT file, offset, length FROM raw ORDER BY id LIMIT 4"):
        with (bed.archive / "warc" / file).open("r+b") as warc:
            warc.seek(offset + length // 2)
            byte = warc.read(1)[0]
            warc.seek(-1, os.SEEK_CUR)
            warc.write(bytes([byte ^ 0xFF]))


def lose_robots(bed: TestBed) -> None:
    """Delete the cached robots.txt, and make the site return status 500 for it."""
    bed.fake_site.fault("error", "/robots.txt")
    for copy in (bed.archive / "state").glob("robots-*"):
        copy.unlink()


def set_back(bed: TestBed) -> None:
    bed.move_clock(timedelta(days=-3))


def set_right(bed: TestBed) -> None:
    bed.move_clock(timedelta(days=3))


def kill_thrice(bed: TestBed) -> None:
    for _ in range(3):
        bed.kill()


def crash_on_home_page(bed: TestBed) -> None:
    """Leave the crash marker of three processes that crashed while they processed the home page."""
    marker = bed.archive / "state" / "in-hand-collect"
    bed.kill(lambda: marker.write_text(f"3 source:{bed.fake_site.url}/\n"))


def do_nothing(_: TestBed) -> None:
    """Do nothing: the state passes by itself."""


def fault(kind: str, path: str | None = None) -> Action:
    return lambda bed: bed.fake_site.fault(kind, path)


def at_least_one(value: float, _: Samples) -> bool:
    return value >= 1


STATES = (
    State("refused", "site refuses connections", refuse, listen, "poll", "last error: ",
          "vna_last_good_poll_timestamp_seconds", lambda v, m: m["now"] - v > 3 * MIN_INTERVAL, 8),
    State("errors", "every page returns status 500", fault("error"), clear, "poll", "more than three intervals",
          "vna_last_good_poll_timestamp_seconds", lambda v, m: m["now"] - v > 3 * MIN_INTERVAL, 8),
    State("worker", "another process holds the request budget's lock", hold_lock, let_go, "worker", "no heartbeat for",
          "vna_worker_silent_seconds", lambda v, _: v > 900),
    State("restarts", "service killed three times", kill_thrice, do_nothing, "restarts", "unexpectedly 3 times in a row",
          'vna_job_failures{job="service"}', lambda v, _: v == 3),
    State("bug", "home page crashed three processes", crash_on_home_page, do_nothing, "bug", "quarantined after crashing",
          'vna_sources{state="failing"}', at_least_one, 3),
    State("archive", "database moved away", move_database, return_database, "archive", "no archive at",
          'vna_trouble{kind="archive"}', at_least_one, alerted=False),
    State("disk", "disk filled almost to the reserve", fill_disk, empty_disk, "disk", "; reserve",
          "vna_disk_free_bytes", lambda v, m: v < 1.1 * m["vna_disk_reserve_bytes"]),
    State("backup", "backup disk removed", unplug, plug_in, "job", "failed: ",
          'vna_job_failures{job="backup"}', at_least_one, 12, "backup"),
    State("alerts", "webhook returns status 500", refuse_alerts, take_alerts, "job", "could not send the alert to json://127.0.0.1",
          'vna_job_failures{job="alerts"}', at_least_one, 12, "alerts", late=True),
    State("items", "section without stories in the lists", hide_section, publish, "items", "responds, but with no articles",
          'vna_sources{state="failing"}', at_least_one, 36),
    State("page", "articles return status 500, lists do not", fault("error", "/*-post*.vnp"), clear, "page",
          "failed repeatedly", "vna_pages_failing", lambda v, _: v >= 3, 2 * DAY),
    State("verify", "one byte changed in each of four captures", flip_bytes, flip_bytes, "job", "; first: ",
          'vna_job_failures{job="verify"}', at_least_one, 9 * DAY, "verify"),
    State("drift", "page layout changed", redesign, clear, "drift", "unknown layout",
          "vna_drift_ratio", lambda v, _: v > 0.2, 2 * DAY),
    State("gap", "60 stories between two polls; sitemaps, paging fail", flood, clear, "gap", "has been open for",
          "vna_gaps_open", at_least_one, 3 * DAY),
    State("source", "feeds return status 500", fault("error", "/rss/*"), clear, "source", "no successful response since",
          'vna_sources{state="failing"}', at_least_one, 3 * DAY),
    State("robots", "robots.txt returns status 500, no cached copy", lose_robots, clear, "job", "robots.txt returned HTTP status 500",
          'vna_job_failures{job="robots"}', lambda v, _: v >= 3, 2 * DAY, "robots"),
    State("clock", "clock set back by three days", set_back, set_right, "clock", "the archive holds responses from",
          'vna_trouble{kind="clock"}', at_least_one),
)  # fmt: skip


# --- measuring -----------------------------------------------------------------------------------------------------------


def show(bed: TestBed, state: State) -> Row:
    """Cause a state, observe it, remove the cause, and observe it again."""
    row = Row(state)
    first = len(bed.hook.received)
    state.inject(bed)
    condition: dict[str, Any] = {}

    def condition_found() -> bool:
        row.code, failing = bed.health()
        found = [c for c in failing if c["kind"] == state.kind and state.subject in c["subject"]]
        condition.update(next((c for c in found if state.message in c["says"]), {}))
        return bool(condition)

    try:
        bed.wait_or_advance(condition_found, state.hours, f"state {state.name}")
        name = f"{condition['kind']} {condition['subject']}".strip()
        row.message = f"{name}: {condition['says']}"
        measure(bed, row)
        if state.alerted:
            bed.wait(lambda: state.late or count_messages(bed, first, f"{name}: open since"), f"alert {name}")
            bed.wait(lambda: listed(bed, name), f"{name} in `vna status`")
        row.listed = listed(bed, name)
        state.repair(bed)
        bed.advance_until(lambda: healthy(bed), max(state.hours, 3), f"healthy after {state.name}")
        row.code_after = bed.health()[0]
        bed.advance()  # an incident ends only after its condition has passed for a while
        bed.wait(lambda: count_alerts(bed, row, first, name), f"end of {name}")
    except TimedOut as error:
        row.wrong = str(error)
    return row


def healthy(bed: TestBed) -> bool:
    return bed.health()[0] == 200


def measure(bed: TestBed, row: Row) -> None:
    """Read the figure of a state from /metrics."""
    metrics, figure = bed.metrics(), row.state.figure
    value = metrics.get(figure)
    row.figure = f"{figure} {value:.10g}" if value is not None else f"{figure} is missing"
    if value is None or not row.state.holds(value, metrics | {"now": bed.clock.seconds}):
        row.wrong = f"/metrics: {row.figure}"
    if metrics.get(f'vna_trouble{{kind="{row.state.kind}"}}') != 1:
        row.wrong = f"/metrics: vna_trouble has no failing kind {row.state.kind}"


def count_alerts(bed: TestBed, row: Row, first: int, name: str) -> bool:
    """Count the alerts about a state and about its end; return whether no more are expected."""
    row.opened, row.resolved = (
        count_messages(bed, first, f"{name}: open since"),
        count_messages(bed, first, f"{name}: resolved"),
    )
    return row.opened <= row.resolved and (row.opened > 0 or not row.state.alerted)


def count_messages(bed: TestBed, first: int, text: str) -> int:
    """Count the occurrences of a text in the alerts from number `first` on."""
    return sum(message.count(text) for message in bed.hook.received[first:])


def listed(bed: TestBed, name: str) -> bool:
    """Whether `vna status` lists a condition, and all others that are failing."""
    found = bed.status()
    reported = {f"{i['kind']} {i['subject']}".strip() for i in found["incidents"]} if found else set()
    failing = {f"{c['kind']} {c['subject']}".strip() for c in bed.health()[1]}
    return name in reported and failing <= reported


def report(row: Row) -> None:
    """Print a row of the table."""
    short = textwrap.shorten(row.message, 120, placeholder=" ...")
    print(
        f"{row.state.name:9}{row.state.how:58}{row.code or '-':<5}{row.code_after or '-':<6}{row.opened}/{row.resolved:<5}{row.figure}"
    )
    print(f"{'':9}{short}", flush=True)
    if not row.good:
        print(f"{'':9}FAILED: {row.wrong or 'see the figures'}", flush=True)


def main() -> int:
    names = sys.argv[1:]
    known = {state.name for state in STATES}
    if not known.issuperset(names):
        sys.stderr.write(f"no state {', '.join(sorted({*names} - known))}; choose from {', '.join(sorted(known))}\n")
        return 2
    chosen = [state for state in STATES if not names or state.name in names]
    started = time.monotonic()
    with running_test_bed() as bed:
        bed.advance_until(lambda: healthy(bed), 3, "healthy at the start")
        print(f"{'state':9}{'cause':58}{'code':5}{'after':6}{'alerts':7}figure", flush=True)
        rows = []
        for state in chosen:
            rows.append(show(bed, state))
            report(rows[-1])
            if rows[-1].wrong and not healthy(bed):
                break
        endpoint_ok = bed.child.poll() is None and check_endpoint(bed)
        bed.child.terminate()
        code = bed.child.wait(30)
    good = sum(row.good for row in rows)
    print(
        f"{good} of {len(chosen)} states as expected, in {time.monotonic() - started:.0f} s; exit code after SIGTERM: {code}"
    )
    return 0 if good == len(chosen) and endpoint_ok and code == 0 else 1
