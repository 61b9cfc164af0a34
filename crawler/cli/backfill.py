"""`vna backfill`: fetch articles from a date range.

Boundary: handles only arguments, signals, output and the exit code.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, paths, state, values
from crawler.cli.signals import stopped_by_signals
from crawler.errors import BadInput, Interrupted, StopError

if TYPE_CHECKING:
    from crawler.backfill import PlanFigures, WorkItem
    from crawler.cli.plan_progress import PlanBar, PlanLines, PlanProgress
    from crawler.config import Config
    from crawler.pipeline import Run
    from crawler.plan_values import BackfillRequest, Plan
    from crawler.storage import Archive

_NEEDS_ATTENTION = 5
_NAMED = 6  # addresses in one message; JSON has all


class ViaChoice(StrEnum):
    """Where a backfill looks for articles."""

    sitemap = "sitemap"
    ids = "ids"
    lists = "lists"


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """The options that define a plan. None means that the option was not given."""

    since: date | None
    until: date | None
    section: str | None
    via: ViaChoice | None
    oldest_first: bool

    @property
    def empty(self) -> bool:
        """Whether no option was given; `vna backfill` then continues all open plans."""
        return not (self.since or self.until or self.section or self.via or self.oldest_first)

    def request(self, today: date) -> BackfillRequest:
        """Return the request for a plan, with defaults for missing options. `today` is the current day in Hanoi."""
        from crawler import plans

        via: Any = self.via.value if self.via else None  # its values are those of `plan_values.Via`
        return plans.request(via, self.since, self.until, self.section, oldest_first=self.oldest_first, today=today)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(backfill)


def backfill(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="First day (Hanoi time), such as 2024-01-31, 2024-01, yesterday or 3d. Default: 2010-01-01.",
            metavar="DAY",
        ),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day. Default: today.", metavar="DAY")] = None,
    section: Annotated[
        str | None,
        typer.Option("--section", help="Fetch only this section, given by name or address; implies --via lists."),
    ] = None,
    via: Annotated[
        ViaChoice | None,
        typer.Option(
            "--via",
            help="Where to look for articles: in monthly sitemaps (sitemap), at unknown ids between known ones (ids),"
            " or in section pages (lists). Default: sitemap.",
        ),
    ] = None,
    oldest_first: Annotated[
        bool, typer.Option("--oldest-first", help="Start with the oldest articles instead of the newest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the number of requests and how long they take; send none.")
    ] = False,
    warc: Annotated[
        list[Path] | None,
        typer.Option(
            "--warc",
            metavar="FILE",
            parser=paths.file,
            help="Import captures from this WARC file (from Common Crawl, a Wayback download...) instead of fetching.",
        ),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End when nothing can be fetched now, instead of waiting; for cron jobs.")
    ] = False,
    captures: Annotated[
        bool,
        typer.Option("--captures", help="Print the Wayback Machine addresses of missing articles instead of fetching."),
    ] = False,
    images: Annotated[
        bool,
        typer.Option(
            "--images",
            help="Fetch the pictures selected by `[images] keep`, of articles that the archive already holds.",
        ),
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=values.MOST_JOBS, help="With --warc: number of processes that parse.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fetch articles from a date range.

    The command waits while the site asks for a pause, during quiet hours, and until failed pages are retried.

    A backfill can be stopped at any time. To resume it, run the same command again, `vna backfill` without options, or
    `vna run`. Exit code 0 means that the plan is complete and nothing needs attention. --warc may be given several
    times; importing a file again changes nothing.

    Example: vna backfill --since 2024-01-01 --until 2024-12-31
    """
    options = BackfillOptions(*values.period(since, until), section, via, oldest_first)
    globals_ = state.of(context)
    if jobs > 1 and not warc:
        raise typer.BadParameter("needs --warc FILE", ctx=context, param_hint="--jobs")
    if images:
        _images(globals_, options, plain=not (warc or captures), dry_run=dry_run, waits=not no_wait, as_json=as_json)
        return
    if warc or captures:
        plain = not (dry_run or no_wait or (warc and captures))
        _other_archives(globals_, options, warc, jobs, plain=plain, as_json=as_json)
        return
    if dry_run:
        _dry_run(globals_.load(), options, as_json=as_json)
        return
    options.request(values.today_in_hanoi())  # a mistake in the options is reported before the network is needed
    config = globals_.load_for_requests()
    from crawler import app
    from crawler.cli.plan_progress import plan_display
    from crawler.clock import StoppableClock

    lexicon = state.lexicon()
    clock = StoppableClock()
    with (
        stopped_by_signals(clock),
        plan_display(globals_.verbose) as view,
        app.working(config, "backfill", view, role="backfill", clock=clock, lexicon=lexicon) as run,
    ):
        results, failure = _run(run, options, view, waits=not no_wait)
    for result in results:
        _print(result, as_json=as_json)
    if failure is not None:
        raise failure
    if not results or any(not result["done"] or result["needs_a_look"] for result in results):
        raise typer.Exit(_NEEDS_ATTENTION)


