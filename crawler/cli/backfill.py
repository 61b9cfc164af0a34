"""The past, fetched by plan.

Boundary: arguments, signals, output, exit code.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, state
from crawler.cli.signals import stopped_by_signals
from crawler.errors import BadInput, Interrupted, StopError

if TYPE_CHECKING:
    from crawler.backfill import Figures, Unit
    from crawler.cli.planbar import PlanBar, PlanLines, Tally
    from crawler.config import Config
    from crawler.pipeline import Context
    from crawler.plans import Asked, Plan
    from crawler.storage import Archive

_NEEDS_A_LOOK = 5
_NAMED = 6  # addresses in one message


class Ways(StrEnum):
    """Ways into the past."""

    sitemap = "sitemap"
    ids = "ids"
    lists = "lists"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stood on the command line."""

    since: date | None
    until: date | None
    section: str | None
    via: Ways | None
    oldest_first: bool

    @property
    def nothing(self) -> bool:
        """Whether it names no plan, and so means those that are open."""
        return not (self.since or self.until or self.section or self.via or self.oldest_first)

    def asked(self, today: date) -> Asked:
        """Make it a whole."""
        from crawler import plans

        via: Any = self.via.value if self.via else None  # the names of the choices are those of the ways
        return plans.asked(via, self.since, self.until, self.section, oldest_first=self.oldest_first, today=today)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(backfill)


