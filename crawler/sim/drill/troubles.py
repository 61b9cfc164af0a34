"""The table of troubles: one a day, each by its name.

Boundary: what happens at which hour of a day in Hanoi; nothing here is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from crawler.sim.drill.scene import Stage

PAGES, SITEMAPS = "*.vnp", "/sitemap*"
_KILLS = ((6, 0.0), (9, 0.02), (5, 0.005))  # requests, then seconds


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: what it does, how many days it takes, and of which kind the alarm is that must be raised."""

    name: str
    plan: Callable[[Stage], None]
    days: int = 1
    alarm: str | None = None


def nothing(_: Stage) -> None:
    """Do nothing: a day to compare the others with."""


def _refused(stage: Stage) -> None:
    """Refuse; what comes and goes meanwhile cannot be had by anybody."""
    agency, passing = stage.agency, list[int]()
    stage.at(8, stage.refuse)
    stage.at(10, lambda: passing.extend(agency.publish()))
    stage.at(12, lambda: agency.unpublish(passing[0], 404))
    stage.at(15, stage.accept)


def _edited(stage: Stage) -> None:
    agency = stage.agency
    stage.at(10, lambda: agency.revise(agency.newest(2)[1], title="Le titre de cet article a été corrigé"))
    stage.at(11, lambda: agency.revise(agency.newest(3)[2], silent=True))
    stage.at(12, lambda: agency.revise(agency.newest(1)[0], text="Une phrase fausse, retirée aussitôt."))
    stage.at(12.1, lambda: agency.revise(agency.newest(1)[0]))
    stage.at(14, lambda: agency.unpublish(agency.newest(4)[3], 404))
    stage.at(15, lambda: agency.unpublish(agency.newest(5)[4], 410))


def _throttled(stage: Stage) -> None:
    site = stage.agency.site
    stage.at(7, lambda: site.fault("unavailable", seconds=600))
    stage.at(11, site.clear)
    stage.at(14, lambda: site.fault("throttle", times=6, seconds=900))


def _broken_off(stage: Stage) -> None:
    site = stage.agency.site
    stage.at(8, lambda: site.fault("truncate", PAGES, times=8))
    stage.at(11, lambda: site.fault("slow", PAGES, times=3, seconds=0.3))
    stage.at(13, lambda: site.fault("garbage", times=6))
    stage.at(16, lambda: site.fault("error", PAGES))
    stage.at(30, site.clear)


def _odd_pages(stage: Stage) -> None:
    site = stage.agency.site
    stage.at(8, lambda: site.fault("charset", PAGES))
    stage.at(11, site.clear)
    stage.at(11, lambda: site.fault("block"))
    stage.at(14, site.clear)
    stage.at(14, lambda: site.fault("empty", PAGES))
    stage.at(16, site.clear)
    stage.at(16, lambda: site.fault("not_html", times=10))
    stage.at(18, lambda: site.fault("forbidden"))
    stage.at(20, site.clear)


def _burst(stage: Stage) -> None:
    """Publish more than the lists show at a time, while the sitemaps are no help."""
    agency = stage.agency
    stage.at(6, lambda: agency.site.fault("error", SITEMAPS))
    for n in range(4):
        stage.at(9 + n / 10, lambda: agency.publish(6))
    stage.at(22, agency.site.clear)


def _killed(stage: Stage) -> None:
    agency = stage.agency
    end = stage.day + timedelta(hours=23)
    for n, (requests, pause) in enumerate(_KILLS):
        stage.at(8 + 3 * n, lambda: agency.publish(3))
        stage.at(8 + 3 * n, lambda: agency.revise(agency.newest(5)[4]))
        stage.service_at(8 + 3 * n, lambda r=requests, p=pause: stage.kill(r, p, end))  # type: ignore[misc]
    stage.service_at(20, stage.tear)


def _moved(stage: Stage) -> None:
    """Publish a text twice, remove articles in every form, and put one back elsewhere."""
    agency, away = stage.agency, list[int]()
    stage.at(9, lambda: away.extend(agency.newest(5)))
    stage.at(9, lambda: agency.unpublish(away[1], 404))
    stage.at(10, lambda: agency.copy(away[0]))
    stage.at(11, lambda: agency.unpublish(away[2], 302))
    stage.at(12, lambda: agency.unpublish(away[3], 200))
    stage.at(16, lambda: agency.republish(away[1], "De retour sous un autre titre et une autre adresse"))


def _redesigned(stage: Stage) -> None:
    stage.at(1, stage.agency.redesign)
    stage.at(24, stage.agency.recover)


def _wrong_clock(stage: Stage) -> None:
    agency = stage.agency
    stage.service_at(9, lambda: stage.clock.err(-3 * 3600))
    stage.at(10, lambda: agency.revise(agency.newest(2)[1]))
    stage.service_at(17, lambda: stage.clock.err(0))


def _full(stage: Stage) -> None:
    stage.service_at(9, stage.fill_disk)
    stage.service_at(17, stage.free_disk)


def _stopped(stage: Stage) -> None:
    agency, passing = stage.agency, list[int]()
    stage.service_at(1, stage.stop)
    stage.at(12, lambda: agency.revise(agency.newest(3)[2]))
    stage.at(14, lambda: passing.extend(agency.publish()))
    stage.at(38, lambda: agency.unpublish(passing[0], 410))
    stage.service_at(47, stage.start)


TABLE = (
    Trouble("nothing: a day as any other", nothing),
    Trouble("connections are refused for 7 hours", _refused, alarm="poll"),
    Trouble("articles are corrected, changed in silence, changed twice at once, removed", _edited),
    Trouble("503 for 4 hours, then 429", _throttled, alarm="poll"),
    Trouble(
        "answers break off, come in drops, are garbage; then 14 hours of 500 for articles", _broken_off, alarm="page"
    ),
    Trouble("24 articles within half an hour, more than lists show; sitemaps fail", _burst),
    Trouble("the process is killed three times; a torn WARC file", _killed),
    Trouble("the same text twice; removals as 302 and 200; one back under another slug", _moved),
    Trouble("another layout for a day", _redesigned, alarm="drift"),
    Trouble("another charset, a wall against robots, empty pages, PDFs, 403", _odd_pages),
    Trouble("the machine's clock is 3 hours slow for 8 hours", _wrong_clock, alarm="clock"),
    Trouble("the disk is at its reserve for 8 hours", _full, alarm="disk"),
    Trouble("the service is stopped for two days", _stopped, days=2),
)
