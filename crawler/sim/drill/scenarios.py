"""The table of fault scenarios. A drill runs them one after another; most of them take one day.

Boundary: defines what happens at which hour of a day in Hanoi; nothing here is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from crawler.sim.drill.drill import Drill
from crawler.sim.drill.fields import GLUED

PAGES, SITEMAPS, ROBOTS = "*.vnp", "/sitemap*", "/robots.txt"
HANG = 10.0  # real seconds; more than the time limit of the drill's service
#: Hour, requests and seconds. The first one is at midnight in UTC, when a new WARC file begins.
_POWER_FAILURES = ((7, 7, 0.0), (18, 12, 0.01))
_KILLS = ((6, 0.0), (9, 0.02), (5, 0.005))  # a process is killed after so many requests, and so many seconds later


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: `plan` schedules its events, `days` is its length in days, and `name` describes its faults.

    `alarm` is the kind of the alert that the service must raise; None if no particular alert is required.
    """

    name: str
    plan: Callable[[Drill], None]
    days: int = 1
    alarm: str | None = None


def nothing(_: Drill) -> None:
    """Schedule nothing: the scenario of an ordinary day, with which the other days can be compared."""


def _refused(drill: Drill) -> None:
    """Refuse connections. Meanwhile, publish and remove an article, which therefore cannot be archived."""
    agency, brief = drill.agency, list[int]()
    drill.at(8, drill.refuse)
    drill.at(10, lambda: brief.extend(agency.publish()))
    drill.at(12, lambda: agency.unpublish(brief[0], 404))
    drill.at(15, drill.accept)


def _edited(drill: Drill) -> None:
    agency = drill.agency
    drill.at(10, lambda: agency.revise(agency.newest(2)[1], title="Le titre de cet article a été corrigé"))
    drill.at(11, lambda: agency.revise(agency.newest(3)[2], silent=True))
    drill.at(11.5, lambda: agency.revise(agency.newest(4)[3], text=GLUED))
    drill.at(12, lambda: agency.revise(agency.newest(1)[0], text="Une phrase fausse, retirée aussitôt."))
    drill.at(12.1, lambda: agency.revise(agency.newest(1)[0]))
    drill.at(14, lambda: agency.unpublish(agency.newest(4)[3], 404))
    drill.at(15, lambda: agency.unpublish(agency.newest(5)[4], 410))


def _throttled(drill: Drill) -> None:
    site = drill.agency.site
    drill.at(7, lambda: site.fault("unavailable", seconds=600))
    drill.at(11, site.clear)
    drill.at(14, lambda: site.fault("throttle", times=6, seconds=900))
    drill.at(17, lambda: site.fault("throttle_bare", times=6))
    drill.at(19, lambda: site.fault("unavailable_bare", times=6))
    drill.at(21, lambda: site.fault("unavailable", ROBOTS, times=2))
    drill.at(21, lambda: site.fault("error", PAGES, times=12))
    drill.at(21, lambda: drill.agency.publish(8))  # so many pages that fail in a row must stop the requests


def _broken_responses(drill: Drill) -> None:
    site = drill.agency.site
    drill.at(7, lambda: site.fault("reset", PAGES, times=4))
    drill.at(8, lambda: site.fault("truncate", PAGES, times=8))
    drill.at(9, lambda: site.fault("short", times=6))
    drill.at(10, lambda: site.fault("cut_gzip", times=6))
    drill.at(11, lambda: site.fault("slow", PAGES, times=3, seconds=0.3))
    drill.at(12, lambda: site.fault("hang", times=1, seconds=HANG))
    drill.at(13, lambda: site.fault("garbage", times=6))
    drill.at(14, lambda: site.fault("endless", times=2))
    drill.at(15, lambda: site.fault("bomb", times=2))
    drill.at(16, lambda: site.fault("error", PAGES))
    drill.at(30, site.clear)


def _odd_pages(drill: Drill) -> None:
    site = drill.agency.site
    drill.at(8, lambda: site.fault("charset", PAGES))
    drill.at(11, site.clear)
    drill.at(11, lambda: site.fault("block"))
    drill.at(14, site.clear)
    drill.at(14, lambda: site.fault("empty", PAGES))
    drill.at(16, site.clear)
    drill.at(16, lambda: site.fault("not_html", times=10))
    drill.at(16.5, lambda: site.fault("captcha", times=6))
    drill.at(17, lambda: site.fault("consent", times=6))
    drill.at(17.5, lambda: site.fault("loop", times=6))
    drill.at(17.7, lambda: site.fault("excursion", times=6))
    drill.at(18, lambda: site.fault("forbidden"))
    drill.at(20, site.clear)
    drill.at(20, lambda: site.fault("soft_404", PAGES))
    drill.at(21, site.clear)
    drill.at(22, lambda: site.fault("false_charset", PAGES))
    drill.at(23, site.clear)


