"""`vna heal`: learn the layout of pages that no known layout reads, and adopt it if it is exact enough.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, state

if TYPE_CHECKING:
    from crawler.heal.healing import Healing
    from crawler.pipeline.heal import Proposal

_NEEDS_ATTENTION = 5
_DIFFERENCES_SHOWN, _PAGES_SHOWN, _VALUE_SHOWN = 10, 5, 100


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(heal)


def heal(
    context: typer.Context,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Adopt the layout if it is exact enough, and read the waiting pages with it."),
    ] = False,
    min_exact: Annotated[
        float,
        typer.Option("--min-exact", min=0.5, max=1.0, help="Smallest share of exact pages for each field."),
    ] = 0.98,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Learn the layout of pages in an unknown layout, offline.

    Learns where each field stands from the pages of articles that the archive already holds, or of the seed articles
    after `vna probe`, verifies the layout on other pages, and writes a markup file. Exit code 5 means that the layout
    is not exact enough, or learned from too few pages; nothing is adopted then. Exit code 1 means that there is
    nothing to learn from.

    Example: vna heal --adopt
    """
    from crawler import app
    from crawler.cli.progress import progress_display
    from crawler.pipeline.heal import propose

    globals_ = state.of(context)
    with (
        progress_display(globals_.verbose) as progress,
        app.working(globals_.load(), "heal", progress, role="read", lexicon=state.lexicon()) as work,
    ):
        proposal = propose(work, adopting=adopt, least=min_exact, texts=tuple(state.seeds().values()))
    adoptable = proposal.healing.is_adoptable(min_exact)
    if as_json:
        output.json_block(_report(proposal, adoptable=adoptable))
    else:
        for line in _lines(proposal):
            output.text(line)
        output.note(_next_step(proposal, min_exact, adoptable=adoptable))
    if not adoptable:
        raise typer.Exit(_NEEDS_ATTENTION)


def _report(proposal: Proposal, *, adoptable: bool) -> dict[str, Any]:
    healing, adoption = proposal.healing, proposal.adoption
    return {
        "name": proposal.name,
        "file": str(proposal.file),
        "adopted": adoption is not None,
        "adoptable": adoptable,
        "exactness": round(healing.share, 4),
        "known_pages": healing.complete,
        "training": healing.training,
        "verified": healing.verified,
        "fields": {name: {"exact": right, "pages": total} for name, (right, total) in healing.exact.items()},
        "not_shown": healing.not_shown,
        "doubtful": list(healing.doubtful),
        "differences": [asdict(difference) for difference in healing.differences],
        "unusable": [{"url": url, "reason": reason} for url, reason in healing.unusable],
        "further": healing.further,
        "contradicted": [{"url": url, "reason": reason} for url, reason in healing.contradicted],
        "outvoted": [{"url": url, "reason": reason} for url, reason in healing.outvoted],
        "read": dict(adoption.verdicts) if adoption else {},
        "unread": adoption.unread if adoption else None,
        "layout": proposal.text,
    }


def _lines(proposal: Proposal) -> Iterator[str]:
    healing = proposal.healing
    if healing.is_by_turns:
        known = output.count(healing.complete, "known article")
        yield f"{proposal.name}: learned from {known}, each verified with a layout learned from the others, and from"
        yield f"{output.count(healing.further, 'page')} of unknown articles, {len(healing.contradicted)} of which contradict it"
    else:
        pages = output.count(healing.training, "page")
        yield f"{proposal.name}: learned from {pages}, verified on {healing.verified} others"
    for name, (right, total) in healing.exact.items():
        yield f"  {name:13} {right} of {total} exact"
    if healing.not_shown:
        yield f"  no page shows these fields any more: {', '.join(healing.not_shown)}"
    for difference in healing.differences[:_DIFFERENCES_SHOWN]:
        yield f"  {difference.field} differs on {difference.url}"
        yield f"    known: {_short(difference.known)}"
        yield f"    read:  {_short(difference.read)}"
    if (more := len(healing.differences) - _DIFFERENCES_SHOWN) > 0:
        yield f"  and {more} more differences (--json lists all)"
    yield from _unused(healing)
    yield f"layout: {proposal.file}"
    if (adoption := proposal.adoption) is not None:
        read = ", ".join(f"{number} {verdict}" for verdict, number in sorted(adoption.verdicts.items()))
        yield f"adopted; waiting pages read: {read or 'none'}; still not read: {adoption.unread}"


def _unused(healing: Healing) -> Iterator[str]:
    for url, reason in healing.contradicted[:_PAGES_SHOWN]:
        yield f"  contradicts it: {url}: {reason}"
    pages = [*healing.outvoted, *healing.unusable]
    for url, reason in pages[:_PAGES_SHOWN]:
        yield f"  not used: {url}: {reason}"
    if (more := len(pages) - _PAGES_SHOWN) > 0:
        yield f"  not used: {more} more pages (--json lists all)"


def _next_step(proposal: Proposal, least: float, *, adoptable: bool) -> str:
    if proposal.adoption is not None:
        return "the next poll uses the layout; `vna status` shows the pages that are left"
    if adoptable:
        return "not adopted yet: run `vna heal --adopt`"
    healing = proposal.healing
    if healing.share < least:
        return (
            f"not exact enough to adopt ({healing.share:.1%} of at least {least:.1%}): compare the differences above"
            " with the pages, correct the layout (docs/new-layout.md), then run `vna reparse`"
        )
    if healing.is_by_turns:
        return (
            f"known articles are few ({healing.complete}), so at least four pages of other articles must agree with the layout,"
            f" half of them with a whole text, all with a publication time (now: {healing.further} pages,"
            f" {healing.proven} with a whole text): run `vna poll`, then the command again"
        )
    return (
        f"learned from too few articles (known: {healing.complete}, text verified: {healing.texts}):"
        " wait for more rechecks and run the command again, or check the layout and copy it to the folder in"
        " `[markups] dir`"
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_SHOWN else text[: _VALUE_SHOWN - 1] + "…"