def backfill(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--since", help="First day, as 2024-01-31 (in Hanoi); 2010-01-01 without.", metavar="DAY"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Last day, the same; today without.", metavar="DAY")
    ] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="One section, by its name or address; implies --via lists.")
    ] = None,
    via: Annotated[
        Ways | None,
        typer.Option(
            "--via",
            help="Where to look: the months' sitemaps, the holes between known ids, or the sections' own lists.",
        ),
    ] = None,
    oldest_first: Annotated[
        bool, typer.Option("--oldest-first", help="Begin with the oldest, not the newest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would do, and how long that takes; ask for nothing.")
    ] = False,
    warc: Annotated[
        list[Path] | None,
        typer.Option(
            "--warc", help="Instead: take over the captures of this WARC file (Common Crawl, a Wayback download...)."
        ),
    ] = None,
    captures: Annotated[
        bool, typer.Option("--captures", help="Instead: print where captures of the missing articles may be had.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fetch the articles of some days, by a plan that can be stopped and gone on with at any time.

    The same command, or `vna backfill` alone, or `vna run` goes on with a plan. Exit 0 says that it is done and
    nothing needs a look. With --warc nothing is fetched; --warc may be given several times, and repeated.

    Example: vna backfill --since 2024-01-01 --until 2024-12-31
    """
    wanted = Wanted(_day(since), _day(until), section, via, oldest_first)
    globals_ = state.of(context)
    if warc or captures:
        _from_elsewhere(globals_, wanted, warc, plain=not (dry_run or (warc and captures)), as_json=as_json)
        return
    config = globals_.load()
    if dry_run:
        _dry_run(config, wanted, as_json=as_json)
        return
    from crawler import app
    from crawler.cli.planbar import shown
    from crawler.clock import StoppableClock

    app.require_contact(config)
    words = state.lexicon_or_note()
    clock = StoppableClock()
    with (
        stopped_by_signals(clock),
        shown(globals_.verbose) as view,
        app.working(config, "backfill", view, role="backfill", clock=clock, lexicon=words) as work,
    ):
        results, ended = _run(work, wanted, view)
    for result in results:
        _print(result, as_json=as_json)
    if ended is not None:
        raise ended
    if not results or any(not result["done"] or result["needs_a_look"] for result in results):
        raise typer.Exit(_NEEDS_A_LOOK)


def _from_elsewhere(
    globals_: state.Globals, wanted: Wanted, warc: list[Path] | None, *, plain: bool, as_json: bool
) -> None:
    from crawler.cli.captures import list_addresses, take_over
    from crawler.clock import StoppableClock

    days_only = not (wanted.section or wanted.via or wanted.oldest_first)
    if not plain or not (wanted.nothing if warc else days_only):
        raise typer.BadParameter("--warc goes with --json alone, --captures with --since, --until and --json")
    if not warc:
        list_addresses(globals_, wanted.since, wanted.until, as_json=as_json)
        return
    clock = StoppableClock()
    with stopped_by_signals(clock):
        take_over(globals_, warc, clock, as_json=as_json)


def _run(work: Context, wanted: Wanted, view: PlanLines | PlanBar) -> tuple[list[dict[str, Any]], StopError | None]:
    """Work off the plans that are meant; give how each stands, and what ended the run early other than a signal."""
    from crawler.pipeline.run import recorded

    plans: list[Plan] = []
    ended: StopError | None = None
    try:
        with recorded(work, "backfill"):
            work.recover(work)
            plans += _plans(work, wanted)
            for plan in plans:
                _work_off(work, plan, view)
    except Interrupted:
        pass
    except StopError as error:
        ended = error
    return [_result(work, plan) for plan in plans], ended


def _work_off(work: Context, plan: Plan, view: PlanLines | PlanBar) -> None:
    from crawler import backfill as past

    tally = _tally(work, plan)
    view.plan(_name(plan), tally)
    while not work.stopping() and (unit := past.advance(work, plan.id)) is not None:
        _count(work, plan, unit, tally)
        view.unit(unit.what, tally)


def _plans(work: Context, wanted: Wanted) -> list[Plan]:
    from crawler import backfill as past

    if wanted.nothing:
        found = work.archive.plans(open_only=True)
        if not found:
            raise BadInput("no plan is open", "say what to fetch: vna backfill --since 2010-01-01")
        return found
    begun = past.begin(work, wanted.asked(_today()), until_given=wanted.until is not None)
    if begun.how == "done":
        output.note(f"{_name(begun.plan)}: this plan is done")
    return [begun.plan]


def _tally(work: Context, plan: Plan) -> Tally:
    from crawler import backfill as past
    from crawler.cli.planbar import Tally

    began = time.monotonic()
    tally = Tally(lambda: time.monotonic() - began)
    figures = past.figures(work.archive, plan)
    tally.count(figures.pages, figures.unlisted)
    return tally


def _count(work: Context, plan: Plan, unit: Unit, tally: Tally) -> None:
    from crawler import backfill as past

    if unit.state is not None:
        tally.visited(unit.state, listed=unit.kind == "page")
    elif unit.kind != "wait":
        figures = past.figures(work.archive, plan)
        tally.count(figures.pages, figures.unlisted)


def _result(work: Context, plan: Plan) -> dict[str, Any]:
    """Say how a plan stands at the end of the run."""
    from crawler import backfill as past

    done = work.archive.plan_state(plan.id) == "done"
    steps = work.archive.steps(plan.id)
    pages = past.figures(work.archive, plan).pages
    waits = None if done or work.stopping() else past.outlook(work, plan)
    missing = [step.target for step in steps if step.state in ("absent", "failed") and step.kind != "index"]
    trouble = sum(pages.get(name, 0) for name in ("failed", "rejected", "drift"))
    return {
        **_asked(plan.asked),
        "plan": plan.id,
        "done": done,
        "pages": pages,
        "lists_missing": missing,
        "needs_a_look": bool(missing) + trouble,
        "waits_for": waits.why if waits else None,
        "goes_on_at": waits.until.isoformat() if waits and waits.until else None,
        "requests": work.report.requests,
        "bytes": work.report.bytes,
        "seconds": work.report.seconds,
    }


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    from crawler.cli.planbar import Tally

    if as_json:
        output.json_line(result)
    else:
        spent = f"{result['requests']} requests, {output.size(result['bytes'])}, {result['seconds']:.1f} s"
        words = Tally(lambda: 0.0, result["pages"]).words()
        output.text(f"plan {result['plan']} {'is done' if result['done'] else 'is open'}: {words}; {spent}")
    if missing := result["lists_missing"]:
        names = ", ".join(target.rstrip("/").rpartition("/")[2] for target in missing[:_NAMED])
        names += f" and {len(missing) - _NAMED} more (--json has all)" if len(missing) > _NAMED else ""
        output.note(f"no list of articles was had from {len(missing)} of the plan's addresses: {names}")
    if result["waits_for"]:
        when = f", from {result['goes_on_at']} on" if result["goes_on_at"] else ""
        output.note(f"nothing can be done now: {result['waits_for']}{when}")
    if not result["done"]:
        output.note("`vna backfill` goes on where this stopped; so does `vna run`")
    elif result["needs_a_look"]:
        output.note("some pages need a look: vna status; the same command tries what was given up once more")


# --- without a request ----------------------------------------------------------------------------------------------


def _dry_run(config: Config, wanted: Wanted, *, as_json: bool) -> None:
    """Say what the command would do."""
    from crawler import app, plans
    from crawler import backfill as past
    from crawler.cli.planbar import spell
    from crawler.storage import FILE

    asked = wanted.asked(_today())
    if (config.archive / FILE).exists():
        with app.reading_archive(config.archive) as archive:
            figures = _foreseen(archive, asked, until_given=wanted.until is not None)
    else:
        figures = past.thought_of(None, asked)
    requests = figures.to_fetch + figures.lists
    span = plans.duration(requests, config.rate, config.daily_cap, config.quiet_hours)
    if as_json:
        known = {"lists": figures.lists, "to_fetch": figures.to_fetch, "requests": requests}
        output.json_line({**_asked(asked), **known, "pages": figures.pages, "seconds": span.total_seconds()})
        return
    output.text(
        f"{_days(asked)} via {asked.via}: {figures.lists} lists, at most about {figures.to_fetch} pages to fetch"
    )
    output.text(f"{requests} requests; at {config.rate:g} a second, with the budget to itself, {spell(span)}")


def _foreseen(archive: Archive, asked: Asked, *, until_given: bool) -> Figures:
    from crawler import backfill as past

    plan = past.find(archive, asked, until_given=until_given)
    if plan is None:
        return past.thought_of(archive, asked)
    return past.figures(archive, plan)


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "via": asked.via,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "section": asked.section,
        "oldest_first": asked.oldest_first,
    }


def _name(plan: Plan) -> str:
    return f"plan {plan.id}, {_days(plan.asked)} via {plan.asked.via}"


def _days(asked: Asked) -> str:
    section = f", {asked.section}" if asked.section else ""
    return f"{asked.since} to {asked.until}{section}"


# --- arguments ------------------------------------------------------------------------------------------


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise BadInput(f"{value} is no day", "write it as 2024-01-31") from error


def _today() -> date:
    from crawler.site import HANOI

    return datetime.now(UTC).astimezone(HANOI).date()