def _burst(drill: Drill) -> None:
    """Publish more articles at once than the lists of the site show, while the sitemaps fail."""
    agency = drill.agency
    drill.at(6, lambda: agency.site.fault("error", SITEMAPS))
    for n in range(4):
        drill.at(9 + n / 10, lambda: drill.burst(6))
    drill.at(22, agency.site.clear)


def _killed(drill: Drill) -> None:
    agency = drill.agency
    end = drill.day + timedelta(hours=23)
    for n, (requests, pause) in enumerate(_KILLS):
        drill.at(8 + 3 * n, lambda: agency.publish(3))
        drill.at(8 + 3 * n, lambda: agency.revise(agency.newest(5)[4]))
        drill.service_at(8 + 3 * n, lambda r=requests, p=pause: drill.kill(r, p, end))  # type: ignore[misc]
    for hour, requests, pause in _POWER_FAILURES:
        drill.at(hour, lambda: agency.publish(2))
        drill.service_at(hour, lambda r=requests, p=pause: drill.lose_power(r, p, end))  # type: ignore[misc]
    drill.service_at(20, drill.tear)


def _moved(drill: Drill) -> None:
    """Publish a text twice, remove three articles with different HTTP statuses, and put one back with a new slug."""
    agency, chosen = drill.agency, list[int]()
    drill.at(9, lambda: chosen.extend(agency.newest(5)))
    drill.at(9, lambda: agency.unpublish(chosen[1], 404))
    drill.at(10, lambda: agency.copy(chosen[0]))
    drill.at(11, lambda: agency.unpublish(chosen[2], 302))
    drill.at(12, lambda: agency.unpublish(chosen[3], 200))
    drill.at(16, lambda: agency.republish(chosen[1], "De retour sous un autre titre et une autre adresse"))
    drill.service_at(1, lambda: drill.be_quiet(3))
    drill.service_at(5, drill.lift_limits)
    drill.service_at(20, lambda: drill.cap(10))
    drill.service_at(25, drill.lift_limits)


def _redesigned(drill: Drill) -> None:
    drill.at(1, drill.redesign)
    drill.at(24, drill.recover)


def _wrong_clock(drill: Drill) -> None:
    agency = drill.agency
    for hour, years in ((2, 1), (4, 10)):
        drill.service_at(hour, lambda n=years: drill.set_clock_error(n * 365 * 86_400))  # type: ignore[misc]
        drill.service_at(hour + 0.5, lambda: drill.set_clock_error(0))
    drill.service_at(9, lambda: drill.set_clock_error(-3 * 3600))
    drill.at(10, lambda: agency.revise(agency.newest(2)[1]))
    drill.service_at(17, lambda: drill.set_clock_error(0))


def _full_disk(drill: Drill) -> None:
    drill.service_at(9, drill.fill_disk)
    drill.service_at(17, drill.free_disk)


def _stopped(drill: Drill) -> None:
    agency, brief = drill.agency, list[int]()
    drill.service_at(1, drill.stop)
    drill.at(12, lambda: agency.revise(agency.newest(3)[2]))
    drill.at(14, lambda: brief.extend(agency.publish()))
    drill.at(38, lambda: agency.unpublish(brief[0], 410))
    drill.service_at(47, drill.start)


TABLE = (
    Scenario("no faults", nothing),
    Scenario("connections refused for 7 hours", _refused, alarm="poll"),
    Scenario("articles corrected, changed silently, changed twice within minutes, removed", _edited),
    Scenario("status 503 for 4 hours, then 429 and 503, with and without Retry-After", _throttled, alarm="poll"),
    Scenario(
        "truncated, reset, slow, garbled and endless responses, then status 500 for articles for 14 hours",
        _broken_responses,
        alarm="page",
    ),
    Scenario("24 articles within half an hour, more than lists show; sitemaps fail", _burst),
    Scenario("process killed three times; power lost twice; torn WARC file", _killed),
    Scenario(
        "same text twice; removals as 302 and 200; one article back under another slug; quiet hours; daily cap", _moved
    ),
    Scenario("unknown page layout for a day", _redesigned, alarm="drift"),
    Scenario(
        "other charset, bot wall, empty pages, PDFs, captcha, consent, redirects, status 403, soft 404", _odd_pages
    ),
    # No alert is required: a service whose due times are all corrected has nothing that shows the wrong clock.
    Scenario("machine's clock ahead by a year, then by ten, then 3 hours slow for 8 hours", _wrong_clock),
    Scenario("free disk space below the reserve for 8 hours", _full_disk, alarm="disk"),
    Scenario("service stopped for two days", _stopped, days=2),
)