def _images(
    globals_: state.Globals, options: BackfillOptions, *, plain: bool, dry_run: bool, waits: bool, as_json: bool
) -> None:
    from crawler.cli.pictures import fetch_images

    if not plain or options.section or options.via or options.oldest_first:
        raise typer.BadParameter("--images can be combined only with --since, --until, --dry-run, --no-wait and --json")
    fetch_images(globals_, options.since, options.until, dry_run=dry_run, waits=waits, as_json=as_json)


def _other_archives(
    globals_: state.Globals, options: BackfillOptions, warc: list[Path] | None, jobs: int, *, plain: bool, as_json: bool
) -> None:
    from crawler.cli.captures import import_files, list_addresses
    from crawler.clock import StoppableClock

    days_only = not (options.section or options.via or options.oldest_first)
    if not plain or not (options.empty if warc else days_only):
        raise typer.BadParameter(
            "--warc can be combined only with --jobs and --json, --captures only with --since, --until and --json"
        )
    if not warc:
        list_addresses(globals_, options.since, options.until, as_json=as_json)
        return
    clock = StoppableClock()
    with stopped_by_signals(clock):
        import_files(globals_, warc, jobs, clock, as_json=as_json)


def _run(
    run: Run, options: BackfillOptions, view: PlanLines | PlanBar, *, waits: bool
) -> tuple[list[dict[str, Any]], StopError | None]:
    """Work on the plans that the options select. Return the result of each plan, and the error that ended the run.

    The error is None if the plans were completed or a signal ended the run.
    """
    from crawler import backfill as backfills
    from crawler.pipeline import catch_up_after_wrong_clock
    from crawler.pipeline.run import recorded
    from crawler.replay import recover

    plans: list[Plan] = []
    failure: StopError | None = None
    try:
        with recorded(run, "backfill"):
            recover(run)
            catch_up_after_wrong_clock(run)
            plans += _plans(run, options)
            backfills.complete(run, plans, _View(run, view), waits=waits)
    except Interrupted:
        pass
    except StopError as error:
        failure = error
    return [_result(run, plan) for plan in plans], failure


class _View:
    """Keeps the figures of each plan up to date and passes them to the display."""

    def __init__(self, run: Run, display: PlanLines | PlanBar) -> None:
        self._run = run
        self._display = display
        self._plans: dict[int, PlanProgress] = {}

    def begin(self, plan: Plan) -> None:
        if plan.id not in self._plans:
            self._plans[plan.id] = _progress(self._run, plan)
            self._display.plan(_name(plan), self._plans[plan.id])

    def item(self, plan: Plan, item: WorkItem) -> None:
        progress = self._plans[plan.id]
        _count(self._run, plan, item, progress)
        self._display.work_item(item.outcome, progress)

    def wait(self, why: str, until: datetime, left: timedelta) -> None:
        self._display.wait(why, until, left)


def _plans(run: Run, options: BackfillOptions) -> list[Plan]:
    from crawler import backfill as backfills

    if options.empty:
        found = run.archive.plans(open_only=True)
        if not found:
            raise BadInput("no plan is open", "start a plan with `vna backfill --since 2010-01-01`")
        return found
    opened = backfills.open_plan(run, options.request(values.today_in_hanoi()), until_given=options.until is not None)
    if opened.how == "done":
        output.note(f"{_name(opened.plan)}: this plan is complete")
    return [opened.plan]


def _progress(run: Run, plan: Plan) -> PlanProgress:
    from crawler import backfill as backfills
    from crawler.cli.plan_progress import PlanProgress

    started = time.monotonic()
    progress = PlanProgress(lambda: time.monotonic() - started)
    figures = backfills.plan_figures(run.archive, plan)
    progress.set_figures(figures.pages, figures.unlisted)
    return progress


def _count(run: Run, plan: Plan, item: WorkItem, progress: PlanProgress) -> None:
    from crawler import backfill as backfills

    if item.state is not None:
        progress.count_visit(item.state, listed=item.kind == "page")
    elif item.kind != "wait":
        figures = backfills.plan_figures(run.archive, plan)
        progress.set_figures(figures.pages, figures.unlisted)


