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
    from crawler.heal.lists import ListHealing
    from crawler.pipeline import Run
    from crawler.pipeline.heal import Proposal
    from crawler.pipeline.heal_lists import ListProposal

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

    Learns the place of each field from the pages of articles that the archive already holds, or of the seed articles
    after `vna probe`, verifies the layout on other pages, and writes a markup file. If lists have stopped naming
    articles, learns where their pages have the ids of known articles. Exit code 5 means that a layout
    is not exact enough, or learned from too few pages; nothing is adopted then. Exit code 1 means that there is
    nothing to learn from.

    Example: vna heal --adopt
    """
    from crawler import app
    from crawler.cli.progress import progress_display

    globals_ = state.of(context)
    with (
        progress_display(globals_.verbose) as progress,
        app.working(globals_.load(), "heal", progress, role="read", lexicon=state.lexicon()) as work,
    ):
        proposals = list(_proposals(work, adopting=adopt, least=min_exact))
    if as_json:
        output.json_block({key: value for proposal in proposals for key, value in _report(proposal, min_exact).items()})
    else:
        for proposal in proposals:
            for line in _lines(proposal):
                output.text(line)
            output.note(_next_step(proposal, min_exact))
    if not all(proposal.healing.is_adoptable(min_exact) for proposal in proposals):
        raise typer.Exit(_NEEDS_ATTENTION)


def _proposals(work: Run, *, adopting: bool, least: float) -> Iterator[Proposal | ListProposal]:
    """Yield the layout of article pages and that of lists, as far as there is something to learn.

    Raises:
        NothingToLearn: neither can be learned.

    """
    from crawler import app
    from crawler.errors import NothingToLearn
    from crawler.pipeline.heal import propose
    from crawler.pipeline.heal_lists import propose_lists

    nothing = None
    try:
        yield propose(work, adopting=adopting, least=least, texts=tuple(app.seeds().values()))
    except NothingToLearn as error:
        nothing = error
    try:
        yield propose_lists(work, adopting=adopting, least=least)
    except NothingToLearn:
        if nothing is not None:
            raise nothing from None


def _report(proposal: Proposal | ListProposal, least: float) -> dict[str, Any]:
    from crawler.heal.lists import ListHealing

    healing, adoption = proposal.healing, proposal.adoption
    if isinstance(healing, ListHealing):
        return {"lists": _list_report(proposal, healing, least)}
    return {
        "name": proposal.name,
        "file": str(proposal.file),
        "adopted": adoption is not None,
        "adoptable": healing.is_adoptable(least),
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


def _list_report(proposal: Proposal | ListProposal, healing: ListHealing, least: float) -> dict[str, Any]:
    return {
        "name": proposal.name,
        "file": str(proposal.file),
        "adopted": proposal.adoption is not None,
        "adoptable": healing.is_adoptable(least),
        "exactness": round(healing.share, 4),
        "lists": healing.pages,
        "training": healing.stories,
        "verified": healing.verified,
        "fields": {name: {"exact": right, "stories": total} for name, (right, total) in healing.exact.items()},
        "contradicted": [{"url": url, "reason": reason} for url, reason in healing.contradicted],
        "layout": proposal.text,
    }


def _list_lines(proposal: Proposal | ListProposal, healing: ListHealing) -> Iterator[str]:
    lists, stories = output.count(healing.pages, "list"), output.count(healing.stories, "known article")
    yield f"{proposal.name}: learned from {lists} with {stories}, verified on {healing.verified} others"
    for name, (right, total) in healing.exact.items():
        yield f"  {name:13} {right} of {total} exact"
    for url, reason in healing.contradicted[:_PAGES_SHOWN]:
        yield f"  not read: {url}: {reason}"
    yield f"layout: {proposal.file}"
    if proposal.adoption is not None:
        yield "adopted; the lists are polled next"


def _lines(proposal: Proposal | ListProposal) -> Iterator[str]:
    from crawler.heal.lists import ListHealing

    healing = proposal.healing
    if isinstance(healing, ListHealing):
        yield from _list_lines(proposal, healing)
        return
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


def _next_step(proposal: Proposal | ListProposal, least: float) -> str:
    from crawler.heal.lists import ListHealing

    healing = proposal.healing
    if proposal.adoption is not None:
        return "the next poll uses the layout; `vna status` shows the pages that are left"
    if healing.is_adoptable(least):
        return "not adopted yet: run `vna heal --adopt`"
    if isinstance(healing, ListHealing):
        return (
            f"the lists are not read well enough to adopt the layout ({healing.share:.1%} of at least {least:.1%},"
            f" {healing.verified} stories verified): compare it with the pages, and correct it (docs/new-layout.md)"
        )
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