def _result(run: Run, plan: Plan) -> dict[str, Any]:
    """Return the state of a plan at the end of the run, with the keys of the JSON output."""
    from crawler import backfill as backfills

    done = run.archive.plan_state(plan.id) == "done"
    steps = run.archive.steps(plan.id)
    pages = backfills.plan_figures(run.archive, plan).pages
    waits = None if done or run.stopping() else backfills.obstacle(run, plan)
    lists = [step for step in steps if step.kind != "index" and not (step.guessed and step.state == "absent")]
    missing = [step.target for step in lists if step.state in ("absent", "failed")]
    faults = sum(pages.get(name, 0) for name in ("failed", "rejected", "drift"))
    return {
        **_request_json(plan.request),
        "plan": plan.id,
        "done": done,
        "pages": pages,
        "lists_missing": missing,
        "needs_a_look": bool(missing) + faults,
        "waits_for": waits.why if waits else None,
        "goes_on_at": waits.until.isoformat() if waits and waits.until else None,
        "requests": run.report.requests,
        "bytes": run.report.bytes,
        "seconds": run.report.seconds,
    }


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    from crawler.cli.plan_progress import PlanProgress

    if as_json:
        output.json_line(result)
    else:
        spent = f"{result['requests']} requests, {output.size(result['bytes'])}, {result['seconds']:.1f} s"
        summary = PlanProgress(lambda: 0.0, result["pages"]).summary()
        output.text(f"plan {result['plan']} {'is complete' if result['done'] else 'is open'}: {summary}; {spent}")
    if missing := result["lists_missing"]:
        names = ", ".join(target.rstrip("/").rpartition("/")[2] for target in missing[:_NAMED])
        names += f" and {len(missing) - _NAMED} more (--json has all)" if len(missing) > _NAMED else ""
        output.note(f"{output.count(len(missing), 'list')} of this plan could not be fetched: {names}")
    if result["waits_for"]:
        when = f"; continues at {result['goes_on_at']}" if result["goes_on_at"] else ""
        output.note(f"waiting: {result['waits_for']}{when}")
    if not result["done"]:
        output.note("`vna backfill` and `vna run` continue this plan")
    elif result["needs_a_look"]:
        output.note("some pages need attention: run `vna status` to list them, or the same command again to retry them")


# --- dry run --------------------------------------------------------------------------------------------------------


def _dry_run(config: Config, options: BackfillOptions, *, as_json: bool) -> None:
    """Print how many requests the command would send and how long they would take; send no request."""
    from crawler import backfill as backfills
    from crawler import opening, plans
    from crawler.cli.plan_progress import format_duration
    from crawler.storage import FILE

    request = options.request(values.today_in_hanoi())
    if (config.archive / FILE).exists():
        with opening.reading_archive(config.archive) as archive:
            figures = _estimate(archive, request, until_given=options.until is not None)
    else:
        figures = backfills.estimate(None, request)
    requests = figures.to_fetch + figures.lists
    span = plans.duration(requests, config.rate, config.daily_cap, config.quiet_hours)
    if as_json:
        known = {"lists": figures.lists, "to_fetch": figures.to_fetch, "requests": requests}
        output.json_line({**_request_json(request), **known, "pages": figures.pages, "seconds": span.total_seconds()})
        return
    output.text(
        f"{_days(request)} via {request.via}: {output.count(figures.lists, 'list')}, up to about {output.count(figures.to_fetch, 'page')}"
    )
    output.text(
        f"{output.count(requests, 'request')}, {output.duration(format_duration(span), config.rate)}"
        " if no other command sends requests"
    )


def _estimate(archive: Archive, request: BackfillRequest, *, until_given: bool) -> PlanFigures:
    from crawler import backfill as backfills

    plan = backfills.find_plan(archive, request, until_given=until_given)
    if plan is None:
        return backfills.estimate(archive, request)
    return backfills.plan_figures(archive, plan)


def _request_json(request: BackfillRequest) -> dict[str, Any]:
    return {
        "via": request.via,
        "since": request.since.isoformat(),
        "until": request.until.isoformat(),
        "section": request.section,
        "oldest_first": request.oldest_first,
    }


def _name(plan: Plan) -> str:
    return f"plan {plan.id}, {_days(plan.request)} via {plan.request.via}"


def _days(request: BackfillRequest) -> str:
    section = f", {request.section}" if request.section else ""
    return f"{request.since} to {request.until}{section}"
